"""Run a function over every combination of a grid, in parallel, so that a killed sweep loses nothing."""

import contextlib
import dataclasses
import functools
import inspect
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np

from . import storage
from .checks import as_path, one_of

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["sweep"]

Config = dict[str, Any]  # a value for each name of the grid
Record = dict[str, Any]  # what is stored of one configuration
Run = Callable[..., Any]
Group = tuple[Config, list[Config]]  # what one call of run is given, and the configurations whose results it returns


def sweep(
    run: Run,
    grid: Mapping[str, Any],
    *,
    directory: "str | Path",
    workers: int | None = None,
    shared: str | None = None,
    version: str | float | None = None,
    stale: str = "refuse",
    retry_failed: bool = False,
    progress: bool = True,
) -> "pd.DataFrame":
    """Call ``run`` once for each combination of the grid's values and return one row for each.

    Each result is stored in a file of its own as soon as it is there. Call `sweep` again after an interrupt,
    a crash or ``kill -9``, and it goes on where it stopped: what is stored is read back, not run again.

    Parameters
    ----------
    run : callable
        Called as ``run(**configuration)``; if it takes one argument that is no name of the grid, as
        ``run(configuration)``. Returns a dict from column name to number (nan and infinity included), string,
        boolean or None (or lists and dicts of them), or one such value, which becomes the column ``result``.
        It gets nothing else: for random numbers, make a generator inside from a seed that is in the grid.
    grid : dict of str to sequence
        The values of each parameter: what JSON can hold, no value twice. The last name varies fastest.
        Runs start in the order of the grid, so values that make a run long are best listed first.
    directory : path
        Where the results live. A configuration is recognised by its values alone (a hash of their JSON, in
        which 1 and 1.0 differ), so a grid may gain or lose values later and keeps what it has. What else the
        results depend on is yours to keep apart, by `directory` or by `version`: data, what `functools.partial`
        has put into ``run``, other packages. For code of your own there is `stale`.
    workers : int, optional
        Number of processes; by default as many as there are usable cores. 1 runs everything here, in this
        process, where a debugger can stop it. Another joblib backend replaces the processes:
        ``with joblib.parallel_config(backend="dask")`` uses a whole Dask cluster, unless `workers` is 1.
        BLAS is limited to one thread in each worker, so that results do not depend on their number.
    shared : str, optional
        Name of a numeric parameter, such as epochs, whose values one training passes through on its way.
        ``run`` is called once per combination of the others, with the sorted tuple of those of its values
        that have no result yet, and returns a dict from each of them to its result, or a list in their order.
    version : str or number, optional
        Stored with the results; a later call that states another version is refused.
    stale : {"refuse", "rerun", "keep"}
        What to do with stored results that other code has made: raise an error and run nothing, run them again (each
        is replaced when the new one is there), or take them as they are. Code is nnlib without `nnlib.course`, and
        the file in which ``run`` is defined, with the files beside it that it imports, and those that they
        import. In a notebook it is ``run`` alone, without the functions of the notebook that it calls.
    retry_failed : bool
        Run those again whose stored result is an error.
    progress : bool
        Show a progress bar, which counts stored results too.

    Returns
    -------
    pandas.DataFrame
        One row per configuration in the order of the grid. Columns: those of the grid, those of the results,
        ``seconds`` (of the call of ``run``; rows that shared a call each show all of it) and ``error``: None,
        or what ``run`` raised. The traceback is in the file. One that fails does not stop the others; only a
        worker that dies, for want of memory say, ends the sweep with an error, to be called again.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, if `directory` holds the results of another ``run``, `version`,
        set of names, `shared` or (see `stale`) code, or if ``run`` returns a column that the table already has.

    Examples
    --------
    >>> import tempfile
    >>> def run(rate, epochs):
    ...     w, results = 1.0, {}
    ...     for epoch in range(1, max(epochs) + 1):
    ...         w -= rate * 2 * w
    ...         if epoch in epochs:
    ...             results[epoch] = {"loss": w**2}
    ...     return results
    >>> grid = {"rate": [0.25, 0.5], "epochs": [1, 2]}
    >>> table = sweep(
    ...     run, grid, directory=tempfile.mkdtemp(), shared="epochs", workers=1, progress=False
    ... )
    >>> print(table[["rate", "epochs", "loss"]].to_string(index=False))
     rate  epochs   loss
     0.25       1 0.2500
     0.25       2 0.0625
     0.50       1 0.0000
     0.50       2 0.0000
    """
    from pathlib import Path  # here and below, because most programs never sweep, and would wait for it

    import pandas as pd
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    grid = _check_grid(grid, shared)
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise ValueError(f"workers must be a positive integer or None; got {workers!r}")
    call = _by_keyword(run, grid)
    function = getattr(run, "func", run)  # a functools.partial has no name of its own
    name = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
    manifest = {"format": 1, "run": name, "names": sorted(grid), "shared": shared, "version": version}
    one_of("stale", stale, dict.fromkeys(("refuse", "rerun", "keep")))
    store = _Store(
        Path(as_path("directory", directory)).resolve(),
        _plain(manifest, "version"),
        retry_failed,
        _code(function),
        stale,
    )
    store.open()

    configs = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    records: dict[str, Record | None] = {_key(config): store.read(config) for config in configs}
    others = sum(record is not None and record.get("code") != store.code for record in records.values())
    if others and stale == "refuse":
        raise ValueError(
            f"{others} of the {len(configs)} results in {store.directory} were made by other code, of {name}, of a "
            'file beside it or of nnlib: stale="rerun" makes them again, stale="keep" takes them as they are; or use '
            "another directory"
        )
    # what another sweep stores from now on is looked at once more
    watchful = dataclasses.replace(store, stale="rerun" if stale == "refuse" else stale)
    train = functools.partial(_train, watchful, call, shared)
    groups: dict[str, Group] = {}
    for config in configs:
        if records[_key(config)] is None:
            fixed = {name: value for name, value in config.items() if name != shared}
            groups.setdefault(_key(fixed), (fixed, []))[1].append(config)

    stored = [record for record in records.values() if record is not None]
    failed = sum(record["error"] is not None for record in stored)
    with (
        threadpool_limits(1),  # what runs in this process sets the limit too; here it is put back
        tqdm(total=len(configs), initial=len(stored), desc="sweep", unit="run", disable=not progress) as bar,
    ):
        bar.set_postfix(failed=failed)
        finished = _finish(train, list(groups.values()), workers)
        for record in itertools.chain.from_iterable(finished):
            if store.read(record["config"]) is None:  # the worker has another file system
                store.write([record])
            records[_key(record["config"])] = record
            failed += record["error"] is not None
            bar.set_postfix(failed=failed, refresh=False)
            bar.update()

    final = [done for config in configs if (done := records[_key(config)]) is not None]  # which is all of them
    ends = ("seconds", "error")
    rows = [
        {**config, **r["result"], **{end: r[end] for end in ends}} for config, r in zip(configs, final, strict=True)
    ]
    results = dict.fromkeys(name for row in rows for name in row if name not in grid and name not in ends)
    return pd.DataFrame(rows, columns=[*grid, *results, *ends])


def _finish(train: Callable[..., list[Record]], groups: list[Group], workers: int | None) -> Iterable[list[Record]]:
    """Return an iterator over what train returns for the groups, in this process or on joblib's backend."""
    import joblib

    if workers == 1 or not groups:
        return (train(*group) for group in groups)
    backend, _ = joblib.parallel.get_active_backend()
    if client := getattr(backend, "client", None):
        # Dask's own futures: joblib 1.6 waits forever for a task whose worker dies or cannot import its module.
        from distributed import as_completed

        futures = as_completed(client.map(train, *zip(*groups, strict=True), pure=False, **backend.submit_kwargs))
        return (future.result() for future in futures)
    results: Iterable[list[Record]] = joblib.Parallel(
        n_jobs=min(workers or joblib.cpu_count(), len(groups)),
        return_as="generator_unordered" if backend.supports_return_generator else "list",
        batch_size=1,  # neighbours in the grid may differ a hundredfold in time
    )(joblib.delayed(train)(*group) for group in groups)
    return results


def _train(store: "_Store", run: Run, shared: str | None, fixed: Config, configs: list[Config]) -> list[Record]:
    """Run one group of configurations, those that share a call of run, and return their records."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)  # not put back: worker processes are joblib's own, and Dask's start with this limit
    if not store.is_here():
        return _execute(run, shared, fixed, configs)
    with store.lock(_key(fixed)):
        # Another sweep, or a worker that outlived its killed parent, may have finished some in the meantime.
        records = [store.read(config) for config in configs]
        missing = [config for config, record in zip(configs, records, strict=True) if record is None]
        new = _execute(run, shared, fixed, missing) if missing else []
        store.write(new)
    return [record for record in records if record is not None] + new


def _execute(run: Run, shared: str | None, fixed: Config, configs: list[Config]) -> list[Record]:
    """Call run once and return a record for each configuration; what it raises becomes the error of all."""
    start = time.perf_counter()
    try:
        if shared is None:
            results = [run(**fixed)]
        else:
            configs = sorted(configs, key=lambda config: config[shared])
            values = tuple(config[shared] for config in configs)
            results = _one_for_each(run(**fixed, **{shared: values}), values, shared)
        results = [_to_columns(result) for result in results]
        error = trace = None
    except Exception as exception:
        import traceback

        results = [{}] * len(configs)
        error, trace = f"{type(exception).__name__}: {exception}", traceback.format_exc()
    seconds = round(time.perf_counter() - start, 6)
    for name in itertools.chain(*results):
        if name in {*configs[0], "seconds", "error"}:
            raise ValueError(f"run must not return {name!r}: the table has another column of that name")
    outcome = {"seconds": seconds, "error": error, "traceback": trace}
    return [
        {"config": _plain(config), "result": result, **outcome} for config, result in zip(configs, results, strict=True)
    ]


def _one_for_each(results: Any, values: Sequence[Any], shared: str) -> list[Any]:
    """Put what run returned for several values of the shared parameter into the order of the values."""
    if isinstance(results, list) and len(results) == len(values):
        return results
    if isinstance(results, Mapping) and all(value in results for value in values):
        return [results[value] for value in values]
    got = list(results) if isinstance(results, (Mapping, list)) else type(results).__name__
    raise ValueError(f"run must return a dict or list with a result for each {shared} of {values}; got {got}")


def _to_columns(result: Any) -> dict[str, Any]:
    """Turn what run returned for one configuration into the columns of its row."""
    columns = dict(result) if isinstance(result, Mapping) else {"result": result}
    for name, value in columns.items():
        if not isinstance(name, str):
            raise TypeError(f"run must return a dict whose keys are strings; got the key {name!r}")
        columns[name] = _plain(value, f"the result {name!r}")
    return columns


def _check_grid(grid: Any, shared: str | None) -> dict[str, list[Any]]:
    """Return the grid as lists of plain Python values, or raise what is wrong with it."""
    if not isinstance(grid, Mapping) or not grid:
        raise TypeError(f"grid must be a dict from names to lists of values, not empty; got {grid!r}")
    checked = {}
    for name, values in grid.items():
        if not isinstance(name, str) or name in ("seconds", "error"):
            raise ValueError(f"grid's names must be strings other than 'seconds' and 'error'; got {name!r}")
        if not isinstance(values, (list, tuple, range, np.ndarray)):
            raise TypeError(f"grid[{name!r}] must be a list of values; got {values!r}")
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
        keys = {_key(_plain(value, f"each value of grid[{name!r}]")) for value in values}
        if not values or len(keys) < len(values):
            raise ValueError(f"grid[{name!r}] must have at least one value and none twice; got {values!r}")
        checked[name] = values
    if shared is not None and shared not in list(checked):
        raise ValueError(f"shared must be a name of the grid, one of {list(checked)}; got {shared!r}")
    if shared is not None and not all(type(value) in (int, float) for value in checked[shared]):
        raise TypeError(f"shared needs numbers to put in order; got grid[{shared!r}] = {checked[shared]!r}")
    return checked


def _by_keyword(run: Run, grid: Mapping[str, Any]) -> Run:
    """Return run, or a wrapper that passes the configuration as one dict where run cannot take its names."""
    if not callable(run):
        raise TypeError(f"run must be callable; got {run!r}")
    try:
        signature = inspect.signature(run)
    except ValueError:  # some functions written in C
        return run
    with contextlib.suppress(TypeError):
        signature.bind(**grid)
        return run
    with contextlib.suppress(TypeError):
        signature.bind(grid)
        return functools.partial(_with_dict, run)
    raise TypeError(f"run must take the grid's names {list(grid)} or one dict; its signature is {signature}")


def _with_dict(run: Run, /, **config: Any) -> Any:
    return run(config)


def _plain(value: Any, what: str = "value") -> Any:
    """Return value as it comes back from a JSON file, NumPy's scalars as the numbers they are."""

    def convert(part: Any) -> Any:
        if isinstance(part, np.generic) and not isinstance(part.item(), np.generic):
            return part.item()
        raise TypeError(f"{what} must be numbers, strings, booleans, None, or lists or dicts; got {part!r}")

    return json.loads(json.dumps(value, default=convert))


def _key(config: Any) -> str:
    """Return the identity of a configuration: 16 hexadecimal digits that depend on its values alone."""
    import hashlib

    return hashlib.sha256(json.dumps(_plain(config), sort_keys=True).encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class _Store:
    """A directory with one file per configuration, and a manifest that says what they are results of."""

    directory: "Path"
    manifest: dict[str, Any]
    retry_failed: bool
    code: str
    stale: str

    def path(self, config: Config) -> "Path":
        return self.directory / f"{_key(config)}.json"

    def open(self) -> None:
        """Make the directory, or raise ValueError if it holds the results of something else."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "manifest.json"
        with self.lock("manifest"):
            if not path.exists():
                _write({path: self.manifest})
        try:
            there = json.loads(path.read_text())
            if not isinstance(there, dict):
                raise ValueError("not a dict")
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path} is damaged ({error}); use another directory, or, if the results beside it are those of this "
                "call, delete that one file"
            ) from error
        for name, here in self.manifest.items():
            if there.get(name) != here:
                raise ValueError(
                    f"directory {self.directory} holds results of {name} = {there.get(name)!r}; "
                    f"this call has {here!r}. Use another directory, or delete that one"
                )

    def is_here(self) -> bool:
        """Tell whether this process, perhaps on another machine, sees the directory."""
        path = self.directory / "manifest.json"
        return path.exists() and json.loads(path.read_text()) == self.manifest

    def read(self, config: Config) -> Record | None:
        """Return the record of a configuration, or None if it has to run. A damaged file is set aside."""
        path = self.path(config)
        try:
            record: Record = json.loads(path.read_text())
            right = isinstance(record["result"], dict) and isinstance(record["seconds"], int | float)
            right = right and isinstance(record["error"], str | None) and not record["result"].keys() & config.keys()
            if _key(record["config"]) != path.stem or not right:
                raise ValueError("not a record of this configuration")
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            print(f"sweep: {path} is damaged ({error}); running {config} again", file=sys.stderr)
            path.replace(path.with_suffix(".damaged"))
            return None
        again = (self.retry_failed and record["error"]) or (self.stale == "rerun" and record.get("code") != self.code)
        return None if again else record

    def write(self, records: list[Record]) -> None:
        """Store each record in its file."""
        _write({self.path(record["config"]): record | {"code": self.code} for record in records})

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Let one process at a time do what follows; the system frees the lock of a process that dies."""
        if sys.platform == "win32":  # everything works, but two sweeps in one directory may repeat each other's runs
            yield
            return
        path = self.directory / f"{name}.lock"
        with open(path, "w") as file:
            with contextlib.suppress(OSError):  # a network file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
            path.unlink(missing_ok=True)  # what it guarded is in place: who waited for it looks first


def _write(contents: "dict[Path, Any]") -> None:
    """Write a dict from path to JSON value so that a crash at any point leaves each file whole or absent."""
    # renamed together at the end, so that a kill hardly ever cuts a group in two
    storage.write_whole({str(path): methodcaller("write", json.dumps(c).encode()) for path, c in contents.items()})


def _code(function: Any) -> str:
    """Return the identity of the code behind the results, 16 hexadecimal digits; `stale` in `sweep` says what it is."""
    import hashlib
    from pathlib import Path

    here = Path(__file__)
    files = {path for path in here.parent.rglob("*.py") if path != here and here.parent / "course" not in path.parents}
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    ahead = [Path(file)] if file else []
    while ahead:
        path = ahead.pop()
        if path not in files:
            files.add(path)
            ahead += _imported_beside(path)
    parts = [path.read_bytes() for path in files]
    if not file:
        code = getattr(function, "__code__", getattr(type(function).__call__, "__code__", None))
        parts.append(repr(_bytecode(code)).encode())
    # in an order that does not depend on the folders' names
    return hashlib.sha256(b"".join(sorted(hashlib.sha256(part).digest() for part in parts))).hexdigest()[:16]


def _imported_beside(path: "Path") -> "list[Path]":
    """Return the files in the folder of a module that it imports, at its top or anywhere else."""
    import ast

    names = []
    for node in ast.walk(ast.parse(path.read_bytes() if path.suffix == ".py" else "")):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names += [getattr(node, "module", None), *(alias.name for alias in node.names)]
    files = [path.with_name(f"{part}.py") for name in names if name for part in name.split(".")]
    return [file for file in files if file.is_file()]


def _bytecode(part: Any) -> Any:
    """Return what a function does, down to the functions inside it, and not where it stands or how it is laid out."""
    if inspect.iscode(part):
        return part.co_code, part.co_names, [_bytecode(constant) for constant in part.co_consts]
    return sorted(map(repr, part)) if isinstance(part, frozenset) else part  # the order of a set is another each time
