"""Renew requirements.lock and package-lock.json: exact versions for every system, no registry addresses."""

import subprocess
import sys
from pathlib import Path

from tools import npm

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Exact versions of what requirements.txt asks for; made by `make lock`.\n"
UV_OPTIONS = [
    *["--universal", "--python-version", "3.11", "--upgrade", "--quiet"],
    *["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"],
]
NAMES_AN_ADDRESS = ("-i ", "--index", "--extra-index", "--find-links", "--trusted-host")


def main():
    """Resolve both sets of packages anew."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "requirements.txt", *UV_OPTIONS]
    resolved = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    pins = [line for line in resolved.splitlines() if line and not line.startswith("#")]
    for pin in pins:
        if pin.startswith(NAMES_AN_ADDRESS) or "://" in pin:
            raise SystemExit(f"requirements.lock must not name an address; got {pin!r}")
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(pins) + "\n")
    print(f"requirements.lock: {len(pins)} packages")

    (ROOT / "package-lock.json").unlink(missing_ok=True)
    if npm.main(["install", "--package-lock-only", "--ignore-scripts", "--loglevel=error"]):
        raise SystemExit("npm could not resolve package.json")
    if "://" in "".join(line for line in (ROOT / "package-lock.json").read_text().splitlines() if '"resolved"' in line):
        raise SystemExit("package-lock.json must not name a registry's address")
    print("package-lock.json: renewed")


if __name__ == "__main__":
    main()
