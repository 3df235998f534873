"""nnlib as its users run it: `Sequential`, then `fit` with shuffling, loss and a metric."""

from time import perf_counter

import numpy as np

import nnlib as nn

from ..workloads import ADAM, BATCH_NORM, DROPOUT
from .base import parameters


def network(name):
    """Layers of a workload's network."""
    if name == "insurance":
        hidden = [
            *(nn.Dense(100, "relu"), nn.BatchNorm(**BATCH_NORM), nn.Dropout(DROPOUT)),
            *(nn.Dense(100, "relu"), nn.BatchNorm(**BATCH_NORM), nn.Dropout(DROPOUT)),
            *(nn.Dense(100, "relu"), nn.BatchNorm(**BATCH_NORM)),
        ]
        return [nn.BatchNorm(**BATCH_NORM), *hidden, nn.Dense(1)]
    if name == "digits":
        return [nn.Dense(64, "relu"), nn.Dense(10, "softmax")]
    if name == "cnn":
        return [
            nn.Conv2D(8, 3, padding="same", activation="relu"),
            nn.MaxPool2D(2),
            nn.Conv2D(16, 3, padding="same", activation="relu"),
            nn.Flatten(),
            nn.Dense(10, "softmax"),
        ]
    return [nn.LSTM(32), nn.Dense(1)]


class EpochClock(nn.Callback):
    """Notes the time at the end of each epoch."""

    def __init__(self):
        self.times = []

    def on_epoch_end(self, model, epoch, logs):
        self.times.append(perf_counter())


class Fit:
    """`fit` with loss and metric; the first epoch of a call is not counted, as for the other `fit`s."""

    def __init__(self, workload, X, y):
        self.workload, self.X, self.y = workload, X, y
        self.steps = workload.steps(len(X))
        self.model = nn.Sequential(network(workload.network), seed=0, dtype="float32")
        if workload.network == "lstm":
            # nnlib draws each gate's weights with the gate's own fans, the peers all four as one matrix.
            self.model.build(X.shape[1:])
            for name in ("W", "U"):
                self.model.layers[0].params[name][...] = parameters("lstm")[name]
        self.optimizer = nn.SGD(workload.learning_rate)
        if workload.optimizer == "adam":
            self.optimizer = nn.Adam(workload.learning_rate, **ADAM)

    def train(self, epochs):
        clock = EpochClock()
        self.model.fit(
            self.X,
            self.y,
            loss=self.workload.loss,
            optimizer=self.optimizer,
            epochs=epochs + 1,
            batch_size=self.workload.batch_size,
            metrics=[self.workload.metric],
            callbacks=[clock],
            shuffle=self.steps > 1,
            verbose=0,
        )
        return np.diff(clock.times).tolist()

    def predict(self, X):
        return self.model.predict(X)
