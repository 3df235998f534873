"""Losses beside values on paper, in weighted batches, and where logarithms end."""

import numpy as np
import pytest
from cases import LOSS_CASES
from hypothesis import given
from hypothesis import strategies as st

import nnlib as nn
from nnlib import activations
from nnlib.losses import FUSED, LOSSES, check_output, check_targets, get, make_huber

LN2 = np.log(2)
# (p, y, L, ∂L/∂p): two rows each
ON_PAPER = {
    "mse": ([[1, 2], [0, 4]], [[0, 2], [0, 1]], (1 + 0 + 0 + 9) / 4, [[0.5, 0], [0, 1.5]]),
    "rmse": ([[3], [4]], [[0], [0]], np.sqrt(12.5), [[1.5 / np.sqrt(12.5)], [2 / np.sqrt(12.5)]]),
    "mae": ([[1, 2], [0, 4]], [[0, 2], [0, 7]], 1.0, [[0.25, 0], [0, -0.25]]),
    "huber": ([[0.5], [3]], [[0], [0]], (0.125 + 2.5) / 2, [[0.25], [0.5]]),
    "binary_crossentropy": ([[0.5], [0.25]], [[1], [0]], (LN2 - np.log(0.75)) / 2, [[-1], [2 / 3]]),
    "categorical_crossentropy": (
        [[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]],
        [[1, 0, 0], [0, 0, 1]],
        LN2,
        [[-1, 0, 0], [0, 0, -1]],
    ),
}


def test_no_loss_can_be_added_without_values_on_paper():
    assert set(ON_PAPER) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_slope_on_paper(name, record_check):
    p, y, value, slope = (np.array(x, float) for x in ON_PAPER[name])
    error = max(abs(get(name).value(p, y) - value), np.abs(get(name).grad(p, y) - slope).max())
    record_check("formulas", f"loss {name}, values and slopes", "by hand", error, 1e-15)


@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.label)
def test_weight_of_two_is_the_row_twice(case):
    """With L = (1/N) Σ wᵢ ℓᵢ, N rows of which one has weight 2 are N + 1 rows, up to the factor (N + 1)/N."""
    rng = np.random.default_rng(3)
    p, y = case.predictions(rng), case.targets(rng)
    n, weight = len(p), np.ones(len(p))
    weight[1] = 2
    twice = np.r_[:n, 1]
    value, repeated = case.loss.value(p, y, weight), case.loss.value(p[twice], y[twice])
    factor = (n + 1) / n
    assert value == pytest.approx(repeated * (factor**0.5 if case.loss.name == "rmse" else factor), rel=1e-12)
    zero = np.arange(n) > 0
    without = case.loss.value(p, y, zero.astype(float))
    expected = case.loss.value(p[1:], y[1:]) * ((n - 1) / n) ** (0.5 if case.loss.name == "rmse" else 1)
    assert without == pytest.approx(expected, rel=1e-12)


def test_perfect_prediction_has_no_loss_and_no_slope():
    y = np.array([[1.0], [2.0]])
    for name in ("mse", "rmse", "mae", "huber"):
        assert get(name).value(y, y) == 0
        assert (get(name).grad(y.copy(), y) == 0).all(), "rmse has √0 in its slope"


@pytest.mark.parametrize("k", [2, 3, 10, 100])
def test_chance_is_log_k(k, record_check):
    """An untrained classifier of k classes starts at ln k: the first thing to look at when a training goes wrong."""
    y = np.eye(k)
    error = abs(FUSED["softmax", "categorical_crossentropy"].value(np.zeros((k, k)), y) - np.log(k))
    error = max(error, abs(get("categorical_crossentropy").value(np.full((k, k), 1 / k), y) - np.log(k)))
    record_check("formulas", f"cross-entropy of chance, {k} classes", "ln k", error, 1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_certain_and_wrong_is_finite(dtype):
    """Log 0 must not be -inf: one row would turn a reader's whole model into NaN."""
    p, y = np.array([[0.0, 1.0], [1.0, 0.0]], dtype), np.array([[1.0, 0.0], [1.0, 0.0]], dtype)
    with np.errstate(all="raise", under="ignore"):
        for name in ("binary_crossentropy", "categorical_crossentropy"):
            assert np.isfinite(get(name).value(p, y))
            assert np.isfinite(get(name).grad(p, y)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pair", FUSED, ids="+".join)
def test_fused_pairs_far_out(pair, dtype):
    z, y = np.array([[-1e4, 1e4], [1e4, -1e4]], dtype), np.array([[1, 0], [1, 0]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, slope = FUSED[pair].value(z, y), FUSED[pair].grad(activations.get(pair[0]).f(z), y)
    # the first row is certain and wrong, the second certain and right
    assert value == pytest.approx(5e3 if pair[0] == "sigmoid" else 1e4)
    assert slope.dtype == dtype
    assert np.isfinite(slope).all()


@given(delta=st.floats(0.01, 100), e=st.floats(-1e6, 1e6))
def test_huber_is_between_its_two_parts(delta, e):
    value = make_huber(delta).value(np.array([[e]]), np.array([[0.0]]))
    assert value == pytest.approx(e * e / 2 if abs(e) <= delta else delta * (abs(e) - delta / 2), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_flat_targets_are_refused_not_broadcast(name):
    p, y = np.full((3, 1), 0.5), np.ones(3)
    for call in (get(name).value, get(name).grad):
        with pytest.raises(ValueError, match=r"y_pred and y_true must have the same shape; got \(3, 1\) and \(3,\)"):
            call(p, y)


@pytest.mark.parametrize(
    ("name", "y", "message"),
    [
        ("binary_crossentropy", [[2.0]], r"binary_crossentropy needs y in \[0, 1\]; got values from 2 to 2"),
        ("binary_crossentropy", [[-1.0], [1.0]], "got values from -1 to 1"),
        ("categorical_crossentropy", [[0, 1.0], [1.0, 1.0]], r"needs y one-hot .* row 1 is \[1.0, 1.0\]"),
        ("categorical_crossentropy", [[0.0], [1.0]], r"row 0 is \[0.0\]"),
    ],
)
def test_targets_that_are_none(name, y, message):
    with pytest.raises(ValueError, match=message):
        check_targets(get(name), np.array(y))


def test_cross_entropy_of_raw_scores_is_refused():
    """Log of a number that is no probability is a number, too: the training would run and learn nothing."""
    with pytest.raises(ValueError, match="ends in probabilities, activation='softmax'; got 'linear'"):
        check_output(get("categorical_crossentropy"), activations.linear)
    check_output(get("binary_crossentropy"), activations.sigmoid)
    check_output(get("mse"), activations.linear)
    check_output(get("binary_crossentropy"), None)


@pytest.mark.parametrize("loss", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("last", sorted(set(activations.ACTIVATIONS) - {"sigmoid", "softmax"}))
def test_no_other_activation_yields_probabilities(last, loss):
    """Tanh reaches from -1 to 1, ELU below 0, ReLU above 1: the logarithm takes them all, and means nothing."""
    model = nn.Sequential([nn.Dense(2, last)])
    with pytest.raises(ValueError, match="probabilities"):
        model.fit([[1.0, 2.0]], [[1.0, 0.0]], loss=loss, optimizer="SGD")


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"loss must be one of binary_crossentropy, .*; got 'mean'"):
        get("mean")
    with pytest.raises(ValueError, match=r"delta must be a finite number in \(0"):
        make_huber(0)
