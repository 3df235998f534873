"""Handwritten digits: the smallest images on which a network can show what it learns."""

import numpy as np


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
