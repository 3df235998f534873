"""Training as a reader sees it: what must happen, what must be refused, and what must not change."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from cases import LAYER_CASES, OPTIMIZER_CASES, optimizer_label, samples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib as nn
from nnlib.gradcheck import numerical_gradient, relative_error

ROOT = Path(__file__).parent.parent


def one_hot(k, rows, seed=0):
    return np.eye(k)[np.random.default_rng(seed).integers(0, k, rows)]


# -- what a training must do ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3, 10])
def test_untrained_classifier_is_as_good_as_chance(k, record_check):
    """With small weights the loss starts at ln k."""
    model = nn.Sequential([nn.Dense(20, "tanh"), nn.Dense(k, "softmax", initializer={"name": "normal", "std": 1e-6})])
    loss = model.evaluate(samples(200, 5), one_hot(k, 200), loss="categorical_crossentropy")["loss"]
    record_check("behaviour", f"loss at the start, {k} classes", "ln k", abs(loss - np.log(k)), 1e-4)


@pytest.mark.parametrize(
    "make", [m for makers in OPTIMIZER_CASES.values() for m in makers], ids=lambda m: optimizer_label(m())
)
def test_every_optimizer_learns_a_line(make, record_check):
    X = samples(40, 2)
    y = X @ [[2.0], [-1.0]] + 0.5
    model, optimizer = nn.Sequential([nn.Dense(1)]), make()
    optimizer.learning_rate = {"Adagrad": 0.5, "SGD": 0.05}.get(type(optimizer).__name__, 0.05)
    history = model.fit(X, y, loss="mse", optimizer=optimizer, epochs=150, batch_size=10)
    share = history["loss"][-1] / history["loss"][0]
    record_check(
        "behaviour",
        f"{type(optimizer).__name__} learns a line, {optimizer_label(optimizer)}",
        "share of the loss left",
        share,
        1e-2,
    )


@pytest.mark.parametrize(
    ("loss", "last"), [("categorical_crossentropy", "softmax"), ("binary_crossentropy", "sigmoid"), ("mse", None)]
)
def test_twenty_rows_are_learned_by_heart(loss, last, record_check):
    """A network that cannot overfit 20 rows has a bug somewhere between forward and the optimizer."""
    X, y = samples(20, 5), one_hot(3, 20)
    model = nn.Sequential([nn.Dense(64, "relu", initializer="he_normal"), nn.Dense(3, last)], seed=1)
    history = model.fit(X, y, loss=loss, optimizer=nn.Adam(0.02), epochs=400, batch_size=20, metrics=["accuracy"])
    assert history["accuracy"][-1] == 1
    record_check("behaviour", f"20 rows by heart, {loss}", "loss 0", history["loss"][-1], 1e-3)


NETWORK = """
import numpy as np, nnlib as nn, sys
rng = np.random.default_rng(0)
X, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 1))
layers = [nn.BatchNorm(), nn.Dense(8, "relu"), nn.Dropout(0.5), nn.Dense(1)]
model = nn.Sequential(layers, seed=int(sys.argv[1]))
model.fit(X, y, loss="mse", optimizer="Adam", epochs=3)
print(model.params.tobytes().hex())
"""


def test_same_seed_same_bits_in_every_process(record_check):
    runs = [
        subprocess.run(
            [sys.executable, "-c", NETWORK, seed], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
        for seed in ("1", "1", "2")
    ]
    assert runs[0] != runs[2]
    record_check("behaviour", "same seed, two processes", "same bits", float(runs[0] != runs[1]), 0)


def test_the_global_generator_is_not_touched():
    """A reader's np.random.seed must neither change a model nor be changed by it."""
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    model = nn.Sequential([nn.Dense(4), nn.Dropout(0.5), nn.Dense(1)])
    model.fit(samples(8, 2), samples(8, 1), loss="mse", optimizer="SGD")
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_every_layer_lowers_the_loss(case):
    model = nn.Sequential([nn.Dense(case.input_shape[-1], "tanh"), case.make(), nn.Dense(3)], seed=2).build(
        case.input_shape
    )
    X, y = samples(30, *case.input_shape), samples(30, *model.output_shape, seed=1)
    before = model.evaluate(X, y, loss="mse")["loss"]
    model.fit(X, y, loss="mse", optimizer=nn.Adam(0.01), epochs=30)
    assert model.evaluate(X, y)["loss"] < before


def test_epoch_losses_are_those_of_the_batches_while_learning():
    """Without learning (η = 0), no dropout and no normalization the training loss is the loss over all rows."""
    X, y = samples(10, 2), samples(10, 1, seed=1)
    for loss in ("mse", "rmse", "mae"):
        model = nn.Sequential([nn.Dense(1)])
        history = model.fit(X, y, loss=loss, optimizer=nn.SGD(0.0), batch_size=3, metrics=["rmse"])
        assert history["loss"][0] == pytest.approx(model.evaluate(X, y)["loss"], rel=1e-12)
        assert history["rmse"][0] == pytest.approx(model.evaluate(X, y, metrics=["rmse"])["rmse"], rel=1e-12)


def test_rmse_over_batches_is_that_over_all_rows():
    """√ of a mean is not the mean of √s: 2,500 rows are predicted in three pieces."""
    X, y = samples(2500, 1), 100 * np.arange(2500.0)[:, None]
    model = nn.Sequential([nn.Dense(1)])
    expected = np.sqrt(np.mean((model.predict(X) - y) ** 2))
    assert model.evaluate(X, y, loss="rmse", metrics=["rmse"]) == {
        "loss": pytest.approx(expected),
        "rmse": pytest.approx(expected),
    }


def test_shuffling_moves_rows_of_x_y_and_weights_together():
    """Each row is seen once per epoch, beside its own target and weight."""
    seen = []

    class Spy(nn.Activation):
        def __init__(self):
            super().__init__("linear")

        def forward(self, x, training=False):
            if training:
                seen.append(x.copy())
            return super().forward(x)

    X = np.arange(20.0)[:, None]
    model = nn.Sequential([Spy(), nn.Dense(1, initializer="ones")])
    options = {"loss": "mse", "optimizer": nn.SGD(0.0), "batch_size": 6, "epochs": 2}
    history = model.fit(X, X, sample_weight=X[:, 0], **options)
    first, second = np.concatenate(seen[:4]).ravel(), np.concatenate(seen[4:]).ravel()
    assert sorted(first) == sorted(second) == list(range(20))
    assert (first != second).any()
    assert (first != np.arange(20)).any()
    assert history["loss"] == [0, 0]  # y = x row by row
    seen.clear()
    model.fit(X, X, shuffle=False, **{**options, "optimizer": None, "epochs": 1})
    assert np.concatenate(seen).ravel().tolist() == list(range(20))


def test_repeated_rows_are_weighted_rows():
    """One full-batch step with weight 2 on a row is the step with that row twice, at the rate (N + 1)/N."""
    X, y, weight = samples(6, 3), samples(6, 2, seed=1), np.ones(6)
    weight[4] = 2
    twice = np.r_[:6, 4]
    weighted, repeated = (nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(2)]).build(3) for _ in range(2))
    options = {"loss": "mse", "batch_size": 10, "epochs": 3, "shuffle": False}
    weighted.fit(X, y, sample_weight=weight, optimizer=nn.SGD(0.1), **options)
    repeated.fit(X[twice], y[twice], optimizer=nn.SGD(0.1 * 7 / 6), **options)
    np.testing.assert_allclose(weighted.params, repeated.params, rtol=1e-12)


@pytest.mark.parametrize("columns", [1, 3])
def test_class_weights_are_sample_weights(columns):
    X = samples(12, 3)
    y = np.random.default_rng(0).integers(0, 2, (12, 1)) if columns == 1 else one_hot(3, 12)
    loss, last = ("binary_crossentropy", "sigmoid") if columns == 1 else ("categorical_crossentropy", "softmax")
    by_class = {0: 0.5, 1: 2.0, 2: 3}
    classes = y[:, 0] if columns == 1 else y.argmax(axis=1)
    models = [nn.Sequential([nn.Dense(columns, last)]).build(3) for _ in range(2)]
    options = {"loss": loss, "epochs": 2, "batch_size": 5}
    first = models[0].fit(X, y, class_weight=by_class, optimizer=nn.SGD(0.1), **options)
    second = models[1].fit(X, y, sample_weight=[by_class[c] for c in classes], optimizer=nn.SGD(0.1), **options)
    assert first == second
    assert (models[0].params == models[1].params).all()


def test_only_weights_decay():
    """With gradients of zero, two steps at η = 0.1 and λ = 0.5 leave 0.95² of each matrix, and biases and scales."""
    model = nn.Sequential(
        [nn.Dense(3, bias_initializer="ones"), nn.BatchNorm(), nn.LSTM(2, True), nn.Flatten(), nn.Dense(1)]
    )
    model.build((4, 2))
    before = {(layer, name): value.copy() for layer in model.layers for name, value in layer.params.items()}
    optimizer = nn.SGD(0.1, weight_decay=0.5)
    optimizer.init(model.params.size, "float64", model.flat.decayed)
    for _ in range(2):
        optimizer.step(model.params, np.zeros_like(model.params))
    for (layer, name), value in before.items():
        factor = 0.95**2 if value.ndim >= 2 else 1
        np.testing.assert_allclose(layer.params[name], factor * value, rtol=1e-14)


# -- one model through another ----------------------------------------------------------------------------------------


def generator_and_judge():
    generator = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(3)], seed=1).build(2)
    judge = nn.Sequential([nn.Dense(4, "tanh"), nn.BatchNorm(), nn.Dense(1, "sigmoid")], seed=2).build(3)
    return generator, judge


def test_training_through_a_frozen_model_leaves_it_as_it_was():
    generator, judge = generator_and_judge()
    before = judge.get_weights()
    loss = generator.train_on_batch(
        samples(8, 2), np.ones((8, 1)), loss="binary_crossentropy", optimizer=nn.SGD(0.1), through=judge
    )
    assert loss > 0
    assert all((a == b).all() for a, b in zip(judge.get_weights(), before, strict=True))


def test_gradient_through_a_frozen_model(record_check):
    generator, judge = generator_and_judge()
    x, y = samples(8, 2), np.ones((8, 1))
    objective = judge.objective("binary_crossentropy")

    def value():
        judge.forward(generator.forward(x, True), True)
        return objective.value(judge.layers[-1].z, y)

    expected = numerical_gradient(value, generator.params)
    generator.train_on_batch(x, y, loss="binary_crossentropy", optimizer=nn.SGD(0.0), through=judge)
    error = relative_error(generator.grads, expected)
    record_check("derivatives", "a generator through its judge", "central differences", error, 1e-7)


def test_a_generator_learns_to_please_and_the_judge_to_tell_apart():
    """A GAN in miniature: points at (3, -2) are imitated, with nothing but two calls per round."""
    rng = np.random.default_rng(0)
    generator = nn.Sequential([nn.Dense(8, "tanh"), nn.Dense(2)], seed=1)
    judge = nn.Sequential([nn.Dense(16, "leaky_relu"), nn.Dense(1, "sigmoid")], seed=2)
    g, d = nn.Adam(0.01), nn.Adam(0.01)
    for _ in range(400):
        noise, real = rng.normal(size=(32, 2)), rng.normal([3, -2], 0.3, (32, 2))
        both, labels = np.r_[real, generator.predict(noise)], np.r_[np.ones((32, 1)), np.zeros((32, 1))]
        judge.train_on_batch(both, labels, loss="binary_crossentropy", optimizer=d)
        generator.train_on_batch(noise, np.ones((32, 1)), loss="binary_crossentropy", optimizer=g, through=judge)
    assert np.abs(generator.predict(rng.normal(size=(200, 2))).mean(axis=0) - [3, -2]).max() < 1


def test_a_judge_that_does_not_fit_is_refused():
    generator, _ = generator_and_judge()
    wrong = nn.Sequential([nn.Dense(1, "sigmoid")]).build(5)
    options = {"loss": "binary_crossentropy", "optimizer": nn.SGD(0.1)}
    with pytest.raises(ValueError, match=r"through must take inputs of shape \(3,\), the model's output; got \(5,\)"):
        generator.train_on_batch(samples(4, 2), np.ones((4, 1)), through=wrong, **options)
    single = nn.Sequential([nn.Dense(1, "sigmoid")], dtype="float32")
    with pytest.raises(ValueError, match="through must have the dtype of the model, float64; got float32"):
        generator.train_on_batch(samples(4, 2), np.ones((4, 1)), through=single, **options)


# -- when numbers blow up ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_stops_with_epoch_and_step_and_brings_the_best_weights_back(dtype):
    """A learning rate that grows blows up after a few epochs; what was learned until then must not be lost."""
    X, y = samples(40, 3), samples(40, 1, seed=1)
    weights = []

    class Keep(nn.Callback):
        def on_epoch_end(self, model, epoch, logs):
            weights.append(model.params.copy())

    model = nn.Sequential([nn.Dense(8), nn.Dense(1)], dtype=dtype)
    optimizer = nn.SGD(lambda step: 0.01 if step < 12 else 1e6)
    with pytest.warns(
        nn.DivergenceWarning, match=r"NaN or infinite in epoch \d+, step \d+: training stopped"
    ) as caught:
        history = model.fit(X, y, loss="mse", optimizer=optimizer, epochs=50, batch_size=10, callbacks=[Keep()])
    assert not np.isfinite(history["loss"][-1])
    assert np.isfinite(model.predict(X)).all()
    best = int(np.nanargmin(history["loss"]))
    assert f"the weights are those after epoch {best + 1}." in str(caught[0].message)
    assert (model.params == weights[best]).all()
    model.fit(X, y, optimizer=nn.SGD(0.001))  # and it can go on


def test_the_step_named_is_the_first_that_is_not_finite():
    """Row 13 of unshuffled batches of 5 is in step 3."""
    X, y = np.ones((20, 1), "float32"), np.ones((20, 1), "float32")
    y[13] = 1e30  # finite, its square is not
    model = nn.Sequential([nn.Dense(1)], dtype="float32")
    with pytest.warns(nn.DivergenceWarning, match="in epoch 1, step 3: "):
        model.fit(X, y, loss="mse", optimizer=nn.SGD(0.0), batch_size=5, shuffle=False)


def test_best_weights_are_back_also_where_warnings_are_errors():
    X, y = samples(20, 3), samples(20, 1, seed=1)
    model = nn.Sequential([nn.Dense(1)]).build(3)
    before = model.params.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(nn.DivergenceWarning):
            model.fit(X, y, loss="mse", optimizer=nn.SGD(1e200), epochs=3)
    assert (model.params == before).all()


def test_running_statistics_that_overflow_are_a_divergence():
    X, y = np.array([[1e30], [-1e30]]), np.ones((2, 1))
    model = nn.Sequential([nn.BatchNorm(), nn.Dense(1)], dtype="float32")
    with pytest.warns(nn.DivergenceWarning):
        model.fit(X, y, loss="mse", optimizer="SGD")
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


# -- what comes in ----------------------------------------------------------------------------------------------------


def small(**options):
    return nn.Sequential([nn.Dense(3, "tanh"), nn.Dense(2)], **options)


@pytest.mark.parametrize(
    "convert",
    [
        lambda X: X.tolist(),
        lambda X: X.astype(np.int64),
        lambda X: X.astype(np.float16),
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X[::-1].copy()[::-1],
    ],
    ids=["list", "int", "float16", "fortran", "strided", "reversed"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_numbers_in_another_form_train_the_same_model(convert, dtype):
    X, y = np.rint(4 * samples(12, 3)), np.rint(4 * samples(12, 2, seed=1))
    options = {"loss": "mse", "optimizer": "Adam", "epochs": 2}
    plain, other = small(dtype=dtype), small(dtype=dtype)
    plain.fit(X, y, **options)
    other.fit(convert(X), convert(y), **options)
    assert (plain.params == other.params).all()
    assert plain.predict(convert(X)).dtype == dtype


def test_what_was_passed_in_is_not_changed():
    X, y, w = samples(9, 3), samples(9, 2, seed=1), np.arange(1.0, 10)
    before = X.copy(), y.copy(), w.copy()
    model = nn.Sequential([nn.Dropout(0.5), nn.BatchNorm(), nn.Dense(2, "relu"), nn.Activation("linear")])
    model.fit(X, y, sample_weight=w, loss="mse", optimizer=nn.SGD(0.1, clip_norm=0.1), shuffle=False, batch_size=4)
    model.predict(X)[...] = 0
    assert all((a == b).all() for a, b in zip((X, y, w), before, strict=True))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 9),
    features=st.integers(1, 4),
    batch=st.integers(1, 12),
    dtype=st.sampled_from(["float32", "float64"]),
    exponent=st.integers(-30, 18),
)
def test_any_size_and_scale_gives_finite_numbers_or_says_that_it_diverged(rows, features, batch, dtype, exponent):
    """From 1e-30 to 1e18, one row or several, batches larger than the data: never a NaN without a word."""
    X, y = samples(rows, features) * 10.0**exponent, samples(rows, 2, seed=1)
    model = small(dtype=dtype)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(X, y, loss="mse", optimizer="Adam", epochs=2, batch_size=batch)
    assert np.isfinite(history["loss"]).all() or any(w.category is nn.DivergenceWarning for w in caught)
    assert np.isfinite(model.params).all()
    assert model.predict(X).shape == (rows, 2)
    assert np.isfinite(model.predict(X)).all()


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.bool_]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_any_array_is_predicted_or_refused_by_name(x):
    """The result has one row per row, or the error begins with the name of the argument."""
    model = small().build(3)
    try:
        result = model.predict(x)
    except ValueError as error:
        assert str(error).startswith("X must ")  # noqa: PT017
    else:
        assert x.shape[1:] == (3,)
        assert result.shape == (len(x), 2)


X4, Y4 = samples(4, 3), samples(4, 2, seed=1)
FIT = {"loss": "mse", "optimizer": "SGD"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda m: m.fit(X4, Y4[:, 0], **FIT),
            r"y must have shape \(rows, ...\) .* got \(4,\); use y.reshape\(-1, 1\)",
        ),
        (lambda m: m.fit(X4, Y4[:, :1], **FIT), r"y must have shape \(4, 2\); got \(4, 1\)"),
        (lambda m: m.fit(X4, Y4[:3], **FIT), r"y must have shape \(4, 2\); got \(3, 2\)"),
        (lambda m: m.fit(X4[:0], Y4[:0], **FIT), r"X must not be empty; got shape \(0, 3\)"),
        (lambda m: m.fit(X4, Y4, optimizer="SGD"), "loss must be one of .*; got None"),
        (lambda m: m.fit(X4, Y4, loss="mse"), "optimizer must be one of .*; got None"),
        (lambda m: m.fit(X4, Y4, epochs=0, **FIT), "epochs must be a positive integer; got 0"),
        (lambda m: m.fit(X4, Y4, batch_size=2.5, **FIT), "batch_size must be a positive integer; got 2.5"),
        (lambda m: m.fit(X4, Y4, metrics="rmse", **FIT), r"metrics must be a list; got 'rmse'; use \['rmse'\]"),
        (lambda m: m.fit(X4, Y4, metrics=["mape"], **FIT), "metric must be one of accuracy, .*; got 'mape'"),
        (lambda m: m.fit(X4, Y4, validation_data=X4, **FIT), r"validation_data must be a pair \(X, y\); got ndarray"),
        (
            lambda m: m.fit(X4, Y4, validation_data=(X4[:, :2], Y4), **FIT),
            r"validation_data X must have shape \(rows, 3\)",
        ),
        (lambda m: m.fit(X4, Y4, validation_data=(X4, Y4 * np.nan), **FIT), "validation_data y must be finite"),
        (lambda m: m.fit(X4, Y4, sample_weight=[1, 2], **FIT), "sample_weight must hold 4 finite numbers >= 0"),
        (lambda m: m.fit(X4, Y4, sample_weight=[1, 2, -1, 1], **FIT), "sample_weight must hold 4 finite numbers >= 0"),
        (
            lambda m: m.fit(X4, np.eye(2)[[0, 1, 1, 0]], class_weight={0: 1}, **FIT),
            "class_weight must have a weight for every class in y; class 1",
        ),
        (
            lambda m: m.fit(X4, np.eye(2)[[0, 1, 1, 0]], class_weight={0: 1, 1: -1}, **FIT),
            r"class_weight\[1\] must be a finite number",
        ),
        (
            lambda m: m.fit(X4, np.eye(2)[[0, 1, 1, 0]], loss="categorical_crossentropy", optimizer="SGD"),
            "last layer yields distributions",
        ),
        (lambda m: m.predict([[1.0, 2.0], [1.0]]), "X must be rows of equal length"),
        (lambda m: m.predict(X4[:, :2]), r"X must have shape \(rows, 3\); got \(4, 2\)"),
        (lambda m: m.evaluate(X4, Y4), "loss must be one of .*; got None"),
        (
            lambda m: m.evaluate(X4, 3 * np.abs(Y4), loss="binary_crossentropy"),
            r"binary_crossentropy.* needs a model whose last layer yields probabilities",
        ),
        (lambda m: m.build(3), r"the model is already built for inputs of shape \(3,\)"),
        (lambda m: m.set_weights([np.zeros(3)]), r"weights must have shapes \[\(20,\)\]; got \[array"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(small().build(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Sequential([]), "layers must be a list of one or more nnlib layers"),
        (lambda: nn.Sequential(["Dense"]), "layers must be a list of one or more nnlib layers"),
        (lambda: nn.Sequential([nn.Dense(1)], seed=-1), "seed must be a non-negative integer"),
        (lambda: nn.Sequential([nn.Dense(1)], seed=np.random.Generator(np.random.MT19937(0))), "Generator over PCG64"),
        (lambda: nn.Sequential([nn.Dense(1)], dtype="float16"), "dtype must be 'float32' or 'float64'; got 'float16'"),
        (lambda: nn.Sequential([nn.Dense(1)]).build((3, 0)), "input_shape must be a positive integer; got 0"),
        (lambda: nn.Sequential([nn.Dense(1)]).get_weights(), "the model has no parameters yet"),
        (lambda: nn.Sequential([nn.Dense(1)]).summary(), "the model has no parameters yet"),
        (lambda: nn.Sequential([nn.Dense(1)]).save("x.npz"), "the model has no parameters yet"),
    ],
)
def test_models_that_are_none(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("again", [nn.Activation("relu"), nn.Dense(2), nn.Dropout(0.1)], ids=repr)
def test_a_layer_belongs_to_one_place_in_one_model(again):
    """What forward remembers for backward would be overwritten, and the gradients wrong without a word."""
    with pytest.raises(ValueError, match="each layer object may appear once"):
        nn.Sequential([again, nn.Residual(again)])
    nn.Sequential([again]).build(2)
    with pytest.raises(ValueError, match="already belongs to another model; make a new layer"):
        nn.Sequential([nn.Dense(2), again]).build(2)


def test_an_optimizer_trains_one_model():
    """Momentum of one model applied to another would be noise."""
    optimizer = nn.Adam()
    small().fit(X4, Y4, loss="mse", optimizer=optimizer)
    with pytest.raises(ValueError, match="this Adam object already trains another model; make a new one"):
        small().fit(X4, Y4, loss="mse", optimizer=optimizer)


def test_a_refused_fit_leaves_the_optimizer_free():
    optimizer = nn.Adam()
    with pytest.raises(ValueError, match="epochs"):
        small().fit(X4, Y4, loss="mse", optimizer=optimizer, epochs=0)
    small().fit(X4, Y4, loss="mse", optimizer=optimizer)


# -- what comes out ---------------------------------------------------------------------------------------------------


def insurance_network():
    layers = [nn.BatchNorm()]
    for _ in range(2):
        layers += [nn.Dense(100, "relu"), nn.BatchNorm(), nn.Dropout(0.5)]
    return nn.Sequential([*layers, nn.Dense(100, "relu"), nn.BatchNorm(), nn.Dense(1)])


def test_summary_of_the_insurance_network(capsys, record_check):
    """22,745 numbers, of which 622 are running statistics: the figures printed in the source of the chapter."""
    model = insurance_network().build(11)
    trained, kept = model.parameter_counts()
    error = abs(trained + kept - 22745) + abs(kept - 622)
    record_check("formulas", "parameters of the insurance network", "its source", error, 0)
    model.summary()
    printed = capsys.readouterr().out
    assert "22,745 parameters, of which 622 not trainable (float64)" in printed
    assert all(len(line) <= 100 for line in printed.splitlines())
    assert printed.count("BatchNorm") == 4


def test_history_has_one_number_per_epoch():
    model = small()
    history = model.fit(X4, Y4, epochs=3, validation_data=(X4, Y4), metrics=["rmse", "r2"], **FIT)
    names = {"loss", "rmse", "r2", "val_loss", "val_rmse", "val_r2", "learning_rate"}
    assert set(history) == names
    assert all(len(values) == 3 for values in history.values())
    assert all(type(value) is float for values in history.values() for value in values)
    assert history["val_loss"][-1] == pytest.approx(model.evaluate(X4, Y4)["loss"])


def test_validation_teaches_nothing():
    plain, watched = small(), small()
    plain.fit(X4, Y4, epochs=3, **FIT)
    watched.fit(X4, Y4, epochs=3, validation_data=(X4[:2], Y4[:2]), metrics=["rmse"], **FIT)
    assert (plain.params == watched.params).all()


def test_prediction_has_no_dropout_and_runs_in_pieces():
    model = nn.Sequential([nn.BatchNorm(), nn.Dense(4), nn.Dropout(0.9), nn.Dense(2)]).build(3)
    X = samples(2100, 3)
    together = model.predict(X)
    assert (model.predict(X) == together).all()
    np.testing.assert_allclose(
        np.concatenate([model.predict(X[i : i + 100]) for i in range(0, 2100, 100)]), together, rtol=1e-12
    )


def test_float32_follows_float64():
    X, y = samples(50, 3), samples(50, 2, seed=1)
    models = [small(dtype=dtype) for dtype in ("float32", "float64")]
    for model in models:
        model.fit(X, y, epochs=5, loss="mse", optimizer=nn.SGD(0.05))
    np.testing.assert_allclose(models[0].params, models[1].params, atol=1e-5)


# -- refused means unchanged ------------------------------------------------------------------------------------------


def test_what_does_not_fit_into_memory_is_refused_and_forgotten():
    """An allocation that fails must not leave layers that "already belong to another model"."""
    layers = [nn.Dense(3), nn.Dense(2**31 - 1), nn.Dense(2**31 - 1)]
    model = nn.Sequential(layers, seed=1)
    with pytest.raises(ValueError, match=r"layers must fit into memory for input_shape \(4,\)"):
        model.build(4)
    assert model.params is None
    assert layers[0].output_shape is None
    np.testing.assert_array_equal(
        nn.Sequential(layers[:1], seed=1).build(4).params, nn.Sequential([nn.Dense(3)], seed=1).build(4).params
    )


def test_a_refused_target_leaves_a_new_model_unbuilt():
    model = nn.Sequential([nn.Dense(2)], seed=1)
    for call in (model.evaluate, model.fit, model.input_gradient):
        with pytest.raises(ValueError, match="y must have shape"):
            call(samples(4, 3), samples(4, 1), loss="mse", **({"optimizer": "SGD"} if call == model.fit else {}))
        assert model.params is None
    np.testing.assert_array_equal(model.build(3).params, nn.Sequential([nn.Dense(2)], seed=1).build(3).params)


# -- the gradient of the input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_input_gradient(case, record_check):
    """As the model predicts: dropout off, running statistics on; and everything stays as it was."""
    model = nn.Sequential([case.make(), nn.Dense(2)], seed=2).build(case.input_shape)
    model.compute_gradients(samples(5, *case.input_shape), samples(5, *model.output_shape), model.objective("mse"))
    X, y = samples(3, *case.input_shape, seed=1), samples(3, *model.output_shape, seed=2)
    before = [model.rng.bit_generator.state, *model.get_weights(), model.grads.copy()]
    by_hand = model.input_gradient(X, y, "mse")
    assert all(np.array_equal(a, b) for a, b in zip(before[1:], [*model.get_weights(), model.grads], strict=True))
    assert model.rng.bit_generator.state == before[0]
    by_difference = numerical_gradient(lambda: model.evaluate(X, y, loss="mse")["loss"], X)
    error = relative_error(by_hand, by_difference)
    record_check("derivatives", f"input gradient through {case.label}", "central differences", error, case.tolerance)


def test_input_gradient_of_a_classifier_through_the_fused_pair():
    model = nn.Sequential([nn.Dense(4, "tanh"), nn.Dense(3, "softmax")], seed=2)
    X, y = samples(5, 2), one_hot(3, 5)
    by_hand = model.input_gradient(X, y, "categorical_crossentropy")
    assert by_hand.shape == X.shape
    by_difference = numerical_gradient(lambda: model.evaluate(X, y, loss="categorical_crossentropy")["loss"], X)
    assert relative_error(by_hand, by_difference) < 1e-7
    model.fit(X, y, loss="categorical_crossentropy", optimizer="SGD")
    assert model.input_gradient(X[:1], y[:1]).shape == (1, 2)  # the loss of `fit`
