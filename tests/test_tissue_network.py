"""The network that the pages on tissue share: what it is, and that the page "Diagnose tissue" writes the same."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest
import tissue_network

import nnlib as nn
from nnlib.course import augment
from tools import notebooks

PAGE = Path(tissue_network.__file__).with_name("07-diagnose-tissue.ipynb")
SHARED = ("standardized", "network", "train")


@pytest.fixture(scope="module")
def page():
    """{name: function as the page writes it}."""
    names = {"nn": nn, "np": np, "augment": augment}
    for cell in notebooks.load(PAGE)["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(notebooks.text_of(cell["source"]))
            wanted = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.name in SHARED]
            exec(compile(ast.Module(wanted, []), str(PAGE), "exec"), names)
    return {name: names[name] for name in SHARED}


@pytest.fixture(scope="module")
def few():
    rng = np.random.default_rng(0)
    return rng.random((40, 28, 28, 3)), rng.integers(2, size=(40, 1)).astype(float)


@pytest.mark.parametrize("name", SHARED)
def test_the_page_and_the_module_take_the_same_arguments(page, name):
    assert inspect.signature(page[name]) == inspect.signature(getattr(tissue_network, name))


@pytest.mark.parametrize(
    ("activation", "settings"),
    [
        ("relu", {"epochs": 3, "seed": 5}),
        ("tanh", {"epochs": 2, "learning_rate": 0.01, "batch_size": 7}),
        ("sigmoid", {"epochs": 2, "turned": False}),
    ],
)
def test_the_page_and_the_module_train_the_same_network(page, few, activation, settings):
    found = []
    for make in (page, vars(tissue_network)):
        X = make["standardized"](few[0], few[0][:20])
        model = make["network"](3, activation)
        make["train"](model, X, few[1], **settings)
        found.append(model.predict(X))
    assert found[0].dtype == np.float32
    assert np.array_equal(*found)


def test_pictures_are_standardized_by_those_of_the_training(few):
    X = few[0] * [1.0, 0.5, 0.2]
    scaled = tissue_network.standardized(X, X[:10])
    assert scaled.dtype == np.float32
    assert np.allclose(scaled[:10].mean(axis=(0, 1, 2)), 0, atol=1e-5)
    assert np.allclose(scaled[:10].std(axis=(0, 1, 2)), 1, atol=1e-5)
    assert np.allclose(tissue_network.standardized(X[30:], X[:10]), scaled[30:])


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 27), ("tanh", 2 / (27 + 108))])
def test_the_network_starts_as_its_activation_asks(activation, variance):
    model = tissue_network.network(0, activation).build((28, 28, 3))
    assert model.parameter_counts() == (5585, 0)
    assert model.output_shape == (1,)
    first = [tissue_network.network(seed, activation).build((28, 28, 3)).layers[0].params["W"] for seed in range(20)]
    assert np.var(first) == pytest.approx(variance, rel=0.1)


class Seen:
    """Stands for a network, and keeps what it is shown."""

    def __init__(self):
        self.X, self.optimizers = [], []

    def fit(self, X, y, *, optimizer, **settings):
        self.X.append(X)
        self.optimizers.append(optimizer)
        self.settings = settings


@pytest.mark.parametrize("turned", [True, False])
def test_a_picture_is_shown_in_its_eight_forms_and_no_other(few, turned):
    X, y = few
    model = Seen()
    tissue_network.train(model, X[:10], y[:10], epochs=40, learning_rate=0.5, batch_size=8, turned=turned)
    forms = {np.rot90(x, k).tobytes() for x in (X[0], X[0][:, ::-1]) for k in range(4)}
    assert len(forms) == 8
    assert {shown[0].tobytes() for shown in model.X} == (forms if turned else {X[0].tobytes()})
    assert len(model.X) == 40
    assert len(set(map(id, model.optimizers))) == 1  # one memory for the whole training
    assert model.optimizers[0].learning_rate == 0.5
    assert model.settings == {"loss": "binary_crossentropy", "epochs": 1, "batch_size": 8, "verbose": 0}
