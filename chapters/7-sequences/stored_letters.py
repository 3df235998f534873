"""Three chapters of Alice, letter by letter: counts of what followed, networks that guess, and how good each is.

`python chapters/7-sequences/stored_letters.py` trains the networks of the page "Write letters" (about five minutes on one
core; it goes on where it was stopped), and renews the tables and the small network in data/sequences that the page reads.
"""

import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np

import nnlib as nn
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "sequences"
MODEL = RESULTS / "letters_lstm.npz"
LETTERS = " abcdefghijklmnopqrstuvwxyz"
ONE_HOT = np.eye(len(LETTERS), dtype=np.float32)
SHARES = 0.75, 0.10, 0.15  # of the text: to learn, to choose by, to judge
LONGEST = 8  # letters of the longest string that is counted
WEIGHTS = (1, 2, 4, 8, 16, 32, 64)  # of the shorter letters before, tried
UNITS, WINDOW, BATCH, STEPS, LOOK = 64, 40, 32, 420, 35
SEARCH, SEEDS = (0, 1), (10, 11, 12, 13, 14)
GRID = {  # network and optimizer -> learning rates and shares of dropout, tried
    ("LSTM", "Adam"): ((0.03, 0.06, 0.12), (0.0, 0.3, 0.5)),
    ("LSTM", "Adagrad"): ((0.1, 0.2, 0.4), (0.0, 0.3)),
    ("RNN", "Adam"): ((0.01, 0.02, 0.04, 0.08), (0.0, 0.3)),
}
SIZES = (4, 2)  # besides the whole: one part in so many


def text():
    """Return the chapters in 27 letters: a to z and the space, which stands for every other sign but the apostrophe."""
    plain = datasets.load_alice().lower().replace("'", "")
    return " ".join(re.sub("[^a-z]", " ", plain).split())


def parts():
    """Return the text to learn from, the one to choose settings by, and the one to judge: by place, in this order."""
    whole = text()
    first, second = (round(len(whole) * s) for s in np.cumsum(SHARES)[:2])
    return whole[:first], whole[first:second], whole[second:]


def numbers(letters):
    """Return the places of letters in the alphabet, 0 for the space."""
    return np.array([LETTERS.index(letter) for letter in letters])


def count(learn, longest=LONGEST):
    """Return how often each string of 1 to `longest` letters stands in a text, as a Counter."""
    return Counter(
        learn[at : at + size]
        for size in range(1, longest + 1)
        for at in range(len(learn) - size + 1)
    )


def followers(table, before, longest=LONGEST):
    """Return what followed the last 0, 1, ... letters of `before`: counts (longest, 27)."""
    found = np.zeros((longest, len(LETTERS)))
    for back in range(min(longest, len(before) + 1)):
        tail = before[len(before) - back :]
        found[back] = [table.get(tail + x, 0) for x in LETTERS]
    return found


def blended(counts, n, weight):
    """Return shares: p = (c + weight · shorter p)/(Σc + weight), from 0 letters before to n - 1, and first 1/27.

    Parameters
    ----------
    counts : array (..., longest, 27)
        See `followers`.
    n : int
        Letters of the longest string used, the one to come among them: 1 looks at nothing before.
    weight : float
        So many letters the shares of the shorter letters before are worth.
    """
    p = np.full((*counts.shape[:-2], len(LETTERS)), 1 / len(LETTERS))
    for back in range(n):
        c = counts[..., back, :]
        p = (c + weight * p) / (c.sum(axis=-1, keepdims=True) + weight)
    return p


@cache
def counted(size=1):
    """Return what followed in one part in `size` of the text to learn, before each letter to choose by and to judge."""
    learn, choose, judge = parts()
    learn = learn[len(learn) - len(learn) // size :]
    table, whole = count(learn), learn + choose + judge
    found = [
        followers(table, whole[max(0, at - LONGEST) : at])
        for at in range(len(learn), len(whole))
    ]
    return np.split(np.array(found), [len(choose)])


def bits(shares, letters):
    """Return the mean of -log2 of the share that each letter was given."""
    return float(
        -np.log2(shares[np.arange(len(letters)), numbers(letters)]).mean()
    )


def run_counts(size, n, weight):
    """Return a row of the table "letters_counts": bits per letter of counts of strings up to n letters."""
    _, *texts = parts()
    found = [
        bits(blended(c, n, weight), part)
        for c, part in zip(counted(size), texts, strict=True)
    ]
    return dict(zip(("choose", "judge"), found, strict=True))


def network(kind="LSTM", dropout=0.3, seed=0):
    """Return a recurrent network that gives shares to the next letter at each of 40 places."""
    layers = [
        getattr(nn, kind)(UNITS, return_sequences=True),
        nn.Dropout(dropout),
        nn.Dense(len(LETTERS), "softmax"),
    ]
    model = nn.Sequential(layers, seed=seed, dtype="float32")
    return model.build((WINDOW, len(LETTERS)))


def read(model, letters, before):
    """Return the shares that a model gives at each letter of a text, which it reads in one go, after 100 letters."""
    before = before[-100:]
    h = ONE_HOT[numbers(before + letters)[:-1]][None]
    for layer in model.layers:
        h = layer.forward(h)
    return h[0, len(before) - 1 :].astype(float)


def train(model, learn, choose, rate, optimizer="Adam", seed=0, steps=STEPS):
    """Train a model in place on windows that begin anywhere; put back the weights that were best on `choose`.

    Returns
    -------
    list of (step, bits per letter while learning, bits per letter of `choose`)
    """
    rng, codes = np.random.default_rng(seed), numbers(learn)
    rule = getattr(nn, optimizer)(
        nn.schedules.CosineDecay(rate, steps), clip_norm=1.0
    )
    best, course, losses = (np.inf, None), [], []
    for step in range(1, steps + 1):
        starts = rng.integers(len(codes) - WINDOW, size=BATCH)
        windows = codes[starts[:, None] + np.arange(WINDOW + 1)]
        loss = model.train_on_batch(
            ONE_HOT[windows[:, :-1]],
            ONE_HOT[windows[:, 1:]],
            loss="categorical_crossentropy",
            optimizer=rule,
        )
        losses.append(loss / np.log(2))
        if step % LOOK == 0:
            score = bits(read(model, choose, learn), choose)
            course.append((step, float(np.mean(losses[-LOOK:])), score))
            if score < best[0]:
                best = score, model.get_weights()
    model.set_weights(best[1])
    return course


def trained(network_, optimizer, rate, dropout, seed, size=1):
    """Return a trained network and its course."""
    learn, choose, _ = parts()
    learn = learn[len(learn) - len(learn) // size :]
    model = network(network_, dropout, seed)
    return model, train(model, learn, choose, rate, optimizer, seed)


def run_network(network, optimizer, rate, dropout, seed, size=1):
    """Return a row of "letters_networks": bits per letter, also mixed half and half with the counts, and the best step."""
    _, choose, judge = parts()
    model, course = trained(network, optimizer, rate, dropout, seed, size)
    shares = read(model, judge, choose)
    n, weight = chosen_counts(size)
    other = blended(counted(size)[1], n, weight)
    best = min(course, key=lambda row: row[2])
    return {
        "step": best[0],
        "learn": best[1],
        "choose": best[2],
        "judge": bits(shares, judge),
        "mixed": bits((shares + other) / 2, judge),
    }


@cache
def chosen_counts(size=1):
    """Return (n, weight) with the fewest bits on the text to choose by."""
    _, choose, _ = parts()
    return min(
        ((n, w) for n in range(1, LONGEST + 1) for w in WEIGHTS),
        key=lambda pair: bits(blended(counted(size)[0], *pair), choose),
    )


def chosen(table, network, optimizer, size=1):
    """Return (rate, dropout) with the fewest bits on the text to choose by, on average over the seeds of the search."""
    rows = table[
        (table.network == network)
        & (table.optimizer == optimizer)
        & (table["size"] == size)
        & table.seed.isin(SEARCH)
    ]
    return rows.groupby(["rate", "dropout"]).choose.mean().idxmin()


def counter(table, n, weight):
    """Return what makes guessers by counts: give one a letter, and it returns the shares of the next one."""
    known = {}

    def shares(before):
        if before not in known:
            c = np.array([table.get(before + x, 0) for x in LETTERS])
            shorter = shares(before[1:]) if before else 1 / len(LETTERS)
            known[before] = (c + weight * shorter) / (c.sum() + weight)
        return known[before]

    def make():
        before = ""

        def feed(letter):
            nonlocal before
            before = (before + letter)[-(n - 1) :] if n > 1 else ""
            return shares(before)

        return feed

    return make


def drawn(guesser, start, length, temperature=1.0, seed=0):
    """Return `start` and so many letters drawn after it, each fed back to the guesser."""
    rng, letters = np.random.default_rng(seed), start
    for letter in start:
        p = guesser(letter)
    for _ in range(length):
        q = p ** (1 / temperature)
        letters += LETTERS[rng.choice(len(LETTERS), p=q / q.sum())]
        p = guesser(letters[-1])
    return letters


def copied(sample, learn):
    """Return for each place of a sample how many letters from there on stand word for word in the text to learn."""
    lengths, end = [], 0
    for at in range(len(sample)):
        end = max(end, at)
        while end < len(sample) and sample[at : end + 1] in learn:
            end += 1
        lengths.append(end - at)
    return np.array(lengths)


CODE = (
    text, parts, numbers, count, followers, blended, counted, bits, run_counts, network, read, train, trained, run_network,
    chosen_counts, chosen,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def tables(folder, workers=1):
    """Count and train everything; return both tables by name."""
    import pandas as pd

    counts = pd.DataFrame(
        {"size": size, "n": n, "weight": w, **run_counts(size, n, w)}
        for size in (1, *SIZES)
        for n in range(1, LONGEST + 1)
        for w in WEIGHTS
    )

    def runs(kind, rule, rates, dropouts, seeds, size):
        name = f"letters_{kind}_{rule}_{size}_{seeds[0]}".lower()
        grid = {
            "network": [kind],
            "optimizer": [rule],
            "rate": rates,
            "dropout": dropouts,
            "seed": seeds,
            "size": [size],
        }
        return stored_results.swept(
            run_network, grid, folder / name, workers=workers
        )

    found = []
    for (kind, rule), (rates, dropouts) in GRID.items():
        search = runs(kind, rule, rates, dropouts, SEARCH, 1)
        rate, dropout = chosen(search, kind, rule)
        found += [search, runs(kind, rule, (rate,), (dropout,), SEEDS, 1)]
    rate, _ = chosen(found[0], "LSTM", "Adam")
    for size in SIZES:  # the rate as it was for the whole text
        search = runs("LSTM", "Adam", (rate,), (0.3, 0.5), SEARCH, size)
        _, dropout = chosen(search, "LSTM", "Adam", size)
        last = runs("LSTM", "Adam", (rate,), (dropout,), SEEDS[:3], size)
        found += [search, last]
    return {
        "letters_counts": counts,
        "letters_networks": pd.concat(found, ignore_index=True),
    }


def main():
    """Count and train everything; write the tables, and the first of the chosen networks."""
    found = tables(stored_results.UNFINISHED / "letters")
    rate, dropout = chosen(found["letters_networks"], "LSTM", "Adam")
    model, _ = trained("LSTM", "Adam", rate, dropout, SEEDS[0])
    model.optimizer = None  # its state is thrice as large as the weights
    model.save(MODEL)
    stored_results.store_all(found, CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
