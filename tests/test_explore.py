"""Explore: a page without a kernel shows exactly what was made when the cell ran."""

import base64
import io
import itertools
import re
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from PIL import Image

from nnlib.course import explore as module
from nnlib.course.explore import describe, explore, make_control, picture

pytestmark = pytest.mark.usefixtures("figures")


@pytest.fixture(autouse=True)
def _no_widgets_left_behind():
    yield
    for widget in list(_instances.values()):
        widget.close()


def say(**state):
    """Draw a state as text, so that a test can read which one it is."""
    return "<p>" + " ".join(f"{name}={value}" for name, value in state.items()) + "</p>"


def wave(frequency=1.0, figure=None):
    figure = figure or plt.figure(figsize=(3, 2))
    figure.clear()
    axes = figure.subplots()
    axes.plot([0, 1, 2], [0, frequency, 0])
    axes.set(title="A wave", xlabel="time", ylabel="height")
    return figure


def parts(explorer):
    """Return (controls, pile of pictures) of what was made."""
    bar, pile = explorer.widget.children
    return [child for child in bar.children if hasattr(child, "index")], pile


def links(explorer, kind=ipywidgets.widgets.widget_link.Link):
    return [widget for widget in explorer.widgets if isinstance(widget, kind)]


def seen_at(explorer, position):
    """Move the controls as a browser does, through the links alone, and return the html that then shows."""
    controls, shown = parts(explorer)
    for control, index in zip(controls, position, strict=True):
        for link in links(explorer):
            (source, trait), (target, target_trait) = link.source, link.target
            if source is control:
                assert (trait, target_trait) == ("index", "selected_index")
                target.selected_index = index
    while isinstance(shown, ipywidgets.Stack):
        shown = shown.children[shown.selected_index]
    return shown.value


# --- every state can be reached without Python --------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"a": [1, 2, 3]},
        {"a": [1, 2], "b": ["x", "y", "z"]},
        {"a": [1, 2], "b": ["x", "y", "z"], "c": [True, False]},
    ],
    ids=["one control", "two controls", "three controls"],
)
def test_each_position_of_the_controls_shows_its_own_state(values):
    explorer = explore(say, **values)
    for position in itertools.product(*(range(len(v)) for v in values.values())):
        state = {name: v[i] for (name, v), i in zip(values.items(), position, strict=True)}
        assert seen_at(explorer, position) == say(**state)


def test_draw_is_called_once_for_each_state_and_with_the_values_given():
    calls = []

    def draw(rate, name):
        calls.append((rate, name))
        return f"{rate}{name}"

    explore(draw, rate=np.array([0.1, 0.2]), name=["a", "b"])
    assert calls == [(0.1, "a"), (0.1, "b"), (0.2, "a"), (0.2, "b")]
    assert all(type(rate) is float for rate, _ in calls)


@pytest.mark.parametrize("start", [{"rate": 0.1, "name": "b"}, {"rate": "0.1", "name": "b"}])
def test_the_start_state_is_shown_before_anything_is_moved(start):
    explorer = explore(say, rate=[0.01, 0.1], name=["a", "b", "c"], start=start)
    controls, shown = parts(explorer)
    assert [control.index for control in controls] == [1, 1]
    while isinstance(shown, ipywidgets.Stack):
        shown = shown.children[shown.selected_index]
    assert shown.value == say(rate=0.1, name="b")
    assert say(rate=0.1, name="b") in explorer.static


def test_the_play_button_moves_the_control_it_is_named_for():
    explorer = explore(say, step=range(5), rate=[0.1, 0.2], play="step", start={"step": 2})
    play = next(widget for widget in explorer.widgets if isinstance(widget, ipywidgets.Play))
    controls, _ = parts(explorer)
    assert (play.min, play.max, play.value) == (0, 4, 2)
    assert [link.target for link in links(explorer) if link.source[0] is play] == [(controls[0], "index")]


# --- controls that suit their values, and that can be read --------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.001, 0.1], "SelectionSlider"),
        (range(10), "SelectionSlider"),
        (["SGD", "Adam"], "ToggleButtons"),
        ([True, False], "ToggleButtons"),
        (["he_uniform", "he_normal", "glorot_uniform", "glorot_normal", "zeros"], "Dropdown"),
        (["a name that is far too long", "to stand beside another one"], "Dropdown"),
        ({"small": 1, "large": 1000}, "SelectionSlider"),
        ({"sine": np.sin, "cosine": np.cos}, "ToggleButtons"),
    ],
)
def test_numbers_get_a_slider_few_words_buttons_and_many_a_dropdown(values, kind):
    controls, _ = parts(explore(say, value=values))
    assert type(controls[0]).__name__ == kind


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1e-05, 0.001, 0.1, 1, 10], ["1e-05", "0.001", "0.1", "1", "10"]),
        ([-0.5, 0.0, 0.5], ["−0.5", "0", "0.5"]),
        (np.float32([0.1, 0.3]), ["0.1", "0.3"]),
        ([0.12345678, 0.12345679], ["0.12345678", "0.12345679"]),
        ([100000, 1000000], ["100000", "1e+06"]),
        ([None, True], ["none", "yes"]),
        ([np.sin, np.cos], ["sin", "cos"]),
        ({"tiny": 1e-9, "huge": 1e9}, ["tiny", "huge"]),
    ],
)
def test_the_values_are_shown_short_and_distinct(values, texts):
    assert list(make_control("value", values).texts) == texts


def test_labels_are_words_and_can_be_replaced():
    controls, _ = parts(explore(say, learning_rate=[1, 2], beta=[3, 4], labels={"beta": "momentum β"}))
    assert [control.description for control in controls] == ["learning rate", "momentum β"]


# --- pictures -----------------------------------------------------------------------------------------------


def embedded(html):
    data = re.search(r"data:image/(?:png|svg\+xml);base64,([^\"]+)", html).group(1)
    return base64.b64decode(data)


def test_a_picture_is_a_small_palette_png_at_twice_its_size_on_the_page():
    html = seen_at(explore(wave, frequency=[1, 2]), [0])
    image = Image.open(io.BytesIO(embedded(html)))
    assert (image.mode, image.size) == ("P", (600, 400))
    assert 'width="300" height="200"' in html
    assert "max-width:100%" in html


@pytest.mark.parametrize("inches", [(4.6, 4.4), (4.35, 2.9), (6.4, 3.8), (5.123, 3.777)])
def test_a_figure_of_any_size_keeps_its_rows_of_pixels_together(inches):
    """One pixel of width too few shears the picture: its frame is no upright line any more."""
    figure = plt.figure(figsize=inches)
    figure.add_artist(Rectangle((0, 0), 0.5, 1, color="black"))
    shown = np.asarray(Image.open(io.BytesIO(picture(figure, "a black half").png)).convert("L")) < 128
    assert shown[len(shown) // 2].mean() == pytest.approx(0.5, abs=0.01)
    assert (shown[5:-5] == shown[len(shown) // 2]).all()


def test_a_picture_can_be_svg_and_is_the_same_on_every_run():
    first, second = (seen_at(explore(wave, frequency=[1, 2], picture_format="svg"), [0]) for _ in range(2))
    assert b"<svg" in embedded(first)
    assert first == second


def test_one_figure_with_updated_artists_gives_different_pictures_and_is_closed_at_the_end():
    """A figure left open would be shown by the notebook a second time, below the slider."""
    figure, axes = plt.subplots()
    (line,) = axes.plot([0, 1], [0, 1])
    axes.set_title("A line")

    def draw(slope):
        line.set_ydata([0, slope])
        return figure

    explorer = explore(draw, slope=[0.2, 0.5, 0.9])
    assert len({seen_at(explorer, [i]) for i in range(3)}) == 3
    assert plt.get_fignums() == []


def test_new_figures_are_closed_as_it_goes_even_when_drawing_fails():
    open_at_once = []

    def draw(step):
        open_at_once.append(len(plt.get_fignums()))
        if step == 5:
            raise RuntimeError("no such step")
        return wave(step)

    with pytest.raises(RuntimeError, match="no such step") as caught:
        explore(draw, step=range(1, 7))
    assert max(open_at_once) <= 1
    assert plt.get_fignums() == []
    assert "step 5" in caught.value.__notes__[0]


def test_axes_and_grids_of_axes_are_taken_for_their_figure():
    one = explore(lambda step: wave(step).axes[0], step=[1, 2])
    grid = explore(lambda step: np.array(wave(step).axes), step=[1, 2])
    assert seen_at(one, [1]) == seen_at(grid, [1])


def test_labels_are_not_cut_off_by_the_fixed_size_of_the_picture():
    def draw(step):
        figure = wave(step)
        assert figure.get_layout_engine() is None
        figure.axes[0].set_xlabel("two\nlines")
        return figure

    image = Image.open(io.BytesIO(embedded(seen_at(explore(draw, step=[1, 2]), [0])))).convert("L")
    assert np.array(image)[-4:].min() > 250


def test_transparent_figures_get_a_white_card_so_that_they_can_be_read_in_the_dark():
    def draw(step):
        figure = wave(step)
        figure.patch.set_alpha(0)
        return figure

    image = Image.open(io.BytesIO(embedded(seen_at(explore(draw, step=[1, 2]), [0])))).convert("RGB")
    assert min(image.getpixel((0, 0))) >= 254


# --- descriptions -------------------------------------------------------------------------------------------


def alt_of(html):
    return re.search(r'alt="([^"]*)"', html).group(1)


def test_the_alt_text_is_put_together_from_what_the_figure_says_and_the_state():
    explorer = explore(wave, frequency=[0.5, 2])
    assert alt_of(seen_at(explorer, [1])) == "A wave: height against time. State: frequency 2."


def test_the_alt_text_can_be_a_template_of_the_texts_shown():
    explorer = explore(wave, frequency={"slow": 1, "fast": 9}, alt='A "{frequency}" wave')
    assert alt_of(seen_at(explorer, [1])) == "A &quot;fast&quot; wave"
    assert explorer.alts[(0,)] == 'A "slow" wave'


def test_the_alt_text_can_be_computed_from_the_values():
    explorer = explore(wave, frequency=[1, 2], alt=lambda frequency: f"peak {frequency * 2:.1f}")
    assert explorer.alts == {(0,): "peak 2.0", (1,): "peak 4.0"}


def test_a_legend_is_part_of_the_description():
    figure = wave()
    figure.axes[0].plot([0, 1], [0, 1], label="trend")
    figure.axes[0].legend()
    figure.suptitle("All")
    assert describe(figure) == "All; A wave: height against time (trend)"


def test_a_figure_that_says_nothing_is_refused():
    def bare(step):
        figure = plt.figure()
        figure.subplots().plot([0, step])
        return figure

    with pytest.raises(ValueError, match="alt must be given where a figure has no title and no labels"):
        explore(bare, step=[1, 2])


def test_svg_from_draw_is_named_for_screen_readers():
    explorer = explore(lambda r: f"<svg><circle r='{r}'/></svg>", r=[1, 2], alt="A circle of radius {r}")
    assert 'role="img" aria-label="A circle of radius 2"' in seen_at(explorer, [1])
    with pytest.raises(ValueError, match="alt must be given when draw returns SVG"):
        explore(lambda r: f"<svg><circle r='{r}'/></svg>", r=[1, 2])


def test_html_with_an_undescribed_image_is_refused():
    with pytest.raises(ValueError, match="must have alt text"):
        explore(lambda r: f"<p>{r}<img src='x.png'></p>", r=[1, 2])


def test_a_figure_that_stands_still_is_described_and_not_shown_twice():
    shown = picture(wave(), "A wave")._repr_mimebundle_()
    assert alt_of(shown["text/html"]) == shown["text/plain"] == "A wave"
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="alt must be a text"):
        picture(wave(), " ")


# --- what the page has to carry -----------------------------------------------------------------------------


def test_states_that_look_the_same_are_embedded_once():
    explorer = explore(lambda step: f"<p>{step // 2}</p>", step=range(6))
    assert sum(isinstance(widget, ipywidgets.HTML) for widget in explorer.widgets) == 3
    assert explorer.size == 3 * len("<p>0</p>")


def test_a_page_carries_no_more_widgets_than_frames_stacks_links_and_a_few():
    """Each widget would bring a layout and a style of its own: three for each of the frames."""
    before = set(_instances)
    explorer = explore(say, step=range(30), name=["a", "b"])
    made = [widget for key, widget in _instances.items() if key not in before]
    assert {widget.model_id for widget in made} == {widget.model_id for widget in explorer.widgets}
    kinds = [type(widget).__name__ for widget in made]
    assert kinds.count("HTML") == 60
    assert kinds.count("Stack") == kinds.count("Link") == 31
    assert len(kinds) - 60 - 31 - 31 <= 12


def test_close_leaves_nothing():
    before = set(_instances)
    explore(say, step=range(3), name=["a", "b"], play="step").close()
    assert set(_instances) == before


def run_in_cell(monkeypatch, cell, run):
    parent = {"metadata": {"cellId": cell}, "header": {"msg_id": run}}
    shell = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda channel: parent))
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)


def test_running_a_cell_again_replaces_its_widgets_and_those_of_no_other(monkeypatch):
    """Jupyter saves the state of every live widget: a cell run ten times would weigh ten times as much."""
    monkeypatch.setattr(module, "_shown", {})
    run_in_cell(monkeypatch, "other", "run 0")
    other = explore(say, step=[1, 2])
    run_in_cell(monkeypatch, "cell", "run 1")
    first, second = explore(say, step=[1, 2]), explore(say, step=[3, 4])
    assert all(widget.model_id in _instances for widget in [*first.widgets, *second.widgets])
    run_in_cell(monkeypatch, "cell", "run 2")
    third = explore(say, step=[1, 2])
    alive = set(_instances)
    assert alive == {widget.model_id for widget in [*other.widgets, *third.widgets]}


def test_too_much_for_one_page_is_refused_with_number_and_size_of_the_frames():
    big = "x" * 99_000
    with pytest.raises(ValueError, match=r"at most 0.5 MB together; got 0.6 MB after 6 of 50 states, 99 KB"):
        explore(lambda step: big + str(step), step=range(50), limit_mb=0.5)


def test_a_slow_figure_shows_how_far_it_is_and_takes_that_away_at_the_end(monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/html"])

    def display(data, **_):
        shown.append(data["text/html"])
        return Handle()

    run_in_cell(monkeypatch, "cell", "run")
    monkeypatch.setattr("IPython.display.display", display)
    assert list(module._with_progress([7, 8, 9], patience=-1.0)) == [7, 8, 9]
    assert [re.search(r"(\d) of 3", html).group(1) for html in shown[:3]] == ["0", "1", "2"]
    assert shown[3:] == [""]


def test_executed_as_the_book_does_a_notebook_holds_the_widget_and_a_static_figure():
    """The contract with the page: view and state for JavaScript, a described figure without, a PNG."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    code = (
        "from matplotlib import pyplot as plt\nfrom nnlib.course.explore import explore\n"
        "def draw(slope):\n    figure, axes = plt.subplots(figsize=(2, 1))\n    axes.plot([0, slope])\n"
        "    axes.set_ylim(0, 1)\n    return figure\n"
        "explore(draw, slope=[0.2, 0.5, 1.0], start={'slope': 0.5}, alt='A line of slope {slope}')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120).execute()

    widget, static = (output["data"] for output in notebook.cells[0].outputs)
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert widget["application/vnd.jupyter.widget-view+json"]["model_id"] in state
    frames = [m["state"]["value"] for m in state.values() if m["model_name"] == "HTMLModel"]
    assert sorted(map(alt_of, frames)) == [f"A line of slope {slope}" for slope in ("0.2", "0.5", "1")]
    assert base64.b64decode(widget["image/png"]).startswith(b"\x89PNG")
    assert "A line of slope 0.5" in widget["text/plain"]
    inside = re.fullmatch(r"<noscript>(.*)</noscript>", static["text/html"]).group(1)
    assert 'class="explore-static"' in inside
    assert alt_of(inside) == "A line of slope 0.5"


# --- mistakes are answered in the reader's terms ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"one to three controls.*got 0"),
        ({"a": [1, 2], "b": [1, 2], "c": [1, 2], "d": [1, 2]}, r"one to three controls.*got 4"),
        ({"a": []}, r"a must have at least two values.*got 0"),
        ({"a": [1]}, r"a must have at least two values.*got 1"),
        ({"a": [1, 2, 1]}, r"a must have values that differ; got '1' more than once"),
        ({"a": [1, 1.0]}, r"a must have values that differ"),
        ({"a": ["x", "x"]}, r"got 'x' more than once"),
        ({"a": [1, 2], "start": {"a": 3}}, r"start of a must be one of 1, 2; got 3"),
        ({"a": [1, 2], "start": {"b": 3}}, r"start must name controls \(a\); got 'b'"),
        ({"a": [1, 2], "labels": {"b": "β"}}, r"labels must name controls \(a\); got b"),
        ({"a": [1, 2], "play": "b"}, r"play must name a control \(a\); got 'b'"),
        ({"a": [1, 2], "picture_format": "gif"}, r"picture_format must be 'png' or 'svg'; got 'gif'"),
        ({"a": [1, 2], "alt": lambda a: ""}, r"alt must give a text for every state; got ''"),
    ],
)
def test_bad_arguments_are_named_with_what_is_allowed_and_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        explore(say, **arguments)


def test_a_value_that_is_no_list_is_refused():
    with pytest.raises(TypeError, match="a must be a list of values"):
        explore(say, a="text")
    with pytest.raises(TypeError, match="a must be a list of values"):
        explore(say, a=3)


def test_arguments_that_draw_does_not_take_are_named_before_anything_is_drawn():
    with pytest.raises(TypeError, match=r"draw must accept the controls \(step\).*rate"):
        explore(lambda rate: "x", step=[1, 2])


@pytest.mark.parametrize("result", [None, 3, "", [1]])
def test_draw_must_return_something_to_see(result):
    with pytest.raises(TypeError, match=r"draw must return a matplotlib Figure or html; got .* for step 1"):
        explore(lambda step: result, step=[1, 2])
