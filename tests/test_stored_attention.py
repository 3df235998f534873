"""The stored tables of the page "Pay attention": complete, made by this code, true today; and its two small layers."""

import numpy as np
import pytest
import stored_attention as page
from reference import constant, keras
from stored_results import code_hash

import nnlib as nn
from nnlib.course import datasets

TABLES = ("attention_recall", "attention_heads", "attention_weights")


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert page.made(name)["code"] == code_hash(*page.CODE)


@pytest.mark.parametrize(
    ("name", "who", "cases"),
    [("attention_recall", "kind", page.KINDS), ("attention_heads", "reader", dict.fromkeys(page.READERS, (20,)))],
)
def test_every_case_has_its_trials_and_its_seeds_at_the_rate_that_they_chose(name, who, cases):
    table = page.stored(name)
    assert not table.duplicated([who, "lag", "rate", "seed"]).any()
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)
    rates = page.tried(table, who)
    assert set(rates) == {(case, lag) for case, lags in cases.items() for lag in lags}
    for (case, lag), rate in rates.items():
        part = table[(table[who] == case) & (table.lag == lag)]
        trials, final = part[part.seed >= 100], part[part.seed < 100]
        assert {*zip(trials.rate, trials.seed, strict=True)} == {(r, s) for r in page.RATES for s in page.TRIALS}
        assert sorted(final.seed) == list(page.SEEDS)
        assert (final.rate == rate).all()


def test_the_table_of_weights_is_complete():
    table = page.stored("attention_weights")
    assert sorted(zip(table.kind, table.seed, strict=True)) == sorted(
        (kind, seed) for kind in ("looks back", "memory below") for seed in page.SEEDS
    )
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize(("kind", "lag", "seed"), [("looks back", 40, 3), ("LSTM", 5, 1), ("LSTM that keeps", 80, 4),
                                                   ("no positions", 5, 2)])  # fmt: skip
def test_the_networks_that_recall_are_what_the_library_computes_today(kind, lag, seed):
    table = page.stored("attention_recall")
    rate = page.tried(table, "kind")[kind, lag]
    row = table[(table.kind == kind) & (table.lag == lag) & (table.seed == seed) & (table.rate == rate)].iloc[0]
    again = page.run_recall(kind, lag, rate, seed)
    assert again["parameters"] == row.parameters
    # float32 differs from one processor to another, and a training that hangs may come loose an epoch later
    assert abs(again["epochs"] - row.epochs) <= 3
    for key in ("validation", "test"):
        assert again[key] == pytest.approx(row[key], abs=0.03), key


@pytest.mark.parametrize(("reader", "seed"), [("two heads", 5), ("one head", 0)])
def test_the_heads_are_what_the_library_computes_today(reader, seed):
    table = page.stored("attention_heads")
    rate = page.tried(table, "reader")[reader, 20]
    row = table[(table.reader == reader) & (table.seed == seed) & (table.rate == rate)].iloc[0]
    again = page.run_heads(reader, 20, rate, seed)
    assert again["parameters"] == row.parameters
    for key in ("first", "second"):
        assert again[key] == pytest.approx(row[key], abs=0.03), key


@pytest.mark.parametrize("kind", ["looks back", "memory below"])
def test_the_weights_are_what_the_library_computes_today(kind):
    table = page.stored("attention_weights").query("seed == 2").set_index("kind")
    for key, value in page.run_weights(kind, 10, 2).items():
        assert value == pytest.approx(table.loc[kind, key], abs=0.03), key


# --- the two layers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_who_asks_last_is_the_last_row_of_self_attention(heads):
    rng = np.random.default_rng(heads)
    x, dy = rng.standard_normal((5, 7, 6)), rng.standard_normal((5, 6))
    ours = nn.Sequential([page.LastAsks(heads)], seed=1).build((7, 6))
    theirs = nn.Sequential([nn.SelfAttention(heads), page.Last()], seed=1).build((7, 6))
    assert np.array_equal(ours.params, theirs.params)
    for model in (ours, theirs):
        model.layers[0].skip_dx = False
    assert np.abs(ours.forward(x) - theirs.forward(x)).max() < 1e-12
    assert np.abs(ours.layers[0].weights - theirs.layers[0].weights[:, :, -1]).max() < 1e-12
    assert np.abs(ours.backward(dy) - theirs.backward(dy)).max() < 1e-12
    assert np.abs(ours.grads - theirs.grads).max() < 1e-12


@pytest.mark.parametrize("heads", [1, 2])
def test_who_asks_last_has_the_gradients_of_finite_differences(heads):
    rng = np.random.default_rng(0)
    model = nn.Sequential([nn.Dense(6), page.LastAsks(heads)], seed=0).build((7, 4))
    X, y = rng.standard_normal((3, 7, 4)), rng.standard_normal((3, 6))
    assert nn.check_gradients(model, X, y, "mse") < 1e-7


def test_who_asks_last_is_keras_multi_head_attention_with_one_query():
    x = np.random.default_rng(4).standard_normal((2, 5, 6))
    layer = page.LastAsks(2)
    nn.Sequential([layer], seed=0).build((5, 6))
    theirs = keras.layers.MultiHeadAttention(2, 3, use_bias=False)
    theirs.build((None, 1, 6), (None, 5, 6))
    parts = [part.reshape(6, 2, 3) for part in np.split(layer.params["W"], 3, axis=1)]
    theirs.set_weights([*parts, layer.params["O"].reshape(2, 3, 6)])
    # with its weights asked for, Keras takes the way that stays in float64
    y, weights = theirs(constant(x[:, -1:]), constant(x), return_attention_scores=True)
    assert np.abs(layer.forward(x) - np.asarray(y)[:, 0]).max() < 1e-10
    assert np.abs(layer.weights - np.asarray(weights)[:, :, 0]).max() < 1e-10


def test_the_last_step_alone_goes_on_and_gets_the_gradient():
    last = page.Last()
    assert last.build((3, 2), None, float) == (2,)
    x = np.arange(12.0).reshape(2, 3, 2)
    assert last.forward(x).tolist() == [[4, 5], [10, 11]]
    assert last.backward(np.ones((2, 2))).sum(axis=(0, 2)).tolist() == [0, 0, 4]


# --- the task -----------------------------------------------------------------------------------------------------


def test_positions_compare_by_their_distance_and_best_with_themselves():
    P = page.places(161)
    G = P @ P.T
    assert np.allclose(np.diag(G), page.PAIRS)
    for distance in (1, 7, 150):
        assert np.ptp(np.diag(G, distance)) < 1e-9
    assert G[0, 1:].max() < page.PAIRS - 0.1
    assert P[3, 0] == pytest.approx(np.sin(3))
    assert P[3, 9] == pytest.approx(np.cos(3 / 10_000 ** (1 / 8)))


def test_the_positions_stand_beside_the_numbers():
    X, _ = datasets.first_sign(4, 6, seed=0)
    Z = page.with_places(X)
    assert Z.shape == (4, 7, 17)
    assert np.array_equal(Z[..., :1], X)
    assert np.array_equal(Z[2, :, 1:], page.places(7))


def test_two_signs_are_two_questions():
    X, y = page.two_signs(400, 20, (3, 0))
    assert X.shape == (400, 21, 2)
    assert (X[..., 1] == 1).all()
    assert np.array_equal(X[:, [0, 10], 0] > 0, y > 0.5)
    assert (np.abs(X[:, [0, 10], 0]) == 1).all()
    assert y.mean(axis=0).tolist() == [0.5, 0.5]
    assert abs(np.corrcoef(y.T)[0, 1]) < 0.15
