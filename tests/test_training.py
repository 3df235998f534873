"""Training as a reader sees it: what must happen, what must not matter, and what happens when numbers blow up."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from cases import LAYER_CASES, OPTIMIZER_CASES, optimizer_label, samples

import nnlib as nn
from nnlib.gradcheck import numerical_gradient, relative_error

ROOT = Path(__file__).parent.parent
X4, Y4 = samples(4, 3), samples(4, 2, seed=1)
FIT = {"loss": "mse", "optimizer": "SGD"}


def one_hot(k, rows, seed=0):
    return np.eye(k)[np.random.default_rng(seed).integers(0, k, rows)]


def small(**options):
    return nn.Sequential([nn.Dense(3, "tanh"), nn.Dense(2)], **options)


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


def test_weights_are_shuffled_with_their_rows():
    """Half of the rows are nonsense of weight 0. One weight beside the wrong row, and the line y = 2x is lost."""
    X, weight = samples(40, 1), np.tile([1.0, 0.0], 20)
    y = np.where(weight[:, None] > 0, 2 * X, 1e3)
    model = nn.Sequential([nn.Dense(1)])
    options = {"loss": "mse", "sample_weight": weight, "batch_size": 5}
    start = model.predict(X)
    history = model.fit(X, y, optimizer=nn.SGD(0.0), **options)
    assert history["loss"][0] == pytest.approx(np.mean(weight[:, None] * (start - y) ** 2), rel=1e-12)
    history = model.fit(X, y, optimizer=nn.SGD(0.1), epochs=60, **options)
    assert history["loss"][-1] < 1e-6
    assert model.predict([[1.0]]) == pytest.approx(2, abs=1e-3)


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
    by_class = {0: 0.5, 1: 2.0} if columns == 1 else {0: 0.5, 1: 2.0, 2: 3}
    classes = y[:, 0] if columns == 1 else y.argmax(axis=1)
    models = [nn.Sequential([nn.Dense(columns, last)]).build(3) for _ in range(2)]
    options = {"loss": loss, "epochs": 2, "batch_size": 5}
    first = models[0].fit(X, y, class_weight=by_class, optimizer=nn.SGD(0.1), **options)
    second = models[1].fit(X, y, sample_weight=[by_class[c] for c in classes], optimizer=nn.SGD(0.1), **options)
    assert first == second
    assert (models[0].params == models[1].params).all()


@pytest.mark.parametrize("factors", [[1.0, 2.0], 3, "balanced"])
def test_class_weights_are_a_dict(factors):
    model = nn.Sequential([nn.Dense(2, "softmax")])
    with pytest.raises(ValueError, match="class_weight must be a dict from class number to factor; got"):
        model.fit(X4, one_hot(2, 4), loss="categorical_crossentropy", optimizer="SGD", class_weight=factors)


@pytest.mark.parametrize(
    "wrong", [nn.EarlyStopping("loss"), [nn.EarlyStopping("loss"), "Progress"], {"a": 1}], ids=["bare", "mixed", "dict"]
)
def test_callbacks_are_a_list_of_callbacks(wrong):
    with pytest.raises(ValueError, match="callbacks must be a list"):
        small().fit(X4, Y4, callbacks=wrong, **FIT)


def test_class_weights_and_sample_weights_multiply():
    X, y, weight = samples(12, 3), one_hot(3, 12), np.arange(1.0, 13)
    by_class = {0: 0.5, 1: 2.0, 2: 3.0}
    models = [nn.Sequential([nn.Dense(3, "softmax")]).build(3) for _ in range(2)]
    options = {"loss": "categorical_crossentropy", "epochs": 2, "batch_size": 5}
    both = models[0].fit(X, y, sample_weight=weight, class_weight=by_class, optimizer=nn.SGD(0.1), **options)
    product = weight * [by_class[c] for c in y.argmax(axis=1)]
    assert both == models[1].fit(X, y, sample_weight=product, optimizer=nn.SGD(0.1), **options)
    assert (models[0].params == models[1].params).all()


def test_only_weights_decay():
    """With gradients of zero, two steps at η = 0.1 and λ = 0.5 leave 0.95² of each matrix, and biases and scales."""
    model = nn.Sequential([nn.Dense(3), nn.BatchNorm(), nn.LSTM(2, True), nn.Flatten(), nn.Dense(1)])
    model.build((4, 2)).layers[0].params["b"][...] = 1
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


def test_the_model_that_is_trained_through_another_is_in_training_mode():
    """Its dropout drops, and its running statistics move."""
    generator = nn.Sequential([nn.BatchNorm(), nn.Dropout(0.5), nn.Dense(3)], seed=1).build(2)
    before, drawn = generator.layers[0].buffers["mean"].copy(), generator.rng.bit_generator.state
    options = {"loss": "binary_crossentropy", "optimizer": nn.SGD(0.1), "through": generator_and_judge()[1]}
    generator.train_on_batch(samples(8, 2), np.ones((8, 1)), **options)
    assert (generator.layers[0].buffers["mean"] != before).all()
    assert generator.rng.bit_generator.state != drawn


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


def steps(*rates):
    """Return an optimizer that takes these learning rates in turn."""
    return nn.SGD(lambda step: rates[step])


def test_after_divergence_the_weights_are_those_of_the_best_epoch_not_of_the_last():
    """On a bowl of curvature 2, a step of η multiplies the error by 1 - 2η: down, down, three times up, away."""
    X, y = np.ones((4, 1)), np.full((4, 1), 5.0)
    model, weights = nn.Sequential([nn.Dense(1)]), []

    class Keep(nn.Callback):
        def on_epoch_end(self, model, epoch, logs):
            weights.append(model.params.copy())

    optimizer = steps(0.1, 0.1, 0.9, 1e300, 0.1)
    options = {"loss": "mse", "epochs": 5, "validation_data": (X, y), "callbacks": [Keep()]}
    with pytest.warns(nn.DivergenceWarning, match="the weights are those after epoch 2"):
        history = model.fit(X, y, optimizer=optimizer, **options)
    assert len(history["loss"]) == 4
    assert history["val_loss"][1] < history["val_loss"][0] < history["val_loss"][2]
    assert (model.params == weights[1]).all()


def test_a_validation_loss_that_overflows_is_a_divergence():
    """The training rows are fitted well, and yet the model is good for nothing; behind a tanh it would be no harm."""
    with pytest.warns(nn.DivergenceWarning):
        history = nn.Sequential([nn.Dense(2)]).fit(X4, Y4, validation_data=(1e200 * X4, Y4), epochs=3, **FIT)
    assert np.isfinite(history["loss"]).all()
    assert len(history["loss"]) == 1
    assert len(small().fit(X4, Y4, validation_data=(1e200 * X4, Y4), epochs=3, **FIT)["loss"]) == 3


def test_of_epochs_that_are_equally_good_the_first_counts():
    """The second stands still, η = 0, and scores the same; the third blows up."""
    X, y = np.ones((4, 1)), np.full((4, 1), 5.0)
    options = {"loss": "mse", "optimizer": steps(0.1, 0.0, 1e300, 0.1), "validation_data": (X, y)}
    with pytest.warns(nn.DivergenceWarning, match="in epoch 3, .* the weights are those after epoch 1"):
        nn.Sequential([nn.Dense(1)]).fit(X, y, epochs=4, **options)


@pytest.mark.parametrize("make", [lambda rate: nn.SGD(rate, momentum=0.9), nn.Adagrad, nn.RMSprop, nn.Adam])
def test_after_divergence_the_optimizer_begins_anew(make):
    """What it remembers is made of the gradients that blew up, and would be NaN for good."""
    model, fresh = small(), small().build(3)
    with pytest.warns(nn.DivergenceWarning):
        model.fit(X4, Y4, loss="mse", optimizer=make(lambda step: 0.01 if step < 3 else 1e300), epochs=9)
    assert model.optimizer.t == 0
    fresh.set_weights(model.get_weights())
    model.optimizer.learning_rate = 0.01
    again = model.fit(X4, Y4, epochs=3, shuffle=False)
    assert again == fresh.fit(X4, Y4, loss="mse", optimizer=make(0.01), epochs=3, shuffle=False)
    assert (model.params == fresh.params).all()


def test_the_step_named_is_the_first_that_is_not_finite():
    """Row 13 of unshuffled batches of 5 is in step 3."""
    X, y = np.ones((20, 1), "float32"), np.ones((20, 1), "float32")
    y[13] = 1e30  # finite, its square is not
    model = nn.Sequential([nn.Dense(1)], dtype="float32")
    with pytest.warns(nn.DivergenceWarning, match="in epoch 1, step 3: "):
        model.fit(X, y, loss="mse", optimizer=nn.SGD(0.0), batch_size=5, shuffle=False)


def test_the_step_named_is_the_last_where_only_a_weight_is_infinite():
    """Five rows in batches of two are three steps; the third leaves a weight that no loss of this epoch has seen."""
    options = {"loss": "mse", "optimizer": steps(0.0, 0.0, 1e308, 0.0), "batch_size": 2}
    with pytest.warns(nn.DivergenceWarning, match="in epoch 1, step 3: "):
        history = nn.Sequential([nn.Dense(1)]).fit(np.ones((5, 1)), np.full((5, 1), 1e3), **options)
    assert np.isfinite(history["loss"]).all()


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


# -- what a training returns ------------------------------------------------------------------------------------------


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


def test_a_training_that_was_stopped_can_be_continued():
    """The wish to stop belongs to the call of `fit` in which it was uttered."""

    class Stop(nn.Callback):
        def on_epoch_end(self, model, epoch, logs):
            model.stop_training = True

    model = small()
    assert len(model.fit(X4, Y4, epochs=5, callbacks=[Stop()], **FIT)["loss"]) == 1
    assert len(model.fit(X4, Y4, epochs=3)["loss"]) == 3


def test_evaluate_takes_another_loss_than_that_of_fit():
    model = small()
    model.fit(X4, Y4, **FIT)
    error = model.predict(X4) - Y4
    assert model.evaluate(X4, Y4, loss="mae")["loss"] == pytest.approx(np.abs(error).mean(), rel=1e-12)
    assert model.evaluate(X4, Y4)["loss"] == pytest.approx(np.mean(error**2), rel=1e-12)


def test_a_loaded_model_reports_the_metrics_of_its_training(tmp_path):
    model = small()
    model.fit(X4, Y4, metrics=["r2", "mae"], **FIT)
    model.save(tmp_path / "model.npz")
    scores = nn.load(tmp_path / "model.npz").evaluate(X4, Y4)
    assert scores == model.evaluate(X4, Y4)
    assert set(scores) == {"loss", "r2", "mae"}


@pytest.mark.parametrize(
    ("loss", "last", "wrong"),
    [("binary_crossentropy", "sigmoid", [[2.0, 0.0]]), ("categorical_crossentropy", "softmax", [[1.0, 1.0]])],
)
def test_validation_targets_are_checked_like_those_of_training(loss, last, wrong):
    """Class numbers 1 and 2, say, where 0 and 1 are meant: a validation loss below 0 would look like success."""
    model, y = nn.Sequential([nn.Dense(2, last)]), np.eye(2)[[0, 1, 1, 0]]
    with pytest.raises(ValueError, match="validation_data y"):
        model.fit(X4, y, loss=loss, optimizer="SGD", validation_data=(X4[:1], wrong))


# -- found by those who tried to break it -----------------------------------------------------------------------------


def test_a_layer_of_ones_own_keeps_its_own_way():
    """It may do more than the activation that it inherits: fused, the loss would step over its forward and backward."""

    class Smooth(nn.Dense):
        def forward(self, x, training=False):
            return 0.9 * super().forward(x, training) + 0.05

        def backward(self, dy):
            return super().backward(0.9 * dy)

    X, y = samples(20, 3), (samples(20, 1) > 0).astype(float)
    model = nn.Sequential([Smooth(1, "sigmoid")]).build(3)
    loss = nn.losses.get("binary_crossentropy")
    assert model.evaluate(X, y, loss=loss)["loss"] == pytest.approx(loss.value(model.predict(X), y), rel=1e-12)
    assert nn.check_gradients(model, X, y, loss) < 1e-7


def own_loss():
    mse = nn.losses.get("mse")
    return nn.losses.Loss("mine", lambda p, y: mse.rows(p, y), lambda p, y: mse.slope(p, y))


@pytest.mark.parametrize("what", ["loss", "learning rate", "layer"])
def test_what_a_checkpoint_could_not_save_is_refused_before_the_first_epoch(what, tmp_path):
    class Own(nn.Dense):
        pass

    model = nn.Sequential([Own(1) if what == "layer" else nn.Dense(1)], seed=1)
    loss = own_loss() if what == "loss" else "mse"
    optimizer = nn.SGD(lambda t: 0.1) if what == "learning rate" else nn.SGD(0.1)
    checkpoint = nn.ModelCheckpoint(tmp_path / "best.npz", "loss")
    with pytest.raises(ValueError, match=r"nnlib knows no|cannot be saved"):
        model.fit(samples(8, 2), samples(8, 1), loss=loss, optimizer=optimizer, callbacks=[checkpoint])
    assert model.params is None
    assert model.epoch == 0
    assert list(tmp_path.iterdir()) == []


def test_what_has_nothing_to_learn_is_not_trained():
    model = nn.Sequential([nn.Activation("tanh")])
    with pytest.raises(ValueError, match="layers must have parameters to be trained"):
        model.fit(samples(8, 2), samples(8, 2), loss="mse", optimizer="SGD")
    assert model.loss is None


@pytest.mark.parametrize("name", ["epoch", "val_loss", "loss", "learning_rate"])
def test_a_metric_cannot_take_a_name_of_the_logs(name):
    def metric(p, y):
        return 0.0

    metric.__name__ = name
    with pytest.raises(ValueError, match="metrics must have names of their own"):
        nn.Sequential([nn.Dense(1)]).fit(samples(8, 2), samples(8, 1), loss="mse", optimizer="SGD", metrics=[metric])


def test_what_a_metric_has_against_the_rows_is_said_before_anything_has_changed():
    """At the end of the first epoch it would be too late."""
    model = nn.Sequential([nn.Dense(1)])
    for rows in ({"y": samples(4, 1)}, {"y": np.ones((4, 1)), "validation_data": (X4, samples(4, 1))}):
        with pytest.raises(ValueError, match=r"y_true must have shape .* and be 0 or 1"):
            model.fit(X4, metrics=["accuracy"], **rows, **FIT)
        assert model.params is None
        assert (model.loss, model.metrics) == (None, [])


def test_a_model_does_not_judge_itself():
    model = nn.Sequential([nn.Dense(2)])
    with pytest.raises(ValueError, match="through must be another model"):
        model.train_on_batch(samples(4, 2), samples(4, 2), loss="mse", optimizer=nn.SGD(0.1), through=model)


def test_plain_descent_forgets_a_step_that_overflowed():
    """0 times infinity is no number: a memory that is multiplied by no momentum must not be kept."""
    model, optimizer = nn.Sequential([nn.Dense(1)]), nn.SGD(0.1)
    model.train_on_batch(samples(4, 2), samples(4, 1), loss="mse", optimizer=optimizer)
    good = model.get_weights()
    optimizer.step(model.params, np.full_like(model.params, np.inf))
    model.set_weights(good)
    model.train_on_batch(samples(4, 2), samples(4, 1))
    assert np.isfinite(model.params).all()


def test_a_loss_of_ones_own_gives_one_number_a_row():
    own = nn.losses.Loss("own", lambda p, y: np.mean((p - y) ** 2), lambda p, y: 2 * (p - y))
    with pytest.raises(ValueError, match=r"loss 'own' must return one number per row, \(4,\); got \(\)"):
        nn.Sequential([nn.Dense(1)]).evaluate(samples(4, 2), samples(4, 1), loss=own)


def test_a_batch_of_one_picture_has_pixels_enough_for_its_statistics():
    """What counts is how many numbers a feature has in the batch, not how many examples."""
    layer = nn.BatchNorm()
    nn.Sequential([layer]).build((4, 4, 2))
    x = samples(1, 4, 4, 2)
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 2)), 1, atol=1e-4)
    assert (layer.buffers["mean"] != 0).all()


def test_the_learning_rate_of_an_epoch_is_that_of_its_first_step():
    model = nn.Sequential([nn.Dense(1)])
    schedule = nn.schedules.ExponentialDecay(0.1, 0.5)
    history = model.fit(samples(8, 2), samples(8, 1), loss="mse", optimizer=nn.SGD(schedule), epochs=3, batch_size=4)
    assert history["learning_rate"] == [schedule(0), schedule(2), schedule(4)]


def test_metrics_of_a_fused_model_see_probabilities():
    """0.3 is a no, but the logit 0.3 belongs to a yes: the threshold ½ is one of probabilities."""
    model = nn.Sequential([nn.Dense(1, "sigmoid")]).build(1)
    model.set_weights([np.array([1.0, 0.0])])
    X, y = np.array([[0.3], [0.4], [-0.2]]), np.array([[1], [1], [0]])
    assert model.evaluate(X, y, loss="binary_crossentropy", metrics=["accuracy"])["accuracy"] == 1
    history = model.fit(
        X, y, loss="binary_crossentropy", optimizer=nn.SGD(0.0), metrics=["accuracy"], validation_data=(X, y)
    )
    assert history["accuracy"] == history["val_accuracy"] == [1]


def test_public_backward_returns_the_gradient_of_the_input_after_a_training_step():
    """A training leaves out dx of the first layer; who asks for it afterwards must get it."""
    model = nn.Sequential([nn.Dense(2, "tanh")], seed=1)
    X, y = samples(4, 3), samples(4, 2)
    model.fit(X, y, loss="mse", optimizer="SGD")
    loss = nn.losses.get("mse")
    dx = model.backward(loss.grad(model.forward(X), y))
    np.testing.assert_allclose(dx, model.input_gradient(X, y), rtol=1e-12)


def test_after_a_divergence_the_better_weights_are_those_of_the_weighted_loss():
    """Rows that weigh nothing must not decide which weights come back."""
    X, y = np.array([[1.0], [1.0]]), np.array([[1.0], [-3.0]])
    model = nn.Sequential([nn.Dense(1)], seed=0).build(1)
    model.set_weights([np.array([0.0, 0.0])])
    optimizer = nn.SGD(lambda t: 0.1 if t == 0 else 1e300)
    rows = {"sample_weight": [2.0, 0.0], "validation_data": (X[:1], y[:1])}
    with pytest.warns(nn.DivergenceWarning, match="the weights are those after epoch 1"):
        model.fit(X, y, loss="mse", optimizer=optimizer, epochs=3, batch_size=2, **rows)
    assert (model.params > 0).all()


def test_the_step_named_is_the_last_of_an_epoch_that_ends_with_a_whole_batch():
    options = {"loss": "mse", "optimizer": steps(0.0, 0.0, 1e308, 0.0), "batch_size": 2}
    with pytest.warns(nn.DivergenceWarning, match="in epoch 1, step 3: ") as warned:
        nn.Sequential([nn.Dense(1)]).fit(np.ones((6, 1)), np.full((6, 1), 1e3), **options)
    assert warned[0].filename == __file__  # where `fit` was called, not where it is written


def test_nobody_has_to_name_a_seed():
    first, second = (nn.Sequential([nn.Dense(3)], **seed).build(2) for seed in ({}, {"seed": 0}))
    assert (first.params == second.params).all()


def test_a_model_that_has_not_been_trained_was_not_asked_to_stop():
    assert nn.Sequential([nn.Dense(1)]).stop_training is False


def test_metrics_of_a_model_that_has_diverged_are_nan():
    model = nn.Sequential([nn.Dense(2)]).build(1)
    for weight, mae in ((0.0, 1.0), (np.inf, np.nan)):
        model.params[...] = 0, 0, weight, 0  # one output of two is infinite
        scores = model.evaluate(np.ones((2, 1)), np.ones((2, 2)), loss="mse", metrics=["mae"])
        np.testing.assert_equal(scores["mae"], mae)


def test_one_weight_that_is_infinite_is_a_divergence():
    """The second input is always 0: its weight has no gradient and stays what it is."""
    options = {"loss": "mse", "optimizer": steps(0.0, 0.0, 1e308, 0.0), "batch_size": 2}
    with pytest.warns(nn.DivergenceWarning, match="in epoch 1, step 3: "):
        nn.Sequential([nn.Dense(1)]).fit(np.tile([1.0, 0.0], (5, 1)), np.full((5, 1), 1e3), **options)


def test_weights_without_any_error_are_better_than_all_others():
    model, rates = nn.Sequential([nn.Dense(1)]).build(1), [0.1, 1e300, 0.1, 0.1]
    model.set_weights([np.array([2.0, 0.0])])
    optimizer = nn.SGD(lambda step: rates[step], weight_decay=0.5)  # the decay leads away from what is right
    with pytest.warns(nn.DivergenceWarning, match="the weights are those after epoch 0"):
        model.fit(np.ones((4, 1)), np.full((4, 1), 2.0), loss="mse", optimizer=optimizer, epochs=3)
    assert model.params.tolist() == [2, 0]
