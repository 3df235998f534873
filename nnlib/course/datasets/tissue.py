"""Pictures of stained tissue, healthy or with a lesion, made so that every answer about them can be judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checks import as_numbers, counter, number, one_of, positive_integer
from .stain import BETWEEN, MACENKO, blur, ellipses, smooth, transmit

if TYPE_CHECKING:
    import pandas as pd

# --- the laws. Lengths are in pixels (one is about 2 µm), amounts of dye in optical density ---------------------------

CELLS, CELLS_SPREAD = 0.020, 0.25  # nuclei for each pixel; standard deviation of the logarithm between pictures
RADIUS, RADIUS_SPREAD = 1.35, 0.12  # of a nucleus: √(half axis · half axis), and the logarithm's standard deviation
LONGER = 1.4  # its long half axis by the short one, on average: uniform from 1 to 1.8
DARK, DARK_SPREAD = 0.95, 0.15  # haematoxylin in a nucleus, and the logarithm's standard deviation
IRREGULAR = 0.04  # bumps of its outline, as a share of the radius
HAZE, EOSIN, CYTOPLASM = 0.05, 0.36, 0.30  # haematoxylin between the nuclei; eosin there, and more of it around each

# A lesion of contrast c multiplies these of its nuclei by 1 + c · ..., and adds c · MORE_IRREGULAR · uniform(0, 1)
DENSER, LARGER, DARKER, HAZIER, MORE_IRREGULAR = 3.1, 0.52, 0.48, 5.0, 0.40
PALER, CLUMPS, MORE_CLUMPS = 0.30, 0.10, 0.12  # eosin lost in it; grain of the nuclei, and what a lesion adds to that
# its area and contrast: median, standard deviation of the logarithm, and the limits to which both are cut
AREA, AREA_SPREAD, AREA_LIMITS = 80.0, 0.35, (24, 200)
CONTRAST, CONTRAST_SPREAD, CONTRAST_LIMITS = 1.0, 0.33, (0.1, 1.6)

# What is no lesion, but looks a little like one: probabilities
SCATTERED = 0.30  # for each nucleus of the lesion that a healthy picture has not: it lies somewhere by itself
CROWD = 0.20  # inflammatory cells: as dense as a lesion, but small, round and regular
FOLD = 0.20  # a dark stripe, where the tissue lies almost twice
DEBRIS = 0.20  # one to three dark crumbs

STAIN_SPREAD = 0.12  # standard deviation of the logarithm of what a picture took of each dye
LIGHT_SPREAD = 0.03  # and of the lamp
SLOPE = 1.0  # how much more a reader sees, in normal scores, of a lesion that is one standard unit more visible

# Dyes, how much of each, lamp, blur (pixels), noise (standard deviation) and the width of its grain (pixels)
CLINICS = {
    "A": {"stain": MACENKO, "strength": (1.0, 1.0), "light": 0.96, "blur": 0.55, "noise": 0.025, "grain": 0.0},
    "B": {"stain": BETWEEN, "strength": (0.95, 0.95), "light": 1.02, "blur": 0.75, "noise": 0.03, "grain": 0.6},
}
READING = 1_000_003  # tells the doctors' random numbers from those of the pictures with the same seed
AT_ONCE = 500  # pictures drawn together: few enough for the cache
SIZES = (20, 256)


@dataclass(frozen=True)
class Tissue:
    """What :func:`tissue` made: the pictures and labels that a team would get, and the truth that it would not.

    Attributes
    ----------
    X : ndarray of float, (n, size, size, 3)
        Red, green and blue, from 0 to 1.
    y : ndarray of float, (n, 1)
        The labels as they are given, some of them wrong where `label_noise` is above 0: 1 for a lesion, else 0.
    truth : ndarray of float, (n, 1)
        What is so.
    masks : ndarray of bool, (n, size, size)
        The pixels of the lesion; none in a healthy picture.
    table : pandas.DataFrame
        One row for each picture: ``lesion`` (bool), ``flipped`` (bool: y is not the truth), ``area`` of the lesion
        (pixels, exactly those of the mask), ``row`` and ``column`` of the mask's centre (0 is the first pixel's),
        ``contrast`` (0: as the tissue around it; 1: typical), ``visibility`` (standard units: 0 is the typical
        lesion, negative fainter or smaller; see :func:`tissue`), and of all pictures ``nuclei`` (how many were drawn;
        some lie over an edge or over each other), ``crowd``, ``fold``, ``debris`` (bool: what is no lesion), ``clinic``
        ("A", "B", or "own"). Where there is no lesion, its area is 0 and the other columns about it are missing.
    clinic : dict
        The clinic's parameters, see :func:`tissue`.
    """

    X: np.ndarray
    y: np.ndarray
    truth: np.ndarray
    masks: np.ndarray
    table: "pd.DataFrame"
    clinic: dict[str, object]


def tissue(
    n=1000,
    *,
    seed=0,
    prevalence=0.5,
    clinic="A",
    label_noise=0.0,
    noise_on="any",
    size=28,
    contrast=1.0,
    decoys=1.0,
):
    """Draw small pictures of stained tissue whose truth is known.

    Two dyes colour the tissue, and what they let through of a lamp's light is the picture (Beer and Lambert's law)::

        X[r, c, colour] = light · exp(−(h[r, c] · stain[0, colour] + e[r, c] · stain[1, colour])), blurred, + noise

    Haematoxylin h is blue and lies in the nuclei, ellipses of chance size, shape and direction; eosin e is pink and
    lies everywhere else, in fibres and patches. A lesion is a blob of chance place, area and contrast c in which nuclei
    lie denser, are larger, darker and less regular, and the ground is hazier; what c = 1 does is written down in
    ``DENSER``, ``LARGER``, ``DARKER``, ``MORE_IRREGULAR`` and ``HAZIER``. Area and contrast are lognormal, and a
    lesion's visibility is::

        log(contrast · √area), in standard units, before area and contrast are cut to their limits

    which is standard normal among lesions. Some lesions are so faint or small that nobody can see them. A healthy
    picture has part of the nuclei of the lesion that it has not, each somewhere by itself; and pictures of both kinds
    have crowds of small round nuclei, folds and debris, and took more or less of each dye. So neither the mean colour
    nor the number of dark pixels decides alone.

    Parameters
    ----------
    n : int
        How many pictures. The first k are the same for every n (and for every prevalence those that stay healthy, or
        ill): another number never redraws a picture.
    seed : int
        Another seed is other pictures under the same laws.
    prevalence : float
        Probability of a lesion, for each picture by itself. With 0 and with 1 the same seed gives pairs: the same
        tissue without and with the lesion.
    clinic : {"A", "B"} or dict
        Where the pictures were made; the same seed shows the same tissue and lesions everywhere. B has another stain,
        a brighter lamp, more blur and a coarser noise. A dict replaces single parameters of A: ``stain`` (2, 3):
        what a unit of haematoxylin, and of eosin, takes of red, green and blue; ``strength`` (2,): factors of both
        dyes; ``light``; ``blur``: standard deviation in pixels; ``noise``: standard deviation; ``grain``: width of the
        noise's grains in pixels, 0 for none.
    label_noise : float
        Expected share of labels that are flipped, from 0 to 0.5.
    noise_on : {"any", "faint"}
        Whose labels are flipped. "any": all with the same probability p = `label_noise`. "faint": healthy pictures
        with p, a lesion of visibility v with the probability Φ(√(1 + s²) Φ⁻¹(p) − s v), where s is ``SLOPE``; its mean
        over all lesions is p, too.
    size : int
        Height and width in pixels, from 20 to 256. More pixels show more tissue, not larger cells: a lesion is then
        harder to find.
    contrast : float
        Factor of all contrasts, from 0 (no lesion can be told from the tissue around it) to 2.
    decoys : float
        Factor of the probabilities of what is no lesion, but looks a little like one: from 0 (nothing) to 2.

    Returns
    -------
    Tissue

    Raises
    ------
    ValueError
        An argument is outside its range; it is named.

    References
    ----------
    Ruifrok and Johnston 2001 and Macenko et al. 2009, see ``stain.py``.
    """
    n, seed, size = positive_integer("n", n), counter("seed", seed), positive_integer("size", size)
    if not SIZES[0] <= size <= SIZES[1]:
        raise ValueError(f"size must be from {SIZES[0]} to {SIZES[1]} pixels; got {size}")
    prevalence, label_noise = number("prevalence", prevalence, 0, 1), number("label_noise", label_noise, 0, 0.5)
    noise_on = one_of("noise_on", noise_on, {"any": "any", "faint": "faint"})
    contrast, decoys = number("contrast", contrast, 0, 2), number("decoys", decoys, 0, 2)
    name = clinic if isinstance(clinic, str) else "own"
    clinic = _clinic(clinic)

    import pandas as pd

    chance = _Chance(seed)
    parts = []
    for first in range(0, n, AT_ONCE):
        chance.begin(min(AT_ONCE, n - first))
        world = _grow(chance, size, prevalence, contrast, decoys)
        world["X"] = _photograph(chance, world.pop("blue"), world.pop("pink"), clinic)
        world["luck"] = chance.uniform()
        parts.append(world)
    world = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    X, masks, luck, lesion = (world.pop(key) for key in ("X", "masks", "luck", "lesion"))
    chances = np.full(n, label_noise)
    if noise_on == "faint":
        chances[lesion] = _missed(label_noise, world["visibility"][lesion])
    flipped = luck < chances
    about = ("area", "row", "column", "contrast", "visibility")
    world |= {key: np.where(lesion, world[key], 0 if key == "area" else np.nan) for key in about}
    table = pd.DataFrame({"lesion": lesion, "flipped": flipped, **world, "clinic": name})
    truth = lesion.astype(float)[:, None]
    return Tissue(X, np.where(flipped[:, None], 1 - truth, truth), truth, masks, table, clinic)


def raters(tissue, sensitivity=0.8, specificity=0.9, *, readers=1, seed=0):
    """Let simulated doctors read the pictures: who finds a lesion depends on how visible it is.

    Each reads by themselves, with Φ the standard normal distribution, v the lesion's visibility and s = ``SLOPE``::

        P(says lesion | lesion of visibility v) = Φ(√(1 + s²) Φ⁻¹(sensitivity) + s v)
        P(says lesion | healthy) = 1 − specificity

    As v is standard normal among lesions, the first averages to the sensitivity. Doctors miss the same lesions more
    often than chance would have it; their false alarms are independent, whatever decoys the picture holds.

    Parameters
    ----------
    tissue : Tissue
        Its truth and visibility are what counts; pixels, clinic and labels do not.
    sensitivity : float, or array_like, shape (readers,)
        Share of the lesions that a doctor finds, on average over all pictures that could be drawn; inside 0 and 1.
    specificity : float, or array_like, shape (readers,)
        Share of the healthy pictures that a doctor calls healthy; inside 0 and 1.
    readers : int
        How many doctors.
    seed : int

    Returns
    -------
    ndarray of float, (n, readers)
        1 where the doctor says lesion, else 0.

    Raises
    ------
    ValueError
        An argument is outside its range; it is named.

    References
    ----------
    Green, D. M. & Swets, J. A. (1966). Signal Detection Theory and Psychophysics.
    """
    if not isinstance(tissue, Tissue):
        raise ValueError(f"tissue must be what tissue() returned; got {type(tissue).__name__}")
    readers, seed = positive_integer("readers", readers), counter("seed", seed)
    rates = []
    for name, given in (("sensitivity", sensitivity), ("specificity", specificity)):
        rate = as_numbers(name, given, np.float64, axes=0)
        if rate.shape not in ((), (readers,)) or rate.min() <= 0 or rate.max() >= 1:
            raise ValueError(f"{name} must be a share inside 0 and 1, or {readers}, one of each reader; got {given!r}")
        rates.append(np.broadcast_to(rate, readers))
    lesion = tissue.table["lesion"].to_numpy()
    says = np.repeat(1 - rates[1][None], len(lesion), axis=0)
    says[lesion] = 1 - _missed(1 - rates[0], tissue.table["visibility"].to_numpy()[lesion][:, None])
    # streams of their own: with those of `tissue`, who has a lesion would tell a doctor of the same seed what to say
    own = np.random.SeedSequence(seed, spawn_key=(READING,)).spawn(readers)
    luck = np.stack([np.random.default_rng(child).random(len(lesion)) for child in own], 1)
    return (luck < says).astype(float)


def _missed(share, visibility):
    """Φ(√(1 + s²) Φ⁻¹(share) − s · visibility): its mean over a standard normal visibility is `share`."""
    from scipy.special import ndtr, ndtri

    return ndtr(np.hypot(1, SLOPE) * ndtri(share) - SLOPE * visibility)


def _clinic(given):
    """Return a clinic's parameters, checked."""
    if not isinstance(given, Mapping):
        return dict(one_of("clinic", given, CLINICS))
    unknown = [name for name in given if name not in CLINICS["A"]]
    if unknown:
        raise ValueError(f"clinic must have keys of {', '.join(CLINICS['A'])}; got {unknown[0]!r}")
    clinic = CLINICS["A"] | given
    for name, shape in (("stain", (2, 3)), ("strength", (2,))):
        values = as_numbers(f"clinic's {name}", clinic[name], np.float64)
        if values.shape != shape or values.min() < 0:
            raise ValueError(f"clinic's {name} must be numbers of at least 0, shape {shape}; got {clinic[name]!r}")
        clinic[name] = tuple(map(tuple, values.tolist())) if len(shape) == 2 else tuple(values.tolist())
    for name, most in (("light", 2), ("blur", 5), ("noise", 1), ("grain", 5)):
        clinic[name] = number(f"clinic's {name}", clinic[name], 0, most)
    return clinic


class _Chance:
    """The random numbers of a seed: for each quantity a stream of its own, in which each picture has its own lines.

    So a picture stays what it is, however many others are drawn, and whatever its clinic does.
    """

    def __init__(self, seed):
        self.seeds, self.streams = np.random.SeedSequence(seed), []

    def begin(self, rows):
        self.rows, self.turn = rows, 0

    def _stream(self):
        if self.turn == len(self.streams):
            self.streams.append(np.random.default_rng(self.seeds.spawn(1)[0]))
        self.turn += 1
        return self.streams[self.turn - 1]

    def normal(self, *shape):
        return self._stream().standard_normal((self.rows, *shape))

    def uniform(self, *shape, low=0.0, high=1.0):
        return low + (high - low) * self._stream().random((self.rows, *shape))

    def lognormal(self, spread, *shape):
        return np.exp(spread * self.normal(*shape))

    def angle(self, *shape):
        return self.uniform(*shape, high=2 * np.pi)


class _Blob:
    """A star-shaped outline for each picture: in the direction φ it reaches √(area/π) (1 + Σ b_k cos(kφ − p_k))."""

    def __init__(self, chance, area):
        self.radius = np.sqrt(area / np.pi)[:, None]
        self.phases = chance.angle(2)
        self.bumps = chance.uniform(2) * (0.22, 0.14)  # of k = 2 and k = 3

    def reach(self, angle):
        bumps = (self.bumps[:, k, None] * np.cos((k + 2) * angle - self.phases[:, k, None]) for k in (0, 1))
        return self.radius * (1 + sum(bumps))

    def distance(self, row, column):
        """Return how far places (n, m) are from the middle: below 1 they are inside."""
        return np.hypot(row, column) / self.reach(np.arctan2(row, column))

    def places(self, chance, most, count, jitter):
        """Return `most` places (n, most, 2), of which the first `count` fill the blob: a sunflower's seeds, jittered.

        Seed k is √((k + ½)/count) of the way out, each turned against the one before by the golden angle (Vogel 1979).
        """
        k = np.arange(most)
        angle = chance.angle(1) + k * np.pi * (3 - np.sqrt(5))
        far = 0.92 * np.sqrt((k + 0.5) / np.maximum(count, 1)[:, None]) * self.reach(angle)
        return np.stack([far * np.sin(angle), far * np.cos(angle)], -1) + jitter * chance.normal(most, 2)


def _nuclei(chance, most, contrast=0.0, radius=1.0, longer=LONGER, dark=1.0, along=None):
    """Return half axes, angle, wobble, phase and haematoxylin of `most` nuclei in each picture, as `ellipses` wants."""
    r = radius * RADIUS * (1 + LARGER * contrast) * chance.lognormal(RADIUS_SPREAD * (1 + contrast / 2), most)
    ratio = np.sqrt(1 + 2 * (longer - 1) * chance.uniform(most))
    angle = (chance.angle(1) if along is None else along[:, None]) + 0.5 * chance.normal(most)
    wobble = IRREGULAR + MORE_IRREGULAR * contrast * chance.uniform(most)
    amount = dark * DARK * (1 + DARKER * contrast) * chance.lognormal(DARK_SPREAD, most)
    return r * ratio, r / ratio, angle, wobble, chance.angle(most), amount


def _grow(chance, size, prevalence, factor, decoys):
    """The tissue itself: amounts of both dyes, masks, and what is known of each picture; each (n, ...)."""
    normal, uniform, n = chance.normal, chance.uniform, chance.rows

    # the lesion; a healthy picture, too, has one that it does not show
    lesion = uniform() < prevalence
    for_area, for_contrast = AREA_SPREAD * normal(), CONTRAST_SPREAD * normal()
    area = np.clip(np.rint(AREA * np.exp(for_area)), *AREA_LIMITS)
    contrast = factor * np.clip(CONTRAST * np.exp(for_contrast), *CONTRAST_LIMITS)
    visibility = (for_contrast + for_area / 2) / np.hypot(CONTRAST_SPREAD, AREA_SPREAD / 2)
    blob = _Blob(chance, area)
    margin = np.minimum(blob.radius, size / 2 - 1)
    centre = margin - 0.5 + uniform(2) * (size - 2 * margin)
    rows, columns = (part.ravel().astype(float) for part in np.indices((size, size)))
    distance = blob.distance(rows - centre[:, :1], columns - centre[:, 1:])
    edge = np.take_along_axis(np.sort(distance, 1), area.astype(int)[:, None] - 1, 1)  # so many pixels lie inside
    masks = distance <= edge
    middle = masks @ np.stack([rows, columns], 1) / area[:, None]
    masks = masks.reshape(n, size, size) & lesion[:, None, None]
    inside = blur(masks.astype(float), 0.8) * contrast[:, None, None]

    # nuclei of the tissue: evenly spread places (Roberts's sequence), jittered, more in some pictures than in others
    along = uniform(high=np.pi)  # the direction of fibres and cells
    most = int(2.1 * CELLS * size**2) + 2
    count = np.clip(np.rint(CELLS * size**2 * chance.lognormal(CELLS_SPREAD)), 1, most)
    place = (uniform(1, 2) + np.arange(1, most + 1)[:, None] * (0.7548776662, 0.5698402910)) % 1 * size - 0.5
    place += 0.3 / np.sqrt(CELLS) * chance.lognormal(0.5)[:, None, None] * normal(most, 2)
    shown = np.arange(most) < count[:, None]
    covered = blob.distance(place[..., 0] - centre[:, :1], place[..., 1] - centre[:, 1:]) <= edge
    groups = [(shown & ~(covered & lesion[:, None]), place, _nuclei(chance, most, along=along))]

    # nuclei of the lesion; without it some of them, each about a centre of its own
    most = int(AREA_LIMITS[1] * CELLS * (1 + DENSER * 2 * CONTRAST_LIMITS[1])) + 2
    count = np.rint(area * CELLS * (1 + DENSER * contrast) + uniform(low=-0.5, high=0.5))
    own = margin[:, None] - 0.5 + uniform(most, 2) * (size - 2 * margin[:, None])
    place = np.where(lesion[:, None, None], centre[:, None], own) + blob.places(chance, most, count, 0.45)
    shown = (np.arange(most) < count[:, None]) & (lesion[:, None] | (uniform(most) < SCATTERED * decoys))
    groups.append((shown, place, _nuclei(chance, most, contrast[:, None])))

    # what is no lesion: a crowd of small cells, crumbs, a fold
    crowd = uniform() < CROWD * decoys
    crowded = uniform(low=35, high=90)
    count = np.rint(0.085 * crowded)
    place = uniform(1, 2, low=3, high=size - 4) + _Blob(chance, crowded).places(chance, 8, count, 0.4)
    small = _nuclei(chance, 8, radius=0.85, longer=1.1, dark=1.3, along=along)
    groups.append((crowd[:, None] & (np.arange(8) < count[:, None]), place, small))
    nuclei = sum(shown.sum(1) for shown, _, _ in groups)
    blue = np.max([ellipses(size, shown, place, *shapes) for shown, place, shapes in groups], axis=0)
    pink = CYTOPLASM * blur(blue, 1.6)

    debris = uniform() < DEBRIS * decoys
    shown = debris[:, None] & (np.arange(3) < np.ceil(3 * uniform())[:, None])
    long = 1.5 * chance.lognormal(0.3, 3)
    crumb = long, 0.6 * long, chance.angle(3), np.full((n, 3), 0.3), chance.angle(3), uniform(3, low=0.9, high=1.7)
    blue = np.maximum(blue, ellipses(size, shown, uniform(3, 2) * size - 0.5, *crumb))

    # the ground: patches, fibres, gaps in which there is nothing; and the lesion's haze
    patches, clumps = smooth(normal(size, size), 2.5), smooth(normal(size, size), 0.7)
    rows, columns = rows.reshape(size, size), columns.reshape(size, size)
    turn = along[:, None, None]
    across = rows * np.cos(turn) - columns * np.sin(turn)
    waves = 2 * np.pi * across / uniform(1, 1, low=4, high=8) + 1.5 * smooth(normal(size, size), 4.0)
    gaps = np.clip(smooth(normal(size, size), 2.0) - uniform(1, 1, low=1.6, high=3.2), 0, 1)
    blue = blue * (1 + (CLUMPS + MORE_CLUMPS * inside) * clumps)
    blue += HAZE * (1 + 0.5 * patches + HAZIER * inside * (1 + 0.5 * clumps))
    pink += EOSIN * (1 + 0.18 * patches + 0.16 * np.cos(waves + chance.angle(1, 1))) * (1 - PALER * inside)
    pink = pink.clip(0) * (1 - 0.85 * gaps)

    fold, turn = uniform() < FOLD * decoys, uniform(1, 1, high=np.pi)
    half = (size - 1) / 2
    off = (rows - half) * np.cos(turn) + (columns - half) * np.sin(turn) - size * uniform(1, 1, low=-0.35, high=0.35)
    twice = 1 + 0.9 * fold[:, None, None] * np.clip(uniform(1, 1, low=1.5, high=2.5) - np.abs(off), 0, 1)
    taken = chance.lognormal(STAIN_SPREAD, 2)[:, :, None, None] * twice[:, None]
    return {
        "blue": blue.clip(0) * taken[:, 0],
        "pink": pink * taken[:, 1],
        "masks": masks,
        "lesion": lesion,
        "area": area,
        "row": middle[:, 0],
        "column": middle[:, 1],
        "contrast": contrast,
        "visibility": visibility,
        "nuclei": nuclei,
        "crowd": crowd,
        "fold": fold,
        "debris": debris,
    }


def _photograph(chance, blue, pink, clinic):
    """What the clinic's dyes, lamp and scanner make of the tissue: (n, size, size, 3)."""
    of_blue, of_pink = clinic["strength"]
    light = clinic["light"] * (1 + LIGHT_SPREAD * chance.normal(1, 1, 1))
    X = blur(light * transmit(of_blue * blue, of_pink * pink, clinic["stain"]), clinic["blur"])
    noise = chance.normal(*X.shape[1:])
    X += clinic["noise"] * (smooth(noise, clinic["grain"]) if clinic["grain"] else noise)
    return np.ascontiguousarray(X.clip(0, 1).transpose(0, 2, 3, 1))
