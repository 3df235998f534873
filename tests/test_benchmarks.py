"""The benchmark compares like with like, and its page shows what was measured."""

import numpy as np
import pytest

from benchmarks import report, runner
from benchmarks.peers import PEERS
from benchmarks.peers.base import Loop
from benchmarks.peers.handwritten import Handwritten
from benchmarks.workloads import WORKLOADS, Workload, load


def results():
    rows = {
        key: {
            "us_per_step": {"low": 1.0, "median": 2.0, "high": 3.0},
            "ratio": {"low": 1.0, "median": 2.0, "high": 3.0},
        }
        for key in PEERS
        if key not in ("torch", "sklearn")
    }
    return {
        "date": "2000-01-01",
        "machine": {"processor": "abacus", "cores_used": 1, "system": "wood", "python": "3.11"},
        "versions": {"numpy": "2.0"},
        "rounds": 3,
        "missing": {"torch": ["torch"]},
        "import_ms": {},
        "workloads": {"W1 b32": rows},
    }


def test_a_peer_that_trains_something_else_is_found_out():
    verdicts = runner.check_losses({"numpy": 0.1, "nnlib": 0.12, "torch": 0.3, "jax_step": float("nan")})
    assert {key for key, verdict in verdicts.items() if verdict == "ok"} == {"numpy", "nnlib"}


def test_missing_peers_are_shown_as_missing():
    """A reader must be able to tell "not installed" from "cannot express this network"."""
    lines = report.markdown(results()).splitlines()
    assert "| PyTorch eager | missing |" in lines
    assert "| scikit-learn MLP, fit | – |" in lines


def test_a_busy_machine_is_confessed():
    busy = results()
    busy["machine"] |= {"busy_cores": 3.0, "cores": 2}
    assert "was not free" in report.markdown(busy)
    assert "was not free" not in report.markdown(results())


def test_an_interrupted_write_leaves_the_old_results(tmp_path):
    path = tmp_path / "results.json"
    runner.write(results(), path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        runner.write({"broken": object()}, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_committed_results_are_complete_and_of_equal_problems():
    """The page states what this file says: every workload, nnlib and yardstick in each, no peer off the mark."""
    measured = report.read()
    assert list(measured["workloads"]) == list(WORKLOADS)
    for rows in measured["workloads"].values():
        assert {"floor", "numpy", "nnlib"} <= set(rows) <= set(PEERS)
        assert all(row.get("same_problem", "ok") == "ok" for row in rows.values())
        assert all(row["us_per_step"]["median"] > 0 for row in rows.values())


def test_the_clock_sees_every_epoch_with_all_rows_once():
    workload = Workload("test", "digits", 4, "sgd", 0.1, 1)
    loop = Loop(workload, np.zeros((12, 1)), np.zeros((12, 1)))
    orders = []
    loop.epoch = lambda: orders.append(loop.order()) or 0.0
    assert len(loop.train(3)) == len(orders) == 3
    assert all(sorted(order.ravel()) == list(range(12)) for order in orders)
    assert not np.array_equal(orders[0], orders[1])


@pytest.mark.parametrize("name", ["W1 b8", "W2 Adam", "W4 CNN", "W5 LSTM"])
def test_the_hand_written_gradient_is_the_derivative_of_its_loss(name):
    """The yardstick must do the whole work: along a random direction its gradient predicts the change of the loss."""
    workload = WORKLOADS[name]
    X, y = load(workload.network)
    network = Handwritten(workload, X, y)
    x, y = X[: workload.batch_size], y[: workload.batch_size]
    if workload.network == "insurance":
        x = (x - X.mean(0)) / X.std(0)

    def loss(flat):
        network.flat[...] = flat
        network.rng = np.random.default_rng(3)  # the same units dropped each time
        return network.step(x, y)

    start = network.flat.copy()
    value = loss(start)
    gradient = network.gradient.astype(float)
    direction = gradient / np.linalg.norm(gradient)
    step = 3e-4 * value / np.linalg.norm(gradient)  # as small as float32 allows: kinks are everywhere
    slope = (loss(start + step * direction) - loss(start - step * direction)) / (2 * step)
    # a part of the backward pass left out would be off by far more than 2 %
    assert slope == pytest.approx(float(gradient @ direction), rel=0.02)
