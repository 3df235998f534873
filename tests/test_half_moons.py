"""What the chapters on tuning share: the task, the repetitions, and the comparison in pairs."""

import half_moons
import numpy as np
import pytest

import nnlib as nn

FIRST = np.array([[0.1, 0.5, 12.0], [0.2, 0.7, 14.0], [0.3, 0.6, 16.0]])


def test_standard_error_and_pairs_are_those_by_hand():
    assert half_moons.standard_error([2, 4, 6]) == pytest.approx(2 / np.sqrt(3))
    mean, error = half_moons.paired(FIRST, FIRST - [[0, 0.1, 0], [0, 0.2, 0], [0, 0.3, 0]])
    assert (mean, error) == (pytest.approx(0.2), pytest.approx(0.1 / np.sqrt(3)))
    assert half_moons.paired(FIRST, FIRST - 1, column=2) == (pytest.approx(1), pytest.approx(0))


def test_layers_come_in_the_order_that_is_asked_for():
    names = [type(layer).__name__ for layer in half_moons.layers(4, 1, nn.BatchNorm, 0.5)]
    assert names == ["Dense", "BatchNorm", "Activation", "Dropout", "Dense"]
    assert len(half_moons.layers(depth=3)) == 7


def test_a_network_is_trained_and_scored_on_the_points_of_its_seed():
    def setting(seed):
        return half_moons.train(seed, half_moons.layers(4, 1), epochs=1)

    rows = half_moons.repeat(setting, 2)
    assert rows.shape == (2, 3)
    for seed, row in enumerate(rows):
        model = setting(seed)
        old = model.evaluate(*half_moons.data(seed))
        new = model.evaluate(half_moons.X_new, half_moons.y_new)
        assert row == pytest.approx([old["loss"], new["loss"], 100 - 100 * new["accuracy"]])


@pytest.mark.usefixtures("figures")
def test_comparison_shows_and_tells_means_and_errors(monkeypatch):
    monkeypatch.setattr(half_moons, "picture", lambda figure, alt: (figure, alt))
    figure, alt = half_moons.compare({"a": FIRST, "b": FIRST + 1}, "Two settings")
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == ["0.60", "1.60"]
    assert [text.get_text() for text in right.texts] == ["14.0", "15.0"]
    triangles = next(line for line in left.lines if line.get_marker() == "^")
    assert triangles.get_xydata() == pytest.approx(np.array([[0.2, 1], [1.2, 0]]))
    assert alt.startswith("Two settings. a: training loss 0.20, new loss 0.60 ± 0.06, wrong 14.0 ± 1.2 %; b: ")
