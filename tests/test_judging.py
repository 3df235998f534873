"""What the pages on judging a model define themselves, against scikit-learn."""

import math

import numpy as np
import pytest

from nnlib import metrics
from nnlib.course import datasets
from tools import notebooks

sklearn_metrics = pytest.importorskip("sklearn.metrics")
model_selection = pytest.importorskip("sklearn.model_selection")
neighbors = pytest.importorskip("sklearn.neighbors")


def defined(page, *cells):
    """Run these cells of a page and return the names that they define."""
    found = notebooks.load(notebooks.ROOT / "chapters" / "2-foundations" / f"{page}.ipynb")["cells"]
    space = {"math": math, "np": np, "metrics": metrics, "datasets": datasets}
    sources = {cell["id"]: notebooks.text_of(cell["source"]) for cell in found}
    for cell in cells:
        exec(compile(sources[cell], f"{page}: {cell}", "exec"), space)
    return space


@pytest.fixture(scope="module")
def yes_and_no():
    return defined("33-judge-yes-and-no", "averages-code", "pr-code")


def scores_with_ties(seed, n=200):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(float)
    return (rng.normal(size=n) + y).round(1), y


@pytest.mark.parametrize("seed", range(5))
def test_precision_recall_curve(yes_and_no, seed):
    score, y = scores_with_ties(seed)
    precision, recall = yes_and_no["precision_recall"](score, y)
    theirs_precision, theirs_recall, _ = sklearn_metrics.precision_recall_curve(y, score)
    np.testing.assert_allclose(precision, theirs_precision[:-1][::-1])
    np.testing.assert_allclose(recall, theirs_recall[:-1][::-1])
    theirs = sklearn_metrics.average_precision_score(y, score)
    assert yes_and_no["average_precision"](score, y) == pytest.approx(theirs)


def test_a_guesser_has_the_share_of_the_ill_as_average_precision(yes_and_no):
    rng = np.random.default_rng(0)
    y = (rng.random(50_000) < 0.1).astype(float)
    assert yes_and_no["average_precision"](rng.random(50_000), y) == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["macro", "weighted", "micro"])
def test_averages_over_classes(yes_and_no, seed, kind):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 40, size=(4, 4))
    truth, said = np.repeat(np.indices((4, 4)).reshape(2, 16), counts.ravel(), axis=1)
    *theirs, _ = sklearn_metrics.precision_recall_fscore_support(truth, said, average=kind)
    ours = yes_and_no["averages"](counts)
    assert [ours[name][kind] for name in ("precision", "recall", "f1")] == pytest.approx(theirs)


@pytest.fixture(scope="module")
def splits():
    return defined("32-split-without-a-leak", "stratify", "groups-code")


def visits(seed):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(80), 4)
    X = rng.standard_normal((80, 5))[person] + 0.3 * rng.standard_normal((320, 5))
    return X, rng.integers(2, size=80)[person], person


def test_grouped_splits_keep_persons_whole_and_tell_the_truth(splits):
    """As scikit-learn's: folds by row promise much, folds by person a coin."""
    by_row, by_person = [], []
    for seed in range(12):
        X, y, person = visits(seed)
        test = splits["by_person"](person, np.random.default_rng(seed))
        assert not set(person[test]) & set(person[~test])
        assert test.sum() == len(person) // 5
        model = neighbors.KNeighborsClassifier(1)
        np.testing.assert_array_equal(
            splits["nearest"](X[~test], y[~test], X[test]), model.fit(X[~test], y[~test]).predict(X[test])
        )
        folds = model_selection.KFold(5, shuffle=True, random_state=seed)
        by_row.append(model_selection.cross_val_score(model, X, y, cv=folds).mean())
        folds = model_selection.GroupKFold(5)
        by_person.append(model_selection.cross_val_score(model, X, y, groups=person, cv=folds).mean())
    ours = {
        split: np.mean([splits["visits_scored"](4, 0.3, splits[split], seed) for seed in range(40)])
        for split in ("by_row", "by_person")
    }
    assert ours["by_row"] == pytest.approx(np.mean(by_row), abs=0.06)
    assert ours["by_person"] == pytest.approx(np.mean(by_person), abs=0.06)


def test_a_stratified_split_holds_out_as_many_of_each_class(splits):
    y = np.random.default_rng(0).permutation(np.repeat([0, 1], [180, 20]))
    theirs = model_selection.StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    _, held_out = next(theirs.split(y[:, None], y))
    train, test = splits["stratified_split"](y, 0.25, np.random.default_rng(0))
    assert (len(test), y[test].sum()) == (len(held_out), y[held_out].sum())
    assert sorted([*train, *test]) == list(range(200))


def test_the_last_split_by_time_is_that_of_the_page():
    space = defined("32-split-without-a-leak", "time-code")
    *_, (train, test) = model_selection.TimeSeriesSplit(n_splits=2, test_size=73).split(np.arange(365))
    np.testing.assert_array_equal(train, np.arange(292))
    y = np.cumsum(np.random.default_rng(7).standard_normal(365))
    theirs = neighbors.KNeighborsRegressor(1).fit(train[:, None], y[train]).predict(test[:, None])
    np.testing.assert_array_equal(space["nearest_day"](train, test, y), theirs)


def test_the_cost_of_a_threshold_is_that_of_the_two_kinds_of_mistake():
    cost = defined("34-choose-a-threshold", "cost-function")["cost"]
    score, y = scores_with_ties(3)
    p = 1 / (1 + np.exp(-score))
    for threshold in (0.2, 0.5, 0.7):
        _, alarms, misses, _ = sklearn_metrics.confusion_matrix(y, p >= threshold).ravel()
        assert cost(p, y, threshold, 7, 2) == pytest.approx((2 * alarms + 7 * misses) / len(y))
