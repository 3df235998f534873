"""What happens between epochs: stop early, lower the learning rate, keep the best, log, show progress.

`fit` calls `on_train_begin(model, epochs)`, after each epoch `on_epoch_end(model, epoch, logs)`, and, whatever happens,
`on_train_end(model)`. `epoch` counts from 1; `logs` holds this epoch's numbers by name. A callback ends the training
with `model.stop_training = True`.
"""

import csv
import os
from typing import Any, TextIO

import numpy as np

from .arrays import number, one_of, positive_integer


class Callback:
    """Does nothing; subclasses override what they need."""

    def on_train_begin(self, model, epochs: int) -> None:
        """Before the first epoch of a call of `fit`."""

    def on_epoch_end(self, model, epoch: int, logs: dict[str, float]) -> None:
        """After each epoch."""

    def on_train_end(self, model) -> None:
        """After the last epoch, also where training was broken off by an error."""


class _Monitor(Callback):
    """Watches one number of the logs and knows whether it got better by more than `min_delta`."""

    def __init__(self, monitor="val_loss", mode="min", min_delta=0.0):
        self.monitor = monitor
        self.mode = mode
        self.sign = one_of("mode", mode, {"min": 1.0, "max": -1.0})
        self.min_delta = number("min_delta", min_delta, 0)

    def on_train_begin(self, model, epochs):
        self.best = np.inf  # of sign · value, so that lower is better in both modes
        self.wait = 0

    def improved(self, logs) -> bool:
        """Update `best` and `wait` (epochs since the best); NaN is never better."""
        if self.monitor not in logs:
            raise ValueError(f"monitor must be one of {', '.join(logs)}; got {self.monitor!r}")
        value = self.sign * logs[self.monitor]
        better = bool(value < self.best - self.min_delta)
        self.best, self.wait = (value, 0) if better else (self.best, self.wait + 1)
        return better


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

    def __init__(self, monitor="val_loss", patience=10, min_delta=0.0, mode="min", restore_best=True):
        super().__init__(monitor, mode, min_delta)
        self.patience = positive_integer("patience", patience)
        self.restore_best = bool(restore_best)

    def on_train_begin(self, model, epochs):
        super().on_train_begin(model, epochs)
        self.best_epoch, self.best_weights = 0, None

    def on_epoch_end(self, model, epoch, logs):
        if self.improved(logs):
            self.best_epoch = epoch
            if self.restore_best:
                self.best_weights = model.get_weights()
        elif self.wait >= self.patience:
            model.stop_training = True

    def on_train_end(self, model):
        if self.best_weights is not None:
            model.set_weights(self.best_weights)


class ReduceLROnPlateau(_Monitor):
    """η ← max(factor · η, min_learning_rate) when `monitor` has not got better for `patience` epochs."""

    def __init__(self, monitor="val_loss", factor=0.1, patience=5, min_delta=1e-4, mode="min", min_learning_rate=0.0):
        super().__init__(monitor, mode, min_delta)
        self.factor = number("factor", factor, 0, 1, open_low=True, open_high=True)
        self.patience = positive_integer("patience", patience)
        self.min_learning_rate = number("min_learning_rate", min_learning_rate, 0)

    def on_train_begin(self, model, epochs):
        super().on_train_begin(model, epochs)
        if callable(model.optimizer.learning_rate):
            raise ValueError("ReduceLROnPlateau needs a learning_rate that is a number; got a schedule")

    def on_epoch_end(self, model, epoch, logs):
        if not self.improved(logs) and self.wait >= self.patience:
            lowered = self.factor * model.optimizer.learning_rate
            model.optimizer.learning_rate = max(lowered, self.min_learning_rate)
            self.wait = 0


class ModelCheckpoint(_Monitor):
    """Save the model to `path` after each epoch, or only when `monitor` is the best so far.

    `path` may hold fields in braces: "model-{epoch:03d}-{val_rmse:.2f}.npz". Each file is written as by
    `Sequential.save`: whole or not at all.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str = "val_loss",
        mode: str = "min",
        save_best_only: bool = True,
    ) -> None:
        super().__init__(monitor, mode)
        self.path = os.fspath(path)
        self.save_best_only = bool(save_best_only)
        self.last_path: str | None = None

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        if not self.save_best_only or self.improved(logs):
            try:
                path = self.path.format(epoch=epoch, **logs)
            except (KeyError, IndexError) as error:
                raise ValueError(f"path may name epoch, {', '.join(logs)}; got {self.path!r}") from error
            model.save(path)
            self.last_path = path


class CSVLogger(Callback):
    """Write one line per epoch to `path`, each before the next epoch starts; `append` continues a file."""

    def __init__(self, path: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.path = os.fspath(path)
        self.separator = separator
        self.append = bool(append)
        self.file: TextIO | None = None

    def on_train_begin(self, model: Any, epochs: int) -> None:
        self.file = open(self.path, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.writer: csv.DictWriter[str] | None = None

    def on_epoch_end(self, model: Any, epoch: int, logs: dict[str, float]) -> None:
        assert self.file is not None  # since on_train_begin
        row = {"epoch": epoch, **logs}
        if self.writer is None:
            self.writer = csv.DictWriter(self.file, row, delimiter=self.separator)
            if self.file.tell() == 0:
                self.writer.writeheader()
            else:
                self._check_header(list(row))
        self.writer.writerow(row)
        self.file.flush()

    def _check_header(self, columns: list[str]) -> None:
        with open(self.path, newline="", encoding="utf-8") as file:
            header = next(csv.reader(file, delimiter=self.separator))
        if header != columns:
            raise ValueError(f"append needs a file with the columns {columns}; {self.path!r} has {header}")

    def on_train_end(self, model: Any) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


class Progress(Callback):
    """A bar over the epochs with the latest numbers (tqdm); `fit(verbose=1)` adds it."""

    def on_train_begin(self, model, epochs):
        from tqdm.auto import tqdm

        # in a notebook dynamic_ncols lets the numbers wrap below the bar where the page is narrow
        self.bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True)

    def on_epoch_end(self, model, epoch, logs):
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)
        self.bar.update()

    def on_train_end(self, model):
        self.bar.close()
