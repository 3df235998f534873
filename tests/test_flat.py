"""All parameters in one buffer: what the layers see, what an optimizer moves and what is saved is one."""

import copy

import numpy as np
import pytest
from cases import LAYER_CASES, samples

import nnlib as nn
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


def test_a_copy_has_views_of_its_own_and_learns_alike():
    """copy.deepcopy would copy each view as an array, and its optimizer would move numbers that no layer sees."""
    model, X, y = network(), samples(8, 3), samples(8, 2, seed=1)
    model.fit(X, y, loss="mse", optimizer="Adam")
    twin = copy.deepcopy(model)
    assert_views(twin)
    assert not np.shares_memory(twin.params, model.params)
    model.fit(X, y, epochs=3)
    assert (twin.params != model.params).any()
    twin.fit(X, y, epochs=3)
    assert (twin.params == model.params).all()


def test_a_model_without_parameters_is_one():
    model = nn.Sequential([nn.Activation("relu")])
    assert model.predict([[-1.0, 2.0]]).tolist() == [[0, 2]]
    assert model.parameter_counts() == (0, 0)
