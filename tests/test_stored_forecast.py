"""The stored tables of the page "Forecast the weeks": complete, made by this code, true today. No model sees ahead."""

import numpy as np
import pytest
import stored_forecast as forecast
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_pinball_loss
from stored_results import code_hash

import nnlib as nn

TABLES = ("forecast_rates", "forecast_errors", "forecast_leaks", "forecast_intervals")


@pytest.mark.parametrize("name", TABLES)
def test_the_stored_tables_were_made_by_this_code(name):
    assert forecast.made(name)["code"] == code_hash(*forecast.CODE)


def test_the_stored_tables_are_complete():
    rates, errors, leaks, intervals = (forecast.stored(name) for name in TABLES)
    seeds, weeks = len(forecast.SEEDS), len(forecast.HORIZONS)
    assert len(rates) == len(forecast.KINDS) * len(forecast.RATES) * weeks
    # the network of a country's own past is judged in the first wave only; the total has models of its own
    counts = errors.groupby("world").model.nunique().to_dict()
    assert counts == {"first": 14, "second": 13, "closed": 13, "six weeks": 13, "total": 6}
    assert len(errors) == seeds * weeks * sum(counts.values())
    assert not errors.duplicated(["seed", "world", "model", "horizon"]).any()
    assert len(leaks) == seeds * weeks * 3
    origins = len(forecast.ORIGINS)
    assert len(intervals) == seeds * 2 * 4 * sum(origins - w for w in forecast.HORIZONS)
    for table in (rates, errors, leaks, intervals):
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)


def found_in(table, **where):
    rows = table[np.logical_and.reduce([table[key] == value for key, value in where.items()])]
    return rows.set_index("horizon")["error"]


def agree(rows, rel):
    table = forecast.stored("forecast_errors").query("seed == 3")
    for row in rows:
        kept = found_in(table, world=row["world"], model=row["model"])[row["horizon"]]
        assert row["error"] == pytest.approx(kept, rel=rel), row


def test_the_models_without_a_network_are_what_they_are_today():
    agree(forecast.run_simple(3), rel=1e-3)


@pytest.mark.parametrize("kind", ["rnn others", "rnn some closed", "rnn total"])
def test_the_networks_are_what_the_library_computes_today(kind):
    rate = forecast.best_rates(forecast.stored("forecast_rates"))[kind]
    agree(forecast.run_network(kind, rate, 3), rel=0.1)  # rounding differs from one processor to another


def test_the_leaks_are_what_they_are_today():
    rate = forecast.best_rates(forecast.stored("forecast_rates"))["rnn own"]
    table = forecast.stored("forecast_leaks").query("seed == 3")
    again = forecast.shuffled_split(rate, 3)
    assert again == pytest.approx(found_in(table, leak="shuffled")[list(forecast.HORIZONS)].to_numpy(), rel=0.1)


def test_the_intervals_are_what_they_are_today():
    series, _ = forecast.country(3)
    rows = forecast.by_origin(forecast.backtest(forecast.fixed(forecast.growth), series))
    table = forecast.stored("forecast_intervals").query("seed == 3 and world == 'first' and model == 'growth'")
    assert len(rows) == len(table)
    for row, (_, kept) in zip(rows, table.iterrows(), strict=True):
        assert [row[key] for key in ("horizon", "origin", "inside", "size", "score")] == pytest.approx(
            [kept[key] for key in ("horizon", "origin", "inside", "size", "score")], rel=1e-4
        )


def small_series():
    return forecast.country(5, regions=40)[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: forecast.fixed(forecast.growth),
        lambda: forecast.learned(lambda X, y: forecast.fit_line(X, y, 2)),
        lambda: forecast.own_network(0, 0.01, 2),
    ],
)
def test_what_comes_later_changes_no_forecast(make):
    """The heart of a backtest: another future, the same forecasts."""
    series = small_series()
    origins = range(8, 15)
    other = series.copy()
    other[14:] = np.random.default_rng(0).uniform(0, 8, other[14:].shape)
    rows = [forecast.backtest(make(), one, origins) for one in (series, other)]
    for place, origin in enumerate(origins):
        for k, weeks in enumerate(forecast.HORIZONS):
            at = origin + weeks - 1
            said = [errors[place, k] + one[at] for errors, one in zip(rows, (series, other), strict=True)]
            assert np.allclose(*said, equal_nan=True), (origin, weeks)


def test_an_interval_uses_only_errors_whose_outcome_is_known():
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(12, 3, 30))
    sizes = forecast.half_widths(errors)
    for place in range(12):
        for k, weeks in enumerate(forecast.HORIZONS):
            usable = [s for s in range(place) if s + weeks <= place][-4:]
            if not usable:
                assert sizes[place, k] == np.inf
                continue
            # NumPy's quantile of that definition, of the sizes and one that is infinite
            known = np.append(np.abs(errors[usable, k]).ravel(), np.inf)
            assert sizes[place, k] == np.quantile(known, 0.8, method="inverted_cdf")


def test_intervals_hold_what_they_promise_where_nothing_changes():
    errors = np.random.default_rng(1).normal(size=(23, 3, 400))
    inside = [row["inside"] for row in forecast.by_origin(errors)]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.01)


def test_the_interval_score_is_two_pinball_losses():
    rng = np.random.default_rng(2)
    low, came, alpha = *rng.normal(size=(2, 200)), 0.2
    high = low + rng.random(200)
    score = forecast.interval_score(low, high, came, alpha).mean()
    lower = mean_pinball_loss(came, low, alpha=alpha / 2)
    upper = mean_pinball_loss(came, high, alpha=1 - alpha / 2)
    assert score == pytest.approx(2 / alpha * (lower + upper))


def test_the_lines_are_those_of_other_libraries():
    X, y = forecast.examples(small_series(), range(4, 20))
    fitted = LinearRegression().fit(X[:, -1:-4:-1], y)
    model, coefficients = forecast.fit_line(X, y, 3)
    assert coefficients == pytest.approx([fitted.intercept_, *fitted.coef_])
    assert model(X) == pytest.approx(fitted.predict(X[:, -1:-4:-1]))
    for row, change in zip(X[:20], forecast.line(X[:20]), strict=True):
        further = np.polyval(np.polyfit(range(4), row[-4:], 1), 4)
        assert row[-1] + change == pytest.approx(further)


def test_forecasts_are_fed_back():
    X = np.array([[0, 0, 0, 0, 0, 0, 1.0, 2.0, 2.5]])
    assert forecast.ahead(forecast.growth, X) == pytest.approx(np.array([[3.0, 3.5, 4.0, 4.5]]))
    assert forecast.ahead(forecast.same, X) == pytest.approx(np.full((1, 4), 2.5))
    half = forecast.mean_of(forecast.same, forecast.growth)
    assert forecast.ahead(half, X) == pytest.approx(np.array([[2.75, 2.875, 2.9375, 2.96875]]))


def test_the_gradient_of_the_network_is_right():
    X, y = forecast.examples(small_series(), range(9, 12))
    network = nn.Sequential([nn.RNN(forecast.UNITS), nn.Dense(1)], seed=0).build((forecast.WINDOW, 2))
    assert nn.check_gradients(network, forecast.steps(X)[:10], y[:10, None], "mse") < 1e-6


def test_the_countries_are_the_courses_own():
    series, expected = forecast.country(2, regions=50)
    made = forecast.datasets.outbreak(50, seed=2)
    cases = np.expm1(series) * made.table["population"].to_numpy() / 1e5
    assert cases[:5].sum() == pytest.approx(made.reports[:35].sum())
    where = series > np.log1p(300)
    assert (expected - series)[where].std() == pytest.approx(0.22 / np.sqrt(7), abs=0.04)
    shut, _ = forecast.country(2, regions=50, world="closed")
    days = forecast.CLOSED
    assert np.abs(shut - series)[:days].mean() < 0.2  # the same waves, with other chance, until they close
    assert (series - shut)[days + 3 : days + 6].mean() > 0.5
