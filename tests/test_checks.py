"""The door: what comes in is either right or refused with the name of the argument, what is allowed and what came."""

from fractions import Fraction

import numpy as np
import pytest

from nnlib import arrays, checks


@pytest.mark.parametrize("given", ["float32", np.float32, np.dtype("float32"), "f4"])
def test_dtype_in_every_spelling(given):
    assert checks.as_dtype(given) == np.float32


@pytest.mark.parametrize("given", ["float16", "int64", int, "no such type", complex])
def test_other_dtypes_are_refused(given):
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64'; got"):
        checks.as_dtype(given)


def test_seed_makes_a_generator_and_a_generator_is_kept():
    assert checks.as_generator(3).random() == np.random.default_rng(3).random()
    rng = np.random.default_rng(0)
    assert checks.as_generator(rng) is rng
    assert checks.as_generator(np.int64(3)).random() == checks.as_generator(3).random()


@pytest.mark.parametrize("given", [-1, 1.5, None, True, "0", np.random.RandomState(0)])
def test_other_seeds_are_refused(given):
    with pytest.raises(ValueError, match=r"seed must be a non-negative integer or a numpy.random.Generator; got"):
        checks.as_generator(given)


@pytest.mark.parametrize("given", [0, -3, 2.0, "2", True, None, np.float64(2)])
def test_positive_integer_refuses(given):
    with pytest.raises(ValueError, match="units must be a positive integer; got"):
        checks.positive_integer("units", given)


def test_positive_integer_makes_plain_ints():
    """NumPy's integers would not go into the JSON of a saved model."""
    assert type(checks.positive_integer("units", np.int32(3))) is int


@pytest.mark.parametrize("given", [0, 3, 2**53, np.int64(3)])
def test_counter_makes_plain_ints(given):
    assert checks.counter("epoch", given) == given
    assert type(checks.counter("epoch", given)) is int


@pytest.mark.parametrize("given", [-1, 2**53 + 1, 1.0, True, "1", None])
def test_counter_refuses(given):
    with pytest.raises(ValueError, match="epoch must be a whole number from 0 to 2⁵³; got"):
        checks.counter("epoch", given)


@pytest.mark.parametrize(("given", "expected"), [(2, (2, 2)), ((1, 3), (1, 3)), ([4, 5], (4, 5))])
def test_pair(given, expected):
    assert checks.pair("size", given) == expected


@pytest.mark.parametrize("given", [0, (1, 0), (1, 2, 3), "22", 1.0, None])
def test_pair_refuses(given):
    with pytest.raises(ValueError, match="size must be a positive integer"):
        checks.pair("size", given)


@pytest.mark.parametrize("given", [0.5, np.float32(0.5), Fraction(1, 2)])
def test_number_makes_plain_floats(given):
    assert checks.number("rate", given, 0, 1) == 0.5
    assert type(checks.number("rate", given, 0, 1)) is float


@pytest.mark.parametrize("given", [-0.1, 1.0, float("nan"), float("inf"), "0.5", None, True, 0.5j, [0.5]])
def test_number_refuses_what_is_outside_its_interval(given):
    with pytest.raises(ValueError, match=r"rate must be a finite number in \[0, 1\); got"):
        checks.number("rate", given, 0, 1, open_high=True)


def test_one_of_lists_what_there_is():
    with pytest.raises(ValueError, match="colour must be one of blue, red; got 'green'"):
        checks.one_of("colour", "green", {"red": 1, "blue": 2})
    with pytest.raises(ValueError, match=r"colour must be one of blue, red; got \['red'\]"):
        checks.one_of("colour", ["red"], {"red": 1, "blue": 2})


def test_sum_rows_is_the_sum_over_rows():
    x = np.random.default_rng(0).normal(size=(7, 3))
    np.testing.assert_allclose(arrays.sum_rows(x), x.sum(axis=0), rtol=1e-14)
    out = np.empty(3)
    assert arrays.sum_rows(x, out=out) is out


def test_a_matrix_is_its_own_matrix():
    x = np.zeros((2, 3))
    assert arrays.as_matrix(x) is x
    assert arrays.as_matrix(np.zeros((2, 4, 3))).shape == (8, 3)
    assert arrays.as_matrix(np.zeros(3)).shape == (1, 3)


@pytest.mark.parametrize(
    "given",
    [
        [[1, 2], [3, 4]],
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]], dtype=np.int8),
        np.array([[1, 2], [3, 4]], dtype=np.uint64),
        np.array([[1, 2], [3, 4]], dtype=">f4"),
        np.array([[1, 3], [2, 4]], dtype=float).T,
        np.array([[1, 0, 2], [3, 0, 4]], dtype=np.float16)[:, ::2],
        np.ma.array([[1, 2], [3, 4]]),
    ],
    ids=["list", "tuple", "int8", "uint64", "big-endian", "transposed", "strided", "masked without masks"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_every_kind_of_numbers(given, dtype):
    rows = checks.as_numbers("X", given, dtype, axes=2)
    assert rows.dtype == dtype
    assert rows.dtype.isnative
    assert rows.flags.c_contiguous
    assert type(rows) is np.ndarray
    assert rows.tolist() == [[1, 2], [3, 4]]


def test_bools_are_zeros_and_ones():
    assert checks.as_numbers("y", [[True], [False]], "float32", axes=2).tolist() == [[1], [0]]


def test_data_frames_are_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [19, 18], "bmi": [27.9, 33.8]})
    assert checks.as_numbers("X", frame, "float64", axes=2).tolist() == [[19, 27.9], [18, 33.8]]
    with pytest.raises(ValueError, match=r"X must hold numbers; got dtype object \(DataFrame\)"):
        checks.as_numbers("X", frame.assign(sex=["female", "male"]), "float64", axes=2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            [1.0, 2.0],
            r"X must have shape \(rows, ...\) with two or more axes; got shape \(2,\); use X.reshape\(-1, 1\)",
        ),
        (3.0, r"two or more axes; got shape \(\); use X"),
        (np.zeros((0, 3)), r"X must not be empty; got shape \(0, 3\)"),
        (np.zeros((3, 0)), r"X must not be empty; got shape \(3, 0\)"),
        ([["a"]], "X must hold numbers; got dtype <U1 "),
        ([[1 + 2j]], "X must hold numbers; got dtype complex128"),
        ([[None, 1.0]], "X must hold numbers; got dtype object"),
        (None, r"X must hold numbers; got dtype object \(NoneType\)"),
        ([[1.0, 2.0], [3.0]], "X must be rows of equal length; got a list that is ragged"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), "X must hold numbers; got dtype datetime64"),
        ([[1.0, 2.0], [np.nan, 4.0]], r"X must be finite in float32; X\[1, 0\] is nan"),
        ([[1.0, -np.inf]], r"X must be finite in float32; X\[0, 1\] is -inf"),
        ([[1.0, 1e39]], r"X must be finite in float32; X\[0, 1\] is 1e\+39"),
        (np.ma.array([[1, 2]], mask=[[0, 1]]), "X must not hold masked entries; got 1 of them"),
    ],
)
def test_rows_that_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        checks.as_numbers("X", given, "float32", axes=2)


def test_same_shape_refuses_to_broadcast():
    with pytest.raises(ValueError, match=r"the same shape; got \(3, 1\) and \(3,\)"):
        checks.same_shape(np.zeros((3, 1)), np.zeros(3))


def test_the_row_that_is_no_distribution_is_named():
    """Row 0 is one; row 1 sums to 1, but holds a number below 0."""
    with pytest.raises(ValueError, match=r"row 1 is \[1\.5, -0\.5\]"):
        checks.check_distributions("y", np.array([[0.0, 1.0], [1.5, -0.5]]))


def test_of_several_classes_without_a_weight_the_lowest_is_named():
    with pytest.raises(ValueError, match="class 1 has none"):
        checks.class_weights("class_weight", {0: 1.0}, np.eye(9)[[8, 1, 0]])


@pytest.mark.parametrize(("columns", "last"), [(1, 1), (2, 1), (3, 2)])
def test_a_weight_of_a_class_that_there_is_not_is_refused(columns, last):
    """Such as that of class 10 where the digit 1 was meant."""
    y = np.array([[0.0], [1.0]]) if columns == 1 else np.eye(columns)
    factors = dict.fromkeys(range(last + 1), 1.5)
    assert checks.class_weights("class_weight", factors, y).tolist() == [1.5] * len(y)
    with pytest.raises(ValueError, match=f"class_weight must have keys from 0 to {last}, the classes of y; got 10"):
        checks.class_weights("class_weight", {**factors, 10: 2.0}, y)


def test_a_shape_of_more_numbers_than_any_machine_holds_is_refused():
    assert checks.as_shape("units", 2**40) == (2**40,)
    with pytest.raises(ValueError, match="at most 2"):
        checks.as_shape("units", (2**20, 2**21))


def test_no_dtype_is_none():
    """To NumPy, None is float64."""
    with pytest.raises(ValueError, match="dtype must be"):
        checks.as_dtype(None)


def test_yes_is_true():
    assert checks.yes_or_no("unbiased", np.True_) is True


def test_probabilities_may_sum_to_one_but_for_a_thousandth():
    checks.check_distributions("y", np.array([[0.5, 0.5 + 2.0**-10]]))
    with pytest.raises(ValueError, match="row 0 is"):
        checks.check_distributions("y", np.array([[0.5, 0.5 + 2.0**-9]]))


def test_weights_of_classes_are_for_targets_of_zeros_and_ones():
    with pytest.raises(ValueError, match="one class a row"):
        checks.class_weights("class_weight", {0: 1, 1: 1}, np.array([[0.0], [0.5]]))
    three = np.eye(3)[[0, 1, 2, 0, 1]]
    with pytest.raises(ValueError, match="keys from 0 to 2"):
        checks.class_weights("class_weight", {0: 1, 1: 1, 2: 1, 3: 1}, three)
