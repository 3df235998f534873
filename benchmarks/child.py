"""One peer in a process of its own: reads one request per line, answers each with one line of JSON.

The parent (`benchmarks.runner`) starts `python -m benchmarks.child <peer>` and never talks to two at once, so
that the peers share the processor core but neither a process nor the moment.
"""

import contextlib
import importlib.metadata
import json
import os
import statistics
import sys

from .workloads import WORKLOADS, load


def pin(core: int) -> None:
    """Keep this process and the threads it will start on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def versions(names) -> dict[str, str]:
    """Return the versions of the packages; nnlib may run from its source folder, without being installed."""
    found = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version({"sklearn": "scikit-learn"}.get(name, name))
    return found


def final_loss(workload, trained, X, y) -> float | None:
    """Loss on the training data in float64, by one formula for all peers, nothing dropped out."""
    import numpy as np

    out = trained.predict(X)
    if out is None:
        return None
    out = np.asarray(out, np.float64)
    if workload.loss == "mse":
        return float(np.mean((out - y) ** 2))
    return float(-np.mean(np.log(np.maximum(out[y == 1], 1e-12))))


def serve(peer, requests, answer) -> None:
    """Do what the lines of `requests` ask for, until they end.

    build <workload>   make the network; train the guard's epochs, which also warms up; answer with the loss
    time <seconds>     train about that long, and two epochs at least; answer with µs per step
    """
    trained = workload = steps = epoch_seconds = None
    for line in requests:
        what, _, argument = line.strip().partition(" ")
        if what == "build":
            workload = WORKLOADS[argument]
            X, y = load(workload.network)
            steps = workload.steps(len(X))
            trained = peer.make(workload, X, y)
            epochs = trained.train(workload.guard_epochs)
            epoch_seconds = statistics.median(epochs)
            answer({"loss": final_loss(workload, trained, X, y), "versions": versions(peer.requires)})
        elif what == "time":
            epochs = max(2, round(float(argument) / epoch_seconds))
            epoch_seconds = statistics.median(trained.train(epochs))
            answer({"us": epoch_seconds / steps * 1e6})
        else:
            raise ValueError(f"request must be build or time; got {what!r}")


def main() -> None:
    """Answer on the real standard output; what frameworks print goes to standard error."""
    from .peers import PEERS

    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    pin(int(sys.argv[2]))
    peer = PEERS[sys.argv[1]]
    missing = peer.missing()
    if missing:
        answer({"missing": missing})
        return
    answer({"ready": True})
    serve(peer, sys.stdin, answer)


if __name__ == "__main__":
    main()
