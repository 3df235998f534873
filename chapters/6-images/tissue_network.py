"""The network for pictures of tissue that several pages train: page "Diagnose tissue" writes the same, step by step."""

import numpy as np

import nnlib as nn
from nnlib.course import augment


def standardized(X, training):
    """Return pictures with mean 0 and standard deviation 1 in each colour of the training pictures.

    Parameters
    ----------
    X, training : ndarray, shape (n, height, width, 3)

    Returns
    -------
    ndarray of float32, shape (n, height, width, 3)
    """
    mean, std = training.mean(axis=(0, 1, 2)), training.std(axis=(0, 1, 2))
    return ((X - mean) / std).astype(np.float32)


def network(seed, activation="relu"):
    """Return three convolutions, each followed by max pooling, and one sigmoid unit: 5,585 parameters.

    Parameters
    ----------
    seed : int
    activation : str
        Of the convolutions; "relu" starts them as He says, all others as Glorot.
    """
    start = "he_normal" if activation == "relu" else "glorot_uniform"
    layers = []
    for filters, pool in ((12, 2), (16, 2), (24, 3)):
        layers += [
            nn.Conv2D(filters, 3, activation=activation, initializer=start),
            nn.MaxPool2D(pool),
        ]
    return nn.Sequential(
        [*layers, nn.Flatten(), nn.Dense(1, "sigmoid")],
        seed=seed,
        dtype="float32",
    )


def train(
    model,
    X,
    y,
    *,
    epochs=20,
    learning_rate=3e-3,
    batch_size=32,
    turned=True,
    seed=0,
):
    """Train the model in place with Adam; with `turned`, each epoch sees each picture flipped and turned by chance.

    Parameters
    ----------
    model : nnlib.Sequential
    X : ndarray, shape (n, height, width, 3)
        Standardized; height and width are equal.
    y : ndarray, shape (n, 1)
    epochs, batch_size, seed : int
    learning_rate : float
    turned : bool
        A lesion is a lesion from every side, so the eight forms of a picture are eight pictures.
    """
    optimizer, rng = nn.Adam(learning_rate), np.random.default_rng(seed)
    for _ in range(epochs):
        shown = (
            augment.quarter_turns(augment.flip(X, rng), rng) if turned else X
        )
        model.fit(
            shown,
            y,
            loss="binary_crossentropy",
            optimizer=optimizer,
            epochs=1,
            batch_size=batch_size,
            verbose=0,
        )
