"""Layers beside numbers calculated by hand, and what they promise besides: modes, masks, running statistics."""

from functools import partial
from math import log, sqrt, tanh

import numpy as np
import pytest
from cases import LAYER_CASES, samples

import nnlib as nn
from nnlib.storage import from_plain, plain


def build(layer, *input_shape, **params):
    layer.build(input_shape, np.random.default_rng(0), np.dtype("float64"))
    for name, values in params.items():
        layer.params[name][...] = values
    return layer


def off(ours, by_hand) -> float:
    return float(np.abs(np.asarray(ours) - np.asarray(by_hand)).max())


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_dense_by_hand(record_check):
    layer = build(nn.Dense(2, "relu"), 2, W=[[1, -1], [2, 0]], b=[0.5, 0])
    y, dx = layer.forward(np.array([[1.0, 2.0]])), layer.backward(np.array([[1.0, 1.0]]))
    error = max(off(y, [[5.5, 0]]), off(layer.grads["W"], [[1, 0], [2, 0]]), off(dx, [[1, 2]]))
    record_check("formulas", "Dense, one row", "by hand", error, 0)


@pytest.mark.parametrize(("unbiased", "variance"), [(True, 1.6), (False, 0.9 + 1.4 / 3)])
def test_batch_norm_of_three_numbers(unbiased, variance, record_check):
    """1, 2, 6: mean 3, variance 14/3, unbiased 7. With momentum 0.9 the running mean is 0.3, the variance 0.9 + 0.7."""
    layer = build(nn.BatchNorm(epsilon=1 / 3, unbiased=unbiased), 1, gamma=[2], beta=[1])  # σ² + ε = 5
    y = layer.forward(np.array([[1.0], [2.0], [6.0]]), training=True)
    error = max(
        off(y, 1 + 2 * np.array([[-2], [-1], [3]]) / 5**0.5),
        off(layer.buffers["mean"], 0.3),
        off(layer.buffers["variance"], variance),
    )
    prediction = layer.forward(np.array([[0.3]]), training=False)
    subject = "BatchNorm, of 1, 2 and 6" + ("" if unbiased else ", unbiased=False")
    record_check("formulas", subject, "by hand", max(error, off(prediction, 1)), 1e-15)


def test_layer_norm_of_three_numbers(record_check):
    layer = build(nn.LayerNorm(epsilon=1 / 3), 3, gamma=[2, 2, 2], beta=[1, 1, 1])
    y = layer.forward(np.array([[1.0, 2.0, 6.0]]))
    record_check(
        "formulas", "LayerNorm, of 1, 2 and 6", "by hand", off(y, 1 + 2 * np.array([[-2, -1, 3]]) / 5**0.5), 1e-15
    )


@pytest.mark.parametrize(("name", "shape"), [("LayerNorm", (1, 2)), ("BatchNorm", (2, 1))])
def test_normalization_as_it_starts(name, shape, record_check):
    """±a with a² = 3e-5, untouched: γ = 1, β = 0 and ε = 1e-5 make ±a/√(3e-5 + 1e-5) = ±√¾ of it."""
    layer = build(getattr(nn, name)(), shape[-1])
    a = sqrt(3e-5)
    y = layer.forward(np.array([a, -a]).reshape(shape), training=True)
    record_check("formulas", f"{name}, as it starts", "by hand", off(y.ravel(), [sqrt(0.75), -sqrt(0.75)]), 1e-15)


def test_maxout_of_a_line_and_its_mirror_is_the_absolute_value(record_check):
    layer = build(nn.Maxout(1, pieces=2), 1, W=[[1, -1]], b=[0, 0])
    y, dx = layer.forward(np.array([[-3.0], [2.0]])), layer.backward(np.ones((2, 1)))
    record_check("formulas", "Maxout, as |x|", "by hand", max(off(y, [[3], [2]]), off(dx, [[-1], [1]])), 0)


def test_residual_adds_and_its_gradient_has_a_way_around(record_check):
    layer = nn.Residual(nn.Dense(1))
    build(layer, 1)
    layer.children[0].params["W"][...] = 2
    y, dx = layer.forward(np.array([[3.0]])), layer.backward(np.array([[1.0]]))
    record_check("formulas", "Residual, 3 + 2·3", "by hand", max(off(y, 9), off(dx, 3)), 0)


def test_flatten_keeps_the_order_of_numbers(record_check):
    layer = build(nn.Flatten(), 2, 2, 1)
    record_check(
        "formulas",
        "Flatten, row by row",
        "by hand",
        off(layer.forward(np.arange(4.0).reshape(1, 2, 2, 1)), [0, 1, 2, 3]),
        0,
    )


def test_activation_layer_is_its_activation(record_check):
    layer = build(nn.Activation("tanh"), 1)
    record_check("formulas", "Activation, tanh ln 2", "by hand", off(layer.forward(np.array([[log(2)]])), 0.6), 1e-15)


IMAGE = np.array([[1, 2, 0], [0, 1, 3], [4, 0, 1]], float).reshape(1, 3, 3, 1)
KERNEL = np.array([[1, 10], [100, 1000]], float).reshape(2, 2, 1, 1)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [[1021, 3102], [410, 1031]]),
        # "same" with an even kernel: the row and column of zeros are below and on the right, as in Keras
        ({"padding": "same"}, [[1021, 3102, 300], [410, 1031, 103], [4, 10, 1]]),
        ({"padding": "same", "stride": 2}, [[1021, 300], [4, 1]]),
    ],
    ids=str,
)
def test_convolution_by_hand(settings, expected, record_check):
    """The digits of each sum say which pixel met which weight; a turned kernel would show them reversed."""
    layer = build(nn.Conv2D(1, 2, **settings), 3, 3, 1, W=KERNEL, b=0)
    y = layer.forward(IMAGE)
    record_check("formulas", f"Conv2D, 3×3 image, {settings or 'valid'}", "by hand", off(y[0, :, :, 0], expected), 0)


def test_max_pool_by_hand(record_check):
    layer = build(nn.MaxPool2D(2), 4, 2, 1)
    image = np.array([[1, 5], [2, 3], [7, 7], [0, 7]], float).reshape(1, 4, 2, 1)
    y, dx = layer.forward(image), layer.backward(np.array([2.0, 3.0]).reshape(1, 2, 1, 1))
    # where three entries tie, the first one gets the gradient
    error = max(off(y.ravel(), [5, 7]), off(dx[0, :, :, 0], [[0, 2], [0, 0], [3, 0], [0, 0]]))
    record_check("formulas", "MaxPool2D, with a tie", "by hand", error, 0)


def test_rnn_of_two_steps_by_hand(record_check):
    layer = build(nn.RNN(1, return_sequences=True), 2, 1, W=log(2), U=2, b=0)
    y = layer.forward(np.array([[[1.0], [0.0]]]))
    record_check("formulas", "RNN, two steps", "by hand", off(y.ravel(), [0.6, tanh(1.2)]), 1e-15)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_by_hand(causal, record_check):
    """Steps 0 and a with a² = ln 3, all weights 1: the second looks with 1/4 at the first and with 3/4 at itself."""
    a = sqrt(log(3))
    layer = nn.SelfAttention(causal=causal, initializer="ones")
    layer.build((2, 1), np.random.default_rng(0), np.dtype("float64"))
    y = layer.forward(np.array([[[0.0], [a]]]))
    first = 0 if causal else a / 2  # the first asks for nothing: it takes half of each, if it may look ahead
    subject = "SelfAttention, two steps" + (", causal" if causal else "")
    record_check("formulas", subject, "by hand", off(y.ravel(), [first, 0.75 * a]), 1e-15)
    assert off(layer.weights[0, 0], [[1, 0] if causal else [0.5, 0.5], [0.25, 0.75]]) < 1e-15


def test_lstm_of_two_steps_by_hand(record_check):
    """Gates held by their biases at i = 1/2, f = 3/4, o = 1/4; the candidate is tanh(x ln 2 + 2h). Order i, f, g, o."""
    layer = build(
        nn.LSTM(1, return_sequences=True), 2, 1, W=[[0, 0, log(2), 0]], U=[[0, 0, 2, 0]], b=[0, log(3), 0, -log(3)]
    )
    y = layer.forward(np.array([[[1.0], [0.0]]]))
    c1 = 0.6 / 2
    h1 = tanh(c1) / 4
    c2 = 0.75 * c1 + tanh(2 * h1) / 2
    record_check("formulas", "LSTM, two steps", "by hand", off(y.ravel(), [h1, tanh(c2) / 4]), 1e-15)


def test_dropout_by_hand(record_check):
    layer = build(nn.Dropout(0.75), 1000)
    x = np.full((50, 1000), 3.0)
    y = layer.forward(x, training=True)
    kept = (y != 0).mean()
    error = max(off(np.unique(y), [0, 12]), off(layer.backward(np.ones_like(x)), (y > 0) * 4.0))
    record_check("formulas", "Dropout, rate ¾, entries 0 or 4x", "by hand", error, 0)
    record_check(
        "formulas", "Dropout, rate ¾, share kept", "by hand", abs(kept - 0.25), 5 * (0.25 * 0.75 / y.size) ** 0.5
    )
    assert layer.forward(x, training=False) is x


# -- promises of every layer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 3])
def test_dtype_and_shape_are_kept_for_one_row_and_for_several(case, dtype, rows):
    """A float64 in between would halve the speed of a float32 model without a word."""
    model = nn.Sequential([nn.Dense(case.input_shape[-1]), case.make()], dtype=dtype).build(case.input_shape)
    x = samples(rows, *case.input_shape).astype(dtype)
    for training in (True, False):
        before = x.copy()
        y = model.forward(x, training)
        dx = model.backward(np.ones_like(y))
        assert y.shape == (rows, *model.output_shape)
        assert dx.shape == x.shape
        assert y.dtype == dx.dtype == dtype
        assert (x == before).all()
        for layer in model.layers:
            for part in layer.walk():
                for table in (part.params, part.grads, part.buffers):
                    assert all(value.dtype == dtype for value in table.values())


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_prediction_of_a_row_does_not_depend_on_its_neighbours(case):
    model = nn.Sequential([case.make()]).build(case.input_shape)
    x = samples(4, *case.input_shape)
    together = model.predict(x)
    apart = np.concatenate([model.predict(x[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(together, apart, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "case", [case for case in LAYER_CASES if build(case.make(), *case.input_shape).params], ids=str
)
def test_training_leaves_out_the_gradient_that_nobody_needs(case):
    """In training the first layer with parameters returns no dx, and what is before it is not asked for one."""
    before, first = nn.Activation("tanh"), case.make()
    model = nn.Sequential([before, first]).build(case.input_shape)
    returned = {before: [], first: []}
    for layer, sizes in returned.items():
        right = layer.backward
        layer.backward = lambda dy, right=right, sizes=sizes: sizes.append((dx := right(dy)).shape) or dx
    x, y = samples(4, *case.input_shape), samples(4, *model.output_shape, seed=1)
    model.train_on_batch(x, y, loss="mse", optimizer=nn.SGD(0.1))
    assert returned == {before: [], first: [(0,)]}
    assert model.input_gradient(x, y, "mse").shape == x.shape  # here somebody does
    assert returned == {before: [x.shape], first: [(0,), x.shape]}


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_config_makes_an_equal_layer(case):
    """Through JSON's plain values, as in a saved model."""
    layer = case.make()
    again = from_plain("layer", plain(layer), nn.layers.LAYERS)
    assert repr(again) == repr(layer)
    assert plain(again) == plain(layer)


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_non_contiguous_input_gives_the_same(case):
    layer = case.make()
    shape = layer.build(case.input_shape, np.random.default_rng(0), np.dtype("float64"))
    x, dy = samples(4, *case.input_shape), samples(4, *shape, seed=1)
    results = []
    for version in (np.ascontiguousarray, lambda a: a.repeat(2, axis=0)[::2], np.asfortranarray):
        for part in layer.walk():
            if isinstance(part, nn.Dropout):
                part.rng = np.random.default_rng(1)
        y = layer.forward(version(x), True)
        results.append(
            [y.copy(), layer.backward(version(dy)).copy(), *(g.copy() for p in layer.walk() for g in p.grads.values())]
        )
    for other in results[1:]:
        assert all(np.allclose(a, b, rtol=1e-12, atol=1e-14) for a, b in zip(results[0], other, strict=True))


def test_batch_norm_of_one_row_is_that_of_prediction(record_check):
    """One row has no spread to divide by. Running mean 1 and variance 3, ε = 1: (x - 1)/2, and slope ½ · γ."""
    layer = build(nn.BatchNorm(epsilon=1.0), 2, gamma=[2, 4], beta=[3, 4])
    layer.buffers["mean"][...], layer.buffers["variance"][...] = 1, 3
    y, dx = layer.forward(np.array([[7.0, -1.0]]), training=True), layer.backward(np.array([[1.0, 10.0]]))
    error = max(off(y, [[9, 0]]), off(dx, [[1, 20]]), off(layer.grads["gamma"], [3, -10]))
    kept = max(off(layer.buffers["mean"], 1), off(layer.buffers["variance"], 3), off(layer.grads["beta"], [1, 10]))
    record_check("formulas", "BatchNorm, of one row", "by hand", max(error, kept), 0)


@pytest.mark.parametrize("shape", [(3,), (1, 3)], ids=str)
def test_batch_norm_of_one_row_has_the_right_derivative(shape):
    model = nn.Sequential([nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dense(2)]).build(shape)
    assert nn.check_gradients(model, samples(1, *shape), samples(1, *model.output_shape, seed=1), "mse") < 1e-7


def test_running_variance_is_that_of_the_data_although_a_single_row_is_left_over():
    """1025 rows in batches of 32 leave one; as a batch of variance 0 it would pull the average down by a tenth."""
    X = 2 + 3 * samples(1025, 1)
    model = nn.Sequential([nn.BatchNorm(), nn.Dense(1)])
    model.fit(X, X, loss="mse", optimizer=nn.SGD(0.0), epochs=10, shuffle=False)
    mean, variance = 0.0, 1.0  # by hand: the 32 whole batches, ten times
    for batch in [X[i : i + 32] for i in range(0, 1024, 32)] * 10:
        mean, variance = 0.9 * mean + 0.1 * batch.mean(), 0.9 * variance + 0.1 * batch.var(ddof=1)
    buffers = model.layers[0].buffers
    np.testing.assert_allclose([buffers["mean"][0], buffers["variance"][0]], [mean, variance], rtol=1e-12)
    # an average with weights 0.1 · 0.9ᵏ of estimates from 32 rows: standard error √(0.1/1.9) · √(2/31) = 6 %
    assert abs(variance / X.var() - 1) < 0.2


def test_batches_of_one_row_train_like_a_network_without_batch_norm():
    """The running statistics stay 0 and 1, so that y = γ x/√(1 + ε) + β; γ and β learn, and predictions stay sane."""
    X, y = samples(40, 3), samples(40, 1, seed=1)
    model = nn.Sequential([nn.BatchNorm(epsilon=1e-5), nn.Dense(1)])
    history = model.fit(X, y, loss="mse", optimizer=nn.SGD(0.01), batch_size=1, epochs=3, validation_data=(X, y))
    gamma, beta, W, b = (layer.params[name] for layer in model.layers for name in layer.params)
    by_hand = (X / np.sqrt(1 + 1e-5) * gamma + beta) @ W + b
    np.testing.assert_allclose(model.predict(X), by_hand, rtol=1e-12)
    assert history["val_loss"][-1] == pytest.approx(((by_hand - y) ** 2).mean(), rel=1e-12)
    assert history["val_loss"][-1] < 2 * y.var()


@pytest.mark.parametrize("rate", [1e-9, 0.1, 0.4, 1 / 3, 0.999, 1 - 1e-12])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_keeps_or_drops_and_scales_exactly(rate, dtype):
    """Whoever compares with x/(1 - rate) must find it to the last digit, at every rate that is allowed."""
    layer = nn.Dropout(rate)
    layer.build((1000,), np.random.default_rng(0), np.dtype(dtype))
    y = layer.forward(np.ones((30, 1000), dtype), training=True)
    factor = np.ones(1, dtype) * np.asarray(1 / (1 - rate), dtype)
    assert set(np.unique(y)) <= {0, factor[0]}
    assert abs((y == 0).mean() - rate) < 5 * (rate * (1 - rate) / y.size) ** 0.5 + 1e-5


def test_dropout_of_rate_0_changes_and_draws_nothing():
    """Not even a random number: a model with it in trains to the same bit as one without."""
    X, y = samples(20, 3), samples(20, 1, seed=1)
    layer, trained = nn.Dropout(0), []
    for layers in ([nn.Dense(4), layer, nn.Dense(1)], [nn.Dense(4), nn.Dense(1)]):
        model = nn.Sequential(layers, seed=2)
        model.fit(X, y, loss="mse", optimizer=nn.SGD(0.1), batch_size=8, epochs=2)
        trained.append(model.params)
    assert (trained[0] == trained[1]).all()
    x = samples(3, 4)
    assert layer.forward(x, training=True) is x
    assert layer.backward(x) is x


def test_dropout_draws_anew_each_time():
    layer = build(nn.Dropout(0.5), 50)
    x = np.ones((2, 50))
    assert (layer.forward(x, True) != layer.forward(x, True)).any()


def test_lstm_starts_with_an_open_forget_gate():
    layer = build(nn.LSTM(2), 3, 1)
    assert layer.params["b"].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Dense(0), "units must be a positive integer; got 0"),
        (lambda: nn.Dense(3, "softplus"), "activation must be one of elu, leaky_relu, linear"),
        (lambda: nn.Dense(3, initializer="xavier"), "initializer must be one of glorot_normal"),
        (lambda: nn.Dropout(1.0), r"rate must be a finite number in \[0, 1\); got 1.0"),
        (lambda: nn.BatchNorm(momentum=1), "momentum must be"),
        (lambda: nn.BatchNorm(epsilon=0), "epsilon must be"),
        (lambda: nn.LayerNorm(epsilon=-1), "epsilon must be"),
        (lambda: nn.Maxout(2, pieces=0), "pieces must be a positive integer; got 0"),
        (lambda: nn.Residual(), "layers must hold at least one layer; got none"),
        (lambda: nn.Residual("Dense"), "layers must hold nnlib layers; got 'Dense'"),
        (lambda: nn.Conv2D(4, 3, padding="full"), "padding must be one of same, valid; got 'full'"),
        (lambda: nn.Conv2D(4, (3, 0)), "kernel_size must be a positive integer; got 0"),
        (lambda: nn.Conv2D(4, 3, stride=0), "stride must be a positive integer"),
        (lambda: nn.MaxPool2D(0), "size must be a positive integer"),
        (lambda: nn.LSTM(0), "units must be a positive integer; got 0"),
        (lambda: build(nn.Conv2D(4, 3), 2, 2, 1), "kernel_size must fit into the image, 2×2"),
        (lambda: build(nn.Conv2D(4, 3), 8, 8), "Conv2D needs inputs of shape"),
        (lambda: build(nn.MaxPool2D(3), 2, 2, 1), "size must fit into the image, 2×2"),
        (lambda: build(nn.RNN(3), 5), "RNN needs inputs of shape"),
        (lambda: build(nn.Residual(nn.Dense(3)), 2), r"must have the shape of x, \(2,\); got \(3,\)"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("make", [nn.BatchNorm, partial(nn.Dropout, 0.5), lambda: nn.Residual(nn.Dropout(0.5))])
def test_a_layer_that_is_not_told_otherwise_predicts(make):
    layer, x = make(), samples(8, 4)
    layer.build((4,), np.random.default_rng(0), np.dtype("float64"))
    assert (layer.forward(x) == layer.forward(x, training=False)).all()
    assert not np.allclose(layer.forward(x), layer.forward(x, training=True))


def test_defaults_of_batch_norm_are_those_of_its_paper_and_of_pytorch():
    layer = nn.BatchNorm()
    assert (layer.momentum, layer.epsilon, layer.unbiased) == (0.9, 1e-5, True)


def test_running_statistics_forget_by_the_momentum():
    layer, x = nn.BatchNorm(momentum=0.75, unbiased=False), np.array([[1.0], [3.0]])
    layer.build((1,), np.random.default_rng(0), np.dtype("float64"))
    layer.buffers["mean"][...], layer.buffers["variance"][...] = 10, 20
    layer.forward(x, training=True)
    assert layer.buffers["mean"] == [0.75 * 10 + 0.25 * 2]
    assert layer.buffers["variance"] == [0.75 * 20 + 0.25 * 1]


@pytest.mark.parametrize("entries", [1, 4, 5, 8])
def test_dropout_draws_no_more_random_bits_than_it_needs(entries):
    """Sixteen for each entry, four entries to a draw: what the generator gives next belongs to the stored results."""
    layer, rng, twin = nn.Dropout(0.5), np.random.default_rng(3), np.random.default_rng(3)
    layer.build((entries,), rng, np.dtype("float64"))
    layer.forward(np.ones((1, entries)), training=True)
    twin.bit_generator.random_raw(-(-entries // 4))
    assert rng.bit_generator.state["state"] == twin.bit_generator.state["state"]


def test_what_a_layer_a_rule_or_a_schedule_must_bring_is_not_done_in_silence():
    layer = nn.layers.Layer()
    for call in (
        lambda: layer.forward(np.ones((1, 1))),
        lambda: layer.backward(np.ones((1, 1))),
        lambda: nn.optimizers.Optimizer().update(np.ones(1), np.ones(1), 0.1),
        lambda: nn.schedules.Schedule().at(0),
    ):
        with pytest.raises(NotImplementedError):
            call()
