"""Tables in data/insurance: what the chapters read because computing it takes longer than a reader waits."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / "data" / "insurance"
UNFINISHED = PROJECT / "_build"  # where a computation goes on that was stopped


def stored(name):
    """Return the table `name`: "sweep_real", "sweep_twin", "comparison_real" or "comparison_twin"."""
    import pandas as pd

    return pd.read_csv(RESULTS / f"{name}.csv")


def store(table, name):
    """Write a table as `name`, whole or not at all."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    table.to_csv(path.with_suffix(".tmp"), index=False, float_format="%.6g")
    os.replace(path.with_suffix(".tmp"), path)
    print(f"{len(table):,} rows in {path}")
