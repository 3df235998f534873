"""A pytest plugin: notebooks that pass under nbval are kept for the book, so that `make book` need not run them again.

The notebooks run as they do for the book, with every state of every slider drawn and checked; the outputs that they
state are compared, and the outputs of a notebook whose cells all pass are those of its page.
"""

import os

import pytest
from nbval import kernel, plugin

from . import book, kernels

WIDGET = "application/vnd.jupyter.widget-view+json"  # its state is not among the outputs: left to the build


class Kernel(kernel.RunningKernel):
    """A kernel that gets a second start: one that does not come up on a busy machine says nothing of the notebook."""

    def __init__(self, *args, **kwargs):
        try:
            super().__init__(*args, **kwargs)
        except RuntimeError as error:
            print(f"a kernel did not start ({error}); once more")
            if self.is_alive():
                self.stop()
            super().__init__(*args, **kwargs)


def pytest_configure(config):
    """Let figures and exercises be made for the page, and forget what is outdated."""
    os.environ["NNLIB_FOR_THE_BOOK"] = "1"
    plugin.RunningKernel = Kernel
    kernels.fork_kernels()
    if not hasattr(config, "workerinput"):
        from jupyter_cache import get_cache

        book.forget_what_is_outdated()
        get_cache(book.CACHE).list_cache_records()  # the database is made here, and not by two workers at once


def pytest_collection_modifyitems(items):
    """Compare what notebooks say in Jupyter; what only a page shows is not stored."""
    for item in items:
        if hasattr(item.parent, "skip_compare"):
            item.parent.skip_compare = (*item.parent.skip_compare, "text/html")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Count the cells of a notebook that pass, and keep the notebook after the last."""
    yield
    if call.when != "call" or call.excinfo or not hasattr(item, "test_outputs"):
        return
    notebook, item.cell.outputs = item.parent, item.test_outputs
    notebook.passed = getattr(notebook, "passed", 0) + 1
    notebook.seconds = getattr(notebook, "seconds", 0) + call.duration
    code = [cell for cell in notebook.nb.cells if cell.cell_type == "code"]
    shown = {kind for cell in code for output in cell.outputs for kind in output.get("data", {})}
    if notebook.passed == len(code) and WIDGET not in shown:
        book.keep(notebook.nb, notebook.path, notebook.seconds)
