"""Build the book into _build/html: execute what has changed, and treat every warning as an error."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"
STATE = BUILD / "built_from"


def code_digest():
    """Sum up what notebooks run on, beside their own cells: the library, the tables, the packages, Python."""
    files = [*(ROOT / "nnlib").rglob("*.py"), *(ROOT / "data").rglob("*"), ROOT / "requirements.lock"]
    digest = hashlib.sha256(sys.version.encode())
    digest.update(os.environ.get("NNLIB_DATA_DIR", "").encode())
    for file in sorted(file for file in files if file.is_file()):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def forget(*paths):
    """Remove what a former build left there."""
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)


def main():
    """Build the book and return the exit code."""
    # The cache knows a notebook by its cells alone; a changed library must run them anew.
    digest = code_digest()
    if not STATE.exists() or STATE.read_text() != digest:
        forget(CACHE, BUILD / ".doctrees")
    BUILD.mkdir(exist_ok=True)
    STATE.write_text(digest)

    command = [Path(sys.executable).with_name("jupyter-book"), "build", str(ROOT)]
    code = subprocess.call([*command, "--warningiserror", "--nitpick", "--keep-going", "--quiet"], cwd=ROOT)
    page = BUILD / "html" / "index.html"
    if code or not page.exists():
        # Sphinx warns about a page only when it reads it: without this the next build would pass in silence.
        forget(BUILD / ".doctrees")
        print("\nThe book was not built: see the warnings above; each of them is an error.", file=sys.stderr)
        return code or 1
    print(f"\nThe book is built. Open it in a browser, no server needed:\n\n    {page.as_uri()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
