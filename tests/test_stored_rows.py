"""The stored tables of the page "Count the examples": complete, made by this code, true today; and its formulas."""

import inspect

import numpy as np
import pytest
import stored_rows as stored
from sklearn.linear_model import Ridge
from stored_results import code_hash

import nnlib as nn


@pytest.mark.parametrize("name", ["curves", "loose"])
def test_the_stored_tables_were_made_by_this_code(name):
    assert stored.made(name)["code"] == code_hash(*stored.CODE)


@pytest.mark.parametrize("name", ["curves", "loose"])
def test_the_stored_tables_are_complete(name):
    table = stored.stored(name)
    _, parts = stored.grids(stored.SEEDS)[name]
    runs = sum(int(np.prod([len(values) for values in part.values()])) for part in parts)
    keys = [key for key in inspect.signature(stored.run_curve).parameters if key in table]
    assert len(table) == runs
    assert not table.duplicated(keys).any()
    assert np.isfinite(table[["training", "test"]]).all(axis=None)
    assert (table.test > 0).all()


def test_what_was_chosen_was_among_what_was_tried():
    for row in stored.stored("curves").itertuples():
        assert row.setting in stored.settings_of(row.model, row.table, row.n)
        assert row.stage in stored.stages_of(row.model, row.table, row.n)


@pytest.mark.parametrize(
    ("table", "feature", "model", "n"),
    [
        ("insurance", "none", "line", 1000),
        ("insurance", "right", "line", 32),
        ("insurance", "none", "trees", 100),
        ("insurance", "right", "network", 100),
        ("outbreak", "none", "line", 32),
        ("people", "none", "network", 316),
        ("digits", "none", "line", 100),
        ("digits", "right", "network", 100),
    ],
)
def test_the_curves_are_what_is_computed_today(table, feature, model, n):
    """The page would speak of curves that nobody gets any more."""
    query = f"table == '{table}' and feature == '{feature}' and model == '{model}' and n == {n} and seed == 3"
    (row,) = stored.stored("curves").query(query).itertuples()
    found = stored.run_curve(table, feature, model, n, 3)
    # another processor rounds otherwise, and where two settings are close it may choose the other
    loose = 1e-4 if model == "line" else 0.05
    assert found["test"] == pytest.approx(row.test, rel=loose, abs=0 if table in ("insurance", "outbreak") else 1)


@pytest.mark.parametrize("model", stored.MODELS)
def test_what_nothing_holds_back_is_what_is_computed_today(model):
    row = stored.stored("loose").query(f"table == 'outbreak' and model == '{model}' and n == 32 and seed == 1")
    found = stored.run_loose("outbreak", model, 32, 1)
    assert found["test"] == pytest.approx(row.test.item(), rel=0.05)
    assert found["training"] == pytest.approx(row.training.item(), rel=0.05, abs=0.5)


@pytest.mark.parametrize("table", stored.TABLES)
def test_training_and_test_rows_are_apart_and_sets_of_a_seed_are_nested(table):
    X, y, X_test, y_test = stored.rows(table, "none", 0)
    assert len(X) == len(y) >= 1000
    assert len(X_test) == len(y_test) >= 300
    known = set(map(bytes, np.column_stack([X, y])))
    again = sum(bytes(row) in known for row in np.column_stack([X_test, y_test]))
    assert again <= 1  # one person is twice in the insurance table
    other = stored.rows(table, "none", 1)[0]
    assert not np.array_equal(X[:32], other[:32])


def test_the_digits_are_of_other_writers():
    from own_network import split

    from nnlib.course.datasets import digit_writers

    writers, (train, held, test) = digit_writers(), split("writers", 0)
    assert not set(writers[test]) & set(writers[np.concatenate([train, held])])
    assert len(stored.rows("digits", "none", 0)[2]) == len(test)


def test_the_feature_is_a_column_more_and_the_rows_are_the_same():
    plain, right, wrong = (stored.rows("insurance", feature, 5) for feature in stored.FEATURES)
    assert np.array_equal(plain[0], right[0][:, :-1])
    assert np.array_equal(plain[3], wrong[3])
    smoker, bmi, age = right[0][:, 3], right[0][:, 1], right[0][:, 0]
    assert np.array_equal(right[0][:, -1], smoker * (bmi > 30))
    assert np.array_equal(wrong[0][:, -1], smoker * (age > 40))


def test_directions_tell_a_vertical_stroke_from_a_horizontal_one():
    stroke = np.zeros((8, 8))
    stroke[1:7, 2] = 1
    upright, flat = stored.directions(np.stack([stroke.ravel(), stroke.T.ravel()])).reshape(2, 8, 4).sum(axis=2)
    assert upright.argmax() in (0, 4)  # ink rises to the right, or falls
    assert flat.argmax() in (2, 6)
    assert upright.sum() == pytest.approx(flat.sum())
    length = np.hypot(*np.gradient(stroke)).sum()
    assert upright.sum() == pytest.approx(length / 4)


def test_the_line_is_ridge_regression():
    rng = np.random.default_rng(0)
    X, new = stored.scaled(*rng.standard_normal((2, 40, 5)))
    y = rng.standard_normal((40, 1))
    ((found,),) = stored.line("number", X, y, [new], 3.0, (1,), 0)
    assert np.allclose(found[:, 0], Ridge(3.0).fit(X, y[:, 0]).predict(new))


def test_a_class_that_was_not_met_gets_no_probability():
    found = stored.columns_of(np.array([[0.25, 0.75]]), np.array([1, 4]), 10)
    assert found.tolist() == [[0, 0.25, 0, 0, 0.75, 0, 0, 0, 0, 0]]
    assert stored.columns_of(np.array([[0.25, 0.75]]), np.array([0, 1]), 1).tolist() == [[0.75]]


def test_the_settings_are_chosen_without_the_test_rows(monkeypatch):
    """What stands in the test must not matter."""
    X, y, X_test, y_test = stored.rows("insurance", "none", 2)
    told = stored.chosen("line", "insurance", X[:100], y[:100], 2)
    monkeypatch.setattr(stored, "rows", lambda *_: (X, y, X_test, y_test + 1e6))
    row = stored.run_curve("insurance", "none", "line", 100, 2)
    assert (row["setting"], row["stage"]) == told


def test_errors_are_in_the_units_that_the_page_says():
    y = np.array([[1.0], [3.0]])
    assert stored.error("insurance", y + 2, y) == pytest.approx(nn.metrics.rmse(1000 * (y + 2), 1000 * y))
    assert stored.error("outbreak", y + 0.1, y) == pytest.approx(10)
    assert stored.error("people", np.array([[0.6], [0.4]]), np.array([[1.0], [1.0]])) == 50
    assert stored.error("digits", np.eye(10)[[1, 2, 3, 3]], np.eye(10)[[1, 2, 3, 4]]) == 25


@pytest.mark.parametrize(("n", "p"), [(32, 12), (20, 3), (60, 20)])
def test_the_price_of_a_straight_line(n, p, record_check):
    """1 + (p + 1 - 2/n)/(n - p - 2) against drawn tables, where columns are normal and independent."""
    rng, draws = np.random.default_rng(0), 1500
    off = []
    for _ in range(draws):
        A = np.column_stack([rng.standard_normal((n, p)), np.ones(n)])
        off.append(1 + (np.linalg.lstsq(A, rng.standard_normal(n), rcond=None)[0] ** 2).sum())
    mean, error = np.mean(off), np.std(off) / draws**0.5
    record_check(
        "formulas",
        f"price of a straight line, {n} rows, {p} columns",
        "drawn tables, in standard errors",
        abs(mean - 1 - (p + 1 - 2 / n) / (n - p - 2)) / error,
        3.5,
    )
