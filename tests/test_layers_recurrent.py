"""RNN and LSTM: two steps by hand, finite differences through time, and a memory that is needed."""

from math import exp, tanh

import numpy as np
import pytest
from reference import constant, distance, keras
from test_layers_conv import built, gradient_errors

import nnlib as nn


def sigma(z):
    return 1 / (1 + exp(-z))


def test_lstm_on_a_two_step_sequence_by_hand(record_check):
    """A swapped gate, a missing state or a wrong order of W's columns would change these numbers."""
    W, U, b = [0.5, -0.3, 0.8, 0.2], [0.1, 0.4, -0.6, 0.7], [0.0, 1.0, 0.1, -0.2]  # columns i, f, g, o
    x1, x2 = 1.0, -2.0
    c1 = sigma(0.5 * x1) * tanh(0.8 * x1 + 0.1)  # there is no c0 to keep
    h1 = sigma(0.2 * x1 - 0.2) * tanh(c1)
    c2 = sigma(-0.3 * x2 + 0.4 * h1 + 1.0) * c1 + sigma(0.5 * x2 + 0.1 * h1) * tanh(0.8 * x2 - 0.6 * h1 + 0.1)
    h2 = sigma(0.2 * x2 + 0.7 * h1 - 0.2) * tanh(c2)
    x = np.reshape([x1, x2], (1, 2, 1))
    every = built(nn.LSTM(1, return_sequences=True), (2, 1), W=[W], U=[U], b=b).forward(x)
    error = np.abs(every.ravel() - [h1, h2]).max()
    record_check("formulas", "LSTM on a sequence of two steps", "calculation by hand", error, 1e-15)
    last = built(nn.LSTM(1), (2, 1), W=[W], U=[U], b=b).forward(x)
    np.testing.assert_array_equal(last, every[:, -1])


def test_rnn_on_a_two_step_sequence_by_hand(record_check):
    h1 = tanh(0.5 * 1.0 + 0.1)
    h2 = tanh(0.5 * -2.0 - 0.7 * h1 + 0.1)
    x = np.reshape([1.0, -2.0], (1, 2, 1))
    every = built(nn.RNN(1, return_sequences=True), (2, 1), W=[[0.5]], U=[[-0.7]], b=[0.1]).forward(x)
    error = np.abs(every.ravel() - [h1, h2]).max()
    record_check("formulas", "RNN on a sequence of two steps", "calculation by hand", error, 1e-15)


@pytest.mark.parametrize("time", [1, 2, 5])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM])
def test_gradients_go_back_through_all_steps(layer, return_sequences, time):
    """Of W, U, b and of the inputs at every time: a truncated or misplaced step would be off by far more than 1e-7."""
    errors = gradient_errors([layer(3, return_sequences)], (time, 2))
    assert max(errors.values()) < 1e-7, errors


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM])
def test_recurrent_layers_stack(layer):
    layers = [layer(3, return_sequences=True), nn.Dense(4, "tanh"), layer(2, return_sequences=True), layer(2)]
    errors = gradient_errors(layers, (4, 2))
    assert max(errors.values()) < 1e-7, errors


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM])
def test_two_outputs_do_not_share_memory(layer):
    """`predict` collects the outputs of several calls; a later call must not write into an earlier output."""
    made = built(layer(3, return_sequences=True), (4, 2))
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 2))
    first = made.forward(x[0])
    kept = first.copy()
    made.forward(x[1])
    np.testing.assert_array_equal(first, kept)


def test_lstm_starts_remembering_with_orthogonal_gates():
    """Jozefowicz et al. 2015: forget bias 1, all else 0; Saxe et al. 2014: each gate's U keeps lengths."""
    layer = built(nn.LSTM(4), (3, 2))
    np.testing.assert_array_equal(layer.params["b"], np.repeat([0.0, 1.0, 0.0, 0.0], 4))
    for gate in np.split(layer.params["U"], 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(4), atol=1e-14)
    assert layer.params["W"].shape == (2, 16)
    limit = np.sqrt(6 / (2 + 4))  # Glorot's for 2 inputs and 4 units
    assert 0.8 * limit < np.abs(layer.params["W"]).max() <= limit


def test_huge_inputs_saturate_the_gates_without_overflow():
    layer = built(nn.LSTM(3), (2, 1))
    with np.errstate(all="raise", under="ignore"):
        y = layer.forward(np.full((1, 2, 1), 1e6))
        layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert all(np.isfinite(grad).all() for grad in layer.grads.values())


def test_lstm_learns_to_recall_the_first_input(tmp_path):
    """The answer stands 15 steps before the question; float32, saved and loaded."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((256, 15, 1))
    y = np.sign(X[:, 0])
    model = nn.Sequential([nn.LSTM(12), nn.Dense(1)], seed=2, dtype="float32")
    model.fit(X, y, loss="mse", optimizer=nn.Adam(0.02, clip_norm=1.0), epochs=40)
    assert model.evaluate(X, y)["loss"] < 0.2, "a network without memory stays at 1"
    model.save(tmp_path / "memory.npz")
    np.testing.assert_array_equal(nn.load(tmp_path / "memory.npz").predict(X), model.predict(X))
    assert model.predict(X).dtype == np.float32


def traced_by_textbook(layer, x):
    """Return the gates and states of an LSTM by the formulas of a textbook, one example and one step at a time."""
    u, (W, U, b) = layer.units, (layer.params[name] for name in ("W", "U", "b"))
    names = ("input", "forget", "output", "candidate", "cell", "hidden")
    trace = {name: np.empty((*x.shape[:2], u)) for name in names}
    for n, example in enumerate(x):
        h, c = np.zeros(u), np.zeros(u)
        for t, x_t in enumerate(example):
            z = [
                x_t @ W[:, k * u : (k + 1) * u] + h @ U[:, k * u : (k + 1) * u] + b[k * u : (k + 1) * u]
                for k in range(4)
            ]
            i, f, o = (1 / (1 + np.exp(-z[k])) for k in (0, 1, 3))
            g = np.tanh(z[2])
            c = f * c + i * g
            h = o * np.tanh(c)
            for name, value in zip(names, (i, f, o, g, c, h), strict=True):
                trace[name][n, t] = value
    return trace


@pytest.mark.parametrize("return_sequences", [False, True])
def test_trace_is_what_the_formulas_of_a_textbook_give(return_sequences, record_check):
    layer = built(nn.LSTM(3, return_sequences), (5, 2), b=np.linspace(-1, 1, 12))
    x = np.random.default_rng(1).standard_normal((4, 5, 2))
    trace, expected = layer.trace(x), traced_by_textbook(layer, x)
    assert list(trace) == list(expected)
    assert all(values.shape == (4, 5, 3) for values in trace.values())
    error = max(np.abs(trace[name] - expected[name]).max() for name in expected)
    record_check("formulas", "LSTM, trace of gates and states", "a loop by the textbook", error, 1e-14)
    assert all(0 < trace[name].min() < trace[name].max() < 1 for name in ("input", "forget", "output"))


def test_traced_states_are_those_of_keras(record_check):
    layer = built(nn.LSTM(4), (6, 3))
    x = np.random.default_rng(2).standard_normal((5, 6, 3))
    theirs = keras.layers.LSTM(4, return_sequences=True, return_state=True)
    theirs.build((None, 6, 3))
    theirs.set_weights([layer.params[name] for name in ("W", "U", "b")])
    hidden, _, last_cell = theirs(constant(x))
    trace = layer.trace(x)
    error = max(distance(trace["hidden"], hidden), distance(trace["cell"][:, -1], last_cell))
    record_check("framework", "LSTM, traced states", "Keras on JAX", error, 1e-10)


def test_a_trace_between_forward_and_backward_changes_nothing():
    layer = built(nn.LSTM(3, return_sequences=True), (5, 2))
    rng = np.random.default_rng(3)
    x, dy, other = rng.standard_normal((4, 5, 2)), rng.standard_normal((4, 5, 3)), rng.standard_normal((2, 9, 2))
    layer.forward(x, training=True)
    expected = [layer.backward(dy), *(grad.copy() for grad in layer.grads.values())]
    layer.forward(x, training=True)
    assert layer.trace(other)["cell"].shape == (2, 9, 3)
    for mine, theirs in zip([layer.backward(dy), *layer.grads.values()], expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 2)), r"x must have shape \(batch, time, 2\); got \(5, 2\)"),
        (np.zeros((1, 5, 3)), r"x must have shape \(batch, time, 2\); got \(1, 5, 3\)"),
        (np.full((1, 5, 2), np.nan), "x must be finite"),
        ("text", "x must"),
    ],
)
def test_trace_refuses_what_it_cannot_read(x, message):
    with pytest.raises(ValueError, match=message):
        built(nn.LSTM(3), (5, 2)).trace(x)
    with pytest.raises(ValueError, match="no parameters yet"):
        nn.LSTM(3).trace(np.zeros((1, 5, 2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LSTM(0), "units must be a positive integer; got 0"),
        (lambda: nn.RNN(2.5), "units must be a positive integer; got 2.5"),
        (lambda: nn.Sequential([nn.LSTM(2)]).build(5), r"LSTM needs .*\(batch, time, features\); got \(batch, 5\)"),
        (lambda: nn.Sequential([nn.RNN(2), nn.RNN(2)]).build((5, 1)), r"RNN needs .*; got \(batch, 2\)"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
