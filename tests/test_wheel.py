"""The library is whole when it is installed: nothing that it reads stays behind in the checkout."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel without a network, from a copy: setuptools writes beside what it builds."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "nnlib", source / "nnlib", ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--check-build-dependencies", "--wheel-dir", source, source)
    return next(source.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--no-deps", "--no-index", "--target", folder, wheel)
    return folder


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def say(program, installed, folder):
    """Run a program in an empty folder, with the installed library before the checkout that .venv may name."""
    keep = {name: value for name, value in os.environ.items() if name not in ("NNLIB_DATA_DIR", "PYTHONSAFEPATH")}
    program = f"import nnlib\nassert nnlib.__file__.startswith({str(installed)!r}), nnlib.__file__\n{program}"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=keep | {"PYTHONPATH": str(installed)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run


def test_wheel_holds_every_file_of_the_library_and_no_other(wheel):
    """A table's checksum or py.typed that is forgotten is missed only by whoever installs it."""
    here = {f.relative_to(ROOT).as_posix() for f in (ROOT / "nnlib").rglob("*") if f.is_file() and f.suffix != ".pyc"}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == here


def test_installed_library_trains_saves_and_loads(installed, tmp_path):
    program = """
import numpy as np
X, y = np.eye(4), np.ones((4, 1))
model = nnlib.Sequential([nnlib.Dense(3, "tanh"), nnlib.Dense(1)], seed=0)
model.fit(X, y, loss="mse", optimizer=nnlib.Adam(0.1), epochs=3, verbose=1)
model.save("model.npz")
assert (nnlib.load("model.npz").predict(X) == model.predict(X)).all()
"""
    bar = say(program, installed, tmp_path).stderr
    assert "3/3" in bar
    assert "loss=" in bar
    lines = say('import sys; sys.modules["tqdm.auto"] = None' + program, installed, tmp_path).stdout
    assert re.findall(r"^epoch (\d): loss=\d", lines, re.MULTILINE) == ["1", "2", "3"], "without tqdm: a line each"


def test_installed_course_kit_loads_every_table_and_draws(installed, tmp_path):
    program = """
import inspect
import matplotlib; matplotlib.use("Agg")
from nnlib.course import augment, datasets, exercises, explore, plots, probe
def asks_nothing(maker):
    if not inspect.isfunction(maker):
        return False
    return all(p.default is not p.empty for p in inspect.signature(maker).parameters.values())
makers = {name: maker for name, maker in vars(datasets).items() if name in datasets.__all__ and asks_nothing(maker)}
load = makers.pop("load_insurance")
twin = load(source="twin")
assert len(twin) == 1338 and {"insurance_twin", "load_covid", "load_digits", "outbreak"} <= makers.keys()
assert all(make() is not None for make in makers.values())
twin.to_csv("mine.csv", index=False)
assert load("mine.csv", own_table=True).equals(twin)
try:
    load("mine.csv")
except datasets.DataError as error:
    print(error)
assert plots.history({"loss": [2, 1]}).lines
explore.explore(lambda rate: f"<p>{rate}</p>", rate=[1, 2], alt="a number")
"""
    assert "sha256 must be" in say(program, installed, tmp_path).stdout


def test_what_the_library_imports_is_declared():
    """A package that only the tests' environment happens to have would be missing elsewhere."""
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["course"]]
    assert all(re.fullmatch(r"[a-z-]+>=[\d.]+,<\d+", requirement) for requirement in wanted), "not in a capped range"
    declared = {re.match(r"[a-z-]+", requirement)[0] for requirement in wanted}
    distribution = importlib.metadata.packages_distributions()
    used = set()
    for path in (ROOT / "nnlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                used.add(node.module.split(".")[0])
    others = {distribution.get(name, [name])[0].lower() for name in used - set(sys.stdlib_module_names)}
    # a sweep asks for distributed only where the caller has connected to a cluster by it; cycler is Matplotlib's; who
    # carries a network into a framework has that framework
    assert others - {"distributed", "cycler", "jax", "keras", "torch"} == declared
