"""The stored tables of the page "Remember what came first": complete, made by this code, true today."""

import numpy as np
import pytest
import stored_remember
from reference import keras
from stored_results import code_hash

import nnlib as nn
from nnlib.course import datasets
from tools import notebooks

PAGE = notebooks.ROOT / "chapters" / "7-sequences" / "02-remember.ipynb"


def cell(name):
    """Return the source of a cell of the page."""
    return next(notebooks.text_of(c["source"]) for c in notebooks.load(PAGE)["cells"] if c["id"] == name)


@pytest.mark.parametrize("name", ["remember", "remember_rates"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_remember.made(name)["code"] == code_hash(*stored_remember.CODE)


@pytest.mark.parametrize("name", ["remember_again", "remember_again_rates"])
def test_so_were_those_of_the_same_sequences_again_and_again(name):
    assert stored_remember.made(name)["code"] == code_hash(*stored_remember.CODE_AGAIN)
    seeds = {"remember_again": stored_remember.SEEDS, "remember_again_rates": stored_remember.SEEDS_OF_RATES}[name]
    table = stored_remember.stored(name)
    assert set(table.model) == set(stored_remember.AGAIN)
    assert all(sorted(part) == list(seeds) for _, part in table.groupby(["model", "rate"]).seed)
    assert table.right.between(0, 1).all()
    best = stored_remember.chosen(stored_remember.stored("remember_again_rates"))
    for model, used in stored_remember.stored("remember_again").groupby("model").rate:
        assert set(used) == {best[model, stored_remember.LAG_OF_AGAIN]}


@pytest.mark.parametrize("seed", [1, 3])
def test_the_network_that_saw_the_same_sequences_again_is_what_the_library_computes_today(seed):
    table = stored_remember.stored("remember_again")
    (row,) = table.query(f"model == 'lstm_1' and seed == {seed}").to_dict("records")
    again = stored_remember.run_again("lstm_1", stored_remember.LAG_OF_AGAIN, row["rate"], seed)
    assert again["right"] == pytest.approx(row["right"], abs=0.03)


def test_the_stored_tables_are_complete():
    runs, rates = stored_remember.stored("remember"), stored_remember.stored("remember_rates")
    models = {(model, lag) for model in stored_remember.MODELS for lag in stored_remember.LAGS}
    starts = {(model, stored_remember.LAG_OF_STARTS) for model in stored_remember.STARTS}
    by_kind = runs.groupby(["model", "lag"]).seed
    assert set(by_kind.groups) == models | starts
    assert all(sorted(seeds) == list(stored_remember.SEEDS) for _, seeds in by_kind)
    tried = rates.groupby(["model", "lag", "rate"]).seed
    asked = {(model, lag) for model, lag in models if lag in stored_remember.LAGS_OF_RATES} | starts
    assert set(tried.groups) == {(*pair, rate) for pair in asked for rate in stored_remember.RATES}
    assert all(sorted(seeds) == list(stored_remember.SEEDS_OF_RATES) for _, seeds in tried)
    for table in (runs, rates):
        assert table.right.between(0, 1).all()
        assert table.steps.between(50, stored_remember.STEPS).all()


def test_each_kind_was_trained_with_the_rate_chosen_on_other_seeds():
    runs, rates = stored_remember.stored("remember"), stored_remember.stored("remember_rates")
    assert not set(stored_remember.SEEDS) & set(stored_remember.SEEDS_OF_RATES)
    best = stored_remember.chosen(rates)
    mean = rates.groupby(["model", "lag", "rate"]).right.mean()
    for (model, lag), rate in best.items():
        assert mean[model, lag, rate] == mean[model, lag].max()
    for (model, lag), used in runs.groupby(["model", "lag"]).rate:
        assert set(used) == {best[model, 80 if lag == 80 else 40]}, (model, lag)


# rows whose seed is not on a knife's edge, so that rounding on another processor does not decide
@pytest.mark.parametrize(("model", "lag"), [("rnn", 5), ("lstm_1", 5), ("lstm_5", 20), ("rnn_32", 10), ("lstm_0", 40)])
def test_the_stored_networks_are_what_the_library_computes_today(model, lag):
    table = stored_remember.stored("remember").query(f"model == '{model}' and lag == {lag} and seed == 3")
    (row,) = table.to_dict("records")
    again = stored_remember.run(model, lag, row["rate"], 3)
    assert again["parameters"] == row["parameters"]
    assert again["right"] == pytest.approx(row["right"], abs=0.02)
    assert again["steps"] == pytest.approx(row["steps"], abs=10)


def test_the_best_rate_is_the_most_right_and_among_equals_the_quickest():
    import pandas as pd

    rows = [("a", 40, 0.1, 0.9, 50), ("a", 40, 0.2, 1.0, 90), ("a", 40, 0.3, 1.0, 80), ("b", 80, 0.1, 0.5, 9)]
    table = pd.DataFrame(rows, columns=["model", "lag", "rate", "right", "steps"])
    assert stored_remember.chosen(table) == {("a", 40): 0.3, ("b", 80): 0.1}


@pytest.mark.parametrize("model", [*stored_remember.MODELS, *stored_remember.STARTS])
def test_a_network_starts_as_its_name_says(model):
    layer, answer = stored_remember.network(model, 10, seed=4, dtype="float64").layers
    U = layer.params["U"]
    if model.startswith("lstm"):
        bias = layer.params["b"].reshape(4, 16)
        assert (bias[1] == float(model[-1])).all()
        assert not bias[[0, 2, 3]].any()
    elif model == "rnn_glorot":
        assert np.abs(U).max() <= np.sqrt(6 / 32)
        assert not np.allclose(U @ U.T, np.eye(16), atol=0.1)
    else:
        assert np.allclose(U @ U.T, np.eye(len(U)), atol=1e-12)
    assert answer.units == 1


def test_the_control_has_as_many_parameters_as_the_lstm():
    plain, lstm = (stored_remember.network(model, 5, 0).params.size for model in ("rnn_32", "lstm_1"))
    assert abs(plain - lstm) / lstm < 0.05


def test_training_ends_once_it_is_solved_and_every_batch_is_new():
    built = stored_remember.network("rnn", 5, seed=1)
    losses = stored_remember.train(built, 5, 0.01, seed=1)
    assert 50 <= len(losses) < stored_remember.STEPS
    assert np.mean(losses[-50:]) < stored_remember.SOLVED <= np.mean(losses[-51:-1])
    n = stored_remember.STEPS * stored_remember.BATCH
    X, _ = datasets.first_sign(n, 5, seed=1)
    assert len(np.unique(X, axis=0)) == n
    new, _ = datasets.first_sign(stored_remember.NEW, 5, seed=10_001)
    assert not set(map(bytes, new)) & set(map(bytes, X))


def test_the_page_steps_as_keras_does(record_check):
    """The few lines of NumPy on the page, against another framework; and where its forget gates start."""
    space = {"np": np}
    exec(cell("by-hand").split("\nW, U")[0], space)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3, 7, 2))
    theirs = keras.layers.LSTM(4)
    theirs.build(X.shape)
    start = np.asarray(theirs.weights[2].value)
    assert np.array_equal(start.reshape(4, 4), [[0] * 4, [1] * 4, [0] * 4, [0] * 4])
    weights = [rng.standard_normal(part.shape) for part in theirs.weights]
    theirs.set_weights(weights)
    h = c = np.zeros((3, 4))
    for t in range(7):
        _, h, c = space["step"](X[:, t], h, c, *weights)
    record_check("framework", "the page's LSTM step", "Keras", np.abs(h - np.asarray(theirs(X))).max(), 1e-10)


def test_the_slope_along_the_cell_is_the_forget_gate(record_check):
    """Finite differences of c_t by c_{t-1}, with h held, in a layer of the library."""
    layer = stored_remember.network("lstm_1", 6, seed=2, dtype="float64").layers[0]
    X = np.random.default_rng(3).standard_normal((2, 7, 1))
    trace = layer.trace(X)
    W, U, b = (layer.params[name] for name in "WUb")

    def cell_after(c, t):
        z_i, z_f, z_g, _ = np.split(X[:, t] @ W + trace["hidden"][:, t - 1] @ U + b, 4, axis=1)
        return c / (1 + np.exp(-z_f)) + np.tanh(z_g) / (1 + np.exp(-z_i))

    for t in (1, 4, 6):
        c = trace["cell"][:, t - 1]
        assert np.allclose(cell_after(c, t), trace["cell"][:, t], atol=1e-12)
        slope = (cell_after(c + 1e-5, t) - cell_after(c - 1e-5, t)) / 2e-5
        error = np.abs(slope - trace["forget"][:, t]).max()
        record_check("derivatives", f"slope along the cell, step {t}", "finite differences", error, 1e-8)


def test_the_rest_of_the_page_s_model_learns_nothing_from_shuffled_signs():
    """A control: with signs that belong to other sheets, nothing can be remembered."""
    built = stored_remember.network("lstm_5", 5, seed=0)
    X, y = datasets.first_sign(100 * 32, 5, seed=0)
    y = np.random.default_rng(0).permutation(y)
    optimizer = nn.Adam(0.01)
    for rows in np.arange(len(X)).reshape(-1, 32):
        built.train_on_batch(X[rows], y[rows], loss="binary_crossentropy", optimizer=optimizer)
    X_new, y_new = datasets.first_sign(1000, 5, seed=1)
    p = np.where(y_new == 1, built.predict(X_new), 1 - built.predict(X_new))
    assert -np.log(p).mean() > 0.68  # ln 2 is what guessing costs
