#!/bin/sh
# Make a virtual environment in $1 with the first Python >= 3.11 on the PATH (or with $PYTHON), or say what is missing.
set -u
for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    echo "Making $1 with $("$python" --version)"
    rm -rf "$1"
    "$python" -m venv "$1" && exit 0
    echo "error: '$python -m venv' failed. On Debian and Ubuntu its package is separate: apt install python3-venv" >&2
    rm -rf "$1"
    exit 1
done
echo "error: no Python 3.11 or newer found (tried: ${PYTHON:-python3, python3.14 ... python3.11, python})." >&2
echo "       Install one, or name it: make book PYTHON=/path/to/python3" >&2
exit 1
