"""A network and six simulated doctors read the same pictures of tissue: who is better, by whose labels, and where.

`python chapters/6-images/stored_doctors.py` trains two networks for each of ten seeds (three minutes; it goes on where it was
stopped) and renews the tables in data/images that the page "Ask the doctors" prints. One training takes seven seconds.
"""

import sys
from pathlib import Path

import numpy as np

from nnlib import metrics
from nnlib.course import datasets
from tissue_network import network, standardized, train

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "chapters" / "3-insurance"))

import stored_results  # noqa: E402
from stored_clinics import logits, shift, sigmoid  # noqa: E402

RESULTS = PROJECT / "data" / "images"
SEEDS = range(10)
LEARN, TEST, RARE = 1000, 2000, 4000  # pictures
LABELLED = 50  # of clinic B
# sensitivity and specificity of each doctor: invented, and true by construction
DOCTORS = {
    "Amir": (0.85, 0.92),
    "Bea": (0.85, 0.92),
    "Chen": (0.85, 0.92),
    "Dora": (0.70, 0.97),
    "Emil": (0.93, 0.80),
    "Fatou": (0.95, 0.96),
}
PANELS = {  # whose majority is taken for the truth
    "Amir alone": ("Amir",),
    "panel with Amir": ("Amir", "Bea", "Chen"),
    "panel without Amir": ("Bea", "Chen", "Fatou"),
}
PREVALENCES = (0.5, 0.2, 0.05, 0.02, 0.01)
MISSED = 10  # what a missed lesion costs, in false alarms
RATES = (0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1)
SURE = 0.9


def doctors(tissue, seed):
    """Return what each doctor says of the pictures, 0 or 1: a dict of arrays (n,)."""
    sensitivity, specificity = zip(*DOCTORS.values(), strict=True)
    said = datasets.raters(
        tissue,
        sensitivity,
        specificity,
        readers=len(DOCTORS),
        seed=seed,
    )
    return dict(zip(DOCTORS, said.T, strict=True))


def labels(said, truth):
    """Return the labels that the truth and each panel set: a dict of arrays (n,)."""
    majority = {
        name: (np.mean([said[one] for one in members], axis=0) > 0.5) * 1.0
        for name, members in PANELS.items()
    }
    return {"truth": truth, **majority}


def trained(X, y, seed, epochs=(25, 5)):
    """Return the part's network: `epochs` at the usual rate and then at a tenth of it, which calms the threshold."""
    model = network(seed)
    train(model, X, y, epochs=epochs[0], seed=seed)
    if epochs[1]:
        train(
            model,
            X,
            y,
            epochs=epochs[1],
            learning_rate=3e-4,
            seed=seed + 10_000,
        )
    return model


def moved(prevalence):
    """Return the threshold for a p that was learned at a prevalence of ½, where `MISSED` is the price of a miss."""
    return 1 / (1 + MISSED * prevalence / (1 - prevalence))


def moved_probability(p, prevalence):
    """Return what p, learned at a prevalence of ½, becomes at another one: its odds times those of the prevalence."""
    p = np.clip(p, 1e-7, 1 - 1e-7)
    odds = p / (1 - p) * prevalence / (1 - prevalence)
    return odds / (1 + odds)


def rates(says, truth):
    """Return sensitivity and specificity."""
    ill = truth == 1
    return says[ill].mean(), 1 - says[~ill].mean()


def curve(p, truth):
    """Return the true positive rates at the false positive rates `RATES`."""
    healthy = -np.sort(-p[truth == 0])
    cuts = np.append(healthy, -1)[
        np.floor(np.multiply(RATES, len(healthy))).astype(int)
    ]
    return [np.mean(p[truth == 1] > cut) for cut in cuts]


def shifted(p, truth):
    """Return the threshold to which these pictures move ½: as many lesions are said as there are.

    The page before adds a number b to all outputs, so that the mean of σ(z + b) is the mean of the labels. Then p is over ½
    where it was over σ(-b) before.
    """
    return sigmoid(-shift(logits(p), truth))


def compared(said, truth, p, pupil, cut_there):
    """Return all measures of a seed whose test pictures were read: {"measure|reader|by|clinic": number}.

    Parameters
    ----------
    said : dict of arrays (n,)
        What each doctor says.
    truth : ndarray (n,)
    p : dict of arrays (n,)
        The network's probabilities in the clinics "A" and "B".
    pupil : ndarray (n,)
        In A, those of the network that learned from Amir's labels.
    cut_there : float
        The threshold that was moved in B.
    """
    found, by = {}, labels(said, truth)
    ill, healthy = truth == 1, truth == 0
    net, there = (p["A"] >= 0.5) * 1.0, (p["B"] >= 0.5) * 1.0
    readers = {**said, "network": net, "pupil": (pupil >= 0.5) * 1.0}
    amir, bea = said["Amir"], said["Bea"]
    unsure = (p["A"] > 1 - SURE) & (p["A"] < SURE)
    teams = {
        "Amir or Bea": np.maximum(amir, bea),
        "Amir or network": np.maximum(amir, net),
        "Amir and Bea": amir * bea,
        "Amir and network": amir * net,
        "Amir where unsure": np.where(unsure, amir, net),
    }
    for clinic, group in (
        ("A", readers | teams),
        ("B", {"network": there, "network moved": (p["B"] >= cut_there) * 1.0}),
    ):
        for name, says in group.items():
            for judge, truly in by.items():
                if name in teams and judge != "truth":
                    continue
                sensitivity, specificity = rates(says, truly)
                key = f"{name}|{judge}|{clinic}"
                found[f"right|{key}"] = np.mean(says == truly)
                found[f"sensitivity|{key}"] = sensitivity
                found[f"specificity|{key}"] = specificity
    for clinic, score in p.items():
        found[f"AUC|network|truth|{clinic}"] = metrics.roc_auc(
            score[:, None], truth[:, None]
        )
        for judge in ("truth", "panel with Amir"):
            for rate, value in zip(RATES, curve(score, by[judge]), strict=True):
                found[f"at {rate}|network|{judge}|{clinic}"] = value

    for by_whom, others in (
        ("Amir", ("network", "Bea", "Dora")),
        ("Fatou", ("network", "Amir")),
        ("network", ("Amir", "Dora", "Fatou")),
    ):
        missed = ill & (readers[by_whom] == 0)
        whom = "the network" if by_whom == "network" else by_whom
        for name in others:
            key = f"finds what {whom} missed|{name}|truth|A"
            found[key] = readers[name][missed].mean()
    found["missed|Amir and Bea|truth|A"] = np.mean((amir + bea)[ill] == 0)
    found["alone right|network|truth|A"] = np.mean(
        (net == truth) & (amir != truth)
    )
    found["alone right|Amir|truth|A"] = np.mean(
        (net != truth) & (amir == truth)
    )
    found["unsure|network|truth|A"] = unsure.mean()
    found["right where unsure|network|truth|A"] = np.mean(
        (net == truth)[unsure]
    )
    found["right where unsure|Amir|truth|A"] = np.mean((amir == truth)[unsure])
    for prevalence in PREVALENCES:
        says = p["A"] >= moved(prevalence)
        found[f"moved to {prevalence}: sensitivity|network|truth|A"] = says[
            ill
        ].mean()
        found[f"moved to {prevalence}: specificity|network|truth|A"] = (
            1 - says[healthy].mean()
        )
    return found


def honest(p, truth):
    """Return what was said and what came true, of the pictures that were called."""
    called = p >= 0.5
    return {"said": p[called].mean(), "came true": truth[called].mean()}


def read(seed):
    """Return the test pictures' truth, what the doctors say, and p of both networks, by clinic; then all else."""
    world = datasets.tissue(LEARN, seed=seed)
    X = standardized(world.X, world.X)
    teacher = doctors(world, seed)["Amir"][:, None]
    models = {
        "network": trained(X, world.truth, seed),
        "pupil": trained(X, teacher, seed),
    }

    def asks(name, tissue):
        X = standardized(tissue.X, world.X)
        return models[name].predict(X)[:, 0].astype(float)

    here = datasets.tissue(TEST, seed=1000 + seed)
    there = datasets.tissue(TEST, seed=1000 + seed, clinic="B")
    few = datasets.tissue(LABELLED, seed=4000 + seed, clinic="B")
    rare = datasets.tissue(RARE, seed=3000 + seed, prevalence=0.05)
    p = {"A": asks("network", here), "B": asks("network", there)}
    found = compared(
        doctors(here, 1000 + seed),
        here.truth[:, 0],
        p,
        asks("pupil", here),
        shifted(asks("network", few), few.truth[:, 0]),
    )
    p_rare = asks("network", rare)
    for name, said in (
        ("as learned", p_rare),
        ("moved", moved_probability(p_rare, 0.05)),
    ):
        for what, value in honest(said, rare.truth[:, 0]).items():
            found[f"{what}|network {name}|truth|rare"] = value
    young = trained(X, world.truth, seed, epochs=(1, 0))
    found["after an epoch|network|truth|A"] = young.predict(
        standardized(here.X[:200], world.X)
    ).mean()
    return found, p


def run(seed):
    """Return all measures of a seed."""
    return {name: float(value) for name, value in read(seed)[0].items()}


CODE = (
    network, train, standardized, doctors, labels, trained, moved, moved_probability, rates, curve, logits, sigmoid, shift,
    shifted, compared,
    honest, read, run,
)  # fmt: skip


stored, made = stored_results.readers(RESULTS)


def measures(seeds, folder):
    """Return the table "doctors" for these seeds."""
    import pandas as pd

    wide = stored_results.swept(run, {"seed": list(seeds)}, folder)
    long = wide.melt("seed")
    names = long.pop("variable").str.split("|", expand=True)
    names.columns = ["measure", "reader", "by", "clinic"]
    return pd.concat([names, long], axis=1)


def main():
    """Train everything, and write the tables."""
    import pandas as pd

    table = measures(SEEDS, stored_results.UNFINISHED / "doctors")
    stored_results.store(table, "doctors", CODE, folder=RESULTS)
    answers = {clinic: said[:1000] for clinic, said in read(0)[1].items()}
    answers = pd.DataFrame(answers).clip(1e-6, 1 - 1e-6)
    stored_results.store(answers, "doctors_answers", CODE, folder=RESULTS)


if __name__ == "__main__":
    main()
