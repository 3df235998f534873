"""A model as a reader meets it: what comes in, what is refused, and what comes out."""

import warnings

import numpy as np
import pytest
from cases import LAYER_CASES, samples
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import nnlib as nn
from nnlib.gradcheck import numerical_gradient, relative_error

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
            r"y must have shape \(rows, ...\) .* got shape \(4,\); use y.reshape\(-1, 1\)",
        ),
        (lambda m: m.fit(X4, Y4[:, :1], **FIT), r"y must have shape \(4, 2\); got \(4, 1\)"),
        (lambda m: m.fit(X4, Y4[:3], **FIT), r"y must have shape \(4, 2\); got \(3, 2\)"),
        (lambda m: m.fit(X4[:0], Y4[:0], **FIT), r"X must not be empty; got shape \(0, 3\)"),
        (lambda m: m.fit(X4, Y4, optimizer="SGD"), "loss must be one of .*; got None"),
        (lambda m: m.fit(X4, Y4, loss="mse"), "optimizer must be one of .*; got None"),
        (lambda m: m.fit(X4, Y4, epochs=0, **FIT), "epochs must be a positive integer; got 0"),
        (lambda m: m.fit(X4, Y4, batch_size=2.5, **FIT), "batch_size must be a positive integer; got 2.5"),
        (lambda m: m.fit(X4, Y4, metrics="rmse", **FIT), r"metrics must be a list, such as \['rmse'\]; got 'rmse'"),
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


def test_summary_is_a_table_as_wide_as_its_rows(capsys):
    nn.Sequential([nn.Dense(3, "tanh"), nn.BatchNorm(), nn.Dense(1)]).build(2).summary()
    head, rule, *rows, end, total = capsys.readouterr().out.splitlines()
    assert {len(head), *map(len, rows)} == {len(rule)}
    assert rule == end == "─" * len(rule)
    assert total == "25 parameters, of which 6 not trainable (float64)"


def test_a_model_that_was_not_built_has_no_parameters_yet():
    model = small()
    assert model.params is None
    assert model.grads is None


def test_prediction_has_no_dropout_and_runs_in_pieces():
    model = nn.Sequential([nn.BatchNorm(), nn.Dense(4), nn.Dropout(0.9), nn.Dense(2)]).build(3)
    X = samples(2100, 3)
    together = model.predict(X)
    assert (model.predict(X) == together).all()
    np.testing.assert_allclose(
        np.concatenate([model.predict(X[i : i + 100]) for i in range(0, 2100, 100)]), together, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("rows", "features", "pieces"), [(2100, 3, [1024, 1024, 52]), (600, 256, [256, 256, 88]), (40, 2**14, [16, 16, 8])]
)
def test_a_piece_of_a_prediction_has_some_65_000_numbers_and_16_to_1024_rows(rows, features, pieces):
    """However many rows there are, what is in between takes the memory of one piece."""
    seen = []

    class Spy(nn.Flatten):
        def forward(self, x, training=False):
            seen.append(len(x))
            return super().forward(x, training)

    nn.Sequential([Spy(), nn.Dense(1)]).build(features).predict(np.zeros((rows, features)))
    assert seen == pieces


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
        assert model.grads is None
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
    X, y = samples(5, 2), np.eye(3)[[0, 2, 1, 1, 0]]
    by_hand = model.input_gradient(X, y, "categorical_crossentropy")
    assert by_hand.shape == X.shape
    by_difference = numerical_gradient(lambda: model.evaluate(X, y, loss="categorical_crossentropy")["loss"], X)
    assert relative_error(by_hand, by_difference) < 1e-7
    model.fit(X, y, loss="categorical_crossentropy", optimizer="SGD")
    assert model.input_gradient(X[:1], y[:1]).shape == (1, 2)  # the loss of `fit`


def test_a_flat_list_is_neither_a_row_nor_a_column():
    model = nn.Sequential([nn.Dense(1)])
    with pytest.raises(ValueError, match=r"two or more axes; got shape \(3,\); use X.reshape"):
        model.predict(np.ones(3))


def test_an_optimizer_that_was_made_ready_for_another_model_is_refused():
    ready = nn.SGD(0.1, momentum=0.9)
    ready.init(2)
    with pytest.raises(ValueError, match="already trains another model"):
        nn.Sequential([nn.Dense(1)]).fit(np.ones((2, 1)), np.ones((2, 1)), loss="mse", optimizer=ready)
