@echo off
rem Starts the window, with no console left:   double-click this, or drop files and folders on it
rem Runs a command in this console:            run.bat search "a red circle"
rem The first start makes .venv and installs what requirements.txt names, in the versions of
rem requirements.lock, as run.sh does.

rem Delayed expansion would eat the ! in a path. And no path goes through "call", which would
rem expand a percent sign in it once more: that is why set-up works in this folder, by names alone.
setlocal EnableExtensions DisableDelayedExpansion
set "app=%~dp0"
set "mode=window"
set "check=import sys, tkinter, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
set "parts=chromadb, src.gui.main_window, src.library, src.models.model_manager, src.processing.ingest"

rem The first word that is no option says whether this is for the window, as in main.py.
:look
set "word=%~1"
if not defined word goto setup
if "%word%"=="--library" goto skip_library
if "%word:~0,1%"=="-" goto console
for %%C in (ingest sample remove roots search saved label duplicates tracks export recipes clip import stats verify models demo install-desktop uninstall-desktop) do if "%word%"=="%%C" goto console
goto setup
:skip_library
rem /1 leaves the name of this file where it is; the list of all words is never shifted
shift /1
shift /1
goto look
:console
set "mode=console"

:setup
pushd "%app%"
rem Started through a link, this is the folder of the link: a .venv there is not ours.
if not exist "src\cli\arguments.py" goto elsewhere
set "ready="
set "said="
call :is_set_up
if defined ready goto start

rem One start at a time works on .venv: Windows opens the lock for one alone, and closes it when
rem that one ends, however it ends. Another one waits.
:wait
3>&2 2>nul (9>".venv.lock" (
  call :set_up 2>&3
  (call )
)) || (
  if not exist ".venv.lock" goto locked_out
  if not defined said echo waiting for another start that sets .venv up 1>&2
  set "said=yes"
  ping -n 3 127.0.0.1 >nul
  goto wait
)
if not defined ready goto failed

:start
rem back to where it was called: paths may be named from there
popd
if "%mode%"=="console" goto run
start "" "%app%.venv\Scripts\pythonw.exe" "%app%main.py" %*
exit /b 0
:run
"%app%.venv\Scripts\python.exe" "%app%main.py" %*
exit /b %errorlevel%

:elsewhere
echo run.bat: the program is not in "%app%"; start the run.bat in its own folder, or a shortcut to it 1>&2
goto ended
:locked_out
echo run.bat: "%app%" can't be written to; see that you may, or copy the program elsewhere 1>&2
goto ended
:failed
echo run.bat: set-up broke off; the reason is above. Once it is put right, start this again 1>&2
:ended
popd
rem after a double click the console closes with this script, and the reason with it
if "%mode%"=="window" pause
exit /b 1

rem Sets ready where .venv holds what requirements.txt names, in the versions of the lock.
:is_set_up
if not exist ".venv\Scripts\pythonw.exe" exit /b
fc /b requirements.lock ".venv\installed.txt" >nul 2>nul
if "%errorlevel%"=="0" set "ready=yes"
exit /b

rem Sets ready once .venv can be used. Only what carries the mark of an unfinished set-up is removed.
:set_up
call :is_set_up
if defined ready exit /b
if exist ".venv\installed.txt" goto use
if exist ".venv\unfinished-by-run.sh" (
  echo removing .venv, whose set-up was not finished 1>&2
  call :remove
  if exist ".venv" goto stays
)
if exist ".venv" goto use
call :find_python
if not defined found exit /b
echo first start: making .venv (some minutes) 1>&2
mkdir ".venv"
echo run.bat makes this environment anew at its next start>".venv\unfinished-by-run.sh"
call %base% -m venv .venv
if not "%errorlevel%"=="0" exit /b

:use
".venv\Scripts\python.exe" -c "%check%" >nul 2>nul
if not "%errorlevel%"=="0" (
  echo run.bat: .venv holds no Python 3.11 or newer with tkinter; move it away or delete it 1>&2
  exit /b
)
echo installing the packages of requirements.txt 1>&2
".venv\Scripts\python.exe" -m pip install --disable-pip-version-check -r requirements.txt -c requirements.lock 1>&2
if not "%errorlevel%"=="0" goto not_installed
copy /y requirements.lock ".venv\installed.part" >nul
move /y ".venv\installed.part" ".venv\installed.txt" >nul
if exist ".venv\unfinished-by-run.sh" del ".venv\unfinished-by-run.sh"
set "ready=yes"
exit /b

:not_installed
if exist ".venv\unfinished-by-run.sh" exit /b
".venv\Scripts\python.exe" -c "import %parts%" >nul 2>nul
if not "%errorlevel%"=="0" exit /b
echo not all packages could be installed; continuing with those in .venv 1>&2
set "ready=yes"
exit /b

:stays
echo run.bat: .venv could not be removed, or is a link; remove it yourself 1>&2
exit /b

rem rmdir /s takes a junction alone and not what it leads to; but whose is what a link leads to?
:remove
fsutil reparsepoint query ".venv" >nul 2>nul
if not "%errorlevel%"=="0" rmdir /s /q ".venv"
exit /b

rem Sets base to a Python 3.11 or newer that has what is needed, PYTHON first.
:find_python
set "found="
set base="%PYTHON%"
if defined PYTHON call :try
for %%B in ("py -3" "py -3.14" "py -3.13" "py -3.12" "py -3.11" python python3) do call :try_next %%B
if defined found exit /b
echo run.bat: no Python 3.11 or newer with tkinter and venv was found; install it from 1>&2
echo   https://www.python.org/downloads/ with "tcl/tk and IDLE", or: winget install Python.Python.3.13 1>&2
exit /b

:try_next
if defined found exit /b
set "base=%~1"
:try
call %base% -c "%check%" >nul 2>nul
if "%errorlevel%"=="0" set "found=yes"
exit /b
