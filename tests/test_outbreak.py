"""The outbreak: it obeys its theory and its laws as they are written down, and tells what was done to its table."""

import importlib

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from nnlib.course import datasets
from nnlib.course.datasets import epidemic, mess
from nnlib.course.datasets.epidemic import final_size, growth_rate, reproduction_number, seir

outbreak = importlib.import_module("nnlib.course.datasets.outbreak")  # the package has its function by this name
SEEDS = range(20)
BEFORE = ["region", "province", "x", "y", "population", "density", "age", "beds", "temperature", "humidity", "measures"]


@pytest.fixture(scope="module")
def worlds():
    return [datasets.outbreak(seed=seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def world(worlds):
    return worlds[0]


def design(table):
    """Return what log R is a sum of: a one, the standard units, provinces and measures without their first."""
    columns = [np.ones(len(table)), *datasets.standard_units(table).to_numpy().T]
    columns += [(table["province"] == name).to_numpy(float) for name in outbreak.PROVINCES[1:]]
    columns += [(table["measures"] == name).to_numpy(float) for name in outbreak.MEASURES[1:]]
    return np.column_stack(columns)


def slopes(table, log_R):
    return np.linalg.lstsq(design(table), np.asarray(log_R), rcond=None)[0]


# --- the epidemic against theory ------------------------------------------------------------------------------------


def by_hand(R, days, start=0, immune=0.0):
    """Return (S, E, I, recovered) of each day, with plain numbers and a loop."""
    r = growth_rate(R * (1 - immune))
    exposed = (r + 1 / 6) / (r + 1 / 6 + 1 / 4)
    S, E, I, recovered, found = 1 - immune, 0.0, 0.0, immune, []
    for day in range(days):
        if day == start:
            S, E, I = S - 1e-3, E + 1e-3 * exposed, I + 1e-3 * (1 - exposed)
        found.append((S, E, I, recovered))
        infected = S * (1 - 2.718281828459045 ** (-R / 6 * I))
        S, E, I, recovered = S - infected, E + infected - E / 4, I + E / 4 - I / 6, recovered + I / 6
    return np.array(found)


@pytest.mark.parametrize(("R", "start", "immune"), [(0.5, 0, 0.0), (2.0, 0, 0.0), (3.5, 7, 0.0), (2.5, 3, 0.3)])
def test_the_epidemic_is_that_of_a_plain_loop(R, start, immune):
    course = seir(R, days=120, start=start, immune=immune)
    assert np.allclose(np.stack(course[:4], axis=1), by_hand(R, 120, start, immune), rtol=0, atol=1e-13)
    assert np.array_equal(course.onsets, course.E / 4)


def test_many_regions_run_as_each_alone():
    R, start, immune = np.array([0.7, 2.0, 4.0]), np.array([0, 5, 20]), np.array([0.0, 0.1, 0.4])
    together = seir(R, days=90, start=start, immune=immune)
    for k in range(3):
        alone = seir(R[k], days=90, start=int(start[k]), immune=immune[k])
        for part, whole in zip(alone, together, strict=True):
            assert np.array_equal(part, whole[:, k])
    daily = seir(np.broadcast_to(R, (90, 3)), days=90, start=start, immune=immune)
    assert all(np.array_equal(a, b) for a, b in zip(daily, together, strict=True))


def test_nobody_is_lost_and_no_share_is_negative():
    R = np.geomspace(0.05, 30, 60)
    course = seir(R, days=500, seeded=0.02, immune=np.linspace(0, 0.9, 60))
    assert np.allclose(course.S + course.E + course.I + course.R, 1, rtol=0, atol=1e-12)
    assert all((part >= 0).all() for part in course)
    assert (np.diff(course.S, axis=0) <= 0).all()
    assert (np.diff(course.R, axis=0) >= 0).all()


@pytest.mark.parametrize("R", [0.3, 0.9, 1.1, 1.5, 2.0, 3.0, 6.0])
@pytest.mark.parametrize(("seeded", "immune"), [(1e-3, 0.0), (0.05, 0.0), (1e-3, 0.3), (0.0, 0.2)])
def test_the_final_size_solves_its_equation_and_ends_the_simulation(R, seeded, immune):
    def off(z):
        return 1 - immune - z - (1 - immune - seeded) * np.exp(-R * z)

    above_threshold = R * (1 - immune) > 1
    z = brentq(off, 1e-6, 1 - immune, xtol=1e-14) if seeded or above_threshold else 0.0
    found = final_size(R, seeded=seeded, immune=immune)
    assert abs(found - z) < 1e-9
    if seeded:
        course = seir(R, days=6000, seeded=seeded, immune=immune)
        assert abs(1 - immune - course.S[-1] - found) < 1e-9


def test_the_final_size_at_the_edges():
    """At the threshold two roots meet, and Newton's step would divide by zero."""
    with np.errstate(all="raise", under="ignore"):
        for R in (1.0, 1 - 1e-9, 1 + 1e-9, 0.0, 0.999):
            assert 0 <= final_size(R, seeded=0) < 1e-7
        assert final_size(2.0, seeded=0, immune=0.5) == pytest.approx(0, abs=1e-8)
        assert final_size(5.0, seeded=0, immune=1) == 0
        assert final_size(5.0, seeded=1) == 1
        assert final_size(0.0, seeded=0.25) == 0.25
        assert final_size(1e6) == 1.0
        assert final_size(2.0, seeded=0.1, immune=0.9) == pytest.approx(0.1)
    both = final_size([1.0, 2.0, 3.0], seeded=[[0.0], [1e-3]])
    assert both.shape == (2, 3)
    assert isinstance(final_size(2.0), float)


@pytest.mark.parametrize("R", [0.2, 0.8, 1.0, 1.4, 2.0, 5.0])
def test_the_first_days_grow_as_stated_and_give_R_back(R):
    course = seir(R, days=12, seeded=1e-9)
    growth = course.I[1:] / course.I[:-1] - 1
    assert growth == pytest.approx(np.full(11, growth_rate(R)), abs=1e-7)
    assert reproduction_number(growth[0]) == pytest.approx(R, abs=1e-6)
    assert reproduction_number(growth_rate(R)) == pytest.approx(R, rel=1e-13)
    other = seir(R, days=2, seeded=1e-9, latent=2.0, infectious=10.0).onsets
    assert reproduction_number(other[1] / other[0] - 1, latent=2, infectious=10) == pytest.approx(R, abs=1e-6)


def test_growth_by_hand():
    assert growth_rate(2.0) == pytest.approx(1 / 12, rel=1e-14)  # (1 + 4/12)(1 + 6/12) = 2
    assert growth_rate(1.0) == 0
    assert growth_rate(0.0) == pytest.approx(-1 / 6)  # nobody new: the infectious recover
    assert reproduction_number([0.0, 1 / 12]) == pytest.approx([1, 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: seir(-1), "reproduction must be finite numbers of at least 0; got -1"),
        (lambda: seir("fast"), "reproduction must be finite numbers of at least 0; got 'fast'"),
        (lambda: seir(np.inf), "reproduction must be finite"),
        (lambda: seir(np.ones((5, 2)), days=6), r"reproduction must have shape .* \(6, regions\); got \(5, 2\)"),
        (lambda: seir(2, days=0), "days must be a positive integer; got 0"),
        (lambda: seir(2, days=1.5), "days must be a positive integer; got 1.5"),
        (lambda: seir(2, latent=0.5), r"latent must be a finite number in \[1, inf\]; got 0.5"),
        (lambda: seir(2, infectious=True), "infectious must be a finite number"),
        (lambda: seir(2, seeded=1.1), "seeded must be a share from 0 to 1; got 1.1"),
        (lambda: seir(2, immune=-0.1), "immune must be a share from 0 to 1; got -0.1"),
        (lambda: seir(2, immune=0.8, seeded=0.3), "seeded and immune must not be more than 1 together"),
        (lambda: seir(2, start=-1), "start must be whole days, counted from 0"),
        (lambda: seir(2, start=1.5), "start must be whole days, counted from 0"),
        (lambda: growth_rate(np.nan), "reproduction must be finite"),
        (lambda: growth_rate(2, latent=0), "latent must be a finite number"),
        (lambda: reproduction_number(0.1, infectious=0), "infectious must be a finite number"),
        (lambda: final_size(-0.1), "reproduction must be finite"),
        (lambda: final_size(2, seeded=np.nan), "seeded must be a share from 0 to 1; got nan"),
        (lambda: final_size(2, seeded=0.6, immune=0.6), "seeded and immune must not be more than 1 together"),
        (lambda: datasets.outbreak(29), "regions must be at least 30; got 29"),
        (lambda: datasets.outbreak(40.0), "regions must be a positive integer; got 40.0"),
        (lambda: datasets.outbreak(seed=-1), "seed must be .*; got -1"),
        (lambda: datasets.outbreak(seed="a"), "seed must be .*; got 'a'"),
        (lambda: datasets.outbreak(wave=3), "wave must be 1 or 2; got 3"),
        (lambda: datasets.outbreak(effects={"wind": 1}), "effects must be of density, .*, humidity; got 'wind'"),
        (lambda: datasets.outbreak(effects={"age": "old"}), "age must be a finite number in .*; got 'old'"),
        (lambda: datasets.outbreak(link=1.6), r"link must be a finite number in \[0, 1.5\]; got 1.6"),
        (lambda: datasets.outbreak(noise=-0.1), "noise must be a finite number in .*; got -0.1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- the laws -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wave", [1, 2])
def test_without_noise_the_laws_come_back_to_the_last_digit(wave):
    quiet = datasets.outbreak(seed=3, wave=wave, noise=0)
    law = outbreak.EFFECTS if wave == 1 else outbreak.SECOND_WAVE
    found = slopes(quiet.table, quiet.truth["log_R"] - np.log1p(-quiet.immune))
    by_province = [outbreak.BY_PROVINCE[p] - outbreak.BY_PROVINCE["Arden"] for p in outbreak.PROVINCES[1:]]
    base = (outbreak.BASE, outbreak.SECOND_BASE)[wave - 1] + outbreak.BY_PROVINCE["Arden"]
    assert found == pytest.approx([base, *law.values(), *by_province, -0.08, -0.22], abs=1e-10)
    assert quiet.effects == law
    assert np.array_equal(quiet.truth["log_R"], quiet.truth["expected"])


def test_reports_without_end_or_chance_give_the_true_R(world, monkeypatch):
    """The estimate sees every case of a small and slow beginning, so growth is what theory says."""
    monkeypatch.setattr(outbreak, "_reports", lambda onsets, start, rng: 1e6 * onsets)
    R = np.exp(world.truth["log_R"].to_numpy())
    since = seir(R, days=outbreak.WINDOW, seeded=1e-8).onsets * 1e12
    assert outbreak._estimate(since) == pytest.approx(R, rel=1e-4)
    clear = datasets.outbreak(seed=0, noise=0)
    off = np.log(clear.table["R"]) - clear.truth["log_R"]
    assert -0.025 < off.mean() < 0  # fewer susceptible towards the end of the three weeks
    assert off.std() < 0.03
    assert slopes(clear.table, np.log(clear.table["R"]))[1:6] == pytest.approx([*outbreak.EFFECTS.values()], abs=0.015)


def test_over_seeds_the_table_shows_the_laws_within_its_error(worlds):
    found = np.array([slopes(w.table, np.log(w.table["R"]))[1:6] for w in worlds])
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - [*outbreak.EFFECTS.values()]) < 4 * error + 0.005).all()
    assert (np.abs(found[:, 3:]) < 0.05).all()  # the climate: nothing


def test_an_effect_of_the_readers_own_is_what_it_adds():
    before, after = datasets.outbreak(seed=1), datasets.outbreak(seed=1, effects={"temperature": 0.1})
    added = after.truth["log_R"] - before.truth["log_R"]
    assert np.allclose(added, 0.1 * datasets.standard_units(before.table)["temperature"], rtol=0, atol=1e-12)
    assert after.effects == outbreak.EFFECTS | {"temperature": 0.1}
    assert outbreak.EFFECTS["temperature"] == 0
    change = slopes(after.table, np.log(after.table["R"])) - slopes(before.table, np.log(before.table["R"]))
    assert change[4] == pytest.approx(0.1, abs=0.03)


def test_without_the_link_beds_know_nothing_of_density():
    def together(link):
        tables = [datasets.outbreak(seed=seed, link=link).table for seed in SEEDS]
        return np.mean([np.corrcoef(np.log(t["beds"]), np.log(t["density"]))[0, 1] for t in tables])

    assert abs(together(0.0)) < 0.03
    assert together(0.5) > 0.2
    assert together(1.5) > together(1.0) > 0.5
    spread = [np.log(datasets.outbreak(seed=0, link=link).table["beds"]).std() for link in (0.0, 1.0, 1.5)]
    assert max(spread) < 1.3 * min(spread)


def test_noise_is_as_large_as_stated(worlds):
    left = np.array([w.truth["log_R"] - w.truth["expected"] for w in worlds])
    assert left.std() == pytest.approx(outbreak.NOISE, abs=0.003)
    assert worlds[0].noise == outbreak.NOISE
    assert np.std(datasets.outbreak(noise=0.3).truth.eval("log_R - expected")) == pytest.approx(0.3, abs=0.03)


def test_reports_are_a_share_of_the_cases_with_weekends_and_chance(worlds):
    reported, cases = (sum(getattr(w, name) for w in worlds) for name in ("reports", "onsets"))
    later = slice(14, None)  # when there are many
    share = reported[later].sum(axis=1) / cases[later].sum(axis=1)
    weekend = np.arange(outbreak.DAYS) % 7 >= 5
    assert reported.sum() / cases.sum() == pytest.approx(outbreak.REPORTED, abs=0.005)
    assert np.median(share[weekend[later]]) / np.median(share[~weekend[later]]) == pytest.approx(0.7 / 1.12, rel=0.02)
    one = worlds[0]
    busy = one.onsets > 100
    mean = outbreak.REPORTED * np.where(weekend, 0.7, 1.12)[:, None] * one.onsets
    spread = ((one.reports - mean) ** 2)[busy].sum() / (mean + mean**2 / 20)[busy].sum()
    assert spread == pytest.approx(1, abs=0.05)  # Poisson's, and that of a gamma of shape 20


def test_the_table_counts_from_each_regions_own_first_day(world):
    table = world.table
    first = (table["first_case"] - pd.Timestamp("2032-03-01")).dt.days
    assert np.array_equal(first, world.start)
    for row in (0, 99, 399):
        begin = world.start[row]
        assert world.onsets[:begin, row].sum() == 0 < world.onsets[begin, row]
        cases = world.reports[begin : begin + 56, row].sum() / table["population"][row] * 1e5
        assert table["cases"][row] == round(cases)
    assert len(table) == world.reports.shape[1] == 400
    assert world.reports.shape == world.onsets.shape == (240, 400)
    assert table["region"].is_unique
    assert not table.isna().any().any()


def test_truth_says_what_it_says_it_does(world):
    truth, people = world.truth, world.table["population"]
    onset_and_waiting = world.onsets.sum(axis=0) / people
    # the seeded in E and I do not all fall ill within the record
    assert truth["final_size"].to_numpy() == pytest.approx(onset_and_waiting.to_numpy(), abs=0.02)
    assert truth["kind"].value_counts().to_dict() == {"city": 120, "town": 160, "remote": 120}
    assert (truth["belt"] == "none").equals(truth["kind"] == "remote")
    ill = 0.02 * np.exp((world.table["age"] - 41) / 9)
    row = 7
    in_bed = np.convolve(world.onsets[:, row], np.ones(10)) * ill[row]
    beds = world.table["beds"][row] / 1000 * people[row]
    assert truth["need"][row] == pytest.approx(in_bed.max() / beds)


# --- seeds and waves ------------------------------------------------------------------------------------------------


def test_a_seed_is_a_country_and_other_seeds_are_others(world):
    again = datasets.outbreak(seed=0)
    assert again.table.equals(world.table)
    assert again.truth.equals(world.truth)
    assert np.array_equal(again.reports, world.reports)
    assert not datasets.outbreak(seed=1).table["R"].equals(world.table["R"])
    assert len(datasets.outbreak(30).table) == 30


@pytest.mark.parametrize("seed", [0, 7])
def test_the_second_wave_meets_the_same_country(seed):
    first, second = (datasets.outbreak(seed=seed, wave=wave) for wave in (1, 2))
    assert second.table[BEFORE].equals(first.table[BEFORE])
    assert second.truth[["kind", "belt"]].equals(first.truth[["kind", "belt"]])
    assert np.array_equal(second.immune, 0.6 * first.truth["final_size"])
    assert not first.immune.any()
    assert second.table["first_case"].min() >= pd.Timestamp("2032-11-01")
    assert np.corrcoef(second.start - first.start, first.start)[0, 1] < 0.2  # chance of its own
    left = (second.truth["log_R"] - second.truth["expected"]).to_numpy()
    assert abs(np.corrcoef(left, first.truth["log_R"] - first.truth["expected"])[0, 1]) < 0.2


def test_standard_units_are_about_0_and_1_and_keep_gaps(worlds):
    units = pd.concat([datasets.standard_units(w.table) for w in worlds])
    assert (units.mean().abs() < 0.15).all()
    assert units.std().between(0.8, 1.2).all()
    assert list(units) == list(outbreak.EFFECTS)
    table = worlds[0].table.copy()
    table.loc[3, "beds"] = np.nan
    assert np.isnan(datasets.standard_units(table).loc[3, "beds"])
    table = pd.DataFrame({"density": [380.0], "age": [45.5], "beds": [4.0], "temperature": [13.8], "humidity": [77.0]})
    assert datasets.standard_units(table).loc[0].tolist() == pytest.approx([0, 1, 0, -1, 1])


# --- a roll-out -----------------------------------------------------------------------------------------------------


def test_a_roll_out_without_effect_changes_not_a_bit(worlds):
    for world in worlds[:5]:
        for week in (0, 12, 33):
            done, undone = datasets.rollout(world, week, 0)
            assert np.array_equal(done, undone)
            assert np.array_equal(undone, world.onsets.sum(axis=1))
    second = datasets.outbreak(seed=1, wave=2)
    done, undone = datasets.rollout(second, 5, 0)
    assert done == pytest.approx(undone, rel=1e-9)


def test_a_roll_out_that_prevents_all_ends_the_epidemic(world):
    done, undone = datasets.rollout(world, 10, 1)
    assert np.array_equal(done[:71], undone[:71])  # who is infected before day 70 falls ill later
    assert done[72] < undone[72]
    assert done[110:].max() < 0.001 * undone.max()


def test_a_stronger_roll_out_prevents_more_and_a_later_one_less(world):
    cases = [[datasets.rollout(world, week, effect)[0].sum() for effect in (0.1, 0.3, 0.6)] for week in (4, 10, 16)]
    assert (np.diff(cases, axis=1) < 0).all()
    assert (np.diff(cases, axis=0) > 0).all()


@pytest.mark.parametrize(
    ("week", "effect", "message"),
    [
        (-1, 0.1, "week must be a whole number from 0 to 33; got -1"),
        (34, 0.1, "week must be a whole number from 0 to 33; got 34"),
        (2.0, 0.1, "week must be a whole number from 0 to 33; got 2.0"),
        (True, 0.1, "week must be a whole number from 0 to 33; got True"),
        (2, 1.1, r"effect must be a finite number in \[0, 1\]; got 1.1"),
        (2, "half", r"effect must be a finite number in \[0, 1\]; got 'half'"),
    ],
)
def test_a_roll_out_names_what_is_wrong(world, week, effect, message):
    with pytest.raises(ValueError, match=message):
        datasets.rollout(world, week, effect)


# --- gaps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "beds", "density", "R"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_as_many_values_are_missing_as_asked_and_only_there(world, by, share):
    kept = world.table.copy()
    holed = [datasets.make_missing(world.table, share=share, by=by, seed=seed) for seed in SEEDS]
    assert np.mean([h["density"].isna().mean() for h in holed]) == pytest.approx(share, abs=0.015)
    assert world.table.equals(kept)
    for h in holed:
        there = h["density"].notna()
        assert h.loc[there, "density"].equals(world.table.loc[there, "density"])
        assert h.drop(columns="density").equals(world.table.drop(columns="density"))
    assert holed[0].equals(datasets.make_missing(world.table, share=share, by=by, seed=0))
    assert not holed[0].equals(holed[1])


def test_what_is_missing_depends_on_the_reason_and_on_nothing_else(world):
    table = world.table
    chance = np.random.default_rng(0).permutation(len(table)).astype(float)
    table = table.assign(chance=chance)

    def missing(**how):
        return np.mean([datasets.make_missing(table, seed=s, **how)["density"].isna() for s in range(60)], axis=0)

    for reason in ("beds", "R", "density"):
        often = missing(by=reason, share=0.3)
        assert np.corrcoef(often, table[reason].rank())[0, 1] > 0.85
        rarely = missing(by=reason, share=0.3, strength=-3.0)
        assert np.corrcoef(rarely, table[reason].rank())[0, 1] < -0.85
    by_chance = missing(by="chance", share=0.3)
    for other in ("beds", "R", "density"):
        assert abs(np.corrcoef(by_chance, table[other].rank())[0, 1]) < 0.15
        assert abs(np.corrcoef(missing(share=0.3), table[other].rank())[0, 1]) < 0.2
        assert abs(np.corrcoef(missing(share=0.3, by=other, strength=0), table[other].rank())[0, 1]) < 0.2


def test_the_probability_of_a_gap_is_that_of_the_docstring(world):
    """At the median rank, at the lowest and at the highest."""
    z = np.sort(_normal_scores(len(world.table)))
    a = brentq(lambda a: np.mean(1 / (1 + np.exp(-(a + 3 * z)))) - 0.3, -50, 50)
    expected = 1 / (1 + np.exp(-(a + 3 * z)))
    order = np.argsort(world.table["R"].rank(method="first").to_numpy())
    gaps = [datasets.make_missing(world.table, by="R", seed=s)["density"].isna().to_numpy()[order] for s in range(400)]
    found = np.mean(gaps, axis=0).reshape(20, 20).mean(axis=1)
    assert found == pytest.approx(expected.reshape(20, 20).mean(axis=1), abs=0.025)


def _normal_scores(count):
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf((k + 0.5) / count) for k in range(count)])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"column": "wind"}, "column must be a column of the table; got 'wind'"),
        ({"column": "province"}, "column must hold numbers; 'province' holds"),
        ({"by": "wind"}, "by must be a column of the table; got 'wind'"),
        ({"by": "measures"}, "by must hold numbers; 'measures' holds"),
        ({"by": "age"}, "by must be a column without gaps; 'age' has 1"),
        ({"share": 0}, r"share must be a finite number in \(0, 1\); got 0"),
        ({"share": True}, r"share must be a finite number in \(0, 1\); got True"),
        ({"strength": np.inf}, "strength must be a finite number"),
        ({"seed": 1.5}, "seed must be .*; got 1.5"),
    ],
)
def test_gaps_that_cannot_be_made_are_refused(world, how, message):
    table = world.table.assign(age=world.table["age"].where(world.table.index != 4))
    with pytest.raises(ValueError, match=message):
        datasets.make_missing(table, **how)


# --- errors ---------------------------------------------------------------------------------------------------------


def as_text(value):
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("each", [0, 1, 8, 20])
def test_the_list_of_errors_is_all_that_differs(world, each, seed):
    kept = world.table.copy()
    messy, errors = datasets.make_errors(world.table, each=each, seed=seed)
    assert world.table.equals(kept)
    assert errors["kind"].value_counts().to_dict() == (dict.fromkeys(mess.ERRORS, each) if each else {})
    assert errors["row"].is_unique
    assert len(messy) == len(world.table) + each
    assert list(messy.index) == list(range(len(messy)))
    clean = world.table.set_index("region")
    listed = errors.set_index("row")
    for row, line in messy.iterrows():
        true = clean.loc[line["region"].item() if hasattr(line["region"], "item") else line["region"]]
        differs = [
            name for name in clean.columns
            if (as_text(true[name]) != line[name] if name == "first_case" else true[name] != line[name])
        ]  # fmt: skip
        if row not in listed.index:
            assert differs == []
            continue
        error = listed.loc[row]
        assert error["region"] == line["region"]
        if error["kind"] == "duplicate":
            assert differs == ["cases"]
            assert line["cases"] > true["cases"]
            assert row >= len(world.table)
            assert error["column"] == ""
        else:
            assert differs == [error["column"]]
            assert str(line[error["column"]]) == error["written"]
            was = as_text(true[error["column"]])
            assert error["true"] in (was, str(float(was)) if was.isdigit() else was)


def test_rows_are_shuffled_and_a_seed_repeats(world):
    messy, errors = datasets.make_errors(world.table, seed=4)
    again, listed = datasets.make_errors(world.table, seed=4)
    assert messy.equals(again)
    assert errors.equals(listed)
    assert not messy["region"].head(20).equals(world.table["region"].head(20))
    assert not messy.equals(datasets.make_errors(world.table, seed=5)[0])


def test_errors_are_of_the_kinds_described(world):
    messy, errors = datasets.make_errors(world.table, each=40, seed=0)
    by_kind = {kind: part for kind, part in errors.groupby("kind")}
    units = by_kind["unit"]
    assert units["column"].value_counts().to_dict() == dict.fromkeys(("temperature", "beds", "humidity", "density"), 10)
    slips = {  # the units written out again: a wrong factor in the module would agree with itself
        "temperature": lambda celsius: 32 + 1.8 * celsius,
        "beds": lambda per_thousand: 100 * per_thousand,
        "humidity": lambda percent: percent / 100,
        "density": lambda per_km: per_km * 1.609**2,
    }
    for column, change in slips.items():
        for _, line in units[units["column"] == column].iterrows():
            assert float(line["written"]) == pytest.approx(change(float(line["true"])), rel=0.001, abs=0.006)
    decimal = by_kind["decimal"]
    ratio = decimal["written"].astype(float) / decimal["true"].astype(float)
    high, low = (ratio / 10 - 1).abs().lt(0.01), (ratio * 10 - 1).abs().lt(0.05)
    assert (high | low).all()
    assert 20 <= high.sum() <= 34  # seven in ten
    assert set(decimal["column"]) == {"age", "cases", "density"}
    for _, line in by_kind["typo"].iterrows():
        assert line["written"] != line["true"]
        assert sorted(line["written"].strip().lower()) == sorted(line["true"].lower())
        assert line["written"] not in (*outbreak.PROVINCES, *outbreak.MEASURES)
    for _, line in by_kind["date"].iterrows():
        year, month, day = line["true"].split("-")
        wrong = {f"{year}-02-30", f"{int(year) - 100}-{month}-{day}", f"{int(year) + 2}-{month}-{day}"}
        assert line["written"] in wrong | ({f"{year}-{day}-{month}"} if int(day) > 12 else set())
    dates = pd.to_datetime(by_kind["date"]["written"], errors="coerce", format="%Y-%m-%d")
    plausible = dates.between("2032-03-01", "2032-10-31")
    assert not plausible.any()
    assert 15 <= dates.isna().sum() <= 25  # 30 February, and a month above 12
    assert messy.groupby("region").size().value_counts().to_dict() == {1: 360, 2: 40}


@pytest.mark.parametrize("seed", range(10))
def test_letters_that_change_places_are_two_different_ones(seed):
    for word in ("Hallam", "Delmar", "none"):
        written = mess._misspell(word, 2, np.random.default_rng(seed))
        assert written != word
        assert sorted(written) == sorted(word)


@pytest.mark.parametrize(
    ("change", "each", "message"),
    [
        (lambda t: t, -1, "each must be a whole number from 0 to 80 for 400 rows; got -1"),
        (lambda t: t, 81, "each must be a whole number from 0 to 80 for 400 rows; got 81"),
        (lambda t: t, 2.0, "each must be a whole number from 0 to 80 for 400 rows; got 2.0"),
        (lambda t: t.drop(columns="age"), 2, r"table must be one of outbreak\(\), dates included; 'age' is not"),
        (lambda t: t.astype({"first_case": str}), 2, "dates included; 'first_case' is not"),
    ],
)
def test_errors_that_cannot_be_made_are_refused(world, change, each, message):
    with pytest.raises(ValueError, match=message):
        datasets.make_errors(change(world.table), each=each)


def test_constants_of_the_story_are_those_of_the_pages():
    assert (epidemic.LATENT, epidemic.INFECTIOUS, outbreak.REPORTED, outbreak.WINDOW) == (4, 6, 0.4, 21)
