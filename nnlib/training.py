"""The loop that trains: forward, loss, backward, step; and what may go wrong in it."""

import warnings

import numpy as np

from . import losses, metrics, optimizers
from .arrays import Array, number, positive_integer
from .callbacks import Callback, Progress
from .model import Network


class DivergenceWarning(RuntimeWarning):
    """The loss became NaN or infinite and training was stopped."""


class History(dict):
    """One list per number, one entry per epoch: `history["loss"]`, `["val_rmse"]`, `["learning_rate"]`."""

    def record(self, logs: dict[str, float]) -> None:
        """Append this epoch's numbers."""
        for name, value in logs.items():
            self.setdefault(name, []).append(value)


class Trainable(Network):
    """A network that learns from examples.

    Attributes
    ----------
    epoch : int
        Epochs trained so far, over all calls of `fit`; saved with the model.
    """

    def __init__(self, layers, seed=0, dtype="float64"):
        super().__init__(layers, seed, dtype)
        self.optimizer: optimizers.Optimizer | None = None
        self.epoch = 0
        self.stop_training = False

    def fit(
        self,
        X,
        y,
        *,
        loss=None,
        optimizer=None,
        epochs=1,
        batch_size=32,
        validation_data=None,
        metrics=(),
        sample_weight=None,
        class_weight=None,
        callbacks=(),
        shuffle=True,
        verbose=0,
    ) -> History:
        """Train: for each epoch, for each batch of the shuffled rows, one forward, one backward, one step.

        Parameters
        ----------
        X : array (rows, ...)
            Inputs: (rows, features), sequences (rows, time, features) or images (rows, height, width, channels).
        y : array (rows, outputs)
            Targets, of the shape of the model's output; classes one-hot. (rows,) is refused, not broadcast.
        loss : str or losses.Loss
            Required the first time; later calls use the same one unless told otherwise.
        optimizer : Optimizer or str
            Required the first time. The same object again (or none) goes on from its state; another one starts afresh.
        epochs, batch_size : int
            How often all rows are seen, and rows per step (the last batch of an epoch may be smaller).
        validation_data : (X, y), optional
            Scored after each epoch, under names that begin with "val_"; nothing is learned from it.
        metrics : list of str or functions (y_pred, y_true) -> float
            Scored over all rows after each epoch; for the training rows from the predictions made while learning.
        sample_weight : array (rows,), optional
            Factor of each row's loss.
        class_weight : dict of class number to float, optional
            Factor of the loss of each row of that class.
        callbacks : list of Callback
            See `callbacks`.
        shuffle : bool
            New order of the rows in each epoch.
        verbose : int
            1 shows a progress bar.

        Returns
        -------
        History
            Of this call.

        Warns
        -----
        DivergenceWarning
            Where loss or weights became NaN or infinite: training stops, the best weights so far are put back.
        """
        epochs, batch_size = positive_integer("epochs", epochs), positive_integer("batch_size", batch_size)
        X = self._as_input("X", X)
        y = self._as_target("y", y, len(X))
        validation = self._as_validation(validation_data)
        weight = self._row_weights(y, sample_weight, class_weight)
        self._settle(loss, optimizer, metrics, y, self)
        if validation:
            losses.check_targets(self.loss, validation[1], "validation y")
        callbacks = [*callbacks, *([Progress()] if verbose else [])]
        objective, history, n = self.objective(self.loss), History(), len(X)
        outputs = np.empty((n, *self.output_shape), self.dtype)
        initial = best = (self.epoch, self.get_weights())
        best_score = np.inf
        self.stop_training = False
        begun: list[Callback] = []
        try:
            for callback in callbacks:
                callback.on_train_begin(self, epochs)
                begun.append(callback)
            for _ in range(epochs):
                logs = {"learning_rate": self.optimizer.rate()}
                order = self.rng.permutation(n) if shuffle else slice(None)
                X_epoch, y_epoch, weight_epoch = X[order], y[order], None if weight is None else weight[order]
                # Overflow is not an error in the middle of an epoch: it is looked for, once, at the end.
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    for start in range(0, n, batch_size):
                        rows = slice(start, start + batch_size)
                        w = None if weight is None else weight_epoch[rows]
                        outputs[rows] = self.compute_gradients(X_epoch[rows], y_epoch[rows], objective, w)
                        self.optimizer.step(self.params, self.grads)
                    self.epoch += 1
                    logs = {**self._scores(outputs, y_epoch, objective, weight_epoch), **logs}
                    if validation:
                        scores = self._scores(self._outputs(validation[0], objective), validation[1], objective)
                        logs |= {f"val_{name}": value for name, value in scores.items()}
                history.record(logs)
                score = logs.get("val_loss", logs["loss"])
                diverged = not (np.isfinite(logs["loss"] + score) and self._weights_are_finite())
                if diverged:
                    with np.errstate(all="ignore"):
                        bad = np.flatnonzero(~np.isfinite(objective.rows(outputs, y_epoch)))
                    step = (bad[0] if len(bad) else n - 1) // batch_size + 1
                    self._recover(step, [initial, best], lambda: self._loss_of_rows(X, y, objective, weight))
                elif score < best_score:
                    best_score, best = score, (self.epoch, self.get_weights())
                for callback in callbacks:
                    callback.on_epoch_end(self, self.epoch, logs)
                if diverged or self.stop_training:
                    break
        finally:
            for callback in begun:
                callback.on_train_end(self)
        return history

    def train_on_batch(self, x, y, *, loss=None, optimizer=None, through: "Network | None" = None) -> float:
        """One step on one batch, exactly as given; return the loss before the step.

        Parameters
        ----------
        loss, optimizer
            As in `fit`: required the first time. Make the optimizer once, before the loop, and pass that object; a name
            is refused, because at each step it would mean a new optimizer without memory.
        through : Sequential, optional
            A model after this one, held fixed: the loss compares `through(self(x))` with y, its gradient passes
            through `through`, and only this model is updated. That is a generator's step against its discriminator.
            Of `through`, weights and running statistics stay as they are; its `grads` are overwritten.
        """
        if isinstance(optimizer, str):
            raise ValueError(f"optimizer must be an optimizer object, made once before the loop; got {optimizer!r}")
        x = self._as_input("x", x)
        judge = self if through is None else through
        if through is not None:
            through._follow(self)
        y = judge._as_target("y", y, len(x))
        self._settle(loss, optimizer, self.metrics, y, judge)
        objective = judge.objective(self.loss)
        if through is None:
            output = self.compute_gradients(x, y, objective)
        else:
            kept = through.get_weights()
            a = through.forward(self.forward(x, training=True), training=True)
            output = through.layers[-1].z if objective.on_z else a
            through.layers[through._first_trained].skip_dx = False
            self.backward(through._backward_from(objective, a, y))
            through.set_weights(kept)  # its running statistics have moved
        self.optimizer.step(self.params, self.grads)
        return objective.value(output, y)

    def _follow(self, first: "Network") -> None:
        """Check that this model can take the output of `first`; build it if need be."""
        if self.dtype != first.dtype:
            raise ValueError(f"through must have the dtype of the model, {first.dtype.name}; got {self.dtype.name}")
        if self.params is None:
            self.build(first.output_shape)
        if self.input_shape != first.output_shape:
            raise ValueError(
                f"through must take inputs of shape {first.output_shape}, the model's output; got {self.input_shape}"
            )

    def _settle(self, loss, optimizer, wanted, y, judge: "Network") -> None:
        """Fix loss, optimizer and metrics for this training; an optimizer that is new here starts from nothing.

        `judge` is the model whose output the loss compares with y: this one, or the one that it is trained through.
        """
        self.loss = losses.get(loss if loss is not None or self.loss is None else self.loss)
        losses.check_targets(self.loss, y)
        losses.check_output(self.loss, getattr(judge.layers[-1], "activation", None))
        self.metrics = [metrics.get(metric) for metric in wanted] if not isinstance(wanted, str) else None
        if self.metrics is None:
            raise ValueError(f"metrics must be a list; got {wanted!r}; use [{wanted!r}]")
        if optimizer is None and self.optimizer is None:
            raise ValueError(f"optimizer must be one of {', '.join(optimizers.OPTIMIZERS)}; got None")
        if optimizer is not None and optimizer is not self.optimizer:
            optimizer = optimizers.get(optimizer)
            if optimizer.state or optimizer.t:
                raise ValueError(f"this {type(optimizer).__name__} object already trains another model; make a new one")
            optimizer.init(len(self.params), self.dtype, self.flat.decayed)
            self.optimizer = optimizer

    def _weights_are_finite(self) -> bool:
        return np.isfinite(self.params).all() and all(np.isfinite(buffer).all() for _, buffer in self._buffers())

    def _recover(self, step, candidates, score) -> None:
        """Put the better of the weights back, empty the optimizer's memory and say where the numbers blew up."""

        def loss(candidate):
            self.set_weights(candidate[1])
            return value if np.isfinite(value := score()) else np.inf

        # Scored anew: the loss of an epoch is measured while its weights still move, and the last step may have been
        # the one that went too far.
        best_epoch, best_weights = min(candidates, key=loss)
        self.set_weights(best_weights)
        learning_rate = self.optimizer.rate()
        self.optimizer.init(len(self.params), self.dtype, self.flat.decayed)
        warnings.warn(
            f"the loss or a weight became NaN or infinite in epoch {self.epoch}, step {step}: training stopped; the "
            f"weights are those after epoch {best_epoch}. A smaller learning rate (now {learning_rate:g}), "
            "scaled inputs and targets, or clip_norm may help.",
            DivergenceWarning,
            stacklevel=3,
        )

    def _as_validation(self, data):
        if data is None:
            return None
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise ValueError(f"validation_data must be a pair (X, y); got {type(data).__name__}")
        X = self._as_input("validation X", data[0])
        return X, self._as_target("validation y", data[1], len(X))

    def _row_weights(self, y, sample_weight, class_weight) -> Array | None:
        """Return one factor per row, or None where all are 1."""
        if sample_weight is None and class_weight is None:
            return None
        weight = np.ones(len(y), self.dtype)
        if sample_weight is not None:
            given = np.asarray(sample_weight, self.dtype)
            if given.shape != weight.shape or not (np.isfinite(given) & (given >= 0)).all():
                raise ValueError(
                    f"sample_weight must hold {len(y)} finite numbers >= 0, one per row; got shape {given.shape}"
                )
            weight *= given
        if class_weight is not None:
            if y.ndim != 2 or not np.isin(y, (0, 1)).all():
                raise ValueError(f"class_weight needs y of zeros and ones, (rows, classes); got shape {y.shape}")
            row_class = metrics.classes(y)
            missing = sorted(set(row_class.tolist()) - set(class_weight))
            if missing:
                raise ValueError(f"class_weight must have a weight for every class in y; class {missing[0]} has none")
            factors = {c: number(f"class_weight[{c}]", factor, 0) for c, factor in class_weight.items()}
            weight *= np.array([factors[c] for c in row_class.tolist()], self.dtype)
        return weight
