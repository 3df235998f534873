"""The script that moves figures on the built pages, with figures of its own: addresses, words, themes, no script."""

import re
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from site_checks import LIGHT

from nnlib.course.explore import explore

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = (ROOT / "assets" / "explore.js").read_text(encoding="utf-8")
STYLE = (ROOT / "assets" / "course.css").read_text(encoding="utf-8")


def draw(**state):
    figure = plt.figure(figsize=(2, 1))
    figure.text(0.1, 0.1, " ".join(map(str, state.values())))
    return figure


drawn = {}


def markup_of(draw, controls):
    """Return the html of a figure, which is drawn once for all tests."""
    key = draw, repr(controls)
    if key not in drawn:
        drawn[key] = explore(draw, alt=", ".join(f"{{{name}}}" for name in controls), **controls).markup()
    return drawn[key]


@pytest.fixture
def page_with(new_tab, tmp_path, monkeypatch, figures):
    """Open a page that holds these figures, by its address and what follows it."""
    monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")

    def open_page(*controls, address="", draw=draw, fresh=False, **settings):
        markup = "".join(markup_of(draw, each) for each in controls)
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8"><title>t</title>'
            f"<style>{STYLE}</style><script>{SCRIPT}</script><div style='height: 3000px'></div>{markup}</html>"
        )
        page = new_tab({**LIGHT, **settings}, file.as_uri(), fresh)
        page.goto(file.as_uri() + address)
        return page

    return open_page


RATES = {"learning_rate": [0.01, 0.03, -0.5], "initializer": ["he_normal", "glorot uniform", "zeros"]}


def shown(page, number=0):
    """Return what each control of a figure is at, and the words of its picture."""
    return (
        page.locator("figure.explore")
        .nth(number)
        .evaluate(
            """root => [...[...root.querySelectorAll('[data-key]')].map(control =>
             Number(control.querySelector('input[type=range], input:checked, select').value)),
           root.querySelector('.only-light').alt]"""
        )
    )


def address(page):
    return page.evaluate("location.hash")


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        ("", [0, 0, "0.01, he_normal"]),
        ("#learning-rate=0.03&initializer=zeros", [1, 2, "0.03, zeros"]),
        ("#initializer=zeros", [0, 2, "0.01, zeros"]),
        ("#learning-rate=-0.5", [2, 0, "−0.5, he_normal"]),
        ("#learning-rate=%E2%88%920.5", [2, 0, "−0.5, he_normal"]),
        ("#initializer=glorot+uniform", [0, 1, "0.01, glorot uniform"]),
        ("#learning-rate=7&initializer=zeros", [0, 2, "0.01, zeros"]),
        ("#rate=0.03&nonsense&=&initializer=", [0, 0, "0.01, he_normal"]),
        ("#learning-rate=0.03&learning-rate=0.01", [1, 0, "0.03, he_normal"]),
        ("#%zz=1&initializer=zeros", [0, 2, "0.01, zeros"]),
        ("#a-heading", [0, 0, "0.01, he_normal"]),
    ],
)
def test_an_address_restores_a_state_and_what_it_does_not_know_is_passed_over(page_with, asked, state):
    page = page_with(RATES, address=asked)
    assert shown(page) == state
    page.wait_for_function("[...document.images].filter(i => i.checkVisibility()).every(i => i.complete)")


def test_an_address_leads_to_its_figure(page_with):
    page = page_with(RATES, {"b": [1, 2]}, address="#b=2")
    assert page.locator("figure").nth(1).evaluate("e => e.getBoundingClientRect().top < innerHeight")


def test_moving_writes_the_address_and_the_start_state_takes_it_away(page_with):
    page = page_with(RATES)
    page.locator("input[type=range]").press("ArrowRight")
    page.wait_for_function("location.hash === '#learning-rate=0.03'")
    page.locator("input[type=range]").press("ArrowRight")
    page.wait_for_function("location.hash === '#learning-rate=-0.5'")
    page.get_by_label("glorot uniform").check(force=True)
    page.wait_for_function("location.hash === '#learning-rate=-0.5&initializer=glorot+uniform'")
    page.locator("input[type=range]").press("Home")
    page.get_by_label("he_normal").check(force=True)
    page.wait_for_function("location.hash === ''")


def test_what_was_written_is_what_is_restored(page_with):
    odd = {"what": ["a&b=c", "50 %", "x+y", "#1", "größe"]}
    page, before = page_with(odd), ""
    for at in range(1, 5):
        page.locator("select").select_option(str(at))
        # a page behind another is not painted, so that waiting for a frame would never end
        page.wait_for_function("before => location.hash !== before", arg=before, polling=100)
        before = address(page)
        again = page_with(odd, address=address(page))
        assert shown(again)[0] == at


def test_figures_that_share_a_name_are_told_apart_by_their_number(page_with):
    both = {"step": [1, 2, 3]}, {"step": [1, 2, 3], "rate": [5, 6]}
    page = page_with(*both)
    page.locator("input[type=range]").nth(1).press("ArrowRight")
    page.locator("input[type=range]").nth(2).press("ArrowRight")
    page.wait_for_function("location.hash === '#2.step=2&rate=6'")
    again = page_with(*both, address="#2.step=2&rate=6&1.step=3")
    assert (shown(again, 0), shown(again, 1)) == ([2, "3"], [1, 1, "2, 6"])


def test_following_a_link_on_the_page_moves_the_figure(page_with):
    page = page_with(RATES)
    page.evaluate("location.hash = '#learning-rate=0.03'")
    page.wait_for_function("document.querySelector('input[type=range]').value === '1'")
    assert shown(page) == [1, 0, "0.03, he_normal"]


def test_a_button_copies_the_whole_state_of_its_figure(page_with):
    page = page_with(RATES, {"b": [1, 2]}, permissions=["clipboard-read", "clipboard-write"])
    page.locator("input[type=range]").first.press("ArrowRight")
    page.locator("input[type=range]").nth(1).press("ArrowRight")
    page.locator(".explore-copy").first.click()
    page.wait_for_function("document.querySelector('.explore-said').textContent === 'The address is copied.'")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url.split("#")[0] + "#learning-rate=0.03&initializer=he_normal"


def test_where_copying_is_not_allowed_the_address_is_said(page_with):
    page = page_with(RATES)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.locator(".explore-copy").click()
    page.wait_for_function(
        "document.querySelector('.explore-said').textContent.endsWith('#learning-rate=0.01&initializer=he_normal')"
    )


def test_a_screen_reader_is_told_where_a_slider_stops_and_not_what_it_passes(page_with):
    page = page_with(RATES)
    page.evaluate(
        """() => {
          window.said = [];
          const region = document.querySelector('.explore-said');
          new MutationObserver(() => window.said.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    assert page.locator(".explore-said").get_attribute("aria-live") == "polite"
    page.evaluate(
        """() => {
          const slider = document.querySelector('input[type=range]');
          for (const at of [1, 2, 1, 2]) {
            slider.value = at;
            slider.dispatchEvent(new Event('input', {bubbles: true}));
          }
        }"""
    )
    page.wait_for_function("window.said.length > 0")
    assert page.evaluate("window.said") == ["−0.5, he_normal"]


def test_another_theme_shows_the_other_picture_of_the_state(page_with):
    page = page_with(RATES)
    page.locator("input[type=range]").press("ArrowRight")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function("document.querySelector('.only-dark').src.length > 1000")
    states = page.evaluate("JSON.parse(document.querySelector('figure script').textContent)")
    dark = states["looks"][states["shown"][3]]["dark"]
    page.wait_for_function("dark => document.querySelector('.only-dark').src === dark", arg=dark)
    visible = page.locator("img").evaluate_all(
        "images => images.filter(i => i.checkVisibility()).map(i => i.className)"
    )
    assert visible == ["only-dark"]
    assert page.locator(".only-dark").get_attribute("alt") == "0.03, he_normal"


def test_neighbours_are_loaded_when_a_figure_is_approached_and_not_before(page_with):
    page = page_with({"a": list(range(9))})
    page.evaluate(
        """() => {
          window.made = 0;
          window.Image = class extends Image { constructor() { super(); window.made++; } };
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.made") == 0
    page.locator("input[type=range]").focus()
    assert page.evaluate("window.made") == 2  # from the first state there are two steps to the right


def test_html_moves_as_pictures_do(page_with):
    page = page_with({"a": [1, 2]}, draw=lambda a: f"<p>state {a}</p>")
    page.locator("input[type=range]").press("ArrowRight")
    assert page.locator(".explore-picture").inner_html() == "<p>state 2</p>"


def test_without_script_the_start_is_there_and_no_dead_control(page_with):
    page = page_with(RATES, java_script_enabled=False)
    assert page.locator("img.only-light").is_visible()
    assert not page.locator("img.only-dark").is_visible()
    assert not page.locator("input[type=range]").is_visible()
    assert "Learning rate 0.01, initializer he_normal" in page.locator("figcaption").inner_text()
    assert "need JavaScript" in page.locator("figcaption").inner_text()


def test_paper_gets_the_light_picture_with_the_state_as_caption(page_with):
    page = page_with(RATES, fresh=True)
    page.locator("input[type=range]").press("ArrowRight")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    assert page.locator("img.only-light").is_visible()
    assert not page.locator("img.only-dark").is_visible()
    assert not page.locator("input[type=range]").is_visible()
    assert page.locator("figcaption").inner_text() == "Learning rate 0.03, initializer he_normal."


def test_the_script_is_a_classic_one_and_small():
    """A page opened as a file may load no module and fetch nothing."""
    assert not re.search(r"^\s*(import|export)\b|\bfetch\(|XMLHttpRequest", SCRIPT, re.MULTILINE)
    assert len(SCRIPT) < 16_000
