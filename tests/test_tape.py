"""The tape that the chapter "Backpropagate a whole batch" builds, against every derivative written out in the library.

The tape is read from the chapter itself, so that what a reader sees there is what is compared here. It knows sums,
products, powers, exp, log and the ReLU and nothing of nnlib: each function below is put together from these.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import nnlib as nn

CHAPTER = Path(__file__).parent.parent / "chapters" / "2-foundations" / "12-backpropagate-a-batch.ipynb"
TOLERANCE = 1e-10


def tape_source():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["id"] == "tape-code")


chapter = {"math": math}
exec(compile(tape_source(), "tape", "exec"), chapter)
Tape, Number = chapter["Tape"], chapter["Number"]

relu = np.vectorize(Number.relu, otypes=[object])
slope = np.vectorize(lambda number: number.grad)


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def elu(z):
    return relu(z) + np.exp(-relu(-z)) - 1


ACTIVATIONS = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: 2 / (1 + np.exp(-2 * z)) - 1,
    "relu": relu,
    "leaky_relu": lambda z: relu(z) - 0.01 * relu(-z),
    "elu": elu,
    "softmax": softmax,
}


def absolute(e):
    return relu(e) + relu(-e)


def huber(p, y):
    inner = absolute(p - y) - relu(absolute(p - y) - 1)  # the smaller of |e| and 1
    return (inner * (absolute(p - y) - 0.5 * inner)).mean()


LOSSES = {
    "mse": lambda p, y: ((p - y) ** 2).mean(),
    "rmse": lambda p, y: ((p - y) ** 2).mean() ** 0.5,
    "mae": lambda p, y: absolute(p - y).mean(),
    "huber": huber,
    "binary_crossentropy": lambda p, y: -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(),
    "categorical_crossentropy": lambda p, y: -(y * np.log(p)).sum(axis=-1).mean(),
}
LAST = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}


def targets(loss, rng, shape):
    if loss == "binary_crossentropy":
        return rng.integers(0, 2, shape).astype(float)
    return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])] if loss in LAST else 2 * rng.normal(size=shape)


def on_tape(model):
    """Put a model's parameters on a new tape: for each layer a dict of arrays of numbers."""
    put = np.vectorize(Tape().number, otypes=[object])
    return [{name: put(parameter) for name, parameter in layer.params.items()} for layer in model.layers]


def largest_difference(model, numbers):
    """Compare the gradients of all layers, relative to the largest one."""
    pairs = [(layer.grads[name], slope(n[name])) for layer, n in zip(model.layers, numbers, strict=True) for name in n]
    scale = max(abs(by_tape).max() for _, by_tape in pairs)
    assert scale > 1e-3  # otherwise zeros would be compared with zeros
    return max(abs(ours - by_tape).max() for ours, by_tape in pairs) / scale


def tape_of(numbers):
    return numbers[0]["W"].flat[0].tape


def test_the_tape_has_at_most_a_hundred_lines():
    """The chapter promises a machine that can be read in one sitting."""
    assert 20 < len(tape_source().splitlines()) <= 100


def test_the_tape_is_right_where_the_answer_is_known():
    """d(x² y + e^x / y) = 2xy + e^x / y and x² - e^x / y²; a wrong tape would certify a wrong library."""
    tape = Tape()
    x, y = tape.number(1.5), tape.number(-2.0)
    tape.backward(x**2 * y + x.exp() / y)
    assert x.grad == pytest.approx(2 * 1.5 * -2 + math.exp(1.5) / -2, rel=1e-14)
    assert y.grad == pytest.approx(1.5**2 - math.exp(1.5) / 4, rel=1e-14)


def test_every_activation_and_loss_of_the_library_is_compared():
    assert set(ACTIVATIONS) == set(nn.activations.ACTIVATIONS)
    assert set(LOSSES) == set(nn.losses.LOSSES)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_network_has_the_gradients_of_the_tape(activation, loss, record_check):
    """A reader who derives a gradient as the chapter teaches would not find it in the library."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 3)), targets(loss, rng, (4, 2))
    last = LAST.get(loss, "linear")
    model = nn.Sequential([nn.Dense(5, activation), nn.Dense(2, last)], seed=1).build(3)
    model.layers[0].params["b"][...] = rng.normal(size=5)
    objective = model.objective(loss)
    output = model.compute_gradients(X, y, objective)

    numbers = on_tape(model)
    hidden, out = numbers
    a = ACTIVATIONS[activation](X @ hidden["W"] + hidden["b"])
    result = LOSSES[loss](ACTIVATIONS[last](a @ out["W"] + out["b"]), y)
    tape_of(numbers).backward(result)

    assert result.value == pytest.approx(objective.value(output, y), rel=1e-12)
    error = largest_difference(model, numbers)
    record_check("derivatives", f"Dense, {activation}, {loss}", "the tape of the chapter", error, TOLERANCE)


def test_recurrent_network_has_the_gradients_of_the_tape(record_check):
    """One matrix is used at every time, so its gradient is a sum over paths of different length."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 1))
    model = nn.Sequential([nn.RNN(3), nn.Dense(1)], seed=1).build((4, 2))
    model.compute_gradients(X, y, model.objective("mse"))

    numbers = on_tape(model)
    recurrent, out = numbers
    h = np.zeros((3, 3))
    for t in range(4):
        h = ACTIVATIONS["tanh"](X[:, t] @ recurrent["W"] + h @ recurrent["U"] + recurrent["b"])
    tape_of(numbers).backward(LOSSES["mse"](h @ out["W"] + out["b"], y))
    error = largest_difference(model, numbers)
    record_check("derivatives", "RNN, four steps", "the tape of the chapter", error, TOLERANCE)


def test_residual_network_has_the_gradients_of_the_tape(record_check):
    """Where a path branches and meets again, slopes add; a lost branch would train deep networks badly."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
    block = [nn.Dense(3, "tanh") for _ in range(2)]
    model = nn.Sequential([nn.Residual(block[0]), nn.Residual(block[1]), nn.Dense(1)], seed=1).build(3)
    model.compute_gradients(X, y, model.objective("mse"))

    layers = [*block, model.layers[-1]]
    tape = Tape()
    put = np.vectorize(tape.number, otypes=[object])
    numbers = [{name: put(parameter) for name, parameter in layer.params.items()} for layer in layers]
    a = X
    for inner in numbers[:2]:
        a = a + ACTIVATIONS["tanh"](a @ inner["W"] + inner["b"])
    tape.backward(LOSSES["mse"](a @ numbers[2]["W"] + numbers[2]["b"], y))
    errors = [abs(layer.grads[k] - slope(n[k])).max() for layer, n in zip(layers, numbers, strict=True) for k in n]
    record_check("derivatives", "Residual, two blocks", "the tape of the chapter", max(errors), TOLERANCE)


def test_a_wrong_slope_in_the_library_is_found(monkeypatch):
    """A comparison that passes everything would hide the mistakes it is there for."""
    right = nn.Dense.backward_z
    monkeypatch.setattr(nn.Dense, "backward_z", lambda self, dz: right(self, 1.0001 * dz))
    with pytest.raises(AssertionError, match="off by"):
        test_dense_network_has_the_gradients_of_the_tape("tanh", "mse", _assert_tolerance)


def _assert_tolerance(part, subject, against, error, tolerance):
    assert error <= tolerance, f"{subject}: off by {error:.3g}"
