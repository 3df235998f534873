"""Attention: by hand, its weights, what the mask hides, and that it does not see the order of the steps."""

import numpy as np
import pytest
from cases import samples
from reference import constant, distance, keras
from test_layers_conv import built, gradient_errors

import nnlib as nn


def test_attention_over_two_steps_by_hand(record_check):
    """Q = x ln 3, K = V = x, O = 2 with x = 0, 1: scores of the second step are 0 and ln 3, so weights 1/4 and 3/4."""
    layer = built(nn.SelfAttention(), (2, 1), W=[[np.log(3), 1, 1]], O=[[2]])
    y = layer.forward(np.array([[[0.0], [1.0]]]))
    error = max(distance(y.ravel(), [1, 1.5]), distance(layer.weights[0, 0], [[1 / 2, 1 / 2], [1 / 4, 3 / 4]]))
    record_check("formulas", "SelfAttention over two steps", "calculation by hand", error, 1e-15)
    causal = built(nn.SelfAttention(causal=True), (2, 1), W=[[np.log(3), 1, 1]], O=[[2]])
    y = causal.forward(np.array([[[0.0], [1.0]]]))
    error = max(distance(y.ravel(), [0, 1.5]), distance(causal.weights[0, 0], [[1, 0], [1 / 4, 3 / 4]]))
    record_check("formulas", "SelfAttention over two steps, causal", "calculation by hand", error, 1e-15)


@pytest.mark.parametrize("causal", [False, True])
def test_the_weights_are_those_of_keras(causal, record_check):
    layer, x = nn.SelfAttention(3, causal), samples(2, 5, 6)
    layer.build((5, 6), np.random.default_rng(1), np.dtype("float64"))
    theirs = keras.layers.MultiHeadAttention(3, 2, use_bias=False)
    theirs.build((None, 5, 6), (None, 5, 6))
    parts = [part.reshape(6, 3, 2) for part in np.split(layer.params["W"], 3, axis=1)]
    theirs.set_weights([*parts, layer.params["O"].reshape(3, 2, 6)])
    y, weights = theirs(constant(x), constant(x), use_causal_mask=causal, return_attention_scores=True)
    error = max(distance(layer.forward(x), y), distance(layer.weights, weights))
    subject = f"SelfAttention, its weights{', causal' * causal}"
    record_check("framework", subject, "MultiHeadAttention of Keras on JAX", error, 1e-10)


@pytest.mark.parametrize("settings", [(1, False), (2, True)], ids=str)
def test_attention_has_the_right_derivative(settings):
    errors = gradient_errors([nn.Dense(4, "tanh"), nn.SelfAttention(*settings), nn.SelfAttention()], (5, 3))
    assert max(errors.values()) < 1e-7, errors


def test_a_causal_step_does_not_see_what_comes_after_it():
    layer, x = built(nn.SelfAttention(2, causal=True), (6, 4)), samples(3, 6, 4)
    before = layer.forward(x)
    x[:, 4:] = 99
    np.testing.assert_array_equal(layer.forward(x)[:, :4], before[:, :4])
    assert (layer.weights[:, :, np.triu(np.ones((6, 6), bool), 1)] == 0).all()
    np.testing.assert_allclose(layer.weights.sum(axis=-1), 1, rtol=1e-14)


def test_attention_does_not_see_the_order_of_the_steps():
    layer, x = built(nn.SelfAttention(2), (5, 4)), samples(3, 5, 4)
    order = [3, 0, 4, 1, 2]
    np.testing.assert_allclose(layer.forward(x)[:, order], layer.forward(x[:, order]), rtol=1e-12, atol=1e-14)


def test_of_a_single_step_all_is_taken():
    layer, x = built(nn.SelfAttention(2, causal=True), (1, 4)), samples(3, 1, 4)
    np.testing.assert_allclose(layer.forward(x), x @ layer.params["W"][:, 8:] @ layer.params["O"], rtol=1e-12)
    errors = gradient_errors([nn.Dense(4), nn.SelfAttention(2)], (1, 3))
    assert max(errors.values()) < 1e-7, errors


def test_each_projection_starts_with_the_fans_of_its_own_matrix():
    W = built(nn.SelfAttention(4), (3, 80)).params["W"]
    for part in np.split(W, 3, axis=1):
        np.testing.assert_allclose(part.var(), 2 / (80 + 80), rtol=0.05)


def test_attention_learns_to_fetch_the_marked_step():
    """The answer stands at a step that only its mark tells apart; without looking there, the error stays at 1."""
    rng = np.random.default_rng(0)
    X = np.zeros((400, 6, 4))
    X[:, :, 0] = rng.normal(size=(400, 6))
    place = rng.integers(0, 6, 400)
    X[np.arange(400), place, 1] = 3
    X[:, :, 2] = 1
    y = X[np.arange(400), place, 0][:, None]
    model = nn.Sequential([nn.SelfAttention(), nn.Flatten(), nn.Dense(1)], seed=1)
    model.fit(X, y, loss="mse", optimizer=nn.Adam(0.02), epochs=40)
    assert model.evaluate(X, y)["loss"] < 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SelfAttention(0), "heads must be a positive integer; got 0"),
        (
            lambda: nn.Sequential([nn.SelfAttention(3)]).build((5, 4)),
            "heads must divide the number of features, 4; got 3",
        ),
        (lambda: nn.Sequential([nn.SelfAttention()]).build(4), r"SelfAttention needs .*\(batch, time, features\); got"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
