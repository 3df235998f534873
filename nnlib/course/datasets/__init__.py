"""The tables, pictures and point clouds that the chapters train on, each with its source checked or its seed stated.

One file for each table or generator; `download` finds, fetches and verifies what others publish (`registry.json`).
"""

from .admissions import Admissions, admissions
from .clouds import ring, separable, two_moons
from .covid import load_covid
from .digits import digit_writers, load_digits
from .download import DataError
from .epidemic import final_size, growth_rate, reproduction_number, seir
from .insurance import load_insurance
from .medmnist import PathMNIST, load_pathmnist
from .mess import make_errors, make_missing
from .outbreak import Outbreak, outbreak, rollout, standard_units
from .people import people
from .sequences import first_sign, load_alice
from .tissue import Tissue, raters, tissue
from .twin import insurance_twin

__all__ = [
    "Admissions",
    "DataError",
    "Outbreak",
    "PathMNIST",
    "Tissue",
    "admissions",
    "digit_writers",
    "final_size",
    "first_sign",
    "growth_rate",
    "insurance_twin",
    "load_alice",
    "load_covid",
    "load_digits",
    "load_insurance",
    "load_pathmnist",
    "make_errors",
    "make_missing",
    "outbreak",
    "people",
    "raters",
    "reproduction_number",
    "ring",
    "rollout",
    "seir",
    "separable",
    "standard_units",
    "tissue",
    "two_moons",
]
