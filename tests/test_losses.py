"""Losses beside values on paper, in weighted batches, and where logarithms end."""

import copy
import pickle
import pydoc

import numpy as np
import pytest
from cases import LOSS_CASES
from hypothesis import given
from hypothesis import strategies as st

import nnlib as nn
from nnlib import activations, losses
from nnlib.door import check_output
from nnlib.losses import FUSED, LOSSES, check_targets, get, make_huber

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
    assert (get("rmse").grad([[1e-200]], [[0.0]]) == 0).all(), "a difference whose square is 0 in float64 is none"


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
        ("categorical_crossentropy", [[0, 1.0], [1.0, 1.0]], r"must be one-hot .* row 1 is \[1.0, 1.0\]"),
        ("categorical_crossentropy", [[0.0], [1.0]], r"two or more classes; got shape \(2, 1\)"),
    ],
)
def test_targets_that_are_none(name, y, message):
    with pytest.raises(ValueError, match=message):
        check_targets(get(name), np.array(y))


def test_cross_entropy_of_raw_scores_is_refused():
    """Log of a number that is no probability is a number, too: the training would run and learn nothing."""
    with pytest.raises(ValueError, match=r"yields distributions, activation='softmax' .* got 'linear'"):
        check_output(get("categorical_crossentropy"), activations.linear)
    check_output(get("binary_crossentropy"), activations.sigmoid)
    check_output(get("mse"), activations.linear)


@pytest.mark.parametrize("loss", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("last", sorted(set(activations.ACTIVATIONS) - {"sigmoid", "softmax"}))
def test_no_other_activation_yields_probabilities(last, loss):
    """Tanh reaches from -1 to 1, ELU below 0, ReLU above 1: the logarithm takes them all, and means nothing."""
    model = nn.Sequential([nn.Dense(2, last)])
    with pytest.raises(ValueError, match=r"yields (probabilities|distributions)"):
        model.fit([[1.0, 2.0]], [[1.0, 0.0]], loss=loss, optimizer="SGD")


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"loss must be one of binary_crossentropy, .*; got 'mean'"):
        get("mean")
    with pytest.raises(ValueError, match=r"delta must be a finite number in \(0"):
        make_huber(0)


# -- what a loss may be asked -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "rmse"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool", ">f8"])
def test_integers_are_numbers_and_do_not_overflow(name, dtype):
    p, y = np.array([[0], [1], [1]], dtype), np.array([[1], [1], [0]], dtype)
    assert get(name).value(p, y) == get(name).value(p.astype(float), y.astype(float))
    assert (get(name).grad(p, y) == get(name).grad(p.astype(float), y.astype(float))).all()


def test_a_loss_leaves_alone_what_the_slope_returns():
    kept = np.array([[3.0], [4.0]])
    own = losses.Loss("own", rows=lambda p, y: (p - y)[:, 0] ** 2, slope=lambda p, y: kept)
    assert (own.grad(np.ones((2, 1)), np.ones((2, 1)), [1.0, 3.0]) == [[1.5], [6.0]]).all()
    assert (kept == [[3.0], [4.0]]).all()


@pytest.mark.parametrize("method", ["value", "grad"])
@pytest.mark.parametrize(
    ("name", "p", "y", "w", "match"),
    [
        ("mse", [[1.0]], [[np.nan]], None, r"y_true must be finite in float64; y_true\[0, 0\] is nan"),
        ("mse", [[1.0], [2.0]], [[1.0], [2.0]], [[1.0], [1.0]], r"sample_weight must hold 2 .* got shape \(2, 1\)"),
        ("mse", [[1.0], [2.0]], [[1.0], [2.0]], [1.0, -1.0], "sample_weight must hold 2 .* smallest -1"),
        ("binary_crossentropy", [[1.5]], [[1.0]], None, r"needs y_pred in \[0, 1\]"),
        ("binary_crossentropy", [[0.5]], [[2.0]], None, r"needs y_true in \[0, 1\]"),
        ("categorical_crossentropy", [[0.9, 0.9]], [[0.0, 1.0]], None, "y_pred .* must be one-hot"),
        ("categorical_crossentropy", [[0.5, 0.5]], [[2.0, 5.0]], None, r"needs y_true in \[0, 1\]"),
        ("categorical_crossentropy", [[1.0]], [[1.0]], None, "y_pred .* two or more classes"),
        ("mse", [["a"]], [[1.0]], None, "y_pred must hold numbers"),
    ],
)
def test_what_has_no_loss_is_refused(name, p, y, w, match, method):
    with pytest.raises(ValueError, match=match):
        getattr(get(name), method)(p, y, w)


PAIR = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}


@pytest.mark.parametrize("name", PAIR)
@pytest.mark.parametrize(
    "last",
    [
        *(nn.Dense(2, activation) for activation in activations.ACTIVATIONS),
        *(nn.BatchNorm(), nn.Maxout(2), nn.Flatten(), nn.Residual(nn.Dense(2, "softmax")), nn.Dropout(0.1)),
        nn.LayerNorm(),
        nn.Activation("sigmoid"),
    ],
    ids=repr,
)
def test_cross_entropy_only_of_what_is_a_probability(name, last):
    """0.9 and 0.9 of two sigmoids are no distribution, and the sum of one probability is always 1."""
    model = nn.Sequential([nn.Dense(2), copy.deepcopy(last)])
    X, y = np.ones((4, 3)), np.eye(2)[[0, 1, 1, 0]]
    calls = [
        lambda: model.fit(X, y, loss=name, optimizer="Adam"),
        lambda: model.evaluate(X, y, loss=name),
        lambda: model.train_on_batch(X, y, loss=name, optimizer=nn.SGD(0.1)),
        lambda: nn.check_gradients(model, X, y, name),
        lambda: model.input_gradient(X, y, name),
    ]
    fits = getattr(getattr(last, "activation", None), "name", None) == PAIR[name]
    for call in calls:
        if fits:
            call()
        else:
            with pytest.raises(ValueError, match=f"{name}' needs a model whose last layer yields"):
                call()
    assert (model.params is not None) == fits


def test_an_own_activation_says_what_it_yields():
    """A hard sigmoid, clip(0.2z + 0.5, 0, 1), is a probability, but not the partner of a fused pair."""
    hard = activations.Activation(
        "sigmoid",  # the name is no identity
        f=lambda z: np.clip(0.2 * z + 0.5, 0, 1),
        vjp=lambda da, z, a: da * 0.2 * ((a > 0) & (a < 1)),
        yields="probabilities",
    )
    model, loss = nn.Sequential([nn.Dense(1, hard)], seed=1), get("binary_crossentropy")
    assert model.objective(loss) is loss
    X, y = np.linspace(-1, 1, 6).reshape(-1, 2), np.array([[0], [1], [1]])
    assert nn.check_gradients(model, X, y, loss) < 1e-7


def test_an_own_loss_is_not_taken_for_the_built_in_of_its_name():
    """Twice the cross-entropy, under its name: with the fused pair it would train as the built-in does."""
    built_in = get("binary_crossentropy")
    own = losses.Loss(
        "binary_crossentropy",
        rows=lambda p, y: 2 * built_in.rows(p, y),
        slope=lambda p, y: 2 * built_in.slope(p, y),
        needs="probabilities",
    )
    X, y = np.linspace(-1, 1, 6).reshape(-1, 2), np.array([[0], [1], [1]])
    model = nn.Sequential([nn.Dense(1, "sigmoid")], seed=1)
    assert model.evaluate(X, y, loss=own)["loss"] == pytest.approx(2 * model.evaluate(X, y, loss=built_in)["loss"])
    assert nn.check_gradients(model, X, y, own) < 1e-7


def test_a_copy_and_a_pickle_of_a_model_keep_the_fused_pair():
    model = nn.Sequential([nn.Dense(1, "sigmoid")])
    model.fit(np.ones((2, 2)), [[0], [1]], loss="binary_crossentropy", optimizer="SGD")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert isinstance(twin.objective(twin.loss), losses.FusedLoss)


@pytest.mark.parametrize("name", LOSSES)
def test_help_shows_the_formula(name):
    text = pydoc.render_doc(get(name), renderer=pydoc.plaintext)
    assert "ℓ =" in text or "L =" in text
    assert "A pure pair" not in text


def test_a_loss_is_shown_by_its_name_and_not_by_the_places_of_its_functions():
    for loss in (*LOSSES.values(), *losses.FUSED.values()):
        assert " at 0x" not in repr(loss)


def test_help_on_a_loss_with_an_option_and_on_a_root_shows_what_they_are():
    assert nn.losses.make_huber(2.0).__doc__ == nn.losses.make_huber.__doc__
    assert nn.losses.rmse.__doc__.startswith("L = √")


@pytest.mark.parametrize("pair", losses.FUSED, ids="+".join)
def test_a_fused_pair_refuses_targets_that_its_loss_refuses(pair):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        losses.FUSED[pair].value(np.zeros((1, 2)), np.array([[2.0, -1.0]]))


@pytest.mark.parametrize("error", [0.25, 4.0])
def test_the_slope_of_a_root_is_the_sign_of_a_single_error_however_small(error):
    assert nn.losses.rmse.grad([[error]], [[0.0]]) == pytest.approx(1.0)
    assert nn.losses.rmse.grad([[-error]], [[0.0]]) == pytest.approx(-1.0)
    assert nn.losses.rmse.grad([[0.0]], [[0.0]]) == 0
