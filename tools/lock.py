"""Renew the locks of Python and npm: exact versions for every system, no registry addresses."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import npm

ROOT = Path(__file__).resolve().parent.parent
UV_OPTIONS = [
    *["--universal", "--python-version", "3.11", "--upgrade", "--quiet"],
    *["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"],
]


def python_lock(*files, **options):
    """Resolve the library with its course kit and these files for every system and every Python from 3.11 on."""
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "course", *files, *given]
    resolved = subprocess.run([*command, *UV_OPTIONS], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    header = f"# Exact versions of what pyproject.toml and {' and '.join(files)} ask for; made by `make lock`.\n"
    return header + "".join(f"{line}\n" for line in resolved.splitlines() if line and not line.startswith("#"))


def npm_lock():
    """Resolve package.json in an empty folder: beside installed packages npm leaves out some of the checksums."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", ".npmrc"):
            shutil.copy(ROOT / name, folder)
        if npm.main(["install", "--package-lock-only", "--ignore-scripts", "--loglevel=error"], folder):
            raise SystemExit("npm could not resolve package.json")
        return Path(folder, "package-lock.json").read_text(encoding="utf-8")


def renew(name, text, forbidden):
    """Write a lock file if it has changed; refuse one that works with one registry only."""
    if any(word in text for word in forbidden):
        raise SystemExit(f"{name} must not name a registry; it holds one of {', '.join(forbidden)}")
    file = ROOT / name
    changed = not file.exists() or file.read_text(encoding="utf-8") != text
    if changed:
        file.write_text(text, encoding="utf-8")
    print(f"{name}: {'renewed' if changed else 'as it was'}")


def main():
    """Renew all three; what the book needs has the same version in both locks of Python."""
    forbidden = ["://", "--index", "--extra-index", "--find-links", "--trusted-host"]
    renew("requirements-test.lock", python_lock("requirements.txt", "requirements-test.txt"), forbidden)
    renew("requirements.lock", python_lock("requirements.txt", constraint="requirements-test.lock"), forbidden)
    renew("package-lock.json", npm_lock(), ['"resolved"'])


if __name__ == "__main__":
    main()
