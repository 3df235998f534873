"""Augmented images are the old ones, moved as said: nothing else changes, and nothing depends on hidden chance."""

import inspect

import numpy as np
import pytest
from scipy import ndimage

from nnlib.course import augment

CALLS = {
    "shift": lambda X, rng: augment.shift(X, 2, rng),
    "flip": lambda X, rng: augment.flip(X, rng),
    "quarter_turns": lambda X, rng: augment.quarter_turns(X, rng),
    "rotate": lambda X, rng: augment.rotate(X, 15, rng),
    "brightness": lambda X, rng: augment.brightness(X, 0.2, rng),
    "noise": lambda X, rng: augment.noise(X, 0.1, rng),
}


def images(n, height=6, width=6, channels=2, dtype=np.float64):
    return np.random.default_rng(7).uniform(1, 2, (n, height, width, channels)).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_every_function_is_tested():
    public = {name for name, _ in inspect.getmembers(augment, inspect.isfunction) if not name.startswith("_")}
    assert public - {"number", "one_of", "positive_integer"} == set(CALLS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CALLS)
def test_same_seed_same_bits_next_call_others_and_the_input_unchanged(name, dtype):
    """Training stays reproducible, each epoch sees other pictures, and the reader's data survive."""
    X = images(9, dtype=dtype)
    kept, state = X.copy(), np.random.get_state()[1].copy()  # noqa: NPY002 (nobody may have used it)
    generator = rng(3)
    first, second = CALLS[name](X, generator), CALLS[name](X, generator)
    assert (first.shape, first.dtype) == (X.shape, X.dtype)
    np.testing.assert_array_equal(first, CALLS[name](X, rng(3)))
    assert not np.array_equal(first, second)
    assert not np.shares_memory(first, X)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_each_shift_is_a_rolled_image_with_filled_edges_and_all_are_equally_frequent():
    X = images(2500, 4, 5, 1)
    count = np.zeros((5, 5), int)
    after = augment.shift(X, 2, rng(), fill=-1.0)
    framed = np.pad(X, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=-1.0)
    for down in range(-2, 3):
        for right in range(-2, 3):
            moved = np.roll(framed, (down, right), (1, 2))[:, 2:-2, 2:-2]
            count[down, right] = (after == moved).all((1, 2, 3)).sum()
    assert count.sum() == 2500
    # 25 cells of 100 each: chi-square of 24 degrees of freedom, 0.999 quantile
    assert ((count - 100) ** 2 / 100).sum() < 51.2


@pytest.mark.parametrize(("direction", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_about_half_are_mirrored_and_the_others_left_alone(direction, axis):
    X = images(1000)
    mirrored = 0
    for before, after in zip(X, augment.flip(X, rng(), direction), strict=True):
        turned = np.array_equal(after, np.flip(before, axis))
        assert turned or np.array_equal(after, before)
        mirrored += turned
    assert abs(mirrored - 500) < 4 * np.sqrt(250)


def test_quarter_turns_are_those_of_rot90_equally_often():
    X = images(1000)
    turned = [
        next(k for k in range(4) if np.array_equal(after, np.rot90(before, k)))
        for before, after in zip(X, augment.quarter_turns(X, rng()), strict=True)
    ]
    assert (abs(np.bincount(turned) - 250) < 4 * np.sqrt(1000 * 0.25 * 0.75)).all()


def test_rotation_is_that_of_scipy_by_an_angle_uniform_in_the_range():
    """SciPy is asked for each drawn angle; the generator is read a second time to know them."""
    X = images(40, 7, 9)
    after = augment.rotate(X, 30, rng(5), fill=0.5)
    angles = rng(5).uniform(-30, 30, 40)
    for image, angle, got in zip(X, angles, after, strict=True):
        wanted = ndimage.rotate(image, angle, reshape=False, order=1, mode="grid-constant", cval=0.5)
        np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_a_small_image_turned_by_45_degrees_by_hand():
    """Of a single bright pixel right of the centre, anticlockwise means up: its light falls on the upper right."""
    image = np.zeros((1, 3, 3, 1))
    image[0, 1, 2] = 1.0

    class Upper(np.random.Generator):
        def uniform(self, low, high, size):
            return np.full(size, high)

    after = augment.rotate(image, 45, Upper(np.random.PCG64(0)))[0, :, :, 0]
    # pixel (0, 2) fetches from (1, 1 + √2): (1 − (√2 − 1)) of the bright pixel, the rest from beyond the edge
    assert after[0, 2] == pytest.approx(2 - np.sqrt(2))
    assert after[2].max() < 1e-12
    # pixel (1, 2) fetches from (1 + √½, 1 + √½): a share (1 − √½)·√½
    assert after[1, 2] == pytest.approx((1 - np.sqrt(0.5)) * np.sqrt(0.5))


def test_brightness_adds_one_number_to_each_image_and_noise_one_to_each_pixel():
    X = images(2000)
    added = augment.brightness(X, 0.3, rng()) - X
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1, :1], X.shape), atol=1e-12)
    each = added[:, 0, 0, 0]
    assert -0.3 <= each.min() < -0.29
    assert 0.29 < each.max() <= 0.3
    assert each.std() == pytest.approx(0.3 / np.sqrt(3), rel=0.05)  # of a uniform variable on ±0.3
    added = augment.noise(X, 0.3, rng()) - X
    assert added.mean() == pytest.approx(0, abs=4 * 0.3 / np.sqrt(X.size))
    assert added.std() == pytest.approx(0.3, rel=0.01)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("X", "generator", "message"),
    [
        (np.ones((3, 8, 8)), rng(), r"X must have shape \(batch, height, width, channels\); got \(3, 8, 8\)"),
        (np.ones((0, 8, 8, 1)), rng(), r"X must have shape .* got \(0, 8, 8, 1\)"),
        (np.ones((3, 8, 8, 1), np.uint8), rng(), r"X must be of float32 or float64 .*; got uint8"),
        (np.ones((3, 8, 8, 1)), 0, "rng must be a numpy.random.Generator, as a seed .*; got 0"),
        (np.ones((3, 8, 8, 1)), None, "rng must be a numpy.random.Generator, .*; got None"),
    ],
)
def test_wrong_images_and_generators_are_named(name, X, generator, message):
    with pytest.raises(ValueError, match=message):
        CALLS[name](X, generator)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X: augment.shift(X, 0, rng()), r"pixels must be a positive integer.*; got 0"),
        (lambda X: augment.shift(X, 1.5, rng()), r"pixels must be a positive integer.*; got 1.5"),
        (lambda X: augment.shift(X, 4, rng()), "pixels must be smaller than the images of 4 × 5; got 4"),
        (lambda X: augment.shift(X, 1, rng(), fill="grey"), "fill must be a finite number .*; got 'grey'"),
        (lambda X: augment.flip(X, rng(), "diagonal"), "direction must be one of horizontal, vertical; got 'diagonal'"),
        (lambda X: augment.quarter_turns(X, rng()), r"X must hold images as high as wide; got shape \(3, 4, 5, 1\)"),
        (lambda X: augment.rotate(X, 200, rng()), "degrees must be a finite number in .*180.*; got 200"),
        (lambda X: augment.rotate(X, 9, rng(), fill=np.nan), "fill must be a finite number .*; got nan"),
        (lambda X: augment.brightness(X, -0.1, rng()), "most must be a finite number .*; got -0.1"),
        (lambda X: augment.noise(X, "much", rng()), "std must be a finite number .*; got 'much'"),
    ],
)
def test_wrong_sizes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.ones((3, 4, 5, 1)))


def test_digits_augmented_anew_in_each_epoch_train_a_model():
    """The use that the module states: one generator, one optimizer, fresh pictures in every epoch."""
    import nnlib as nn
    from nnlib.course.datasets import load_digits

    X, y = load_digits()
    X, y = X[:200].astype(np.float32), y[:200].astype(np.float32)
    model = nn.Sequential([nn.Flatten(), nn.Dense(32, "relu"), nn.Dense(10, "softmax")], seed=0, dtype="float32")
    optimizer, generator = nn.Adam(0.01), rng()
    before_all = after_all = None
    for _ in range(15):
        fresh = augment.shift(X, 1, generator)
        history = model.fit(fresh, y, loss="categorical_crossentropy", optimizer=optimizer, epochs=1)
        before_all, after_all = before_all or history["loss"][0], history["loss"][0]
    assert after_all < before_all / 2
