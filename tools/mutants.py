"""Change the library in one place at a time and see whether a test notices: `make mutants`.

Each change (a mutant) is tried in a copy of the repository, never in place, by the tests that run the changed line,
quickest first, until one fails. They run in forks of one process that has NumPy, pytest and the rest loaded already.
What was found is kept in _build/mutants: a run that was stopped goes on, and the next one repeats only what depends on
changed modules and tests. A survivor is a test that is missing; where it changes nothing that can be observed, it is
listed, with the reason, in tests/equivalent_mutants.toml.
"""

import argparse
import ast
import contextlib
import functools
import gc
import hashlib
import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from tools.mutations import mutants

LISTED = "tests/equivalent_mutants.toml"
NOT_CORE = ("nnlib/course/", "nnlib/__init__.py", "nnlib/layers/__init__.py")
# Asked are the tests whose names begin with that of a module or its folder, or with one of these; what judges pages,
# chapters, data and the repository as a whole is not.
ASKED = {"gan", "help", "parity", "refusals", "tape"}
PATIENCE = 10.0  # seconds of tests that a mutant has to survive, beyond those in files named after its module
HEAVY = 0.5  # seconds of processor time for collecting a file of tests, from which on it is asked last
MEMORY = 8 << 30  # bytes of address space for one run of the tests; a mutant may ask for any size
WARM = ["joblib", "numpy", "hypothesis.extra.numpy", "pandas", "sklearn.metrics", "tqdm.auto"]  # if tests use them
SURVIVED = (0, 5)  # pytest's exit status where all tests passed, or none of them is there any more
UNCLEAR = (3, 70)  # pytest, or what is around it here, has failed; all the rest means that a test did, or the import
ENTRY = ("file", "function", "before", "after")  # what names a mutant in the list, beside the reason

# -- tests in forked processes ----------------------------------------------------------------------------------------


def _fork(tree, work, argument):
    """Call work(argument) in a child process; return (exit status, result), and leave no process behind."""
    outcome = tree / ".outcome"
    outcome.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        status = 70
        try:
            os.setsid()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(quiet, stream)
            os.chdir(tree)
            os.environ["PYTHONPATH"] = str(tree)
            sys.path.insert(0, str(tree))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.setitimer(signal.ITIMER_REAL, 60)
            status, result = work(argument)
            outcome.write_text(json.dumps(result))
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the tests have started
    return status, json.loads(outcome.read_text()) if outcome.exists() else None


def _pytest(arguments, *plugins):
    import hypothesis
    import pytest

    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, max_examples=30, deadline=None)
    hypothesis.settings.load_profile("mutants")
    options = ["-q", "-x", "-p", "no:cacheprovider", "--assert=plain", "--no-header", "--tb=no"]
    options += [
        "-p",
        "pytest_timeout",
        "--timeout=0",
    ]  # pyproject.toml has a limit; here tests have alarms of their own
    return int(pytest.main([*options, *arguments], plugins=plugins))


def _compile(files):
    """Collect the tests once, which leaves the bytecode of all files beside them."""
    sys.dont_write_bytecode = False
    return _pytest(["--collect-only", *files]), None


def _used():
    """Return the processor time of this process and of those that it has waited for: the same on a busy machine."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


class Watch:
    """Notes of each test how long it computes and lasts, which lines it runs, and whether it starts processes."""

    def __init__(self, coverage):
        self.coverage, self.tests, self.current, self.failed, self.collecting = coverage, {}, None, [], 0.0
        sys.addaudithook(self.hook)

    def hook(self, event, _):
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn") and self.current:
            self.tests[self.current]["starts"] = True

    def pytest_collection_finish(self):
        self.collecting = time.process_time()

    def pytest_runtest_logstart(self, nodeid):
        self.current = nodeid
        self.tests[nodeid] = {"seconds": 0.0, "lasts": 0.0, "starts": False}
        self.begun = _used()
        self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report):
        self.tests[report.nodeid]["seconds"] = _used() - self.begun
        self.tests[report.nodeid]["lasts"] += report.duration
        signal.setitimer(signal.ITIMER_REAL, 300)
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logfinish(self):
        self.current = None
        self.coverage.switch_context("")


def _observe(file):
    """Run one test file and return its tests with the lines that each runs."""
    from coverage import Coverage

    signal.setitimer(signal.ITIMER_REAL, 300)
    coverage = Coverage(data_file=None, source=["nnlib"], config_file=False)
    watch = Watch(coverage)
    coverage.start()
    status = _pytest([file], watch)
    coverage.stop()
    data = coverage.get_data()
    for test in watch.tests.values():
        test["lines"] = {}
    imported = {}
    for path in data.measured_files():
        for line, contexts in data.contexts_by_lineno(path).items():
            for name in contexts:
                lines = watch.tests[name]["lines"] if name else imported
                lines.setdefault(os.path.relpath(path), []).append(line)
    return status, {"tests": watch.tests, "imported": imported, "failed": watch.failed, "collecting": watch.collecting}


class Judge:
    """Runs the chosen tests, quickest first, and notes the one that fails; a test that hangs ends the process."""

    def __init__(self, seconds):
        self.seconds, self.killer = seconds, None

    def pytest_collection_modifyitems(self, items):
        items[:] = sorted((item for item in items if item.nodeid in self.seconds), key=lambda i: self.seconds[i.nodeid])

    def pytest_runtest_logstart(self, nodeid):
        signal.setitimer(signal.ITIMER_REAL, 10 + 20 * self.seconds[nodeid])

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.killer = report.nodeid


def _judge(seconds):
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    judge = Judge(seconds)
    status = _pytest(sorted({test.split("::")[0] for test in seconds}), judge)
    return status, judge.killer


# -- the run ----------------------------------------------------------------------------------------------------------

_repository = _tree = None  # in a worker process: what is known, and the copy in which it tries its mutants


def _start(repository, folder):
    global _repository, _tree
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a run that is stopped finishes the mutants that it has begun
    _repository, _tree = repository, Path(folder, str(os.getpid()))
    _tree.mkdir()
    for source in repository.root.iterdir():
        if source.name in ("nnlib", "tests"):
            shutil.copytree(source, _tree / source.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.name not in (".git", "_build"):
            (_tree / source.name).symlink_to(source)
    _fork(_tree, _compile, sorted(repository.files))


def _spread(repository, jobs, work, items, label):
    """Yield work(item) for each item as they are done, by processes that begin as forks of this one."""
    if not items:
        return
    tests = "".join((repository.root / file).read_text(encoding="utf-8") for file in repository.files)
    for name in ["coverage", "hypothesis", "pytest", *(name for name in WARM if name.split(".")[0] in tests)]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # what is loaded here need not be looked at in every fork
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        pool = ProcessPoolExecutor(jobs, fork, _start, (repository, folder))
        try:
            futures = [pool.submit(work, item) for item in items]
            for future in tqdm(as_completed(futures), label, len(futures), smoothing=0):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _watched(file):
    status, seen = _fork(_tree, _observe, file)
    if status == 0:  # they must also pass in the way in which mutants are judged
        status, killer = _fork(_tree, _judge, {name: test["lasts"] for name, test in seen["tests"].items()})
        seen["failed"] += [killer] if killer else []
    return file, status, seen


def _tried(mutant):
    """Try one mutant; return (mutant, what became of it)."""
    path, begun, stages = _tree / mutant.file, time.perf_counter(), _repository.stages(mutant)
    original, stamp = path.read_bytes(), path.stat()
    verdict = {"state": "survived" if stages else "untested", "by": None}
    path.write_bytes(original[: mutant.start] + mutant.text.encode() + original[mutant.stop :])
    for stage in stages:
        status, killer = _fork(_tree, _judge, stage)
        if status not in SURVIVED:
            state = "unclear" if status in UNCLEAR else "killed"
            verdict = {"state": state, "by": killer, "status": status}
            break
    path.write_bytes(original)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    return mutant, verdict | {"seconds": round(time.perf_counter() - begun, 2)}


def _digest(*paths):
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]


class Repository:
    """The modules, the tests, and what earlier runs have found out about both."""

    def __init__(self, root):
        self.root, self.memory = root, root / "_build" / "mutants"
        self.memory.mkdir(parents=True, exist_ok=True)
        names = (path.relative_to(root).as_posix() for path in sorted((root / "nnlib").rglob("*.py")))
        self.modules = {name: root / name for name in names if not name.startswith(NOT_CORE)}
        self.digests = {name: _digest(path) for name, path in self.modules.items()}
        every = sorted((root / "tests").glob("*.py"))
        self.shared = _digest(root / "pyproject.toml", *(path for path in every if not path.stem.startswith("test_")))
        asked = ASKED.union(*(self._words(name) for name in self.modules))
        self.files = {
            f"tests/{path.name}": _digest(path) + self.shared
            for path in every
            if path.stem.startswith("test_") and path.stem.split("_")[1] in asked
        }
        self.all_tests = hashlib.sha256("".join(self.files.values()).encode()).hexdigest()[:16]

    @staticmethod
    def _words(module):
        return set(Path(module).with_suffix("").parts[1:])

    def observe(self, jobs):
        """Learn which tests run which lines, for the files that have changed."""
        path, core = self.memory / "observed.json", "".join(self.digests.values())
        known = json.loads(path.read_text()) if path.exists() else {}
        known = {file: known[file] for file in self.files if known.get(file, {}).get("key") == core + self.files[file]}
        missing = [file for file in self.files if file not in known]
        for file, status, seen in _spread(self, jobs, _watched, missing, "tests"):
            if status not in SURVIVED:
                raise SystemExit(f"{file} must pass before anything is changed; {seen and seen['failed']} did not")
            known[file] = {"key": core + self.files[file], **seen}
            path.write_text(json.dumps(known))
        self.tests = {name: test for file in known.values() for name, test in file["tests"].items()}
        self.heavy = {file for file, seen in known.items() if seen["collecting"] > HEAVY}
        self.imported = defaultdict(set)  # lines that run when a module is loaded
        for seen in known.values():
            for module, lines in seen["imported"].items():
                self.imported[module].update(lines)
        self.ran = defaultdict(lambda: defaultdict(set))
        for name, test in self.tests.items():
            for module, lines in test["lines"].items():
                for line in lines:
                    self.ran[module][line].add(name)

    def stages(self, mutant):
        """Return the tests for a mutant, in up to three steps, each {test: how long it lasts}."""
        ran, words = self.ran[mutant.file], self._words(mutant.file)
        # A line that only importing runs is judged by the tests of what is around it, a function that importing calls
        # also by those of the whole module.
        for first, last in (*mutant.scopes, (0, sys.maxsize)):
            if chosen := {name for line, names in ran.items() if first <= line <= last for name in names}:
                break
        first, last = mutant.scopes[:2][-1]  # the innermost function or class
        more = set()
        if any(first <= line <= last for line in self.imported[mutant.file]):
            more.update(*ran.values(), (name for name, test in self.tests.items() if not test["lines"]))
        more |= {n for n, t in self.tests.items() if t["starts"] and (not chosen or any(word in n for word in words))}
        spent, stages = 0.0, ({}, {}, {})  # tests of its own; others; those in files that take long to collect

        def order(name):  # a test that runs no line looks at what importing has made: quick, and no other may do so
            test = self.tests[name]
            return bool(test["lines"]) or test["starts"], name not in chosen, test["seconds"]

        for name in sorted(chosen | more, key=order):
            file = name.split("::")[0]
            own = file not in self.heavy and not words.isdisjoint(Path(file).stem.split("_"))
            if not own:
                spent += self.tests[name]["seconds"]
            if own or spent < PATIENCE:
                stages[0 if own else 2 if file in self.heavy else 1][name] = self.tests[name]["lasts"]
        return [stage for stage in stages if stage]

    def _key(self, file, verdict):
        # What killed a mutant kills it as long as it is the same test; what survives is tried by every new one.
        return [self.digests[file], self._test(verdict["by"]) if verdict["by"] else self.all_tests]

    @functools.cache  # noqa: B019 - there is one repository, and it stays
    def _test(self, name):
        """Return a digest of a test and of what its file has beside other tests; None of one that is gone."""
        file, name, *_ = name.split("[")[0].split("::")
        if file not in self.files:
            return None
        body = ast.parse((self.root / file).read_bytes()).body
        kept = [part for part in body if not isinstance(part, ast.Import | ast.ImportFrom)]
        kept = [part for part in kept if getattr(part, "name", name) == name or not part.name.startswith("test_")]
        return hashlib.sha256("".join(map(ast.unparse, kept)).encode()).hexdigest()[:16] + self.shared

    def recall(self):
        """Return what is known of earlier mutants and still holds."""
        path = self.memory / "results.jsonl"
        results = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
        there = [result for result in results if result["file"] in self.modules]
        return {result["id"]: result for result in there if result["key"] == self._key(result["file"], result)}

    def remember(self, identity, file, verdict):
        """Append a result to those of earlier runs."""
        result = {"id": identity, "file": file, "key": self._key(file, verdict), **verdict}
        with open(self.memory / "results.jsonl", "a", encoding="utf-8") as lines:
            lines.write(json.dumps(result, ensure_ascii=False) + "\n")
        return result


def report(files, every, found, listed):
    """Print a table by module and what is left to do; return whether that is nothing."""
    columns, total = ("mutants", "tried", "killed", "left", "listed"), Counter()
    left = [m for i, m in every.items() if i in found and found[i]["state"] != "killed" and m.name not in listed]
    print(f"{'':28}" + "".join(f"{column:>8}" for column in columns))
    for file in files:
        row = Counter(left=sum(mutant.file == file for mutant in left))
        for identity, mutant in every.items():
            if mutant.file == file:
                row["mutants"] += 1
                row["listed" if mutant.name in listed else "tried" if identity in found else "waiting"] += 1
        row["killed"] = row["tried"] - row["left"]
        total += row
        print(f"{file:28}" + "".join(f"{row[column]:8}" for column in columns))
    print(f"{'all':28}" + "".join(f"{total[column]:8}" for column in columns))
    for mutant in left:
        print("\n[[mutant]]")
        for key in ENTRY:
            print(f"{key} = {json.dumps(getattr(mutant, key), ensure_ascii=False)}")
    names = {mutant.name for mutant in every.values()}
    stale = [name for name in listed if name.split("\n")[0] in files and name not in names]
    for name in stale:
        print(f"\n{LISTED} lists what is no mutant (any more):\n{name}")
    return not left and not stale


def main(arguments=None):
    """Try the mutants of all modules, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="modules, such as nnlib/losses.py; all of the core if none")
    parser.add_argument("--sample", type=int, help="try so many mutants, drawn at random but always the same")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--root", type=Path, default=Path(__file__).parent.parent)
    options = parser.parse_args(arguments)
    repository = Repository(options.root.resolve())
    files = options.files or list(repository.modules)
    if unknown := set(files) - set(repository.modules):
        parser.error(f"{', '.join(sorted(unknown))} is none of {', '.join(repository.modules)}")
    path = repository.root / LISTED
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("mutant", []) if path.exists() else []
    if unexplained := [entry for entry in entries if not entry.get("reason")]:
        parser.error(f"{LISTED} must give a reason for {unexplained[0]}")
    listed = {"\n".join(entry[key] for key in ENTRY) for entry in entries}

    every, counted = {}, Counter()
    for file in files:
        for mutant in mutants(file, repository.modules[file].read_text(encoding="utf-8")):
            counted[mutant.name] += 1
            every[f"{mutant.name}\n{counted[mutant.name]}"] = mutant
    chosen = list(every)
    random.Random(0).shuffle(chosen)
    chosen = chosen[: options.sample]

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    repository.observe(options.jobs)
    recalled = repository.recall()
    found = {identity: recalled[identity] for identity in chosen if identity in recalled}
    todo = {every[i]: i for i in chosen if i not in found and every[i].name not in listed}
    for mutant, verdict in _spread(repository, options.jobs, _tried, todo, "mutants"):
        found[todo[mutant]] = repository.remember(todo[mutant], mutant.file, verdict)
    return 0 if report(files, every, found, listed) else 1


if __name__ == "__main__":
    sys.exit(main())
