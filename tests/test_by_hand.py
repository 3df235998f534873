"""The network that the chapters on the digits write by hand: right by finite differences, and the library's twin."""

import by_hand
import numpy as np
import pytest

import nnlib as nn
from nnlib.gradcheck import numerical_gradient, relative_error

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
