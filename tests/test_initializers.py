"""Weights start with the variance that the chapters derive: Glorot's, He's and LeCun's figures, from their papers."""

from math import prod, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnlib as nn
from nnlib.initializers import INITIALIZERS, Initializer, constant, fans, get, normal, variance_scaling

# Variances on paper. Glorot & Bengio 2010, eq. 12 and 16: 2/(in + out), limit √6/√(in + out). He et al. 2015, eq. 10:
# 2/in. LeCun et al. 1998, §4.6: 1/in.
VARIANCES = {
    "zeros": lambda i, o: 0,
    "ones": lambda i, o: 0,
    "normal": lambda i, o: 1,
    "lecun_uniform": lambda i, o: 1 / i,
    "lecun_normal": lambda i, o: 1 / i,
    "glorot_uniform": lambda i, o: 2 / (i + o),
    "glorot_normal": lambda i, o: 2 / (i + o),
    "he_uniform": lambda i, o: 2 / i,
    "he_normal": lambda i, o: 2 / i,
    "orthogonal": lambda i, o: 1 / max(i, o),
}
SHAPES = [(300, 100), (50, 400), (3, 3, 20, 50)]


def draw(name, shape, seed=0, dtype="float64"):
    return get(name)(shape, np.random.default_rng(seed), dtype)


def test_no_initializer_can_be_added_without_its_variance():
    assert set(VARIANCES) == set(INITIALIZERS)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_and_variance(name, shape, record_check):
    """Within five standard errors of the paper's variance, and around zero."""
    W = draw(name, shape)
    window = prod(shape[:-2])
    variance = VARIANCES[name](window * shape[-2], window * shape[-1])
    if name == "orthogonal":
        variance = 1 / max(prod(shape[:-1]), shape[-1])
    assert W.shape == shape
    assert np.isfinite(W).all()
    if variance:
        assert abs(W.mean()) < 5 * sqrt(variance / W.size)
        # the sample variance of n normal numbers is off by √(2/n) of it, of uniform ones by less
        error, tolerance = abs(W.var() / variance - 1), 5 * sqrt(2 / W.size)
        record_check("formulas", f"{name}, variance, {shape}", "the paper", error, tolerance)
    else:
        assert W.var() == 0


@pytest.mark.parametrize(
    ("name", "limit"),
    [("glorot_uniform", sqrt(6 / 400)), ("he_uniform", sqrt(6 / 300)), ("lecun_uniform", sqrt(3 / 300))],
)
def test_uniform_presets_fill_their_interval(name, limit, record_check):
    W = draw(name, (300, 100))
    assert np.abs(W).max() <= limit
    record_check("formulas", f"{name}, limit", "the paper", 1 - np.abs(W).max() / limit, 1e-3)


def test_normal_presets_are_not_truncated():
    assert np.abs(draw("he_normal", (300, 300))).max() > 3 * sqrt(2 / 300)


@pytest.mark.parametrize(
    ("shape", "expected"), [((5, 7), (5, 7)), ((3, 3, 2, 4), (18, 36)), ((2, 5, 1, 8), (10, 80)), ((4, 3, 2), (12, 8))]
)
def test_fans_of_matrices_and_kernels(shape, expected):
    assert fans(shape) == expected


def test_fans_of_a_bias_are_refused():
    with pytest.raises(ValueError, match=r"fans need a shape with two or more axes; got \(5,\)"):
        draw("he_normal", (5,))
    with pytest.raises(ValueError, match=r"an orthogonal matrix needs two or more axes; got shape \(5,\)"):
        draw("orthogonal", (5,))


@pytest.mark.parametrize("shape", [(6, 6), (8, 3), (3, 8), (3, 3, 2, 4)], ids=str)
def test_orthogonal_keeps_lengths(shape, record_check):
    Q = draw("orthogonal", shape).reshape(-1, shape[-1])
    gram = Q.T @ Q if len(Q) >= Q.shape[1] else Q @ Q.T
    record_check("formulas", f"orthogonal, QᵀQ = I, {shape}", "by hand", np.abs(gram - np.eye(len(gram))).max(), 1e-12)


def test_orthogonal_is_uniform_over_rotations():
    """A QR decomposition without the sign fix never draws a negative diagonal, so the first entry is one-sided."""
    first = [draw("orthogonal", (2, 2), seed)[0, 0] for seed in range(200)]
    assert 60 < sum(x > 0 for x in first) < 140


@pytest.mark.parametrize("name", INITIALIZERS)
def test_same_seed_same_bits_and_float32_is_float64_rounded(name):
    assert (draw(name, (6, 5)) == draw(name, (6, 5))).all()
    assert (draw(name, (6, 5), dtype="float32") == draw(name, (6, 5)).astype("float32")).all()
    assert draw(name, (6, 5), dtype="float32").dtype == np.float32


@given(
    scale=st.floats(0.1, 10),
    fan=st.sampled_from(["in", "avg", "out"]),
    distribution=st.sampled_from(["uniform", "normal"]),
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
)
def test_variance_scaling_for_any_shape(scale, fan, distribution, shape):
    W = variance_scaling(scale, fan, distribution)(shape, np.random.default_rng(0), "float64")
    variance = scale / {"in": shape[0], "out": shape[1], "avg": sum(shape) / 2}[fan]
    assert W.shape == shape
    assert np.abs(W).max() <= (sqrt(3 * variance) if distribution == "uniform" else 6 * sqrt(variance))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: variance_scaling(0, "in", "normal"), r"scale must be a finite number in \(0"),
        (lambda: variance_scaling(1, "input", "normal"), "fan must be one of avg, in, out; got 'input'"),
        (lambda: variance_scaling(1, "in", "gauss"), "distribution must be one of normal, uniform; got 'gauss'"),
        (lambda: normal(-1), "std must be"),
        (lambda: constant(float("nan")), "value must be"),
        (lambda: get("xavier"), "initializer must be one of glorot_normal, .*; got 'xavier'"),
        (
            lambda: get({"name": "constant2", "value": 1}),
            "initializer must be one of constant, normal, variance_scaling",
        ),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_draw_of_ones_own_may_return_a_list():
    own = Initializer("own", lambda shape, rng: [[1, 2], [3, 4]])
    W = own([2, 2], np.random.default_rng(0), "float32")
    assert W.dtype == np.float32
    assert W.tolist() == [[1, 2], [3, 4]]


def test_a_shape_may_be_a_list():
    for name in INITIALIZERS:
        assert draw(name, [4, 3]).shape == (4, 3)


def test_normal_without_options_has_a_standard_deviation_of_one():
    assert normal().options == {"std": 1.0}
    assert (normal()((5,), np.random.default_rng(0)) == np.random.default_rng(0).standard_normal(5)).all()


def test_get_by_name_by_options_and_itself():
    assert (get({"name": "constant", "value": 0.5})((2,), np.random.default_rng(0)) == 0.5).all()
    assert get(INITIALIZERS["ones"]) is INITIALIZERS["ones"]
    assert nn.Dense(3, initializer=normal(0.1)).initializer.options == {"std": 0.1}


def test_an_own_rule_that_draws_another_shape_is_named():
    own = nn.initializers.Initializer("own", lambda shape, rng: rng.normal(size=shape[::-1]))
    with pytest.raises(ValueError, match=r"initializer 'own' must draw an array of shape \(3, 2\); got \(2, 3\)"):
        nn.Sequential([nn.Dense(2, initializer=own)]).build(3)


def test_zeros_are_zeros_and_ones_ones():
    for name, value in (("zeros", 0), ("ones", 1)):
        assert (get(name)((2, 3), np.random.default_rng(0)) == value).all()
