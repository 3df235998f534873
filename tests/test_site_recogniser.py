"""The recogniser in a browser: the same numbers as in Python, and drawing by mouse, finger and keyboard."""

import re
from pathlib import Path

import numpy as np
import pytest
from site_checks import AXE, DARK, LIGHT, OWN, PHONE, axe_faults, image_faults, overflow_faults

import nnlib as nn
from nnlib.course import recogniser
from nnlib.course.datasets import load_digits
from nnlib.course.recogniser import Recogniser

ROOT = Path(__file__).resolve().parent.parent
STYLE = (ROOT / "assets" / "course.css").read_text(encoding="utf-8")
# the theme's colours, as far as the figure uses them
THEME = """
html { color-scheme: light; --pst-color-text-base: #222832; --pst-color-text-muted: #48566b;
  --pst-color-border: #c9c9c9; --pst-color-background: #fff; --pst-color-primary: #0a7d91; --pst-color-accent: #b509a0 }
html[data-theme=dark] { color-scheme: dark; --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af;
  --pst-color-border: #48566b; --pst-color-background: #14181e; --pst-color-primary: #3fb1c5;
  --pst-color-accent: #e47fd7 }
body { margin: 0; background: var(--pst-color-background); color: var(--pst-color-text-base); font-family: sans-serif }
"""


@pytest.fixture(scope="module")
def digits():
    return load_digits(flat=True)


@pytest.fixture(scope="module")
def model(digits):
    model = nn.Sequential([nn.Dense(32, "relu", "he_normal"), nn.Dense(16, "tanh"), nn.Dense(10, "softmax")], seed=0)
    model.fit(*digits, loss="categorical_crossentropy", optimizer=nn.Adam(3e-3), epochs=8, batch_size=32, verbose=0)
    return model


@pytest.fixture
def page_with(new_tab, tmp_path, model, digits):
    """Open a page that holds a recogniser, between two screens of text."""
    heard = []

    def open_page(models=None, examples=None, theme="light", fresh=False, **settings):
        if examples is None:
            examples = {"a nought": digits[0][0], "a one": digits[0][1]}
        figure = Recogniser(models or model, examples)
        file = tmp_path / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}"><meta charset="utf-8"><title>t</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{THEME}{STYLE}</style>'
            f"<main class='bd-article'><h1>t</h1>{figure._repr_html_()}<div style='height: 3000px'></div></main>",
            encoding="utf-8",
        )
        page = new_tab({**LIGHT, **settings}, file.as_uri(), fresh)
        page.errors = errors = []
        known = {file.as_uri(), AXE.as_uri()}  # the second is of the tests
        for event, listener in {
            "pageerror": lambda error: errors.append(str(error)),
            "request": lambda request: None if request.url in known else errors.append(request.url),
        }.items():
            page.on(event, listener)
            heard.append((page, event, listener))
        page.goto(file.as_uri())
        return page

    yield open_page
    for page, event, listener in heard:
        page.remove_listener(event, listener)


def shown(page):
    """Return counts, probabilities and strokes, once they are on the screen."""
    page.wait_for_timeout(60)
    assert page.errors == []
    return page.evaluate("document.querySelector('.recogniser').shown")


def on_paper(page, x, y):
    """Return where a point of the paper is on the screen."""
    box = page.locator(".recogniser-canvas").first.bounding_box()
    return box["x"] + x / 128 * box["width"], box["y"] + y / 128 * box["height"]


def draw(page, *points):
    page.mouse.move(*on_paper(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*on_paper(page, *point), steps=8)
    page.mouse.up()


def table(page, name):
    return page.locator(f".recogniser-{name} td:not([aria-hidden])").all_inner_texts()


SEVEN = (36, 24), (92, 24), (56, 108)
# on the keyboard's grid of 8 by 8: along the top to the right, down to the left, and the pen lifted
SEVEN_BY_KEYS = [
    *["ArrowLeft"] * 2, *["ArrowUp"] * 3, " ", *["ArrowRight"] * 5, " ", *["ArrowLeft"] * 3, *["ArrowDown"] * 7, " ",
    "Enter",
]  # fmt: skip


# --- the same as in Python ------------------------------------------------------------------------------------------


ANSWERS = """all => {
  const [network] = document.querySelector('.recogniser').networks;
  return all.map(counts => window.recogniser.answer(network, counts));
}"""


def test_script_and_library_give_all_digits_the_same_probabilities(page_with, model, digits, record_check):
    page = page_with()
    said = page.evaluate(
        ANSWERS,
        np.rint(16 * digits[0]).astype(int).tolist(),
    )
    error = np.abs(np.array(said) - model.predict(digits[0])).max()
    record_check("behaviour", "recogniser on the page, 1,797 digits", "nnlib", error, 1e-6)


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_other_activations_are_computed_as_well(page_with, digits, activation):
    model = nn.Sequential([nn.Dense(5, activation), nn.Dense(10, "softmax")], seed=1).build((64,))
    page = page_with(model, {})
    said = page.evaluate(
        ANSWERS,
        np.rint(16 * digits[0][:50]).astype(int).tolist(),
    )
    assert np.abs(np.array(said) - model.predict(digits[0][:50])).max() < 1e-6


def test_script_and_library_turn_drawings_into_the_same_counts(page_with):
    """A demonstration that prepares a drawing in another way than its network's pictures reads next to nothing."""
    rng = np.random.default_rng(0)
    drawings = [[[[64, 64]]], [], [[[2, 3], [2, 3]]], [[[40, 20], [40, 110]]], [[[10, 60], [120, 60]]]]
    for strokes in rng.integers(1, 4, 40):
        scale, place = rng.uniform(0.1, 1), rng.uniform(0, 128, 2)
        walks = [place + scale * rng.uniform(-64, 64, (rng.integers(1, 9), 2)) for _ in range(strokes)]
        drawings.append([np.clip(walk, 0, 128).tolist() for walk in walks])
    page = page_with()
    for radius in (5, 2.5, 14):
        found = page.evaluate(
            """([drawings, radius]) => drawings.map(strokes => {
                 const {rasterize, normalize, squeeze, countBlocks} = window.recogniser;
                 const drawn = rasterize(strokes, radius);
                 const inks = [drawn.ink, normalize(drawn).ink, squeeze(drawn).ink, countBlocks(normalize(drawn))];
                 return inks.map(ink => [...ink].join(" ")); // texts arrive a hundred times as fast as numbers
               })""",
            [drawings, radius],
        )
        for strokes, parts in zip(drawings, found, strict=True):
            drawn = recogniser.rasterize(strokes, radius)
            normal = recogniser.normalize(drawn)
            wanted = [drawn, normal, recogniser.squeeze(drawn), recogniser.count_blocks(normal)]
            for part, right in zip(parts, wanted, strict=True):
                assert np.array_equal(np.fromstring(part, int, sep=" "), right.ravel())


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_a_line_of_the_mouse_is_counted_and_read_at_once(page_with, model):
    page = page_with()
    draw(page, *SEVEN)
    seen = shown(page)
    (stroke,) = seen["strokes"]
    assert np.allclose([stroke[0], stroke[-1]], [SEVEN[0], SEVEN[-1]], atol=0.6)
    counts = recogniser.count_blocks(recogniser.normalize(recogniser.rasterize(seen["strokes"])))
    assert seen["counts"] == counts.ravel().tolist()
    p = model.predict(counts.reshape(1, 64) / 16)[0]
    assert np.allclose(seen["probabilities"], p, atol=1e-6)
    assert table(page, "pixels") == [str(count) for count in counts.ravel()]
    assert table(page, "answer") == [f"{100 * value:.1f}%" for value in seen["probabilities"]]
    assert f"The network says {p.argmax()} with" in page.locator(".recogniser-verdict").inner_text()
    assert page.locator(".recogniser-menu").input_value() == "-1"
    assert page.locator(".is-first th").inner_text() == str(p.argmax())


def test_a_click_is_a_dot_and_the_right_button_draws_nothing(page_with):
    page = page_with()
    page.mouse.click(*on_paper(page, 40, 50), button="right")
    assert shown(page)["strokes"] == []
    page.mouse.click(*on_paper(page, 40, 50))
    assert np.allclose(shown(page)["strokes"], [[[40, 50]]], atol=0.6)


def test_a_line_that_leaves_the_paper_goes_on_along_its_edge(page_with):
    page = page_with()
    draw(page, (64, 64), (200, 64), (200, 100))
    (stroke,) = shown(page)["strokes"]
    assert np.allclose(stroke[-1], [128, 100], atol=0.6)


@pytest.fixture
def touch():
    """Touch the paper as the browser's own driver does: all events of a touch come through one session."""
    sessions = {}

    def send(page, kind, *points):
        session = sessions.setdefault(page, page.context.new_cdp_session(page))
        places = [dict(zip("xy", on_paper(page, *point), strict=True)) for point in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    return send


def test_a_finger_draws_on_the_paper_and_does_not_scroll(page_with, touch):
    page = page_with(**PHONE)
    page.locator(".recogniser-canvas").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    touch(page, "touchStart", SEVEN[0])
    for t in np.linspace(0, 1, 8):
        touch(page, "touchMove", tuple(np.add(np.multiply(1 - t, SEVEN[0]), np.multiply(t, SEVEN[2]))))
    touch(page, "touchEnd")
    (stroke,) = shown(page)["strokes"]
    assert len(stroke) > 3
    assert np.allclose([stroke[0], stroke[-1]], [SEVEN[0], SEVEN[2]], atol=1)
    assert page.evaluate("scrollY") == before


def test_a_second_finger_draws_nothing(page_with, touch):
    page = page_with(**PHONE)
    touch(page, "touchStart", (40, 40))
    touch(page, "touchStart", (40, 40), (90, 90))
    touch(page, "touchMove", (40, 60), (90, 20))
    touch(page, "touchEnd")
    (stroke,) = shown(page)["strokes"]
    assert {round(x / 5) for x, _ in stroke} == {8}


def test_beside_the_paper_a_finger_scrolls(page_with):
    page = page_with(**PHONE)
    assert page.locator(".recogniser-canvas").evaluate("e => getComputedStyle(e).touchAction") == "none"
    others = page.locator(".recogniser *:not(canvas)").evaluate_all(
        "all => all.map(e => getComputedStyle(e).touchAction)"
    )
    assert set(others) == {"auto"}
    # and there is room beside it
    assert page.locator(".recogniser-canvas").evaluate("e => innerWidth - e.getBoundingClientRect().right") > 40


def test_the_keyboard_draws_on_a_grid(page_with):
    page = page_with()
    paper = page.locator(".recogniser-paper")
    said = page.locator(".recogniser-said")
    paper.focus()
    page.keyboard.press("ArrowUp")
    assert said.inner_text() == "Row 3, column 4."
    page.keyboard.press("Space")
    assert said.inner_text() == "Row 3, column 4, pen down."
    for key in ["ArrowRight"] * 9 + ["Space"]:
        page.keyboard.press(key)
    assert said.inner_text() == "Line to row 3, column 8."
    for key in ["Enter", "ArrowDown", "Space", "Enter"]:
        page.keyboard.press(key)
    assert said.inner_text() == "Pen lifted."
    assert shown(page)["strokes"] == [[[56, 40], [120, 40]], [[120, 56]]]
    page.keyboard.press("Backspace")
    assert shown(page)["strokes"] == [[[56, 40], [120, 40]]]
    page.keyboard.press("Backspace")
    assert shown(page)["strokes"] == [[[56, 40]]]


def test_a_seven_drawn_by_keys_is_read_as_one(page_with):
    page = page_with()
    page.locator(".recogniser-paper").focus()
    for key in SEVEN_BY_KEYS:
        page.keyboard.press(key)
    assert np.argmax(shown(page)["probabilities"]) == 7


def test_keys_of_the_browser_stay_the_browsers(page_with):
    page = page_with()
    page.locator(".recogniser-paper").focus()
    page.evaluate("() => { window.kept = []; addEventListener('keydown', e => window.kept.push(e.defaultPrevented)) }")
    for key in ("Tab", "a", "Escape", "Control+ArrowDown"):
        page.locator(".recogniser-paper").focus()
        page.keyboard.press(key)
    assert True not in page.evaluate("window.kept")
    assert shown(page)["strokes"] == []


def test_a_result_is_said_when_the_drawing_rests_and_not_on_the_way(page_with):
    """The time is up when the test says so: on a busy machine a hand may rest for a second on its way."""
    page = page_with()
    page.evaluate(
        """() => {
          window.said = [];
          const region = document.querySelector('.recogniser-said');
          new MutationObserver(() => window.said.push(region.textContent)).observe(region, {childList: true});
          window.waiting = new Map();
          const [start, stop] = [setTimeout.bind(window), clearTimeout.bind(window)];
          window.setTimeout = (call, after, ...rest) => {
            if (!(after > 500)) return start(call, after, ...rest);
            const key = start(() => {}, 0);
            waiting.set(key, call);
            return key;
          };
          window.clearTimeout = key => { waiting.delete(key); stop(key); };
        }"""
    )
    assert page.locator(".recogniser-said").get_attribute("aria-live") == "polite"
    draw(page, *SEVEN)
    assert page.evaluate("window.said") == []
    assert page.evaluate("waiting.size") == 1
    page.evaluate("waiting.forEach(call => call())")
    page.wait_for_function("window.said.length > 0")
    assert page.evaluate("window.said") == [shown(page)["said"]]


def test_undo_takes_one_line_back_and_clear_all_and_undo_that_too(page_with, digits):
    page = page_with()
    undo, clear = page.locator(".recogniser-undo"), page.locator(".recogniser-clear")
    assert undo.is_disabled()
    draw(page, (30, 30), (90, 30))
    draw(page, (30, 90), (90, 90))
    assert len(shown(page)["strokes"]) == 2
    clear.click()
    empty = shown(page)
    assert empty["counts"] == [0] * 64
    assert sum(empty["probabilities"]) == pytest.approx(1)
    assert page.locator(".recogniser-verdict").inner_text().startswith("No ink. All the same, the network says")
    assert clear.is_disabled()
    undo.click()
    assert len(shown(page)["strokes"]) == 2
    undo.click()
    assert len(shown(page)["strokes"]) == 1
    undo.click()
    assert shown(page)["counts"] == np.rint(16 * digits[0][0]).astype(int).tolist()
    assert undo.is_disabled()


def test_a_stroke_in_progress_that_is_taken_back_does_not_come_again(page_with):
    page = page_with()
    draw(page, (30, 30), (90, 30))
    first = shown(page)["counts"]
    draw(page, (30, 90), (90, 90))
    page.locator(".recogniser-undo").click()
    assert shown(page)["counts"] == first


def test_a_digit_of_the_table_can_be_picked(page_with, digits):
    page = page_with()
    page.get_by_label("Show").select_option("a one")
    assert shown(page)["counts"] == np.rint(16 * digits[0][1]).astype(int).tolist()
    page.get_by_label("Show").select_option("your drawing")
    assert shown(page)["counts"] == [0] * 64


def test_another_network_answers(page_with, model, digits):
    other = nn.Sequential([nn.Dense(10, "softmax")], seed=3).build((64,))
    page = page_with({"a": model, "b": other})
    page.get_by_label("Network", exact=True).select_option("b")
    wanted = other.predict(digits[0][:1])[0]
    for _ in range(100):  # a busy machine paints later
        if np.allclose(shown(page)["probabilities"], wanted, atol=1e-6):
            break
        page.wait_for_timeout(50)
    assert np.allclose(shown(page)["probabilities"], wanted, atol=1e-6)
    page = page_with(model)
    assert not page.get_by_label("Network", exact=True).is_visible()


def test_without_normalizing_the_paper_is_taken_as_it_is(page_with):
    page = page_with()
    draw(page, (10, 10), (30, 30))
    page.get_by_label("Normalize the drawing").uncheck()
    seen = shown(page)
    counts = recogniser.count_blocks(recogniser.squeeze(recogniser.rasterize(seen["strokes"])))
    assert seen["counts"] == counts.ravel().tolist()
    assert sum(seen["counts"][32:]) == 0


def test_two_figures_on_a_page_do_not_meet(page_with):
    page = page_with()
    page.evaluate(
        """() => {
          const copy = document.querySelector('.recogniser').cloneNode(true);
          copy.classList.remove('is-alive');
          document.querySelector('main').prepend(copy);
          const again = document.createElement('script');
          again.textContent = document.querySelector('main > script').textContent;
          document.body.append(again);
        }"""
    )
    draw(page, *SEVEN)
    assert len(shown(page)["strokes"]) == 1
    assert page.evaluate("document.querySelectorAll('.recogniser')[1].shown.strokes.length") == 0


# --- for everybody ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("theme", "settings"), [("light", LIGHT), ("dark", DARK), ("light", PHONE), ("dark", PHONE)])
def test_the_figure_suits_light_dark_and_phones(page_with, theme, settings):
    page = page_with(theme=theme, **settings)
    for state in ("table", "drawing"):
        if state == "drawing":
            page.locator(".recogniser-clear").click()
            page.mouse.click(*on_paper(page, 64, 64))
        shown(page)
        assert [*axe_faults(page), *overflow_faults(page), *image_faults(page)] == []


def brightness(colour):
    """Relative luminance of an rgb(...) or color(srgb ...) text, as the accessibility guidelines define it."""
    numbers = [float(part) for part in re.findall(r"\d*\.?\d+", colour)]
    parts = np.array(numbers[:3]) / (1 if "srgb" in colour else 255)
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_count_can_be_read_on_its_grey(page_with, theme):
    every = np.resize(np.arange(17), 64) / 16
    page = page_with(examples={"every grey": every}, theme=theme)
    colours = page.locator(".recogniser-pixels td").evaluate_all(
        "all => all.map(e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])"
    )
    for pair in colours:
        low, high = sorted(map(brightness, pair))
        assert (high + 0.05) / (low + 0.05) >= 4.5, pair


def test_another_theme_repaints_the_paper(page_with):
    page = page_with()
    page.locator(".recogniser-clear").click()
    shown(page)
    corner = "[...document.querySelector('.recogniser-canvas').getContext('2d').getImageData(2, 2, 1, 1).data]"
    assert page.evaluate(corner) == [255, 255, 255, 255]
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{corner}[0] === 18")


def test_focus_shows(page_with):
    page = page_with()
    page.locator(".recogniser-menu").focus()
    seen = []
    for _ in range(5):
        seen.append(
            page.evaluate("[document.activeElement.className, getComputedStyle(document.activeElement).outlineStyle]")
        )
        page.keyboard.press("Tab")
    names = [name.removeprefix("recogniser-") for name, _ in seen]
    assert names == ["menu", "clear", "fit", "paper", ""]  # there is nothing to undo, and one network only
    assert [style for name, style in seen if name] == ["solid"] * 4


def test_without_script_there_is_a_picture_its_counts_and_the_answer(page_with, model, digits):
    page = page_with(java_script_enabled=False)
    assert page.locator(".recogniser-pixels").is_visible()
    assert page.locator(".recogniser-answer").is_visible()
    p = model.predict(digits[0][:1])[0]
    assert page.locator(".recogniser-verdict").inner_text().startswith(f"A nought: the network says {p.argmax()} with")
    assert page.get_by_text("To draw, you need JavaScript.").is_visible()
    for dead in ("canvas", "select", "button", "input", ".recogniser-keys"):
        assert not page.locator(dead).first.is_visible()


def test_paper_gets_counts_and_answer_as_they_stand(page_with):
    page = page_with(fresh=True)
    draw(page, *SEVEN)
    seen = shown(page)
    page.emulate_media(media="print")
    assert table(page, "pixels") == [str(count) for count in seen["counts"]]
    assert page.locator(".recogniser-answer").is_visible()
    assert not page.locator("canvas").first.is_visible()
    assert not page.locator("select").first.is_visible()


def test_nothing_moves_when_the_script_wakes(page_with, browser, tmp_path):
    page = page_with()
    shift = page.evaluate(
        """() => new Promise(done => {
          let sum = 0;
          new PerformanceObserver(list => list.getEntries().forEach(e => { sum += e.value; }))
            .observe({type: 'layout-shift', buffered: true});
          setTimeout(() => done(sum), 200);
        })"""
    )
    assert shift < 0.01


def test_style_and_script_are_a_few_kilobytes():
    here = ROOT / "nnlib" / "course" / "recogniser"
    assert (here / "page.js").stat().st_size + (here / "page.css").stat().st_size < 25_000 < OWN
