"""A hospital's export as it comes, with every trouble that a table can have, and the truth beside it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checks import counter, positive_integer
from .mess import _misspell, make_missing

if TYPE_CHECKING:
    import pandas as pd

HOSPITALS = ("Port", "Hill")
WARDS = ("general", "lung", "heart")
# What adds to the log-odds of coming back. Columns in standard units, see `_units`.
EFFECTS = {
    "base": -2.4,
    "age": 0.4,
    "age·days": -1.8,
    "crp in lung": 1.2,
    "temperature": 0.4,
    "frailty": 0.6,
    "home_care": -0.7,
    "Hill": 0.4,
    "2034": 0.3,
}
FLIPPED = 0.03  # share of the outcomes that are written down wrongly, either way
SHORTER = 0.75  # length of a stay from 2034 on, compared with 2033
STUDY_ENDS = "2034-01-01"


@dataclass(frozen=True)
class Admissions:
    """What :func:`admissions` made: what a team would get, and what it would not.

    Attributes
    ----------
    table : pandas.DataFrame
        The export of 2033, with the outcome; see :func:`admissions`.
    later : pandas.DataFrame
        The export of January to June 2034, without it.
    truth : pandas.DataFrame
        One row for each admission of both, by its number: ``patient``, ``hospital``, ``ward``, ``temperature``
        (°C) as they are; ``later`` (of 2034?), ``frailty`` (of the patient, in no column), ``walk`` (also where it was
        not measured), ``chance`` (that the outcome says "yes", given all of this and the errors in writing it down),
        ``readmitted`` (True or False, as written down).
    effects : dict of str to float
        What each part adds to the log-odds.
    problems : dict of str to int
        How often each trouble was put in, in both exports together.
    """

    table: "pd.DataFrame"
    later: "pd.DataFrame"
    truth: "pd.DataFrame"
    effects: dict[str, float]
    problems: dict[str, int]

    def floor(self, admissions=None):
        """Mean cross-entropy of somebody who knows ``chance``: no model can be expected to do better.

        Parameters
        ----------
        admissions : sequence of str, optional
            Which; all where none are given.
        """
        p = (self.truth if admissions is None else self.truth.loc[list(admissions)])["chance"].to_numpy()
        return float(-np.mean(p * np.log(p) + (1 - p) * np.log(1 - p)))


def admissions(patients=2400, *, seed=0):
    """Simulate who comes back to one of two hospitals within 30 days, and export it as hospitals do.

    A patient has one to four stays between January 2033 and June 2034, all in one hospital. With age, days (as a
    logarithm) and crp (as a logarithm) and temperature in standard units::

        log-odds = base + 0.4·age − 1.8·age·days + 1.2·crp (lung ward only) + 0.4·temperature + 0.6·frailty
                   − 0.7·home_care + 0.4 (Hill) + 0.3 (from 2034 on)

    So the old come back who leave early, and the young who stay long; no sum of columns says that. Frailty belongs to
    the patient and is in no column, though the walk tells of it. Of the outcomes 3% are written down wrongly.
    The stays fall on days drawn by chance: some of one patient overlap, and no outcome is read from the next stay.

    Parameters
    ----------
    patients : int
        At least 100.
    seed : int

    Returns
    -------
    Admissions
        Both exports have these columns:

        ============== =============================================================================================
        admission      number of the stay ("A00017")
        patient        number of the patient ("P0009")
        hospital       Port or Hill; 3% are misspelt. Hill's patients are older, and more often come back
        discharged     date
        age            years
        ward           general, lung, heart; 3% are misspelt
        days           length of the stay; shorter from 2034 on
        temperature    at discharge, °C; half of Hill's are written in °F
        crp            inflammation in the blood, mg/l
        walk           metres walked in six minutes; missing where the chance of coming back is high: whoever is too
                       weak is not sent to walk
        home_care      1 if a nurse comes to the house, which goes to those at high risk and lowers it: a confounder
        entries        pages in the patient's file on the day of the export. Those of 2033 were counted a year later,
                       when who came back had a second file: a leak. Those of 2034 are counted at discharge
        readmitted     yes or no; in 2034 not known yet. About one in five
        ============== =============================================================================================

        4% of the rows are there twice, the second time with other entries. Rows are in no order.

    Raises
    ------
    ValueError
        An argument is outside its range; it is named.
    """
    import pandas as pd

    patients, seed = positive_integer("patients", patients), counter("seed", seed)
    if patients < 100:
        raise ValueError(f"patients must be at least 100; got {patients}")
    rng = np.random.default_rng(np.random.SeedSequence([seed, 2033]))
    hill = rng.random(patients) < 0.4
    birth_age = np.clip(rng.normal(61 + 6 * hill, 14), 18, 96)
    frailty = rng.standard_normal(patients)
    stays = rng.choice([1, 2, 3, 4], patients, p=[0.45, 0.3, 0.15, 0.1])
    who = np.repeat(np.arange(patients), stays)
    count = len(who)
    day = rng.integers(0, 546, count)  # 2033 and the first half of 2034
    is_later = day >= 365
    ward = rng.choice(len(WARDS), count, p=[0.5, 0.3, 0.2])
    age = np.floor(birth_age[who] + day / 365).astype(int)
    days = np.clip(np.round(6 * np.exp(0.6 * rng.standard_normal(count)) * np.where(is_later, SHORTER, 1)), 1, 60)
    crp = np.round(np.clip(20 * np.exp(0.9 * rng.standard_normal(count)), 1, 400), 1)
    temperature = np.round(rng.normal(36.9, 0.45, count), 1)
    z_age, z_days, z_crp, z_temperature = _units(age, days, crp, temperature)
    walk = np.round(420 - 40 * z_age - 60 * frailty[who] + 40 * rng.standard_normal(count))

    risk = EFFECTS["age"] * z_age + EFFECTS["age·days"] * z_age * z_days
    risk += EFFECTS["crp in lung"] * z_crp * (ward == 1) + EFFECTS["temperature"] * z_temperature
    risk += EFFECTS["Hill"] * hill[who]
    home_care = rng.random(count) < 1 / (1 + np.exp(0.9 - 1.5 * risk))
    odds = EFFECTS["base"] + risk + EFFECTS["frailty"] * frailty[who]
    odds += EFFECTS["home_care"] * home_care + EFFECTS["2034"] * is_later
    chance = FLIPPED + (1 - 2 * FLIPPED) / (1 + np.exp(-odds))
    outcome = rng.random(count) < chance

    number = np.array([f"A{k:05}" for k in rng.permutation(count)])
    table = pd.DataFrame(
        {
            "admission": number,
            "patient": [f"P{k:04}" for k in rng.permutation(patients)[who]],
            "hospital": np.where(hill[who], "Hill", "Port").astype(object),
            "discharged": (np.datetime64("2033-01-01") + day.astype("timedelta64[D]")).astype(str),
            "age": age,
            "ward": np.array(WARDS, dtype=object)[ward],
            "days": days.astype(int),
            "temperature": temperature,
            "crp": crp,
            "walk": walk,
            "home_care": home_care.astype(int),
            "entries": 1 + rng.poisson(4 + days / 3),
            "readmitted": np.where(outcome, "yes", "no").astype(object),
            "chance": chance,
        }
    )
    truth = table.set_index("admission")[["patient", "hospital", "ward", "temperature", "walk", "chance"]]
    truth = truth.assign(later=is_later, frailty=frailty[who], readmitted=outcome)

    table.loc[~is_later & outcome, "entries"] += 3 + rng.poisson(7, int((~is_later & outcome).sum()))
    gaps = int(rng.integers(2**31))
    table = make_missing(table, "walk", share=0.25, by="chance", strength=1.2, seed=gaps).drop(columns="chance")
    fahrenheit = (table["hospital"] == "Hill").to_numpy() & (rng.random(count) < 0.5)
    table.loc[fahrenheit, "temperature"] = np.round(table.loc[fahrenheit, "temperature"] * 9 / 5 + 32, 1)
    twice = table[rng.random(count) < 0.04].copy()
    twice["entries"] += 1 + rng.poisson(1, len(twice))
    table = pd.concat([table, twice], ignore_index=True)
    misspelt = 0
    for column in ("hospital", "ward"):
        words = table[column].to_numpy(dtype=object, copy=True)
        for row in np.flatnonzero(rng.random(len(table)) < 0.03):
            words[row] = _misspell(words[row], int(rng.integers(3)), rng)
            misspelt += 1
        table[column] = words
    table = table.iloc[rng.permutation(len(table))]
    is_new = table["discharged"] >= STUDY_ENDS
    later = table[is_new].drop(columns="readmitted").reset_index(drop=True)
    problems = {
        "sent twice": len(twice),
        "misspelt": misspelt,
        "in °F": int((table["temperature"] > 45).sum()),
        "walk missing": int(table["walk"].isna().sum()),
    }
    return Admissions(table[~is_new].reset_index(drop=True), later, truth, dict(EFFECTS), problems)


def _units(age, days, crp, temperature):
    """Return the four columns on the scale on which their effects are written down, about 0 ± 1 each."""
    return (age - 63) / 14, np.log(days / 6) / 0.6, np.log(crp / 20) / 0.9, (temperature - 36.9) / 0.45
