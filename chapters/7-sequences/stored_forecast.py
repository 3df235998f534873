"""Next week's cases: simple rules, lines fitted to the past, and recurrent networks, judged by time in ten countries.

`python chapters/7-sequences/stored_forecast.py` makes the countries, fits and trains everything (about three minutes of one
core; it goes on where it was stopped), and renews the tables in data/sequences that the page "Forecast the weeks" prints.
The page itself does one country and one network; ten countries are too long to wait for.

A series is the natural logarithm of 1 + the cases of a week per 100,000 people, an array (weeks, regions). A window is the
last nine weeks of a series, so that there are eight changes in it. A model is a function from windows to the change that
it expects in the next week; its forecast goes back into the window for the week after.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
SEEDS = range(10)  # the countries that are judged
REHEARSAL = 900  # the country that chose the learning rates
WEEKS, WINDOW = 34, 8
ORIGINS = range(8, 31)  # how many weeks are known when a forecast is made
HORIZONS = (1, 2, 4)  # weeks ahead
FLOOR = np.log1p(20)  # a region is forecast where it has 20 cases per 100,000
CLOSED, LEFT = (
    9,
    0.5,
)  # after how many weeks all places close; the share of R that is left
RATES = (0.003, 0.01, 0.03)
KINDS = ("rnn others", "rnn some closed", "lstm others", "rnn own", "rnn total")
WORLDS = ("first", "second", "closed")
UNITS, BATCH = 16, 128
EPOCHS = {"own": 10, "others": 15, "total": 100}


def country(seed, regions=400, world="first"):
    """Return the series of a country, and the same without the chance in the reports.

    Parameters
    ----------
    seed, regions : int
        As of `datasets.outbreak`.
    world : {"first", "second", "closed", "some closed"}
        The first wave; the second wave, of another variant; the first wave if all regions halve R after nine weeks; the
        first wave if half of the regions, each in a week of its own, multiply R by 0.3 to 0.9.
    """
    made = datasets.outbreak(
        regions, seed=seed, wave=2 if world == "second" else 1
    )
    people = made.table["population"].to_numpy()
    reports, onsets = made.reports, made.onsets
    if "closed" in world:
        rng = np.random.default_rng([seed, 77])
        after, left = np.full(regions, CLOSED), np.full(regions, LEFT)
        if world == "some closed":
            after = rng.integers(4, 20, regions)
            left = np.where(
                rng.random(regions) < 0.5, rng.uniform(0.3, 0.9, regions), 1
            )
        late = np.arange(len(reports))[:, None] >= 7 * after
        R = np.exp(made.truth["log_R"].to_numpy()) * np.where(late, left, 1)
        onsets = datasets.seir(R, days=len(R), start=made.start).onsets * people
        reports = rng.poisson(0.4 * onsets * rng.gamma(20, 1 / 20, R.shape))
    by_week = [
        daily[: 7 * WEEKS].reshape(WEEKS, 7, regions).sum(axis=1)
        for daily in (reports, 0.4 * onsets)
    ]
    return tuple(np.log1p(1e5 * cases / people) for cases in by_week)


def windows(series, origin):
    """Return the last nine of the first `origin` weeks, (regions, 9); before the first week there are no cases."""
    before = np.zeros((WINDOW + 1, series.shape[1]))
    return np.concatenate([before, series[:origin]])[-WINDOW - 1 :].T


def examples(series, origins):
    """Return the windows at these origins, and the change that came: only regions that are forecast."""
    X, y = [], []
    for origin in origins:
        rows = series[origin - 1] >= FLOOR
        X.append(windows(series, origin)[rows])
        y.append((series[origin] - series[origin - 1])[rows])
    return np.concatenate(X), np.concatenate(y)


def of_many(seed, world="first", countries=4, regions=100):
    """Return the examples of the whole waves of other countries than that of the seed."""
    parts = [
        examples(
            country(1000 + 10 * seed + k, regions, world)[0], range(2, WEEKS)
        )
        for k in range(countries)
    ]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def same(X):
    """Forecast no change."""
    return np.zeros(len(X))


def growth(X):
    """Forecast the last change again."""
    return X[:, -1] - X[:, -2]


def line(X, weeks=4):
    """Put a line through the last weeks, by least squares, and go on along it."""
    place = np.arange(weeks) - (weeks - 1) / 2
    last = X[:, -weeks:]
    slope = last @ place / (place @ place)
    return last.mean(axis=1) + slope * (weeks + 1) / 2 - X[:, -1]


def mean_of(*models):
    """Return the model that forecasts the mean of these."""
    return lambda X: np.mean([model(X) for model in models], axis=0)


def fit_line(X, y, lags):
    """Return the autoregression AR(lags), fitted by least squares to changes, and its coefficients: the constant, that of the last week, ..."""

    def inputs(X):
        return np.column_stack([np.ones(len(X)), X[:, : -lags - 1 : -1]])

    coefficients = np.linalg.lstsq(inputs(X), y, rcond=None)[0]
    return lambda X: inputs(X) @ coefficients, coefficients


def steps(X):
    """Return what a network reads, (rows, 8, 2): each week's level, by fixed numbers near 0 ± 1, and its change."""
    return np.stack([(X[:, 1:] - 5) / 2, np.diff(X, axis=1)], axis=2)


def fit_network(X, y, rate, epochs, seed, layer=nn.RNN, inputs=None):
    """Train a recurrent network with Adam, whose rate sinks to 0; return it as a model, and the network."""
    inputs = steps(X) if inputs is None else inputs
    network = nn.Sequential([layer(UNITS), nn.Dense(1)], seed=seed)
    network.build(inputs.shape[1:])
    total = epochs * -(-len(X) // BATCH)
    network.fit(
        inputs,
        y[:, None],
        loss="mse",
        optimizer=nn.Adam(nn.schedules.CosineDecay(rate, total)),
        epochs=epochs,
        batch_size=BATCH,
    )
    return lambda X: network.predict(steps(X))[:, 0], network


def ahead(model, X, weeks=4):
    """Return forecasts for the next weeks, (rows, weeks), by feeding each forecast back into the window."""
    found = []
    for _ in range(weeks):
        # no fewer than no cases, no more than everybody
        following = np.clip(X[:, -1] + model(X), 0, np.log1p(1e5))
        found.append(following)
        X = np.column_stack([X[:, 1:], following])
    return np.stack(found, axis=1)


def backtest(model_at, series, origins=ORIGINS):
    """Return forecast minus what came, (origins, horizons, regions); NaN where a region is not forecast.

    Parameters
    ----------
    model_at : callable
        From an origin to the model that is used there. It gets the series only up to that origin.
    """
    errors = np.full((len(origins), len(HORIZONS), series.shape[1]), np.nan)
    for place, origin in enumerate(origins):
        past = series[:origin]
        rows = past[-1] >= FLOOR
        found = ahead(model_at(past), windows(past, origin)[rows])
        for k, weeks in enumerate(HORIZONS):
            came = series[origin + weeks - 1, rows]
            errors[place, k, rows] = found[:, weeks - 1] - came
    return errors


def learned(fit, again=1):
    """Return a `model_at` that fits anew from the past of all regions, every `again` weeks."""
    kept = {}

    def model_at(past):
        origin = len(past) - (len(past) - ORIGINS[0]) % again
        if origin not in kept:
            kept[origin] = fit(*examples(past, range(2, origin)))[0]
        return kept[origin]

    return model_at


def half_widths(errors, coverage=0.8, last=4):
    """Return ± of intervals from the errors of the last four origins whose outcome is known, (origins, horizons).

    The k-th smallest size of n errors, k = ⌈(n + 1) · coverage⌉; infinite where there are too few.
    """
    found = np.full(errors.shape[:2], np.inf)
    for place in range(len(errors)):
        for k, weeks in enumerate(HORIZONS):
            end = place - weeks + 1  # the outcome of a later origin lies ahead
            known = np.abs(errors[max(end - last, 0) : max(end, 0), k])
            sizes = np.sort(known[~np.isnan(known)])
            rank = int(np.ceil((len(sizes) + 1) * coverage - 1e-9))
            if 0 < rank <= len(sizes):
                found[place, k] = sizes[rank - 1]
    return found


def interval_score(low, high, came, alpha=0.2):
    """Return width + 2/alpha times what the outcome lies outside; smaller is better."""
    outside = np.maximum(low - came, 0) + np.maximum(came - high, 0)
    return high - low + 2 / alpha * outside


def simple(seed):
    """Return the rules and the lines fitted to other countries' waves, by name."""
    X, y = of_many(seed)
    return {
        "same": same,
        "growth": growth,
        "line": line,
        "half": mean_of(same, growth),
        "ar2 others": fit_line(X, y, 2)[0],
        "ar8 others": fit_line(X, y, 8)[0],
    }


def fixed(model):
    """Return a `model_at` that is the same at every origin."""
    return lambda past: model


def chance(series, expected):
    """Return the errors of somebody who knows what is expected in each week, as `backtest` does: the chance in the reports."""
    errors = np.full((len(ORIGINS), len(HORIZONS), series.shape[1]), np.nan)
    for place, origin in enumerate(ORIGINS):
        rows = series[origin - 1] >= FLOOR
        for k, weeks in enumerate(HORIZONS):
            at = origin + weeks - 1
            errors[place, k, rows] = (expected - series)[at, rows]
    return errors


def total(seed):
    """Return the series of the whole country as if it were one region."""
    made = datasets.outbreak(seed=seed)
    cases = made.reports[: 7 * WEEKS].reshape(WEEKS, -1).sum(axis=1)
    return np.log1p(1e5 * cases / made.table["population"].sum())[:, None]


def network_of(kind, seed, rate):
    """Return a network that learned from other countries, as a model: "rnn others", "lstm others" or "rnn some closed"."""
    layer = nn.LSTM if kind.startswith("lstm") else nn.RNN
    X, y = of_many(seed, "some closed" if "closed" in kind else "first")
    return fit_network(X, y, rate, EPOCHS["others"], seed, layer)[0]


def own_network(seed, rate, epochs=EPOCHS["own"]):
    """Return a `model_at` that trains a network every second week, on the past of the series that it forecasts."""
    return learned(lambda X, y: fit_network(X, y, rate, epochs, seed), again=2)


def sizes_of(errors, world, model):
    """Return a row for each horizon: the mean size of the errors; of a closed world also that of the six weeks after."""
    start = CLOSED - ORIGINS[0]
    parts = {world: slice(None), "six weeks": slice(start, start + 6)}
    return [
        {
            "world": part,
            "model": model,
            "horizon": weeks,
            "error": np.nanmean(np.abs(errors[rows, k])),
        }
        for part, rows in parts.items()
        if part == world or world == "closed"
        for k, weeks in enumerate(HORIZONS)
    ]


def run_simple(seed):
    """Return rows of the table "forecast_errors": those of all models without a network."""
    models, found = simple(seed), []
    for world in WORLDS:
        series, expected = country(seed, world=world)
        errors = {
            name: backtest(fixed(model), series)
            for name, model in models.items()
        }
        for lags in (2, 8):
            errors[f"ar{lags} own"] = backtest(
                learned(lambda X, y, lags=lags: fit_line(X, y, lags)), series
            )
        errors["truth"] = chance(series, expected)
        for name, part in errors.items():
            found += sizes_of(part, world, name)
    series = total(seed)
    for name in ("same", "growth", "line", "half"):
        found += sizes_of(backtest(fixed(models[name]), series), "total", name)
    own = learned(lambda X, y: fit_line(X, y, 2))
    return found + sizes_of(backtest(own, series), "total", "ar2 own")


def run_network(kind, rate, seed):
    """Train a network, or one after the other, for a country; return rows as `run_simple` does."""
    if kind == "rnn total":
        model_at = own_network(seed, rate, EPOCHS["total"])
        return sizes_of(backtest(model_at, total(seed)), "total", "rnn own")
    if kind == "rnn own":
        errors = backtest(own_network(seed, rate), country(seed)[0])
        return sizes_of(errors, "first", kind)
    model, found = network_of(kind, seed, rate), []
    if seed == REHEARSAL:  # judged by the kind of wave that it learned from
        world = "some closed" if "closed" in kind else "first"
        errors = backtest(fixed(model), country(seed, world=world)[0])
        return sizes_of(errors, world, kind)
    both = mean_of(model, fit_line(*of_many(seed), 2)[0])
    for world in WORLDS:
        series, _ = country(seed, world=world)
        found += sizes_of(backtest(fixed(model), series), world, kind)
        if kind == "rnn others":
            found += sizes_of(
                backtest(fixed(both), series), world, "rnn and ar2"
            )
    return found


def by_origin(errors):
    """Return the columns of the table "forecast_intervals" for one model: how many regions lie in the 80% interval, its ± and its score."""
    sizes, rows = half_widths(errors), []
    for place, origin in enumerate(ORIGINS):
        for k, weeks in enumerate(HORIZONS):
            size, now = sizes[place, k], errors[place, k]
            now = now[~np.isnan(now)]
            if np.isfinite(size):
                rows.append(
                    {
                        "horizon": weeks,
                        "origin": origin,
                        "inside": np.mean(np.abs(now) <= size),
                        "size": size,
                        "score": interval_score(-size, size, now).mean(),
                    }
                )
    return rows


def run_intervals(rate, seed):
    """Return the rows of the table "forecast_intervals" for a country."""
    models = simple(seed) | {"rnn others": network_of("rnn others", seed, rate)}
    rows = []
    for world in ("first", "closed"):
        series, _ = country(seed, world=world)
        for name in ("same", "growth", "ar2 others", "rnn others"):
            found = by_origin(backtest(fixed(models[name]), series))
            rows += [{"world": world, "model": name, **row} for row in found]
    return rows


def shuffled_split(rate, seed):
    """Return what a shuffled split promises: a fifth of a country's windows are kept apart by chance, the network learns from the others."""
    series, _ = country(seed)
    rng = np.random.default_rng([seed, 5])
    apart = rng.random((WEEKS, series.shape[1])) < 0.2
    parts = []
    for origin in range(2, WEEKS):
        rows = (series[origin - 1] >= FLOOR) & ~apart[origin]
        change = series[origin] - series[origin - 1]
        parts.append((windows(series, origin)[rows], change[rows]))
    X, y = (np.concatenate(part) for part in zip(*parts, strict=True))
    model, _ = fit_network(X, y, rate, EPOCHS["own"], seed)
    errors = backtest(fixed(model), series)
    for place, origin in enumerate(ORIGINS):
        errors[place, :, ~apart[origin]] = np.nan
    return np.nanmean(np.abs(errors), axis=(0, 2))


def told_the_largest(rate, seed, future):
    """Return the mean errors of a network that also reads each level as a share of the region's largest week.

    Parameters
    ----------
    future : bool
        The largest of all 34 weeks, as it comes from scaling a whole series; otherwise of the weeks so far.
    """
    series, _ = country(seed)
    largest = np.maximum.accumulate(series, axis=0)
    if future:
        largest[:] = series.max(axis=0)

    def read(X, top):
        share = (X[:, 1:] - top[:, None]) / 2
        return np.concatenate([steps(X), share[:, :, None]], axis=2)

    errors = np.full((len(ORIGINS), len(HORIZONS), series.shape[1]), np.nan)
    for place, origin in enumerate(ORIGINS):
        if place % 2 == 0:  # every second week a new one
            X, y = examples(series[:origin], range(2, origin))
            top = np.concatenate(
                [
                    largest[s - 1, series[s - 1] >= FLOOR]
                    for s in range(2, origin)
                ]
            )
            network = fit_network(
                X, y, rate, EPOCHS["own"], seed, inputs=read(X, top)
            )[1]
        rows = series[origin - 1] >= FLOOR
        top = largest[origin - 1, rows]
        paths = ahead(
            lambda X, top=top, network=network: network.predict(read(X, top))[
                :, 0
            ],
            windows(series, origin)[rows],
        )
        for k, weeks in enumerate(HORIZONS):
            came = series[origin + weeks - 1, rows]
            errors[place, k, rows] = paths[:, weeks - 1] - came
    return np.nanmean(np.abs(errors), axis=(0, 2))


def run_leaks(rate, seed):
    """Return the rows of the table "forecast_leaks" for a country: mean errors with a shuffled split, and with a scale from the future."""
    found = {
        "shuffled": shuffled_split(rate, seed),
        "largest ever": told_the_largest(rate, seed, True),
        "largest so far": told_the_largest(rate, seed, False),
    }
    return [
        {"leak": leak, "horizon": weeks, "error": error}
        for leak, errors in found.items()
        for weeks, error in zip(HORIZONS, errors, strict=True)
    ]


CODE = (
    country, windows, examples, of_many, same, growth, line, mean_of, fit_line, steps, fit_network, ahead, backtest,
    learned, half_widths, interval_score, simple, fixed, chance, total, network_of, own_network, sizes_of, run_simple,
    run_network, by_origin, run_intervals, shuffled_split, told_the_largest, run_leaks,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def best_rates(table):
    """Return the rate of each kind of network whose error in the country of the rehearsal is smallest, mean of the horizons."""
    means = table.groupby(["kind", "rate"])["error"].mean().reset_index()
    best = means.loc[means.groupby("kind")["error"].idxmin()]
    return dict(zip(best["kind"], best["rate"], strict=True))


def tables(seeds, folder, workers=1):
    """Fit and train everything for these countries; return the four tables by name."""
    import pandas as pd

    def swept(run, grid, name):
        return stored_results.swept(run, grid, folder / name, workers=workers)

    rates = swept(
        run_network,
        {"kind": KINDS, "rate": RATES, "seed": [REHEARSAL]},
        "rates",
    )
    best = best_rates(rates)
    errors = [swept(run_simple, {"seed": seeds}, "simple")]
    for kind in KINDS:
        grid = {"kind": [kind], "rate": [best[kind]], "seed": seeds}
        errors.append(swept(run_network, grid, kind.replace(" ", "_")))
    leaks = {"rate": [best["rnn own"]], "seed": seeds}
    intervals = {"rate": [best["rnn others"]], "seed": seeds}
    return {
        "forecast_rates": rates[["kind", "rate", "horizon", "error"]],
        "forecast_errors": pd.concat(errors)[
            ["seed", "world", "model", "horizon", "error"]
        ],
        "forecast_leaks": swept(run_leaks, leaks, "leaks").drop(columns="rate"),
        "forecast_intervals": swept(run_intervals, intervals, "intervals").drop(
            columns="rate"
        ),
    }


def main():
    """Fit and train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "forecast"
    found = tables(SEEDS, folder)
    stored_results.store_all(found, CODE, ["pandas"], RESULTS)


if __name__ == "__main__":
    main()
