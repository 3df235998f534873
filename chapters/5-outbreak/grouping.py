"""What the pages on groups share: the columns made ready, and k-means as "Group the regions" writes it."""

import numpy as np

COLUMNS = ["density", "age", "beds", "temperature", "humidity"]


def standardized(X):
    """Return `(X - mean) / standard deviation`, column by column."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


def logs_first(table):
    """Return five columns of the regions, standardized; logs of density, beds.

    Parameters
    ----------
    table : pandas.DataFrame
        As made by :func:`nnlib.course.datasets.outbreak`, N regions.

    Returns
    -------
    ndarray, shape (N, 5)
        In the order of `COLUMNS`.
    """
    logs = np.log(table[["density", "beds"]])
    return standardized(table[COLUMNS].assign(**logs).to_numpy())


def k_means(X, centres):
    """Return the group of each row, the centres, and J after each step.

    `J` is the sum of squared distances to the centres. Assign and move take
    turns until no row changes its group; J never grows.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    centres : array_like, shape (k, columns)
        Where they start; left as they are.

    Returns
    -------
    groups : ndarray of int, shape (N,)
    centres : ndarray, shape (k, columns)
    losses : list of float
    """
    centres, groups, losses = np.array(centres, dtype=float), None, []
    while True:
        squared = ((X[:, None] - centres) ** 2).sum(axis=2)  # (rows, k)
        nearest = squared.argmin(axis=1)
        losses.append(squared.min(axis=1).sum())
        if groups is not None and (nearest == groups).all():
            return groups, centres, losses
        groups = nearest
        for j in range(len(centres)):
            if (groups == j).any():  # a centre without rows stays
                centres[j] = X[groups == j].mean(axis=0)
        losses.append(((X - centres[groups]) ** 2).sum())


def best_of(X, k=3, starts=10, seed=0):
    """Return the groups with the smallest J of several random starts."""
    chance = np.random.default_rng(seed)
    runs = [
        k_means(X, X[chance.choice(len(X), k, replace=False)])
        for _ in range(starts)
    ]
    return min(runs, key=lambda run: run[2][-1])[0]


def group(X, k, rng, starts=5, counts=None):
    """Return the groups and the centres of the best of several starts, all carried on at once: `k_means`, but quicker.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    k, starts : int
    rng : numpy.random.Generator
        Draws the rows from which each start begins.
    counts : ndarray, shape (N,), optional
        How often each row counts, e.g. was drawn; every row is given a group.

    Returns
    -------
    groups : ndarray of int, shape (N,)
    centres : ndarray, shape (k, columns)
    """
    counts = np.ones(len(X)) if counts is None else counts
    centres = np.stack(
        [X[rng.choice(len(X), k, replace=False)] for _ in range(starts)]
    )
    for _ in range(100):
        # squared distances, less what is the same for all centres
        products = X @ centres.transpose(0, 2, 1)
        away = (centres**2).sum(axis=2)[:, None] - 2 * products
        nearest = away.argmin(axis=2)
        member = (nearest[:, :, None] == np.arange(k)) * counts[:, None]
        size = member.sum(axis=1)[:, :, None]
        means = member.transpose(0, 2, 1) @ X / np.maximum(size, 1)
        moved = np.where(size > 0, means, centres)
        if np.allclose(moved, centres):
            break
        centres = moved
    own = np.take_along_axis(centres, nearest[:, :, None], 1)
    spread = ((X - own) ** 2).sum(axis=2)
    best = (spread * counts).sum(axis=1).argmin()
    return nearest[best], centres[best]
