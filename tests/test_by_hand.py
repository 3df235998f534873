"""The network that the chapters on the digits write by hand: right by finite differences, and the library's twin."""

import datetime
import json
from pathlib import Path

import by_hand
import numpy as np
import pytest
import rates_by_hand

import nnlib as nn
from nnlib.course import datasets
from nnlib.gradcheck import numerical_gradient, relative_error
from tools import notebooks

RELU = (lambda z: np.maximum(z, 0), lambda a: a > 0)
TANH = (np.tanh, lambda a: 1 - a**2)


def examples(n=7, inputs=5, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, inputs))
    return X, np.eye(outputs)[np.argmax(X[:, :outputs] + 0.5 * rng.standard_normal((n, outputs)), axis=1)]


def network(activation=by_hand.SIGMOID, seed=1, sizes=(5, 4, 3)):
    return by_hand.NeuralNetwork(*sizes, np.random.default_rng(seed), activation)


def library(twin, activation="sigmoid"):
    """Return a model of the library with a copy of the same parameters."""
    layers = [nn.Dense(twin.parameters["b1"].size, activation), nn.Dense(twin.parameters["b2"].size, "softmax")]
    model = nn.Sequential(layers).build(len(twin.parameters["W1"]))
    for number, layer in enumerate(layers, 1):
        layer.params["W"][...] = twin.parameters[f"W{number}"]
        layer.params["b"][...] = twin.parameters[f"b{number}"]
    return model


@pytest.mark.parametrize("activation", [by_hand.SIGMOID, RELU, TANH], ids=["sigmoid", "relu", "tanh"])
def test_gradients_are_those_by_finite_differences(activation):
    net, (X, Y) = network(activation), examples()
    gradients = net.backward(X, Y)
    assert list(gradients) == list(net.parameters) == ["W1", "b1", "W2", "b2"]
    for name, parameter in net.parameters.items():
        assert gradients[name].shape == parameter.shape
        measured = numerical_gradient(lambda: net.loss(X, Y), parameter)
        assert relative_error(gradients[name], measured) < 1e-8


def test_parameters_begin_as_drawn():
    rng = np.random.default_rng(1)
    net = network()
    assert np.array_equal(net.parameters["W1"], rng.standard_normal((5, 4)))
    assert np.array_equal(net.parameters["W2"], rng.standard_normal((4, 3)))
    assert not net.parameters["b1"].any()
    assert not net.parameters["b2"].any()
    assert (net.parameters["b1"].shape, net.parameters["b2"].shape) == ((4,), (3,))
    drawn = by_hand.NeuralNetwork(2, 3, 4, None, initializer=lambda fan_in, fan_out, rng: np.full((fan_in, fan_out), 7))
    assert np.array_equal(drawn.parameters["W2"], np.full((3, 4), 7))


@pytest.mark.parametrize(("activation", "name"), [(by_hand.SIGMOID, "sigmoid"), (RELU, "relu"), (TANH, "tanh")])
def test_it_computes_what_the_library_computes(activation, name):
    net, (X, Y) = network(activation), examples()
    model = library(net, name)
    assert net.forward(X) == pytest.approx(model.predict(X), rel=1e-12)
    objective = model.objective("categorical_crossentropy")
    assert net.loss(X, Y) == pytest.approx(model.evaluate(X, Y, loss=objective)["loss"], rel=1e-12)
    model.compute_gradients(X, Y, objective)
    for number, layer in enumerate(model.layers, 1):
        assert relative_error(net.backward(X, Y)[f"W{number}"], layer.grads["W"]) < 1e-12
        assert relative_error(net.backward(X, Y)[f"b{number}"], layer.grads["b"]) < 1e-12


def test_it_trains_as_the_library_trains():
    net, (X, Y) = network(), examples(40)
    model = library(net)
    trainer = by_hand.Trainer(net, by_hand.GradientDescent(0.5)).train(X, Y, 50)
    model.fit(X, Y, loss="categorical_crossentropy", optimizer=nn.SGD(0.5), epochs=50, batch_size=len(X), shuffle=False)
    assert net.forward(X) == pytest.approx(model.predict(X), rel=1e-10)
    assert trainer.training_losses[-1] == pytest.approx(net.loss(X, Y), rel=1e-15)


def test_nothing_overflows_where_the_network_is_sure():
    with np.errstate(all="raise"):
        assert by_hand.sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0, 0.5, 1]
    net, (X, Y) = network(), examples()
    net.parameters["W2"][...] = 1000 * np.eye(4, 3)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        assert 1 < net.loss(X, Y) < 1001
        assert net.forward(X).sum(axis=1) == pytest.approx(1)
    assert by_hand.log_softmax(np.array([[1000.0, 0.0]])).tolist() == [[0, -1000]]


def test_a_step_changes_the_parameters_in_place():
    net = network()
    held = net.parameters["W1"]
    before, gradients = held.copy(), net.backward(*examples())
    by_hand.GradientDescent(0.25)(net.parameters, gradients)
    assert net.parameters["W1"] is held
    assert np.array_equal(held, before - 0.25 * gradients["W1"])


def test_losses_are_those_after_each_epoch():
    X, Y = examples(60)
    V, T = examples(10, seed=5)
    net, again = network(), network()
    trainer = by_hand.Trainer(net, by_hand.GradientDescent(1.0))
    assert trainer.train(X, Y, 3, validation=(V, T)) is trainer
    for step in range(3):
        by_hand.GradientDescent(1.0)(again.parameters, again.backward(X, Y))
        assert (trainer.training_losses[step], trainer.validation_losses[step]) == (again.loss(X, Y), again.loss(V, T))
    assert by_hand.Trainer(network()).train(X, Y, 2).validation_losses == []


def test_rate_is_a_tenth_unless_another_is_asked_for():
    X, Y = examples()
    one = by_hand.Trainer(network()).train(X, Y, 2)
    other = by_hand.Trainer(network(), by_hand.GradientDescent(0.1)).train(X, Y, 2)
    assert one.training_losses == other.training_losses


def test_batches_hold_every_row_once_in_a_new_order_each_epoch():
    trainer = by_hand.Trainer(network(), batch_size=3, rng=np.random.default_rng(0))
    first, second = trainer.batches(8), trainer.batches(8)
    assert [len(rows) for rows in first] == [3, 3, 2]
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == list(range(8))
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()


def test_a_batch_is_one_step():
    X, Y = examples(9)
    taken = []
    by_hand.Trainer(network(), lambda p, g: taken.append(g), 4, np.random.default_rng(0)).train(X, Y, 2)
    assert len(taken) == 6
    trainer = by_hand.Trainer(network(), batch_size=4, rng=np.random.default_rng(0))
    assert len(trainer.train(X, Y, 2).training_losses) == 2


def test_patience_stops_and_goes_back_to_the_best_epoch():
    X, Y = examples(60)
    V, T = examples(10, seed=5)
    net = network()
    held = dict(net.parameters)
    trainer = by_hand.Trainer(net, by_hand.GradientDescent(1.0), patience=7)
    losses = trainer.train(X, Y, 3000, validation=(V, T)).validation_losses
    best = int(np.argmin(losses))
    assert best > 0
    assert len(losses) == len(trainer.training_losses) == best + 8 < 3000
    assert net.loss(V, T) == pytest.approx(losses[best], rel=1e-12)
    assert all(net.parameters[name] is array for name, array in held.items())


def test_without_an_end_of_patience_the_best_epoch_counts_as_well():
    X, Y = examples(60)
    V, T = examples(10, seed=5)
    net = network()
    losses = by_hand.Trainer(net, by_hand.GradientDescent(1.0), patience=999).train(X, Y, 600, (V, T)).validation_losses
    assert len(losses) == 600
    assert net.loss(V, T) == min(losses) < losses[-1]


def test_what_is_odd_is_refused_before_anything_has_changed():
    net, (X, Y) = network(), examples()
    before = net.parameters["W1"].copy()
    classes = Y.argmax(axis=1)
    for call in (net.loss, net.backward, lambda X, Y: by_hand.Trainer(net).train(X, Y, 1)):
        for targets in (classes, classes[:, None], Y[:1]):
            with pytest.raises(ValueError, match=r"Y must have the shape \(7, 3\), one column per class; got"):
                call(X, targets)
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        by_hand.Trainer(net, batch_size=0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="batch_size needs rng"):
        by_hand.Trainer(net, batch_size=3)
    with pytest.raises(ValueError, match="patience needs validation"):
        by_hand.Trainer(net, patience=3).train(X, Y, 1)
    assert np.array_equal(net.parameters["W1"], before)


# --- the pages build the same class ---------------------------------------------------------------------------------

PAGES = Path(by_hand.__file__).parent


def built(page, *cells):
    """Return the names that some cells of a page define, solutions included, with nothing else of the page."""
    space = {"np": np, **{name: value for name, value in vars(by_hand).items() if not name.startswith("__")}}
    found = {cell["id"]: notebooks.text_of(cell["source"]) for cell in notebooks.load(PAGES / f"{page}.ipynb")["cells"]}
    for cell in cells:
        lines = [line for line in found[cell].splitlines() if not line.startswith("check_")]
        exec("\n".join(lines), space)
    return space


def network_of_the_page():
    cells = "class", "exercise-forward-solution", "exercise-loss-solution", "exercise-backward-solution"
    page = built("02-write-the-network", *cells)
    for method in ("forward", "loss", "backward"):
        setattr(page["MyNetwork"], method, page[f"{method}_solved"])
    return page["MyNetwork"]


@pytest.mark.parametrize("activation", [by_hand.SIGMOID, RELU, TANH], ids=["sigmoid", "relu", "tanh"])
def test_the_network_that_the_page_builds_is_this_one_to_the_last_bit(activation):
    ours, (X, Y) = network(activation), examples()
    theirs = network_of_the_page()(5, 4, 3, np.random.default_rng(1), activation)
    assert list(theirs.parameters) == list(ours.parameters)
    for name, parameter in ours.parameters.items():
        assert np.array_equal(theirs.parameters[name], parameter)
        assert np.array_equal(theirs.backward(X, Y)[name], ours.backward(X, Y)[name])
    assert np.array_equal(theirs.forward(X), ours.forward(X))
    for name in ("z1", "a1", "z2", "a2"):
        assert np.array_equal(getattr(theirs, name), getattr(ours, name))
    assert theirs.loss(X, Y) == ours.loss(X, Y)


@pytest.mark.parametrize("validation", [None, examples(10, seed=5)], ids=["alone", "validation"])
def test_the_trainer_that_the_page_builds_is_this_one_to_the_last_bit(validation):
    page, (X, Y) = built("03-train-the-network", "descent", "exercise-train-solution"), examples(20)
    page["MyTrainer"].train = page["train_solved"]
    one, other = network(), network_of_the_page()(5, 4, 3, np.random.default_rng(1))
    ours = by_hand.Trainer(one, by_hand.GradientDescent(0.3)).train(X, Y, 20, validation)
    theirs = page["MyTrainer"](other, page["Descent"](0.3)).train(X, Y, 20, validation)
    assert theirs.training_losses == ours.training_losses
    assert theirs.validation_losses == ours.validation_losses
    assert all(np.array_equal(other.parameters[name], array) for name, array in one.parameters.items())


# --- the stored runs ------------------------------------------------------------------------------------------------


def test_splits_are_the_sources_and_one_that_holds_writers_back():
    writers = datasets.digit_writers()
    splits = rates_by_hand.splits(seed=3)
    X, Y, X_test, Y_test = splits["rows"]
    assert (X.shape, Y.shape, X_test.shape, Y_test.shape) == ((1437, 64), (1437, 10), (360, 64), (360, 10))
    assert np.array_equal(X, rates_by_hand.splits(seed=4)["rows"][0])
    X, Y, X_test, Y_test = splits["writers"]
    sizes = np.bincount(writers)
    assert len(X) + len(X_test) == len(Y) + len(Y_test) == 1797
    assert len(X_test) in {sizes[[i, j, k]].sum() for i in range(14) for j in range(i) for k in range(j)}
    assert X_test.shape != rates_by_hand.splits(seed=4)["writers"][2].shape
    assert (X.min(), X.max()) == (0, 1)


@pytest.mark.parametrize(("split", "rate", "seed"), [("rows", 0.1, 0), ("rows", 5.0, 9), ("writers", 2.0, 6)])
def test_stored_runs_begin_as_the_script_runs_them(split, rate, seed):
    again = rates_by_hand.run(rates_by_hand.splits(seed)[split], rate, seed, steps=[1, 10])
    kept = rates_by_hand.stored()[split, rate][seed][[rates_by_hand.STEPS.index(step) for step in (1, 10)]]
    assert [step for step, *_ in again] == [1, 10]
    assert np.array([readings for _, *readings in again]) == pytest.approx(kept, rel=1e-4)


def test_all_runs_are_stored_with_their_date():
    runs = rates_by_hand.stored()
    assert len(runs) == 16
    assert all(run.shape == (10, 14, 3) and np.isfinite(run).all() for run in runs.values())
    about = json.loads(rates_by_hand.TABLE.with_suffix(".json").read_text(encoding="utf-8"))
    assert datetime.date.fromisoformat(about["date"])


def test_script_writes_what_it_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(rates_by_hand, "TABLE", tmp_path / "digits" / "rates.csv")
    monkeypatch.setattr(rates_by_hand, "RATES", [0.1, 2.0])
    monkeypatch.setattr(rates_by_hand, "STEPS", [1, 2])
    monkeypatch.setattr(rates_by_hand, "SEEDS", range(1))
    rates_by_hand.main()
    assert {key: run.shape for key, run in rates_by_hand.stored().items()} == {
        (split, rate): (1, 2, 3) for split in ("rows", "writers") for rate in (0.1, 2.0)
    }
