"""Handwritten digits: the smallest images on which a network can show what it learns."""

import numpy as np

# the first row of each form, and the number of rows: see `digit_writers`
FORMS = 0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667, 1797


def load_digits(*, flat=False, one_hot=True):
    """1,797 handwritten digits of 8 × 8 pixels, as scikit-learn ships them (no download).

    Parameters
    ----------
    flat : bool
        Return each image as a row of 64 numbers instead of (8, 8, 1).
    one_hot : bool
        Return y as rows of ten zeros and ones instead of one class number.

    Returns
    -------
    X : ndarray of float64, (1797, 8, 8, 1) or (1797, 64)
        Ink per pixel, scaled from 0..16 to 0..1.
    y : ndarray, (1797, 10) of float64 or (1797, 1) of int64

    References
    ----------
    Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning
    Repository. The 1,797 images are its test part.
    """
    from sklearn.datasets import load_digits as sklearn_digits

    digits = sklearn_digits()
    X, labels = digits.data / 16.0, digits.target.astype(np.int64)
    return X if flat else X.reshape(-1, 8, 8, 1), np.eye(10)[labels] if one_hot else labels[:, None]


def digit_writers():
    """Whose hand wrote each of the digits of `load_digits`: the number of the form that it comes from.

    The table does not name its writers, but its order gives them away. Each filled in the same form of 130
    digits, 0123456789 three times and then 0955650989..., and the rows stand form by form: the labels begin
    anew 14 times. (Up to eight digits of a form are missing, and in row 385 somebody wrote a 3 for an 8.)

    The table's description speaks of 13 writers. 14 forms are either one writer more, or two forms by one of
    them; the pictures of no two forms look as if the same hand had drawn them, so each counts as a writer here.

    Returns
    -------
    writers : ndarray of int64, (1797,)
        0 to 13, ascending.

    References
    ----------
    Alpaydin, E. and Kaynak, C. (1998), as for `load_digits`. The INRIA course on scikit-learn, "Sample grouping",
    lists the same bounds but one: 915 instead of 906, which gives the nine digits 1 to 9 of the eighth form, whose
    first 0 is missing, to the seventh.
    """
    return np.repeat(np.arange(len(FORMS) - 1), np.diff(FORMS))
