"""How far back a network remembers: who still knows the first sign of a sequence after 5 to 80 steps of noise.

`python chapters/7-sequences/stored_remember.py` trains plain recurrent networks and LSTMs, twenty seeds each, with learning
rates that were chosen on other seeds (25 minutes of a busy core; it goes on where it was stopped), and renews the tables in
data/sequences that the page "Remember" prints. The page itself trains one LSTM.
"""

import sys
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
LAGS = (5, 10, 20, 40, 80)
SEEDS = range(20)
RATES = (0.001, 0.003, 0.01, 0.03)
SEEDS_OF_RATES = range(100, 103)  # rates are chosen on these
LAGS_OF_RATES = (40, 80)  # the shorter lags take the rate of 40
MODELS = ("rnn_glorot", "rnn", "rnn_32", "lstm_1", "lstm_5")
STARTS = ("lstm_0", "lstm_3")  # further starts of the forget gate, at one lag
AGAIN = ("rnn", "lstm_1", "lstm_5")  # shown the same sequences again and again
LAG_OF_AGAIN, FEW, EPOCHS = 80, 1000, 31  # 31 epochs of 32 batches
LAG_OF_STARTS = 40
UNITS, BATCH, STEPS, NEW = 16, 32, 1000, 1000
SOLVED = 0.02  # mean loss of the last 50 batches at which training ends


def network(model, lag, seed, dtype="float32"):
    """Return a network with its first weights drawn: 16 units that read the sequence, and one that answers.

    Parameters
    ----------
    model : str
        "rnn" (U starts orthogonal), "rnn_glorot", "rnn_32" (orthogonal, with 32 units as many parameters as an LSTM of
        16), or "lstm_b", in which the bias of the forget gate starts at b.
    """
    name, _, kind = model.partition("_")
    units = 32 if kind == "32" else UNITS
    if name == "lstm":
        layer = nn.LSTM(units)
    else:
        start = "glorot_uniform" if kind == "glorot" else "orthogonal"
        layer = nn.RNN(units, recurrent_initializer=start)
    layers = [layer, nn.Dense(1, "sigmoid")]
    built = nn.Sequential(layers, seed=seed, dtype=dtype).build((lag + 1, 1))
    if name == "lstm":
        layer.params["b"][units : 2 * units] = float(kind)
    return built


def train(built, lag, rate, seed, steps=STEPS):
    """Train in place with Adam, on new sequences in each batch, until they are solved or for `steps` steps.

    Returns the loss of each batch before its step.
    """
    X, y = datasets.first_sign(steps * BATCH, lag, seed=seed)
    X = X.astype(built.dtype)
    optimizer, found = nn.Adam(rate), []
    for rows in np.arange(steps * BATCH).reshape(steps, BATCH):
        found.append(
            built.train_on_batch(
                X[rows],
                y[rows],
                loss="binary_crossentropy",
                optimizer=optimizer,
            )
        )
        if len(found) >= 50 and np.mean(found[-50:]) < SOLVED:
            break
    return found


def run(model, lag, rate, seed):
    """Return a row: the share of 1,000 new sequences whose first sign is told right, and the steps it took."""
    built = network(model, lag, seed)
    losses = train(built, lag, rate, seed)
    X, y = datasets.first_sign(NEW, lag, seed=10_000 + seed)
    right = nn.metrics.accuracy(built.predict(X), y)
    return {
        "right": float(right),
        "steps": len(losses),
        "parameters": int(built.params.size),
    }


def run_again(model, lag, rate, seed):
    """Return such a row of a network that was shown the same 1,000 sequences 31 times, each time in another order."""
    built = network(model, lag, seed)
    X, y = datasets.first_sign(FEW, lag, seed=seed)
    history = built.fit(
        X.astype(built.dtype),
        y,
        loss="binary_crossentropy",
        optimizer=nn.Adam(rate),
        epochs=EPOCHS,
        batch_size=BATCH,
    )
    X, y = datasets.first_sign(NEW, lag, seed=10_000 + seed)
    right = nn.metrics.accuracy(built.predict(X), y)
    return {
        "right": float(right),
        "last_loss": history["loss"][-1],
        "steps": EPOCHS * -(-FEW // BATCH),
    }


def chosen(table):
    """Return the rate of each (model, lag): the most right on average, and among equals the fewest steps."""
    mean = table.groupby(["model", "lag", "rate"])[["right", "steps"]].mean()
    order = mean.sort_values(["right", "steps"], ascending=[False, True])
    best = order.reset_index().drop_duplicates(["model", "lag"])
    return best.set_index(["model", "lag"]).rate.to_dict()


CODE = (network, train, run, chosen)
CODE_AGAIN = (network, run_again, chosen)


stored, made = stored_results.readers(RESULTS)


def tables(seeds, seeds_of_rates, folder, workers=1):
    """Choose the rates on some seeds, train with them on others; return both tables by name."""
    import pandas as pd

    def swept(models, lags, rates, seeds, name):
        return stored_results.swept(
            run,
            {"model": models, "lag": lags, "rate": rates, "seed": list(seeds)},
            folder / name,
            workers=workers,
        )

    pairs = [(model, lag) for lag in LAGS_OF_RATES for model in MODELS]
    pairs += [(model, LAG_OF_STARTS) for model in STARTS]
    rates = pd.concat(
        [
            swept([model], [lag], RATES, seeds_of_rates, f"rates_{model}_{lag}")
            for model, lag in pairs
        ],
        ignore_index=True,
    )
    best = chosen(rates)
    print(best, flush=True)
    found = [
        swept(
            [model],
            [lag],
            [best[model, max(lag, min(LAGS_OF_RATES))]],
            seeds,
            f"{model}_{lag}",
        )
        for model in (*MODELS, *STARTS)
        for lag in (LAGS if model in MODELS else [LAG_OF_STARTS])
    ]
    return {
        "remember": pd.concat(found, ignore_index=True),
        "remember_rates": rates,
    }


def tables_again(seeds, seeds_of_rates, folder, workers=1):
    """Return the same two tables of the networks that are shown the same sequences again and again, at one lag."""
    grid = {"model": list(AGAIN), "lag": [LAG_OF_AGAIN], "rate": RATES}
    rates = stored_results.swept(
        run_again,
        {**grid, "seed": list(seeds_of_rates)},
        folder / "again_rates",
        workers=workers,
    )
    best = chosen(rates)
    print(best, flush=True)
    found = [
        stored_results.swept(
            run_again,
            {
                "model": [model],
                "lag": [LAG_OF_AGAIN],
                "rate": [best[model, LAG_OF_AGAIN]],
                "seed": list(seeds),
            },
            folder / f"again_{model}",
            workers=workers,
        )
        for model in AGAIN
    ]
    import pandas as pd

    return {
        "remember_again": pd.concat(found, ignore_index=True),
        "remember_again_rates": rates,
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "remember"
    found = tables(SEEDS, SEEDS_OF_RATES, folder)
    stored_results.store_all(found, CODE, folder=RESULTS)
    found = tables_again(SEEDS, SEEDS_OF_RATES, folder)
    stored_results.store_all(found, CODE_AGAIN, folder=RESULTS)


if __name__ == "__main__":
    main()
