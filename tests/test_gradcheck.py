"""Every derivative in the library against finite differences: a wrong sign would train every reader's network badly."""

import pickle
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from cases import KINKS, LAYER_CASES, LOSS_CASES, SMOOTH, samples

import nnlib as nn
from nnlib.gradcheck import _error, numerical_gradient, relative_error

DIFFERENCES = "central differences"


def test_no_block_can_be_added_without_a_gradient_check():
    assert {case.name for case in LAYER_CASES} == set(nn.layers.LAYERS)
    assert {case.loss.name for case in LOSS_CASES} == set(nn.losses.LOSSES)


# -- the tools themselves ---------------------------------------------------------------------------------------------


def test_numerical_gradient_of_a_known_function():
    x = np.array([[1.0, 2.0], [3.0, -4.0]])
    kept = x.copy()
    np.testing.assert_allclose(numerical_gradient(lambda: float((x**3).sum()), x), 3 * kept**2, rtol=1e-9)
    assert (x == kept).all()


def test_relative_error_is_measured_per_tensor():
    a = np.array([1.0, 1e-9])
    assert relative_error(a, np.array([1.0, 2e-9])) == pytest.approx(1e-9)
    assert relative_error(a, -a) == pytest.approx(2.0)
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert type(relative_error(a, -a)) is float


@pytest.mark.parametrize("break_it", ["sign", "factor", "missing_bias"])
def test_a_wrong_derivative_is_found(break_it, monkeypatch):
    """A gradient check that passes everything would certify whatever a reader writes in an exercise."""
    right = nn.Dense.backward_z

    def wrong(self, dz):
        dx = right(self, {"sign": -dz, "factor": 1.01 * dz}.get(break_it, dz))
        if break_it == "missing_bias":
            self.grads["b"][...] = 0
        return dx

    model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(2)])
    X, y = samples(6, 3), samples(6, 2, seed=1)
    assert nn.check_gradients(model, X, y, "mse") < SMOOTH
    monkeypatch.setattr(nn.Dense, "backward_z", wrong)
    error = nn.check_gradients(model, X, y, "mse")
    assert error > 9e-3
    assert type(error) is float, "NumPy's own would be printed as np.float64(...)"


def flipped(layer, what):
    """Return the layer with one thing wrong on its way back: the sign of a gradient, or that of dx."""
    right = layer.backward_z

    def wrong(dz):
        dx = right(dz)
        if what == "dx":
            return None if dx is None else -dx
        layer.grads[what] *= -1
        return dx

    layer.backward_z = wrong
    return layer


@pytest.mark.parametrize("depth", [2, 6, 14, 30])
@pytest.mark.parametrize("what", ["W", "b", "dx", None])
def test_a_flipped_sign_is_found_at_any_depth(depth, what, record_check):
    """Thirty sigmoids shrink the first layer's gradient to 1e-20 of the last one's, far below the loss's digits."""
    layers = [nn.Dense(4, "sigmoid") for _ in range(depth)]
    if what:
        flipped(layers[1 if what == "dx" else 0], what)
    model = nn.Sequential([*layers, nn.Dense(2)], seed=3)
    error = nn.check_gradients(model, samples(6, 3), samples(6, 2, seed=1), "mse")
    if what:
        assert error > 1.9
    else:
        record_check("derivatives", f"{depth} sigmoid layers", DIFFERENCES, error, SMOOTH)


def test_a_gradient_that_lands_in_the_wrong_place_is_found():
    """Every layer may be right, and the model still put its gradients where they do not belong."""

    class Muddled(nn.Sequential):
        def compute_gradients(self, *arguments):
            output = super().compute_gradients(*arguments)
            self.grads[:4] = self.grads[:4][::-1].copy()
            return output

    model = Muddled([nn.Dense(2, "tanh"), nn.Dense(2)])
    assert nn.check_gradients(model, samples(6, 2), samples(6, 2, seed=1), "mse") > 1e-2


@pytest.mark.parametrize("place", ["W", "b", "dx"])
def test_a_gradient_that_is_no_number_is_found(place):
    """Every comparison with NaN is false: also the one that asks whether the error is too large."""

    class Broken(nn.Dense):
        def backward_z(self, dz):
            dx = super().backward_z(dz)
            (dx if place == "dx" else self.grads[place])[-1] = np.nan
            return dx

    model = nn.Sequential([nn.Dense(4, "tanh"), Broken(4, "tanh"), nn.Dense(2)])
    assert nn.check_gradients(model, samples(6, 3), samples(6, 2, seed=1), "mse") == np.inf


@pytest.mark.parametrize("what", ["value", "slope"])
def test_a_wrong_loss_is_found(what):
    mse = nn.losses.get("mse")
    own = nn.losses.Loss(
        "own",
        rows=lambda p, y: mse.rows(p, y) * (1.01 if what == "value" else 1),
        slope=lambda p, y: mse.slope(p, y) * (1.01 if what == "slope" else 1),
    )
    assert nn.check_gradients(nn.Sequential([nn.Dense(2)]), samples(6, 2), samples(6, 2, seed=1), own) > 9e-3


def test_what_no_difference_can_tell_is_said():
    """Inside one block of thirty sigmoids the gradient of the first is far below the digits of the block's output."""
    block = nn.Residual(*(nn.Dense(3, "sigmoid") for _ in range(30)))
    with pytest.warns(RuntimeWarning, match=r"gradient of \w of Dense\(units=3, .* cannot be judged"):
        nn.check_gradients(nn.Sequential([block]), samples(6, 3), samples(6, 3, seed=1), "mse")


@pytest.mark.parametrize("weights", [nn.BatchNorm(), nn.Dropout(0.4)], ids=repr)
def test_the_model_comes_back_as_it_was(weights):
    X, y = samples(8, 3), samples(8, 2, seed=1)
    model = nn.Sequential([nn.Dense(4), weights, nn.Dense(2)], seed=5)
    model.fit(X, y, loss="mse", optimizer=nn.SGD(0.1, momentum=0.9))
    before = pickle.dumps((model.rng.bit_generator.state, model.get_weights(), model.grads))
    nn.check_gradients(model, X, y, "mse")
    assert pickle.dumps((model.rng.bit_generator.state, model.get_weights(), model.grads)) == before


PLACES = [(layer, name) for layer in range(3) for name in "Wb"]


@pytest.mark.parametrize(("layer", "name"), PLACES, ids=str)
def test_no_tensor_is_left_out(layer, name, monkeypatch):
    """From the first weights to the last bias: one per cent off in one of them must show."""
    model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(3, "tanh"), nn.Dense(2)])
    right, target = nn.Dense.backward_z, model.layers[layer]

    def wrong(self, dz):
        dx = right(self, dz)
        if self is target:
            self.grads[name] *= 1.01
        return dx

    monkeypatch.setattr(nn.Dense, "backward_z", wrong)
    error = nn.check_gradients(model, samples(6, 3), samples(6, 2, seed=1), "mse")
    assert error == pytest.approx(0.01, rel=0.02)


def test_a_bias_before_batch_normalization_does_not_look_wrong():
    """Its gradient is exactly 0, so that all digits of the difference quotient are rounding."""
    for scale in (1, 100):
        model = nn.Sequential([nn.Dense(5), nn.BatchNorm(), nn.Dense(1)])
        assert nn.check_gradients(model, samples(8, 3), scale * samples(8, 1, seed=1), "mse") < SMOOTH


def test_check_gradients_leaves_the_model_as_it_was():
    model = nn.Sequential([nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(2)], seed=1)
    X, y = samples(6, 3), samples(6, 2, seed=1)
    model.fit(X, y, loss="mse", optimizer="Adam", epochs=2)
    before = [*model.get_weights(), model.grads.copy(), model.optimizer.state["m"].copy()]
    random_state = model.rng.bit_generator.state
    assert nn.check_gradients(model, X, y, "mse") < SMOOTH
    after = [*model.get_weights(), model.grads, model.optimizer.state["m"]]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert model.rng.bit_generator.state == random_state


def test_check_gradients_refuses_float32():
    model = nn.Sequential([nn.Dense(1)], dtype="float32")
    with pytest.raises(ValueError, match="check_gradients needs a model of dtype float64; got float32"):
        nn.check_gradients(model, samples(4, 2), samples(4, 1), "mse")


# -- every layer, alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False], ids=["training", "prediction"])
@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
def test_layer(case, training, record_check):
    """Each parameter tensor and the input, for a random gradient of the output."""
    layer, rng = case.make(), np.random.default_rng(3)
    output_shape = layer.build(case.input_shape, rng, np.dtype("float64"))
    parts = list(layer.walk())
    for part in parts:  # away from the zeros and ones at which biases and scales start
        for parameter in part.params.values():
            parameter += 0.3 * samples(*parameter.shape, seed=parameter.size)
        for buffer in part.buffers.values():
            buffer += 0.3 * samples(*buffer.shape, seed=buffer.size) ** 2
    buffers = [(buffer, buffer.copy()) for part in parts for buffer in part.buffers.values()]
    x, dy = samples(5, *case.input_shape, seed=1), samples(5, *output_shape, seed=2)
    random_state = rng.bit_generator.state

    def output():
        rng.bit_generator.state = random_state
        for buffer, kept in buffers:
            buffer[...] = kept
        return layer.forward(x, training)

    def value():
        return float((dy * output()).sum())

    assert output().shape == dy.shape, "build must say the shape that forward returns"
    for part in parts:
        for gradient in part.grads.values():
            gradient[...] = np.nan  # backward must overwrite, not add
    given = dy.copy()
    dx = layer.backward(dy)
    assert (dy == given).all(), "backward must not change what it was given"
    by_hand = [(x, dx), *((part.params[name], part.grads[name].copy()) for part in parts for name in part.params)]
    errors = [relative_error(gradient, numerical_gradient(value, array)) for array, gradient in by_hand]
    mode = "" if training else ", in prediction"
    record_check("derivatives", f"{case.label}{mode}", DIFFERENCES, max(errors), case.tolerance)


@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
def test_skipping_the_input_gradient_changes_nothing_else(case):
    """The first layer saves that product; its parameters must still get the same gradients."""
    layer, rng = case.make(), np.random.default_rng(3)
    output_shape = layer.build(case.input_shape, rng, np.dtype("float64"))
    layer.forward(samples(5, *case.input_shape, seed=1), True)
    grads = []
    for skip in (False, True):
        layer.skip_dx = skip
        layer.backward(samples(5, *output_shape, seed=2))
        grads.append([part.grads[name].copy() for part in layer.walk() for name in part.grads])
    assert all((a == b).all() for a, b in zip(*grads, strict=True))


# -- activations and losses -------------------------------------------------------------------------------------------

ACTIVATION_CASES = {
    **nn.activations.ACTIVATIONS,
    "leaky_relu, slope 0.2": nn.activations.make_leaky_relu(0.2),
    "elu, α = 0.5": nn.activations.make_elu(0.5),
}


@pytest.mark.parametrize("name", ACTIVATION_CASES)
def test_activation(name, record_check):
    activation = ACTIVATION_CASES[name]
    z = 2 * samples(6, 5)
    da = samples(6, 5, seed=1)
    by_hand = activation.vjp(da, z, activation.f(z))
    error = relative_error(by_hand, numerical_gradient(lambda: float((da * activation.f(z)).sum()), z))
    record_check("derivatives", f"activation {name}", DIFFERENCES, error, KINKS if "relu" in name else SMOOTH)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.label)
def test_loss(case, weighted, record_check):
    rng = np.random.default_rng(5)
    p, y = case.predictions(rng), case.targets(rng)
    weight = rng.uniform(0.2, 2, len(p)) if weighted else None
    by_hand = case.loss.grad(p, y, weight)
    error = relative_error(by_hand, numerical_gradient(lambda: case.loss.value(p, y, weight), p))
    label = f"loss {case.label}" + (", weighted rows" if weighted else "")
    record_check("derivatives", label, DIFFERENCES, error, case.tolerance)


@pytest.mark.parametrize("pair", nn.losses.FUSED, ids="+".join)
@pytest.mark.parametrize("shape", [(6, 3), (4, 2, 3)], ids=str)
def test_fused_pair_is_its_two_parts(pair, shape, record_check):
    """Softmax and cross-entropy as one must be the same number as one after the other, for value and gradient."""
    activation, loss = nn.activations.get(pair[0]), nn.losses.get(pair[1])
    fused = nn.losses.FUSED[pair]
    z = samples(*shape)
    y = np.eye(3)[np.random.default_rng(1).integers(0, 3, shape[:-1])]
    weight = np.random.default_rng(2).uniform(0.2, 2, shape[0])
    a = activation.f(z)
    for w in (None, weight):
        error = max(
            abs(fused.value(z, y, w) - loss.value(a, y, w)),
            np.abs(fused.grad(a, y, w) - activation.vjp(loss.grad(a, y, w), z, a)).max(),
        )
        record_check("derivatives", f"fused {fused.name}, {shape}", "activation, then loss", error, 1e-14)
    error = relative_error(fused.grad(a, y), numerical_gradient(lambda: fused.value(z, y), z))
    record_check("derivatives", f"fused {fused.name}, {shape}", DIFFERENCES, error, SMOOTH)


# -- compositions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", nn.losses.LOSSES)
@pytest.mark.parametrize("activation", nn.activations.ACTIVATIONS)
def test_network_of_every_activation_with_every_loss(activation, loss, record_check):
    """Two layers of each activation, then the output that the loss needs, as `fit` runs them."""
    last = {"binary_crossentropy": "sigmoid", "categorical_crossentropy": "softmax"}.get(loss)
    model = nn.Sequential([nn.Dense(5, activation), nn.Dense(4, activation), nn.Dense(3, last)], seed=1)
    y = np.eye(3)[[0, 1, 2, 1, 0, 2, 2]] if last else samples(7, 3, seed=2)
    error = nn.check_gradients(model, samples(7, 4), y, loss)
    kinks = "relu" in activation or loss in ("mae", "huber")
    record_check("derivatives", f"network, {activation}, {loss}", DIFFERENCES, error, KINKS if kinks else SMOOTH)


@pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
def test_every_layer_inside_a_network(case, record_check):
    """Between two dense layers, so that a gradient must come through it right and land in the flat buffer."""
    model = nn.Sequential([nn.Dense(case.input_shape[-1], "tanh"), case.make(), nn.Dense(2)], seed=2)
    model.build(case.input_shape)
    error = nn.check_gradients(model, samples(6, *case.input_shape), samples(6, *model.output_shape, seed=1), "mse")
    record_check("derivatives", f"network with {case.label}", DIFFERENCES, error, case.tolerance)


def test_insurance_network(record_check):
    """The network of the insurance chapter: normalization, dropout and ReLU together, in training mode."""
    layers = [nn.BatchNorm()]
    for _ in range(2):
        layers += [nn.Dense(10, "relu", initializer="he_normal"), nn.BatchNorm(), nn.Dropout(0.5)]
    model = nn.Sequential([*layers, nn.Dense(10, "relu"), nn.BatchNorm(), nn.Dense(1)], seed=4)
    error = nn.check_gradients(model, samples(16, 11), samples(16, 1, seed=1), "mse")
    record_check("derivatives", "the insurance network, narrow", DIFFERENCES, error, KINKS)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu", "tanh"])
def test_at_an_exact_kink_every_slope_between_the_sides_is_right(activation):
    """Blank patches of pictures meet biases of 0: z is exactly 0 there, and pooling has ties."""
    images = np.abs(samples(4, 6, 6, 1))
    images[:, :3, :3] = 0
    layers = [nn.Conv2D(2, 2, activation=activation), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(3, "softmax")]
    model = nn.Sequential(layers, seed=0)
    assert nn.check_gradients(model, images, np.eye(3)[[0, 1, 2, 0]], "categorical_crossentropy") < KINKS
    flipped(model.layers[3], "W")
    assert nn.check_gradients(model, images, np.eye(3)[[0, 1, 2, 0]], "categorical_crossentropy") > 1.9


def test_zero_rows_meet_maxout_and_mae():
    X, y = samples(6, 3), samples(6, 2, seed=1)
    X[0] = 0
    model = nn.Sequential([nn.Maxout(2)], seed=0)
    y[0] = 0
    assert nn.check_gradients(model, X, y, "mae") < KINKS


def test_kinks_that_meet_wherever_the_inputs_are_are_parted_by_moving_the_weights():
    """With weights of 0 every unit of every row is at its kink, whatever x is."""
    model = nn.Sequential([nn.Dense(4, "relu", initializer="zeros"), nn.Dense(2)])
    assert nn.check_gradients(model, samples(6, 3), samples(6, 2, seed=1), "mse") < KINKS


@pytest.mark.parametrize("unit", [1e-2, 1e3])
def test_a_hair_s_breadth_is_a_hundredth_of_how_far_the_inputs_are_spread(unit):
    """Where something seems wrong it looks once more, nearby: in whatever unit the inputs are."""
    seen = []

    class Spy(nn.Flatten):
        def forward(self, x, training=False):
            seen.append(x.copy())
            return super().forward(x, training)

    X = unit * samples(60, 3)
    nn.check_gradients(nn.Sequential([Spy(), flipped(nn.Dense(2), "W")]), X, samples(60, 2, seed=1), "mse")
    assert (seen[0] == X).all()
    assert np.std(seen[-1] - X) == pytest.approx(0.01 * np.std(X), rel=0.15)


@pytest.mark.parametrize(("gap", "off"), [(1.5e-4, 0), (0.7e-4, 0.35e-4)])
@pytest.mark.parametrize("height", [0, 1])
def test_a_kink_is_where_the_slopes_differ_by_more_than_a_ten_thousandth(gap, off, height):
    """At a kink the slope of either side is right; elsewhere it is half of their difference away from the mean."""
    x = np.zeros(1)
    error = _error(np.ones(1), lambda: height + np.maximum(x, (1 + gap) * x), np.ones(1), x, 6e-6, "x")
    assert error == pytest.approx(off, abs=2e-9)


def test_a_difference_of_slopes_within_the_rounding_is_no_kink():
    """Slopes of 1e-5 and 1e-5 + 1e-9 on a height of 1, where each may be off by 0.74e-9: what counts is the mean."""
    x, rounding = np.zeros(1), 20 * np.finfo(float).eps / 6e-6
    error = _error(np.full(1, 1e-5 - 5e-9), lambda: 1 + np.maximum(1e-5 * x, 1.0001e-5 * x), np.ones(1), x, 6e-6, "x")
    assert error == pytest.approx((5.5e-9 - rounding) / 1e-5, rel=0.03)


@pytest.mark.parametrize(("gradient", "judged"), [(1.5e-13, False), (0.7e-13, True)])
def test_a_gradient_of_some_1e_13_is_rounding_itself(gradient, judged):
    """Below it stands for 0, as that of a bias before BatchNorm; above it is one that no difference can tell."""
    x = np.zeros(1)
    with nullcontext() if judged else pytest.warns(RuntimeWarning, match="gradient of x cannot be judged"):
        _error(np.full(1, gradient), lambda: 1 + gradient * x, np.ones(1), x, 6e-6, "x")


def test_of_an_infinite_output_no_gradient_is_right_and_one_warning_is_enough():
    x = np.zeros(1)
    with pytest.warns(RuntimeWarning, match="gradient of x cannot be judged"):
        assert _error(np.ones(1), lambda: x + np.inf, np.ones(1), x, 6e-6, "x") == np.inf


class Minus(nn.layers.Layer):
    """Hands on what it gets, and a gradient of twice the size in the wrong direction."""

    def build(self, input_shape, rng, dtype):
        return input_shape

    def forward(self, x, training=False):
        return x.copy()

    def backward(self, dy):
        return -2 * dy


def test_the_error_of_a_tensor_is_measured_against_its_largest_entry_whatever_the_sign():
    """By hand -2 g, by difference g: off by 3 g, of which the larger is 2 g."""
    model = nn.Sequential([nn.Dense(3), Minus()], seed=1)
    X, y = np.array([[1.0, 2.0]]), np.array([[50.0, -1.0, 0.2]])
    assert nn.check_gradients(model, X, y, "mse") == pytest.approx(1.5, rel=1e-6)
    assert nn.gradcheck.relative_error(np.array([1.0, 1.0]), np.array([1.0, 5.0])) == 0.8


def test_a_gradient_of_nothing_is_no_matter_for_a_warning():
    """ReLU is off: no weight matters, and all that comes from the loss is below 0."""
    model = nn.Sequential([nn.Dense(2, "relu"), nn.Dense(1)], seed=0).build(1)
    model.set_weights([np.array([-1.0, -1.0, -1.0, -1.0, 1.0, 1.0, 0.0])])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.check_gradients(model, np.ones((2, 1)), np.full((2, 1), 3.0), "mse") < 1e-7


def test_a_check_that_doubts_itself_points_to_who_called_it():
    block = nn.Residual(*(nn.Dense(3, "sigmoid") for _ in range(30)))
    model, X, y = nn.Sequential([block]), samples(5, 3), samples(5, 3, seed=1)
    with pytest.warns(RuntimeWarning, match="cannot be judged") as warned:
        nn.check_gradients(model, X, y, "mse")
    assert {warning.filename for warning in warned} == {__file__}


def test_a_check_leaves_the_random_numbers_as_they_were():
    model = nn.Sequential([nn.Dropout(0.5), nn.Dense(3)]).build(2)
    before = model.rng.bit_generator.state
    nn.check_gradients(model, samples(4, 2), samples(4, 3), "mse")
    assert model.rng.bit_generator.state == before


def test_the_rounding_of_a_sum_grows_with_what_is_summed():
    """20 ε · 1000/h: a thousand ones may each be off by their last digit."""
    x = np.zeros(1)
    with pytest.warns(RuntimeWarning, match=r"rounding of differences, 7\.4e-07"):
        _error(np.full(1, 1e-9), lambda: 1 + 1e-12 * np.full(1000, x[0]), np.ones(1000), x, 6e-6, "x")


def test_a_gradient_of_which_one_entry_can_be_told_is_judged_by_its_largest():
    x = np.zeros(2)
    with pytest.warns(RuntimeWarning, match="cannot be judged"):
        _error(np.array([0.0, 1e-12]), lambda: 1 + 1e-12 * x, np.ones(2), x, 6e-6, "x")
