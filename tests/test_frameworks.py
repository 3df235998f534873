"""The same network in Keras, PyTorch and scikit-learn: weights carried there and back, and what the page says."""

import ast
import copy
import importlib.util
import inspect
import re

import framework_calls
import numpy as np
import pytest
import run_frameworks
from reference import keras  # sets the backend, and its float64, before anyone imports Keras
from stored_results import code_hash, made, stored

import nnlib as nn
from nnlib.activations import make_elu, make_leaky_relu
from nnlib.course import transplant
from nnlib.course.datasets import load_digits
from tools import notebooks

TOLERANCE = {"float32": 1e-6, "float64": 1e-10}
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed; `make frameworks` brings it"
)
# Keras variables on JAX are turned into arrays by a call that NumPy 2 warns of
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")


def keras_predicts(network, X):
    return np.asarray(network(X))


def torch_predicts(network, X):
    import torch

    with torch.no_grad():
        return network(torch.from_numpy(X)).numpy()


def sklearn_predicts(estimator, X):
    return getattr(estimator, "predict_proba", estimator.predict)(X)


FRAMEWORKS = [
    pytest.param(transplant.to_keras, transplant.from_keras, keras_predicts, id="Keras"),
    pytest.param(transplant.to_torch, transplant.from_torch, torch_predicts, id="PyTorch", marks=needs_torch),
    pytest.param(transplant.to_sklearn, transplant.from_sklearn, sklearn_predicts, id="scikit-learn"),
]
every_framework = pytest.mark.parametrize(("there", "back", "predicts"), FRAMEWORKS)
WITH_LAYERS = FRAMEWORKS[:2]  # scikit-learn has a list of sizes instead


def trained(layers, dtype="float64", shape=(64,), rows=300):
    """Return a model with weights that no initializer gives, biases included, and rows to predict."""
    X, _ = load_digits(flat=len(shape) == 1)
    X = X[:rows].astype(dtype)
    model = nn.Sequential(layers, seed=1, dtype=dtype).build(shape)
    model.params += 0.1 * np.random.default_rng(2).standard_normal(model.params.size)
    return model, X


def distance(one, other):
    one, other = np.asarray(one), np.asarray(other)
    return np.abs(one - other.reshape(one.shape)).max()


@pytest.mark.parametrize("dtype", TOLERANCE)
@every_framework
def test_the_network_of_the_digits_predicts_the_same_there_and_back(there, back, predicts, dtype, record_check):
    model, X = trained([nn.Dense(64, "relu"), nn.Dense(10, "softmax")], dtype)
    before = model.params.copy()
    carried = there(model)
    name = there.__name__.removeprefix("to_")
    error = distance(model.predict(X), predicts(carried, X))
    record_check(
        "framework", f"a network for digits in {dtype}, its weights carried there", name, float(error), TOLERANCE[dtype]
    )
    returned = back(carried)
    assert returned.dtype == model.dtype
    np.testing.assert_array_equal(returned.params, before)
    np.testing.assert_array_equal(returned.predict(X), model.predict(X))
    np.testing.assert_array_equal(model.params, before)


@every_framework
def test_nothing_is_shared(there, back, predicts):
    """To train the copy must not change the original, in either direction."""
    model, X = trained([nn.Dense(8, "tanh"), nn.Dense(3, "softmax")])
    carried = there(model)
    before = predicts(carried, X).copy()
    returned = back(carried)
    model.params[...] = 0
    np.testing.assert_array_equal(predicts(carried, X), before)
    assert returned.params.any()
    returned.params[...] = 0
    np.testing.assert_array_equal(predicts(carried, X), before)


ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax"]
ACTIVATIONS += [make_leaky_relu(0.3), make_elu(0.5)]


@pytest.mark.parametrize("alone", [False, True], ids=["in Dense", "alone"])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
@pytest.mark.parametrize(("there", "back", "predicts"), WITH_LAYERS)
def test_every_activation_is_carried_with_its_slope(there, back, predicts, activation, alone):
    """Keras' leaky ReLU has another slope by itself: the same name is not the same function."""
    first = [nn.Dense(7), nn.Activation(activation)] if alone else [nn.Dense(7, activation)]
    model, X = trained([*first, nn.Dense(2)])
    carried = there(model)
    assert distance(model.predict(X), predicts(carried, X)) < 1e-10
    assert distance(model.predict(X), back(carried).predict(X)) < 1e-12


@pytest.mark.parametrize(("there", "back", "predicts"), WITH_LAYERS)
def test_flatten_and_dropout_are_carried(there, back, predicts):
    layers = [nn.Flatten(), nn.Dropout(0.25), nn.Dense(6, "relu"), nn.Dropout(0.5), nn.Dense(10, "softmax")]
    model, X = trained(layers, shape=(8, 8, 1))
    carried = there(model)
    assert distance(model.predict(X), predicts(carried, X)) < 1e-10
    returned = back(carried, (8, 8, 1)) if back is transplant.from_torch else back(carried)
    assert [getattr(layer, "rate", None) for layer in returned.layers] == [None, 0.25, None, 0.5, None]
    assert distance(model.predict(X), returned.predict(X)) == 0


@pytest.mark.parametrize("hidden", [(), (5,), (6, 4)])
@pytest.mark.parametrize("hidden_activation", ["linear", "sigmoid", "tanh", "relu"])
@pytest.mark.parametrize(("units", "last"), [(1, "sigmoid"), (3, "softmax"), (1, "linear"), (2, "linear")])
def test_scikit_learn_takes_its_activations_and_ends(hidden, hidden_activation, units, last):
    model, X = trained([*(nn.Dense(size, hidden_activation) for size in hidden), nn.Dense(units, last)])
    estimator = transplant.to_sklearn(model)
    theirs = sklearn_predicts(estimator, X)
    ours = model.predict(X)
    assert distance(ours, theirs[:, 1] if last == "sigmoid" else theirs) < 1e-10
    assert distance(ours, transplant.from_sklearn(estimator).predict(X)) == 0


def test_scikit_learn_goes_on_from_the_carried_weights():
    """A first guess by scikit-learn's own initializer would make the carrying useless."""
    model, X = trained([nn.Dense(8, "relu"), nn.Dense(10, "softmax")])
    labels = load_digits(one_hot=False)[1][:300, 0]
    estimator = transplant.to_sklearn(model).set_params(solver="sgd", learning_rate_init=1e-9, max_iter=1, momentum=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        estimator.fit(X, labels)
    assert 0 < distance(estimator.coefs_[0], model.layers[0].params["W"]) < 1e-6


@needs_torch
def test_logits_leave_out_the_last_softmax():
    model, X = trained([nn.Dense(8, "relu"), nn.Dense(10, "softmax")])
    logits = torch_predicts(transplant.to_torch(model, logits=True), X)
    model.forward(X)
    assert distance(model.layers[-1].z, logits) < 1e-10


@needs_torch
def test_layers_without_a_bias_and_modules_in_a_row_come_back():
    import torch

    network = torch.nn.Sequential(
        torch.nn.Linear(64, 5, bias=False), torch.nn.ReLU(), torch.nn.Tanh(), torch.nn.Linear(5, 3), torch.nn.Softmax(1)
    )
    X = load_digits(flat=True)[0][:50].astype("float32")
    model = transplant.from_torch(network)
    assert model.dtype == np.float32
    assert distance(model.predict(X), torch_predicts(network, X)) < 1e-6


def test_keras_layers_of_other_names_come_back():
    layers = keras.layers
    network = keras.Sequential(
        [
            *(keras.Input((64,)), layers.Dense(5, "leaky_relu", use_bias=False), layers.Dense(5), layers.ReLU()),
            *(layers.Dense(4, "elu"), layers.Activation("tanh"), layers.Dense(3), layers.Softmax()),
        ]
    )
    X = load_digits(flat=True)[0][:50]
    assert distance(transplant.from_keras(network).predict(X), keras_predicts(network, X)) < 1e-10


class Double(nn.Dense):
    def forward(self, x, training=False):
        return 2 * super().forward(x, training)


def mine(name):
    own = nn.activations.relu
    return nn.activations.Activation(name, lambda z: own.f(z) + 1, own.vjp)


REFUSED = [
    ([nn.BatchNorm(), nn.Dense(3)], "got BatchNorm.* as layer 0"),
    ([nn.Dense(3), nn.Maxout(3)], "got Maxout.* as layer 1"),
    ([Double(3)], "got Double.* as layer 0"),
    ([nn.Dense(3, mine("relu"))], "model must have activations of nnlib; got .* in layer 0"),
    ([nn.Dense(3, mine("swish"))], "model must have activations of nnlib"),
]


@pytest.mark.parametrize(("layers", "message"), REFUSED, ids=[message[:20] for _, message in REFUSED])
@every_framework
def test_what_cannot_be_carried_is_named(there, back, predicts, layers, message):
    model = nn.Sequential(copy.deepcopy(layers)).build(4)
    with pytest.raises(ValueError, match=message):
        there(model)


@every_framework
@pytest.mark.parametrize("odd", [None, 3, "model", nn.Dense(3)], ids=repr)
def test_what_is_no_network_is_refused(there, back, predicts, odd):
    with pytest.raises(ValueError, match="model must be a Sequential that is built; got"):
        there(odd)
    with pytest.raises(ValueError, match=r"(network|estimator) must be a .*; got"):
        back(odd)


@every_framework
def test_a_model_that_is_not_built_is_refused(there, back, predicts):
    with pytest.raises(ValueError, match="model must be a Sequential that is built; got"):
        there(nn.Sequential([nn.Dense(3)]))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [nn.Dense(3, "relu"), nn.Dense(3, "tanh"), nn.Dense(1)],
            r"one hidden activation .*; got \['relu', 'tanh'\]",
        ),
        ([nn.Dense(3, "elu"), nn.Dense(1)], r"one hidden activation .*; got \['elu'\]"),
        ([nn.Dense(3, "relu"), nn.Dense(2, "softmax")], "must end in softmax over 3 .*; got softmax over 2"),
        ([nn.Dense(3, "relu"), nn.Dense(3, "sigmoid")], "must end in .*; got sigmoid over 3"),
        ([nn.Dense(3, "relu"), nn.Dropout(0.5), nn.Dense(3)], "got Dropout.* as layer 1"),
    ],
)
def test_what_scikit_learn_has_not_is_named(layers, message):
    with pytest.raises(ValueError, match=message):
        transplant.to_sklearn(nn.Sequential(layers).build(4))


def test_what_nnlib_has_not_is_named():
    layers = keras.layers
    for odd, message in (
        (layers.BatchNormalization(), "carried into nnlib; got .* as layer 0"),
        (layers.Dense(3, "gelu"), "activation must be one of .*; got 'gelu'"),
        (layers.ReLU(max_value=6), "carried into nnlib"),
        (layers.Flatten(data_format="channels_first"), "carried into nnlib"),
    ):
        with pytest.raises(ValueError, match=message):
            transplant.from_keras(keras.Sequential([keras.Input((4,)), odd]))
    with pytest.raises(ValueError, match=r"network must be a .*Sequential that is built"):
        transplant.from_keras(keras.Sequential([layers.Dense(3)]))


@needs_torch
def test_what_nnlib_has_not_is_named_in_pytorch():
    import torch

    for odd in (torch.nn.GELU(), torch.nn.BatchNorm1d(3), torch.nn.Softmax(dim=0), torch.nn.Flatten(0)):
        with pytest.raises(ValueError, match=r"carried into nnlib; got .* as layer 1"):
            transplant.from_torch(torch.nn.Sequential(torch.nn.Linear(4, 3), odd))
    with pytest.raises(ValueError, match="input_shape must be given"):
        transplant.from_torch(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)))


def test_keras_is_told_from_jax_in_float32(monkeypatch):
    """It would drop half of the digits without a word."""
    import jax

    model, _ = trained([nn.Dense(3)])
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="model must be of float32, or JAX be told"):
            transplant.to_keras(model)
    finally:
        jax.config.update("jax_enable_x64", True)


def test_the_first_backend_that_is_there_is_taken(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(transplant.importlib.util, "find_spec", lambda name: name in ("keras", "tensorflow") or None)
    assert transplant.installed() == ["keras"]
    transplant.import_keras()
    assert transplant.os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(transplant.importlib.util, "find_spec", lambda name: name in ("keras", "torch") or None)
    assert transplant.installed() == ["keras", "torch"]
    monkeypatch.setattr(transplant.importlib.util, "find_spec", lambda name: name == "keras" or None)
    assert transplant.installed() == []


# --- what is called how -------------------------------------------------------------------------------------------

ROWS = [row for group in framework_calls.CALLS.values() for row in group]
LISTED = {name for ours, *_ in ROWS for name in framework_calls.names(ours)}
METHODS = {name for name in dir(nn.Sequential) if not name.startswith("_") and callable(getattr(nn.Sequential, name))}


def used_in(cells):
    """Return what cells call of nnlib: `nn.Dense`, `nn.metrics.rmse`, `model.fit`. Its course kit does not count."""
    modules, found = {}, set()
    trees = [ast.parse(text) for text in cells if not text.startswith("%")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "nnlib":
            room = node.module.replace("nnlib", "nn", 1)
            for alias in node.names:
                whole = f"{room}.{alias.name}"
                modules[alias.asname or alias.name] = whole
                found.add(whole)
    for node in nodes:
        if isinstance(node, ast.Attribute):
            first, _, rest = ast.unparse(node).partition(".")
            found.add(f"{modules.get(first, first)}.{rest}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            found.add(f"model.{node.func.attr}")
    return {name for name in found if re.fullmatch(r"(nn|model)(\.\w+)+", name) and is_a_call(name)}


def is_a_call(name):
    """Tell whether a name is something public of the library, and not a module or a part of something listed."""
    if name.startswith("model."):
        return name.removeprefix("model.") in METHODS - {"as_plain", "built"}
    thing = nn
    for part in name.split(".")[1:]:
        thing = getattr(thing, part, None)
    return (
        thing is not None
        and not inspect.ismodule(thing)
        and not name.startswith("nn.course")
        and not re.search(r"\.__|\.[a-z]+\.\w+\.", name)
    )


def same_thing(name):
    """Return the name under which the table lists a call: `nn.optimizers.Adam` is `nn.Adam`, `nn.losses.mse` "mse"."""
    _, _, last = name.rpartition(".")
    for other in (f"nn.{last}", f'"{last}"'):
        if name not in LISTED and other in LISTED:
            return other
    return name


def test_every_call_of_the_book_is_in_the_table():
    """A reader who leaves nnlib looks up what was used here."""
    missing = {}
    for path in notebooks.notebooks():
        cells = [cell for cell in notebooks.load(path)["cells"] if cell["cell_type"] == "code"]
        for name in used_in([notebooks.text_of(cell["source"]) for cell in cells]):
            if same_thing(name) not in LISTED:
                missing.setdefault(name, path.stem)
    assert missing == {}


def test_every_name_of_the_library_s_registries_is_in_the_table():
    registries = (nn.activations.ACTIVATIONS, nn.losses.LOSSES, nn.initializers.INITIALIZERS)
    assert {f'"{name}"' for registry in registries for name in registry} - LISTED == set()
    exported = {f"nn.{name}" for name, thing in vars(nn).items() if inspect.isclass(thing)}
    assert exported - LISTED == set()
    assert {f"nn.metrics.{name}" for name in nn.metrics.METRICS} - LISTED == set()
    assert {f"nn.schedules.{name}" for name in nn.schedules.SCHEDULES} - LISTED == set()


def test_every_name_that_the_table_lists_is_there_and_stands_once():
    given = [name for ours, *_ in ROWS for name in framework_calls.names(ours)]
    assert sorted(given) == sorted(LISTED)
    registries = (nn.activations.ACTIVATIONS, nn.losses.LOSSES, nn.initializers.INITIALIZERS)
    texts = {f'"{name}"' for registry in registries for name in registry}
    unknown = {name for name in LISTED - texts if not is_a_call(name) and name != "nn.Dense.backward_z"}
    assert unknown == set()


CODE = """
import nnlib as nn
from nnlib import metrics as m, losses
from nnlib.optimizers import Adam
from nnlib.course import plots
nn.__version__, plots.style(), nn.metrics, x.fit(3), losses.mse(1, 2), m.rmse, nn.Dense(3).params, frame.predictions()
"""


def test_calls_are_found_in_code():
    found = {same_thing(name) for name in used_in([CODE])}
    assert found == {"nn.Adam", "model.fit", '"mse"', "nn.metrics.rmse", "nn.Dense"}


def resolved(name):
    first, *rest = name.split(".")
    thing = importlib.import_module(first)
    for part in rest:
        if inspect.ismodule(thing) and not hasattr(thing, part):
            thing = importlib.import_module(f"{thing.__name__}.{part}")
        else:
            thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize("column", [1, pytest.param(2, marks=needs_torch)], ids=["Keras", "PyTorch"])
def test_every_counterpart_exists(column):
    for row in ROWS:
        for name in framework_calls.names(row[column]):
            assert name.startswith(("keras.", "torch.")), name
            assert callable(resolved(name)), name


def defaults(thing):
    return {name: one.default for name, one in inspect.signature(thing).parameters.items()}


def test_what_the_table_says_of_keras_holds():
    layers, optimizers = keras.layers, keras.optimizers
    assert defaults(nn.BatchNorm)["momentum"] == 0.9
    assert defaults(nn.BatchNorm)["epsilon"] == defaults(nn.LayerNorm)["epsilon"] == 1e-5
    norm = layers.BatchNormalization()
    assert (norm.momentum, norm.epsilon, layers.LayerNormalization().epsilon) == (0.99, 1e-3, 1e-3)
    assert layers.LeakyReLU().negative_slope == 0.3
    assert defaults(keras.activations.leaky_relu)["negative_slope"] == 0.2
    assert defaults(nn.activations.make_leaky_relu)["slope"] == 0.01
    assert defaults(nn.SGD)["learning_rate"] == defaults(optimizers.SGD)["learning_rate"] == 0.01
    assert (defaults(nn.Adam)["epsilon"], defaults(optimizers.Adam)["epsilon"]) == (1e-8, 1e-7)
    assert defaults(nn.RMSprop)["rho"] == defaults(optimizers.RMSprop)["rho"] == 0.9
    assert defaults(optimizers.Adagrad)["initial_accumulator_value"] == 0.1
    assert defaults(keras.callbacks.EarlyStopping)["restore_best_weights"] is False
    assert defaults(nn.EarlyStopping)["restore_best"] is True
    assert (defaults(nn.ReduceLROnPlateau)["patience"], defaults(keras.callbacks.ReduceLROnPlateau)["patience"]) == (
        5,
        10,
    )
    assert defaults(keras.metrics.AUC)["num_thresholds"] == 200
    assert defaults(layers.Dense)["kernel_initializer"] == defaults(nn.Dense)["initializer"] == "glorot_uniform"


@needs_torch
def test_what_the_table_says_of_pytorch_holds():
    import torch

    optim = torch.optim
    assert (defaults(torch.nn.BatchNorm1d)["momentum"], defaults(torch.nn.BatchNorm1d)["eps"]) == (0.1, 1e-5)
    assert defaults(torch.nn.LayerNorm)["eps"] == 1e-5
    assert defaults(torch.nn.LeakyReLU)["negative_slope"] == 0.01
    assert defaults(optim.SGD)["lr"] == 0.001
    assert defaults(optim.Adam)["eps"] == 1e-8
    assert defaults(optim.RMSprop)["alpha"] == 0.99
    assert defaults(optim.lr_scheduler.ReduceLROnPlateau)["patience"] == 10
    weight = torch.nn.Linear(400, 50).weight  # U(±1/√inputs)
    assert 0.045 < weight.abs().max().item() <= 0.05


# --- stored results -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", run_frameworks.TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    """The page would show another program's numbers than the one it prints; `make frameworks` renews them."""
    _, code = run_frameworks.TABLES[name]
    assert made(name, run_frameworks.RESULTS)["code"] == code_hash(*code)


def test_keras_still_warns_of_input_shape():
    [row] = run_frameworks.said()
    assert row == stored("said", run_frameworks.RESULTS).to_dict("records")[0]


def test_the_same_start_gives_the_same_losses():
    """A few epochs of what the page says of all: gradient descent equal to rounding, Adam but for its ε."""
    table = stored("same_start", run_frameworks.RESULTS)
    off = table.groupby(["recipe", "framework"]).off.max()
    for recipe in ("gradient descent", "Adam, ε = 1e-30"):
        assert off[recipe].max() < 1e-10
    assert set(table.framework) == {*run_frameworks.FRAMEWORKS}
