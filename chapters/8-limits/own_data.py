"""The project of the last page: an envelope that seals the answers, and checks of how somebody worked, not of a score."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

DATA = (
    Path(__file__).resolve().parents[2] / "data"
)  # the tables of the whole book
NEAR = 0.003  # how far a stated loss may be off: three digits are enough


def cross_entropy(p, y):
    """Return the mean cross-entropy of probabilities p and outcomes y, 0 or 1."""
    p = np.clip(np.asarray(p, dtype=float), 1e-12, 1 - 1e-12)
    return float(-np.mean(np.where(y, np.log(p), np.log(1 - p))))


class Envelope:
    """Seals the outcomes of the later admissions, and counts how often it is opened.

    Parameters
    ----------
    world : nnlib.course.datasets.Admissions

    Attributes
    ----------
    openings : int
    frozen : pandas.Series or None
        A copy of the predictions for which it was opened the first time.
    """

    def __init__(self, world):
        self._answers = world.truth.readmitted[world.truth.later]
        self.openings, self.frozen = 0, None

    def open(self, predictions):
        """Freeze the predictions, and return the outcomes.

        Parameters
        ----------
        predictions : pandas.Series or dict
            For each admission of the test the probability that the patient comes back, by the number of the admission.

        Returns
        -------
        pandas.Series
            True or False for the same admissions, in the same order.

        Raises
        ------
        ValueError
            It stays closed: an admission is not in it, or is there twice, or a value is no probability.
        """
        given = pd.Series(predictions, dtype=float).copy()
        strange = given.index[~given.index.isin(self._answers.index)]
        if not len(given) or len(strange):
            what = repr(strange[0]) if len(strange) else "nothing"
            raise ValueError(
                f"predictions must be for admissions of 2034; got {what}"
            )
        if given.index.has_duplicates:
            raise ValueError(
                f"predictions must name each admission once; {given.index[given.index.duplicated()][0]!r} is there twice"
            )
        if not given.between(0, 1).all():
            raise ValueError(
                f"predictions must be probabilities; got {given[~given.between(0, 1)].iloc[0]}"
            )
        self.openings += 1
        if self.frozen is None:
            self.frozen = given
        return self._answers[given.index].copy()

    def _loss(self):
        # what each frozen prediction costs
        p = np.clip(self.frozen, 1e-12, 1 - 1e-12)
        return -np.log(p.where(self._answers[p.index], 1 - p))


class Report:
    """What the checks say: `points`, a dict from each point's name to True, a hint, or None where nothing is there."""

    def __init__(self, points):
        self.points = points

    def __repr__(self):
        lines = []
        for k, (name, said) in enumerate(self.points.items(), start=1):
            mark = "✓" if said is True else "…" if said is None else "✗"
            tail = f": {said}" if isinstance(said, str) else ""
            lines.append(f"{k:2} {mark} {name}{tail}")
        right = sum(said is True for said in self.points.values())
        return "\n".join([*lines, f"{right} of {len(self.points)} points"])


class _Missing(Exception):
    """The record does not have yet what a point needs."""


class _Work:
    """A record, as the points ask for it."""

    def __init__(self, record, world, envelope):
        self.record, self.world, self.envelope = record, world, envelope
        self.truth, self._cleaned = world.truth, None

    def __getitem__(self, key):
        if self.record.get(key, ...) is ...:
            raise _Missing(key)
        return self.record[key]

    def numbers(self, part):
        """Return the admissions of a part as a list."""
        given = self[part]
        if isinstance(given, set | frozenset):
            given = sorted(given)
        numbers = [str(number) for number in np.asarray(given).ravel()]
        strange = [n for n in numbers if n not in self.truth.index]
        if strange:
            raise ValueError(
                f"{part} should hold numbers of admissions, like {self.truth.index[0]!r}; got {strange[0]!r}"
            )
        return numbers

    def cleaned(self):
        """Return both exports as the reader's function cleans them, admissions as a column."""
        clean = self["clean"]
        if self._cleaned is None:
            exports = (self.world.table, self.world.later)
            tables = [clean(export.copy()) for export in exports]
            self._cleaned = [
                t if "admission" in t.columns else t.reset_index()
                for t in tables
            ]
        return self._cleaned

    def rows(self, part):
        """Return the cleaned rows of a part, in its order."""
        both = pd.concat(self.cleaned()).drop_duplicates("admission")
        found = both.set_index("admission", drop=False).reindex(
            self.numbers(part)
        )
        found = found.dropna(subset="admission").rename_axis(None)
        return found.drop(columns="readmitted") if part == "test" else found

    def after(self, change):
        """Return a record of the same functions, of an export of 2033 that was changed before it was cleaned."""
        table = change(self.world.table.copy())
        world = dataclasses.replace(self.world, table=table)
        return _Work(self.record, world, self.envelope)

    def prepared(self, training, others):
        """Return what the reader's function makes of rows to learn from and of others."""
        first, second = self["prepare"](training.copy(), others.copy())
        made = [
            np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
            for X in (first, second)
        ]
        for X, table in zip(made, (training, others), strict=True):
            if X.ndim != 2 or len(X) != len(table):
                raise ValueError(
                    f"prepare should return a row for each row; got shape {X.shape} for {len(table)}"
                )
        return made

    def outcomes(self, part):
        """Return who came back."""
        return self.truth.readmitted[self.numbers(part)].to_numpy()


def _same(one, other):
    return one.shape == other.shape and np.allclose(one, other, equal_nan=True)


def _kept(tables, world):
    # the table's admissions must still be there
    for table, export in zip(tables, (world.table, world.later), strict=True):
        share = table.admission.nunique() / export.admission.nunique()
        if share < 0.95:
            return f"only {share:.0%} of the admissions are left; repair rather than drop"
    return True


def _duplicates(work):
    tables = work.cleaned()
    again = sum(int(table.admission.duplicated().sum()) for table in tables)
    return (
        _kept(tables, work.world)
        if not again
        else f"{again} admissions are still there twice"
    )


def _spelling(work):
    tables = work.cleaned()
    for column in ("hospital", "ward"):
        known = set(work.truth[column])
        for table in tables:
            odd = [value for value in table[column] if value not in known]
            if odd:
                return f"{column} still holds {odd[0]!r}, and {len(odd) - 1} more; wanted: {', '.join(sorted(known))}"
            true = work.truth[column][table.admission].to_numpy()
            wrong = int((table[column].to_numpy() != true).sum())
            if wrong:
                return f"{wrong} rows got another {column} than they have"
    return _kept(tables, work.world)


def _units(work):
    tables = work.cleaned()
    for table in tables:
        true = work.truth.temperature[table.admission].to_numpy()
        off = np.abs(table.temperature.to_numpy(float) - true)
        off = np.where(np.isnan(off), np.inf, off)
        wrong = int((off > 0.15).sum())
        if wrong:
            hint = (
                "wanted: °C"
                if (off > 20).mean() > 0.9
                else "look at its histogram"
                if (off > 20).any()
                else "mind the formula, and the 32"
            )
            return f"temperature is off in {wrong} rows; {hint}"
    return _kept(tables, work.world)


def _apart(work):
    who = {
        part: set(work.truth.patient[work.numbers(part)])
        for part in ("training", "validation", "test")
    }
    for one, other in (
        ("training", "test"),
        ("validation", "test"),
        ("training", "validation"),
    ):
        shared = len(who[one] & who[other])
        if shared:
            return f"{shared} patients are in {one} and in {other}"
    return True


def _later(work):
    late = work.truth.later
    for part in ("training", "validation"):
        if late[work.numbers(part)].any():
            return f"{part} holds admissions of 2034"
    test = work.numbers("test")
    if not late[test].all():
        return "the test holds admissions of 2033; the model will be used later than it learned"
    if len(set(test)) < len(test):
        return "an admission is in the test twice"
    used = work.numbers("training") + work.numbers("validation")
    if len(set(used)) < 0.3 * (~late).sum():
        return "less than a third of the admissions of 2033 are used"
    known = work.truth.patient.isin(work.truth.patient[used])
    wanted = work.truth.index[late & ~known]
    share = wanted.isin(test).mean()
    return (
        share > 0.9
        or f"the test leaves out {1 - share:.0%} of the admissions of 2034 that it could hold"
    )


def _no_leak(work):
    plain = work.prepared(work.rows("training"), work.rows("validation"))
    rng = np.random.default_rng(0)
    held = work.numbers("validation")

    # the export is changed, not the cleaned rows: clean may have made other columns of these
    def entries(table):
        return table.assign(entries=1 + rng.integers(30, size=len(table)))

    def outcome(table):  # may be learned from, but not of the others
        swapped = table.readmitted.replace({"yes": "no", "no": "yes"})
        return table.assign(
            readmitted=swapped.where(
                table.admission.isin(held), table.readmitted
            )
        )

    for change, why in (
        (lambda table: table, "from call to call; what is drawn needs a seed"),
        (
            entries,
            "with entries; in 2033 they were counted after the outcome",
        ),
        (outcome, "with readmitted; that is the outcome itself"),
    ):
        again = work.after(change)
        made = work.prepared(again.rows("training"), again.rows("validation"))
        if not all(map(_same, plain, made)):
            return f"the inputs change {why}"
    return True


def _fitted(work):
    training, others = work.rows("training"), work.rows("test")
    X, Z = work.prepared(training, others)
    if not np.isfinite(X).all() or not np.isfinite(Z).all():
        return "the inputs have gaps; fill them, also for trees that could take them"
    odd = others.copy()
    for column in odd.columns:
        if pd.api.types.is_numeric_dtype(odd[column]) and column != "home_care":
            odd[column] = odd[column] * 3 + 50
    half = others.iloc[: len(others) // 2]
    for other in (half, odd):
        if not _same(X, work.prepared(training, other)[0]):
            return "the inputs of the training rows change with the test rows; fit on the training rows only"
    if not _same(Z[: len(half)], work.prepared(training, half)[1]):
        return "the inputs of a test row change with the other test rows; fit on the training rows only"
    held = work.numbers("validation")

    def stretched(table):
        of = table.admission.isin(held)
        new = {
            name: table[name].where(~of, 2 * table[name])
            for name in ("age", "days", "crp", "walk")
        }
        return table.assign(**new)

    again = work.after(stretched).rows("training")
    return (
        _same(X, work.prepared(again, others)[0])
        or "the inputs of the training rows change with the validation rows; what does clean fill or scale?"
    )


def _baseline(work):
    share = work.outcomes("training").mean()
    y = work.outcomes("validation")
    wanted = cross_entropy(np.full(len(y), share), y)
    off = abs(float(work["baseline"]) - wanted)
    return (
        off <= NEAR
        or "predict the training rows' share for each validation row; that is not its loss"
    )


def _chosen(work):
    tried, chosen = dict(work["tried"]), work["chosen"]
    if len(tried) < 2:
        return "nothing to choose between: try a line and something else"
    if chosen not in tried:
        return f"{chosen!r} is not among those tried"
    if float(tried[chosen]) > 1.02 * min(map(float, tried.values())):
        return f"{min(tried, key=tried.get)!r} was better on the validation rows by more than 2%; what chose?"
    p = np.asarray(work["validation_predictions"], dtype=float).ravel()
    y = work.outcomes("validation")
    if len(p) != len(y):
        return f"validation_predictions should be {len(y)} probabilities; got {len(p)}"
    off = abs(cross_entropy(p, y) - float(tried[chosen]))
    return (
        off <= NEAR
        or "the loss stated for the chosen one is not that of validation_predictions"
    )


def _opened(work):
    if work.envelope.openings == 0:
        raise _Missing("envelope")
    if work.envelope.openings > 1:
        return f"opened {work.envelope.openings} times; what was changed in between was fitted to the test"
    same = set(work.envelope.frozen.index) == set(work.numbers("test"))
    return same or "it was opened for other admissions than those of the test"


def _interval(work):
    if work.envelope.frozen is None:
        raise _Missing("envelope")
    loss = work.envelope._loss()
    if abs(float(work["score"]) - loss.mean()) > NEAR:
        return "the score is not the loss of the predictions that were frozen"
    low, high = map(float, work["interval"])
    if not low < loss.mean() < high:
        return "the score does not lie in its interval"
    sums = (
        loss.groupby(work.truth.patient[loss.index])
        .agg(["sum", "count"])
        .to_numpy()
    )
    picks = np.random.default_rng(0).integers(len(sums), size=(1000, len(sums)))
    drawn = sums[picks].sum(axis=1)
    wanted = np.subtract(*np.percentile(drawn[:, 0] / drawn[:, 1], [97.5, 2.5]))
    if high - low < 0.6 * wanted:
        return "the interval is too narrow; what does resampling the patients give?"
    return (
        high - low < 1.7 * wanted
        or "the interval is too wide; what does resampling the patients give?"
    )


def _by_hospital(work):
    if work.envelope.frozen is None:
        raise _Missing("envelope")
    loss = work.envelope._loss()
    means = loss.groupby(work.truth.hospital[loss.index]).mean()
    stated = dict(work["by_hospital"])
    for hospital, mean in means.items():
        if hospital not in stated:
            return f"{hospital} is missing"
        if abs(float(stated[hospital]) - mean) > NEAR:
            return f"the loss at {hospital} is another"
    return True


POINTS = {
    "one unit": _units,
    "no row twice": _duplicates,
    "one spelling": _spelling,
    "patients apart": _apart,
    "tested later": _later,
    "nothing from the future": _no_leak,
    "fitted on training rows": _fitted,
    "a baseline": _baseline,
    "chosen on validation rows": _chosen,
    "opened once": _opened,
    "how sure": _interval,
    "for whom": _by_hospital,
}


KEYS = (
    "clean", "training", "validation", "test", "prepare", "baseline", "tried", "chosen", "validation_predictions",
    "score", "interval", "by_hospital",
)  # fmt: skip


def judge(record, world, envelope):
    """Check how somebody worked: for each point of the rubric, what is right or what is off.

    Parameters
    ----------
    record : dict
        Any of these; what is not there, or ``...``, is not judged yet.

        - ``clean``: a function, export -> cleaned table with the same column names, one row for each admission;
          temperature in °C; hospital Port or Hill, ward general, lung or heart. It is called for each of both exports,
          and the later one has no column ``readmitted``
        - ``training``, ``validation``, ``test``: numbers of admissions
        - ``prepare``: a function, (training rows, other rows) of the cleaned table -> (inputs, inputs of the others),
          numbers without gaps, the same in each call
        - ``baseline``: loss on the validation rows of the training rows' share, said of everybody
        - ``tried``: for each model's name its loss on the validation rows; ``chosen``: a name;
          ``validation_predictions``: what it said, in the order of ``validation``
        - ``score``, ``interval``, ``by_hospital``: loss on the test, (low, high) of 95% of
          the draws, and a dict by hospital
    world : nnlib.course.datasets.Admissions
    envelope : Envelope

    Returns
    -------
    Report
    """
    unknown = [key for key in record if key not in KEYS]
    if unknown:
        raise ValueError(
            f"record has no entry {unknown[0]!r}; there are {', '.join(KEYS)}"
        )
    points = {}
    work = _Work(record, world, envelope)
    for name, check in POINTS.items():
        try:
            said = check(work)
            points[name] = (
                True if said is True or said is np.True_ else str(said)
            )
        except _Missing:
            points[name] = None
        except Exception as error:  # whatever a reader's function raises
            points[name] = f"{type(error).__name__}: {error}"
    return Report(points)
