"""The built book, opened as files with the network cut: every page, every control, as a reader would."""

import json
import os
import re

import pytest
import site_checks
from site_checks import DARK, LIGHT, PHONE, SITE, Watched
from test_site_exercises import QUIZZES, quiz_faults

# the first page only leads on to the introduction
PAGES = [page for page in site_checks.pages() if page != SITE / "index.html"]


def ids(part):
    return part.relative_to(SITE).as_posix() if hasattr(part, "relative_to") else None


every_page = pytest.mark.parametrize("path", PAGES, ids=ids)


def test_the_site_is_built():
    """Without pages all other tests here would pass by testing nothing."""
    assert {SITE / "intro.html", *QUIZZES} <= {*PAGES}, "the site is not built: run `make book`"


def test_first_page_leads_to_the_introduction(browser):
    """The address that `make book` prints."""
    page = browser.new_page(offline=True)
    page.goto((SITE / "index.html").resolve().as_uri())
    page.wait_for_url("**/intro.html")
    page.close()


@every_page
def test_page_loads_nothing_from_elsewhere_and_its_links_lead_somewhere(path):
    assert site_checks.link_faults(path) == []


MOST = 36  # pictures of a figure: each is drawn whenever the book is built, and a reader looks at five


@every_page
def test_a_slider_has_no_more_positions_than_teach_something(path):
    states = re.findall(r'<script type="application/json">({"texts".*?)</script>', path.read_text(encoding="utf-8"))
    pictures = [sum("light" in look for look in json.loads(listed)["looks"]) for listed in states]
    assert max(pictures, default=0) <= MOST


# What all pages have from one sheet is looked at on some of them: each is opened in one theme, a third in light and the
# others in dark. `make test-browsers` opens all in both.
THEMED = [
    (path, theme)
    for number, path in enumerate(PAGES)
    for theme in (("light", "dark") if os.environ.get("EVERY_PAGE") else ("dark" if number % 3 else "light",))
]


@pytest.mark.parametrize(("path", "theme"), THEMED, ids=ids)
def test_page_works_offline_by_keyboard_and_for_screen_readers(browser, kept, path, theme):
    """Nothing flashes, jumps or weighs much, formulas are typeset, images described, controls named, sliders move."""
    settings = {"light": LIGHT, "dark": DARK}[theme]
    with Watched(browser, path, context=kept(settings)) as opened:
        page = opened.page
        faults = site_checks.theme_faults(page, theme) + site_checks.image_faults(page)
        faults += site_checks.jump_faults(page)
        limit = site_checks.ALL_OF_SEARCH if path.name == "search.html" else site_checks.ALL
        faults += site_checks.weight_faults(opened, limit=limit)  # a reader on a train pays for every byte
        faults += site_checks.formula_faults(page) + site_checks.ground_faults(page)
        faults += site_checks.explorer_faults(page) + site_checks.axe_faults(page, at_last=True)
    assert faults + opened.faults == []


@every_page
def test_page_fits_on_a_phone_and_judges_each_option_of_its_quiz(browser, kept, path):
    with Watched(browser, path, context=kept(PHONE)) as opened:
        faults = site_checks.overflow_faults(opened.page) + site_checks.small_faults(opened.page)
        faults += site_checks.jump_faults(opened.page)
        if path in QUIZZES:
            faults += quiz_faults(opened.page, QUIZZES[path]) + site_checks.overflow_faults(opened.page)
    assert faults + opened.faults == []


def test_no_picture_is_heavy():
    """A reader who moves a slider waits for the picture of each state; one that stands still may take more."""
    sizes = {file.name: file.stat().st_size for file in (SITE / "_pictures").iterdir()}
    states = {
        name
        for page in PAGES
        for data in re.findall(r'<script type="application/json">.*?</script>', page.read_text(encoding="utf-8"), re.S)
        for name in re.findall(r"_pictures/([\w.]+)", data)
    }
    assert len(states) > 1000
    assert {name: sizes[name] for name in states if sizes[name] > 25_000} == {}
    assert {name: size for name, size in sizes.items() if size > 62_000} == {}


def test_no_page_has_a_widget_manager_or_typesets_by_itself():
    """They made sliders wait for seconds."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").lower()
        for name in ("mathjax.js", "mathjax/", "tex-svg", "require.js", "html-manager", "thebe", "fontawesome.js"):
            assert name not in text, f"{page.name} names {name}"


def test_search_finds_a_word_without_a_server(browser):
    """Results must come although a browser lets no page opened as a file fetch another."""
    with Watched(browser, SITE / "search.html") as opened:
        page = opened.page
        page.goto(f"{(SITE / 'search.html').resolve().as_uri()}?q=saturation")
        page.locator("ul.search li a").first.wait_for()
        assert "glossary" in page.locator("ul.search").inner_html()
    assert opened.faults == []
