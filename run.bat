@echo off
rem Starts the window, with no console left:   double-click this, or drop files and folders on it
rem Runs a command in this console:            run.bat search "a red circle"
rem The first start makes .venv and installs what requirements.txt names, as run.sh does.

rem Delayed expansion would eat the ! in a path. And no path goes through "call", which would
rem expand a percent sign in it once more: that is why set-up works in this folder, by names alone.
setlocal EnableExtensions DisableDelayedExpansion
set "app=%~dp0"
set "mode=window"

rem The first word that is no option says whether this is for the window, as in main.py.
:look
set "word=%~1"
if not defined word goto setup
if "%word%"=="--library" goto skip_library
if "%word:~0,1%"=="-" goto console
for %%C in (ingest search export stats verify models demo install-desktop uninstall-desktop) do if "%word%"=="%%C" goto console
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
if not exist main.py exit /b 1
rem No stamp means that an earlier set-up was interrupted, or never was: start clean.
if exist ".venv\installed.txt" if exist ".venv\Scripts\pythonw.exe" goto install
call :find_python
if not defined found goto failed
if exist ".venv" rmdir /s /q ".venv"
echo first start: making .venv (some minutes) 1>&2
call %base% -m venv .venv
if not "%errorlevel%"=="0" goto failed

:install
fc /b requirements.txt ".venv\installed.txt" >nul 2>nul
if "%errorlevel%"=="0" goto start
if exist ".venv\installed.txt" del ".venv\installed.txt"
echo installing what requirements.txt names 1>&2
".venv\Scripts\python.exe" -m pip install --disable-pip-version-check -r requirements.txt 1>&2
if not "%errorlevel%"=="0" goto failed
copy /y requirements.txt ".venv\installed.part" >nul
move /y ".venv\installed.part" ".venv\installed.txt" >nul

:start
rem back to where it was called: paths may be named from there
popd
if "%mode%"=="console" goto run
start "" "%app%.venv\Scripts\pythonw.exe" "%app%main.py" %*
exit /b 0
:run
"%app%.venv\Scripts\python.exe" "%app%main.py" %*
exit /b %errorlevel%

:failed
popd
echo run.bat: set-up broke off; start it again, and it begins clean 1>&2
rem after a double click the console closes with this script, and the reason with it
if "%mode%"=="window" pause
exit /b 1

rem Sets base to a Python 3.11 or newer that has what is needed, PYTHON first.
:find_python
set "check=import sys, tkinter, venv, ensurepip; sys.exit(sys.version_info < (3, 11))"
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
