"""The page "Feed it back": its way back through time beside JAX, its stored tables complete and true today."""

import json
from pathlib import Path

import numpy as np
import pytest
import stored_feed
from reference import jax, jnp
from stored_results import code_hash

import nnlib as nn

PAGE = Path(__file__).parents[1] / "chapters" / "7-sequences" / "01-feed-it-back.ipynb"


def names(*ids):
    """Return what some cells of the page define, without what they print."""
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(PAGE.read_text("utf-8"))["cells"]}
    space = {"np": np, "nn": nn}
    for cell in ids:
        exec(compile(cells[cell], cell, "exec"), space)
    return space


def test_back_through_time_is_what_jax_computes():
    page = names("read", "back-code")

    def loss(W, U, b, x, y):
        def day(h, number):
            return jnp.tanh(number @ W + h @ U + b), None

        return jnp.sum((jax.lax.scan(day, jnp.zeros(len(U)), x)[0] - y) ** 2) / 2

    for seed in range(10):
        rng = np.random.default_rng(seed)
        n, days, features = rng.integers(1, (6, 20, 4))
        x, W, U, b, y = (rng.standard_normal(shape) for shape in ((days, features), (features, n), (n, n), n, n))
        h = page["read"](x, W, U, b)
        ours = page["back"](x, h, U, h[-1] - y)
        theirs = jax.grad(loss, argnums=(0, 1, 2))(W, U, b, x, y)
        for one, other in zip(ours, theirs, strict=True):
            assert nn.gradcheck.relative_error(one, np.asarray(other)) < 1e-10


def test_a_unit_that_hears_only_itself_stays_so():
    for start in ("signs", "even"):
        layer = stored_feed.OwnOutput(5, start)
        model = nn.Sequential([layer, nn.Dense(1)], seed=1)
        X, y = stored_feed.draw("ago", 0, 0)
        model.fit(X[:64], y[:64], loss="mse", optimizer=nn.Adam(0.01))
        U = layer.params["U"]
        assert np.array_equal(U, np.diag(np.diag(U)))
        assert np.unique(np.diag(U)).size == 5
    assert set(np.diag(built("signs"))) <= {-1.0, 1.0}


def built(start):
    """Return U of such a layer as it was drawn."""
    layer = stored_feed.OwnOutput(8, start)
    nn.Sequential([layer], seed=0).build((3, 1))
    return layer.params["U"]


def test_its_gradients_are_those_of_a_network_without_the_other_weights():
    """The mask, against finite differences along the diagonal alone."""
    layer = stored_feed.OwnOutput(4, "even")
    nn.Sequential([layer], seed=3).build((6, 2))
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((3, 6, 2)), rng.standard_normal((3, 4))
    layer.forward(x)
    layer.backward(dy)
    found = layer.grads["U"].copy()
    moved = nn.gradcheck.numerical_gradient(lambda: float(np.sum(dy * layer.forward(x))), layer.params["U"])
    assert np.allclose(np.diag(found), np.diag(moved), atol=1e-8)
    assert np.array_equal(found, np.diag(np.diag(found)))
    assert np.abs(moved - np.diag(np.diag(moved))).max() > 0.01


def test_the_tasks_are_what_they_say_and_their_parts_differ():
    X, y = stored_feed.draw("ago", 1, 0)
    assert np.array_equal(X[:, 8], y)
    X, y = stored_feed.draw("odd", 1, 0)
    assert np.array_equal((X[..., 0] < 0).sum(axis=1) % 2, y[:, 0])
    assert 0.4 < y.mean() < 0.6
    X, y = stored_feed.draw("first", 1, 0)
    assert np.array_equal(X[:, 0, 0] > 0, y[:, 0] == 1)
    for task in stored_feed.TASKS:
        parts = [stored_feed.draw(task, 1, part)[0] for part in range(3)]
        assert not any(np.array_equal(one, other) for one in parts for other in parts if one is not other)


@pytest.mark.parametrize("name", stored_feed.TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_feed.made(name)["code"] == code_hash(*stored_feed.CODE)


def test_the_stored_tables_are_complete():
    own, clip = map(stored_feed.stored, stored_feed.TABLES)
    assert len(own) == (
        len(stored_feed.TASKS) * len(stored_feed.KINDS) * len(stored_feed.RATES) * len(stored_feed.SEEDS)
    )
    assert not own.duplicated(["task", "kind", "rate", "seed"]).any()
    assert np.isfinite(own[["validation", "test"]]).all(axis=None)
    assert len(clip) == 2 * len(stored_feed.CLIP_RATES) * len(stored_feed.CLIP_SEEDS)
    assert not clip.duplicated(["clip", "rate", "seed"]).any()
    assert np.isfinite(clip[["validation", "test", "largest", "median"]]).all(axis=None)
    steep = clip[["length", "before", "plain", "clipped"]]
    assert (steep.notna().all(axis=1) == (clip.largest > stored_feed.STEEP)).all()
    assert (steep.isna().all(axis=1) == (clip.largest <= stored_feed.STEEP)).all()


@pytest.mark.parametrize(
    ("task", "kind", "rate", "seed"),
    [("ago", "all", 0.01, 3), ("ago", "own", 0.01, 4), ("odd", "spread", 0.01, 2), ("first", "own", 0.03, 5)],
)
def test_the_networks_are_what_the_library_computes_today(task, kind, rate, seed):
    again = stored_feed.run_own(task, kind, rate, seed)
    table = stored_feed.stored("feed_own").set_index(["task", "kind", "rate", "seed"])
    for part, value in again.items():
        # rounding differs from one processor to another
        assert value == pytest.approx(table.loc[(task, kind, rate, seed), part], abs=4), part


@pytest.mark.parametrize(("clip", "rate", "seed"), [(1, 0.03, 0), (1, 0.1, 3), (0, 0.01, 1)])
def test_the_clipped_steps_are_what_the_library_computes_today(clip, rate, seed):
    again = stored_feed.run_clip(clip, rate, seed)
    row = stored_feed.stored("feed_clip").set_index(["clip", "rate", "seed"]).loc[(clip, rate, seed)]
    assert again["test"] == pytest.approx(row["test"], abs=2)
    assert again["median"] == pytest.approx(row["median"], rel=0.1)
    assert again["largest"] == pytest.approx(row["largest"], rel=0.1)


def test_the_clipped_step_is_that_of_the_library():
    """`run_clip` shortens by itself, so that it can take a step both ways; the optimizer's argument does the same."""
    g = np.random.default_rng(0).normal(0, 3, 50)
    weights = np.ones(50)
    optimizer = nn.SGD(0.1, clip_norm=stored_feed.LIMIT)
    optimizer.init(50)
    by_library = weights.copy()
    optimizer.step(by_library, g.copy())
    by_hand = weights - 0.1 * g * min(1, stored_feed.LIMIT / np.linalg.norm(g))
    assert np.allclose(by_library, by_hand, rtol=0, atol=1e-14)
