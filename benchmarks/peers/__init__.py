"""The peers: one module per framework, each with the same small interface.

A peer is made with a workload and its data, in a process of its own, and then has

    train(epochs) -> list of float     seconds that each epoch took
    predict(X) -> ndarray or None      outputs of the trained network (no dropout); None: nothing is learned

Every peer shuffles the samples anew for each epoch (unless one batch holds them all), averages the loss over
the epoch, and trains in float32. What `fit` does on top, the peers that are a `fit` do as well: validate
their input, keep a history, and compute one metric.
"""

import importlib
import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """Where a peer's class is, and what it needs.

    Parameters
    ----------
    key, title : str
        Name in results.json and name for readers.
    module, cls : str
        Module in this package and the class in it.
    requires : tuple of str
        Packages without which the peer is shown as missing.
    environment : dict
        Extra environment variables of its process.
    networks : tuple of str
        The networks that it can express without changing them.
    """

    key: str
    title: str
    module: str
    cls: str
    requires: tuple = ("numpy",)
    environment: tuple = ()
    networks: tuple = ("insurance", "digits", "cnn", "lstm")

    def missing(self) -> list[str]:
        """Return the required packages that are not installed (nothing is imported)."""
        return [name for name in self.requires if importlib.util.find_spec(name) is None]

    def make(self, workload, X, y):
        """Import the peer's module and build its network."""
        return getattr(importlib.import_module(f"{__name__}.{self.module}"), self.cls)(workload, X, y)


PEERS = {
    p.key: p
    for p in (
        Peer("floor", "bare matrix products", "floor", "Floor"),
        Peer("numpy", "hand-written NumPy", "handwritten", "Handwritten"),
        Peer("nnlib", "nnlib fit", "ours", "Fit", ("numpy", "nnlib")),
        Peer("jax_scan", "JAX scan over an epoch", "in_jax", "Scan", ("jax",)),
        Peer("jax_step", "JAX jit step", "in_jax", "Step", ("jax",)),
        Peer("torch", "PyTorch eager", "in_torch", "Eager", ("torch",)),
        Peer("torch_fused", "PyTorch eager, fused optimizer", "in_torch", "Fused", ("torch",)),
        Peer("keras_jax", "Keras on JAX, fit", "in_keras", "Fit", ("keras", "jax"), (("KERAS_BACKEND", "jax"),)),
        Peer(
            "keras_tensorflow",
            "Keras on TensorFlow, fit",
            "in_keras",
            "Fit",
            ("keras", "tensorflow"),
            (("KERAS_BACKEND", "tensorflow"),),
        ),
        Peer("sklearn", "scikit-learn MLP, fit", "in_sklearn", "Fit", ("sklearn",), (), ("digits",)),
    )
}
