"""From a drawing to counts: worked by hand, against the table, and what a recogniser refuses."""

import base64
import json
import re

import numpy as np
import pytest

import nnlib as nn
from nnlib.course import recogniser
from nnlib.course.datasets import load_digits
from nnlib.course.recogniser import Recogniser


def picture(*rows):
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_a_dot_is_a_disc_and_a_line_a_bar_with_round_ends():
    dot = recogniser.rasterize([[(64, 32)]], 2)
    assert dot[30:34, 62:66].tolist() == picture(".##.", "####", "####", ".##.").tolist()
    assert dot.sum() == 12
    bar = recogniser.rasterize([[(20, 64), (100, 64)]], 3)
    assert bar[61:67, 20:100].all()
    assert not bar[60].any()
    assert not bar[67].any()
    assert bar[64, 17]
    assert not bar[64, 16]


def test_strokes_add_up_and_the_edge_of_the_paper_cuts():
    one, other = [[(0, 0), (30, 40)]], [[(100, 128)]]
    both = recogniser.rasterize([*one, *other])
    assert (both == (recogniser.rasterize(one) | recogniser.rasterize(other))).all()
    assert both.shape == (128, 128)
    assert not recogniser.rasterize([]).any()


@pytest.mark.parametrize("strokes", [[[]], [[1, 2]], [[(1, 2, 3)]], [[(np.nan, 1)]], [[(1, np.inf), (2, 3)]]], ids=str)
def test_strokes_that_are_none_are_refused(strokes):
    with pytest.raises(ValueError, match="strokes must be lists of points"):
        recogniser.rasterize(strokes)


@pytest.mark.parametrize("radius", [0, -1, 128, np.nan])
def test_a_pen_that_is_none_is_refused(radius):
    with pytest.raises(ValueError, match="radius must be above 0 and below 128"):
        recogniser.rasterize([[(1, 2)]], radius)


def test_zoom_takes_the_nearest_pixel():
    small = picture("#.", ".#")
    assert recogniser.zoom(small, 4, 4).tolist() == picture("##..", "##..", "..##", "..##").tolist()
    assert recogniser.zoom(recogniser.zoom(small, 6, 10), 2, 2).tolist() == small.tolist()


def test_crop_cuts_what_is_empty():
    assert recogniser.crop(picture("....", ".##.", "..#.", "....")).tolist() == picture("##", ".#").tolist()
    assert recogniser.crop(picture("..", "..")).shape == (0, 0)


def test_thinner_and_thicker_by_a_pixel():
    cross = picture(".....", "..#..", ".###.", "..#..", ".....")
    assert recogniser.thin(cross).tolist() == picture(".....", ".....", "..#..", ".....", ".....").tolist()
    assert recogniser.thicken(recogniser.thin(cross)).tolist() == cross.tolist()
    assert not recogniser.thin(np.ones((2, 2), bool)).any()  # beyond the edges there is no ink


def test_straightening_puts_the_left_edges_below_each_other():
    leaning = np.zeros((32, 32), bool)
    for r in range(32):
        leaning[r, 20 - r // 3 : 24 - r // 3] = True
    straight = recogniser.straighten(leaning)
    lefts = straight.argmax(axis=1)
    assert lefts[2] == lefts[29]
    assert np.ptp(lefts) <= 1
    assert straight.sum() == leaning.sum()
    assert (recogniser.straighten(straight) == straight).all()
    flat = picture(*["." * 32] * 3, *["..##" + "." * 28] * 5, *["." * 32] * 24)
    assert (recogniser.straighten(flat) == flat).all()


def test_a_normalized_drawing_has_the_size_place_and_weight_of_the_table():
    seven = [[(30, 20), (60, 20), (40, 80)]]
    bitmap = recogniser.normalize(recogniser.rasterize(seven))
    assert bitmap.any(axis=1).all()
    assert 256 <= bitmap.sum() <= 412
    moved = [[(x + 41, y + 30) for x, y in stroke] for stroke in seven]
    assert (recogniser.normalize(recogniser.rasterize(moved)) == bitmap).all()
    assert not recogniser.normalize(np.zeros((128, 128), bool)).any()


def test_a_normalized_bar_is_thinned_twice():
    """20 × 32 = 640 pixels are more than 560: one off on each side, twice."""
    assert recogniser.normalize(np.ones((50, 7), bool)).sum() == 16 * 28


def test_four_by_four_pixels_are_a_count():
    bitmap = np.zeros((32, 32), bool)
    bitmap[4:8, 8:12] = picture("##..", "#...", "....", "...#")
    counts = recogniser.count_blocks(bitmap)
    assert counts.shape == (8, 8)
    assert counts[1, 2] == counts.sum() == 4
    assert recogniser.count_blocks(np.ones((32, 32), bool)).tolist() == np.full((8, 8), 16).tolist()


@pytest.mark.parametrize("bitmap", [np.zeros((8, 8), bool), np.zeros((32, 32)), np.zeros(1024, bool)])
def test_only_a_bitmap_of_32_by_32_is_counted(bitmap):
    with pytest.raises(ValueError, match="bitmap must"):
        recogniser.count_blocks(bitmap)


@pytest.mark.parametrize("function", [recogniser.normalize, recogniser.squeeze])
def test_only_a_bitmap_is_normalized(function):
    with pytest.raises(ValueError, match="bitmap must be a table of True and False; got float64"):
        function(np.zeros((128, 128)))


def test_the_table_has_the_marks_of_these_steps():
    """Without them the network on the page would be asked about pictures such as it has never seen."""
    counts = np.rint(16 * load_digits()[0][..., 0])
    ink = counts.sum(axis=(1, 2))
    assert np.mean((ink >= recogniser.drawing.THIN) & (ink <= recogniser.drawing.THICK)) > 0.98
    assert counts.any(axis=2).mean(axis=0).min() > 0.995  # as high as the picture
    assert counts[:, :, 0].mean() < 0.02  # and 20 wide of 32: the first column stays empty

    def left_edge(row):
        column = (row > 0).argmax(axis=1)
        return 4 * (column + 1) - np.minimum(row[np.arange(len(row)), column] / 4, 4)

    apart = left_edge(counts[:, 0]) - left_edge(counts[:, 7])
    assert np.median(abs(apart)) <= 0.5
    assert abs(apart.mean()) < 0.1


def test_digits_of_the_table_come_back_from_the_paper():
    """The mean picture of digits drawn anew, small and in a corner, is that of the table."""
    X = load_digits(flat=True)[0][::9]
    again = np.array([
        recogniser.count_blocks(recogniser.normalize(recogniser.redraw(x, 50, 50, -30, 30))).ravel() / 16 for x in X
    ])  # fmt: skip
    assert np.mean(abs(again - X)) < 0.12
    assert np.mean(abs(again.mean(axis=0) - X.mean(axis=0))) < 0.05


def test_redrawing_places_bends_and_thickens():
    block = np.zeros((8, 8))
    block[2:6, 2:6] = 1
    plain = recogniser.redraw(block, 64, 64)
    rows, columns = np.flatnonzero(plain.any(1)), np.flatnonzero(plain.any(0))
    assert (rows[0], rows[-1], columns[0], columns[-1]) == (48, 79, 48, 79)
    moved = recogniser.redraw(block, 64, 64, down=10, right=-7)
    assert (moved == np.roll(plain, (10, -7), (0, 1))).all()
    assert recogniser.redraw(block, 64, 64, pen=2).sum() > plain.sum() > recogniser.redraw(block, 64, 64, pen=-2).sum()
    slanted = recogniser.redraw(block, 64, 64, slant=0.5)
    assert slanted[50].argmax() > slanted[78].argmax()


# --- the figure -----------------------------------------------------------------------------------------------------


def network(*layers, inputs=64):
    return nn.Sequential(layers or [nn.Dense(5, "relu"), nn.Dense(10, "softmax")]).build((inputs,))


def data_of(figure):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure.markup())[1])


def test_the_figure_holds_the_networks_numbers_and_a_picture_with_its_answer():
    X = load_digits(flat=True)[0]
    model = network()
    figure = Recogniser(model, {"a <0>": X[0], "another": X[1].reshape(8, 8)})
    data = data_of(figure)
    first = np.frombuffer(base64.b64decode(data["networks"][0][0]["numbers"]), "<f4")
    W, b = model.layers[0].params["W"], model.layers[0].params["b"]
    assert np.array_equal(first, np.concatenate([W.ravel(), b]).astype(np.float32))
    assert data["examples"][0]["counts"] == (16 * X[0]).tolist()
    markup = figure.markup()
    assert "a &lt;0&gt;" in markup
    assert [int(count) for count in re.findall(r"<td[^>]*--ink[^>]*>(\d+)<", markup)] == (16 * X[0]).tolist()
    said = [float(p) for p in re.findall(r"<td>([\d.]+)%</td>", markup)]
    assert said == pytest.approx(100 * model.predict(X[:1])[0], abs=0.051)
    assert figure.summary in repr(figure)


def test_without_examples_the_paper_is_empty_and_the_network_answers_all_the_same():
    figure = Recogniser(network())
    assert "no ink: the network says" in figure.summary
    assert data_of(figure)["examples"] == []


def test_what_is_written_works_anywhere():
    text = Recogniser({"one": network(), "</script>": network()})._repr_html_()
    assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|^\s*(import|export)\b", text, re.MULTILINE)
    assert text.count("</script>") == 2
    assert "<span hidden>" not in text
    assert "<span hidden>" in Recogniser(network()).markup()


def of_other_layers():
    return network(nn.Dense(5, "relu"), nn.Dropout(0.5), nn.Dense(10, "softmax"))


def with_weight(value):
    model = network()
    model.layers[1].params["W"][0, 0] = value
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: None, "models must be built or trained, each a Sequential; got None"),
        (lambda: {}, "models must hold at least one network; got none"),
        (lambda: nn.Sequential([nn.Dense(10, "softmax")]), "models must be built or trained"),
        (of_other_layers, "models must consist of Dense layers; layer 2 is"),
        (lambda: network(inputs=65), r"models must have 64 inputs and 10 outputs; got \(65,\) and \(10,\)"),
        (lambda: network(nn.Dense(9, "softmax")), r"10 outputs; got \(64,\) and \(9,\)"),
        (lambda: network(nn.Dense(10, "relu")), "the activation of layer 1 must be softmax; got relu"),
        (
            lambda: network(nn.Dense(4, "elu"), nn.Dense(10, "softmax")),
            "layer 1 must be linear, relu, sigmoid, tanh; got elu",
        ),
        (lambda: network(nn.Dense(4, "softmax"), nn.Dense(10, "softmax")), "layer 1 must be linear.*got softmax"),
        (lambda: with_weight(np.nan), "the weights of layer 2 must be finite in float32; got nan"),
        (lambda: with_weight(1e39), r"the weights of layer 2 must be finite in float32; got 1e\+39"),
    ],
)
def test_a_network_that_the_script_could_not_compute_is_refused(model, said):
    with pytest.raises(ValueError, match=said):
        Recogniser(model())


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (np.zeros(63), "must hold 64 numbers from 0 to 1; 'mine' has not"),
        (np.full(64, 16.0), "must hold 64 numbers from 0 to 1"),
        (np.full(64, np.nan), "must hold 64 numbers from 0 to 1"),
        (np.full(64, 0.33), "must hold sixteenths"),
    ],
)
def test_an_example_that_is_no_picture_is_refused(example, said):
    with pytest.raises(ValueError, match=said):
        Recogniser(network(), {"mine": example})
