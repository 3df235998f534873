"""The building blocks of a model, one file per idea; `LAYERS` is the list of all of them by name.

Read base first, then dense, norm, compose, conv and recurrent.
"""

from .base import Layer
from .compose import Flatten, Residual
from .conv import Conv2D, MaxPool2D
from .dense import Activation, Dense, Maxout
from .norm import BatchNorm, Dropout, LayerNorm
from .recurrent import LSTM, RNN

LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in (
        *(Dense, Activation, Maxout),
        *(BatchNorm, LayerNorm, Dropout),
        *(Flatten, Residual),
        *(Conv2D, MaxPool2D),
        *(RNN, LSTM),
    )
}

__all__ = ["LAYERS", "Layer", *LAYERS]
