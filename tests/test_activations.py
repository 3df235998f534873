"""Activations beside values on paper, at their kinks and far out where exponentials overflow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nnlib.activations import ACTIVATIONS, get, make_elu, make_leaky_relu

E = np.e
# f and f′ (softmax: the row and its product with da = (1, 0)) at hand-picked z
ON_PAPER = {
    "linear": ([-2, 0, 3], [-2, 0, 3], [1, 1, 1]),
    "sigmoid": ([0, np.log(3), -np.log(3)], [0.5, 0.75, 0.25], [0.25, 0.1875, 0.1875]),
    "tanh": ([0, np.log(2), -np.log(2)], [0, 0.6, -0.6], [1, 0.64, 0.64]),
    "relu": ([-2, 0, 3], [0, 0, 3], [0, 0, 1]),
    "leaky_relu": ([-2, 0, 3], [-0.02, 0, 3], [0.01, 0.01, 1]),
    "elu": ([-1, 0, 3], [1 / E - 1, 0, 3], [1 / E, 1, 1]),
    "softmax": ([0, np.log(3)], [0.25, 0.75], None),
}


def test_no_activation_can_be_added_without_values_on_paper():
    assert set(ON_PAPER) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope_on_paper(name, record_check):
    z, a, slope = (None if row is None else np.array([row], float) for row in ON_PAPER[name])
    f = ACTIVATIONS[name]
    if name == "softmax":
        da, dz = np.array([[1.0, 0.0]]), np.array([[0.1875, -0.1875]])
    else:
        da, dz = np.full_like(z, 2), 2 * slope
    error = max(np.abs(f(z) - a).max(), np.abs(f.vjp(da, z, f(z)) - dz).max())
    record_check("formulas", f"activation {name}, values and slopes", "by hand", error, 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_nothing_overflows(name, dtype):
    """±1e4 is beyond every exponential; a NaN here would end a reader's training for no reason."""
    z = np.array([[-1e4, 1e4], [1e4, 1e4], [-1e4, -1e4], [0, 1e-40]], dtype)
    f = ACTIVATIONS[name]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = f(z)
        dz = f.vjp(np.ones_like(z), z, a)
    assert np.isfinite(a).all()
    assert np.isfinite(dz).all()
    assert a.dtype == dz.dtype == dtype


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(z=hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=4, max_side=5), elements=st.floats(-50, 50)))
def test_shape_is_kept_and_the_input_not_changed(name, z):
    f, before = ACTIVATIONS[name], z.copy()
    a = f(z)
    assert a.shape == f.vjp(np.ones_like(z), z, a).shape == z.shape
    assert (z == before).all()
    if name == "softmax":
        np.testing.assert_allclose(a.sum(axis=-1), 1, rtol=1e-14)
        np.testing.assert_allclose(f(z + 7), a, rtol=1e-10, atol=1e-15)


def test_options_are_kept_for_saving_and_checked():
    assert get({"name": "leaky_relu", "slope": 0.2})(np.array([[-1.0]]))[0, 0] == -0.2
    assert make_elu(2.0)(np.array([[-50.0]]))[0, 0] == pytest.approx(-2)
    with pytest.raises(ValueError, match="slope must be a finite number"):
        make_leaky_relu(-0.1)
    with pytest.raises(ValueError, match=r"activation must be one of elu, .*; got 'swish'"):
        get("swish")
    assert get(None).name == "linear"


def test_where_two_slopes_meet_that_from_below_is_taken():
    z = np.zeros(1)
    for activation, slope in ((make_elu(2.0), 2.0), (make_leaky_relu(0.3), 0.3)):
        assert activation.vjp(np.ones(1), z, activation.f(z)) == slope
