"""The recipe of the insurance project: from six columns to the expected charges, as a scikit-learn estimator.

It is a module apart from `insurance_project` because its base class brings scikit-learn and pandas with it.
"""

import numpy as np
from insurance_project import CATEGORIES, NUMBERS
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

import nnlib as nn


def find_knots(x, n):
    """Return the ends of `n` pieces that hold equally many of the values x: n + 1 quantiles, fewer where they tie."""
    return np.unique(
        np.quantile(np.asarray(x, float), np.linspace(0, 1, n + 1))
    )


def encode_pieces(x, knots):
    """Return (x - b₀)/(b₁ - b₀), (x - b₁)/(b₂ - b₁), ..., each cut to 0..1: how far x is through each piece.

    A weighted sum of these columns is a line with a bend at each inner knot. The first piece is not cut below nor
    the last above, so the line goes on beyond the knots.

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
    features : {"pieces", "plain"}
        "pieces": age and BMI in pieces, a step in BMI, and the BMI's columns again for smokers only.
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

    def __init__(self, features="pieces", pieces=4, threshold=30.0):
        self.features = features
        self.pieces = pieces
        self.threshold = threshold

    def fit(self, table, y=None):
        """Take the knots and the categories from the rows of `table`."""
        if self.features not in ("pieces", "plain"):
            raise ValueError(
                f"features must be 'pieces' or 'plain'; got {self.features!r}"
            )
        check_table(table)
        n = (
            nn.arrays.positive_integer("pieces", self.pieces)
            if self.features == "pieces"
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
        if self.features == "pieces":
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
        if not np.isfinite(np.asarray(table[name], dtype=float)).all():
            raise ValueError(
                f"{name} must be a finite number in every row; got a missing or infinite one"
            )


class ChargesModel(RegressorMixin, BaseEstimator):
    """ŷ = mean of a few networks, trained with Huber's loss, + the mean training residual.

    Everything that is learned, knots, scales and shift included, comes from the rows that `fit` is given. The default
    settings are those that cross-validation inside of training rows takes most often (see `compare_models`).

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
        Of the training charges, in dollars: the networks predict (charges - mean)/scale.
    networks_ : list of nnlib.Sequential
    shift_ : float
        Dollars that are added to every prediction.
    """

    def __init__(
        self,
        features="pieces",
        pieces=4,
        threshold=30.0,
        delta=300.0,
        shift=True,
        members=5,
        hidden=(32, 32),
        epochs=30,
        batch_size=32,
        learning_rate=0.01,
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
        y = np.asarray(y, dtype=float)
        if y.shape != (len(table),) or not np.isfinite(y).all():
            raise ValueError(
                f"y must be finite and of shape ({len(table)},), one per row of table; got {y.shape}"
            )
        self.inputs_ = ChargesInputs(
            self.features, self.pieces, self.threshold
        ).fit(table)
        X = self.inputs_.transform(table)
        self.mean_, self.scale_ = float(y.mean()), float(y.std()) or 1.0
        target = ((y - self.mean_) / self.scale_)[:, None]
        self.networks_ = [
            self._train(X, target, member) for member in range(self.members)
        ]
        self.shift_ = (
            float(np.mean(y - self._unshifted(X))) if self.shift else 0.0
        )
        return self

    def _train(self, X, target, member):
        hidden = [nn.Dense(units, "relu", "he_normal") for units in self.hidden]
        network = nn.Sequential(
            [*hidden, nn.Dense(1)],
            seed=np.random.default_rng([self.seed, member]),
            dtype="float32",
        )
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
