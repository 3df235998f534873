"""What fills the gaps of the network by hand does what it says, and its stored results are those of the code."""

import json

import numpy as np
import own_network as own
import pytest

import nnlib as nn
from nnlib.course.datasets import digit_writers, load_digits
from nnlib.gradcheck import numerical_gradient, relative_error


@pytest.mark.parametrize("kind", ["rows", "writers"])
@pytest.mark.parametrize("seed", [0, 7])
def test_parts_of_a_split_share_no_row_and_by_writers_no_hand(kind, seed):
    parts = own.split(kind, seed)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(1797))
    hands = [set(digit_writers()[part]) for part in parts]
    if kind == "writers":
        assert [len(hand) for hand in hands] == [9, 2, 3]
        assert len(set.union(*hands)) == 14
    else:
        assert all(len(hand) == 14 for hand in hands)


def test_adam_is_the_librarys():
    rng = np.random.default_rng(0)
    ours, flat = {"W": rng.standard_normal((3, 2)), "b": np.zeros(2)}, np.zeros(8)
    flat[:6] = ours["W"].ravel()
    update, library = own.Adam(0.01), nn.Adam(0.01)
    library.init(8)
    arrays = dict(ours)
    for _ in range(20):
        gradients = {name: rng.standard_normal(part.shape) for name, part in ours.items()}
        update(ours, gradients)
        library.step(flat, np.concatenate([part.ravel() for part in gradients.values()]))
    assert all(ours[name] is arrays[name] for name in arrays)
    assert np.allclose(np.concatenate([part.ravel() for part in ours.values()]), flat, rtol=1e-9, atol=0)


def test_network_with_relu_has_the_gradients_of_its_loss():
    network, rng = own.new_network(0)
    X, Y = rng.random((5, 64)), np.eye(10)[:5]
    for name, gradient in network.backward(X, Y).items():
        measured = numerical_gradient(lambda: network.loss(X, Y), network.parameters[name])
        assert relative_error(gradient, measured) < 1e-6


def test_start_has_the_variance_of_he():
    W = own.he_normal(400, 100, np.random.default_rng(0))
    assert W.shape == (400, 100)
    assert W.var() == pytest.approx(2 / 400, rel=0.03)
    assert W.mean() == pytest.approx(0, abs=0.002)


def test_noise_is_drawn_anew_in_each_backward_pass_and_nowhere_else():
    network, rng = own.new_network(0, noise=0.3)
    X, Y = rng.random((5, 64)), np.eye(10)[:5]
    kept = X.copy()
    assert np.array_equal(network.forward(X), network.forward(X))
    first, second = (network.backward(X, Y)["W1"].copy() for _ in range(2))
    assert not np.allclose(first, second)
    assert np.array_equal(X, kept)
    quiet, _ = own.new_network(0)
    assert np.array_equal(quiet.backward(X, Y)["W1"], quiet.backward(X, Y)["W1"])


def test_batches_hold_each_row_once():
    found = own.shuffled_batches(10, 4, np.random.default_rng(0))
    assert [len(rows) for rows in found] == [4, 4, 2]
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(10))


@pytest.mark.parametrize(
    ("losses", "patience", "epoch"), [([3, 1, 2, 2, 0], 2, 2), ([3, 1, 2, 2, 0], 3, 5), ([1, 1, 1], 5, 1)]
)
def test_epoch_to_keep_is_the_lowest_before_patience_ends(losses, patience, epoch):
    assert own.epoch_to_keep(losses, patience) == epoch


def test_stored_results_are_complete_and_those_of_the_code():
    table = own.stored()
    assert list(table) == own.COLUMNS
    assert len(table) == 2 * 10 * (2 + 2 * len(own.NOISES) + len(own.TRIALS))
    X, Y = load_digits(flat=True)
    again = own.stop_and_repeat(X, Y, own.split("writers", 0), 0, 0.15)
    kept = table[(table.split == "writers") & (table.seed == 0) & (table.noise == 0.15)]
    for (step, epochs, loss, *right), row in zip(again, kept.itertuples(), strict=True):
        assert step == row.step
        assert epochs == pytest.approx(row.epochs, abs=10)
        assert loss == pytest.approx(row.validation_loss, rel=0.1)
        assert right == pytest.approx([row.validation_accuracy, row.test_accuracy], abs=0.02)
    about = json.loads(own.TABLE.with_suffix(".json").read_text(encoding="utf-8"))
    assert set(about) == {"date", "python", "numpy"}
