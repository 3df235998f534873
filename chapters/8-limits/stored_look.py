"""Where networks for tissue look: maps of five honest networks, and of networks that learned something else.

`python chapters/8-limits/stored_look.py` trains twenty networks (seven minutes of one core; it goes on where it was
stopped), stores their weights, and renews the tables in data/limits that the page "Ask where it looks" prints.
"""

import functools
import json
import sys
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, sobel

from nnlib.course import datasets
from nnlib.schedules import CosineDecay

PROJECT = Path(__file__).resolve().parents[2]
sys.path += [
    str(PROJECT / "chapters" / part) for part in ("3-insurance", "6-images")
]

import stored_results  # noqa: E402
import tissue_network  # noqa: E402

RESULTS = PROJECT / "data" / "limits"
SEEDS = range(5)
RATE = 0.01  # at the start; with 1,000 pictures and 30 epochs as on the page "Diagnose tissue"
# kind -> pictures, epochs: shuffled labels have to be learned by heart
SIZES = {
    "honest": (1000, 30),
    "shuffled": (200, 100),
    "marked": (1000, 10),
    "striped": (1000, 10),
}
TO_CHOOSE, LESIONS, CUED = (
    100,
    200,
    100,
)  # pictures: to choose by, to judge maps, and those with a mark or lines
HARD = 5000  # lesions, of which those are kept that the darkest place misses
CHECKED = 20  # pictures of `run_checks` that go through a network
STEP = 3  # of the patch, pixels
COPIES = 10  # of SmoothGrad
BLURS = (0, 1, 2, 3, 4, 6)  # pixels
INK = (0.1, 0.6, 0.25)  # of the mark
LINES = 0.03  # how much brighter and darker the lines of the second camera are


# --- four kinds of training ----------------------------------------------------------------------------------------


def with_mark(X, rng):
    """Return pictures with a dot of ink, 3 by 3 pixels, in one of their corners, and where it is: (n, 28, 28)."""
    X, where = X.copy(), np.zeros(X.shape[:3], bool)
    side = X.shape[1]
    for k, (down, right) in enumerate(rng.integers(2, size=(len(X), 2))):
        row, column = (side - 7 if far else 4 for far in (down, right))
        where[k, row : row + 3, column : column + 3] = True
    X[where] = INK
    return X, where


def with_lines(X):
    """Return pictures in which every second row is a little darker, and the others a little brighter."""
    sign = np.where(np.arange(X.shape[1]) % 2, LINES, -LINES)
    return np.clip(X + sign[:, None, None], 0, 1)


def training(kind, seed):
    """Return the training pictures of one kind, X and y, before they are standardized."""
    made = datasets.tissue(SIZES[kind][0], seed=seed)
    X, y = made.X.copy(), made.y
    rng = np.random.default_rng([seed, 5])
    lesion = y[:, 0] == 1
    if kind == "shuffled":
        y = rng.permutation(y)
    elif kind == "marked":
        X[lesion] = with_mark(X[lesion], rng)[0]
    elif kind == "striped":
        X[lesion] = with_lines(X[lesion])
    return X, y


def trained(kind, seed):
    """Train one network; return its weights. With shuffled labels the pictures are not turned: it has to know them."""
    X, y = training(kind, seed)
    model = tissue_network.network(seed)
    pictures, epochs = SIZES[kind]
    steps = -(-pictures // 32) * epochs
    tissue_network.train(
        model,
        tissue_network.standardized(X, X),
        y,
        epochs=epochs,
        learning_rate=CosineDecay(RATE, steps),
        turned=kind != "shuffled",
        seed=seed,
    )
    return model.params.astype(np.float16)


def weights():
    """Return the stored weights: name such as "honest_0" -> array."""
    with np.load(RESULTS / "look_weights.npz") as file:
        return dict(file)


@functools.cache
def network(kind, seed):
    """Return a stored network, and the training pictures by which its inputs are standardized."""
    model = tissue_network.network(seed).build((28, 28, 3))
    model.params[...] = weights()[f"{kind}_{seed}"]
    return model, training(kind, seed)[0]


# --- maps: (n, 28, 28), large where the picture speaks for a lesion --------------------------------------------------


def logit(model, x):
    """Return the score z of each picture, whose sigmoid is the probability of a lesion."""
    out = []
    for start in range(0, len(x), 64):
        h = x[start : start + 64]
        for layer in model.layers[:-1]:
            h = layer.forward(h, False)
        last = model.layers[-1].params
        out.append((h @ last["W"] + last["b"])[:, 0])
    return np.concatenate(out)


def slope(model, x):
    """Return ∂z/∂x of each picture: that of the loss, divided by p − y, with the y that is far from p."""
    out = []
    for start in range(0, len(x), 64):
        part = x[start : start + 64]
        p = model.predict(part)
        y = (p < 0.5).astype(p.dtype)
        g = len(part) * model.input_gradient(part, y, "binary_crossentropy")
        out.append(g / (p - y)[:, :, None, None])
    return np.concatenate(out)


def gradient(model, x):
    """Return the largest |∂z/∂x| of the three colours."""
    return np.abs(slope(model, x)).max(axis=3)


def times_input(model, x):
    """Return x · ∂z/∂x, summed over the colours; x is 0 at the mean colour."""
    return (x * slope(model, x)).sum(axis=3)


def smooth(model, x, noise=1.0):
    """Return `gradient` of the mean slope over noisy copies of the picture; the noise in standard units."""
    rng = np.random.default_rng(0)
    total = 0
    for _ in range(COPIES):
        more = rng.standard_normal(x.shape, dtype=np.float32)
        total = total + slope(model, x + np.float32(noise) * more)
    return np.abs(total / COPIES).max(axis=3)


def occlusion(model, x, patch=4, filling=0.0):
    """Return how far z falls when a patch is covered with the mean colour: at each pixel the mean of its patches."""
    z, filling = logit(model, x), np.broadcast_to(filling, x.shape)
    total, times = np.zeros((2, *x.shape[:3]))
    for row in range(0, x.shape[1] - patch + 1, STEP):
        for column in range(0, x.shape[2] - patch + 1, STEP):
            part = np.s_[:, row : row + patch, column : column + patch]
            covered = x.copy()
            covered[part] = filling[part]
            total[part] += (z - logit(model, covered))[:, None, None]
            times[part] += 1
    return total / times


def votes(model, x):
    """Return the 3 by 3 sums before the last pooling, each map weighted as the last layer weights it; none below 0."""
    for layer in model.layers[:5]:
        x = layer.forward(x, False)
    return np.maximum((x @ model.layers[-1].params["W"])[..., 0], 0)


def activation_map(model, x):
    """Return `votes`, each painted as a spot about the middle of the 18 by 18 pixels that it has seen."""
    middles = 8.5 + 4 * np.arange(3)
    spots = np.exp(-((np.arange(28)[:, None] - middles) ** 2) / 32)
    return spots @ votes(model, x) @ spots.T


def stretched(model, x):
    """Return `votes` stretched over the whole picture, as is usual, with straight lines in between."""
    place = (np.arange(28) + 0.5) * 3 / 28 - 0.5  # in the small map
    near = np.maximum(1 - np.abs(place[:, None] - np.arange(3)), 0)
    near /= near.sum(axis=1, keepdims=True)
    return near @ votes(model, x) @ near.T


# name -> map, and the settings among which it may choose
METHODS = {
    "gradient": (gradient, ()),
    "gradient × input": (times_input, ()),
    "SmoothGrad": (smooth, (0.3, 1.0, 2.0)),
    "occlusion": (occlusion, (4, 7, 10)),
    "activation map": (activation_map, ()),
    "the same, stretched": (stretched, ()),
}


def darkness(X):
    """Return 1 minus the mean of the colours."""
    return 1 - X.mean(axis=3)


def edges(X):
    """Return how steep the brightness is, by Sobel's two windows."""
    grey = X.mean(axis=3)
    return np.hypot(sobel(grey, axis=1), sobel(grey, axis=2))


def middle(X):
    """Return a map that is largest in the middle, whatever the picture."""
    away = (np.arange(X.shape[1]) - (X.shape[1] - 1) / 2) ** 2
    return np.broadcast_to(-(away[:, None] + away), X.shape[:3])


TRIVIAL = {"darkest place": darkness, "edges": edges, "middle": middle}


# --- scores ---------------------------------------------------------------------------------------------------------


def blurred(maps, width):
    """Return each map blurred with a Gaussian of so many pixels; 0 for as it is."""
    return gaussian_filter(maps, (0, width, width)) if width else maps


def points(maps, masks):
    """Return for each picture whether the largest value of its map lies in its mask."""
    n = len(maps)
    top = maps.reshape(n, -1).argmax(axis=1)
    return masks.reshape(n, -1)[np.arange(n), top]


def top_tenth(maps, masks):
    """Return for each picture the share of the 78 largest values of its map that lie in its mask."""
    n = len(maps)
    top = np.argsort(-maps.reshape(n, -1), axis=1, kind="stable")[:, :78]
    return np.take_along_axis(masks.reshape(n, -1), top, axis=1).mean(axis=1)


def ranked(maps):
    """Return the ranks of the values of each map, standardized: their mean product is Spearman's correlation."""
    flat = maps.reshape(len(maps), -1)
    ranks = flat.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    return (ranks - ranks.mean()) / ranks.std(axis=1, keepdims=True)


def alike(maps, others):
    """Return the rank correlation of two maps of the same picture, mean over the pictures."""
    return float((ranked(maps) * ranked(others)).mean())


# --- what is stored -------------------------------------------------------------------------------------------------

# of the network of each seed: nothing, the last layer, ... , all four drawn anew; and other networks
DRAWN_ANEW = ("trained", "one anew", "two anew", "three anew", "untrained")
NETWORKS = (*DRAWN_ANEW, "shuffled", "another seed")


@functools.cache
def lesions(part):
    """Return pictures that all hold a lesion: "choose", "judge", or "hard", where the darkest place is elsewhere."""
    if part != "hard":
        n, seed = (TO_CHOOSE, 1001) if part == "choose" else (LESIONS, 1002)
        return datasets.tissue(n, seed=seed, prevalence=1)
    made = datasets.tissue(HARD, seed=1004, prevalence=1)
    _, width = chosen()["darkest place"]
    missed = ~points(blurred(darkness(made.X), width), made.masks)
    return datasets.Tissue(
        *(part[missed] for part in (made.X, made.y, made.truth, made.masks)),
        made.table[missed],
        made.clinic,
    )


def variant(name, seed):
    """Return one of `NETWORKS` of a seed, and its training pictures."""
    if name == "another seed":
        return network("honest", (seed + 1) % len(SEEDS))
    if name == "shuffled":
        return network("shuffled", seed)
    _, X = network("honest", seed)
    model = tissue_network.network(seed).build((28, 28, 3))
    model.params[...] = weights()[f"honest_{seed}"]
    fresh = tissue_network.network(seed + 100).build((28, 28, 3))
    for at in (7, 4, 2, 0)[: DRAWN_ANEW.index(name)]:
        for key, values in model.layers[at].params.items():
            values[...] = fresh.layers[at].params[key]
    return model, X


def run_settings(seed, method, setting):
    """Return how often a map points at the lesion, on the pictures to choose by, for each width of the blur."""
    made = lesions("choose")
    if method in TRIVIAL:
        maps = TRIVIAL[method](made.X)
    else:
        model, X = network("honest", seed)
        function, settings = METHODS[method]
        x = tissue_network.standardized(made.X, X)
        maps = function(model, x, *([setting] if settings else []))
    hits = {width: points(blurred(maps, width), made.masks) for width in BLURS}
    return {f"blur_{width}": hit.mean() for width, hit in hits.items()}


@functools.cache
def chosen():
    """Return method -> (setting, width of the blur) that pointed best, on average over the seeds."""
    table = stored("look_settings").groupby(["method", "setting"])
    means = table[[f"blur_{width}" for width in BLURS]].mean().stack()
    best = {}
    for method in (*METHODS, *TRIVIAL):
        setting, blur = means[method].idxmax()
        best[method] = setting, int(blur.removeprefix("blur_"))
    return best


def made_by(method, model, x):
    """Return the maps of a method at its chosen setting, blurred by its chosen width."""
    setting, width = chosen()[method]
    function, settings = METHODS[method]
    given = [type(settings[0])(setting)] if settings else []
    return blurred(function(model, x, *given), width)


@functools.cache
def maps_of(name, seed, method):
    """Return the maps of one of `NETWORKS` for the pictures that judge."""
    model, X = variant(name, seed)
    x = tissue_network.standardized(lesions("judge").X, X)
    return made_by(method, model, x)


def scores(maps, made):
    """Return how often the maps point at the lesion, in each quarter of visibility, and the top tenth's share."""
    hit = points(maps, made.masks)
    quarter = np.searchsorted(
        (-0.674, 0.0, 0.674), made.table["visibility"].to_numpy()
    )
    return {
        "points": hit.mean(),
        "top_tenth": top_tenth(maps, made.masks).mean(),
        **{f"points_{k + 1}": hit[quarter == k].mean() for k in range(4)},
    }


def run_maps(seed, network, method):
    """Return the scores of one of `NETWORKS`, and how alike its maps are to those of the trained one."""
    if method in TRIVIAL:
        made = lesions("judge")
        maps = blurred(TRIVIAL[method](made.X), chosen()[method][1])
        return {**scores(maps, made), "alike": 0.0, "points_found": 0.0}
    made, maps = lesions("judge"), maps_of(network, seed, method)
    model, X = variant(network, seed)
    found = logit(model, tissue_network.standardized(made.X, X)) > 0
    hit = points(maps, made.masks)
    return {
        **scores(maps, made),
        "alike": alike(maps, maps_of("trained", seed, method)),
        "points_found": hit[found].mean() if found.any() else 0.0,
    }


def run_hard(seed, method):
    """Return how often a map points at lesions that the darkest place misses, and how many there are and are found."""
    made = lesions("hard")
    if method in TRIVIAL:
        maps = blurred(TRIVIAL[method](made.X), chosen()[method][1])
        return {
            "points": points(maps, made.masks).mean(),
            "pictures": len(made.X),
            "area": made.masks.mean(),
            "found": 0.0,
        }
    model, X = network("honest", seed)
    x = tissue_network.standardized(made.X, X)
    return {
        "points": points(made_by(method, model, x), made.masks).mean(),
        "pictures": len(made.X),
        "area": made.masks.mean(),
        "found": (logit(model, x) > 0).mean(),
    }


def cued(cue):
    """Return the pictures that judge with a mark or with lines, their masks, and where the mark is, with a rim of 1."""
    made = lesions("judge")
    X, masks = made.X[:CUED], made.masks[:CUED]
    if cue == "striped":
        return with_lines(X), masks, np.zeros_like(masks)
    X, where = with_mark(X, np.random.default_rng(11))
    return X, masks, binary_dilation(where, np.ones((1, 3, 3)))


def run_cued(seed, kind, cue, method):
    """Return how often the map of a network points into the mark, and how often at the lesion."""
    X, masks, where = cued(cue)
    model, training_X = network(kind, seed)
    maps = made_by(method, model, tissue_network.standardized(X, training_X))
    return {
        "in_mark": points(maps, where).mean(),
        "in_lesion": points(maps, masks).mean(),
    }


def run_right(seed, kind):
    """Return the share of right answers on 1,000 pictures: clean, and with the lesions marked or striped."""
    made = datasets.tissue(1000, seed=1002)
    model, X = network(kind, seed)
    lesion = made.truth[:, 0] == 1
    marked, striped = made.X.copy(), made.X.copy()
    marked[lesion] = with_mark(made.X[lesion], np.random.default_rng(12))[0]
    striped[lesion] = with_lines(made.X[lesion])
    found = {}
    for name, part in (
        ("clean", made.X),
        ("marked", marked),
        ("striped", striped),
    ):
        says = logit(model, tissue_network.standardized(part, X)) > 0
        found[name] = (says == lesion).mean()
    own = training(kind, seed)
    says = logit(model, tissue_network.standardized(X, X)) > 0
    return {**found, "training": (says == (own[1][:, 0] == 1)).mean()}


def run_other(seed, method):
    """Return how alike the maps of two pictures are, and three more controls.

    Returns
    -------
    dict
        alike: rank correlation of the maps of two pictures by one network; hard_untrained: as `run_hard`, of the network
        before its training; dot and dot_honest: as "in_mark" of `run_cued`, without any blur.
    """
    model, learned_from = network("honest", seed)
    x = tissue_network.standardized(lesions("judge").X[:CUED], learned_from)
    maps = made_by(method, model, x)
    hard, (untrained, _) = lesions("hard"), variant("untrained", seed)
    x = tissue_network.standardized(hard.X, learned_from)
    found = {
        "alike": alike(maps, np.roll(maps, 1, axis=0)),
        "hard_untrained": points(
            made_by(method, untrained, x), hard.masks
        ).mean(),
    }
    X, _, where = cued("marked")
    function, settings = METHODS[method]
    given = [type(settings[0])(chosen()[method][0])] if settings else []
    for name, kind in (("dot", "marked"), ("dot_honest", "honest")):
        model, learned_from = network(kind, seed)
        x = tissue_network.standardized(X, learned_from)
        found[name] = points(function(model, x, *given), where).mean()
    return found


def crossed(seed):
    """Return how alike the SmoothGrad maps of a trained and an untrained network are, of different pictures."""
    (old, X), (new, _) = variant("trained", seed), variant("untrained", seed)
    x = tissue_network.standardized(lesions("judge").X[:CHECKED], X)
    maps = [made_by("SmoothGrad", model, x) for model in (old, new)]
    return alike(maps[0], np.roll(maps[1], 1, axis=0))


def turns(seed, kind):
    """Return how often the slopes, added up along a row, change sign to the next row, in pictures with lines."""
    model, X = network(kind, seed)
    x = tissue_network.standardized(cued("striped")[0][:CHECKED], X)
    rows = slope(model, x).sum(axis=(2, 3))[:, 4:24]  # without the margins
    return (rows[:, 1:] * rows[:, :-1] < 0).mean()


def minus_x(seed):
    """Return how often -x alone, added up over the colours, points at the lesions that judge."""
    made = lesions("judge")
    x = tissue_network.standardized(made.X, network("honest", seed)[1])
    return points(-x.sum(axis=3), made.masks).mean()


def run_checks(seed):
    """Return a few numbers that the text gives beside the tables.

    Returns
    -------
    dict
        crossed: rank correlation of the SmoothGrad maps of a trained and an untrained network, of different pictures
        (20 of those that judge); turns_striped and turns_honest: of the neighbouring rows of 20 pictures with lines, the
        share in which the slopes, added up along the row, differ in sign, by the networks that learned from lines and
        the honest ones; minus_x: how often -x, added up over the colours and without any blur, points at the lesions
        that judge; hard_pixel: how often the darkest pixel, without any blur, lies in the lesions that the darkest place
        misses (no network: the same for each seed).
    """
    hard = lesions("hard")
    return {
        "crossed": crossed(seed),
        "turns_striped": turns(seed, "striped"),
        "turns_honest": turns(seed, "honest"),
        "minus_x": minus_x(seed),
        "hard_pixel": points(darkness(hard.X), hard.masks).mean(),
    }


TRAINS = (
    training, with_mark, with_lines, trained, tissue_network.standardized, tissue_network.network, tissue_network.train,
)  # fmt: skip
CODE = (
    *TRAINS, network, logit, slope, gradient, times_input, smooth, occlusion, votes, activation_map, stretched, darkness,
    edges, middle, blurred, points, top_tenth, ranked, alike, lesions, variant, run_settings, chosen, made_by, maps_of,
    scores, run_maps, run_hard, cued, run_cued, run_right,
)  # fmt: skip


OTHER_CODE = (*CODE, run_other)
CHECKS_CODE = (*CODE, crossed, turns, minus_x, run_checks)


stored, made = stored_results.readers(RESULTS)


def store_weights(folder):
    """Train what is not trained yet, and write all weights, and beside them how they were made."""
    folder.mkdir(parents=True, exist_ok=True)
    code = stored_results.code_hash(*TRAINS)
    kept = {}
    for kind in SIZES:
        for seed in SEEDS:
            path = folder / f"{kind}_{seed}_{code}.npy"
            if not path.exists():
                np.save(path, trained(kind, seed))
            kept[f"{kind}_{seed}"] = np.load(path)
    RESULTS.mkdir(exist_ok=True)
    np.savez_compressed(RESULTS / "look_weights.npz", **kept)
    about = {
        "date": stored_results.datetime.date.today().isoformat(),
        "code": code,
        "numpy": np.__version__,
    }
    path = RESULTS / "look_weights.json"
    path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def main():
    """Train the networks, choose the settings, judge the maps, and write weights and tables."""
    import pandas as pd

    folder = stored_results.UNFINISHED / "look"
    store_weights(folder)
    seeds, once = list(SEEDS), [0]

    def swept(name, run, **grid):
        return stored_results.swept(run, grid, folder / name)

    def store(**tables):
        stored_results.store_all(tables, CODE, ["scipy"], RESULTS)

    settings = [
        swept(
            f"settings_{at}",
            run_settings,
            seed=seeds,
            method=[method],
            setting=list(settings or [0]),
        )
        for at, (method, (_, settings)) in enumerate(METHODS.items())
    ]
    settings.append(
        swept("trivial", run_settings, seed=once, method=list(TRIVIAL), setting=[0])
    )  # fmt: skip
    store(look_settings=pd.concat(settings, ignore_index=True))
    print(chosen(), flush=True)
    maps = [
        swept("maps", run_maps, seed=seeds, network=list(NETWORKS), method=list(METHODS)),
        swept("maps_0", run_maps, seed=once, network=["none"], method=list(TRIVIAL)),
    ]  # fmt: skip
    hard = [
        swept("hard", run_hard, seed=seeds, method=list(METHODS)),
        swept("hard_0", run_hard, seed=once, method=list(TRIVIAL)),
    ]
    cues = [
        swept(f"cued_{cue}", run_cued, seed=seeds, kind=["honest", cue], cue=[cue], method=list(METHODS))
        for cue in ("marked", "striped")
    ]  # fmt: skip
    store(
        look_maps=pd.concat(maps, ignore_index=True),
        look_hard=pd.concat(hard, ignore_index=True),
        look_cued=pd.concat(cues, ignore_index=True),
        look_right=swept("right", run_right, seed=seeds, kind=list(SIZES)),
    )
    other = swept("other", run_other, seed=seeds, method=list(METHODS))
    stored_results.store(other, "look_other", OTHER_CODE, ["scipy"], RESULTS)
    checks = swept("checks", run_checks, seed=seeds)
    stored_results.store(checks, "look_checks", CHECKS_CODE, ["scipy"], RESULTS)


if __name__ == "__main__":
    main()
