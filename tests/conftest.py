"""Every numerical check leaves a line: what was compared, with what, how far apart, how far apart it may be.

A test calls `record_check(part, subject, against, error, tolerance)`, which asserts the tolerance and remembers the
line. At the end of the run all lines are written to _build/verification.json, from which `make verify` makes the
tables of the page "Verification".
"""

import json
import math
import os
from pathlib import Path

import pytest
import site_checks

ROOT = Path(__file__).parent.parent
MARK = (ROOT / "assets" / "mark.svg").resolve().as_uri()
REPORT = ROOT / "_build" / "verification.json"
# The sections of the page, in its order. "derivatives" are finite differences and the tape of a chapter, "framework"
# is JAX, Keras and Optax, "formulas" are papers and calculations by hand, "behaviour" is what a training run must do.
PARTS = ("derivatives", "framework", "formulas", "behaviour")


@pytest.fixture
def record_check(record_property):
    def record(part: str, subject: str, against: str, error: float, tolerance: float) -> None:
        assert part in PARTS
        assert math.isfinite(error), f"{subject} against {against}: error {error}"
        assert error <= tolerance, f"{subject} against {against}: off by {error:.3g}, allowed {tolerance:g}"
        line = {"part": part, "subject": subject, "against": against, "error": error, "tolerance": tolerance}
        record_property("check", json.dumps(line))

    return record


_lines: list[dict] = []


def pytest_runtest_logreport(report):
    """Collect the lines of a test that passed; under xdist the reports of all workers arrive in one process."""
    if report.when == "call" and report.passed:
        _lines.extend(json.loads(value) for name, value in report.user_properties if name == "check")


def pytest_sessionfinish(session):
    if _lines and not hasattr(session.config, "workerinput"):
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(_lines, indent=1), encoding="utf-8")


@pytest.fixture
def figures():
    """Draw without windows, and leave no figure open."""
    from matplotlib import pyplot as plt

    plt.switch_backend("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def browser():
    """Start the machine's Chromium without a window; skip where there is none, but never in CI."""
    path = site_checks.find_browser()
    if path is None:
        site_checks.missing(site_checks.NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # root may not use the sandbox, and containers have little shared memory
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if root else [])]
        chromium = driver.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def kept(browser):
    """Return the browser context of some settings, with a tab held open: else each page would start a new process."""
    contexts = {}

    def context_of(settings):
        key = repr(settings)
        if key not in contexts:
            contexts[key] = site_checks.watching(browser, settings)
            contexts[key].new_page().goto(MARK)
        return contexts[key]

    return context_of


@pytest.fixture
def new_tab(browser, kept):
    """Return an empty tab of some settings: first the one that is kept, for a new one costs as much as a page."""
    used, contexts = {}, []

    def tab_of(settings, address=MARK, fresh=False):
        key = repr(settings)
        if fresh or key in used or settings not in (site_checks.LIGHT, site_checks.DARK, site_checks.PHONE):
            contexts.append(browser.new_context(offline=True, **settings))
            return contexts[-1].new_page()
        used[key] = site_checks.tab(kept(settings), address)
        return used[key]

    yield tab_of
    for context in contexts:
        context.close()
    for page in used.values():
        site_checks.leave(page)
