"""Stored tables and film of the page "Forge digits": complete, made by this code, true today; and its measures."""

import itertools

import numpy as np
import pytest
import stored_drift
import stored_forged
import stored_forged_film
from stored_results import code_hash

import nnlib as nn

MAKERS = {
    "real, training", "real, unseen", "real, other writers", "noise", "each pixel alone", "one Gaussian",
    "ten Gaussians", "smudged copies", "two networks, last", "two networks",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("forged", stored_forged.CODE),
        ("forged_optimizers", stored_forged.CODE),
        ("forged_film", stored_forged_film.CODE),
        ("forged_drift", stored_drift.CODE),
    ],
)
def test_what_is_stored_was_made_by_this_code(name, code):
    assert stored_forged.made(name)["code"] == code_hash(*code)


def test_the_stored_tables_are_complete():
    makers = stored_forged.stored("forged")
    assert len(makers) == len(MAKERS) * len(stored_forged.SEEDS)
    assert set(makers.maker) == MAKERS
    assert not makers.duplicated(["maker", "seed"]).any()
    runs = stored_forged.stored("forged_optimizers")
    best = stored_forged.best_rates(runs)
    wanted = {
        (name, rate, seed)
        for name, rates in stored_forged.RATES.items()
        for rate, seed in itertools.product(rates, stored_forged.TRIES)
    }
    wanted |= {(name, best[name], seed) for name in best for seed in stored_forged.SEEDS}
    assert {tuple(row) for row in runs[["optimizer", "rate", "seed"]].to_numpy()} == wanted
    assert len(runs) == len(wanted)
    drift = stored_forged.stored("forged_drift")
    assert len(drift) == 2 * 2 * len(stored_drift.OPTIMIZERS) * stored_drift.SEEDS
    for table in (makers.drop(columns=["sure", "told", "frechet"]), runs, drift):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


# Two networks that train each other blow up the last digits: other processors get rows that differ in the second digit.
CLOSE = {"sure": 0.08, "kinds": 0.8, "away": 0.1, "told": 0.05, "frechet_seen": 0.25, "frechet": 0.25}


@pytest.mark.parametrize(("optimizer", "seed"), [("Adam 0.5", 3), ("SGD", 101)])
def test_the_optimizers_do_what_the_library_does_today(optimizer, seed):
    table = stored_forged.stored("forged_optimizers")
    rate = stored_forged.best_rates(table)[optimizer]
    again = stored_forged.run_optimizer(optimizer, rate, seed)
    row = table[(table.optimizer == optimizer) & (table.rate == rate) & (table.seed == seed)].iloc[0]
    for name, near in CLOSE.items():
        assert again[name] == pytest.approx(row[name], abs=near), name


def test_the_simple_makers_are_judged_as_stored():
    """Without the networks, which `test_the_optimizers...` trains: these rows hold to the sampling of the Gaussians."""
    seed = 4
    (X, y), (unseen, _), _ = stored_forged.parts(seed)
    table = stored_forged.stored("forged").query(f"seed == {seed}").set_index("maker")
    made = stored_forged.makers(X, y, len(unseen), seed) | {"real, training": X[: len(unseen)]}
    for maker, pictures in made.items():
        again = stored_forged.report(pictures, seed)
        for name, near in CLOSE.items():
            assert again[name] == pytest.approx(table.loc[maker, name], abs=near), (maker, name)
    assert table.loc["smudged copies", "away"] < 0.5 * table.loc["real, unseen", "away"]


def test_the_film_begins_as_stored_and_ends_with_its_own_weights():
    stored = stored_forged_film.load()
    again = stored_forged_film.film(steps=200)
    count = len(again["pictures"])
    assert count == 4
    assert np.abs(again["pictures"].astype(int) - stored["pictures"][:count]).max() <= 2
    assert np.allclose(again["detect"], stored["detect"][:200], rtol=0, atol=1e-4)
    last = stored_forged_film.made_by(stored["weights"], stored_forged.noise(0, stored_forged_film.SHOWN))
    assert np.abs(255 * last - stored["pictures"][-1]).max() <= 1
    assert len(stored["pictures"]) == len(stored_forged_film.FRAMES)
    assert len(stored["detect"]) == stored_forged.STEPS


@pytest.mark.parametrize("seed", [0, 7])
def test_the_judge_and_the_forger_share_no_writer_and_the_forger_no_digit_with_the_control(seed):
    from nnlib.course import datasets

    X, _ = datasets.load_digits(flat=True)
    writers = datasets.digit_writers()
    where = {row.tobytes(): writer for row, writer in zip(X, writers, strict=True)}
    learn, unseen, others = (part for part, _ in stored_forged.parts(seed))
    hands = [{where[row.tobytes()] for row in part} for part in (learn, unseen, others)]
    assert hands[0] == hands[1]
    assert len(hands[0]) == 9
    assert not hands[0] & hands[2]
    assert len(learn) == 800
    assert len(learn) + len(unseen) + len(others) == len(X)
    assert len(set(map(bytes, learn)) & set(map(bytes, unseen))) < 3  # a few digits are the same to the last pixel


# The measures, beside other people's code


def test_told_is_the_nearest_neighbour_classifier_leaving_one_out():
    from sklearn.model_selection import LeaveOneOut, cross_val_score
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 5)), 0.7 + rng.standard_normal((50, 5))
    label = np.repeat([0, 1], [40, 50])
    nearest = KNeighborsClassifier(1, algorithm="brute")
    accuracy = cross_val_score(nearest, np.concatenate([a, b]), label, cv=LeaveOneOut()).mean()
    assert stored_forged.told(a, b) == pytest.approx(accuracy)
    assert 0.5 < accuracy < 0.9


def test_distances_and_kinds():
    from scipy.spatial.distance import cdist
    from scipy.stats import entropy

    rng = np.random.default_rng(1)
    a, b = rng.random((7, 64)), rng.random((9, 64))
    assert np.allclose(stored_forged.squared_distances(a, b), cdist(a, b) ** 2, rtol=0, atol=1e-12)
    classes = rng.integers(8, size=50)
    assert stored_forged.kinds(classes) == pytest.approx(np.exp(entropy(np.bincount(classes))))
    assert stored_forged.kinds(np.full(20, 3)) == 1
    assert stored_forged.kinds(np.arange(10)) == pytest.approx(10)


def test_frechet_is_dowson_and_landaus_formula():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((60, 4)) @ rng.random((4, 4)), rng.standard_normal((80, 4)) + 1
    s, t = np.cov(a.T), np.cov(b.T)
    apart = np.sum((a.mean(0) - b.mean(0)) ** 2)
    formula = apart + np.trace(s + t - 2 * np.real(sqrtm(s @ t)))
    assert stored_forged.frechet(a, b) == pytest.approx(formula)
    assert stored_forged.frechet(a, a) == pytest.approx(0, abs=1e-9)
    one, other = rng.standard_normal((50, 1)), 3 * rng.standard_normal((50, 1)) + 2
    by_hand = (one.mean() - other.mean()) ** 2 + (one.std(ddof=1) - other.std(ddof=1)) ** 2
    two = [np.concatenate([part, part], axis=1) for part in (one, other)]
    assert stored_forged.frechet(*two) == pytest.approx(2 * by_hand)


def test_a_round_is_what_jax_computes():
    """One round with SGD: the discriminator on real and made digits; then the generator through the new one."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    jax.config.update("jax_enable_x64", True)
    (X, _), *_ = stored_forged.parts(0)
    generator, average, losses, _ = stored_forged.forge(X, nn.SGD(0.1), nn.SGD(0.2), 1, 0)
    first = stored_forged.networks(0)

    def layers(model):
        return [(jnp.array(layer.params["W"]), jnp.array(layer.params["b"])) for layer in model.layers]

    def forward(weights, x):
        for W, b in weights[:-1]:
            x = x @ W + b
            x = jnp.where(x > 0, x, 0.01 * x)
        W, b = weights[-1]
        return x @ W + b

    G, D = map(layers, first)
    rng = np.random.default_rng(0)
    real = X[rng.integers(len(X), size=32)]
    z, z2 = rng.standard_normal((32, 16)), rng.standard_normal((32, 16))

    def detect(D):
        fake = jax.nn.sigmoid(forward(G, z))
        return -(jax.nn.log_sigmoid(forward(D, real)).mean() + jax.nn.log_sigmoid(-forward(D, fake)).mean()) / 2

    assert losses[0, 0] == pytest.approx(float(detect(D)))
    D = jax.tree.map(lambda w, g: w - 0.2 * g, D, jax.grad(detect)(D))

    def create(G):
        return -jax.nn.log_sigmoid(forward(D, jax.nn.sigmoid(forward(G, z2)))).mean()

    assert losses[0, 1] == pytest.approx(float(create(G)))
    G = jax.tree.map(lambda w, g: w - 0.1 * g, G, jax.grad(create)(G))
    for layer, (W, b) in zip(generator.layers, G, strict=True):
        assert np.allclose(layer.params["W"], W, rtol=0, atol=1e-12)
        assert np.allclose(layer.params["b"], b, rtol=0, atol=1e-12)
    assert np.allclose(average, generator.params, rtol=0, atol=1e-15)  # after one step the average is the last


def test_the_average_is_the_plain_mean_first_and_then_forgets():
    (X, _), *_ = stored_forged.parts(1)
    weights = [stored_forged.forge(X, nn.SGD(0.1), nn.SGD(0.1), t, 1)[0].params.copy() for t in (1, 2, 3)]
    _, average, _, film = stored_forged.forge(X, nn.SGD(0.1), nn.SGD(0.1), 3, 1, keep=(0, 2))
    assert np.allclose(average, np.mean(weights, axis=0), rtol=0, atol=1e-14)
    assert np.allclose(film[2], np.mean(weights[:2], axis=0), rtol=0, atol=1e-14)
    assert np.array_equal(film[0], stored_forged.networks(1)[0].params)


# Targets that move


def test_the_error_of_a_constant_step_is_the_formula():
    """V(k) = (k²r² + q²)/(2k - k²), for weights alike and plain steps."""
    q, r = stored_drift.MOVES, stored_drift.NOISE
    for k in (0.02, 0.05, 0.2):
        error = stored_drift.follow(nn.SGD(k), stored_drift.SCALES["alike"], q, 5).mean()
        assert error == pytest.approx((k * k * r * r + q * q) / (2 * k - k * k), rel=0.06), k


@pytest.mark.parametrize(("name", "kind", "moves"), [("RMSprop", "unlike", 0.05), ("Adagrad", "alike", 0.0)])
def test_the_drift_is_as_stored(name, kind, moves):
    table = stored_forged.stored("forged_drift").query(
        f"optimizer == '{name}' and scales == '{kind}' and moves == {moves}"
    )
    again = stored_drift.run(name, kind, moves)
    assert [row["rate"] for row in again] == list(table.rate)
    assert np.allclose([row["error"] for row in again], table.error, rtol=0.01, atol=0)
