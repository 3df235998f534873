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


SCORES = {"roc_auc", "calibration_error"}  # of probabilities, below


def test_no_metric_can_be_added_without_a_reference():
    assert set(REGRESSION) | set(CLASSES) | SCORES == set(metrics.METRICS)


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


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("digits", [1, 8], ids=["with ties", "without ties"])
def test_area_under_the_roc_curve(k, digits, record_check):
    rng = np.random.default_rng(k)
    truth = rng.integers(0, max(k, 2), 80)
    p = rng.random((80, k)).round(digits) + 0.3 * np.eye(max(k, 2))[truth][:, -k:]
    y = truth[:, None] if k == 1 else np.eye(k)[truth]
    if k < 3:
        expected = sklearn_metrics.roc_auc_score(truth, p[:, -1])
    else:
        expected = np.mean([sklearn_metrics.roc_auc_score(y[:, i], p[:, i]) for i in range(k)])
    error = abs(metrics.roc_auc(p, y) - expected)
    record_check("framework", f"metric roc_auc, {k} columns, {digits} digits", "scikit-learn", error, 1e-12)


def test_area_without_one_of_the_classes_is_undefined():
    assert np.isnan(metrics.roc_auc([[0.2], [0.7]], [[1], [1]]))
    assert np.isnan(metrics.roc_auc(np.eye(3)[[0, 1]], np.eye(3)[[0, 1]]))


def test_calibration_error_of_yes_and_no(record_check):
    """scikit-learn bins in the same way, and says of each bin the mean probability and the share of ones."""
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(3)
    p = rng.random(400)
    y = (rng.random(400) < p**2).astype(int)
    share, mean = calibration.calibration_curve(y, p, n_bins=10)
    count = np.histogram(p, bins=10, range=(0, 1))[0]
    expected = np.sum(count / 400 * np.abs(share - mean))
    error = abs(metrics.calibration_error(p[:, None], y[:, None]) - expected)
    record_check("framework", "metric calibration_error, 1 column", "scikit-learn", error, 1e-12)


def test_calibration_error_by_hand():
    """Two rows sure to 0.9 of which one is right, two sure to 0.6 of which both are: ½·|0.9 - ½| + ½·|0.6 - 1|."""
    p = np.array([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4], [0.4, 0.6]])
    y = np.eye(2)[[0, 0, 0, 1]]
    assert metrics.calibration_error(p, y) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
    assert metrics.calibration_error(p, y, bins=1) == pytest.approx(abs(0.75 - 0.75))
    assert metrics.calibration_error(np.eye(2), np.eye(2)) == 0


def test_calibration_error_wants_probabilities():
    with pytest.raises(ValueError, match=r"y_pred must hold probabilities in \[0, 1\]; got values from -1 to 2"):
        metrics.calibration_error([[-1.0], [2.0]], [[0], [1]])
    with pytest.raises(ValueError, match="bins must be a positive integer; got 0"):
        metrics.calibration_error([[0.5]], [[1]], bins=0)


@pytest.mark.parametrize("dtype", ["uint8", "int8", ">f8", "float16", "bool"])
def test_integers_are_numbers_and_do_not_overflow(dtype):
    """uint8: 1 - 2 is 255, and a mean absolute error of 254.5 looks like a bad model."""
    y, p = np.array([[0], [1], [1]], dtype), np.array([[1], [0], [1]], dtype)
    assert metrics.mae(p, y) == pytest.approx(2 / 3)
    assert metrics.rmse(p, y) == pytest.approx(np.sqrt(2 / 3))
    assert metrics.mae(np.array([[1], [255]], "uint8"), np.array([[2], [253]], "uint8")) == 1.5
    assert metrics.accuracy(p, y) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", metrics.METRICS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_has_no_score(name, bad):
    with pytest.raises(ValueError, match=r"y_pred must be finite in float64; y_pred\[1, 0\] is"):
        metrics.get(name)([[0.0], [bad]], [[0], [1]])


@pytest.mark.parametrize("name", [*CLASSES, "roc_auc", "calibration_error"])
@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([[3], [4]], "one-hot, or .* be 0 or 1"),
        ([[0.5], [1]], "one-hot, or .* be 0 or 1"),
        ([[1, 1], [1, 0]], r"row 0 is \[1.0, 1.0\]"),
        ([[0, 0], [1, 0]], r"row 0 is \[0.0, 0.0\]"),
        ([[2, -1], [1, 0]], r"row 0 is \[2.0, -1.0\]"),
    ],
    ids=["class numbers", "halves", "two classes", "no class", "beyond 1"],
)
def test_what_is_no_class_is_refused(name, y, match):
    """accuracy([[3], [4]], [[5], [7]]) was 1: all of them are at least one half."""
    with pytest.raises(ValueError, match=f"y_true must .*{match}"):
        metrics.get(name)(np.full(np.shape(y), 0.5), y)


def test_confusion_counts_rows_of_class_i_taken_for_class_j():
    y = np.eye(3)[[0, 0, 1, 2, 2, 2]]
    p = np.eye(3)[[0, 1, 1, 0, 2, 2]]
    assert metrics.confusion(p, y).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]
    assert metrics.confusion(np.array([[0.9], [0.1]]), np.array([[1], [1]])).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", [*CLASSES, "roc_auc", "calibration_error"])
def test_steps_of_a_sequence_count_like_rows(name, k):
    """(N, time, classes) and (N · time, classes) hold the same answers."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(k), (4, 5)) if k > 1 else rng.random((4, 5, 1))
    y = np.eye(k)[rng.integers(0, k, (4, 5))] if k > 1 else rng.integers(0, 2, (4, 5, 1))
    assert metrics.get(name)(p, y) == pytest.approx(metrics.get(name)(p.reshape(20, k), y.reshape(20, k)), rel=1e-12)


@pytest.mark.parametrize("name", metrics.METRICS)
def test_every_metric_is_a_plain_float(name):
    """NumPy's own would print as np.float64(0.5) in a history, and not go into JSON."""
    y = np.eye(3)
    assert type(metrics.get(name)((y + 1 / 3) / 2, y)) is float
    assert type(metrics.get(name)(np.array([[0.4], [0.9]]), np.array([[0.0], [1.0]]))) is float


@pytest.mark.parametrize("given", [metrics, type("own", (), {})], ids=["a module", "a class"])
def test_what_has_a_name_but_is_no_function_is_no_metric(given):
    with pytest.raises(ValueError, match="metric must be one of accuracy, "):
        metrics.get(given)


def test_one_half_is_a_yes():
    """The threshold itself belongs to class 1, as the docstring says."""
    assert metrics.classes(np.array([[0.5], [np.nextafter(0.5, 0)]])).tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"y must have shape \(rows, classes\), or \(rows, 1\) for yes/no; got \(2,\)"):
        metrics.classes(np.array([0.5, 0.4]))


@pytest.mark.parametrize("p", [-0.1, 1.1, 2.1])
def test_calibration_is_asked_of_probabilities(p):
    y = np.array([[1.0], [0.0], [1.0]])
    with pytest.raises(ValueError, match=r"y_pred must hold probabilities in \[0, 1\]; got values from"):
        metrics.calibration_error(np.array([[0.5], [p], [0.5]]), y)
    assert metrics.calibration_error(np.array([[0.0], [1.0], [0.5]]), y) == pytest.approx((1 + 1 + 0.5) / 3)


@pytest.mark.parametrize(
    ("p", "y", "gap"),
    [
        ([0.05, 0.1], [0, 1], abs(0.05 + 0.1 - 1)),  # the upper end belongs to the bin
        ([0.0, 0.05], [1, 0], abs(0.0 + 0.05 - 1)),  # so does 0 to the first
        ([0.05, 0.15], [0, 1], 0.05 + 0.85),
        ([0.95, 1.0], [0, 1], 0.95),
    ],
)
def test_edges_of_the_bins(p, y, gap):
    assert metrics.calibration_error(np.array(p)[:, None], np.array(y)[:, None]) == pytest.approx(gap / 2, rel=1e-12)


def test_area_of_one_pair_and_of_three_classes():
    assert metrics.roc_auc([[0.2], [0.7]], [[0], [1]]) == 1
    # class 0 is told apart perfectly, of class 1 and of class 2 one pair of two is in order
    p = [[0.8, 0.1, 0.1], [0.1, 0.3, 0.6], [0.1, 0.6, 0.3]]
    expected = [sklearn_metrics.roc_auc_score(np.eye(3)[:, i], np.array(p)[:, i]) for i in range(3)]
    assert metrics.roc_auc(p, np.eye(3)) == pytest.approx(np.mean(expected), rel=1e-12)
    assert len(set(expected)) > 1


def test_classes_of_one_row_each():
    y = np.eye(3)
    assert [metrics.get(name)(y, y) for name in ("precision", "recall", "f1")] == [1, 1, 1]


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
    with pytest.raises(ValueError, match=r"y_true must have shape \(rows, classes\)"):
        metrics.get(name)(np.array([0.2, 0.8]), np.array([0.0, 1.0]))


@pytest.mark.parametrize("value", [0.3, 1 / 3, 1e6 + 0.1])
def test_r2_of_a_constant_is_undefined_also_where_its_mean_is_off_by_a_digit(value):
    assert np.isnan(metrics.r2(np.full((10, 1), 0.2), np.full((10, 1), value)))


def test_a_bin_of_the_calibration_error_ends_with_its_upper_edge():
    """0.5 belongs to (0.4, 0.5], beside 0.41, not beside 0.59: |0.91 - 1| + |0.59 - 1| over 3 rows."""
    p, y = np.array([[0.41], [0.5], [0.59]]), np.array([[1], [0], [1]])
    assert metrics.calibration_error(p, y) == pytest.approx((abs(0.91 - 1) + abs(0.59 - 1)) / 3)
    assert metrics.calibration_error(np.array([[0.0], [0.1]]), np.array([[0], [1]])) == pytest.approx(0.9 / 2)
