"""The sequences of the course: what is asked is there, nothing else tells it, and the book is the book."""

import numpy as np
import pytest

from nnlib.course import datasets


def test_only_the_first_number_tells_the_sign():
    X, y = datasets.first_sign(4000, 6, seed=1)
    assert (X.shape, y.shape, y.mean()) == ((4000, 7, 1), (4000, 1), 0.5)
    np.testing.assert_array_equal(X[:, 0], 2 * y - 1)
    later = X[:, 1:, 0]
    assert np.abs(np.corrcoef(later, y, rowvar=False)[-1, :-1]).max() < 0.06  # 4 standard errors
    np.testing.assert_allclose((later.mean(), later.std()), (0, 1), atol=0.03)
    assert datasets.first_sign(5, 0)[1].sum() == 3
    assert datasets.first_sign(5, 0)[0].shape == (5, 1, 1)


def test_signs_repeat_with_their_seed_and_refuse_nonsense():
    one, two, other = (datasets.first_sign(50, 4, seed=seed) for seed in (4, 4, 5))
    for mine, again in zip(one, two, strict=True):
        np.testing.assert_array_equal(mine, again)
    assert not np.array_equal(one[0], other[0])
    for sequences in (0, 2.5, "9", True):
        with pytest.raises(ValueError, match=f"sequences must be a positive integer.*; got {sequences!r}"):
            datasets.first_sign(sequences)
    for lag in (-1, 2.5, "9", None):
        with pytest.raises(ValueError, match=f"lag must be .*; got {lag!r}"):
            datasets.first_sign(10, lag)


def test_alice_is_there_chapter_by_chapter():
    text = datasets.load_alice()
    assert text.count("CHAPTER ") == 3
    assert text.startswith("CHAPTER I. Down the Rabbit-Hole\nAlice was beginning to get very tired")
    assert f"{len(text):,} characters" in datasets.load_alice.__doc__
    assert text.startswith(datasets.load_alice(2))
    assert "CHAPTER III" not in datasets.load_alice(2)
    assert not set(text) - set("\n !'\"()*,-.:;?_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    for chapters in (0, 4, 1.5, "two"):
        with pytest.raises(ValueError, match="chapters must be"):
            datasets.load_alice(chapters)
