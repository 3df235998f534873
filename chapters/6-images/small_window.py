"""What the pages of the images share: the two loops of a convolution, and a small grey photograph."""

import numpy as np
from sklearn.datasets import load_sample_image


def feature_map(X, W, b=0.0):
    """Return z[u, v] = b + Σ W[i, j] X[u + i, v + j], summed over i and j: the window W at each place of X.

    Parameters
    ----------
    X : array_like, shape (height, width)
        The picture.
    W : array_like, shape (k, l)
        The filter, not turned round.
    b : float
        The bias.

    Returns
    -------
    ndarray, shape (height - k + 1, width - l + 1)

    Raises
    ------
    ValueError
        If the filter does not fit into the picture.
    """
    X, W = np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    if X.ndim != 2 or W.ndim != 2:
        raise ValueError(
            f"X and W must be tables; got the shapes {X.shape} and {W.shape}"
        )
    down, across = (n - k + 1 for n, k in zip(X.shape, W.shape, strict=True))
    if down < 1 or across < 1:
        raise ValueError(
            f"W must fit into the picture, {X.shape}; got {W.shape}"
        )
    z = np.zeros((down, across))
    for u in range(down):
        for v in range(across):
            part = X[u : u + W.shape[0], v : v + W.shape[1]]
            z[u, v] = b + np.sum(W * part)
    return z


def pagoda():
    """Return 96 by 96 pixels of a photograph, grey from 0 to 1.

    It is a part of scikit-learn's `china.jpg`, by danielbuechele (https://www.flickr.com/photos/danielbuechele/),
    CC BY 2.0; each pixel is the mean of 3 by 3 pixels and three colours.
    """
    grey = load_sample_image("china.jpg").mean(axis=2) / 255
    return grey[25:313, 60:348].reshape(96, 3, 96, 3).mean(axis=(1, 3))
