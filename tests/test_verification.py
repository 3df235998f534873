"""The page "Verification" must not fall behind the library: a reader would trust what nobody has checked."""

import csv
from pathlib import Path

import pytest

import nnlib as nn
from tools import verification

ROOT = Path(__file__).parent.parent


def rows(part):
    with open(ROOT / "data" / "verification" / f"{part}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


LAYERS = list(nn.layers.LAYERS)
ACTIVATIONS = [f"activation {name}" for name in nn.activations.ACTIVATIONS]
LOSSES = [f"loss {name}" for name in nn.losses.LOSSES]
FUSED = [f"fused {loss.name}" for loss in nn.losses.FUSED.values()]
SCHEDULES = [f"schedule {name}" for name in nn.schedules.SCHEDULES]
OPTIMIZERS = list(nn.optimizers.OPTIMIZERS)
CHANCE = {"zeros", "ones"}  # their variance is 0, which a test says and no table needs
COVERED = {
    "derivatives": [*LAYERS, *ACTIVATIONS, *LOSSES, *FUSED],
    "framework": [*LAYERS, *ACTIVATIONS, *LOSSES, *FUSED, *OPTIMIZERS, *SCHEDULES],
    "formulas": [
        *LAYERS,
        *ACTIVATIONS,
        *LOSSES,
        *OPTIMIZERS,
        *SCHEDULES,
        *(set(nn.initializers.INITIALIZERS) - CHANCE),
    ],
    "behaviour": [*(f"{name} learns a line" for name in OPTIMIZERS), "stopped and resumed", "kill -9 during save"],
}


@pytest.mark.parametrize("part", verification.PARTS)
def test_the_page_shows_every_block_of_the_library(part):
    missing = set(COVERED[part]) - {row["what"] for row in rows(part)}
    assert not missing, f"run `make verify`: the table {part}.csv lacks {sorted(missing)}"


@pytest.mark.parametrize("part", verification.PARTS)
def test_no_error_on_the_page_is_larger_than_allowed(part):
    for row in rows(part):
        assert float(row["largest error"]) <= float(row["allowed"]), row


def test_lines_of_one_block_become_one_row():
    lines = [
        {"part": "formulas", "subject": "Adam, first steps", "against": "by hand", "error": 2.34e-9, "tolerance": 1e-7},
        {"part": "formulas", "subject": "Adam, ε", "against": "by hand", "error": 0.0, "tolerance": 1e-7},
        {"part": "framework", "subject": "Adam", "against": "Optax", "error": 0.0, "tolerance": 0},
    ]
    assert verification.table(lines, "formulas") == [("Adam", 2, "by hand", "2.3e-9", "1e-7")]
    assert verification.table(lines, "framework") == [("Adam", 1, "Optax", "0", "0")]
