"""Explore: one definition; drawn when asked for with a kernel, wholly drawn and checked on the page."""

import base64
import html as html_module
import io
import itertools
import json
import re
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from PIL import Image

from nnlib.course.explore import describe, explore, make_control, picture
from nnlib.course.explore import drawing as drawing_module
from nnlib.course.explore import kernel as kernel_module
from nnlib.course.explore import page as page_module
from nnlib.course.explore.inks import GROUNDS, _renderer, inked
from nnlib.course.explore.kernel import as_it_is_now

pytestmark = pytest.mark.usefixtures("figures")


@pytest.fixture(autouse=True)
def _no_widgets_left_behind(monkeypatch):
    monkeypatch.delenv("NNLIB_FOR_THE_BOOK", raising=False)
    yield
    for widget in list(_instances.values()):
        widget.close()


@pytest.fixture
def book(monkeypatch):
    """Draw for the built page, as the build of the book does."""
    monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")


@pytest.fixture(params=["kernel", "book"])
def host(request, monkeypatch):
    """Run a test in both places."""
    if request.param == "book":
        monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")
    return request.param


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


def seen_at(explorer, position):
    """Return the html that a state shows: in a kernel by moving the controls, on a page from the list of states."""
    if isinstance(explorer, page_module.PageExplorer):
        look = explorer.looks[tuple(position)]
        return look if isinstance(look, str) else look.img(explorer.alts[tuple(position)])
    for panel, index in zip(explorer.panels, position, strict=True):
        panel.index = index
    return explorer.picture.value


def embedded(html):
    return base64.b64decode(re.search(r"data:image/(?:png|webp|svg\+xml);base64,([^\"]+)", html).group(1))


def alt_of(html):
    return re.search(r'alt="([^"]*)"', html).group(1)


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


# --- wherever it is shown -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"a": [1, 2, 3]},
        {"a": [1, 2], "b": ["x", "y", "z"]},
        {"a": [1, 2], "b": ["x", "y", "z"], "c": [True, False]},
    ],
    ids=["one control", "two controls", "three controls"],
)
def test_each_position_of_the_controls_shows_its_own_state(host, values):
    explorer = explore(say, **values)
    for position in itertools.product(*(range(len(v)) for v in values.values())):
        state = {name: v[i] for (name, v), i in zip(values.items(), position, strict=True)}
        assert seen_at(explorer, position) == say(**state)


def test_numpy_scalars_reach_draw_as_plain_numbers(host):
    kinds = set()

    def draw(rate):
        kinds.add(type(rate))
        return f"{rate}"

    seen_at(explore(draw, rate=np.array([0.1, 0.2])), [1])
    assert kinds == {float}


@pytest.mark.parametrize("start", [{"rate": 0.1, "name": "b"}, {"rate": "0.1", "name": "b"}])
def test_the_start_state_is_shown_before_anything_is_moved(start):
    explorer = explore(say, rate=[0.01, 0.1], name=["a", "b", "c"], start=start)
    assert [panel.index for panel in explorer.panels] == [1, 1]
    assert explorer.picture.value == say(rate=0.1, name="b")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.001, 0.1], "slider"),
        (range(10), "slider"),
        (["SGD", "Adam"], "buttons"),
        ([True, False], "buttons"),
        (["he_uniform", "he_normal", "glorot_uniform", "glorot_normal", "zeros"], "menu"),
        (["a name that is far too long", "to stand beside another one"], "menu"),
        ({"small": 1, "large": 1000}, "slider"),
        ({"sine": np.sin, "cosine": np.cos}, "buttons"),
    ],
)
def test_numbers_get_a_slider_few_words_buttons_and_many_a_menu(values, kind):
    assert make_control("value", values).kind == kind


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


# --- pictures -----------------------------------------------------------------------------------------------


def test_a_picture_has_few_colours_and_twice_the_pixels_of_its_size_on_the_page(host):
    html = seen_at(explore(wave, frequency=[1, 2]), [0])
    image = Image.open(io.BytesIO(embedded(html)))
    assert image.format == {"kernel": "PNG", "book": "WEBP"}[host]
    assert image.size == (600, 400)
    assert len(image.convert("RGB").getcolors()) <= 128
    assert 'width="300" height="200"' in html


@pytest.mark.parametrize("inches", [(4.6, 4.4), (4.35, 2.9), (6.4, 3.8), (5.123, 3.777)])
def test_a_figure_of_any_size_keeps_its_rows_of_pixels_together(inches):
    """One pixel of width too few shears the picture: its frame is no upright line any more."""
    figure = plt.figure(figsize=inches)
    figure.add_artist(Rectangle((0, 0), 0.5, 1, color="black"))
    shown = pixels(picture(figure, "a black half").png)[..., 0] < 128
    assert shown[len(shown) // 2].mean() == pytest.approx(0.5, abs=0.01)
    assert (shown[5:-5] == shown[len(shown) // 2]).all()


def test_a_picture_can_be_svg_and_is_the_same_on_every_run(host):
    first, second = (seen_at(explore(wave, frequency=[1, 2], picture_format="svg"), [0]) for _ in range(2))
    assert b"<svg" in embedded(first)
    assert first == second


def test_one_figure_with_updated_artists_gives_different_pictures_and_is_closed(host):
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


def test_new_figures_are_closed_as_it_goes_even_when_drawing_fails(book):
    open_at_once = []

    def draw(step):
        open_at_once.append(len(plt.get_fignums()))
        if step == 5:
            raise RuntimeError("no such step")
        return wave(step)

    with pytest.raises(RuntimeError, match="no such step") as caught:
        explore(draw, step=range(1, 7))
    assert max(open_at_once) == 0
    assert plt.get_fignums() == []
    assert "step 5" in caught.value.__notes__[0]


def test_axes_and_grids_of_axes_are_taken_for_their_figure(host):
    one = explore(lambda step: wave(step).axes[0], step=[1, 2])
    grid = explore(lambda step: np.array(wave(step).axes), step=[1, 2])
    assert seen_at(one, [1]) == seen_at(grid, [1])


def test_labels_are_not_cut_off_by_the_fixed_size_of_the_picture():
    def draw(step):
        figure = wave(step)
        assert figure.get_layout_engine() is None
        figure.axes[0].set_xlabel("two\nlines")
        return figure

    assert pixels(embedded(seen_at(explore(draw, step=[1, 2]), [0])))[-4:].min() > 250


def test_drawing_leaves_a_figure_as_it_was():
    """Its canvas, resolution and layout belong to the chapter, which may draw it once more."""
    figure = plt.figure(figsize=(3, 2), layout="constrained")
    before = figure.canvas, figure.dpi, figure.get_layout_engine()
    drawing_module.render_figure(wave(1, figure), ("light", "dark"))
    assert (figure.canvas, figure.dpi, figure.get_layout_engine()) == before


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_without_a_ground_shows_nothing_of_the_one_before(theme):
    """All figures of a size are drawn on the same papers."""

    def seen(line):
        figure = plt.figure(figsize=(2, 1), facecolor="none")
        if line:
            figure.add_artist(plt.Line2D([0, 1], [0.5, 0.5], linewidth=20, color="black"))
        data = dict(drawing_module.render_figure(figure, ("light", "dark")).data)[theme]
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[100]

    assert seen(line=True).std() + abs(seen(line=True).mean() - seen(line=False).mean()) > 100
    ground = np.rint(255 * np.array(GROUNDS[theme]))
    assert (seen(line=False) == ground).all()


@pytest.mark.parametrize(
    "changed",
    [{"x": 0.5}, {"y": 0.6}, {"s": "other"}, {"s": "$a$ word"}, {"size": 20}, {"weight": "bold"}, {"rotation": 30}],
    ids=str,
)
@pytest.mark.parametrize("align", ["left", "center"])
def test_a_text_among_known_ones_is_drawn_as_if_it_were_new(changed, align):
    """The renderer keeps what it has typeset and measured."""

    def drawn(**how):
        figure = plt.figure(figsize=(2, 1))
        figure.text(**how, ha=align, rotation_mode="anchor")
        return [np.asarray(picture) for picture in drawing_module._pictures(figure, ["light", "dark"], 2)]

    usual = {"x": 0.4, "y": 0.3, "s": "a word", "size": 10}
    _renderer.cache_clear()
    alone = drawn(**(usual | changed))
    _renderer.cache_clear()
    before = drawn(**usual)
    for old, new, wanted in zip(before, drawn(**(usual | changed)), alone, strict=True):
        assert (new == wanted).all()
        assert (new != old).any()


def test_a_photograph_in_an_inset_keeps_its_colours():
    figure, axes = plt.subplots(figsize=(2, 2), layout="none")
    inset = axes.inset_axes([0.2, 0.2, 0.6, 0.6])
    inset.imshow(np.full((4, 4, 3), 255, np.uint8))
    inset.set_axis_off()
    light, dark = drawing_module._pictures(figure, ["light", "dark"], 2)
    assert light.getpixel((200, 200)) == dark.getpixel((200, 200)) == (255, 255, 255)


def test_the_bar_of_a_fraction_has_the_ink_of_its_letters():
    """Letters must stand out more than lines; Matplotlib draws a bar as an area."""
    figure = plt.figure(figsize=(2, 1))
    figure.text(0.1, 0.4, r"$\frac{aaaa}{bbbb}$", size=40, color="#8c8c8c")
    pixels = np.asarray(drawing_module._pictures(figure, ["light"], 2)[0])
    drawn = (pixels != 255).any(axis=-1)
    row = drawn.sum(axis=1).argmax()  # no letters cover as much of their row
    seen = np.median(pixels[row, drawn[row]], axis=0)
    letters, line = (255 * np.array(inked((0.549,) * 3, "light", is_text)) for is_text in (True, False))
    assert np.abs(letters - line).max() > 5
    assert np.abs(seen - letters).max() <= 2


def test_a_smoothly_shaded_mesh_is_refused_and_not_left_out():
    figure, axes = plt.subplots()
    axes.pcolormesh(np.arange(4.0).reshape(2, 2), shading="gouraud")
    with pytest.raises(NotImplementedError):
        drawing_module.render_figure(figure, ("light", "dark"))


def test_a_heavy_picture_gets_fewer_colours_and_fewer_pixels():
    def packed(pixels, light_enough, least=0):
        figure = plt.figure(figsize=(1.2, 0.8))
        figure.figimage(pixels, resize=False)
        (data,), quality = drawing_module._packed(figure, ["light"], "webp", light_enough, least)
        return data, quality

    noise = np.random.default_rng(0).random((160, 240))
    light, _ = packed(noise, 40_000)
    lighter, quality = packed(noise, 8_000)
    assert len(lighter) < len(light) / 3
    assert Image.open(io.BytesIO(light)).size == (240, 160)
    assert Image.open(io.BytesIO(lighter)).size == (120, 80)
    assert len(Image.open(io.BytesIO(lighter)).getcolors()) <= drawing_module.QUALITIES[quality][0] < 128
    # a neighbour that would be light enough is as sharp as what was drawn before it
    grey, same = packed(np.zeros((160, 240)), 8_000, quality)
    assert same == quality
    assert Image.open(io.BytesIO(grey)).size == (120, 80)


@pytest.mark.parametrize("theme", GROUNDS)
def test_the_ground_of_a_picture_is_that_of_the_page_to_the_last_bit(theme):
    """Among more colours than a picture has, those next to the ground share its place in the palette."""
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.set_axis_off()
    axes.pcolormesh(np.linspace(0.9, 1, 3000).reshape(50, 60), cmap="gray", vmin=0, vmax=1)
    (_, data), *_ = drawing_module.render_figure(figure, [theme], "webp", 60_000).data
    assert pixels(data)[0, 0].tolist() == [round(255 * part) for part in GROUNDS[theme]]


def test_a_map_without_a_value_is_empty_paper():
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.imshow(np.ma.masked_all((4, 4)))
    (_, light), (_, dark) = drawing_module.render_figure(figure, ("light", "dark")).data
    assert pixels(dark)[200, 300].tolist() == [round(255 * part) for part in GROUNDS["dark"]]
    assert pixels(light)[200, 300].tolist() == [255, 255, 255]


def test_no_state_is_sharper_than_the_one_before(book):
    """As a slider moves, its lines should not get crisper and coarser by turns."""

    def draw(step):
        figure, axes = plt.subplots(figsize=(6, 4))
        axes.plot((step == 2) * np.random.default_rng(step).standard_normal((400, 5)).cumsum(axis=0))
        axes.set_title(f"step {step}")
        return figure

    first, heavy, last = explore(draw, step=[1, 2, 3]).looks.values()
    assert first.quality == 0 < heavy.quality == last.quality


@pytest.mark.parametrize("points", [6, 12])
def test_a_figure_is_shown_no_narrower_than_its_smallest_letters_allow(points):
    """9 CSS pixels is what a reader can still make out on a phone."""
    figure = wave()
    for text in figure.findobj(plt.Text):
        text.set_fontsize(points)
    drawing = drawing_module.render_figure(figure)
    full_size = points * 100 / 72  # CSS pixels of the letters where the figure has its full width
    assert full_size * drawing.least_width / drawing.width >= min(full_size, 9) - 0.02


# --- descriptions -------------------------------------------------------------------------------------------


def test_the_alt_text_is_put_together_from_what_the_figure_says_and_the_state(host):
    explorer = explore(wave, frequency=[0.5, 2])
    assert alt_of(seen_at(explorer, [1])) == "A wave: height against time. State: frequency 2."


def test_the_alt_text_can_be_a_template_of_the_texts_shown(host):
    explorer = explore(wave, frequency={"slow": 1, "fast": 9}, alt='A "{frequency}" wave')
    assert alt_of(seen_at(explorer, [1])) == "A &quot;fast&quot; wave"


def test_the_alt_text_can_be_computed_from_the_values(host):
    explorer = explore(wave, frequency=[1, 2], alt=lambda frequency: f"peak {frequency * 2:.1f}")
    assert [alt_of(seen_at(explorer, [i])) for i in range(2)] == ["peak 2.0", "peak 4.0"]


def test_a_legend_is_part_of_the_description():
    figure = wave()
    figure.axes[0].plot([0, 1], [0, 1], label="trend")
    figure.axes[0].legend()
    figure.suptitle("All")
    assert describe(figure) == "All; A wave: height against time (trend)"


def test_a_figure_that_says_nothing_is_refused(host):
    def bare(step):
        figure = plt.figure()
        figure.subplots().plot([0, step])
        return figure

    with pytest.raises(ValueError, match="alt must be given where a figure has no title and no labels"):
        explore(bare, step=[1, 2])


def test_svg_from_draw_is_named_for_screen_readers(host):
    explorer = explore(lambda r: f"<svg><circle r='{r}'/></svg>", r=[1, 2], alt="A circle of radius {r}")
    assert 'role="img" aria-label="A circle of radius 2"' in seen_at(explorer, [1])
    with pytest.raises(ValueError, match="alt must be given when draw returns SVG"):
        explore(lambda r: f"<svg><circle r='{r}'/></svg>", r=[1, 2])


def test_html_with_an_undescribed_image_is_refused(host):
    with pytest.raises(ValueError, match="must have alt text"):
        explore(lambda r: f"<p>{r}<img src='x.png'></p>", r=[1, 2])


def test_a_figure_that_stands_still_is_described_and_not_shown_twice(host):
    shown = picture(wave(), "A wave")._repr_mimebundle_()
    assert alt_of(shown["text/html"]) == shown["text/plain"] == "A wave"
    assert shown["text/html"].count("<img") == {"kernel": 1, "book": 2}[host]
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="alt must be a text"):
        picture(wave(), " ")


# --- with a kernel ------------------------------------------------------------------------------------------


def test_running_the_cell_draws_one_picture_and_moving_draws_what_is_asked_for_once():
    calls = []

    def draw(rate, name):
        calls.append((rate, name))
        return f"{rate}{name}"

    explorer = explore(draw, rate=[0.1, 0.2], name=["a", "b", "c"], start={"name": "b"})
    assert calls == [(0.1, "b")]
    explorer.panels[0].index = 1
    explorer.panels[1].index = 2
    explorer.panels[0].index = 0
    explorer.panels[0].index = 1
    assert calls == [(0.1, "b"), (0.2, "b"), (0.2, "c"), (0.1, "c")]
    assert explorer.picture.value == "0.2c"


def test_later_cells_may_use_the_names_of_an_earlier_figure_for_other_things():
    """Every chapter calls its figures `figure`, its axes `axes` and its drawing function `draw`."""
    cells = [
        "word, tail = 'first', '!'\ndef helper(step):\n    return word * step\n"
        "def draw(step):\n    return [helper(step) + tail for _ in 'x'][0]\nkept = as_it_is_now(draw)",
        "word, tail = 'second', '?'\ndef helper(step):\n    return 'third'",
    ]
    namespace = {"as_it_is_now": as_it_is_now}
    for cell in cells:
        exec(cell, namespace)
    assert namespace["draw"](1) == "third?"
    assert namespace["kept"](2) == "firstfirst!"


def test_what_is_kept_takes_defaults_closures_and_itself_along():
    namespace = {"as_it_is_now": as_it_is_now}
    cell = (
        "def outer():\n    inside = 3\n    def count(n, more=1, *, most=2):\n"
        "        return inside + more + most + (count_again(n - 1) if n else 0)\n    return count\n"
        "count = outer()\ndef count_again(n):\n    return count_again(n - 1) + 10 if n else 100\n"
        "kept = as_it_is_now(count)"
    )
    exec(cell, namespace)
    namespace["count_again"] = None
    assert namespace["kept"](3) == 3 + 1 + 2 + 20 + 100


def test_a_state_that_cannot_be_drawn_says_so_and_the_others_go_on():
    def draw(step):
        if step == 2:
            raise RuntimeError("<no> step")
        return f"<p>{step}</p>"

    explorer = explore(draw, step=[1, 2, 3])
    explorer.panels[0].index = 1
    assert explorer.picture.value == "<pre>step 2 cannot be drawn. RuntimeError: &lt;no&gt; step</pre>"
    explorer.panels[0].index = 2
    assert explorer.picture.value == "<p>3</p>"


@pytest.mark.parametrize(("seconds", "follows"), [(0.01, True), (0.5, False)])
def test_a_slow_figure_waits_until_the_slider_is_let_go(monkeypatch, seconds, follows):
    clock = itertools.count(step=seconds)
    monkeypatch.setattr(kernel_module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert explore(say, step=[1, 2]).panels[0].continuous_update is follows


@pytest.mark.parametrize(
    ("values", "widget"),
    [
        ([1, 2], ipywidgets.SelectionSlider),
        (["SGD", "Adam"], ipywidgets.ToggleButtons),
        (["he_uniform", "he_normal", "glorot_uniform", "glorot_normal", "zeros"], ipywidgets.Dropdown),
    ],
)
def test_the_widgets_suit_the_values(values, widget):
    (panel,) = explore(say, value=values).panels
    assert type(panel) is widget


def test_labels_are_words_and_can_be_replaced():
    explorer = explore(say, learning_rate=[1, 2], beta=[3, 4], labels={"beta": "momentum β"})
    assert [panel.description for panel in explorer.panels] == ["learning rate", "momentum β"]


def test_the_play_button_moves_the_control_it_is_named_for():
    explorer = explore(say, step=range(5), rate=[0.1, 0.2], play="step", start={"step": 2})
    (play,) = (widget for widget in _instances.values() if isinstance(widget, ipywidgets.Play))
    (link,) = (widget for widget in _instances.values() if isinstance(widget, ipywidgets.widgets.widget_link.Link))
    assert (play.min, play.max, play.value) == (0, 4, 2)
    assert (link.source, link.target) == ((play, "value"), (explorer.panels[0], "index"))


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
    monkeypatch.setattr(kernel_module, "_shown", {})
    run_in_cell(monkeypatch, "other", "run 0")
    other = explore(say, step=[1, 2])
    run_in_cell(monkeypatch, "cell", "run 1")
    first, second = explore(say, step=[1, 2]), explore(say, step=[3, 4])
    assert all(explorer.picture.model_id in _instances for explorer in (first, second))
    run_in_cell(monkeypatch, "cell", "run 2")
    third = explore(say, step=[1, 2])
    alive = {widget.model_id for widget in _instances.values() if isinstance(widget, ipywidgets.HTML)}
    assert alive == {other.picture.model_id, third.picture.model_id}


CODE = """
from matplotlib import pyplot as plt
from nnlib.course.explore import explore
drawn = []
def draw(slope):
    drawn.append(slope)
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([0, slope])
    axes.set_ylim(0, 1)
    return figure
explore(draw, slope=[0.2, 0.5, 1.0], start={'slope': 0.5}, alt='A line of slope {slope}')
"""


def executed():
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [nbformat.v4.new_code_cell(code) for code in (CODE, "drawn")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    return notebook


def test_a_notebook_holds_the_widget_one_picture_and_words():
    notebook = executed()
    first, drawn = notebook.cells
    (output,) = (output["data"] for output in first.outputs)
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert output["application/vnd.jupyter.widget-view+json"]["model_id"] in state
    (frame,) = (m["state"]["value"] for m in state.values() if m["model_name"] == "HTMLModel")
    assert alt_of(frame) == "A line of slope 0.5"
    assert base64.b64decode(output["image/png"]).startswith(b"\x89PNG")
    assert "A line of slope 0.5" in output["text/plain"]
    assert drawn.outputs[0]["data"]["text/plain"] == "[0.5]"


# --- on the built page --------------------------------------------------------------------------------------


def states_of(explorer):
    """Read the list of states as the script of the page does."""
    written = re.search(r'<script type="application/json">(.*)</script>', explorer.markup(), re.DOTALL).group(1)
    return json.loads(written)


def test_the_build_draws_every_state_once_in_order(book):
    calls = []

    def draw(rate, name):
        calls.append((rate, name))
        return f"{rate}{name}"

    explore(draw, rate=[0.1, 0.2], name=["a", "b"])
    assert calls == [(0.1, "a"), (0.1, "b"), (0.2, "a"), (0.2, "b")]


def test_the_page_lists_every_state_with_its_pictures_and_words(book):
    explorer = explore(wave, frequency=[1, 2, 3], alt="peak {frequency}")
    states = states_of(explorer)
    assert states["texts"] == [["1", "2", "3"]]
    assert states["alts"] == ["peak 1", "peak 2", "peak 3"]
    for number, (position, look) in enumerate(explorer.looks.items()):
        assert position == (number,)
        shown = states["looks"][states["shown"][number]]
        assert shown == {theme: look.address(theme) for theme in ("light", "dark")}


def test_html_that_would_end_the_list_of_states_does_not(book):
    explorer = explore(lambda step: f"<script>{step}</script>", step=[1, 2])
    assert states_of(explorer)["looks"][1] == {"html": "<script>2</script>"}
    assert explorer.markup().count("</script>") == 1 + 1  # that of the start state, and that of the list


def test_without_script_the_page_shows_the_described_start(book):
    explorer = explore(wave, frequency=[1, 2, 3], start={"frequency": 2}, alt="peak {frequency}")
    page = re.sub(r"<script.*?</script>", "", explorer.markup(), flags=re.DOTALL)
    assert re.findall(r'<img class="only-(\w+)"', page) == ["light", "dark"]
    assert re.findall(r'alt="([^"]*)"', page) == ["peak 2", "peak 2"]
    assert "<span>Frequency 2</span>" in page
    assert 'width="300" height="200"' in page


def test_the_page_has_native_controls_at_the_start_state(book):
    explorer = explore(
        say,
        learning_rate=[0.1, 1, -2],
        optimizer=["SGD", "Adam"],
        initializer=["he_uniform", "he_normal", "glorot_uniform", "glorot_normal", "<zeros>"],
        start={"learning_rate": -2, "optimizer": "Adam", "initializer": "he_normal"},
        play="learning_rate",
    )
    page = explorer.markup()
    assert re.findall(r'data-key="([^"]*)"', page) == ["learning-rate", "optimizer", "initializer"]
    assert re.search(r'<input type="range" id="[\w-]+" min="0" max="2" value="2" aria-valuetext="−2"', page)
    assert re.search(r'<input type="radio" name="[\w-]+" value="1" checked autocomplete="off"><span>Adam</span>', page)
    assert '<option value="1" selected>he_normal</option>' in page
    assert "&lt;zeros&gt;</option>" in page
    assert 'aria-label="Play learning rate"' in page
    names = re.findall(r'(?: id| for)="([^"]*)"', page)
    assert len(set(names)) == 2  # slider and menu, each with its label


def test_two_figures_of_a_page_do_not_share_the_names_of_their_controls(book):
    one, other = (explore(say, step=values).markup() for values in ([1, 2], [1, 3]))
    assert re.search(r'id="([^"]*)"', one).group(1) != re.search(r'id="([^"]*)"', other).group(1)


def test_states_that_look_the_same_share_a_picture(book):
    states = states_of(explore(lambda a, b: f"<p>{a * b}</p>", a=[0, 1, 2], b=[1, 2]))
    assert [look["html"] for look in states["looks"]] == ["<p>0</p>", "<p>1</p>", "<p>2</p>", "<p>4</p>"]
    assert states["shown"] == [0, 0, 1, 2, 2, 3]


def test_a_step_that_never_changes_the_picture_is_refused(book):
    with pytest.raises(ValueError, match=r"must change the picture; a from 2 to 3 never does"):
        explore(lambda a, b: f"<p>{min(a, 2)} {b}</p>", a=[1, 2, 3], b=[1, 2])


def test_words_that_never_change_are_refused(book):
    with pytest.raises(ValueError, match=r"must change the description; frequency from 1 to 2 never does"):
        explore(wave, frequency=[1, 2], alt="a wave")


def test_a_picture_too_heavy_for_a_state_is_refused(book, monkeypatch):
    monkeypatch.setattr(page_module, "LARGEST", 1000)
    with pytest.raises(ValueError, match=r"at most 1 KB; got \d+ KB for frequency 1"):
        explore(wave, frequency=[1, 2])


def test_too_much_for_one_figure_is_refused_with_number_and_size_of_the_frames(book):
    big = "x" * 99_000
    with pytest.raises(ValueError, match=r"at most 0.5 MB together; got 0.6 MB after 6 of 50 states"):
        explore(lambda step: big + str(step), step=range(50), limit_mb=0.5)


def test_the_book_holds_the_figure_as_html_with_a_picture_for_print(book):
    notebook = executed()
    first, drawn = notebook.cells
    (output,) = (output["data"] for output in first.outputs)
    assert "widgets" not in notebook.metadata
    assert output["text/html"].startswith('<figure class="explore">')
    assert "A line of slope 1" in html_module.unescape(output["text/html"])
    assert base64.b64decode(output["image/png"]).startswith(b"\x89PNG")
    assert drawn.outputs[0]["data"]["text/plain"] == "[0.2, 0.5, 1.0]"


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
def test_bad_arguments_are_named_with_what_is_allowed_and_what_came(host, arguments, message):
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
def test_draw_must_return_something_to_see(host, result):
    with pytest.raises(TypeError, match=r"draw must return a matplotlib Figure or html; got .* for step 1"):
        explore(lambda step: result, step=[1, 2])
