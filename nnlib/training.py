"""The loop that trains: forward, loss, backward, step; and what may go wrong in it."""

import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import numpy as np
from numpy.typing import ArrayLike

from . import losses, optimizers
from .arrays import Array
from .callbacks import Callback, Progress
from .checks import positive_integer, yes_or_no
from .door import as_callbacks, check_follower
from .metrics import METRICS, Metric, get_metrics
from .model import Network

Weights = tuple[int, list[Array]]  # the epoch after which they were these


class DivergenceWarning(RuntimeWarning):
    """The loss became NaN or infinite and training was stopped."""


class History(dict[str, list[float]]):
    """One list per number, one entry per epoch: `history["loss"]`, `["val_rmse"]`, `["learning_rate"]`."""


class Trainable(Network):
    """A network that learns from examples."""

    optimizer: optimizers.Optimizer | None = None
    epoch = 0
    stop_training = False

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        loss: losses.Choice = None,
        optimizer: str | optimizers.Optimizer | None = None,
        epochs: int = 1,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        metrics: Sequence[str | Metric] | None = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        callbacks: Sequence[Callback] | None = None,
        shuffle: bool = True,
        verbose: int = 0,
    ) -> History:
        """Train: for each epoch, for each batch of the shuffled rows, one forward, one backward, one step.

        Whatever is wrong with the arguments is said before anything has changed.

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
        verbose : {0, 1}
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
        shuffle, wanted = yes_or_no("shuffle", shuffle), get_metrics(metrics)
        watchers = [*as_callbacks(callbacks), *([Progress()] if yes_or_no("verbose", verbose) else [])]
        with self._unbuilt_if_refused():
            wanted_loss = self._as_loss(loss)
            x, target, objective = self._as_examples(X, y, wanted_loss)
            weight = self._as_weight(sample_weight, class_weight, target)
            validation = self._as_validation(validation_data, wanted_loss)
            chosen = self._as_optimizer(optimizer)
            # The library's metrics are tried on the untrained model: what they have against these rows they say now.
            if known := [metric for metric in wanted if metric in METRICS.values()]:
                for examples in [(x, target), *validation]:
                    self._score_rows(*examples, objective, known)
            names = ["loss", *(metric.__name__ for metric in wanted)]
            names += ["learning_rate", *(f"val_{name}" for name in names if validation)]
            for callback in watchers:
                callback.check(self, wanted_loss, chosen, names)
        self.metrics = wanted
        self._settle(wanted_loss, chosen)
        flat, n = self.built(), len(x)
        history = History({name: [] for name in names})
        outputs = np.empty((n, *self.output_shape), self.dtype)
        initial = best = (self.epoch, self.get_weights())
        best_score = np.inf
        self.stop_training = False
        with ExitStack() as ending:  # ends each callback that has begun, whatever happens
            for callback in watchers:
                callback.on_train_begin(self, epochs)
                ending.callback(callback.on_train_end, self)
            for _ in range(epochs):
                rate = chosen.rate()
                order = self.rng.permutation(n) if shuffle else np.arange(n)
                x_epoch, y_epoch, w_epoch = x[order], target[order], None if weight is None else weight[order]
                # Overflow is not an error in the middle of an epoch: it is looked for, once, at the end.
                with np.errstate(all="ignore"):
                    for start in range(0, n, batch_size):
                        rows = slice(start, start + batch_size)
                        w = None if w_epoch is None else w_epoch[rows]
                        outputs[rows] = self.compute_gradients(x_epoch[rows], y_epoch[rows], objective, w)
                        chosen.step(flat.params, flat.grads)
                    self.epoch += 1
                    logs = self._scores(outputs, y_epoch, objective, self.metrics, w_epoch)
                    logs["learning_rate"] = rate
                    for examples in validation:
                        scores = self._score_rows(*examples, objective, self.metrics)
                        logs |= {f"val_{name}": value for name, value in scores.items()}
                for name, value in logs.items():
                    history[name].append(value)
                score = logs.get("val_loss", logs["loss"])
                finite = all(np.isfinite(values).all() for values in self._weights())
                diverged = not (finite and np.isfinite(logs["loss"] + score))
                if diverged:
                    with np.errstate(all="ignore"):
                        bad = np.flatnonzero(~np.isfinite(objective.rows(outputs, y_epoch)))
                    step = (bad[0] if len(bad) else n - 1) // batch_size + 1
                    self._recover(step, [initial, best], (x, target, objective), weight)
                elif score < best_score:
                    best_score, best = score, (self.epoch, self.get_weights())
                for callback in watchers:
                    callback.on_epoch_end(self, self.epoch, logs)
                if diverged or self.stop_training:
                    break
        return history

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        loss: losses.Choice = None,
        optimizer: optimizers.Optimizer | None = None,
        through: Network | None = None,
    ) -> float:
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
        judge = self if through is None else through
        if not isinstance(judge, Network) or through is self:
            raise ValueError(f"through must be another model; got {through!r}")
        with self._unbuilt_if_refused(), judge._unbuilt_if_refused():
            inputs = self._as_input("x", x)
            if through is not None:
                check_follower(self, through)
            wanted = self._as_loss(loss)
            objective = judge.objective(wanted)
            target = judge._as_target("y", y, len(inputs), wanted)
            chosen = self._as_optimizer(optimizer)
        self._settle(wanted, chosen)
        if through is None:
            output = self.compute_gradients(inputs, target, objective)
        else:
            kept = through.get_weights()
            a = through.forward(self.forward(inputs, training=True), training=True)
            output = through._output_for(objective, a)
            self.backward(through._backward_from(objective, a, target))
            through.set_weights(kept)  # its running statistics have moved
        chosen.step(self.built().params, self.built().grads)
        return objective.mean(output, target)

    def _settle(self, loss: losses.Loss, optimizer: optimizers.Optimizer) -> None:
        """Take what has been checked; an optimizer that is new here starts from nothing."""
        self.loss = loss
        if optimizer is not self.optimizer:
            self.optimizer = optimizer
            optimizer.init(self.built().params.size, self.dtype, self.built().decayed)

    def _recover(
        self, step: int, candidates: list[Weights], examples: tuple[Array, Array, losses.Loss], weight: Array | None
    ) -> None:
        """Put the better of the weights back, empty the optimizer's memory and say where the numbers blew up."""

        def loss(candidate: Weights) -> float:
            self.set_weights(candidate[1])
            value = self._score_rows(*examples, weight=weight)["loss"]
            return value if np.isfinite(value) else np.inf

        # Scored anew: the loss of an epoch is measured while its weights still move, and the last step may have been
        # the one that went too far.
        best_epoch, best_weights = min(candidates, key=loss)
        self.set_weights(best_weights)
        optimizer = self._as_optimizer(None)
        learning_rate = optimizer.rate()
        optimizer.init(self.built().params.size, self.dtype, self.built().decayed)
        warnings.warn(
            f"the loss or a weight became NaN or infinite in epoch {self.epoch}, step {step}: training stopped; the "
            f"weights are those after epoch {best_epoch}. A smaller learning rate (now {learning_rate:g}), "
            "scaled inputs and targets, or clip_norm may help.",
            DivergenceWarning,
            stacklevel=3,
        )

    def _score_rows(
        self, X: Array, y: Array, objective: losses.Loss, wanted: Sequence[Metric] = (), weight: Array | None = None
    ) -> dict[str, float]:
        with np.errstate(all="ignore"):
            return self._scores(self._outputs(X, objective), y, objective, wanted, weight)
