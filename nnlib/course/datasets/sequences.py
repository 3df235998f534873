"""Sequences: numbers whose first sign is asked for at the end, and the first chapters of a book, letter by letter."""

from pathlib import Path

import numpy as np

from ...checks import as_generator, counter, positive_integer

CHAPTERS = 3  # that come with the library


def first_sign(sequences=1000, lag=10, *, seed=0):
    """Sequences to remember: x_0 = ±1, then `lag` numbers of N(0, 1) that say nothing; y = 1 where x_0 = +1, else 0.

    The answer is asked for at the last step, `lag` steps after the only one that matters. Half of the signs (rounded
    up) are +1.

    Parameters
    ----------
    sequences : int
        How many.
    lag : int
        Steps between the sign and the question, ≥ 0.
    seed : int or numpy.random.Generator

    Returns
    -------
    X : ndarray (sequences, lag + 1, 1)
    y : ndarray (sequences, 1)

    References
    ----------
    The latching problem of Bengio, Simard & Frasconi 1994, reduced to its core.
    """
    sequences, lag, rng = positive_integer("sequences", sequences), counter("lag", lag), as_generator(seed)
    y = rng.permutation(np.arange(sequences) % 2 == 0)
    X = rng.standard_normal((sequences, lag + 1, 1))
    X[:, 0, 0] = np.where(y, 1, -1)
    return X, y[:, None].astype(float)


def load_alice(chapters=CHAPTERS):
    """Return the first chapters of *Alice's Adventures in Wonderland* as one text, a paragraph a line.

    Lewis Carroll, 1865, in the public domain; from the Millennium Fulcrum Edition 3.0 of Project Gutenberg. Three
    chapters come with the library: 31,250 characters.

    Parameters
    ----------
    chapters : int
        How many of the three.
    """
    if not 1 <= positive_integer("chapters", chapters) <= CHAPTERS:
        raise ValueError(f"chapters must be 1 to {CHAPTERS}; got {chapters}")
    text = Path(__file__).with_name("alice.txt").read_text(encoding="utf-8")
    return "".join(f"CHAPTER {part}" for part in text.split("CHAPTER ")[1 : chapters + 1])
