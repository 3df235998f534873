"""The recipe of the insurance project: from six columns to the expected charges, as a scikit-learn estimator.

It can be delivered as well: `calibrate` it, `save` it to one file, and elsewhere `load` it and ask for a `quote`.

It is a module apart from `insurance_project` because its base class brings scikit-learn and pandas with it.
"""

import math
import numbers
import os
from collections.abc import Mapping

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.utils.validation import check_is_fitted

import nnlib as nn
from insurance_project import CATEGORIES, NUMBERS

VERSION = 1  # of what `ChargesModel.save` writes


def find_knots(x, n):
    """Return the ends of `n` pieces that hold equally many of the values x: n + 1 quantiles, fewer where they tie."""
    return np.unique(
        np.quantile(np.asarray(x, float), np.linspace(0, 1, n + 1))
    )


def encode_pieces(x, knots):
    """Return (x - b₀)/(b₁ - b₀), (x - b₁)/(b₂ - b₁), ..., each cut to 0..1: how far x is through each piece.

    A weighted sum of these columns is a line with a bend at each inner knot. The first piece is not cut at 0 nor the
    last at 1, so the line goes on beyond the knots.

    Parameters
    ----------
    x : array (n,)
    knots : array (pieces + 1,)
        b₀ < b₁ < ...

    Returns
    -------
    array (n, pieces)

    References
    ----------
    Gorishniy, Rubachev & Babenko (2022), "On embeddings for numerical features in tabular deep learning".
    """
    x, knots = np.asarray(x, float)[:, None], np.asarray(knots, float)
    low, high = np.r_[-np.inf, knots[1:-1]], np.r_[knots[1:-1], np.inf]
    return (np.clip(x, low, high) - knots[:-1]) / np.diff(knots)


def encode_categories(values, categories, name):
    """Return one column per category, 1 where it applies (n, categories); a value outside them is an error."""
    values = np.asarray(values)
    unknown = sorted(set(values.tolist()) - set(categories), key=str)
    if unknown:
        raise ValueError(
            f"{name} must be one of {', '.join(categories)}; got {unknown[0]!r}"
        )
    return (values[:, None] == np.array(categories, dtype=object)).astype(float)


class ChargesInputs(TransformerMixin, BaseEstimator):
    """(age, sex, bmi, children, smoker, region) → numbers, prepared on the rows that `fit` is given.

    Parameters
    ----------
    features : {"engineered", "plain"}
        "engineered": age and BMI in pieces, a step in BMI, and the BMI's columns again for smokers only.
        "plain": age and BMI as they are, scaled. Children (scaled) and the categories are the same in both.
    pieces : int
        Number of pieces of age and of BMI.
    threshold : float or None
        Where the step is, in kg/m²: 1 above, 0 up to there; None: no step. The World Health Organization calls a
        person obese from 30 on. The column is 0 at exactly 30, as the one smoker with that BMI pays.

    Attributes
    ----------
    knots_ : dict of column to list of float
    categories_ : dict of column to list of str
    """

    def __init__(self, features="engineered", pieces=4, threshold=30.0):
        self.features = features
        self.pieces = pieces
        self.threshold = threshold

    def fit(self, table, y=None):
        """Take the knots and the categories from the rows of `table`."""
        if self.features not in ("engineered", "plain"):
            raise ValueError(
                f"features must be 'engineered' or 'plain'; got {self.features!r}"
            )
        check_table(table)
        n = (
            nn.checks.positive_integer("pieces", self.pieces)
            if self.features == "engineered"
            else 1
        )
        self.knots_ = {
            name: find_knots(
                table[name], n if name != "children" else 1
            ).tolist()
            for name in NUMBERS
        }
        self.categories_ = {
            name: sorted(set(table[name])) for name in CATEGORIES
        }
        return self

    def transform(self, table):
        """Return the inputs, (n, inputs)."""
        check_table(table)
        age, bmi, children = (
            encode_pieces(table[name], self.knots_[name]) for name in NUMBERS
        )
        categories = [
            encode_categories(table[name], self.categories_[name], name)
            for name in CATEGORIES
        ]
        if self.features == "engineered":
            smokes = np.asarray(table["smoker"])[:, None] == "yes"
            if self.threshold is not None:
                above = np.asarray(table["bmi"])[:, None] > self.threshold
                bmi = np.hstack([bmi, above])
            bmi = np.hstack([bmi, bmi * smokes])
        return np.hstack([age, bmi, children, *categories])


def check_table(table):
    """Raise a ValueError that names the column where one is missing or holds no number."""
    for name in (*NUMBERS, *CATEGORIES):
        if name not in table:
            raise ValueError(
                f"table must have the columns {', '.join((*NUMBERS, *CATEGORIES))}; {name} is missing"
            )
    for name in NUMBERS:
        values = np.asarray(table[name])
        if values.dtype.kind in "iuf" and np.isfinite(values).all():
            continue
        for value in values.tolist():
            if (
                isinstance(value, bool)
                or not isinstance(value, numbers.Real)
                or not math.isfinite(value)
            ):
                raise ValueError(
                    f"{name} must be a finite number in every row; got {value!r}"
                )


def check_charges(y, table):
    """Return y as numbers (n,); raise a ValueError where it is not one finite number per row of `table`."""
    y = np.asarray(y, dtype=float)
    if y.shape != (len(table),):
        raise ValueError(
            f"y must have the shape ({len(table)},), one number per row of table; got {y.shape}"
        )
    if not np.isfinite(y).all():
        raise ValueError(f"y must be finite; got {y[~np.isfinite(y)][0]}")
    return y


def conformal_quantiles(residuals, coverage):
    """Return r₍ₖ₎ and r₍ₙ₊₁₋ₖ₎ of the n sorted residuals, with k = ⌊(n + 1)(1 - coverage)/2⌋.

    A new residual that is exchangeable with these lies between the two with a probability of at least `coverage`: it
    is as likely to come first as second, ..., or last of the n + 1, and at most 2k of these places are outside.

    Raises
    ------
    ValueError
        Where k would be 0: too few residuals for such a coverage.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), "Algorithmic Learning in a Random World"; the form with signed residuals.
    """
    r = np.sort(np.asarray(residuals, dtype=float))
    if not 0 < coverage < 1:
        raise ValueError(
            f"coverage must lie between 0 and 1, both excluded; got {coverage!r}"
        )
    # 20 · (1 - 0.9)/2 is 0.99999… in floating point, and means 1
    k = math.floor((len(r) + 1) * (1 - coverage) / 2 + 1e-9)
    if k < 1:
        raise ValueError(
            f"coverage must be at most {max(0, 1 - 2 / (len(r) + 1)):.3g} with {len(r)} residuals; got {coverage}"
        )
    return float(r[k - 1]), float(r[-k])


class ChargesModel(RegressorMixin, BaseEstimator):
    """ŷ = mean of a few networks, trained with Huber's loss, + the mean training residual.

    Everything that is learned, knots, scales and shift included, comes from the rows that `fit` is given. With the shift
    ŷ estimates the mean E[y | x] as far as the errors are skewed alike for everybody; where they are symmetric, the
    shift is about 0. The defaults of `delta`, `learning_rate` and `pieces` are what searches inside the training rows
    take most often on the published table (see `compare_models`); the other settings were set by hand.

    Parameters
    ----------
    features, pieces, threshold
        See `ChargesInputs`.
    delta : float or None
        δ of Huber's loss, in dollars; None: squared error.
    shift : bool
        Add the mean training residual, because a robust fit aims below the mean of skewed charges.
    members : int
        Number of networks whose predictions are averaged; they differ in their seed only.
    hidden : tuple of int
        Units of the hidden layers (ReLU).
    epochs, batch_size : int
    learning_rate : float
        Peak of the one-cycle schedule, or the constant rate.
    one_cycle : bool
    weight_decay : float
        Decoupled, as in AdamW.
    seed : int
        Same seed, same rows: same model.

    Attributes
    ----------
    inputs_ : ChargesInputs
    mean_, scale_ : float
        Mean and standard deviation of the training charges, in dollars: the networks predict (charges - mean)/scale.
    networks_ : list of nnlib.Sequential
    shift_ : float
        Dollars that are added to every prediction.
    residuals_ : dict of "no", "yes" to array
        y - ŷ, in dollars, that `calibrate` found for those who do not smoke and those who do, sorted; empty before.
    """

    def __init__(
        self,
        features="engineered",
        pieces=1,
        threshold=30.0,
        delta=100.0,
        shift=True,
        members=5,
        hidden=(32, 32),
        epochs=30,
        batch_size=32,
        learning_rate=0.03,
        one_cycle=True,
        weight_decay=0.1,
        seed=0,
    ):
        self.features = features
        self.pieces = pieces
        self.threshold = threshold
        self.delta = delta
        self.shift = shift
        self.members = members
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.one_cycle = one_cycle
        self.weight_decay = weight_decay
        self.seed = seed

    def fit(self, table, y):
        """Train on a table with the columns age, sex, bmi, children, smoker and region; y: charges, dollars (n,)."""
        y = check_charges(y, table)
        members = nn.checks.positive_integer("members", self.members)
        self.inputs_ = ChargesInputs(
            self.features, self.pieces, self.threshold
        ).fit(table)
        X = self.inputs_.transform(table)
        self.mean_, self.scale_ = float(y.mean()), float(y.std()) or 1.0
        target = ((y - self.mean_) / self.scale_)[:, None]
        self.networks_ = [
            self._train(X, target, member) for member in range(members)
        ]
        self.shift_ = (
            float(np.mean(y - self._unshifted(X))) if self.shift else 0.0
        )
        self.residuals_ = {}  # those of an earlier fit say nothing of this one
        return self

    def _network(self, member):
        hidden = [nn.Dense(units, "relu", "he_normal") for units in self.hidden]
        return nn.Sequential(
            [*hidden, nn.Dense(1)],
            seed=np.random.default_rng([self.seed, member]),
            dtype="float32",
        )

    def _train(self, X, target, member):
        network = self._network(member)
        rate = self.learning_rate
        if self.one_cycle:
            rate = nn.schedules.OneCycle(
                rate, steps=self.epochs * -(-len(X) // self.batch_size)
            )
        network.fit(
            X,
            target,
            loss="mse"
            if self.delta is None
            else nn.losses.make_huber(self.delta / self.scale_),
            optimizer=nn.Adam(rate, weight_decay=self.weight_decay),
            epochs=self.epochs,
            batch_size=self.batch_size,
        )
        return network

    def predict(self, table):
        """Return the expected charges in dollars, (n,)."""
        check_is_fitted(self)
        return self._unshifted(self.inputs_.transform(table)) + self.shift_

    def _unshifted(self, X):
        mean = np.mean(
            [network.predict(X)[:, 0] for network in self.networks_],
            axis=0,
            dtype=float,
        )
        return self.mean_ + self.scale_ * mean

    def calibrate(self, table, y, folds=5):
        """Keep y - ŷ of the training rows, each predicted by a model like this one that was trained without it.

        Call it with the rows and charges (n,), dollars, that `fit` had. It trains `folds` more models, which are not
        kept.
        """
        check_is_fitted(self)
        y = check_charges(y, table)
        cv = KFold(folds, shuffle=True, random_state=self.seed)
        residuals = y - cross_val_predict(clone(self), table, y, cv=cv)
        smoker = np.asarray(table["smoker"])
        self.residuals_ = {
            group: np.sort(residuals[smoker == group])
            for group in self.inputs_.categories_["smoker"]
        }
        return self

    def predict_interval(self, table, coverage=0.95):
        """Return (low, high), dollars, (n,) each: ŷ + the `conformal_quantiles` of the client's group of residuals.

        Groups are smokers and non-smokers. The residuals come from models trained on a part of the rows, so the
        coverage is not guaranteed as that of CV+ is (Barber et al., 2021), but measured: see the chapter.

        Raises
        ------
        ValueError
            Without `calibrate`, or where a group has too few residuals for the coverage.
        """
        y_pred = self.predict(table)
        if not self.residuals_:
            raise ValueError(
                "the model has no residuals to make intervals from; call calibrate(table, y) after fit"
            )
        ends = {
            group: conformal_quantiles(residuals, coverage)
            for group, residuals in self.residuals_.items()
        }
        low, high = np.transpose([ends[group] for group in table["smoker"]])
        return y_pred + low, y_pred + high

    def quote(self, clients, coverage=0.95):
        """Return a table of the expected charges of new clients and the ends of their interval, in dollars.

        What is expected is a mean. Where few pay far more than the others, it is more than most will pay: an interval
        that may leave out those few (of 80%, on the published table) then ends below it.

        Parameters
        ----------
        clients : table or mapping
            Several clients, or one as ``{"age": 40, "sex": "female", ...}``.
        coverage : float

        Returns
        -------
        DataFrame with the columns expected, low, high

        Raises
        ------
        ValueError
            Where a column is missing, a value cannot be read, a number lies outside of the training rows, where
            nothing is known of the error, or children are no whole number. `predict` does not mind the last two.
        """
        import pandas as pd

        check_is_fitted(self)
        if isinstance(clients, Mapping):
            clients = pd.DataFrame([clients])
        check_table(clients)
        for name, knots in self.inputs_.knots_.items():
            for value in clients[name]:
                if not knots[0] <= value <= knots[-1]:
                    raise ValueError(
                        f"{name} must be from {knots[0]:g} to {knots[-1]:g}, as in the training rows; got {value:g}"
                    )
        for value in clients["children"]:
            if value != int(value):
                raise ValueError(
                    f"children must be a whole number; got {value:g}"
                )
        low, high = self.predict_interval(clients, coverage)
        return pd.DataFrame(
            {"expected": self.predict(clients), "low": low, "high": high},
            index=clients.index,
        )

    def save(self, path):
        """Write settings, weights and residuals to one .npz file, whole or not at all; nothing in it is executable."""
        check_is_fitted(self)
        config = {
            "charges_model": VERSION,
            "settings": self.get_params(),
            "knots": self.inputs_.knots_,
            "categories": self.inputs_.categories_,
            "inputs": self.networks_[0].input_shape,
            "mean": self.mean_,
            "scale": self.scale_,
            "shift": self.shift_,
        }
        arrays = {
            f"network_{i}": network.params
            for i, network in enumerate(self.networks_)
        }
        arrays |= {f"residuals_{k}": r for k, r in self.residuals_.items()}
        nn.storage.write(path, config, arrays)

    @classmethod
    def load(cls, path):
        """Return the model that `save` wrote; on the same machine it predicts the same numbers, to the last bit.

        Raises
        ------
        FileNotFoundError
        ValueError
            Where the file is damaged, holds something else, or was written by another version.
        """
        name = repr(os.fsdecode(path))
        with open(os.fsdecode(path), "rb") as file:
            try:
                config, arrays = nn.storage.read(file)
            except Exception as error:  # what is damaged can fail in any way
                raise ValueError(
                    f"{name} is not a model saved by nnlib, or is damaged: {error}"
                ) from error
        if "charges_model" not in config:
            raise ValueError(f"{name} holds no ChargesModel")
        if config["charges_model"] != VERSION:
            raise ValueError(
                f"{name} has version {config['charges_model']!r} of ChargesModel; this code reads {VERSION}"
            )
        try:
            return cls._restored(config, arrays)
        except Exception as error:
            raise ValueError(f"{name} is damaged: {error}") from error

    @classmethod
    def _restored(cls, config, arrays):
        model = cls(**config["settings"])
        model.hidden = tuple(model.hidden)
        model.inputs_ = ChargesInputs(
            model.features, model.pieces, model.threshold
        )
        model.inputs_.knots_ = config["knots"]
        model.inputs_.categories_ = config["categories"]
        model.mean_, model.scale_ = config["mean"], config["scale"]
        model.shift_ = config["shift"]
        model.networks_ = []
        for i in range(model.members):
            network, weights = model._network(i), arrays[f"network_{i}"]
            nn.storage.build_within(network, config["inputs"], weights.size)
            network.set_weights([weights])
            model.networks_.append(network)
        model.residuals_ = {
            group: arrays[f"residuals_{group}"]
            for group in config["categories"]["smoker"]
            if f"residuals_{group}" in arrays
        }
        return model
