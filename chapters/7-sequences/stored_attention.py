"""Who finds the first sign again: a network that looks back, or one that carries a memory? And are two heads two eyes?

`python chapters/7-sequences/stored_attention.py` trains both over many seeds (some five minutes of one core; it goes on
where it was stopped), and renews the tables in data/sequences that the page "Pay attention" prints. The page itself
trains one network of each kind; ten seeds, six lags and four learning rates are too long to wait for.
"""

import sys
from math import sqrt
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
LAGS = (5, 10, 20, 40, 80, 160)
RATES = (0.001, 0.003, 0.01, 0.03)
KEEP = 5.0  # where the bias of the forget gate starts in the LSTM that keeps; otherwise 1
SEEDS = range(10)  # the networks of the tables
TRIALS = range(
    100, 102
)  # other data and other starts, by which the rate is chosen
SEQUENCES, EPOCHS, BATCH, PAIRS = 1000, 25, 32, 8
SOLVED = 0.05  # a validation loss below which training stops
KINDS = {  # -> the lags at which it is tried
    "looks back": LAGS,
    "no positions": (5, 20, 80),
    "LSTM": LAGS[:-1],
    "LSTM that keeps": LAGS[-2:],
}
READERS = {
    "one head": (1, 0),
    "two heads": (2, 0),
    "one head, hidden layer": (1, 16),
}


class Last(nn.Layer):
    """y = x_T: of all steps hand on the last."""

    def build(self, input_shape, rng, dtype):
        """Return (features,) for (time, features)."""
        return self.expect(input_shape, "time", "features")[1:]

    def forward(self, x, training=False):
        """Take the last step."""
        self.shape = x.shape
        return x[:, -1]

    def backward(self, dy):
        """The other steps did nothing: their gradient is 0."""
        dx = np.zeros(self.shape, dy.dtype)
        dx[:, -1] = dy
        return dx


class LastAsks(nn.SelfAttention):
    """The last row of `SelfAttention`, alone: the other steps ask nothing, so the cost grows with T and not with T².

    With q = x_T W_q: the scores x W_k q are x u with u = W_k q, and the answer Σ a_t x_t W_v is c W_v with c = Σ a_t x_t. So
    neither keys nor values of the single steps are ever made.
    """

    def build(self, input_shape, rng, dtype):
        """Draw the same parameters as `SelfAttention`."""
        return super().build(input_shape, rng, dtype)[1:]

    def parts(self):
        """Return W_q, W_k, W_v as (features, 3, heads, d)."""
        W = self.params["W"]
        return W.reshape(len(W), 3, self.heads, -1)

    def forward(self, x, training=False):
        """Return (batch, features)."""
        batch, _, features = x.shape
        Wq, Wk, Wv = self.parts().transpose(1, 2, 0, 3)  # (heads, features, d)
        self.x, self.root = x, sqrt(features // self.heads)
        self.q = x[:, None, None, -1] @ Wq  # (batch, heads, 1, d)
        self.u = (self.q @ Wk.swapaxes(1, 2))[:, :, 0]
        self.weights = nn.activations.softmax.f(
            self.u @ x.swapaxes(1, 2) / self.root
        )
        self.c = self.weights @ x
        self.joined = (self.c[:, :, None] @ Wv).reshape(batch, features)
        return self.joined @ self.params["O"]

    def backward(self, dy):
        """As in `SelfAttention`, for one row."""
        x, a, (batch, _, features) = self.x, self.weights, self.x.shape
        Wq, Wk, Wv = self.parts().transpose(1, 2, 0, 3)
        self.grads["O"][...] = self.joined.T @ dy
        dH = (dy @ self.params["O"].T).reshape(batch, self.heads, 1, -1)
        dc = (dH @ Wv.swapaxes(1, 2))[:, :, 0]
        ds = nn.activations.softmax.vjp(dc @ x.swapaxes(1, 2), a, a) / self.root
        du = ds @ x
        dq = du[:, :, None] @ Wk
        dW = self.grads["W"].reshape(features, 3, self.heads, -1)
        dW[:, 0] = np.tensordot(x[:, -1], dq[:, :, 0], (0, 0))
        for head in range(self.heads):
            dW[:, 1, head] = du[:, head].T @ self.q[:, head, 0]
            dW[:, 2, head] = self.c[:, head].T @ dH[:, head, 0]
        dx = a.swapaxes(1, 2) @ dc + ds.swapaxes(1, 2) @ self.u
        dx[:, -1] += (dq @ Wq.swapaxes(1, 2)).sum(axis=(1, 2))
        return dx


def places(steps, pairs=PAIRS):
    """Return the positions 0, 1, ... as rows of `pairs` sines and as many cosines, from fast to slow (Vaswani 2017)."""
    angles = np.arange(steps)[:, None] / 10_000 ** (np.arange(pairs) / pairs)
    return np.hstack([np.sin(angles), np.cos(angles)])


def with_places(X):
    """Put the position of each step beside what the step holds."""
    P = np.broadcast_to(places(X.shape[1]), (*X.shape[:2], 2 * PAIRS))
    return np.concatenate([X, P], axis=2)


def two_signs(sequences, lag, seed):
    """Return `first_sign` with a second sign in the middle, a 1 beside each number, and both answers."""
    rng = np.random.default_rng(seed)
    X, first = datasets.first_sign(sequences, lag, seed=rng)
    second = rng.permutation(np.arange(sequences) % 2 == 0)
    X[:, lag // 2, 0] = np.where(second, 1, -1)
    X = np.concatenate([X, np.ones_like(X)], axis=2)
    return X, np.hstack([first, second[:, None]])


def layers(kind):
    """Return the layers of one of KINDS, without the last: about 1,170 parameters with it (without positions 1,208)."""
    return {
        "looks back": lambda: [LastAsks()],
        "no positions": lambda: [nn.Dense(17), LastAsks()],
        "LSTM": lambda: [nn.LSTM(16)],
        "LSTM that keeps": lambda: [nn.LSTM(16)],
    }[kind]()


class Solved(nn.Callback):
    """Stops the training when the validation loss is below a limit."""

    def on_epoch_end(self, model, epoch, logs):
        """Stop."""
        model.stop_training = logs["val_loss"] < SOLVED


def train(model, examples, validation, rate):
    """Train with Adam on 1,000 sequences until the validation loss is small, at most 25 epochs; return the epochs."""
    history = model.fit(
        *examples,
        loss="binary_crossentropy",
        optimizer=nn.Adam(rate, clip_norm=1.0),
        epochs=EPOCHS,
        batch_size=BATCH,
        validation_data=validation,
        callbacks=[Solved()],
    )
    return len(history["loss"])


def right(model, X, y):
    """Return the share of right answers, one for each question."""
    return ((model.predict(X) > 0.5) == (y > 0.5)).mean(axis=0)


def run_recall(kind, lag, rate, seed):
    """Return a row of the table "attention_recall": the first sign, asked for `lag` steps later."""
    sets = [
        datasets.first_sign(
            count, lag, seed=np.random.default_rng((seed, part))
        )
        for part, count in enumerate((SEQUENCES, 500, 1000))
    ]
    if kind == "looks back":
        sets = [(with_places(X), y) for X, y in sets]
    model = nn.Sequential(
        [*layers(kind), nn.Dense(1, "sigmoid")], seed=seed, dtype="float32"
    ).build(sets[0][0].shape[1:])
    if kind == "LSTM that keeps":
        model.layers[0].params["b"][16:32] = KEEP
    epochs = train(model, sets[0], sets[1], rate)
    return {
        "parameters": model.params.size,
        "epochs": epochs,
        "validation": right(model, *sets[1])[0],
        "test": right(model, *sets[2])[0],
    }


def run_heads(reader, lag, rate, seed):
    """Return a row of the table "attention_heads": two signs, at the first step and in the middle, both asked for."""
    heads, hidden = READERS[reader]
    sets = [
        two_signs(count, lag, (seed, part))
        for part, count in enumerate((SEQUENCES, 500, 1000))
    ]
    sets = [(with_places(X), y) for X, y in sets]
    between = [nn.Dense(hidden, "relu")] if hidden else []
    model = nn.Sequential(
        [LastAsks(heads), *between, nn.Dense(2, "sigmoid")],
        seed=seed,
        dtype="float32",
    )
    epochs = train(model, sets[0], sets[1], rate)
    first, second = right(model, *sets[2])
    return {
        "parameters": model.params.size,
        "epochs": epochs,
        "validation": right(model, *sets[1]).mean(),
        "first": first,
        "second": second,
    }


def run_weights(kind, lag, seed):
    """Return a row of the table "attention_weights": what the weights say, and what matters, at one rate for all.

    Columns: `right`, of 1,000 new sequences; `first`, the mean weight on the first step; `flipped`, how many answers turn
    when the first sign is turned; `shuffled`, how many are still right when the row of weights is put in a random order.
    """
    sets = [
        datasets.first_sign(
            count, lag, seed=np.random.default_rng((seed, part))
        )
        for part, count in enumerate((SEQUENCES, 500, 1000))
    ]
    if kind == "looks back":
        sets = [(with_places(X), y) for X, y in sets]
    below = [] if kind == "looks back" else [nn.LSTM(16, True)]
    model = nn.Sequential(
        [*below, LastAsks(), nn.Dense(1, "sigmoid")], seed=seed
    )
    train(model, sets[0], sets[1], 0.003)
    X, y = sets[2]
    asks, last = model.layers[-2:]
    turned = X.copy()
    turned[:, 0, 0] *= -1
    flipped = (model.forward(turned) > 0.5) != (model.forward(X) > 0.5)
    a, seen = asks.weights[:, 0], asks.x  # of the second call, on X
    mixed = np.random.default_rng(seed).permuted(a, axis=1)
    value = asks.parts()[:, 2, 0]
    answer = last.forward(
        (mixed[:, None] @ seen)[:, 0] @ value @ asks.params["O"]
    )
    return {
        "right": right(model, X, y)[0],
        "first": a[:, 0].mean(),
        "flipped": flipped.mean(),
        "shuffled": ((answer > 0.5) == y).mean(),
    }


CODE = (
    Last, LastAsks, places, with_places, two_signs, layers, Solved, train, right, run_recall, run_heads, run_weights,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tried(table, who):
    """Return the rate that was best on the validation sets of the trials; of equals the one that got there first."""
    trials = table[table.seed >= min(TRIALS)].groupby([who, "lag", "rate"])
    best = {}
    for (name, lag, rate), part in trials:
        score = part.validation.mean(), -part.epochs.mean()
        best[name, lag] = max(best.get((name, lag), (-1, 0, 0)), (*score, rate))
    return {key: rate for key, (*_, rate) in best.items()}


def two_stages(run, who, cases, folder, seeds=SEEDS, trials=TRIALS):
    """Choose a rate for each case by the trials, then train with it over the seeds; return all rows.

    Parameters
    ----------
    run : callable
        Takes the name of the case, lag, rate and seed.
    who : str
        What `run` calls the name.
    cases : dict of str to tuple of int
        Name -> lags.
    """
    import pandas as pd

    found = []
    for name, lags in cases.items():
        place = folder / name.replace(", ", "_").replace(" ", "_")
        grid = {who: [name], "lag": lags, "rate": RATES, "seed": list(trials)}
        first = stored_results.swept(run, grid, place.with_suffix(".trials"))
        found.append(first)
        for (_, lag), rate in tried(first, who).items():
            grid = {
                who: [name],
                "lag": [lag],
                "rate": [rate],
                "seed": list(seeds),
            }
            found.append(
                stored_results.swept(run, grid, place.with_suffix(f".{lag}"))
            )
    return pd.concat(found, ignore_index=True)


def tables(folder):
    """Train everything; return the three tables by name."""
    weights = {
        "kind": ["looks back", "memory below"],
        "lag": [10],
        "seed": list(SEEDS),
    }
    heads = dict.fromkeys(READERS, (20,))
    return {
        "attention_weights": stored_results.swept(
            run_weights, weights, folder / "weights"
        ),
        "attention_heads": two_stages(run_heads, "reader", heads, folder),
        "attention_recall": two_stages(run_recall, "kind", KINDS, folder),
    }


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "attention"
    stored_results.store_all(tables(folder), CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
