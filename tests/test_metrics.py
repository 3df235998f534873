"""Metrics against scikit-learn, and on rows that can be counted by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlib import metrics

sklearn_metrics = pytest.importorskip("sklearn.metrics")

REGRESSION = {
    "rmse": lambda p, y: np.sqrt(sklearn_metrics.mean_squared_error(y, p)),
    "mae": lambda p, y: sklearn_metrics.mean_absolute_error(y, p),
    "r2": lambda p, y: sklearn_metrics.r2_score(y, p, multioutput="variance_weighted"),
}
CLASSES = {
    "accuracy": lambda p, y, average: sklearn_metrics.accuracy_score(y, p),
    "precision": lambda p, y, average: sklearn_metrics.precision_score(y, p, average=average, zero_division=0),
    "recall": lambda p, y, average: sklearn_metrics.recall_score(y, p, average=average, zero_division=0),
    "f1": lambda p, y, average: sklearn_metrics.f1_score(y, p, average=average, zero_division=0),
}


def test_no_metric_can_be_added_without_a_reference():
    assert set(REGRESSION) | set(CLASSES) == set(metrics.METRICS)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("name", REGRESSION)
def test_regression(name, outputs, record_check):
    rng = np.random.default_rng(1)
    y, noise = rng.normal(size=(2, 40, outputs))
    y *= np.arange(1, outputs + 1)
    error = abs(metrics.get(name)(y + noise, y) - REGRESSION[name](y + noise, y))
    record_check("framework", f"metric {name}, {outputs} outputs", "scikit-learn", error, 1e-12)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("name", CLASSES)
def test_classes(name, k, record_check):
    rng = np.random.default_rng(k)
    p = rng.random((50, k))
    if k == 1:
        y, taken, average = rng.integers(0, 2, (50, 1)), (p[:, 0] >= 0.5).astype(int), "binary"
        truth = y[:, 0]
    else:
        truth, taken = rng.integers(0, k, 50), p.argmax(axis=1)
        y, average = np.eye(k)[truth], "binary" if k == 2 else "macro"
    error = abs(metrics.get(name)(p, y) - CLASSES[name](taken, truth, average))
    record_check("framework", f"metric {name}, {k} columns", "scikit-learn", error, 1e-12)


def test_confusion_counts_rows_of_class_i_taken_for_class_j():
    y = np.eye(3)[[0, 0, 1, 2, 2, 2]]
    p = np.eye(3)[[0, 1, 1, 0, 2, 2]]
    assert metrics.confusion(p, y).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert metrics.confusion(np.array([[0.9], [0.1]]), np.array([[1], [1]])).tolist() == [[0, 0], [1, 1]]


def test_one_half_is_a_yes():
    """The threshold itself belongs to class 1, as the docstring says."""
    assert metrics.classes(np.array([[0.5], [np.nextafter(0.5, 0)]])).tolist() == [1, 0]
    assert metrics.accuracy(np.array([[0.5]]), np.array([[1.0]])) == 1


def test_nothing_predicted_positive_is_zero_not_an_error():
    p, y = np.zeros((3, 1)), np.array([[1], [0], [1]])
    assert [metrics.get(name)(p, y) for name in ("precision", "recall", "f1")] == [0, 0, 0]


def test_r2_of_a_constant_target_is_undefined():
    assert np.isnan(metrics.r2(np.ones((3, 1)), np.full((3, 1), 2.0)))


@given(st.integers(1, 30))
def test_predicting_the_mean_has_an_r2_of_zero(n):
    y = np.random.default_rng(n).normal(size=(n + 1, 1))
    assert metrics.r2(np.full_like(y, y.mean()), y) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_flat_targets_are_refused_not_broadcast(name):
    """(N, 1) minus (N,) is N × N numbers, whose mean looks like a bad model."""
    with pytest.raises(ValueError, match=r"must have the same shape; got \(3, 1\) and \(3,\)"):
        metrics.get(name)(np.zeros((3, 1)), np.zeros(3))


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_a_flat_array_are_refused(name):
    """Its last axis is the rows: the largest of all rows would be taken for a class."""
    with pytest.raises(ValueError, match=r"y must have shape \(rows, classes\)"):
        metrics.get(name)(np.array([0.2, 0.8]), np.array([0.0, 1.0]))
