"""`python -m benchmarks`: run the workloads beside the peers, print the table, write results.json."""

import argparse
import os
from pathlib import Path

from . import report, runner
from .peers import PEERS
from .workloads import WORKLOADS


def main() -> None:
    """Parse the command line, run, write, and fail if a peer trained something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=15, help="how often each peer has its turn (default 15)")
    parser.add_argument("--seconds", type=float, default=0.1, help="how long a turn lasts (default 0.1)")
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1, help="processor core to use")
    parser.add_argument(
        "--out", type=Path, help="where to write the results (default: benchmarks/results.json, if all are run)"
    )
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error(f"--rounds must be at least 2, there is no spread in less; got {arguments.rounds}")
    results = runner.run(arguments.workloads, arguments.peers, arguments.rounds, arguments.seconds, arguments.core)
    print()
    print(report.markdown(results))
    everything = len(arguments.workloads) == len(WORKLOADS) and len(arguments.peers) == len(PEERS)
    out = arguments.out or (report.RESULTS if everything else None)
    if out:
        runner.write(results, out)
    wrong = [
        f"{name}, {PEERS[key].title}: {row['same_problem']}"
        for name, rows in results["workloads"].items()
        for key, row in rows.items()
        if row.get("same_problem", "ok") != "ok"
    ]
    if wrong:
        raise SystemExit("Not the same problem, so not comparable:\n  " + "\n  ".join(wrong))


if __name__ == "__main__":
    main()
