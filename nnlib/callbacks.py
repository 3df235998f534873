"""What happens between epochs: stop early, lower the learning rate, keep the best, log, show progress.

Before anything changes, `fit` asks each callback to `check(model, loss, optimizer, names)`; then it calls
`on_train_begin(model, epochs)`, after each epoch `on_epoch_end(model, epoch, logs)`, and, whatever happens,
`on_train_end(model)`. `epoch` counts from 1; `logs` holds this epoch's numbers by name. A callback ends the training
with `model.stop_training = True`.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .arrays import Array
from .checks import as_path, number, one_of, positive_integer, yes_or_no
from .losses import Loss
from .optimizers import Optimizer

Model = Any  # a Sequential, which the reader meets later


class Callback:
    """Does nothing; subclasses override what they need."""

    def check(self, model: Model, loss: Loss, optimizer: Optimizer, names: list[str]) -> None:
        """Raise a ValueError where this callback cannot work in such a training, with logs of these names."""

    def on_train_begin(self, model: Model, epochs: int) -> None:
        """Before the first epoch of a call of `fit`."""

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        """After each epoch."""

    def on_train_end(self, model: Model) -> None:
        """After the last epoch, also where training was broken off by an error."""


@dataclass(eq=False)
class _Monitor(Callback):
    """Watches one number of the logs and knows whether it got better by more than `min_delta`."""

    monitor: str = "val_loss"
    mode: str = field(default="min", kw_only=True)
    min_delta: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        self.sign = one_of("mode", self.mode, {"min": 1.0, "max": -1.0})
        self.min_delta = number("min_delta", self.min_delta, 0)

    def check(self, model: Model, loss: Loss, optimizer: Optimizer, names: list[str]) -> None:
        one_of("monitor", self.monitor, dict.fromkeys(names))

    def on_train_begin(self, model: Model, epochs: int) -> None:
        self.best = np.inf  # of sign · value, so that lower is better in both modes
        self.wait = 0

    def improved(self, logs: dict[str, float]) -> bool:
        """Update `best` and `wait` (epochs since the best); NaN is never better."""
        value = self.sign * logs[self.monitor]
        better = bool(value < self.best - self.min_delta)
        self.best, self.wait = (value, 0) if better else (self.best, self.wait + 1)
        return better


@dataclass(eq=False)
class EarlyStopping(_Monitor):
    """Stop when `monitor` has not got better by more than `min_delta` for `patience` epochs.

    Parameters
    ----------
    monitor, mode
        A name in the logs ("val_loss", "val_rmse", ...) and whether "min" or "max" is good.
    restore_best : bool
        Go back to the weights of the best epoch at the end of training, however it ended (Keras does so only where
        training was stopped early, and only on request).
    """

    patience: int = 10
    restore_best: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.patience = positive_integer("patience", self.patience)
        self.restore_best = yes_or_no("restore_best", self.restore_best)

    def on_train_begin(self, model: Model, epochs: int) -> None:
        super().on_train_begin(model, epochs)
        self.best_epoch = 0
        self.best_weights: list[Array] | None = None

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        if self.improved(logs):
            self.best_epoch = epoch
            if self.restore_best:
                self.best_weights = model.get_weights()
        elif self.wait >= self.patience:
            model.stop_training = True

    def on_train_end(self, model: Model) -> None:
        if self.best_weights is not None:
            model.set_weights(self.best_weights)


@dataclass(eq=False)
class ReduceLROnPlateau(_Monitor):
    """η ← max(factor · η, min_learning_rate) when `monitor` has not got better for `patience` epochs."""

    factor: float = 0.1
    patience: int = 5
    min_learning_rate: float = 0.0
    min_delta: float = field(default=1e-4, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.factor = number("factor", self.factor, 0, 1, open_low=True, open_high=True)
        self.patience = positive_integer("patience", self.patience)
        self.min_learning_rate = number("min_learning_rate", self.min_learning_rate, 0)

    def check(self, model: Model, loss: Loss, optimizer: Optimizer, names: list[str]) -> None:
        super().check(model, loss, optimizer, names)
        if callable(optimizer.learning_rate):
            raise ValueError("ReduceLROnPlateau needs a learning_rate that is a number; got a schedule")

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        if not self.improved(logs) and self.wait >= self.patience:
            rate = model.optimizer.learning_rate
            model.optimizer.learning_rate = min(rate, max(self.factor * rate, self.min_learning_rate))
            self.wait = 0


class ModelCheckpoint(_Monitor):
    """Save the model to `path` after each epoch, or only when `monitor` is the best so far.

    `path` may hold fields in braces: "model-{epoch:03d}-{val_rmse:.2f}.npz". Each file is written whole under another
    name and then renamed.
    """

    def __init__(
        self, path: str | os.PathLike[str], monitor: str = "val_loss", mode: str = "min", save_best_only: bool = True
    ):
        super().__init__(monitor, mode=mode)
        self.path = as_path("path", path)
        self.save_best_only = yes_or_no("save_best_only", save_best_only)

    def check(self, model: Model, loss: Loss, optimizer: Optimizer, names: list[str]) -> None:
        if self.save_best_only:
            super().check(model, loss, optimizer, names)
        try:
            path = self.path.format(epoch=1, **dict.fromkeys(names, 0.0))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"path may name epoch, {', '.join(names)}; got {self.path!r}: {error}") from error
        check_folder(path)
        model.as_plain(loss, optimizer)  # what cannot be saved is refused now, not after an epoch

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        if not self.save_best_only or self.improved(logs):
            model.save(self.path.format(epoch=epoch, **logs))


class CSVLogger(Callback):
    """Write one line per epoch to `path`, each before the next epoch starts."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = as_path("path", path)

    def check(self, model: Model, loss: Loss, optimizer: Optimizer, names: list[str]) -> None:
        check_folder(self.path)

    def on_train_begin(self, model: Model, epochs: int) -> None:
        self.mode = "w"

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        import csv  # here, because most programs keep no log, and would wait for it

        row = {"epoch": epoch, **logs}
        with open(self.path, self.mode, newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([row, row.values()] if self.mode == "w" else [row.values()])
        self.mode = "a"


class Progress(Callback):
    """A bar over the epochs with the latest numbers, or a line each where tqdm is missing; `fit(verbose=1)` adds it."""

    def on_train_begin(self, model: Model, epochs: int) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            self.bar = None
        else:
            # in a notebook dynamic_ncols lets the numbers wrap below the bar where the page is narrow
            self.bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True)

    def on_epoch_end(self, model: Model, epoch: int, logs: dict[str, float]) -> None:
        numbers = {name: f"{value:.4g}" for name, value in logs.items()}
        if self.bar is None:
            print(f"epoch {epoch}:", ", ".join(f"{name}={number}" for name, number in numbers.items()))
        else:
            self.bar.set_postfix(numbers, refresh=False)
            self.bar.update()

    def on_train_end(self, model: Model) -> None:
        if self.bar is not None:
            self.bar.close()


def check_folder(path: str) -> None:
    """Raise an OSError where `path` is a folder or lies in none, as open() would, but in good time."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.path.isdir(folder):
        raise FileNotFoundError(f"path must be that of a file, in a folder that exists; got {path!r}")
