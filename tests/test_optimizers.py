"""The first steps of every optimizer, calculated on paper from its article; the other frameworks are in test_parity."""

import tracemalloc
from math import sqrt

import numpy as np
import pytest
from cases import OPTIMIZER_CASES, optimizer_label, samples
from hypothesis import given
from hypothesis import strategies as st

import nnlib as nn
from nnlib.schedules import StepDecay

EXACT = 1e-14


def path(optimizer, grads, start=0.0):
    """Return where one parameter is after each of the gradients."""
    params, places = np.array([start]), []
    optimizer.init(1)
    for g in grads:
        optimizer.step(params, np.array([float(g)]))
        places.append(params[0])
    return places


# (optimizer, gradients, places): θ starts at 0
ON_PAPER = {
    "SGD": [
        (nn.SGD(0.1), [2, -1], [-0.2, -0.1]),
        # Polyak: v = 1, 1.5, 1.75
        (nn.SGD(1.0, momentum=0.5), [1, 1, 1], [-1, -2.5, -4.25]),
        # Nesterov: g + βv = 1.5, 1.75, 1.875
        (nn.SGD(1.0, momentum=0.5, nesterov=True), [1, 1, 1], [-1.5, -3.25, -5.125]),
    ],
    # √G = 3, 5, 13
    "Adagrad": [(nn.Adagrad(0.1, epsilon=0), [3, 4, -12], [-0.1, -0.18, -0.18 + 1.2 / 13])],
    # v = 1, 1, 4.75
    "RMSprop": [(nn.RMSprop(0.1, rho=0.75, epsilon=0), [2, 1, -4], [-0.2, -0.3, -0.3 + 0.4 / sqrt(4.75)])],
    "Adam": [
        (
            # m = 0.1, 0.29, 0.161 and v = 0.001, 0.004999, 0.005994001 (Kingma & Ba's β), corrected by
            # 1 - β₁ᵗ = 0.1, 0.19, 0.271 and 1 - β₂ᵗ = 0.001, 0.001999, 0.002997001
            nn.Adam(0.1, epsilon=0),
            [1, 2, -1],
            np.cumsum(
                [
                    -0.1,
                    -0.1 * (0.29 / 0.19) / sqrt(0.004999 / 0.001999),
                    -0.1 * (0.161 / 0.271) / sqrt(0.005994001 / 0.002997001),
                ]
            ),
        ),
        # with ε outside the root: the first step is η g/(|g| + ε) = 0.1 · 2/(2 + 2)
        (nn.Adam(0.1, epsilon=2.0), [2], [-0.05]),
    ],
}


def test_no_optimizer_can_be_added_without_steps_on_paper():
    assert set(ON_PAPER) == set(nn.optimizers.OPTIMIZERS) == set(OPTIMIZER_CASES)


@pytest.mark.parametrize("name", ON_PAPER)
def test_first_steps_on_paper(name, record_check):
    for optimizer, grads, places in ON_PAPER[name]:
        error = np.abs(np.subtract(path(optimizer, grads), places)).max()
        record_check("formulas", f"{optimizer_label(optimizer)}, first steps", "by hand", error, EXACT)


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (nn.Adagrad(0.1, epsilon=1.0), -0.1 * 3 / (3 + 1)),
        (nn.RMSprop(0.1, rho=0.75, epsilon=1.0), -0.1 * 3 / (1.5 + 1)),
        (nn.Adam(0.1, epsilon=1.0), -0.1 * 3 / (3 + 1)),
    ],
    ids=["Adagrad", "RMSprop", "Adam"],
)
def test_epsilon_stands_outside_the_root(optimizer, expected, record_check):
    """Inside it, a reader who compares with the papers or with PyTorch would be off in the first digits."""
    error = abs(path(optimizer, [3])[0] - expected)
    record_check("formulas", f"{type(optimizer).__name__}, place of ε", "by hand", error, EXACT)


def test_defaults_are_those_of_the_papers_and_of_pytorch():
    adam, sgd = nn.Adam(), nn.SGD()
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-8)
    assert (sgd.momentum, sgd.nesterov, sgd.weight_decay) == (0, False, 0)
    assert [make().learning_rate for make in (nn.SGD, nn.Adagrad, nn.RMSprop)] == [0.01, 0.01, 1e-3]
    assert nn.Adagrad().epsilon == 1e-10
    assert (nn.RMSprop().rho, nn.RMSprop().epsilon) == (0.9, 1e-8)


@given(scale=st.floats(1e-6, 1e6))
def test_adam_and_rmsprop_do_not_see_the_scale_of_the_gradient(scale):
    grads = [1.0, -2.0, 0.5]
    for make in (lambda: nn.Adam(0.1, epsilon=0), lambda: nn.RMSprop(0.1, epsilon=0)):
        np.testing.assert_allclose(path(make(), grads), path(make(), [scale * g for g in grads]), rtol=1e-9)


@pytest.mark.parametrize("make", [m for makers in OPTIMIZER_CASES.values() for m in makers])
def test_one_flat_array_is_the_same_as_one_array_per_tensor(make):
    """The step counter must count steps, not tensors: or else Adam corrects wrongly in all but tiny networks."""
    whole, halves = make(), [make(), make()]
    params = samples(6)
    pieces = [params[:2].copy(), params[2:].copy()]
    whole.init(6)
    for half, piece in zip(halves, pieces, strict=True):
        half.init(len(piece))
    for i in range(5):
        grads = samples(6, seed=i)
        whole.step(params, grads.copy())
        halves[0].step(pieces[0], grads[:2].copy())
        halves[1].step(pieces[1], grads[2:].copy())
    assert (np.concatenate(pieces) == params).all()
    assert whole.t == 5


@pytest.mark.parametrize("make", [m for makers in OPTIMIZER_CASES.values() for m in makers])
def test_step_is_in_place_and_keeps_float32(make):
    params = samples(4).astype("float32")
    optimizer, before, grads = make(weight_decay=0.1), params.copy(), samples(4, seed=1).astype("float32")
    given_grads = grads.copy()
    optimizer.init(4, "float32")
    assert optimizer.step(params, grads) is None
    assert (params != before).all()
    assert (grads == given_grads).all()
    assert all(state.dtype == np.float32 for state in optimizer.state.values())


@pytest.mark.parametrize("make", [m for makers in OPTIMIZER_CASES.values() for m in makers])
def test_a_step_makes_no_array(make):
    """For millions of parameters, to ask for memory and to touch it first takes longer than the arithmetic."""
    n = 10_000
    optimizer, params, grads = make(weight_decay=0.1), samples(n), samples(n, seed=1)
    optimizer.init(n)
    tracemalloc.start()
    try:
        optimizer.step(params, grads)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < params.nbytes / 2


@pytest.mark.parametrize("make", [m for makers in OPTIMIZER_CASES.values() for m in makers])
def test_gradient_of_zero_moves_nothing(make):
    """0/(√0 + ε) must not become NaN: a unit that is off has gradient 0 in the first step."""
    optimizer, params = make(), samples(3)
    before = params.copy()
    optimizer.init(3)
    optimizer.step(params, np.zeros(3))
    assert (params == before).all()


def test_weight_decay_is_decoupled_and_spares_what_comes_after():
    """θ ← θ - ηλθ, then the step; biases lie behind the first `decayed` numbers."""
    optimizer = nn.SGD(0.1, weight_decay=0.5)
    optimizer.init(3, decayed=2)
    params = np.array([2.0, -4.0, 8.0])
    optimizer.step(params, np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose(params, [2 * 0.95 - 0.1, -4 * 0.95, 8], rtol=1e-15)
    adam = nn.Adam(0.1, weight_decay=0.5)  # in AdamW the decay does not pass through m and v
    adam.init(1)
    params = np.array([2.0])
    adam.step(params, np.array([0.0]))
    assert params[0] == pytest.approx(2 * 0.95, rel=1e-15)


@pytest.mark.parametrize(("grads", "clipped"), [([3, 4], [0.6, 0.8]), ([0.3, 0.4], [0.3, 0.4]), ([0, 0], [0, 0])])
def test_clipping_shortens_the_whole_gradient_and_keeps_its_direction(grads, clipped):
    optimizer, params = nn.SGD(1.0, clip_norm=1.0), np.zeros(2)
    optimizer.init(2)
    optimizer.step(params, np.array(grads, float))
    np.testing.assert_allclose(params, np.negative(clipped), rtol=1e-15)


def test_clipping_survives_squares_beyond_float32():
    """(3e20)² is infinite in float32; dividing by that norm would silently stop the training."""
    optimizer, params = nn.SGD(1.0, clip_norm=1.0), np.zeros(2, "float32")
    optimizer.init(2, "float32")
    optimizer.step(params, np.array([3e20, 4e20], "float32"))
    np.testing.assert_allclose(params, [-0.6, -0.8], rtol=1e-6)


def test_schedule_is_asked_with_the_number_of_steps_done():
    optimizer = nn.SGD(StepDecay(1.0, 0.5, every=2))
    np.testing.assert_allclose(path(optimizer, [1] * 5), [-1, -2, -2.5, -3, -3.25])
    optimizer.init(1)
    assert optimizer.rate() == 1.0


def test_learning_rate_of_a_single_step_can_be_given():
    optimizer, params = nn.SGD(1.0), np.zeros(1)
    optimizer.init(1)
    optimizer.step(params, np.ones(1), learning_rate=0.25)
    assert params[0] == -0.25


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.SGD(-1), r"learning_rate must be a finite number in \[0, inf\]; got -1"),
        (lambda: nn.SGD("fast"), "learning_rate must be"),
        (lambda: nn.SGD(0.1, momentum=1), r"momentum must be a finite number in \[0, 1\); got 1"),
        (lambda: nn.SGD(0.1, nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: nn.Adam(beta1=1.0), "beta1 must be"),
        (lambda: nn.Adam(beta2=-0.1), "beta2 must be"),
        (lambda: nn.Adam(epsilon=-1), "epsilon must be"),
        (lambda: nn.RMSprop(rho=2), "rho must be"),
        (lambda: nn.Adagrad(weight_decay=-1), "weight_decay must be"),
        (lambda: nn.Adam(clip_norm=0), r"clip_norm must be a finite number in \(0"),
        (lambda: nn.optimizers.get("Nadam"), "optimizer must be one of Adagrad, Adam, RMSprop, SGD; got 'Nadam'"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_optimizer_that_has_no_parameters_yet_makes_no_step():
    with pytest.raises(ValueError, match="as `init` was told"):
        nn.SGD().step(np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match="as `init` was told"):
        nn.SGD().step(np.ones(1), np.ones(1))
