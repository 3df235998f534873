"""Plots: what is drawn is what was given, and wrong shapes are refused before a figure misleads."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import Circle

from nnlib.course import plots

pytestmark = pytest.mark.usefixtures("figures")


def line(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def draws(ax):
    """Render for real, where layout and text errors show (warnings are errors here)."""
    ax.figure.canvas.draw()
    return True


# --- style --------------------------------------------------------------------------------------------------


def test_drawing_leaves_the_settings_of_the_session_alone_and_style_changes_them():
    with matplotlib.rc_context():
        matplotlib.rcParams["font.size"] = 7.5
        plots.history({"loss": [1, 2]})
        assert matplotlib.rcParams["font.size"] == 7.5
        plots.style()
        assert matplotlib.rcParams["font.size"] == 12


def test_neighbouring_colours_can_be_told_apart_in_grey_or_by_their_dashes():
    grey = [np.dot((0.2126, 0.7152, 0.0722), to_rgb(colour)) for colour in plots.COLOURS]
    for i, (a, b) in enumerate(itertools.pairwise(grey)):
        assert abs(a - b) > 0.1 or plots.DASHES[i] != plots.DASHES[i + 1]
    assert len(plots.COLOURS) == len(plots.DASHES) == len(plots.MARKERS) == len(set(plots.COLOURS))


def test_a_given_axes_is_drawn_into_and_no_figure_made():
    _, ax = plt.subplots()
    assert plots.history({"loss": [1, 2]}, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_axes_and_numbers_that_are_none_are_named():
    _, both = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="ax must be one matplotlib Axes; got ndarray"):
        plots.history({"loss": [1, 2]}, ax=both)
    with pytest.raises(ValueError, match=r"history of loss must hold numbers, .* got \['low', 'lower'\]"):
        plots.history({"loss": ["low", "lower"]})
    with pytest.raises(ValueError, match=r"points must hold numbers, in rows of equal length; got \[\[1, 2\], \[3\]\]"):
        plots.path(both[0], [[1, 2], [3]])


# --- training -----------------------------------------------------------------------------------------------


def test_history_draws_training_and_validation_over_epochs_from_one():
    ax = plots.history({"loss": [3, 2, 1], "val_loss": [4, 3, 5], "rmse": [0, 0, 0]}, log=True, best="min")
    assert line(ax, "training").get_xydata().tolist() == [[1, 3], [2, 2], [3, 1]]
    assert line(ax, "validation").get_ydata().tolist() == [4, 3, 5]
    assert line(ax, "best: 3 in epoch 2").get_xydata().tolist() == [[2, 3]]
    assert (ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("log", "epoch", "loss")
    assert draws(ax)


def test_history_takes_the_best_of_an_accuracy_from_above_and_ignores_nan():
    ax = plots.history({"accuracy": [0.1, 0.9, 0.5, np.nan]}, "accuracy", best="max")
    assert line(ax, "best: 0.9 in epoch 2").get_xydata().tolist() == [[2, 0.9]]


def test_history_of_several_runs_tells_them_apart_by_colour_and_marker():
    ax = plots.history({"SGD": {"loss": [2, 1], "val_loss": [3, 2]}, "Adam": {"loss": [1, 0]}})
    sgd, adam = line(ax, "SGD"), line(ax, "Adam")
    assert sgd.get_ydata().tolist() == [2, 1]
    assert adam.get_ydata().tolist() == [1, 0]
    assert sgd.get_color() != adam.get_color()
    assert sgd.get_marker() != adam.get_marker()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["SGD", "Adam", "training", "validation"]


def test_history_names_the_metrics_there_are():
    with pytest.raises(ValueError, match="metric must be one of loss, rmse; got 'mae'"):
        plots.history({"loss": [1], "rmse": [1]}, "mae")
    with pytest.raises(ValueError, match="best must be 'min', 'max' or None; got 'least'"):
        plots.history({"loss": [1]}, best="least")
    with pytest.raises(ValueError, match="history must be what fit returns, or a dict of such by name; got list"):
        plots.history([3, 2, 1])


def test_signal_by_layer_draws_each_setting_over_its_layers():
    ax = plots.signal_by_layer({"He": [1, 1, 1], "N(0, 1)": [1, 10, 100]}, reference=1.0, first_layer=0)
    assert line(ax, "N(0, 1)").get_xydata().tolist() == [[0, 1], [1, 10], [2, 100]]
    assert ax.get_yscale() == "log"
    for nothing in ({}, [1, 2]):
        with pytest.raises(ValueError, match="series must be a dict of one setting or more; got"):
            plots.signal_by_layer(nothing)


def test_signal_that_vanishes_or_explodes_can_still_be_drawn():
    assert draws(plots.signal_by_layer({"zeros": [1, 0, 0], "N": [1, 1e200, np.inf]}))


def test_bars_with_errors_put_first_name_on_top_with_its_mean_and_whisker():
    ax = plots.bars_with_errors(["a", "b"], [3.0, 5.0], [0.5, 1.0], reference=4)
    labels = {tick: label.get_text() for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)}
    assert labels == {1: "a", 0: "b"}
    whisker = next(c for c in ax.collections if isinstance(c, LineCollection))
    assert [segment.tolist() for segment in whisker.get_segments()] == [
        [[2.5, 1], [3.5, 1]],
        [[4, 0], [6, 0]],
    ]
    assert texts(ax) == ["3", "5"]
    with pytest.raises(ValueError, match=r"names must be as many names as means, 2; got \['a'\]"):
        plots.bars_with_errors(["a"], [1, 2], [1, 1])
    with pytest.raises(ValueError, match=r"errors not negative; got \[1.\] and \[-1.\]"):
        plots.bars_with_errors(["a"], [1], [-1])


def test_squares_are_tinted_by_size_and_sign_and_hold_their_numbers():
    ax = plots.squares([[0, -2], [1, 4]], largest=4, shown=[[1, 1], [1, 0]], frame=(0, 1, 2, 1), title="filter")
    assert texts(ax) == ["0", "−2", "1"]
    assert ax.get_title() == "filter"
    *boxes, frame = ax.patches
    assert [box.get_xy() for box in boxes] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    zero, minus, one, hidden = (np.array(box.get_facecolor()[:3]) for box in boxes)
    assert (zero == 1).all()
    assert (hidden == 1).all()
    assert minus[2] > minus[0] + 0.2
    assert one[0] > one[2] + 0.1
    assert minus.min() < one.min()
    assert (frame.get_xy(), frame.get_width(), frame.get_height(), frame.get_fill()) == ((1, 0), 1, 2, False)
    strongest = plots.squares([[0, 5], [10, -5]]).patches[2].get_facecolor()
    assert strongest == plots.squares([[3]], largest=3).patches[0].get_facecolor()
    assert strongest == plots.squares([[7]], largest=3).patches[0].get_facecolor()
    assert texts(plots.squares([[0]])) == ["0"]
    assert draws(ax)


def test_squares_stand_as_the_table_does_with_the_numbers_in_them():
    ax = plots.squares([[1, -2, 3], [4, 5, 6]], fmt="{:.1f}")
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert list(places) == ["1.0", "−2.0", "3.0", "4.0", "5.0", "6.0"]
    assert list(places.values()) == [(j + 0.5, i + 0.5) for i in (0, 1) for j in (0, 1, 2)]
    assert ax.get_xlim() == (-0.1, 3.1)
    assert ax.get_ylim() == (2.1, -0.1)  # the first row is on top
    assert ax.get_aspect() == 1


def test_tints_can_be_compared_between_tables_and_the_largest_may_be_negative():
    half, whole = (plots.squares([[2]], largest=n).patches[0].get_facecolor() for n in (4, 2))
    assert min(half) > min(whole) + 0.1
    assert half == plots.squares([[2, 4]]).patches[0].get_facecolor()
    assert half == plots.squares([[2, -4]]).patches[0].get_facecolor()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numbers": [1, 2]}, "numbers must be a table of finite numbers, with one row at least; got"),
        ({"numbers": [[np.nan]]}, "numbers must be a table of finite numbers"),
        ({"numbers": [[1]], "shown": [[1, 0]]}, r"shown must have the shape of numbers, \(1, 1\); got \(1, 2\)"),
        ({"numbers": [[1]], "largest": 0}, "largest must be a positive number; got 0"),
    ],
)
def test_squares_name_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.squares(**arguments)


# --- predictions of numbers ---------------------------------------------------------------------------------


def test_predicted_vs_actual_states_the_errors_computed_by_hand():
    """Errors 1, −1, 0, 2: RMSE √(6/4), MAE 1, R² = 1 − 6/5 around the mean 2.5."""
    ax = plots.predicted_vs_actual([1, 2, 3, 4], [[2], [1], [3], [6]], unit="m")
    assert texts(ax) == ["RMSE 1.225\nMAE 1\nR² -0.200"]
    assert ax.collections[0].get_offsets().tolist() == [[1, 2], [2, 1], [3, 3], [4, 6]]
    diagonal = line(ax, "perfect prediction")
    assert (diagonal.get_xdata() == diagonal.get_ydata()).all()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("actual (m)", "predicted (m)")
    assert draws(ax)


def test_r2_of_a_constant_truth_is_not_divided_by_zero():
    assert "R² –" in texts(plots.predicted_vs_actual([2, 2], [1, 3]))[0]


@pytest.mark.parametrize("draw", [plots.predicted_vs_actual, plots.roc, plots.calibration])
def test_truth_and_prediction_of_different_length_are_refused_not_broadcast(draw):
    with pytest.raises(ValueError, match="must have the same length; got 3 and 1"):
        draw([0, 1, 1], [0.5])
    with pytest.raises(ValueError, match=r"must have shape \(N,\) or \(N, 1\) with N ≥ 1; got \(2, 2\)"):
        draw([0, 1], [[0, 1], [1, 0]])


# --- tables and classes -------------------------------------------------------------------------------------


def test_heatmap_writes_each_number_into_its_own_cell():
    ax = plots.heatmap([[1, 2, 3], [4, 5, 1e-6]], ["r0", "r1"], ["a", "b", "c"], log=True, label="x")
    assert {text.get_position(): text.get_text() for text in ax.texts} == {
        (0, 0): "1", (1, 0): "2", (2, 0): "3", (0, 1): "4", (1, 1): "5", (2, 1): "1e-06",
    }  # fmt: skip
    assert [label.get_text() for label in ax.get_yticklabels()] == ["r0", "r1"]
    assert draws(ax)


def test_heatmap_text_stands_out_from_its_cell():
    """Contrast of text and colour at least 4.5 : 1 (WCAG AA) all along the colour scale."""
    ax = plots.heatmap(np.linspace(0, 1, 24).reshape(2, 12), "ab", [str(i) for i in range(12)])
    image = ax.images[0]

    def luminance(colour):
        rgb = np.array(to_rgb(colour))
        return np.dot((0.2126, 0.7152, 0.0722), np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4))

    for text in ax.texts:
        column, row = text.get_position()
        cell = luminance(image.cmap(image.norm(image.get_array()[row, column]))[:3])
        ink = luminance(text.get_color())
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5


def test_heatmap_says_nan_infinity_and_zero_on_a_logarithmic_scale():
    ax = plots.heatmap([[np.nan, np.inf, -np.inf, 0, 10]], ["r"], list("abcde"), log=True)
    assert texts(ax) == ["nan", "∞", "−∞", "0", "10"]
    assert draws(ax)
    assert draws(plots.heatmap([[np.nan]], ["r"], ["c"]))
    assert draws(plots.heatmap([[0.0, 0.0]], ["r"], ["a", "b"], log=True))


def test_heatmap_refuses_names_that_do_not_fit():
    with pytest.raises(ValueError, match=r"rows must be as many names as the table has rows, 1; got \['a', 'b'\]"):
        plots.heatmap([[1, 2]], ["a", "b"], ["c"])
    with pytest.raises(ValueError, match="columns must be as many names as the table has columns, 2; got 3"):
        plots.heatmap([[1, 2]], ["a"], 3)
    with pytest.raises(ValueError, match=r"limits must be two finite numbers, the smaller first; got \(2, 1\)"):
        plots.heatmap([[1, 2]], ["a"], ["b", "c"], limits=(2, 1))
    with pytest.raises(ValueError, match=r"limits must be positive on a logarithmic scale; got \(0, 1\)"):
        plots.heatmap([[1, 2]], ["a"], ["b", "c"], limits=(0, 1), log=True)


def test_confusion_shows_counts_and_the_share_of_each_row():
    ax = plots.confusion([[8, 2], [0, 0]], ["ill", "well"])
    assert texts(ax) == ["8\n80%", "2\n20%", "0\n0%", "0\n0%"]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("actual", "predicted")
    assert texts(plots.confusion(np.eye(10, dtype=int), list("0123456789")))[:2] == ["1", "0"]
    with pytest.raises(ValueError, match="whole numbers"):
        plots.confusion([[0.5, 0.5], [0, 1]], ["a", "b"])
    with pytest.raises(ValueError, match="labels must be as many names as classes, 2; got 'abc'"):
        plots.confusion([[1, 0], [0, 1]], "abc")


def test_roc_area_is_the_share_of_pairs_in_the_right_order():
    """The area under the curve is P(score of a positive > score of a negative), ties counting half."""
    rng = np.random.default_rng(1)
    y, score = rng.integers(0, 2, 60), rng.integers(0, 9, 60) / 9
    right = score[y == 1][:, None] - score[y == 0][None, :]
    area = np.mean((right > 0) + 0.5 * (right == 0))
    ax = plots.roc(y, score)
    curve = line(ax, f"model (area {area:.3f})")
    assert curve.get_xydata()[[0, -1]].tolist() == [[0, 0], [1, 1]]
    with pytest.raises(ValueError, match="y_true must hold both classes 0 and 1"):
        plots.roc([1, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="score must be finite; got nan"):
        plots.roc([0, 1], [0.1, np.nan])


def test_calibration_puts_the_share_that_came_true_over_the_mean_probability_of_the_bin():
    ax = plots.calibration([0, 1, 1, 1], [0.1, 0.2, 0.8, 1.0], bins=2)
    points = next(container for container in ax.containers).lines[0]
    np.testing.assert_allclose(points.get_xydata(), [[0.15, 0.5], [0.9, 1.0]])
    with pytest.raises(ValueError, match=r"probability must be in \[0, 1\]; got 0 to 2"):
        plots.calibration([0, 1], [0, 2])
    with pytest.raises(ValueError, match=r"probability must be in \[0, 1\]; got nan"):
        plots.calibration([0, 1], [0, np.nan])
    with pytest.raises(ValueError, match=r"y_true must hold the classes 0 and 1; got \[1. 2.\]"):
        plots.calibration([1, 2], [0, 1])
    with pytest.raises(ValueError, match=r"bins must be a positive integer.*; got 0"):
        plots.calibration([0, 1], [0, 1], bins=0)


X = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])


@pytest.mark.parametrize(
    "predict",
    [
        lambda points: (points[:, 0] > 0).astype(float),
        lambda points: 1 / (1 + np.exp(-points[:, :1])),
        lambda points: np.stack([-points[:, 0], points[:, 0]], axis=1),
    ],
    ids=["labels", "probabilities (N, 1)", "scores (N, 2)"],
)
def test_decision_regions_colour_both_sides_and_show_the_samples(predict):
    ax = plots.decision_regions(predict, X, [[0], [1], [1]], resolution=40, names=["left", "right"])
    mesh = ax.collections[0]
    rgba = mesh.to_rgba(mesh.get_array()).reshape(40, 40, 4)
    assert not np.allclose(rgba[20, 2], rgba[20, -3])
    samples = {c.get_label(): c.get_offsets().tolist() for c in ax.collections if len(c.get_offsets())}
    assert samples["left"] == X[:1].tolist()
    assert samples["right"] == X[1:].tolist()
    assert draws(ax)


def test_decision_regions_take_one_hot_classes_and_refuse_other_shapes():
    ax = plots.decision_regions(lambda p: np.zeros((len(p), 3)), X, np.eye(3), resolution=5)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["class 0", "class 1", "class 2"]
    with pytest.raises(ValueError, match=r"X must have shape \(N, 2\); got \(2, 3\)"):
        plots.decision_regions(len, np.ones((2, 3)), [0, 1])
    with pytest.raises(ValueError, match="X and y must have the same length; got 3 and 2"):
        plots.decision_regions(len, X, [0, 1])
    with pytest.raises(ValueError, match=r"predict must return \(25,\) or \(25, k\); got \(3,\)"):
        plots.decision_regions(lambda p: np.zeros(3), X, [0, 1, 1], resolution=5)
    with pytest.raises(ValueError, match=r"y must hold classes from 0 to 1, .* got \[0.0, 1.0, 7.0\]"):
        plots.decision_regions(lambda p: p[:, 0], X, [0, 1, 7], resolution=5)
    with pytest.raises(ValueError, match="names must be as many names as classes, 2; got"):
        plots.decision_regions(lambda p: p[:, 0], X, [0, 1, 1], resolution=5, names=["a"])
    with pytest.raises(ValueError, match="predict must be a function; got 3"):
        plots.decision_regions(3, X, [0, 1, 1])


def test_half_planes_colour_the_side_on_which_a_neuron_says_1():
    _, ax = plt.subplots()
    show = plots.half_planes(ax, X, [0, 1, 1], (-2, 2), (-1, 3), names=("dry", "wet"))
    points = {c.get_label(): c.get_offsets().tolist() for c in ax.collections}
    assert points == {"dry": X[:1].tolist(), "wet": X[1:].tolist()}
    (boundary,), (side,) = ax.lines, ax.patches
    show([3, 4], -5)
    np.testing.assert_allclose(boundary.get_xydata() @ [3, 4], 5)
    assert side.get_path().contains_points([[3, 4], [-3, -4]]).tolist() == [True, False]
    show([-3, -4], 5)  # the same line, the sides changed
    assert side.get_path().contains_points([[3, 4], [-3, -4]]).tolist() == [False, True]
    for b, everywhere in ((1, True), (-1, False), (0, False)):  # no weights, no line
        show([0, 0], b)
        assert side.get_path().contains_points([[-2, -1], [2, 3]]).tolist() == [everywhere] * 2
    assert draws(ax)
    for points, classes in ((X[:, :1], [0, 1, 1]), (X, [0, 1])):
        with pytest.raises(ValueError, match=r"X and y must have the shapes \(N, 2\) and \(N,\); got"):
            plots.half_planes(ax, points, classes, (-1, 1), (-1, 1))
    with pytest.raises(ValueError, match="names must be as many names as classes, 2; got 'abc'"):
        plots.half_planes(ax, X, [0, 1, 1], (-1, 1), (-1, 1), "abc")


# --- functions and paths over them --------------------------------------------------------------------------


def test_curve_with_tangent_touches_the_curve_with_the_slope_given_and_steps_along_the_curve():
    ax = plots.curve_with_tangent(lambda x: x**2, 1.0, 2.0, step=-0.5, xlim=(-1, 2))
    tangent = line(ax, "slope 2")
    assert np.polyfit(*tangent.get_xydata().T, 1) == pytest.approx([2, -1])  # y = 2x − 1 touches x² in (1, 1)
    arrow = ax.texts[0]
    assert (arrow.xyann, arrow.xy) == ((1.0, 1.0), (0.5, 0.25))
    with pytest.raises(ValueError, match="f must work element by element"):
        plots.curve_with_tangent(lambda x: 1.0, 0, 0)


def test_surface_is_lowest_where_the_function_is_and_paths_keep_to_its_frame():
    ax = plots.surface(lambda x, y: x**2 + 10 * y**2, (-2, 2), (-1, 1), minimum=(0, 0))
    points = [[1.5, 0.5], [1.0, -0.3], [50.0, 0.0], [np.nan, 0], [0, 0]]
    plots.path(ax, points, label="SGD")
    assert line(ax, "SGD").get_xydata().tolist() == points[:3]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-1, 1))
    assert ax.lines[0].get_xydata().tolist() == [[0, 0]]
    assert draws(ax)


def test_surface_levels_follow_the_ratio_of_heights_or_their_difference():
    ax = plots.surface(lambda x, y: 5 + x**2 + 0 * y, (0, 2), (0, 1), log=True, levels=8)
    heights = np.diff(ax.collections[0].levels)[1:]
    np.testing.assert_allclose(heights[1:] / heights[:-1], heights[1] / heights[0])
    ax = plots.surface(lambda x, y: 5 + x**2 + 0 * y, (0, 2), (0, 1), log=False, levels=8)
    np.testing.assert_allclose(np.diff(ax.collections[0].levels), 0.5)


def test_surface_and_path_refuse_what_cannot_be_drawn():
    with (
        pytest.raises(ValueError, match="f must be finite over xlim × ylim; got nan or inf"),
        np.errstate(all="ignore"),
    ):
        plots.surface(lambda x, y: np.log(x + y), (-1, 1), (-1, 1))
    with pytest.raises(ValueError, match="f must not be constant"):
        plots.surface(lambda x, y: 0 * x, (-1, 1), (-1, 1))
    with pytest.raises(ValueError, match=r"f must return an array of shape \(161, 161\); got \(\)"):
        plots.surface(lambda x, y: 1.0, (-1, 1), (-1, 1))
    for arguments, message in (
        ({"xlim": (1, 0)}, "xlim must be two finite numbers, the smaller first"),
        ({"minimum": 3}, "minimum must be one point"),
        ({"levels": 0}, "levels must be a positive integer"),
        ({"labels": "x"}, "labels must be as many names as axes, 2; got 'x'"),
    ):
        with pytest.raises(ValueError, match=message):
            plots.surface(**{"f": lambda x, y: x + y, "xlim": (0, 1), "ylim": (0, 1)} | arguments)
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match=r"points must have shape \(T, 2\) with T ≥ 1; got \(3,\)"):
        plots.path(ax, [1, 2, 3])
    with pytest.raises(ValueError, match="points must begin with a finite position"):
        plots.path(ax, [[np.nan, 0], [1, 1]])


def test_a_trail_moves_to_the_points_it_is_given_and_ends_where_they_are_lost():
    ax = plots.surface(lambda x, y: x**2 + y**2, (-2, 2), (-2, 2))
    put = plots.trail(ax, colour=plots.BLUE, marker="v")
    for points, kept in (([[1, 1], [0, 1]], 2), ([[1, 1], [0, 0], [np.nan, 0], [1, 0]], 2), ([[np.inf, 0]], 0)):
        put(points)
        way, head = ax.lines[-2:]
        assert way.get_xydata().tolist() == points[:kept]
        assert head.get_xydata().tolist() == points[:kept][-1:]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-2, 2))
    assert (way.get_color(), way.get_marker()) == (plots.BLUE, "v")
    assert draws(ax)
    with pytest.raises(ValueError, match=r"points must have shape \(T, 2\); got \(3,\)"):
        put([1, 2, 3])


def test_each_optimizer_has_a_colour_and_a_marker_of_its_own():
    assert all(len(set(kinds)) == len(plots.OPTIMIZERS) for kinds in zip(*plots.OPTIMIZERS.values(), strict=True))


# --- networks -----------------------------------------------------------------------------------------------


def edges(ax):
    return [c for c in ax.collections if isinstance(c, LineCollection)]


def neurons(ax):
    return [patch for patch in ax.patches if isinstance(patch, Circle)]


def test_network_draws_every_unit_and_every_weight():
    ax = plots.network([3, 5, 2], activations=["ReLU", "softmax"])
    assert len(neurons(ax)) == 10
    assert [len(collection.get_segments()) for collection in edges(ax)] == [15, 10]
    assert {"3", "5 × ReLU", "2 × softmax"} <= set(texts(ax))
    assert draws(ax)


def test_network_leaves_out_the_middle_of_large_layers_and_says_how_many_there_are():
    ax = plots.network([3, 26, 364])
    assert len(neurons(ax)) == 3 + 7 + 7
    assert [len(collection.get_segments()) for collection in edges(ax)] == [21, 49]
    assert texts(ax).count("⋮") == 2
    assert {"26", "364"} <= set(texts(ax))
    heights = sorted(patch.center[1] for patch in neurons(ax)[-7:])
    assert np.allclose(np.diff(heights), [1, 1, 2, 1, 1, 1])  # the dots stand in the gap


def test_network_shows_size_and_sign_of_each_weight():
    W = [np.array([[1.0, -4.0], [0.0, 2.0]])]
    ax = plots.network([2, 2], W, show_weights=True)
    (lines,) = edges(ax)
    widths = dict(zip(["00", "01", "10", "11"], lines.get_linewidths(), strict=True))
    assert widths["01"] > widths["11"] > widths["00"] > widths["10"]
    blue, vermillion = to_rgba(plots.BLUE)[:3], to_rgba(plots.VERMILLION)[:3]
    assert [tuple(colour[:3]) for colour in lines.get_colors()] == [blue, vermillion, blue, blue]
    assert {"1", "−4", "0", "2"} <= set(texts(ax))


def test_network_writes_the_values_of_the_units_that_are_drawn():
    ax = plots.network([2, 12, 1], values=[[0.5, -1.25], np.arange(12), None])
    shown = texts(ax)
    assert {"0.5", "−1.25", "0", "3", "9", "11"} <= set(shown)
    assert "5" not in shown


def test_network_writes_values_in_the_hundreds_in_full():
    """A reader who computes 364 by hand must find 364 in the drawing, not 4e+02."""
    ax = plots.network([2, 2], values=[[364, -1215], [99.5, 1e5]])
    assert {"364", "−1215", "99.5", "1e+05"} <= {text.get_text() for text in ax.texts}


def test_network_highlight_makes_weights_strong_and_the_others_step_back():
    ax = plots.network([2, 2, 1], highlight=[(0, 1, 0), (1, 0)])
    alpha = [colour[3] for colour in edges(ax)[0].get_colors()]
    assert alpha[2] == 1
    assert max(alpha[:2] + alpha[3:]) < 0.3
    marked = [patch.get_linewidth() > 2 for patch in neurons(ax)]
    assert marked == [False, False, True, False, False]


def test_network_keeps_the_weights_of_lines_that_step_back_in_grey():
    """A silent unit has weights all the same, and a reader looks for inputs that wake it."""
    ax = plots.network([2, 1], [[[4], [-5]]], highlight=[(0, 0, 0)], show_weights=True)
    assert {text.get_text(): text.get_color() for text in ax.texts if text.get_text() in ("4", "−5")} == {
        "4": plots.BLUE,
        "−5": plots.GREY,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3],), r"layer_sizes must be two or more positive integers; got \[3\]"),
        ((3,), "layer_sizes must be two or more positive integers; got 3"),
        (([3, 0],), "layer_sizes must be a positive integer.*; got 0"),
        (([3, 1.5],), "layer_sizes must be a positive integer.*; got 1.5"),
        (([2, 3], 3), "weights must be a list with an entry for each layer; got 3"),
        (([2, 3], None, "relu"), "activations must be a list with an entry for each layer; got 'relu'"),
        (([2, 1], None, None, None, [("a", 0)]), r"highlight must hold .* got \('a', 0\)"),
        (([2, 1], None, None, None, [(1,)]), r"highlight must hold .* got \(1,\)"),
        (([2, 1], None, None, None, [1]), r"highlight must hold .* got \[1\]"),
        (([2, 3], [np.ones((3, 2))]), r"weights must have the shapes \[\(2, 3\)\]; got \[\(3, 2\)\]"),
        (([2, 3, 1], None, ["relu"]), r"activations must be 2, one per layer after the input; got 1"),
        (
            ([2, 1], None, None, [[1], [1]]),
            r"values must have \[2, 1\] numbers per layer \(or None\); got \[1, 1\]",
        ),
        (
            ([2, 1], None, None, None, [(0, 2)]),
            r"highlight must hold .* inside layers \[2, 1\]; got \(0, 2\)",
        ),
        (([2, 1], None, None, None, [(1, 0, 0)]), r"highlight must hold .* got \(1, 0, 0\)"),
    ],
)
def test_network_names_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.network(*arguments)


# --- maps ---------------------------------------------------------------------------------------------------

COUNTRY = {"x": [10.0, 200.0, 490.0, 300.0], "y": [5.0, 380.0, 100.0, 200.0], "R": [1.5, 2.0, np.nan, 3.0],
           "kind": ["town", "city", "town", "remote"], "people": [1.0, 2.0, 3.0, 2.0]}  # fmt: skip


def test_a_map_of_numbers_puts_each_region_in_its_place_with_its_colour_and_area():
    ax = plots.region_map(COUNTRY, "R", sizes="people", label="R", limits=(1, 4))
    points, missing = ax.collections
    assert points.get_offsets().tolist() == [[10, 5], [200, 380], [300, 200]]
    assert points.get_array().tolist() == [1.5, 2.0, 3.0]
    assert points.get_clim() == (1, 4)
    assert points.get_sizes() == pytest.approx([22, 44, 44])
    assert missing.get_offsets().tolist() == [[490, 100]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["missing"]
    assert [axes.get_ylabel() for axes in ax.figure.axes] == ["km from south to north", "R"]
    assert draws(ax)


def test_a_map_of_numbers_alone_has_no_legend():
    ax = plots.region_map(COUNTRY, [1, 2, 3, 4])
    assert len(ax.collections) == 1
    assert ax.get_legend() is None


def test_a_map_of_categories_tells_them_apart_by_colour_and_marker():
    ax = plots.region_map(COUNTRY, "kind", label="kind")
    assert [part.get_label() for part in ax.collections] == ["city", "remote", "town"]
    assert [part.get_offsets().tolist() for part in ax.collections] == [
        [[200, 380]], [[300, 200]], [[10, 5], [490, 100]]
    ]  # fmt: skip
    assert len({to_rgba(part.get_facecolor()[0]) for part in ax.collections}) == 3
    assert len({part.get_paths()[0].vertices.tobytes() for part in ax.collections}) == 3
    assert ax.get_legend().get_title().get_text() == "kind"
    assert draws(ax)


def test_a_map_lies_as_the_country_does_and_shows_what_was_asked_for():
    ax = plots.region_map(COUNTRY, "R", cmap="cividis")
    assert ax.get_xlabel() == "km from west to east"
    assert (ax.get_aspect(), ax.get_xlim(), ax.get_ylim()) == (1, (-12, 512), (-12, 412))
    points, missing = ax.collections
    assert points.get_cmap().name == "cividis"
    assert points.get_clim() == (1.5, 3)
    assert to_rgba(missing.get_edgecolor()[0]) == to_rgba(plots.GREY)
    assert len(missing.get_paths()[0].vertices) == 4  # the two strokes of a cross
    sized = plots.region_map(COUNTRY, "kind", sizes="people")
    assert [part.get_sizes().tolist() for part in sized.collections] == [[44], [44], [22, 66]]


@pytest.mark.parametrize(("count", "legend"), [(1, True), (8, True), (9, False)])
def test_a_map_of_up_to_eight_categories_has_a_legend(count, legend):
    place = np.arange(float(count))
    ax = plots.region_map({"x": place, "y": place}, [str(n) for n in range(count)])
    assert (ax.get_legend() is not None) == legend


def test_numbers_become_categories_where_these_are_given_and_the_noise_is_in_no_legend():
    ax = plots.region_map(COUNTRY, [1, -1, 0, 1], categories={0: "coast", 1: "river", 2: "hills"}, others=-1)
    assert [part.get_label() for part in ax.collections[:3]] == ["coast", "river", "hills"]
    assert [len(part.get_offsets()) for part in ax.collections] == [1, 2, 0, 1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["coast", "river", "hills"]
    assert plots.region_map(COUNTRY, [1, 1, 0, 1], categories=[0, 1]).collections[1].get_label() == "1"


def test_up_to_49_categories_look_different_and_many_have_no_legend():
    place = np.arange(49.0)
    ax = plots.region_map({"x": place, "y": place}, [f"{n:02}" for n in range(49)])
    looks = {(to_rgba(p.get_facecolor()[0]), p.get_paths()[0].vertices.tobytes()) for p in ax.collections}
    assert len(looks) == 49
    assert ax.get_legend() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": "age"}, "values must be a column of the table, or one value for each region; got 'age'"),
        ({"values": [1, 2]}, r"values must be one for each of 4 regions; got the shape \(2,\)"),
        ({"values": "R", "sizes": [1, 2, 3, 0]}, "sizes must be a number above 0 for each of 4 regions; got"),
        ({"values": "R", "sizes": "age"}, "sizes must be a column of the table"),
        ({"values": "R", "limits": (3, 1)}, "limits must be two finite numbers, the smaller first; got"),
        ({"values": "kind", "limits": (1, 3)}, "limits must be left out where values are categories; got"),
        ({"values": "kind", "categories": ["city", "town"]}, "categories must hold all values; 'remote' is not in"),
        ({"values": "R", "table": {"y": [1.0]}}, "x must be a column of the table"),
    ],
)
def test_a_map_names_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.region_map(**{"table": COUNTRY} | arguments)


# --- pictures -----------------------------------------------------------------------------------------------


def test_pictures_shows_each_as_it_is_with_its_title_and_the_outline_of_its_mask():
    X = np.random.default_rng(0).random((3, 2, 4, 3))
    masks = np.zeros((3, 2, 4), bool)
    masks[1, 0, 1:3] = True
    axes = plots.pictures(X, ["a", "", 3], masks=masks, columns=2)
    assert [ax.get_title() for ax in axes] == ["a", "", "3"]
    for ax, picture in zip(axes, X, strict=True):
        assert np.array_equal(ax.images[0].get_array(), picture)
    assert [len(ax.collections) for ax in axes] == [0, 1, 0]
    sides = {frozenset(map(tuple, side.tolist())) for side in axes[1].collections[0].get_segments()}
    corners = [(0.5, -0.5), (1.5, -0.5), (2.5, -0.5), (2.5, 0.5), (1.5, 0.5), (0.5, 0.5)]
    assert sides == {frozenset(pair) for pair in zip(corners, [*corners[1:], corners[0]], strict=True)}
    assert [len(ax.images) for ax in axes[0].figure.axes] == [1, 1, 1, 0]
    assert not axes[0].axison
    assert draws(axes[0])


def test_pictures_in_grey_share_one_scale():
    axes = plots.pictures([[[0.0, 2.0]], [[5.0, 3.0]]])
    assert [ax.images[0].get_clim() for ax in axes] == [(0, 5), (0, 5)]
    one = plots.pictures(np.ones((9, 2, 2, 1)), limits=(0, 2))
    assert one[0].images[0].get_clim() == (0, 2)
    assert one[0].get_gridspec().ncols == 8
    assert draws(one[0])
    higher = plots.pictures([[[4.0, 6.0]], [[5.0, 9.0]]])[0].images[0]
    assert higher.get_clim() == (4, 9)
    assert higher.get_interpolation() == "nearest"
    assert [higher.cmap(higher.norm(v))[0] for v in (4.0, 9.0)] == [1, 0]  # the largest is black


def test_outlines_have_the_colour_asked_for_and_lie_on_their_own_picture():
    masks = np.zeros((2, 3, 3), bool)
    masks[0, 0, 0] = masks[1, 2, 1] = True
    outlines = [ax.collections[0] for ax in plots.pictures(np.ones((2, 3, 3)), masks=masks, colour=plots.ORANGE)]
    assert [to_rgba(lines.get_colors()[0]) for lines in outlines] == [to_rgba(plots.ORANGE)] * 2
    middles = [np.mean([side.mean(axis=0) for side in lines.get_segments()], axis=0) for lines in outlines]
    assert np.allclose(middles, [(0, 0), (1, 2)])  # column, row
    plain = plots.pictures(np.ones((1, 3, 3)), masks=masks[:1])[0].collections[0]
    assert to_rgba(plain.get_colors()[0]) == to_rgba(plots.GREEN)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": np.ones((2, 3))}, r"X must have shape \(N, height, width\) or .* got \(2, 3\)"),
        ({"X": np.ones((0, 3, 3))}, r"X must have shape .* got \(0, 3, 3\)"),
        ({"X": np.ones((2, 3, 3, 2))}, r"X must have shape .* got \(2, 3, 3, 2\)"),
        ({"X": np.full((1, 2, 2, 3), 255)}, "X must hold colours from 0 to 1; got values from 255 to 255"),
        ({"X": np.ones((1, 2, 2, 3)), "limits": (0, 1)}, "limits must be left out where X is in colour"),
        ({"limits": (1, 0)}, "limits must be two finite numbers, the smaller first"),
        ({"titles": ["a"]}, "titles must be as many names as pictures, 2; got"),
        ({"masks": np.zeros((2, 3, 3))}, r"masks must be True or False .* \(2, 3, 3\); got float64 of shape"),
        ({"masks": np.zeros((2, 3, 4), bool)}, r"masks must be .* got bool of shape \(2, 3, 4\)"),
        ({"columns": 0}, "columns must be a positive integer; got 0"),
    ],
)
def test_pictures_names_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        plots.pictures(**{"X": np.ones((2, 3, 3))} | arguments)
