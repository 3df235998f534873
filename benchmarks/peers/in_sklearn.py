"""scikit-learn's MLP: dense networks only, neither normalization nor dropout; here the digits."""

import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from ..workloads import ADAM


class Fit:
    """`fit` for a number of epochs, going on where the last call stopped (`warm_start`).

    There is no call at the end of an epoch to read the clock in: an epoch is the call's time divided by the
    number of epochs.
    """

    def __init__(self, workload, X, y):
        self.X, self.labels, self.steps = X, y.argmax(1), workload.steps(len(X))
        self.model = MLPClassifier(
            (64,),
            solver=workload.optimizer,
            alpha=0,
            batch_size=workload.batch_size,
            learning_rate_init=workload.learning_rate,
            shuffle=self.steps > 1,
            random_state=0,
            tol=0,
            n_iter_no_change=10**9,
            warm_start=True,
            momentum=0,
            beta_1=ADAM["beta1"],
            beta_2=ADAM["beta2"],
            epsilon=ADAM["epsilon"],
        )

    def train(self, epochs):
        self.model.set_params(max_iter=epochs)
        with warnings.catch_warnings():
            # Every run ends at max_iter, on purpose.
            warnings.simplefilter("ignore", ConvergenceWarning)
            start = perf_counter()
            self.model.fit(self.X, self.labels)
        return [(perf_counter() - start) / epochs] * epochs

    def predict(self, X):
        return np.asarray(self.model.predict_proba(X))
