"""The library stays readable in one direction, and light to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The reading order. A module may import only from modules before it.
ORDER = [
    "arrays",
    "checks",
    "named",
    "initializers",
    "activations",
    "losses",
    "metrics",
    "schedules",
    "optimizers",
    "layers",
    "flat",
    "callbacks",
    "door",
    "model",
    "training",
    "storage",
    "sequential",
    "gradcheck",
    "sweep",
    "course",
]
MODULES = sorted(p for p in (ROOT / "nnlib").rglob("*.py") if p != ROOT / "nnlib" / "__init__.py")


def _room(path: Path) -> str:
    return path.relative_to(ROOT / "nnlib").with_suffix("").parts[0]


def _imported_rooms(path: Path) -> set[str]:
    """Return the rooms of nnlib that a file imports, at the top or inside a function."""
    rooms = set()
    depth = len(path.relative_to(ROOT / "nnlib").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            rooms |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("nnlib"):
            pytest.fail(f"{path.name} imports {node.module} absolutely; write it relative, so that this test sees it")
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT / "nnlib")))
def test_a_reader_meets_every_module_before_its_users(path):
    room = _room(path)
    assert room in ORDER, f"{room} has no place in the reading order; give it one"
    later = {other for other in _imported_rooms(path) if ORDER.index(other) >= ORDER.index(room) and other != room}
    assert not later, f"{path.name} imports {later}, which the reader has not met yet"


def test_import_loads_only_numpy_and_the_standard_library():
    """An import that drags pandas or matplotlib in would make every start slow and every script depend on them."""
    program = (
        "import sys, numpy; before = set(sys.modules); import nnlib; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(run.stdout.split()) - {"nnlib", "numpy"}
    assert loaded <= set(sys.stdlib_module_names), loaded - set(sys.stdlib_module_names)
