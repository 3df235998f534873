"""Figures of the book: each function takes arrays or histories, draws in one style, and returns the axes.

One file for each subject; `common` holds the colours and the style.
"""

from .classes import calibration, confusion, decision_regions, half_planes, roc
from .common import (
    BLUE,
    COLOURS,
    DASH_DOT,
    DASHES,
    DOTS,
    GREEN,
    GREY,
    INK,
    LONG_DASH,
    MARKERS,
    OPTIMIZERS,
    ORANGE,
    PALE_BLUE,
    PALE_RED,
    PURPLE,
    SKY,
    VERMILLION,
    style,
)
from .functions import curve_with_tangent, path, surface, trail
from .maps import region_map
from .networks import magnitude, network
from .pictures import pictures
from .predictions import predicted_vs_actual
from .tables import bars_with_errors, heatmap, squares
from .training import history, signal_by_layer

__all__ = [
    "BLUE",
    "COLOURS",
    "DASHES",
    "DASH_DOT",
    "DOTS",
    "GREEN",
    "GREY",
    "INK",
    "LONG_DASH",
    "MARKERS",
    "OPTIMIZERS",
    "ORANGE",
    "PALE_BLUE",
    "PALE_RED",
    "PURPLE",
    "SKY",
    "VERMILLION",
    "bars_with_errors",
    "calibration",
    "confusion",
    "curve_with_tangent",
    "decision_regions",
    "half_planes",
    "heatmap",
    "history",
    "magnitude",
    "network",
    "path",
    "pictures",
    "predicted_vs_actual",
    "region_map",
    "roc",
    "signal_by_layer",
    "squares",
    "style",
    "surface",
    "trail",
]
