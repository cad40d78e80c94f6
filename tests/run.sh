#!/bin/sh
# Set up and pass the tests with one command; needs only Python 3.11 and a package index.
# Usage: sh tests/run.sh [PYTEST ARGUMENTS...]
# Environment: NHICTL_VENV, the virtual environment to use (default: .venv of the checkout); PYTHON, the interpreter.
set -eu

cd "$(dirname "$0")/.."
venv=${NHICTL_VENV:-.venv}

find_python() {
  for candidate in ${PYTHON:-} python3.11 python3 python python3.12 python3.13 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "tests/run.sh: needs Python 3.11 or newer; name it with PYTHON=..." >&2
  exit 1
}

if [ ! -x "$venv/bin/python" ]; then
  python=$(find_python)
  "$python" -m venv "$venv"
fi
# dependency groups need pip 25.1
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable . --group dev --constraint tests/constraints.txt

# settings of the caller must not change what the tests see
for name in $(env | sed -n 's/^\(NHICTL_[A-Z0-9_]*\)=.*/\1/p' | grep -v -e '^NHICTL_TEST_' -e '^NHICTL_LONG$' -e '^NHICTL_UPDATE_'); do
  unset "$name"
done
exec "$venv/bin/python" -m pytest -n 2 "$@"
