#!/usr/bin/env bash
# Starts the application:   bash run.sh [arguments of main.py]
# Checks and tests it:      bash run.sh test [arguments of pytest]
# The first start makes .venv and installs what requirements.txt names.
set -euo pipefail
called_from=$PWD
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
app=$PWD

venv=.venv
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

# install LIST STAMP: what LIST names is installed, and STAMP is a copy of it once that is done.
install() {
  if cmp -s "$1" "$2"; then return; fi
  rm -f "$2"
  say "installing what $1 names"
  local quiet=--quiet
  if [ -t 2 ]; then quiet=--progress-bar=on; fi
  "$python" -m pip install --disable-pip-version-check $quiet -r "$1" >&2
  cp "$1" "$2.part" && mv "$2.part" "$2"
}

set_up() {
  # No stamp means that an earlier set-up was interrupted, or never was: start clean.
  if [ ! -e $venv/installed.txt ] || [ ! -x $python ]; then
    local base
    base=$(find_python)
    rm -rf $venv
    say "first start: making $venv (some minutes; torch brings several GB on Linux)"
    "$base" -m venv $venv
  fi
  install requirements.txt $venv/installed.txt
}

has_display() {
  case "$(uname -s)" in
    Linux | *BSD) [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] ;;
    *) true ;;
  esac
}

# Tests drive the window on a screen of their own, with files dragged from a GTK program.
have_screen() {
  if [ "$(uname -s)" != Linux ]; then return; fi
  local tool missing=()
  for tool in Xvfb openbox xdotool; do
    command -v $tool >/dev/null || missing+=("${tool,,}")
  done
  /usr/bin/python3 -c "import gi; gi.require_version('Gtk', '3.0')" >/dev/null 2>&1 ||
    missing+=(python3-gi gir1.2-gtk-3.0)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if [ "$EUID" -eq 0 ] && command -v apt-get >/dev/null; then
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

set_up
if [ "${1:-}" = test ]; then
  shift
  install tests/requirements.txt $venv/installed-tests.txt
  have_screen
  step() {
    say "== $1"
    shift
    "$@"
  }
  step format "$python" -m ruff format --check .
  step lint "$python" -m ruff check .
  step types "$python" -m mypy
  step imports "$python" -c 'import importlinter.cli as cli; cli.lint_imports_command()' --no-logo
  step tests "$python" -m pytest "$@"
elif [ $# -eq 0 ] && ! has_display; then
  say "no display here: running the demo; for the window, start this where DISPLAY is set"
  start demo
else
  start "$@"
fi
