"""The tables and point clouds that the chapters train on, each with its source checked or its seed stated.

One file for each table or generator; `download` finds, fetches and verifies what others publish (`registry.json`).
"""

from .clouds import separable, two_moons
from .covid import load_covid
from .digits import digit_writers, load_digits
from .download import DataError
from .insurance import load_insurance
from .people import people
from .twin import insurance_twin

__all__ = [
    "DataError",
    "digit_writers",
    "insurance_twin",
    "load_covid",
    "load_digits",
    "load_insurance",
    "people",
    "separable",
    "two_moons",
]
