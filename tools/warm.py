"""What the kernels of the notebooks are forked from (see tools/kernels.py): a process that has imported a lot."""

import importlib
import multiprocessing.process
import os
import sys

PATH = [folder for folder in sys.path if folder]  # without the current folder: a kernel adds its own
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as ipykernel does, but in time

# Not pyplot: it looks for a running kernel as it is imported. Nothing of ours: a page must see what it would see.
for name in (
    *["ipykernel.kernelapp", "ipykernel.ipkernel", "ipywidgets", "numpy.random", "pandas", "PIL.Image", "tqdm.auto"],
    *["matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.style", "matplotlib.dates"],
    *["sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "scipy.stats"],
):
    importlib.import_module(name)


def run(arguments, cwd, env):
    """Be a kernel until it is shut down."""
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    os.chdir(cwd)
    multiprocessing.process.ORIGINAL_DIR = cwd  # where processes that it starts look for modules
    os.environ.clear()
    os.environ.update(env)
    sys.path[:] = PATH
    # it ends where the process that it was forked from ends, and need not warn of listeners on this machine
    launch_new_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}", "--log-level=ERROR"])
