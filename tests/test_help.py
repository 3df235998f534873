"""What `help` says of each block: its formula first, not what kind of object it is."""

import inspect
import pickle
import pydoc

import pytest

import nnlib as nn
from nnlib import activations, initializers, layers, optimizers, schedules

PAIRS = {**activations.ACTIVATIONS, **initializers.INITIALIZERS}
PAIRS |= {"elu, α = ½": activations.make_elu(0.5), "slope ½": activations.make_leaky_relu(0.5)}
PAIRS |= {"constant(2)": initializers.constant(2), "normal(2)": initializers.normal(2)}
PAIRS |= {"variance_scaling": initializers.variance_scaling(2, "out", "normal")}
CLASSES = {**layers.LAYERS, **optimizers.OPTIMIZERS, **schedules.SCHEDULES}
FORMULA = ("=", "~", "←", "⌊", "Var W")


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_help_on_an_activation_or_initializer_shows_its_formula(pair):
    own = inspect.getdoc(pair)
    assert own != inspect.getdoc(type(pair)), "help would show what every activation is"
    assert any(sign in own.splitlines()[0] for sign in FORMULA), own
    shown = pydoc.render_doc(pair, renderer=pydoc.plaintext)
    assert own.splitlines()[0] in shown
    assert "0x" not in shown, "an address in memory tells a reader nothing"
    assert inspect.getdoc(pickle.loads(pickle.dumps(pair))) == own


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_help_on_a_class_opens_with_its_formula(cls):
    assert any(sign in inspect.getdoc(cls).splitlines()[0] for sign in FORMULA)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "sigmoid", "tanh"])
def test_help_says_which_slope_is_taken(name):
    assert "lope" in inspect.getdoc(activations.ACTIVATIONS[name])


def test_a_function_of_ones_own_is_shown_with_its_own_text():
    def swish(z):
        """a = z σ(z) (Ramachandran et al. 2017)."""
        return z * activations.sigmoid(z)

    assert "a = z σ(z)" in pydoc.render_doc(nn.activations.Activation("swish", swish, swish), renderer=pydoc.plaintext)
