"""Whole trainings beside Keras: its layers, loss, optimizers, callbacks and `fit` against ours, in float64."""

import compare_keras
import pytest
from insurance_project import prepare, source_network, split
from reference import distance, keras
from stored_results import code_hash, made

import nnlib as nn
from nnlib.course.datasets import insurance_twin

EXACT = 1e-6
EPOCHS, ROWS = 8, 300  # the last of the ten batches of an epoch has 12 rows
# Kingma & Ba's ε and Keras' stand in different places; so small a one matters only where a slope is exactly 0.
TINY = 1e-30
OPTIMIZERS = {
    "Adam": (lambda rate: nn.Adam(rate, epsilon=TINY), lambda rate: keras.optimizers.Adam(rate, epsilon=TINY)),
    "SGD": (nn.SGD, keras.optimizers.SGD),
}


def both_networks(features):
    """Return the source's network, ours and that of Keras, without dropout and with the same first weights."""
    ours = [layer for layer in source_network().layers if not isinstance(layer, nn.Dropout)]
    theirs = [layer for layer in compare_keras.keras_network().layers if not isinstance(layer, keras.layers.Dropout)]
    model = nn.Sequential(ours, seed=1, dtype="float64").build(features)
    other = keras.Sequential([keras.Input((features,)), *theirs])
    for layer, reference in zip(ours, theirs, strict=True):
        reference.set_weights([array.copy() for array in (*layer.params.values(), *layer.buffers.values())])
    return model, other


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "rate", "target"),
    [
        ("Adam", 0.01, "dollars"),
        ("Adam", 0.01, "standardized"),
        ("SGD", 1e-5, "dollars"),
        ("SGD", 0.05, "standardized"),
    ],
)
def test_a_training_of_the_source_s_network_is_that_of_keras(name, rate, target, record_check):
    """One factor in a running variance was enough to make the chapter's sweep that of another network.

    The same first weights, the same order of rows, and no dropout, whose draws nobody else can repeat. Keras' layers
    have the settings that they have by themselves, which are those of the source.
    """
    (X, y), (X_val, y_val) = prepare(*split(insurance_twin())[:2])
    mean, unit = (y.mean(), y.std()) if target == "standardized" else (0.0, 1.0)
    X, y, y_val = X[:ROWS], (y[:ROWS] - mean) / unit, (y_val - mean) / unit
    model, other = both_networks(X.shape[1])
    ours, theirs = (make(rate) for make in OPTIMIZERS[name])
    settings = {"epochs": EPOCHS, "batch_size": 32, "shuffle": False, "validation_data": (X_val, y_val), "verbose": 0}
    plateau = {"monitor": "val_rmse", "factor": 0.1, "patience": 1, "min_delta": 500 / unit}

    history = model.fit(
        X, y, loss="mse", optimizer=ours, metrics=["rmse"], callbacks=[nn.ReduceLROnPlateau(**plateau)], **settings
    )
    other.compile(theirs, loss="mse", metrics=[keras.metrics.RootMeanSquaredError(name="rmse")])
    plateau = keras.callbacks.ReduceLROnPlateau(mode="min", **plateau)
    expected = other.fit(X, y, callbacks=[plateau], **settings).history

    assert min(history["learning_rate"]) < 0.5 * rate  # the plateau rule had its say, too
    pairs = [(history[name], expected[name]) for name in ("loss", "val_loss", "val_rmse", "learning_rate")]
    for layer, reference in zip(model.layers, other.layers, strict=True):
        pairs += zip((*layer.params.values(), *layer.buffers.values()), reference.get_weights(), strict=True)
    pairs.append((model.predict(X_val), other.predict(X_val, verbose=0)))
    error = max(distance(mine, reference) for mine, reference in pairs)
    record_check("framework", f"the insurance network, {name} on {target}", f"Keras, {EPOCHS} epochs", error, EXACT)


def test_the_stored_table_of_keras_was_made_by_this_code():
    """The chapter would show another program's numbers than the one it prints; `make compare-keras` renews them."""
    assert made("keras_real")["code"] == code_hash(*compare_keras.CODE)
