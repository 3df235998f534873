"""Open the course: python start.py

The first time this makes an environment of its own in the folder ".venv" and installs what the course needs there (a
few minutes, with a network). After that it opens JupyterLab at once. What you have written is never replaced: from the
folder "originals" only chapters are taken that are not in "chapters" yet. To have one anew, delete or rename yours.

It needs Python 3.11 or newer, and nothing else. Anything you add is handed on: python start.py --port 9999
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = ENVIRONMENT / "ready"
WANTED = HERE / "requirements.lock"


def prepare():
    """Make the environment, unless it is there and holds what is wanted."""
    mark = hashlib.sha256(WANTED.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == mark:
        return
    print("Installing what the course needs. This takes a few minutes, and happens once.", flush=True)
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
    install = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--requirement", WANTED]
    if subprocess.call(list(map(str, install))):
        sys.exit("The packages could not be installed; the lines above say why. With a network, start again.")
    place = subprocess.check_output(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    Path(place.strip(), "course.pth").write_text(f"{HERE}\n")  # so that the chapters find nnlib
    STAMP.write_text(mark)


def lay_out():
    """Copy the chapters that are not there yet; what chapters read, but nobody writes in, is renewed."""
    kept = 0
    for original in sorted((HERE / "originals").rglob("*.*")):
        copy = HERE / original.relative_to(HERE / "originals")
        if copy.exists() and copy.suffix == ".ipynb":
            kept += copy.read_bytes() != original.read_bytes()
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        unfinished = copy.with_name(f"{copy.name}.copying")
        shutil.copy(original, unfinished)
        unfinished.replace(copy)
    if kept:
        print(f"Chapters in which you have worked are left as they are: {kept}")


def main():
    """Prepare, then open JupyterLab."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- whoever has an older one is told so
        sys.exit(f"This is Python {sys.version.split()[0]}; the course needs 3.11 or newer (https://www.python.org).")
    prepare()
    lay_out()
    lab = [
        str(PYTHON),
        "-m",
        "jupyterlab",
        "--ServerApp.root_dir",
        str(HERE),
        "--LabApp.default_url=/lab/tree/chapters",
    ]
    try:
        sys.exit(subprocess.call([*lab, *sys.argv[1:]], cwd=HERE))
    except KeyboardInterrupt:  # how one leaves JupyterLab
        sys.exit(0)


if __name__ == "__main__":
    main()
