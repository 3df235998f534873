"""Turn the lines of the last test run into the tables of the page "Verification": data/verification/*.csv."""

import csv
import datetime
import importlib.metadata
import json
import platform
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "_build" / "verification.json"
TABLES = ROOT / "data" / "verification"
PARTS = ("derivatives", "framework", "formulas", "behaviour")
COLUMNS = ("what", "checks", "against", "largest error", "allowed")
PACKAGES = {"NumPy": "numpy", "JAX": "jax", "Keras": "keras", "Optax": "optax", "scikit-learn": "scikit-learn"}


def table(lines, part):
    """Return one row for each block, reference and tolerance: how many checks, and the largest error of all of them.

    What is checked is the beginning of a line's subject, up to the first comma; the rest says in which variant.
    """
    groups = {}
    for line in lines:
        if line["part"] == part:
            key = (line["subject"].split(",")[0], line["against"], line["tolerance"])
            groups.setdefault(key, []).append(line["error"])
    return [
        (what, len(errors), against, short(max(errors)), short(allowed))
        for (what, against, allowed), errors in sorted(groups.items())
    ]


def short(number):
    """Return 2.3e-09 as "2.3e-9", and 0 as it is."""
    mantissa, _, exponent = f"{number:.1e}".partition("e")
    return "0" if number == 0 else f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def about(lines):
    """Return when and with what the run was made."""
    versions = {name: importlib.metadata.version(package) for name, package in PACKAGES.items()}
    facts = {"Date": datetime.date.today().isoformat(), "Checks": len(lines), "Python": platform.python_version()}
    return list((facts | versions | {"Machine": f"{platform.system()}, {platform.machine()}"}).items())


def write(name, rows):
    """Write one table."""
    TABLES.mkdir(exist_ok=True)
    with open(TABLES / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main():
    """Write all tables."""
    lines = json.loads(REPORT.read_text(encoding="utf-8"))
    for part in PARTS:
        write(part, [COLUMNS, *table(lines, part)])
    write("about", about(lines))
    print(f"{len(lines)} checks written to {TABLES.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
