"""Shared set-up: one browser for all tests of the built pages."""

import os

import pytest
import site_checks


@pytest.fixture(scope="session")
def browser():
    """Start the machine's Chromium without a window; skip where there is none, but never in CI."""
    path = site_checks.find_browser()
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(site_checks.NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # root may not use the sandbox, and containers have little shared memory
        sandbox = hasattr(os, "geteuid") and os.geteuid() == 0
        arguments = ["--disable-dev-shm-usage", *(["--no-sandbox"] if sandbox else [])]
        chromium = driver.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()
