"""The building blocks of a model, one file per idea; `LAYERS` is the list of all of them by name."""

from .base import Layer
from .dense import Activation, Dense
from .norm import BatchNorm, Dropout

LAYERS: dict[str, type[Layer]] = {cls.__name__: cls for cls in (Dense, Activation, BatchNorm, Dropout)}

__all__ = ["LAYERS", "Layer", *LAYERS]
