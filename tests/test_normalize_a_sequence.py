"""The page "Normalize a sequence": its functions against theory and Keras; its stored table, complete, true today."""

import numpy as np
import pytest
import stored_normalized as stored
from reference import keras  # with JAX, in float64
from stored_results import code_hash

import nnlib as nn
from tools import notebooks

PAGE = notebooks.ROOT / "chapters" / "7-sequences" / "03-normalize-a-sequence.ipynb"


@pytest.fixture(scope="module")
def page():
    """Return the functions that the page defines."""
    space = {"np": np, "nn": nn}
    for cell in notebooks.load(PAGE)["cells"]:
        if cell["id"] in ("correlation", "ways", "one-step"):
            exec(notebooks.text_of(cell["source"]), space)
    return space


def test_autocorrelation_is_the_sum_that_the_formula_says(page):
    x = np.random.default_rng(0).standard_normal(20).cumsum()
    m = sum(x) / 20
    for lag in (1, 3):
        products = sum((x[t] - m) * (x[t - lag] - m) for t in range(lag, 20))
        assert page["autocorrelation"](x, lag) == pytest.approx(products / sum((part - m) ** 2 for part in x))
    long = page["series"]("echo", 0, count=1, steps=20_000)[0]
    assert page["autocorrelation"](long, 2) == pytest.approx(np.corrcoef(long[2:], long[:-2])[0, 1], abs=0.002)
    assert page["autocorrelation"](long, 2) == pytest.approx(0.8**2, abs=0.03)


def test_what_each_way_does_to_noise_and_echo_is_what_theory_says(page):
    noise, echo = (page["series"](kind, 1, count=100, steps=5000) for kind in ("noise", "echo"))
    r = page["autocorrelation"]
    for momentum in (0.5, 0.9):  # r_k = -(1 - m) m^(k-1) / 2
        for lag in (1, 3):
            wanted = -(1 - momentum) * momentum ** (lag - 1) / 2
            assert r(page["following"](noise, momentum), lag).mean() == pytest.approx(wanted, abs=0.004)
    assert r(page["per_step"](echo, 2)).mean() == pytest.approx(2 / np.pi * np.arcsin(0.8), abs=0.004)
    assert r(page["per_block"](noise)).mean() == pytest.approx(
        -1 / 20, abs=0.004
    )  # inside a block -1/19, 19 of 20 pairs


def test_keras_shares_one_mean_among_all_steps_too(page):
    x = np.random.default_rng(0).standard_normal((6, 30, 3)).cumsum(axis=1)
    theirs = np.array(keras.layers.BatchNormalization(epsilon=1e-5)(x, training=True))
    layer = nn.BatchNorm()
    nn.Sequential([layer]).build((30, 3))
    assert np.allclose(layer.forward(x, training=True), theirs, atol=1e-10)
    r = page["autocorrelation"]
    assert np.allclose(r(np.moveaxis(theirs, 1, 2)), r(np.moveaxis(x, 1, 2)), atol=1e-10)
    theirs = np.array(keras.layers.LayerNormalization(epsilon=1e-5)(x))
    assert np.allclose(page["normalized"](x), theirs, atol=1e-10)


def test_the_stored_table_was_made_by_this_code_and_is_complete():
    assert stored.made()["code"] == code_hash(*stored.CODE)
    table = stored.stored()
    grid = [stored.KINDS, stored.BATCHES, stored.RATES, stored.SEEDS]
    assert len(table) == np.prod([len(part) for part in grid])
    assert not table.duplicated(["kind", "batch", "rate", "seed"]).any()
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)


@pytest.mark.parametrize(("kind", "batch", "rate"), [("none", 8, 0.01), ("batch", 2, 0.01), ("layer", 8, 0.01)])
def test_the_stored_networks_are_what_the_library_computes_today(kind, batch, rate):
    """The page would speak of networks that nobody gets any more."""
    found = stored.run(kind, batch, rate, 3)
    table = stored.stored().query(f"kind == '{kind}' and batch == {batch} and rate == {rate} and seed == 3")
    for part, value in found.items():
        # rounding differs from one processor to another, and 300 steps make more of it
        assert value == pytest.approx(table[part].item(), abs=0.05), part


def test_a_network_for_longer_sequences_is_the_same_network():
    model = stored.network("layer", 4, 7)
    longer = stored.network("layer", 9, 0)
    longer.set_weights(model.get_weights())
    X = np.random.default_rng(0).standard_normal((3, 5, 1))
    assert np.array_equal(longer.forward(X), model.forward(X))


def test_no_set_shares_a_sequence():
    from nnlib.course import datasets

    first = [datasets.first_sign(50, 15, seed=stored.draw(3, purpose))[0][:, 1, 0] for purpose in range(3)]
    assert len(np.unique(np.concatenate(first))) == 150
