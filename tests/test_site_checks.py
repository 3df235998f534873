"""The checks of the built pages must be able to fail: each is shown a page that is broken in one way."""

import random
from pathlib import Path

import pytest
import site_checks
from matplotlib import pyplot as plt
from site_checks import LIGHT, PHONE, Watched

from nnlib.course.explore import explore

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = (ROOT / "assets" / "explore.js").read_text(encoding="utf-8")
STYLE = (ROOT / "assets" / "course.css").read_text(encoding="utf-8")


def draw(rate, name):
    figure = plt.figure(figsize=(2, 1))
    figure.text(0.1, 0.1, f"{rate} {name}")
    return figure


@pytest.fixture(scope="module")
def moving():
    """Return the html of a figure with a slider and two buttons, as the book holds it."""
    plt.switch_backend("Agg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNLIB_FOR_THE_BOOK", "1")
        explorer = explore(draw, rate=[1, 2, 3], name=["a", "b"], play="rate", alt="rate {rate}, name {name}")
        markup = explorer.markup()
    plt.close("all")
    theme = "html { --pst-color-accent: #a0a } body { background: #fff } .visually-hidden { display: none }"
    return f"<style>{theme}{STYLE}</style>{markup}<script>{SCRIPT}</script>"


def among_others(broken):
    """Return an article that has the broken part among others of its kind."""
    sound = '<p>read <b>all</b> <a href="#x"><i>of</i></a> it</p><ul><li>one</ul><form><label>of <input></label></form>'
    return f'<article class="bd-article"><p id="x">{sound}{sound}{broken}{sound}</article>'


@pytest.fixture
def opened(browser, kept, tmp_path):
    return lambda body, settings=LIGHT: Watched(browser, written(tmp_path, body), context=kept(settings))


def written(tmp_path, body):
    path = tmp_path / "page.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>t</title><body><main><h1>t</h1>{body}</main></html>'
    )
    return path


def test_sound_figure_has_no_faults(opened, moving):
    with opened(moving) as watched:
        page = watched.page
        assert site_checks.explorer_faults(page) == []
        assert site_checks.name_faults(page) == []
        assert site_checks.image_faults(page) == []
        assert site_checks.ground_faults(page) == []
        assert site_checks.small_faults(page) == []
    assert watched.faults == []


@pytest.mark.parametrize(
    ("sound", "broken", "fault"),
    [
        ('addEventListener("input"', 'addEventListener("inputs"', "the picture of state 2 is not shown"),
        ("image.src = wanted.src", "0", "the picture of state 2 is not shown"),
        ("sum * texts.length + at[i]", "sum + at[i]", "is not shown"),
        ("image.alt = alt;", "", "is described as 'rate 1, name a'"),
        ("}, 700);", "}, 7e5); return;", "play: 0 new pictures"),
        ("aria-valuetext", "aria-description", "says 1 values for 3 positions"),
        ('<input type="range"', '<input type="range" tabindex="-1"', "Tab reaches 3 of its 4 controls"),
        ('<div class="explore-picture">', '<input type="color"><div class="explore-picture">', "6 controls, of which"),
        ("outline: 3px solid var(--pst-color-accent)", "outline: none", "a control shows no focus"),
    ],
)
def test_broken_figure_is_found(opened, moving, sound, broken, fault):
    assert sound in moving
    with opened(moving.replace(sound, broken)) as watched:
        assert fault in " ".join(site_checks.explorer_faults(watched.page))


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (
            "<style>.explore-slider input { min-width: 0; width: 50px; flex: none }</style>",
            "a track of 50 pixels: rate",
        ),
        ("<style>.explore-picture img { min-width: 0; width: 20px }</style>", "letters of "),
        ("<style>.explore-picture img { --least-width: initial !important }</style>", "does not say how small"),
    ],
)
def test_figure_too_small_for_a_phone_is_found(opened, moving, broken, fault):
    with opened(moving + broken, PHONE) as watched:
        assert fault in " ".join(site_checks.small_faults(watched.page))


def test_figure_on_another_ground_is_found(opened, moving):
    with opened(moving + "<style>body { background: #eee }</style>") as watched:
        assert "on a page of [238, 238, 238]" in " ".join(site_checks.ground_faults(watched.page))


def test_heavy_page_is_found(browser, kept, tmp_path):
    noise = random.Random(0).randbytes(60_000).hex()
    (tmp_path / "theme.js").write_text(f"/* {noise} */")
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><script src="theme.js"></script><p>{noise[:40_000]}')
    with Watched(browser, page, context=kept(LIGHT)) as watched:
        assert site_checks.weight_faults(watched) == []
        own, everything = " ".join(site_checks.weight_faults(watched, 10_000, 50_000)).split(" reading ")
    assert "of our own take 2" in own
    assert "loads 8" in everything or "loads 9" in everything


@pytest.mark.parametrize(
    ("late", "fault"),
    [
        ("document.documentElement.dataset.theme = 'dark'", "painted first as"),
        ("document.documentElement.style.fontSize = '20px'", "painted first as"),
        (
            "document.body.prepend(Object.assign(document.createElement('div'), {style: 'height: 400px'}))",
            "shift by 0.",
        ),
    ],
)
def test_page_that_jumps_is_found(browser, kept, tmp_path, late, fault):
    page = tmp_path / "page.html"
    text = "<!doctype html><body>" + "<p style='height: 200px; background: #ddd'>text</p>" * 3
    page.write_text(text)
    with Watched(browser, page, context=kept(LIGHT)) as watched:
        assert site_checks.jump_faults(watched.page) == []
    page.write_text(f"{text}<script>setTimeout(() => {{ {late} }}, 150)</script>")
    with Watched(browser, page, context=kept(LIGHT)) as watched:
        assert fault in " ".join(site_checks.jump_faults(watched.page))


@pytest.mark.parametrize(
    ("check", "body", "fault"),
    [
        (site_checks.name_faults, "<button></button>", "button without an accessible name"),
        (site_checks.name_faults, '<div role="slider" tabindex="0" title="null"></div>', "slider without"),
        (site_checks.image_faults, '<img src="data:,">', "image without alt text"),
        (site_checks.image_faults, '<img src="data:," alt="_images/abc.png">', "image without alt text"),
        (site_checks.formula_faults, '<span class="math">x^2</span>', "formula not typeset: x^2"),
        (
            site_checks.formula_faults,
            '<p class="math"><math></math><b class="katex-html"><b style="font-family: KaTeX_Main">x</b></b></p>',
            "formula without its font KaTeX_Main",
        ),
        (site_checks.axe_faults, '<p style="color: #aaa; background: #fff">pale</p>', "color-contrast"),
        (
            site_checks.axe_faults,
            '<div class="highlight"><pre style="background: #fff">read <i class="n">all</i> <i class="n">of</i> '
            '<i class="o" style="color: #aaa">pale</i></pre></div>',
            "color-contrast",
        ),
        # what is of a known kind is put aside, what is not is found
        (site_checks.axe_faults, among_others('<p>read <b style="color: #aaa">pale</b></p>'), "color-contrast (1×)"),
        (site_checks.axe_faults, among_others('<p>read <a href="#x"><i></i></a></p>'), "link without an accessible"),
        (site_checks.axe_faults, among_others('<p>read <a href="#x" role="nonsense">it</a></p>'), "aria-roles"),
        (site_checks.axe_faults, among_others("<div><ul><p>read</p></ul></div>"), "list (1×)"),
        (site_checks.axe_faults, among_others('<form><input id="y"></form>'), "label (1×)"),
        (site_checks.axe_faults, among_others('<p id="x">read</p>'), "two elements are named x"),
    ],
)
def test_broken_page_is_found(opened, check, body, fault):
    with opened(body) as watched:
        assert fault in " ".join(check(watched.page))


def test_page_that_is_too_wide_is_found(opened):
    with opened('<div style="width: 600px">wide</div>', PHONE) as watched:
        assert "wider than the screen" in " ".join(site_checks.overflow_faults(watched.page))


def test_page_in_the_wrong_theme_is_found(opened):
    with opened("<p>always light</p>") as watched:
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
def test_complaint_of_the_browser_is_found(opened, body, fault):
    with opened(body) as watched:
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
