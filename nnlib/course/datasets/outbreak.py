"""A country of 400 regions and a virus, made so that every conclusion about it can be judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checks import counter, number, positive_integer
from .epidemic import reproduction_number, seir

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("city", "town", "remote")
PROVINCES = ("Arden", "Brava", "Corin", "Delmar", "Estia", "Falken")
MEASURES = ("none", "advice", "closures")

# What one standard unit of a column adds to log R. The climate does nothing.
EFFECTS = {"density": 0.20, "age": -0.12, "beds": -0.155, "temperature": 0.0, "humidity": 0.0}
SECOND_WAVE = {"density": 0.08, "age": 0.10, "beds": -0.155, "temperature": 0.0, "humidity": 0.0}
BY_PROVINCE = dict(zip(PROVINCES, (0.03, -0.14, 0.15, -0.05, 0.12, -0.11), strict=True))
BY_MEASURES = dict(zip(MEASURES, (0.0, -0.08, -0.22), strict=True))
NOISE = 0.10  # standard deviation of what no column explains of log R
BASE, SECOND_BASE = 0.75, 1.15  # log R of a middling region without measures, in the first wave and in the second

# Standard units: logarithm taken first?, middle, size of one unit
UNITS = {
    "density": (True, np.log(380.0), 1.4),
    "age": (False, 41.0, 4.5),
    "beds": (True, np.log(4.0), 0.35),
    "temperature": (False, 16.0, 2.2),
    "humidity": (False, 70.0, 7.0),
}
REPORTED = 0.4  # share of the cases that are reported
WINDOW = 21  # days of reports from which R is estimated
DAYS = 240
FIRST_DAY = {1: "2032-03-01", 2: "2032-11-01"}  # of each wave; days are counted from it


@dataclass(frozen=True)
class Outbreak:
    """What :func:`outbreak` made: the table that a team would see, and the truth that it would not.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each region; see :func:`outbreak`.
    truth : pandas.DataFrame
        In the same order: ``kind`` ("city", "town", "remote"), ``belt`` ("coast", "river", "none"), ``log_R`` (with
        the noise that no column explains), ``expected`` (log R without it), ``final_size`` (share of the people
        infected in the 240 days of the wave; where R is near 1 it is not over by then), ``need`` (beds needed at the
        peak for each bed there is).
    effects : dict of str to float
        What one standard unit of each column adds to log R.
    noise : float
        Standard deviation of ``log_R - expected``: no model can predict log R better than that, nor the table's
        column R, which has the error of its estimate on top.
    onsets : ndarray of float, (days, regions)
        People who truly fall ill, day by day from the wave's first (1 March 2032, 1 November 2032).
    reports : ndarray of int, (days, regions)
        Cases that are reported.
    start : ndarray of int, (regions,)
        The day on which the virus arrives.
    immune : ndarray of float, (regions,)
        Share of the people whom the virus cannot infect any more when it arrives: 0 in the first wave.
    """

    table: "pd.DataFrame"
    truth: "pd.DataFrame"
    effects: dict[str, float]
    noise: float
    onsets: np.ndarray
    reports: np.ndarray
    start: np.ndarray
    immune: np.ndarray


def outbreak(regions=400, *, seed=0, wave=1, effects=None, link=1.0, noise=NOISE):
    """Simulate an epidemic in a country whose truth is known.

    The country has cities, towns and remote regions, 500 km wide and 400 km high. Cities and towns lie along a coast
    and a river. How fast the virus spreads in a region is written down::

        log R = base + sum of effects[column] · standard_units(column) + province + measures + noise

    Beds slow it (who lies in hospital infects nobody), density speeds it, an older population meets fewer people, and
    temperature and humidity do nothing. But cities are denser, younger, warmer and drier, **and** have more beds. Each
    region then runs through :func:`seir` with its own R; four of ten cases are reported, fewer at weekends and with
    chance; and R is estimated from three weeks of reports, as a health office would do it.

    Parameters
    ----------
    regions : int
        At least 30.
    seed : int
        Another seed is another country under the same laws.
    wave : {1, 2}
        2: the second wave in the same country. Another variant (larger base, and ``SECOND_WAVE`` as effects: older
        people are no longer spared) meets the people whom the first wave has left immune, less two of five of them
        whose immunity is gone.
    effects : dict of str to float, optional
        Replaces single effects of the wave, e.g. ``{"temperature": 0.1}``.
    link : float
        How strongly cities have more beds: 0 not at all, 1 as it is, up to 1.5.
    noise : float
        Standard deviation of what no column explains of log R.

    Returns
    -------
    Outbreak
        Its ``table`` has the columns ``region`` (name), ``province`` (six), ``x`` and ``y`` (km), ``population``,
        ``density`` (people per km²), ``age`` (mean, years), ``beds`` (per 1,000 people), ``temperature`` (°C),
        ``humidity`` (%), ``measures`` ("none", "advice", "closures"), ``first_case`` (date), ``cases`` (reported in
        the first eight weeks, per 100,000 people) and ``R`` (estimated from the first three weeks).

    Raises
    ------
    ValueError
        An argument is outside its range; it is named.
    """
    import pandas as pd

    regions, seed = positive_integer("regions", regions), counter("seed", seed)
    if regions < 30:
        raise ValueError(f"regions must be at least 30; got {regions}")
    if wave not in (1, 2):
        raise ValueError(f"wave must be 1 or 2; got {wave!r}")
    known = {**(EFFECTS if wave == 1 else SECOND_WAVE)}
    unknown = [name for name in effects or {} if name not in known]
    if unknown:
        raise ValueError(f"effects must be of {', '.join(known)}; got {unknown[0]!r}")
    known |= effects or {}
    known = {name: number(name, value) for name, value in known.items()}
    link, noise = number("link", link, 0, 1.5), number("noise", noise, 0)

    # a stream of its own for the country, and for what happens in each wave: the second meets the same country
    land, *waves = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
    kind, belt, table = _country(regions, link, land)
    chance = waves[wave - 1]
    immune = np.zeros(regions)
    if wave == 2:
        first = outbreak(regions, seed=seed, link=link, noise=noise)
        immune = 0.6 * first.truth["final_size"].to_numpy()

    expected = (
        (BASE if wave == 1 else SECOND_BASE)
        + standard_units(table).to_numpy() @ np.array([known[name] for name in UNITS])
        + table["province"].map(BY_PROVINCE).to_numpy(dtype=float)
        + table["measures"].map(BY_MEASURES).to_numpy(dtype=float)
    )
    log_R = expected + noise * chance.standard_normal(regions)
    port = np.hypot(table["x"] - 60.0, table["y"] - 60.0).to_numpy()
    start = np.round(port / 16 + chance.exponential(4, regions)).astype(int)
    course = seir(np.exp(log_R), days=DAYS, start=start, immune=immune)
    people = table["population"].to_numpy()
    onsets = course.onsets * people
    reports = _reports(onsets, start, chance)

    table["first_case"] = np.datetime64(FIRST_DAY[wave]) + start.astype("timedelta64[D]")
    table["first_case"] = table["first_case"].astype("datetime64[s]")
    since = np.minimum(start + np.arange(56)[:, None], DAYS - 1)
    table["cases"] = np.round(np.take_along_axis(reports, since, 0).sum(0) / people * 1e5).astype(int)
    table["R"] = np.round(_estimate(np.take_along_axis(reports, since[:WINDOW], 0)), 2)

    in_hospital = 0.02 * np.exp((table["age"].to_numpy() - 41) / 9)  # share of the cases; they stay ten days
    stay = np.apply_along_axis(np.convolve, 0, course.onsets * in_hospital, np.ones(10))
    truth = pd.DataFrame(
        {
            "kind": kind,
            "belt": belt,
            "log_R": log_R + np.log1p(-immune),
            "expected": expected + np.log1p(-immune),
            "final_size": course.R[-1] + course.I[-1] + course.E[-1] - immune,
            "need": stay.max(0) * 1000 / table["beds"].to_numpy(),
        }
    )
    return Outbreak(table, truth, known, float(noise), onsets, reports, start, immune)


def standard_units(table):
    """The five columns of the story on the scale on which their effects are written down.

    `(value - middle) / size`, with constants that belong to no sample: density and beds are taken as logarithms
    first. Missing values stay missing.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns ``density``, ``age``, ``beds``, ``temperature``, ``humidity``.

    Returns
    -------
    pandas.DataFrame
        The same five columns, each about 0 ± 1.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            name: ((np.log(table[name]) if logarithm else table[name]) - middle) / size
            for name, (logarithm, middle, size) in UNITS.items()
        }
    )


def rollout(world, week, effect):
    """The same epidemic with and without a vaccine, an advice, a law, from one week on.

    From that week on every R is multiplied by `1 - effect`. Both runs share all else, chance included: what differs is
    what the roll-out did, and nothing else. No study can see both.

    Parameters
    ----------
    world : Outbreak
    week : int
        The roll-out begins on day `7 · week` of the wave.
    effect : float
        Share of the infections that it prevents: 0 does nothing, 1 ends the epidemic.

    Returns
    -------
    done, undone : ndarray of float, (days,)
        Cases in the whole country, day by day, with the roll-out and without it.
    """
    if isinstance(week, bool) or not isinstance(week, int | np.integer) or not 0 <= week < DAYS // 7:
        raise ValueError(f"week must be a whole number from 0 to {DAYS // 7 - 1}; got {week!r}")
    effect = number("effect", effect, 0, 1)
    R = np.exp(world.truth["log_R"].to_numpy()) / (1 - world.immune)
    begun = np.arange(DAYS)[:, None] >= 7 * week
    people = world.table["population"].to_numpy()
    done = seir(R * np.where(begun, 1 - effect, 1.0), days=DAYS, start=world.start, immune=world.immune)
    return (done.onsets * people).sum(1), world.onsets.sum(1)


def _country(regions, link, rng):
    """Kinds, belts and the columns that were there before the virus."""
    import pandas as pd

    counts = np.round(np.array([0.3, 0.4]) * regions).astype(int)
    kind = rng.permutation(np.repeat([0, 1, 2], [*counts, regions - counts.sum()]))
    log_density = np.array([7.6, 6.0, 4.1])[kind] + 0.4 * rng.standard_normal(regions)
    age = 41 + 4.5 * (np.array([-1.05, -0.1, 1.1])[kind] + 0.45 * rng.standard_normal(regions))
    # more link, less chance: the spread of beds stays about the same
    from_kind = link * np.array([1.0, -0.3, -0.55])[kind]
    chance = np.sqrt(max(1.1 - 0.45 * link**2, 0.05))
    beds = 4 * np.exp(0.35 * (from_kind + chance * rng.standard_normal(regions)))
    place = rng.random(regions)
    off = rng.standard_normal((2, regions))
    on_coast = rng.random(regions) < 0.5
    coast = 15 + 470 * place, 30 + 90 * (2 * place - 1) ** 2
    river = 250 + 90 * np.sin(5 * place), 160 + 225 * place
    x = np.where(on_coast, coast[0], river[0]) + 7 * off[0]
    y = np.where(on_coast, coast[1], river[1]) + 7 * off[1]
    remote = kind == 2
    x[remote], y[remote] = rng.uniform([[0.0], [0.0]], [[500.0], [400.0]], (2, remote.sum()))
    belt = np.where(remote, "none", np.where(on_coast, "coast", "river"))
    temperature = 16 - 4 * (y / 400 - 0.5) + 0.6 * (log_density - 6) + 1.4 * rng.standard_normal(regions)
    humidity = 70 - 6 * (x / 500 - 0.5) - 1.5 * (log_density - 6) + 6 * rng.standard_normal(regions)
    province = np.array(PROVINCES)[3 * (y > 200) + np.minimum(x // 167, 2).astype(int).clip(0)]
    columns = {
        "region": [f"{name[0]}-{number:03d}" for number, name in enumerate(province, 1)],
        "province": province,
        "x": x.clip(0, 500).round(1),
        "y": y.clip(0, 400).round(1),
        "population": np.round(1e5 * np.exp(0.4 * rng.standard_normal(regions)), -2).astype(int),
        "density": np.exp(log_density).round(1),
        "age": age.round(1),
        "beds": beds.round(2),
        "temperature": temperature.round(1),
        "humidity": humidity.clip(30, 98).round(),
        "measures": np.array(MEASURES)[rng.integers(3, size=regions)],
    }
    return np.array(KINDS)[kind], belt, pd.DataFrame(columns)


def _reports(onsets, start, rng):
    """What is reported of the true cases: a share, less at weekends (days 5 and 6), with more than Poisson's chance."""
    weekday = np.where(np.arange(DAYS) % 7 >= 5, 0.7, 1.12)[:, None]
    mean = REPORTED * weekday * onsets
    return rng.poisson(mean * rng.gamma(20, 1 / 20, mean.shape))


def _estimate(reports):
    """R from the reports of a region's first days: a line through log cases (Poisson regression), then its slope."""
    days = np.arange(len(reports)) - (len(reports) - 1) / 2
    slope, level = np.zeros(reports.shape[1]), np.log(reports.mean(0) + 0.1)
    for _ in range(30):  # Newton's method for both coefficients of every region at once
        mean = np.exp(np.clip(level + slope * days[:, None], -20, 20))
        left = reports - mean
        a, b, c = mean.sum(0), (mean * days[:, None]).sum(0), (mean * days[:, None] ** 2).sum(0)
        u, v = left.sum(0), (left * days[:, None]).sum(0)
        determinant = np.maximum(a * c - b * b, 1e-12)
        level, slope = level + (c * u - b * v) / determinant, slope + (a * v - b * u) / determinant
    return reproduction_number(np.expm1(np.clip(slope, -0.15, 0.4)))
