"""The stored tables of the page "Ask the doctors": complete, made by this code, true today."""

import functools

import numpy as np
import pytest
import stored_doctors
from stored_results import code_hash

from nnlib.course import datasets

KEYS = ["measure", "reader", "by", "clinic"]


@functools.cache
def table():
    return stored_doctors.stored("doctors")


@functools.cache
def here(seed=0, n=stored_doctors.TEST):
    return datasets.tissue(n, seed=1000 + seed)


@pytest.mark.parametrize("name", ["doctors", "doctors_answers"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored_doctors.made(name)["code"] == code_hash(*stored_doctors.CODE)


def test_the_stored_tables_are_complete():
    assert (table().groupby(KEYS).seed.nunique() == len(stored_doctors.SEEDS)).all()
    assert not table().duplicated([*KEYS, "seed"]).any()
    assert table().value.between(0, 1).all()
    answers = stored_doctors.stored("doctors_answers")
    assert answers.shape == (1000, 2)
    assert answers.gt(0).all(axis=None)
    assert answers.lt(1).all(axis=None)


def test_what_needs_no_training_is_computed_again():
    """Doctors, panels and all that is counted of them; the network's part comes from the stored answers."""
    world = here()
    said, truth = stored_doctors.doctors(world, 1000), world.truth[:, 0]
    flat = np.linspace(0.001, 0.999, len(truth))
    found = stored_doctors.compared(said, truth, {"A": flat, "B": flat}, flat, 0.5)
    first = table().query("seed == 0").set_index(KEYS).value
    again = {
        tuple(key.split("|")): value
        for key, value in found.items()
        if not {"network", "pupil", "unsure", "alone"} & set(key.replace("|", " ").split())
    }
    assert len(again) > 60
    for key, value in again.items():
        assert value == pytest.approx(first[key], abs=1e-5), key


def test_the_stored_answers_are_those_of_the_stored_measures():
    """The first 1,000 pictures of seed 0: within three standard errors of all 2,000."""
    p, truth = stored_doctors.stored("doctors_answers"), here().truth[:1000, 0]
    for clinic in "AB":
        right = np.mean((p[clinic] >= 0.5) == truth)
        row = table().query(
            f"seed == 0 and measure == 'right' and reader == 'network' and by == 'truth' and clinic == '{clinic}'"
        )
        assert right == pytest.approx(row.value.item(), abs=0.03)


@pytest.mark.parametrize("seed", [7])
def test_a_training_begins_as_the_stored_ones_did(seed):
    """An epoch of thirty; a whole training would take too long here."""
    world = datasets.tissue(stored_doctors.LEARN, seed=seed)
    X = stored_doctors.standardized(world.X, world.X)
    young = stored_doctors.trained(X, world.truth, seed, epochs=(1, 0))
    test = stored_doctors.standardized(here(seed, 200).X, world.X)
    row = table().query(f"seed == {seed} and measure == 'after an epoch'")
    assert young.predict(test).mean() == pytest.approx(row.value.item(), rel=0.02)


def test_doctors_have_the_rates_that_the_page_gives_them():
    for name, rates in stored_doctors.DOCTORS.items():
        for measure, rate in zip(("sensitivity", "specificity"), rates, strict=True):
            rows = table().query(f"measure == '{measure}' and reader == '{name}' and by == 'truth'")
            assert rows.value.mean() == pytest.approx(rate, abs=0.015), name


def test_a_moved_threshold_is_the_rule_on_moved_probabilities():
    p = np.linspace(0.01, 0.99, 99)
    for prevalence in stored_doctors.PREVALENCES:
        there = stored_doctors.moved_probability(p, prevalence)
        by_rule = there >= 1 / (1 + stored_doctors.MISSED)
        assert np.array_equal(p >= stored_doctors.moved(prevalence), by_rule)
    assert stored_doctors.moved_probability(np.array([0.9]), 0.02)[0] == pytest.approx(0.18367 / 1.18367, rel=1e-4)
    assert np.allclose(stored_doctors.moved_probability(p, 0.5), p)


def test_the_curve_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 500)
    p = np.clip(0.3 * truth + rng.random(500) * 0.7, 0, 1)
    for rate, sensitivity in zip(stored_doctors.RATES, stored_doctors.curve(p, truth), strict=True):
        allowed = [cut for cut in np.r_[p, 1] if np.mean(p[truth == 0] > cut) <= rate]
        best = 1.0 if rate == 1 else max(np.mean(p[truth == 1] > cut) for cut in allowed)
        assert sensitivity == pytest.approx(best), rate


def test_a_shift_says_as_many_lesions_as_there_are():
    rng = np.random.default_rng(0)
    z, truth = rng.normal(2, 3, 50), rng.integers(0, 2, 50)
    cut = stored_doctors.shifted(1 / (1 + np.exp(-z)), truth)
    b = -np.log(cut / (1 - cut))
    assert np.mean(1 / (1 + np.exp(-z - b))) == pytest.approx(truth.mean(), abs=1e-6)
    assert 0.5 < cut < 1
    assert stored_doctors.shifted(np.array([0.2, 0.8]), np.array([0, 1])) == pytest.approx(0.5)
