"""Runs the peers in turn, A B C A B C ..., and puts medians, ratios and the machine into one JSON file."""

import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .peers import PEERS
from .workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent

# One thread each, whatever the library calls its threads.
ONE_THREAD = {
    **dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        ),
        "1",
    ),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}

# A loss may be this many times the hand-written network's, or so many times smaller: the peers start from
# other random weights, see the samples in another order and drop other units, but train the same thing. (What
# does not learn stays at 1 or at ln 10, ten times as much and more.)
LOSS_FACTOR = 2.0


class Process:
    """A peer's process; `ask` sends one request and waits for the answer."""

    def __init__(self, peer, core):
        self.peer = peer
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", peer.key, str(core)],
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, **dict(peer.environment), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.missing = self.read().get("missing")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.log.seek(0)
            tail = self.log.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{self.peer.title} ended with code {self.process.returncode}:\n{tail}")
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def quartiles(values) -> dict[str, float]:
    """Median and the quartiles around it, to four significant digits."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {k: float(f"{v:.4g}") for k, v in (("low", low), ("median", middle), ("high", high))}


def check_losses(losses: dict[str, float]) -> dict[str, str]:
    """Say for each peer whether its loss is comparable to that of the hand-written network.

    Returns
    -------
    dict
        Peer -> "ok", or what is wrong; a peer that trains something else is fast at the wrong thing.
    """
    reference = losses.get("numpy") or statistics.median(losses.values())
    verdicts = {}
    for key, loss in losses.items():
        good = math.isfinite(loss) and reference / LOSS_FACTOR <= loss <= reference * LOSS_FACTOR
        verdicts[key] = "ok" if good else f"loss {loss:.4g} where {reference:.4g} was expected"
    return verdicts


def run(workloads, peers, rounds, seconds, core, say=print) -> dict:
    """Benchmark and return the results as they are written to results.json."""
    processes, missing, versions, table, where = {}, {}, {}, {}, machine()
    try:
        for key in peers:
            process = Process(PEERS[key], core)
            if process.missing:
                missing[key] = process.missing
                say(f"{PEERS[key].title}: missing ({', '.join(process.missing)} not installed)")
                process.close()
            else:
                processes[key] = process
        for name in workloads:
            workload = WORKLOADS[name]
            taking_part = [k for k in processes if workload.network in PEERS[k].networks]
            built = {k: processes[k].ask(f"build {name}") for k in taking_part}
            losses = {k: b["loss"] for k, b in built.items() if b["loss"] is not None}
            verdicts = check_losses(losses)
            for b in built.values():
                versions |= b["versions"]
            times = {k: [] for k in taking_part}
            for turn in range(rounds + 1):
                for k in taking_part:
                    us = processes[k].ask(f"time {seconds}")["us"]
                    if turn:  # the first round settles caches, compilers and the epoch count
                        times[k].append(us)
            table[name] = {
                k: {
                    "us_per_step": quartiles(times[k]),
                    # Peer and nnlib within one round: what slows the machine slows both.
                    **({"ratio": quartiles(ratios(times[k], times["nnlib"]))} if "nnlib" in times else {}),
                    **({"loss": float(f"{losses[k]:.4g}"), "same_problem": verdicts[k]} if k in losses else {}),
                }
                for k in taking_part
            }
            for k, row in table[name].items():
                ratio = f"{row['ratio']['median']:6.2f} × nnlib" if "ratio" in row else ""
                us, verdict = row["us_per_step"]["median"], row.get("same_problem", "")
                say(f"{name:8s} {PEERS[k].title:32s} {us:9.1f} µs  {ratio}  {verdict}")
    finally:
        for process in processes.values():
            process.close()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": where,
        "versions": dict(sorted(versions.items())),
        "rounds": rounds,
        "missing": missing,
        "import_ms": import_times(core),
        "workloads": table,
    }


def ratios(peer, own) -> list[float]:
    """Round by round, the peer's time over nnlib's: above 1, nnlib is faster."""
    return [p / o for p, o in zip(peer, own, strict=True)]


def import_times(core, repeats=15) -> dict[str, dict[str, float]]:
    """Milliseconds that the import statement takes in a fresh interpreter, NumPy and nnlib alternately."""
    code = (
        "import os, time; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {%d}); "
        "t = time.perf_counter(); import %s; print(time.perf_counter() - t)"
    )
    times = {"numpy": [], "nnlib": []}
    for turn in range(repeats + 1):
        for name, values in times.items():
            out = subprocess.run(
                [sys.executable, "-c", code % (core, name)],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD, "PYTHONDONTWRITEBYTECODE": ""},  # users' second import is compiled
                capture_output=True,
                text=True,
            )
            if turn and out.returncode == 0:  # the first turn reads the files from disk
                values.append(float(out.stdout) * 1e3)
    return {name: quartiles(values) for name, values in times.items() if values}


def machine() -> dict[str, str | int]:
    """Return processor, operating system, Python version, and how busy the machine is."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "processor": processor,
        "cores_used": 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        # How many programs wanted a core when the run began; a page must say so if the machine was not free.
        "busy_cores": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "cores": os.cpu_count(),
    }


def write(results: dict, path: Path) -> None:
    """Write the results through a temporary file and a rename: the old ones stay until the new are whole."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
