"""All parameters in one buffer: what the layers see, what an optimizer moves and what is saved is one."""

import copy
import pickle

import numpy as np
import pytest
from cases import LAYER_CASES, samples

import nnlib as nn
from nnlib.initializers import INITIALIZERS
from nnlib.layers import Dense


def network():
    layers = [nn.BatchNorm(), Dense(4, "tanh"), nn.Residual(Dense(4), nn.LayerNorm()), nn.Dropout(0.3), Dense(2)]
    return nn.Sequential(layers, seed=1).build(3)


def tensors(model):
    return [(layer, name) for top in model.layers for layer in top.walk() for name in layer.params]


def assert_views(model):
    for layer, name in tensors(model):
        assert np.shares_memory(layer.params[name], model.params), f"{name} of {layer} is cut off"
        assert np.shares_memory(layer.grads[name], model.grads)


def test_layers_hold_views_and_every_number_once():
    model = network()
    assert_views(model)
    model.params[:] = np.arange(model.params.size)
    seen = np.concatenate([layer.params[name].ravel() for layer, name in tensors(model)])
    assert sorted(seen) == list(range(model.params.size))


def test_before_the_first_batch_all_gradients_are_zero():
    assert (network().grads == 0).all()


def test_weights_come_first_so_that_only_they_decay():
    model = network()
    for layer, name, place in model.flat.slices:
        assert (place.stop <= model.flat.decayed) == (layer.params[name].ndim >= 2)


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
def test_training_never_cuts_a_view_off(case):
    model = nn.Sequential([Dense(case.input_shape[-1]), case.make()]).build(case.input_shape)
    y = samples(4, *model.output_shape)
    model.fit(samples(4, *case.input_shape), y, loss="mse", optimizer="Adam", epochs=2)
    assert_views(model)


def test_what_is_assigned_is_written_into_the_buffers():
    """`model.params = ...` would otherwise change what nobody sees."""
    model = network()
    model.forward(samples(4, 3), training=True)
    model.backward(samples(4, 2, seed=1))
    stepped = model.params - 0.1 * model.grads
    model.params = stepped
    assert (model.params == stepped).all()
    model.params -= model.params  # in place, and assigned to itself
    model.grads = list(range(model.grads.size))
    model.grads *= 2
    assert not model.params.any()
    assert model.grads[-1] == 2 * (model.grads.size - 1)
    assert_views(model)


@pytest.mark.parametrize("name", ["params", "grads"])
@pytest.mark.parametrize(("values", "fault"), [([1.0, 2.0], "shape"), (np.nan, "NaN"), (None, "numbers")])
def test_what_does_not_fit_the_buffers_is_refused(name, values, fault):
    model = network()
    before = getattr(model, name).copy()
    wrong = np.full(before.shape, np.nan) if fault == "NaN" else values
    with pytest.raises(ValueError, match=name):
        setattr(model, name, wrong)
    assert (getattr(model, name) == before).all()
    with pytest.raises(ValueError, match="no parameters yet"):
        setattr(nn.Sequential([Dense(1)]), name, [1.0])


def test_a_parameter_that_was_replaced_is_refused_and_named():
    model, X, y = network(), samples(8, 3), samples(8, 2, seed=1)
    kept = model.layers[1].params["W"]
    model.layers[1].params["W"] = np.ones_like(kept)
    for use in (lambda: model.fit(X, y, loss="mse", optimizer="SGD"), model.get_weights, lambda: model.save("x.npz")):
        with pytest.raises(ValueError, match=r'"W" of Dense\(.*\) must be written into, params\["W"\]\[...\] = values'):
            use()
    model.layers[1].params["W"] = kept
    model.fit(X, y, loss="mse", optimizer="SGD")


def test_a_layer_that_replaces_its_gradient_is_refused_and_named():
    class Careless(Dense):
        def backward(self, dy):
            dx = super().backward(dy)
            self.grads["W"] = self.grads["W"].copy()
            return dx

    model = nn.Sequential([Careless(2)]).build(3)
    with pytest.raises(ValueError, match=r'"W" of Careless'):
        model.train_on_batch(samples(8, 3), samples(8, 2, seed=1), loss="mse", optimizer=nn.SGD())


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda model: pickle.loads(pickle.dumps(model))}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_has_views_of_its_own_and_learns_alike(copied, tmp_path):
    """A copied view is an array of its own: an optimizer would move numbers, and a layer average, that nobody sees."""
    model, X, y = network(), samples(8, 3), samples(8, 2, seed=1)
    model.fit(X, y, loss="mse", optimizer="Adam")
    twin = copied(model)
    assert_views(twin)
    assert not np.shares_memory(twin.params, model.params)
    assert (twin.predict(X) == model.predict(X)).all()
    model.fit(X, y, epochs=3)
    assert (twin.params != model.params).any()
    twin.fit(X, y, epochs=3)
    assert (twin.params == model.params).all()
    assert (twin.predict(X) == model.predict(X)).all()
    twin.save(tmp_path / "twin.npz")
    assert (nn.load(tmp_path / "twin.npz").predict(X) == model.predict(X)).all()


@pytest.mark.parametrize("case", LAYER_CASES, ids=str)
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copy_of_any_layer_behaves_as_the_layer(copied, case):
    """Also between forward and backward: whatever the way back needs is in the copy."""
    model = nn.Sequential([Dense(case.input_shape[-1]), case.make()], seed=2).build(case.input_shape)
    x, y = samples(4, *case.input_shape), samples(4, *model.output_shape, seed=1)
    model.fit(x, y, loss="mse", optimizer="RMSprop")
    model.forward(x, training=True)
    twin = copied(model)
    assert (twin.backward(y) == model.backward(y)).all()
    assert (twin.grads == model.grads).all()
    losses = [m.train_on_batch(x, y) for m in (model, twin)]
    assert losses[0] == losses[1]
    assert (twin.predict(x) == model.predict(x)).all()


OPTIONS = [
    nn.Dense(2, {"name": "elu", "alpha": 0.5}, initializer={"name": "normal", "std": 0.1}),
    nn.Dense(2, {"name": "leaky_relu", "slope": 0.2}, initializer={"name": "constant", "value": 0.1}),
    nn.Dense(2, initializer={"name": "variance_scaling", "scale": 3, "fan": "out", "distribution": "uniform"}),
]


@pytest.mark.parametrize("layer", [*OPTIONS, *(Dense(2, initializer=name) for name in INITIALIZERS)], ids=repr)
def test_pickled_options_are_those_of_the_layer(layer):
    """As for joblib, which sends models to other processes."""
    again = pickle.loads(pickle.dumps(layer))
    one, other = (nn.Sequential([part], seed=4).build(3) for part in (layer, again))
    assert repr(again) == repr(layer)
    assert (one.predict(samples(5, 3)) == other.predict(samples(5, 3))).all()


def test_a_model_without_parameters_is_one():
    model = nn.Sequential([nn.Activation("relu")])
    assert model.predict([[-1.0, 2.0]]).tolist() == [[0, 2]]
    assert model.parameter_counts() == (0, 0)
