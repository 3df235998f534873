"""The sizes that chapters plot are those of the arrays a model computes."""

import numpy as np
import pytest

import nnlib as nn
from nnlib.course.probe import rms, sizes_by_layer


def test_rms_is_the_root_of_the_mean_square():
    assert rms(np.array([[3.0, -4.0]])) == pytest.approx(np.sqrt(12.5))


def test_sizes_by_layer_match_two_layers_computed_by_hand():
    """Every figure of signal and gradient by depth would be shifted by a layer, or wrong."""
    model = nn.Sequential([nn.Dense(2, "relu"), nn.Dense(1)]).build(2)
    W1, W2 = np.array([[1.0, -1.0], [2.0, 0.0]]), np.array([[3.0], [5.0]])
    model.layers[0].params["W"][...], model.layers[1].params["W"][...] = W1, W2
    x, dy = np.array([[1.0, 2.0]]), np.array([[2.0]])
    # z = (5, -1), a = (5, 0), y = 15; da = 2·(3, 5) = (6, 10), dz = (6, 0), dx = (6·1, 6·2)
    signal, gradient = sizes_by_layer(model, x, dy)
    np.testing.assert_allclose(signal, [rms(x), np.sqrt(25 / 2), 15])
    np.testing.assert_allclose(gradient, [np.sqrt((36 + 144) / 2), np.sqrt((36 + 100) / 2), 2])


def test_sizes_by_layer_work_on_a_trained_model():
    """Training switches ∂L/∂x of the first layer off; a chapter measures after training, too."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 1))
    model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(1)])
    model.fit(X, y, loss="mse", optimizer=nn.SGD(0.1), epochs=1)
    before = model.params.copy()
    _, gradient = sizes_by_layer(model, X, np.ones((8, 1)))
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(model.params, before)


@pytest.mark.parametrize(
    ("model", "x", "dy", "message"),
    [
        ("model", np.ones((2, 3)), np.ones((2, 1)), "model must be a Sequential; got 'model'"),
        (None, np.ones((2, 4)), np.ones((2, 1)), "4"),
        (None, np.ones((2, 3)), np.ones((2, 2)), r"dy must have the shape of the output, \(2, 1\); got \(2, 2\)"),
        (None, np.ones((2, 3)), [1, 1], r"dy must have the shape of the output, \(2, 1\); got \(2,\)"),
    ],
)
def test_what_does_not_fit_the_model_is_named(model, x, dy, message):
    with pytest.raises(ValueError, match=message):
        sizes_by_layer(model or nn.Sequential([nn.Dense(1)]).build(3), x, dy)
