"""The checks of the built pages must be able to fail: each is shown a page that is broken in one way."""

import pytest
import site_checks
from site_checks import LIGHT, PHONE, Watched

VIEW = '<script type="application/vnd.jupyter.widget-view+json">{}</script>'

# A slider like those of the widgets: arrow keys move it, and `move(position)` is what happens then.
SLIDER = """
<div class="widget-subarea"><div class="jupyter-widgets">
  <div role="slider" tabindex="0" aria-label="rate" aria-valuemin="0" aria-valuemax="2" aria-valuenow="0"
       aria-valuetext="0">rate</div>
  <div class="widget-html-content"><img alt="state 0" src="data:,"></div>
</div></div>
<script>
  const slider = document.querySelector('[role=slider]'), picture = document.querySelector('.widget-html-content');
  slider.addEventListener('keydown', event => {
    const step = {ArrowRight: 1, ArrowLeft: -1, Home: -9}[event.key] ?? 0;
    const at = Math.min(2, Math.max(0, Number(slider.ariaValueNow) + step));
    slider.ariaValueNow = slider.ariaValueText = at;
    MOVE
  });
</script>"""
DRAW = "picture.innerHTML = `<img alt='state ${at}' src='data:,${at}'>`;"


def opened(browser, tmp_path, body, settings=LIGHT):
    path = tmp_path / "page.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>t</title><body><main><h1>t</h1>{body}</main></html>'
    )
    return Watched(browser, path, settings)


def test_sound_widget_has_no_faults(browser, tmp_path):
    with opened(browser, tmp_path, VIEW + SLIDER.replace("MOVE", DRAW)) as watched:
        assert site_checks.widget_faults(watched.page) == []
        assert site_checks.name_faults(watched.page) == []
        assert site_checks.image_faults(watched.page) == []


def test_table_that_scrolls_is_reached_and_not_moved(browser, tmp_path):
    table = '<div role="region" aria-label="results" tabindex="0">1</div>'
    body = SLIDER.replace("MOVE", DRAW).replace('<div role="slider"', table + '<div role="slider"')
    with opened(browser, tmp_path, VIEW + body) as watched:
        assert site_checks.widget_faults(watched.page) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (VIEW + SLIDER.replace("MOVE", ""), "slider rate at position 1: the picture does not change"),
        (VIEW + SLIDER.replace("MOVE", f"if (at < 2) {DRAW}"), "at position 2: the picture does not change"),
        (VIEW + SLIDER.replace("MOVE", DRAW.replace("alt=", "title=")), "image without alt text"),
        (VIEW + SLIDER.replace("MOVE", DRAW).replace("tabindex", "data-t"), "Tab reaches 0 of its 1 controls"),
        (VIEW + SLIDER.replace("MOVE", DRAW).replace(" = at;", " = 2;"), "leads to position 2, not 1"),
        (VIEW + SLIDER.replace("MOVE", DRAW + "slider.ariaValueText = 0;"), "says 1 values for 3 positions"),
        (VIEW, "1 widgets in the page, 0 drawn"),
        (SLIDER.replace("MOVE", DRAW), "0 widgets in the page, 1 drawn"),
        (
            VIEW + SLIDER.replace("MOVE", DRAW).replace('<div role="slider"', '<input type="color"><div role="slider"'),
            "2 controls, of which this test knows how to move 1",
        ),
    ],
)
def test_broken_widget_is_found(browser, tmp_path, body, fault):
    with opened(browser, tmp_path, body) as watched:
        assert fault in " ".join(site_checks.widget_faults(watched.page))


@pytest.mark.parametrize(
    ("check", "body", "fault"),
    [
        (site_checks.name_faults, "<button></button>", "button without an accessible name"),
        (site_checks.name_faults, '<div role="slider" tabindex="0" title="null"></div>', "slider without"),
        (site_checks.image_faults, '<img src="data:,">', "image without alt text"),
        (site_checks.image_faults, '<img src="data:," alt="_images/abc.png">', "image without alt text"),
        (site_checks.formula_faults, '<span class="math">x^2</span>', "formula not typeset: x^2"),
        (site_checks.axe_faults, '<p style="color: #aaa; background: #fff">pale</p>', "color-contrast"),
    ],
)
def test_broken_page_is_found(browser, tmp_path, check, body, fault):
    with opened(browser, tmp_path, body) as watched:
        assert fault in " ".join(check(watched.page))


def test_page_that_is_too_wide_is_found(browser, tmp_path):
    with opened(browser, tmp_path, '<div style="width: 600px">wide</div>', PHONE) as watched:
        assert "wider than the screen" in " ".join(site_checks.overflow_faults(watched.page))


def test_page_in_the_wrong_theme_is_found(browser, tmp_path):
    with opened(browser, tmp_path, "<p>always light</p>") as watched:
        assert site_checks.theme_faults(watched.page, "dark") != []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="https://example.org/x.js"></script>', "request leaves the machine: https://example.org/x.js"),
        ("<script>fetch('https://example.org/y').catch(() => 0)</script>", "request leaves the machine"),
        ("<script>console.error('lost')</script>", "error in the console: lost"),
        ("<script>nothing.here()</script>", "error on the page: nothing is not defined"),
        ('<img alt="a lost image" src="lost.png">', "could not load"),
    ],
)
def test_complaint_of_the_browser_is_found(browser, tmp_path, body, fault):
    with opened(browser, tmp_path, body) as watched:
        pass
    assert fault in " ".join(watched.faults)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
        ('<a href="gone.html">x</a>', "links to gone.html, which does not exist"),
        ('<a href="#gone">x</a>', "links to #gone, which has no such place"),
        ('<a href="../outside.html">x</a>', "links to ../outside.html, which does not exist"),
    ],
)
def test_broken_link_is_found(tmp_path, body, fault):
    site = tmp_path / "site"
    site.mkdir()
    (tmp_path / "outside.html").write_text("")
    page = site / "page.html"
    page.write_text(f"<!doctype html>{body}")
    assert fault in site_checks.link_faults(page, site)


def test_sound_links_have_no_faults(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<a href="https://example.org">out</a><a href="#here">x</a><p id="here"><a href="page.html#here">y</a>'
    )
    assert site_checks.link_faults(page, tmp_path) == []
