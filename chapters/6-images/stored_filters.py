"""Networks of windows of several widths for the digits, ten seeds each: how alike their filters are, and what each tells.

`python chapters/6-images/stored_filters.py` trains them all (four minutes; it goes on where it was stopped) and renews the
tables in data/images that the page "Look at the filters" prints. The page itself trains one of them.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

import nnlib as nn
import tissue_network
from nnlib.course import datasets

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
WIDTHS = (
    4,
    8,
    16,
    32,
    64,
)  # filters of the first layer; the second has twice as many
RATES = (0.001, 0.003, 0.01, 0.03)  # of Adam
RATE, EPOCHS, BATCH = 0.003, 30, 32
CUT, KEPT = (
    32,
    (32, 28, 24, 16, 8, 4),
)  # filters of the network that is cut down, and how many are left
BINS = np.linspace(-1, 1, 21)  # of cosines
TWINS = 0.9  # cosines, and correlations of two maps, from here on
MOST = 20  # pictures with the strongest answers


def writers_apart(seed):
    """Return the rows of the digits of nine, two and three writers: training, validation and test."""
    order = np.random.default_rng(seed).permutation(14)
    place = np.argsort(order)[datasets.digit_writers()]  # of a row's writer
    return tuple(np.flatnonzero(part) for part in (place >= 5, (place >= 3) & (place < 5), place < 3))  # fmt: skip


def network(width, seed, dtype="float32"):
    """Return 3 by 3 windows, `width` and twice as many filters, each layer with ReLU and pooling, and ten outputs."""
    layers = []
    for filters in (width, 2 * width):
        layers += [
            nn.Conv2D(filters, 3, "same", 1, "relu", "he_normal"),
            nn.MaxPool2D(2),
        ]
    return nn.Sequential(
        [*layers, nn.Flatten(), nn.Dense(10, "softmax")], seed=seed, dtype=dtype
    ).build((8, 8, 1))


def trained(width, seed, rate=RATE, dtype="float32"):
    """Return the network after 30 epochs of Adam on the training digits."""
    X, y = datasets.load_digits()
    rows = writers_apart(seed)[0]
    model = network(width, seed, dtype)
    model.fit(
        X[rows],
        y[rows],
        loss="categorical_crossentropy",
        optimizer=nn.Adam(rate),
        epochs=EPOCHS,
        batch_size=BATCH,
        metrics=["accuracy"],
    )
    return model


def accuracy(model, rows):
    """Return the share of these digits that the network gets right."""
    X, y = datasets.load_digits()
    return nn.metrics.accuracy(model.predict(X[rows]), y[rows])


def maps(model, X):
    """Return the feature maps of all convolutions, (n, height, width, filters) each."""
    found, x = [], X.astype(model.params.dtype)
    for layer in model.layers:
        x = layer.forward(x)
        if isinstance(layer, nn.Conv2D):
            found.append(x)
    return found


def cosines(W):
    """Return the cosine of the angle between any two filters, (filters, filters); W is (height, width, channels, filters)."""
    columns = W.reshape(-1, W.shape[-1]).astype(float)
    columns = columns / np.linalg.norm(columns, axis=0)
    return columns.T @ columns


def correlations(answers):
    """Return the correlation of any two maps over all places of all pictures, 0 where one of them is constant."""
    columns = answers.reshape(-1, answers.shape[-1]).astype(float)
    columns = columns - columns.mean(axis=0)
    size = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(size > 0, size, 1)
    return columns.T @ columns


def nearest(table):
    """Return, for each row of a table of likenesses, the largest entry beside its own."""
    others = table.copy()
    np.fill_diagonal(others, -np.inf)
    return others.max(axis=1)


def areas(answers, labels):
    """Return the area under the ROC curve of each column for each class against the others, (columns, classes)."""
    ranks, found = rankdata(answers, axis=0), []
    for one in np.unique(labels):
        mine = labels == one
        n, others = mine.sum(), (~mine).sum()
        found.append((ranks[mine].sum(axis=0) - n * (n + 1) / 2) / (n * others))
    return np.transpose(found)


def own_class(learn, new, labels_learn, labels_new):
    """Return each column's area on new rows for the class that it tells best on the training rows, and that class."""
    best = areas(learn, labels_learn).argmax(axis=1)
    return areas(new, labels_new)[np.arange(len(best)), best], best


def kinds_of(answers, labels):
    """Return how many classes the strongest answers of each column come from: the exponential of their entropy."""
    found = []
    for column in answers.T:
        top = labels[np.argsort(-column, kind="stable")[:MOST]]
        share = np.bincount(top) / MOST
        share = share[share > 0]
        found.append(np.exp(-np.sum(share * np.log(share))))
    return np.array(found)


def tells(learn, new, labels_learn, labels_new):
    """Return what the columns of answers tell of the classes: mean and best area, and mean number of kinds."""
    alive = learn.max(axis=0) > learn.min(axis=0)
    learn, new = learn[:, alive], new[:, alive]
    area, _ = own_class(learn, new, labels_learn, labels_new)
    chosen = areas(learn, labels_learn).max(axis=1).argmax()
    return {
        "area": area.mean(),
        "best_area": area[chosen],
        "kinds": kinds_of(new, labels_new).mean(),
    }


def readings(model, start, learn, new, labels_learn, labels_new):
    """Return a row for each convolution of the network, and of the same network before its training."""
    rows, moved = [], []
    for net, one in (("start", start), ("trained", model)):
        layers = [part for part in one.layers if isinstance(part, nn.Conv2D)]
        seen = zip(layers, maps(one, learn), maps(one, new), strict=True)
        for number, (layer, on_learn, on_new) in enumerate(seen, start=1):
            W = layer.params["W"]
            table = cosines(W)
            pairs = table[np.triu_indices(len(table), 1)]
            likeness = nearest(correlations(on_learn))
            moved.append(W.reshape(-1, W.shape[-1]).astype(float))
            rows.append(
                {
                    "layer": number,
                    "net": net,
                    "filters": W.shape[-1],
                    "spread": pairs.std(),
                    "nearest": nearest(table).mean(),
                    "largest": pairs.max(),
                    "twins": (nearest(table) > TWINS).mean(),
                    "correlation": likeness.mean(),
                    "alike": (likeness > TWINS).mean(),
                    "dead": (on_learn.max(axis=(0, 1, 2)) <= 0).mean(),
                    "bins": np.histogram(pairs, BINS)[0].tolist(),
                    **tells(
                        on_learn.max(axis=(1, 2)),
                        on_new.max(axis=(1, 2)),
                        labels_learn,
                        labels_new,
                    ),
                }
            )
    half = len(rows) // 2
    for before, after, row in zip(
        moved[:half], moved[half:], rows[half:], strict=True
    ):
        size = np.linalg.norm(before, axis=0) * np.linalg.norm(after, axis=0)
        row["kept"] = float(np.mean(np.sum(before * after, axis=0) / size))
    return rows


def plain(rows):
    """Return rows whose numbers are Python's own."""
    return [
        {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in row.items()
        }
        for row in rows
    ]


def run_width(width, seed):
    """Return what is read off one network: rows of the table "filters"."""
    X, y = datasets.load_digits()
    labels = y.argmax(axis=1)
    learn, watch, test = writers_apart(seed)
    model, start = trained(width, seed), network(width, seed)
    about = {
        "validation": accuracy(model, watch),
        "accuracy": accuracy(model, test),
    }
    rows = readings(
        model, start, X[learn], X[test], labels[learn], labels[test]
    )
    flat = X.reshape(len(X), -1)
    said = model.predict(X)
    for net, answers in (("pixels", flat), ("output", said)):
        found = tells(
            answers[learn], answers[test], labels[learn], labels[test]
        )
        rows.append({"layer": 0 if net == "pixels" else 3, "net": net, **found})
    return {"rows": plain([about | row for row in rows])}


def run_rate(rate, seed):
    """Return the validation accuracy of one rate, and the share of the filters of each layer that are dead after it."""
    X, _ = datasets.load_digits()
    learn, watch, _ = writers_apart(seed)
    model = trained(16, seed, rate)
    row = {"validation": accuracy(model, watch)}
    for number, answers in enumerate(maps(model, X[learn]), start=1):
        row[f"dead_{number}"] = (answers.max(axis=(0, 1, 2)) <= 0).mean()
    return {"rows": plain([row])}


def run_tissue(seed):
    """Return rows for the network for tissue: 1,000 pictures to learn from, 1,000 others."""
    pictures = datasets.tissue(1000, seed=seed)
    others = datasets.tissue(1000, seed=1000 + seed)
    learn = tissue_network.standardized(pictures.X, pictures.X)
    new = tissue_network.standardized(others.X, pictures.X)
    start = tissue_network.network(seed).build((28, 28, 3))
    model = tissue_network.network(seed).build((28, 28, 3))
    tissue_network.train(model, learn, pictures.y, seed=seed)
    area = nn.metrics.roc_auc(model.predict(new), others.truth)
    labels = pictures.truth[:, 0].astype(int), others.truth[:, 0].astype(int)
    rows = readings(model, start, learn, new, *labels)
    return {"rows": plain([{"network": area} | row for row in rows])}


# --- fewer filters --------------------------------------------------------------------------------------------------


def merge(answers, after):
    """Take out the filter that one other stands in for best; return which one that was.

    If its map is c times another one's, a = c·a', the weights of the next layer take it over: W' += c·W. What is left
    over, (a − c·a')·W, is smallest for the pair that is chosen; of a dead filter nothing is left over.

    Parameters
    ----------
    answers : ndarray, (rows, filters)
        What each filter hands on, at all places of some pictures; a column of zeros is out already.
    after : ndarray, (height, width, filters, next filters)
        The weights of the next layer; they are changed in place.

    Returns
    -------
    int
    """
    products = answers.T @ answers
    size = np.diag(products).copy()
    inside = np.flatnonzero(np.any(after != 0, axis=(0, 1, 3)))
    weight = np.sum(after**2, axis=(0, 1, 3))
    safe = np.where(size > 0, size, 1)
    c = products / safe  # c[a, b]: a is about c times b
    left = (size[:, None] - c * products) * weight[:, None]
    np.fill_diagonal(left, np.inf)
    left = left[np.ix_(inside, inside)]
    a, b = (inside[k] for k in np.unravel_index(left.argmin(), left.shape))
    after[:, :, b] += c[a, b] * after[:, :, a]
    after[:, :, a] = 0
    return int(a)


def run_cut(seed):
    """Return the test accuracy with fewer and fewer filters in the first layer, merged, or taken out by chance."""
    X, _ = datasets.load_digits()
    learn, _, test = writers_apart(seed)
    rng, rows = np.random.default_rng(seed), []
    model = trained(CUT, seed, dtype="float64")
    weights = model.get_weights()
    first, pool, second = model.layers[:3]
    answers = pool.forward(first.forward(X[learn])).reshape(-1, CUT)

    def keep(how, kept):
        rows.append(
            {"how": how, "kept": kept, "accuracy": accuracy(model, test)}
        )

    for left in range(CUT, min(KEPT) - 1, -1):
        if left in KEPT:
            keep("merged", left)
        merge(answers, second.params["W"])
    for turn in range(5):
        order = rng.permutation(CUT)
        for kept in KEPT:
            model.set_weights(weights)
            second.params["W"][:, :, order[kept:]] = 0
            keep(f"chance {turn}", kept)
    return {"rows": plain(rows)}


CODE = (
    writers_apart, network, trained, accuracy, maps, cosines, correlations, nearest, areas, own_class, kinds_of, tells,
    readings, run_width, run_rate, run_tissue, merge, run_cut, tissue_network.standardized, tissue_network.network,
    tissue_network.train,
)  # fmt: skip
# table -> what makes its rows, and the settings besides the seed
TABLES = {
    "filters": (run_width, {"width": WIDTHS}),
    "filters_rates": (run_rate, {"rate": RATES}),
    "filters_cut": (run_cut, {}),
    "filters_tissue": (run_tissue, {}),
}


stored, made = stored_results.readers(RESULTS)


def opened(table, settings):
    """Return a table with a line for each of the rows that a run has returned."""
    import pandas as pd

    lines = [
        {name: run[name] for name in settings} | line
        for run in table.to_dict("records")
        for line in run["rows"]
    ]
    found = pd.DataFrame(lines)
    if "bins" in found:  # one column for each
        counts = found.pop("bins")
        for number in range(len(BINS) - 1):
            found[f"bin_{number}"] = [
                row[number] if isinstance(row, list) else 0 for row in counts
            ]
    return found


def tables(seeds, folder, workers=1):
    """Train everything for these seeds; yield names and tables."""
    for name, (run, settings) in TABLES.items():
        grid = {**settings, "seed": list(seeds)}
        table = stored_results.swept(run, grid, folder / name, workers=workers)
        yield name, opened(table, grid)


def main():
    """Train everything, and write the tables."""
    folder = stored_results.UNFINISHED / "filters"
    found = dict(tables(SEEDS, folder))
    stored_results.store_all(found, CODE, ["scikit-learn", "scipy"], RESULTS)


if __name__ == "__main__":
    main()
