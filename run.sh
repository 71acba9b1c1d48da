#!/usr/bin/env bash
# Starts the application:   bash run.sh [arguments of main.py]
# Checks it:                bash run.sh check
# Checks and tests it:      bash run.sh test [arguments of pytest]
# The first start makes .venv and installs what requirements.txt names, in the versions of
# requirements.lock.
set -euo pipefail
called_from=$PWD
# Through a link it is the checkout's .venv that counts, not one that lies beside the link.
self=${BASH_SOURCE[0]}
while [ -L "$self" ]; do
  target=$(readlink -- "$self")
  case "$target" in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
  esac
done
cd -- "$(dirname -- "$self")"
app=$PWD

venv=.venv
lock_file=requirements.lock
# A copy of the lock file once what requirements.txt names is there in its versions; and what tells
# an environment that is being made here from any other: nothing else is ever removed.
stamp=$venv/installed.txt
unfinished=$venv/unfinished-by-run.sh
case "$(uname -s)" in
  MINGW* | MSYS* | CYGWIN*) python=$venv/Scripts/python.exe ;;
  *) python=$venv/bin/python ;;
esac

say() { printf '%s\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if [ -n "$candidate" ] && "$candidate" -c \
      'import sys, tkinter, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "run.sh: no Python 3.11 or newer with tkinter and venv was found; install it with" \
    "'apt install python3 python3-tk python3-venv' (Debian, Ubuntu), 'dnf install python3" \
    "python3-tkinter' (Fedora) or 'brew install python-tk' (macOS)"
  return 1
}

# fail SENTENCE...: says what is wrong and what to do, and ends.
fail() {
  say "run.sh: $*"
  exit 1
}

# install LIST STAMP IMPORTS: what LIST names is installed, and STAMP is a copy of the lock file once
# that is done: whatever LIST names has its version there. Where it can't be, what was there before
# stays, and does if IMPORTS can be imported.
install() {
  if cmp -s $lock_file "$2"; then return; fi
  say "installing the packages of $1"
  local code=0 quiet=--quiet
  if [ -t 2 ]; then quiet=--progress-bar=on; fi
  # What is built is built with the torch that is here: sam2 would have pip fetch another one.
  local here=()
  if [ "$1" = tests/requirements.txt ]; then here=(--no-build-isolation); fi
  "$python" -m pip install --disable-pip-version-check $quiet ${here[@]+"${here[@]}"} -r "$1" \
    -c $lock_file >&2 || code=$?
  if [ $code -eq 0 ]; then
    # in a folder that can't be written to, pip has found all of it there
    { cp $lock_file "$2.part" && mv "$2.part" "$2"; } 2>/dev/null || true
    return
  fi
  if [ ! -e $unfinished ] && "$python" -c "import $3" >/dev/null 2>&1; then
    say "not all packages of $1 could be installed; continuing with those in $venv. The next start" \
      "tries again"
    return
  fi
  say "run.sh: the packages of $1 could not be installed; pip gives the reason above. Check your" \
    "connection and the free space on the disk, then start this again"
  exit $code
}

is_set_up() { [ -x $python ] && cmp -s $lock_file $stamp; }

# One start at a time works on .venv, of whichever checkout its folder is. Another one waits.
# The lock of flock goes with its last holder, so also after a kill, once pip has ended. It is on
# a file: the folder is locked by a program that has a library open there.
lock() {
  local place file
  place=$(cd -P -- $venv/.. 2>/dev/null && pwd) || place=$app
  file=$place/requirements.txt
  if command -v flock >/dev/null && { exec 9<"$file"; } 2>/dev/null; then
    if flock -n 9; then return; fi
    say "waiting for another start that sets $venv up"
    if flock 9; then return; fi
    exec 9<&-
  fi
  lock_folder "$place"
}

unlock() {
  { exec 9<&-; } 2>/dev/null
  if [ -n "${locked:-}" ]; then rm -rf -- "$locked"; fi
  locked=
}

# lock_folder PLACE: where there is no flock. Whoever can make the folder in PLACE has the lock.
lock_folder() {
  local folder=$1/.venv.lock said='' tries=0 holder taker
  until mkdir -- "$folder" 2>/dev/null; do
    if [ ! -w "$1" ]; then fail "$1: nothing can be set up here; see that you may write to it"; fi
    if [ ! -d "$folder" ]; then continue; fi # it has just been given up
    holder=$(cat -- "$folder/holder" 2>/dev/null) || true
    # who was killed, perhaps before it could write its name, is followed by one of those waiting
    taker=$folder/after-${holder%% *}
    if [ -n "$holder" ] && is_running "$holder"; then
      tries=0
    elif [ -n "$holder" ] || [ $tries -gt 5 ]; then
      if mkdir -- "$taker" 2>/dev/null; then
        if [ "$(cat -- "$folder/holder" 2>/dev/null)" = "$holder" ]; then
          hold "$folder"
          rmdir -- "$taker"
          return
        fi
        rmdir -- "$taker" 2>/dev/null || true # another one has come first
        continue
      elif [ $tries -gt 10 ]; then
        rmdir -- "$taker" 2>/dev/null || true # who followed was killed, too
        tries=0
      fi
    fi
    if [ -z "$said" ]; then say "waiting for another start that sets $venv up"; fi
    said=yes
    tries=$((tries + 1))
    sleep 1
  done
  hold "$folder"
}

hold() {
  locked=$1
  trap unlock EXIT
  printf '%s\n' "$$ $(begun $$)" >"$1/holder.$$"
  mv -f -- "$1/holder.$$" "$1/holder"
}

# is_running "PID WHEN IT BEGAN": the same number can be given again.
is_running() {
  local pid=${1%% *}
  if kill -0 "$pid" 2>/dev/null || [ -n "$(begun "$pid")" ]; then
    [ "$1" = "$pid $(begun "$pid")" ]
  else
    return 1
  fi
}

begun() { LC_ALL=C TZ=UTC0 ps -o lstart= -p "$1" 2>/dev/null || true; }

set_up() {
  if is_set_up; then return; fi
  lock
  if ! is_set_up; then
    if [ -e $unfinished ] && [ ! -e $stamp ]; then
      if [ -L $venv ]; then
        fail "$venv leads to an environment whose set-up was not finished; start the run.sh it" \
          "belongs to, or remove the link"
      fi
      say "removing $venv, whose set-up was not finished"
      rm -rf $venv
    fi
    if [ -d $venv ] && [ ! -L $venv ]; then rmdir $venv 2>/dev/null || true; fi # an empty one
    if [ -e $venv ] || [ -L $venv ]; then
      check_environment
    else
      make_environment
    fi
    install requirements.txt $stamp "$parts"
    rm -f $unfinished
  fi
  unlock
}

# What the program consists of, with what it takes from elsewhere.
parts="chromadb, src.gui.main_window, src.library, src.models.model_manager, src.processing.ingest"

make_environment() {
  local base
  base=$(find_python)
  say "first start: making $venv (some minutes; torch brings several GB on Linux)"
  mkdir $venv 2>/dev/null ||
    fail "$app: $venv can't be made here; see that you may write to this folder, or copy it to" \
      "one where you may"
  printf '%s\n' "run.sh makes this environment anew at its next start" >$unfinished
  "$base" -m venv $venv
}

# An environment that is there already may be somebody's own: it is used if it fits, and stays.
check_environment() {
  if [ ! -x $python ]; then
    fail "$app/$venv holds no Python that can be started (perhaps the one it was made with is" \
      "gone); move it away or delete it, then start this again, which makes a new one"
  fi
  if [ -e $stamp ]; then return; fi
  if ! "$python" -c 'import sys, tkinter; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    fail "the Python of $app/$venv is older than 3.11 or has no tkinter; move it away or delete" \
      "it, then start this again, which makes a new one"
  fi
  say "using the environment in $venv, which run.sh has not made"
}

has_display() {
  case "$(uname -s)" in
    Linux | *BSD) [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] ;;
    *) true ;;
  esac
}

# What the window's tests need of the system: they drive it on a screen of their own, with files
# dragged from a GTK program.
look_for_screen() {
  missing=()
  if [ "$(uname -s)" != Linux ]; then return; fi
  local tool
  for tool in Xvfb openbox xdotool; do
    command -v $tool >/dev/null || missing+=("${tool,,}")
  done
  /usr/bin/python3 -c "import gi; gi.require_version('Gtk', '3.0')" >/dev/null 2>&1 ||
    missing+=(python3-gi gir1.2-gtk-3.0)
  if [ ${#missing[@]} -gt 0 ] && may_install; then
    say "run.sh test will install system packages with apt-get: ${missing[*]}. The window's tests" \
      "need them for a screen of their own. SYSTEM_PACKAGES=no installs none and skips those tests"
  fi
}

may_install() {
  [ "$EUID" -eq 0 ] && [ "${SYSTEM_PACKAGES:-}" != no ] && command -v apt-get >/dev/null
}

have_screen() {
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if may_install; then
    say "installing ${missing[*]} for the window's tests"
    if apt-get -qq update >&2 &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq install "${missing[@]}" >/dev/null; then
      return
    fi
  fi
  say "the window's tests are skipped; for them, 'apt install ${missing[*]}' (Debian, Ubuntu)"
}

# Back where it was called: paths may be named from there.
start() {
  cd -- "$called_from"
  exec "$app/$python" "$app/main.py" "$@"
}

step() {
  say "== $1"
  shift
  "$@"
}

# Format and lint, with what they and the other checks need.
check() {
  lock
  install tests/requirements.txt $venv/installed-tests.txt "importlinter, mypy, pytest, ruff, xdist"
  unlock
  if [ "$1" = test ]; then have_screen; fi
  step format "$python" -m ruff format --check .
  step lint "$python" -m ruff check .
}

check_types_and_imports() {
  step types "$python" -m mypy
  step imports "$python" -c 'import importlinter.cli as cli; cli.lint_imports_command()' --no-logo
}

if [ "${1:-}" = test ]; then look_for_screen; fi
set_up
if [ "${1:-}" = check ]; then
  check check
  check_types_and_imports
elif [ "${1:-}" = test ]; then
  shift
  check test
  # Beside the tests, which wait some of their time: it takes half a minute.
  said=$venv/checked.txt
  check_types_and_imports >"$said" 2>&1 &
  failed=0
  # As many processes as there are processors, each with one thread: more would wait for each
  # other. Who is done first takes tests from the other; four of them take about 8 GB of memory.
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
  step tests "$python" -m pytest -n auto --maxprocesses 4 --dist worksteal --durations 10 "$@" ||
    failed=$?
  wait $! || failed=$?
  cat "$said"
  exit $failed
elif [ $# -eq 0 ] && ! has_display; then
  say "no display here: running the demo; for the window, start this where DISPLAY is set"
  start demo
else
  start "$@"
fi
