"""A sweep in a process of its own, for test_sweep.py to kill: sweep_driver.py DIRECTORY LOG WORKERS PAUSE."""

import os
import signal
import sys
import time

GRID = {"rate": [k / 100 for k in range(1, 16)], "batch": [4, 8, 16, 32, 64, 128], "epochs": [1, 2, 4]}


def run(rate, batch, epochs, log=None, pause=0.0):
    """Take a while, note in the log that it was done, and return a loss after each number of epochs."""
    time.sleep(pause)
    w, results = 1.0, {}
    for epoch in range(1, max(epochs) + 1):
        w -= rate * 2 * w / batch
        if epoch in epochs:
            results[epoch] = {"loss": w**2, "pid": os.getpid()}
    if log is not None:
        with open(log, "a") as file:  # one short write in append mode: whole lines, whoever else writes
            file.write(f"{rate} {batch}\n")
    return results


if __name__ == "__main__":
    import functools

    from nnlib.sweep import sweep

    # where tests run in the background, a shell has made all that they start deaf to interrupts
    signal.signal(signal.SIGINT, signal.default_int_handler)
    directory, log, workers, pause = sys.argv[1:]
    run = functools.partial(run, log=log, pause=float(pause))
    sweep(run, GRID, directory=directory, workers=int(workers), shared="epochs")
