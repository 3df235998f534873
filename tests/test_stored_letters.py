"""The stored tables and the small network of the page "Write letters": complete, made by this code, true today."""

import itertools

import numpy as np
import pytest
import stored_letters as letters
from stored_results import code_hash

import nnlib as nn


@pytest.mark.parametrize("name", ["letters_counts", "letters_networks"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert letters.made(name)["code"] == code_hash(*letters.CODE)


def test_the_stored_tables_are_complete():
    counts, networks = letters.stored("letters_counts"), letters.stored("letters_networks")
    assert len(counts) == (1 + len(letters.SIZES)) * letters.LONGEST * len(letters.WEIGHTS)
    assert not counts.duplicated(["size", "n", "weight"]).any()
    assert not networks.duplicated(["network", "optimizer", "rate", "dropout", "seed", "size"]).any()
    for (kind, rule), (rates, dropouts) in letters.GRID.items():
        rows = networks.query(f"network == '{kind}' and optimizer == '{rule}' and size == 1")
        search = rows[rows.seed.isin(letters.SEARCH)]
        wanted = set(itertools.product(rates, dropouts, letters.SEARCH))
        assert set(search[["rate", "dropout", "seed"]].itertuples(index=False, name=None)) == wanted
        last = rows[~rows.seed.isin(letters.SEARCH)]
        assert sorted(last.seed) == list(letters.SEEDS)
        best = letters.chosen(networks, kind, rule)
        assert {*last[["rate", "dropout"]].itertuples(index=False, name=None)} == {tuple(best)}
    for size in letters.SIZES:
        rows = networks[networks["size"] == size]
        assert (len(rows), rows.rate.nunique()) == (7, 1)
    for table in (counts, networks):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize(("size", "n", "weight"), [(1, 1, 1), (1, 3, 16), (2, 8, 1)])
def test_counts_are_what_the_code_counts_today(size, n, weight):
    row = letters.stored("letters_counts").query(f"size == {size} and n == {n} and weight == {weight}").iloc[0]
    for name, value in letters.run_counts(size, n, weight).items():
        assert value == pytest.approx(row[name], abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "rule", "rate", "dropout", "seed"), [("RNN", "Adam", 0.01, 0.3, 1), ("LSTM", "Adagrad", 0.1, 0.0, 0)]
)
def test_networks_are_what_the_library_trains_today(kind, rule, rate, dropout, seed):
    table = letters.stored("letters_networks")
    row = table.query(
        f"network == '{kind}' and optimizer == '{rule}' and rate == {rate} and dropout == {dropout} and seed == {seed}"
    ).iloc[0]
    again = letters.run_network(kind, rule, rate, dropout, seed)
    for name in ("learn", "choose", "judge", "mixed"):
        # float32 on another processor rounds otherwise, and 420 steps carry it on
        assert again[name] == pytest.approx(row[name], abs=0.03), name


def test_the_stored_network_is_the_first_of_the_chosen_ones():
    model = nn.load(letters.MODEL)
    table = letters.stored("letters_networks")
    rate, dropout = letters.chosen(table, "LSTM", "Adam")
    row = table.query(f"optimizer == 'Adam' and network == 'LSTM' and seed == {letters.SEEDS[0]} and size == 1").iloc[0]
    assert (row.rate, row.dropout, model.layers[1].rate) == (rate, dropout, pytest.approx(dropout, abs=1e-4))
    learn, choose, judge = letters.parts()
    assert letters.bits(letters.read(model, choose, learn), choose) == pytest.approx(row.choose, abs=1e-3)
    assert letters.bits(letters.read(model, judge, choose), judge) == pytest.approx(row.judge, abs=1e-3)


def test_training_repeats_and_begins_as_drawn():
    learn, choose, _ = letters.parts()
    found = []
    for _ in range(2):
        model = letters.network("RNN", 0.3, seed=3)
        found.append((letters.train(model, learn, choose[:300], 0.01, seed=3, steps=70), model.params.copy()))
    assert found[0][0] == found[1][0]
    assert np.array_equal(found[0][1], found[1][1])
    first, second = found[0][0]
    assert (first[0], second[0]) == (35, 70)
    assert second[2] < first[2] < np.log2(27)


def test_the_best_weights_are_put_back():
    learn, choose, _ = letters.parts()
    model = letters.network("RNN", 0.0, seed=3)
    course = letters.train(model, learn[:200], choose[:400], 0.05, seed=3, steps=210)
    best = min(score for _, _, score in course)
    assert course[-1][2] > best  # 200 letters are learned by heart
    assert letters.bits(letters.read(model, choose[:400], learn[:200]), choose[:400]) == pytest.approx(best, abs=1e-6)


def test_reading_in_one_go_is_reading_window_by_window():
    learn, choose, _ = letters.parts()
    model = letters.network("LSTM", 0.3, seed=1)
    shares = letters.read(model, choose[:30], learn)
    for at in (0, 7, 29):
        context = (learn + choose)[len(learn) - 100 : len(learn) + at]
        h = letters.ONE_HOT[letters.numbers(context)][None]
        for layer in model.layers:
            h = layer.forward(h)
        assert np.allclose(h[0, -1], shares[at], atol=1e-6)


def test_the_parts_share_no_place_and_are_the_text():
    assert "".join(letters.parts()) == letters.text()
    assert set(letters.text()) == set(letters.LETTERS)
    assert "  " not in letters.text()
    assert letters.text().startswith("chapter i down the rabbit hole alice was")


def test_counts_against_a_plain_count():
    table = letters.count("abcabd", 3)
    assert (table["a"], table["ab"], table["abc"], table["abd"], table["abca"], table["bd"]) == (2, 2, 1, 1, 0, 1)
    found = letters.followers(table, "xab", 3)
    assert (found.shape, found[0].sum()) == ((3, 27), 6)
    assert found[1, letters.LETTERS.index("c")] == found[1, letters.LETTERS.index("d")] == 1  # after b
    assert np.array_equal(found[2], found[1])  # after ab, too
    assert not letters.followers(table, "", 3)[1:].any()


def test_blending_against_the_formula():
    table = letters.count("the hat that", 2)
    p = letters.blended(letters.followers(table, "t", 2), 2, 1.5)
    general = [("the hat that".count(x) + 1.5 / 27) / (12 + 1.5) for x in letters.LETTERS]
    pairs = [table["t" + x] for x in letters.LETTERS]
    assert np.allclose(p, [(c + 1.5 * q) / (3 + 1.5) for c, q in zip(pairs, general, strict=True)], rtol=1e-12)
    assert p.sum() == pytest.approx(1)
    unseen = letters.blended(letters.followers(table, "z", 2), 2, 1.5)
    assert np.allclose(unseen, general)


def test_bits_against_the_cross_entropy_of_optax():
    import optax

    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(27), size=40)
    sample = "".join(letters.LETTERS[k] for k in rng.integers(27, size=40))
    nats = optax.softmax_cross_entropy(np.log(p), letters.ONE_HOT[letters.numbers(sample)]).mean()
    assert letters.bits(p, sample) == pytest.approx(float(nats) / np.log(2), rel=1e-5)
    assert letters.bits(np.full((40, 27), 1 / 27), sample) == pytest.approx(np.log2(27))


def test_what_is_drawn_follows_the_shares_and_the_temperature():
    shares = np.zeros(27)
    shares[1:3] = 0.8, 0.2
    for temperature, wanted in ((1, 0.8), (0.5, 0.64 / 0.68), (2, 0.8**0.5 / (0.8**0.5 + 0.2**0.5))):
        sample = letters.drawn(lambda _: shares, "x", 4000, temperature, seed=2)
        assert (sample[0], len(sample), set(sample[1:])) == ("x", 4001, {"a", "b"})
        assert sample.count("a") / 4000 == pytest.approx(wanted, abs=0.025)
    table = letters.count("abcabcabc")
    assert letters.drawn(letters.counter(table, 3, 1e-9)(), "ab", 10) == "abcabcabcabc"


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_a_guesser_by_counts_gives_the_blended_shares(n):
    learn = letters.parts()[0][:3000]
    table = letters.count(learn)
    feed = letters.counter(table, n, 2)()
    for end in range(1, 40):
        wanted = letters.blended(letters.followers(table, learn[:end]), n, 2)
        assert np.allclose(feed(learn[end - 1]), wanted, rtol=1e-12)


def test_copied_against_every_run():
    rng = np.random.default_rng(0)
    for _ in range(20):
        source, sample = ("".join(rng.choice(list("ab "), size=size)) for size in (60, 25))
        wanted = [max(b for b in range(26 - a) if sample[a : a + b] in source) for a in range(25)]
        assert letters.copied(sample, source).tolist() == wanted
    assert letters.copied("zcat", "a cat").tolist() == [0, 3, 2, 1]
