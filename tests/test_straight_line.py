"""The line through log R that pages of the outbreak share: against scikit-learn, and against the law itself."""

import ast

import numpy as np
import pandas as pd
import pytest
import straight_line
from sklearn.linear_model import LinearRegression

from nnlib.course import datasets
from tools import notebooks


def test_the_page_that_teaches_the_inputs_writes_the_same():
    page = notebooks.load(notebooks.ROOT / "chapters" / "5-outbreak" / "05-ask-what-drives-it.ipynb")
    sources = [notebooks.text_of(cell["source"]) for cell in page["cells"]]
    source = next(text for text in sources if "def design(table):" in text)
    found = next(node for node in ast.parse(source).body if getattr(node, "name", "") == "design")
    names = {"datasets": datasets, "pd": pd}
    exec(ast.unparse(found), names)
    table = datasets.outbreak(60, seed=7).table
    pd.testing.assert_frame_equal(straight_line.inputs(table), names["design"](table))


def test_inputs_are_five_columns_in_standard_units_and_one_for_each_category_but_one():
    table = datasets.outbreak(60, seed=1).table
    X = straight_line.inputs(table)
    assert X.shape == (60, 5 + 5 + 2)
    assert list(X.columns[:5]) == ["density", "age", "beds", "temperature", "humidity"]
    pd.testing.assert_frame_equal(X.iloc[:, :5], datasets.standard_units(table))
    for name, first in (("province", "Arden"), ("measures", "none")):
        columns = X[[column for column in X if column.startswith(name)]]
        assert f"{name}_{first}" not in columns
        np.testing.assert_array_equal(columns.sum(axis=1), table[name] != first)


def test_slopes_are_those_of_scikit_learn():
    table = datasets.outbreak(seed=2).table
    X = straight_line.inputs(table)
    reference = LinearRegression().fit(X, np.log(table["R"])).coef_
    np.testing.assert_allclose(straight_line.slopes(table), reference, atol=1e-10)


def test_without_noise_the_slopes_are_the_law():
    world = datasets.outbreak(seed=3, noise=0.0)
    found = straight_line.least_squares(straight_line.inputs(world.table), world.truth["log_R"])
    for name, effect in world.effects.items():
        assert found[name] == pytest.approx(effect, abs=1e-10)


def test_a_gap_is_refused_and_named():
    table = datasets.make_missing(datasets.outbreak(seed=4).table, "beds", seed=0)
    with pytest.raises(ValueError, match="X must have no gaps; beds has some"):
        straight_line.slopes(table)
    table = datasets.make_missing(table, "age", seed=0)
    with pytest.raises(ValueError, match="X must have no gaps; age has some"):  # the first in the order of the columns
        straight_line.slopes(table)


def test_what_the_line_says_is_what_scikit_learn_says():
    table = datasets.outbreak(seed=5).table
    X, y = straight_line.inputs(table), np.log(table["R"])
    found = straight_line.said(X[:300], y[:300], X[300:])
    np.testing.assert_allclose(found, LinearRegression().fit(X[:300], y[:300]).predict(X[300:]), atol=1e-10)
    assert list(found.index) == list(range(300, 400))


def test_other_columns_are_refused():
    X = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.0]})
    with pytest.raises(ValueError, match=r"X_new must have the columns \['a', 'b'\]; got \['b', 'a'\]"):
        straight_line.said(X, [1, 2, 3], X[["b", "a"]])
