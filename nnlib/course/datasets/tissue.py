"""Pictures of stained tissue, healthy or with a lesion, made so that every answer about them can be judged."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checks import counter, number, one_of, positive_integer
from .stain import MACENKO, RUIFROK, blur, ellipses, smooth, transmit

if TYPE_CHECKING:
    import pandas as pd

# --- what grows: lengths in pixels (of about 2 µm), amounts of dye in units of optical density -----------------------

CELLS = 0.020  # nuclei for each pixel of healthy tissue: 16 in a picture of 28 × 28
CELLS_SPREAD = 0.25  # standard deviation of the logarithm, from picture to picture
RADIUS, RADIUS_SPREAD = 1.35, 0.12  # of a nucleus: the geometric mean of its half axes, and its logarithm's deviation
LONGER = 1.4  # long half axis by short half axis, on average
DARK, DARK_SPREAD = 0.95, 0.15  # haematoxylin in a nucleus
IRREGULAR = 0.04  # the wobble of its outline
CYTOPLASM = 0.3  # eosin
EOSIN = 0.36  # in the ground between the cells
HAZE = 0.05  # haematoxylin in the ground

# What a lesion of contrast 1 adds to its nuclei, as shares; a contrast c adds c times as much, and 0 adds nothing
DENSER, LARGER, DARKER, MORE_IRREGULAR, HAZIER = 2.2, 0.38, 0.35, 0.28, 2.5
# Its area in pixels, and its contrast: median, and standard deviation of the logarithm; cut to the limits
AREA, AREA_SPREAD, AREA_LIMITS = 80.0, 0.45, (24, 200)
CONTRAST, CONTRAST_SPREAD, CONTRAST_LIMITS = 0.85, 0.40, (0.1, 1.6)

# What is no lesion and looks a little like one: the probability that a picture has it
SCATTERED = 0.6  # of each nucleus of the lesion that a healthy picture does not have: it lies anywhere in the picture
CROWD = 0.35  # a crowd of inflammatory cells: dense, but small and round
FOLD = 0.20  # a fold: a dark stripe, as the tissue lies there twice
DEBRIS = 0.30  # one to three dark crumbs

STAIN_SPREAD = 0.16  # standard deviation of the logarithm of how much of a dye a picture took
SLOPE = 1.0  # of a doctor's chance to see a lesion, in normal scores, over its visibility in standard units

CLINICS = {
    "A": {"stain": MACENKO, "strength": (1.0, 1.0), "light": 0.97, "blur": 0.55, "noise": 0.025, "grain": 0.0},
    "B": {"stain": RUIFROK, "strength": (0.75, 0.85), "light": 1.05, "blur": 0.9, "noise": 0.04, "grain": 0.7},
}
TOGETHER = 500  # pictures that are drawn at once: their arrays stay in the cache


class _Chance:
    """Random numbers of a seed, from a stream of its own for each quantity, so that no picture moves another's."""

    def __init__(self, seed):
        self.seeds, self.streams, self.turn = np.random.SeedSequence(seed), [], 0

    def begin(self, rows):
        self.rows, self.turn = rows, 0

    def _next(self):
        if self.turn == len(self.streams):
            self.streams.append(np.random.default_rng(self.seeds.spawn(1)[0]))
        self.turn += 1
        return self.streams[self.turn - 1]

    def normal(self, *shape):
        return self._next().standard_normal((self.rows, *shape))

    def uniform(self, *shape, low=0.0, high=1.0):
        return low + (high - low) * self._next().random((self.rows, *shape))


def draw(n, seed, prevalence, clinic, size, contrast=1.0, decoys=1.0):
    chance = _Chance(seed)
    parts = []
    for first in range(0, n, TOGETHER):
        chance.begin(min(TOGETHER, n - first))
        parts.append(_some(chance, prevalence, clinic, size, contrast, decoys))
    return [np.concatenate(p) if not isinstance(p[0], dict) else {k: np.concatenate([q[k] for q in p]) for k in p[0]} for p in zip(*parts)]


def _some(chance, prevalence, clinic, size, weight, decoys):
    normal, uniform, n = chance.normal, chance.uniform, chance.rows
    rows = np.arange(size, dtype=float)

    # the lesion: of healthy pictures, too, the one that they do not have
    lesion = uniform() < prevalence
    for_area, for_contrast = normal(), normal()
    area = np.clip(np.rint(AREA * np.exp(AREA_SPREAD * for_area)), *AREA_LIMITS).astype(int)
    contrast = np.clip(CONTRAST * np.exp(CONTRAST_SPREAD * for_contrast), *CONTRAST_LIMITS) * weight
    visibility = (CONTRAST_SPREAD * for_contrast + AREA_SPREAD / 2 * for_area) / np.hypot(CONTRAST_SPREAD, AREA_SPREAD / 2)
    outline = _Outline(area, uniform(2, high=2 * np.pi), uniform(2) * (0.22, 0.14))
    margin = np.minimum(1.15 * outline.radius, size / 2 - 1)[:, None]
    centre = margin - 0.5 + uniform(2) * (size - 2 * margin)
    off = rows[:, None] - centre[:, 0, None, None], rows - centre[:, 1, None, None]
    distance = outline.distance(*off).reshape(n, -1)
    last = np.take_along_axis(np.sort(distance, 1), area[:, None] - 1, 1)
    masks = (distance <= last).reshape(n, size, size) & lesion[:, None, None]
    inside = blur(masks.astype(float), 0.8) * contrast[:, None, None]

    # nuclei: those of the tissue, of the lesion (or scattered), of a crowd
    along = uniform(high=np.pi)  # the direction of the tissue
    most = int(2.1 * CELLS * size**2) + 2
    count = np.clip(np.rint(CELLS * size**2 * np.exp(CELLS_SPREAD * normal())), 1, most)
    spacing = np.sqrt(1 / CELLS)
    place = (uniform(1, 2) + np.arange(most)[:, None] * (0.7548776662, 0.5698402910)) % 1 * size - 0.5
    place = place + 0.3 * spacing * np.exp(0.5 * normal())[:, None, None] * normal(most, 2)
    here = np.arange(most) < count[:, None]
    in_lesion = outline.distance(place[..., 0] - centre[:, :1], place[..., 1] - centre[:, 1:]) <= last
    here &= ~(in_lesion & lesion[:, None])
    tissue_nuclei = _nuclei(chance, most, along, 0 * contrast)

    most = int(AREA_LIMITS[1] * CELLS * (1 + DENSER * CONTRAST_LIMITS[1])) + 1
    density = CELLS * (1 + DENSER * contrast)
    count = np.rint(area * density + uniform() - 0.5)
    together = centre[:, None] + outline.points(most, count, uniform(high=2 * np.pi)) + 0.45 * normal(most, 2)
    scattered = uniform(most, 2) * size - 0.5
    of_lesion = np.arange(most) < count[:, None]
    of_lesion &= lesion[:, None] | (uniform(most) < SCATTERED * decoys)
    at = np.where(lesion[:, None, None], together, scattered)
    odd = _nuclei(chance, most, uniform(high=np.pi), contrast, spread=1.6)

    few = 14
    crowd = uniform() < CROWD * decoys
    crowd_outline = _Outline(uniform(low=35, high=90), uniform(2, high=2 * np.pi), uniform(2) * (0.22, 0.14))
    middle = uniform(2, low=3, high=size - 4)
    count = np.rint(crowd_outline.area * 0.085)
    crowded = middle[:, None] + crowd_outline.points(few, count, uniform(high=2 * np.pi)) + 0.4 * normal(few, 2)
    of_crowd = crowd[:, None] & (np.arange(few) < count[:, None])
    small = _nuclei(chance, few, along, 0 * contrast, radius=0.85, longer=1.1, dark=1.3)

    blue = ellipses(size, here, place[..., 0], place[..., 1], *tissue_nuclei)
    blue = np.maximum(blue, ellipses(size, of_lesion, at[..., 0], at[..., 1], *odd))
    blue = np.maximum(blue, ellipses(size, of_crowd, crowded[..., 0], crowded[..., 1], *small))
    pink = CYTOPLASM * blur(blue, 1.6)

    debris = uniform() < DEBRIS * decoys
    crumbs = debris[:, None] & (np.arange(3) < 1 + np.floor(3 * uniform())[:, None])
    at = uniform(3, 2) * size - 0.5
    a = 1.5 * np.exp(0.3 * normal(3))
    crumb = ellipses(size, crumbs, at[..., 0], at[..., 1], a, 0.6 * a, uniform(3, high=np.pi), np.full((n, 3), 0.3), uniform(3, high=6.3), uniform(3, low=0.9, high=1.7))

    # the ground: fibres and patches
    patches = smooth(normal(size, size), 2.5)
    cos, sin = np.cos(along)[:, None, None], np.sin(along)[:, None, None]
    across = rows[:, None] * cos - rows * sin
    fibres = np.cos(2 * np.pi * across / uniform(1, 1, low=4, high=8) + 1.5 * smooth(normal(size, size), 4.0) + uniform(1, 1, high=6.3))
    gaps = np.clip(smooth(normal(size, size), 2.0) - uniform(1, 1, low=1.6, high=3.2), 0, 1)
    ground = EOSIN * (1 + 0.18 * patches + 0.16 * fibres) * (1 - 0.3 * inside)
    clumps = smooth(normal(size, size), 0.7)
    blue = np.maximum(blue, crumb) * (1 + (0.10 + 0.12 * inside) * clumps)
    blue += HAZE * (1 + 0.5 * patches + HAZIER * inside * (1 + 0.5 * clumps))
    pink = np.maximum(ground + pink, 0) * (1 - 0.85 * gaps)
    fold = uniform() < FOLD * decoys
    line = rows[:, None] * (c := np.cos(t := uniform(1, 1, high=np.pi))) + rows * (s := np.sin(t))
    through = (size / 2) * (c + s) + size * uniform(1, 1, low=-0.35, high=0.35)
    double = 1 + fold[:, None, None] * 0.9 * np.clip(uniform(1, 1, low=1.0, high=2.0) + 0.5 - np.abs(line - through), 0, 1)
    strength = np.exp(STAIN_SPREAD * normal(2)) * clinic["strength"]

    # the picture
    X = transmit(blue * double * strength[:, :1, None], pink * double * strength[:, 1:, None], clinic["stain"])
    light = clinic["light"] * (1 + 0.03 * normal(1, 1, 1))
    X = blur(light * X, clinic["blur"])
    grain = normal(3, size, size)
    if clinic["grain"]:
        grain = smooth(grain, clinic["grain"])
    X = np.clip(X + clinic["noise"] * grain, 0, 1)
    return np.ascontiguousarray(X.transpose(0, 2, 3, 1)), lesion, masks, {"area": area, "contrast": contrast, "visibility": visibility, "crowd": crowd, "fold": fold, "debris": debris}


class _Outline:
    def __init__(self, area, phases, bumps):
        self.area, self.phases, self.bumps = area, phases, bumps
        self.radius = np.sqrt(area / np.pi)

    def reach(self, angle):
        shape = (-1, *[1] * (angle.ndim - 1))
        return 1 + sum(self.bumps[:, k].reshape(shape) * np.cos((k + 2) * angle - self.phases[:, k].reshape(shape)) for k in (0, 1))

    def distance(self, y, x):
        return np.hypot(y, x) / self.reach(np.arctan2(y, x * np.ones_like(y)))

    def points(self, most, count, turn):
        k = np.arange(most)
        angle = turn[:, None] + k * np.pi * (3 - np.sqrt(5))
        far = self.radius[:, None] * np.sqrt((k + 0.5) / np.maximum(count, 1)[:, None]) * self.reach(angle) * 0.92
        return np.stack([far * np.sin(angle), far * np.cos(angle)], -1)


def _nuclei(chance, most, along, contrast, radius=1.0, longer=LONGER, dark=1.0, spread=1.0):
    normal, uniform = chance.normal, chance.uniform
    c = contrast[:, None]
    r = RADIUS * radius * (1 + LARGER * c) * np.exp(RADIUS_SPREAD * (1 + (spread-1) * c) * normal(most))
    ratio = 1 + (longer - 1) * 2 * uniform(most)
    angle = along[:, None] + 0.5 * normal(most)
    amount = DARK * dark * (1 + DARKER * c) * np.exp(DARK_SPREAD * normal(most))
    wobble = IRREGULAR + MORE_IRREGULAR * c * uniform(most)
    return r * np.sqrt(ratio), r / np.sqrt(ratio), angle, wobble, uniform(most, high=2 * np.pi), amount
