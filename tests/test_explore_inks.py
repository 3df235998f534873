"""The colours of a figure on the ground of each theme: they stand out, and stay apart for the colour-blind."""

import io
import itertools

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from nnlib.course import plots
from nnlib.course.explore.drawing import render_figure
from nnlib.course.explore.inks import GROUNDS, inked, inked_pixels

pytestmark = pytest.mark.usefixtures("figures")

THEMES = ("light", "dark")
NAMES = ("BLUE", "VERMILLION", "GREEN", "ORANGE", "PURPLE", "SKY", "INK", "GREY")
COLOURS = {name: to_rgb(getattr(plots.common, name)) for name in NAMES}


def linear(colour):
    colour = np.asarray(colour, dtype=float)
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2, contrast ratio, from its text."""
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


# Machado, Oliveira & Fernandes (2009), severity 1: linear RGB as people without one kind of cone see it
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def cielab(colour):
    """CIE 1976 L*a*b* of linear RGB, with the white point of sRGB."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    xyz = to_xyz @ np.clip(colour, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colours):
    """Return how far apart the two most similar of some colours are, whoever looks at them."""
    return min(
        np.linalg.norm(cielab(np.array(kind) @ linear(one)) - cielab(np.array(kind) @ linear(other)))
        for kind in BLINDNESS.values()
        for one, other in itertools.combinations(colours, 2)
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", NAMES)
def test_lines_and_letters_in_the_colours_of_the_book_stand_out(theme, name):
    assert contrast(inked(COLOURS[name], theme), GROUNDS[theme]) >= 3
    assert contrast(inked(COLOURS[name], theme, is_text=True), GROUNDS[theme]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_of_the_book_are_told_apart_as_well_as_those_of_okabe_and_ito(theme):
    hues = NAMES[:6]
    assert closest([inked(COLOURS[name], theme) for name in hues]) >= closest([COLOURS[name] for name in hues]) - 0.5


@pytest.mark.parametrize("theme", THEMES)
def test_any_colour_that_stands_out_from_white_stands_out_from_the_ground(theme):
    for colour in itertools.product(np.linspace(0, 1, 9), repeat=3):
        if contrast(colour, (1, 1, 1)) >= 2:
            assert contrast(inked(colour, theme), GROUNDS[theme]) >= 3, colour


def test_white_becomes_the_ground_black_nearly_white_and_a_grid_stays_faint():
    assert inked((1.0, 1.0, 1.0), "dark") == GROUNDS["dark"]
    assert contrast(inked((0.0, 0.0, 0.0), "dark"), GROUNDS["dark"]) > 14
    assert 1.1 < contrast(inked(to_rgb("#E3E3E3"), "dark"), GROUNDS["dark"]) < 1.6


def test_greys_keep_their_order():
    shades = [contrast(inked((grey, grey, grey), "dark"), GROUNDS["dark"]) for grey in np.linspace(1, 0, 41)]
    assert all(before <= after + 0.02 for before, after in itertools.pairwise(shades))


def drawn(figure):
    """Return the pixels of a figure in each theme, as the page shows them."""
    drawing = render_figure(figure, THEMES, "webp")
    return {theme: np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255 for theme, data in drawing.data}


def test_sampled_pixels_of_lines_stand_out_in_both_themes():
    figure = plt.figure(figsize=(4, 3), layout="tight")
    figure.set_layout_engine("none")  # the axes fill the figure
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, len(NAMES)))
    axes.axis("off")
    for height, name in enumerate(NAMES):
        axes.plot([0.2, 0.8], [height + 0.5] * 2, "-", color=COLOURS[name], linewidth=2)
    for theme, pixels in drawn(figure).items():
        assert np.allclose(pixels[0, 0], GROUNDS[theme], atol=1 / 255)
        for height in range(len(NAMES)):
            row = round((len(NAMES) - height - 0.5) * pixels.shape[0] / len(NAMES))
            line = pixels[row - 3 : row + 4, pixels.shape[1] // 2]
            assert max(contrast(pixel, GROUNDS[theme]) for pixel in line) >= 3, (theme, NAMES[height])


@pytest.mark.parametrize("name", NAMES)
def test_sampled_pixels_of_letters_stand_out_in_both_themes(name):
    figure = plt.figure(figsize=(2, 1))
    figure.text(0.1, 0.3, "mill", fontsize=30, color=COLOURS[name])
    for theme, pixels in drawn(figure).items():
        found = {tuple(pixel) for pixel in pixels.reshape(-1, 3)}
        assert max(contrast(pixel, GROUNDS[theme]) for pixel in found) >= 4.5


def test_every_way_of_drawing_uses_the_inks():
    """Lines, markers, areas, collections, meshes, hatches and pictures each take another way through Matplotlib."""
    figure, axes = plt.subplots(2, 4, figsize=(6, 3), facecolor="white")
    axes = axes.ravel()
    axes[0].plot([0, 1], [0, 1], "o-", color="black", markeredgecolor="white")
    axes[1].fill_between([0, 1], [1, 2], color="white", hatch="//", edgecolor="black")
    axes[2].scatter([0, 1], [0, 1], c=["white", "black"])
    axes[3].pcolormesh(np.eye(3), cmap="Greys")
    axes[4].imshow(np.eye(3), cmap="Greys")
    axes[5].contourf(np.arange(9.0).reshape(3, 3), cmap="Greys")
    axes[6].bar([0, 1], [1, 2], color="white", edgecolor="black")
    axes[7].text(0.5, 0.5, r"$\frac{1}{2}$", fontsize=20, bbox={"facecolor": "white"})
    for axis in axes:
        axis.set_facecolor("white")
    pixels = drawn(figure)["dark"]
    # were anything drawn with its own white or black, one of the corners of the scale would be met
    assert pixels.max() < 0.97
    assert pixels.min() >= GROUNDS["dark"][0] - 0.02


def test_a_field_over_white_is_turned_and_others_stay():
    ramp = np.zeros((1, 3, 4), dtype=np.uint8)
    ramp[0] = [[255, 255, 255, 255], [140, 192, 223, 255], [0, 60, 120, 255]]
    turned = inked_pixels(ramp, "dark")[0, :, :3] / 255
    assert np.allclose(turned[0], GROUNDS["dark"], atol=0.01)
    lightness = [float(linear(pixel) @ [0.2126, 0.7152, 0.0722]) for pixel in turned]
    assert lightness == sorted(lightness)
    assert turned[1, 2] > turned[1, 0]  # still blue
    assert (inked_pixels(ramp, "light") == ramp).all()
    viridis = (255 * plt.get_cmap("viridis")(np.linspace(0, 1, 9))[None]).astype(np.uint8)
    assert (inked_pixels(viridis, "dark") == viridis).all()


@pytest.mark.parametrize("cell", ["#440154", "#FDE725"])
def test_letters_on_a_cell_that_keeps_its_colour_can_be_read(cell):
    """A heat map writes white on purple and black on yellow, in every theme."""
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.axis("off")
    values = [[0.0, 1.0]] if cell == "#440154" else [[1.0, 0.0]]
    axes.imshow(values, cmap="viridis", aspect="auto")
    axes.text(0, 0, "HHH", ha="center", va="center", fontsize=24, color="white" if cell == "#440154" else "black")
    for theme, pixels in drawn(figure).items():
        row = pixels[pixels.shape[0] // 2 - 5 : pixels.shape[0] // 2 + 5, : pixels.shape[1] // 2].reshape(-1, 3)
        assert max(contrast(pixel, to_rgb(cell)) for pixel in row if not np.allclose(pixel, GROUNDS[theme])) >= 4.5


def test_a_photograph_keeps_its_colours():
    photograph = np.ones((4, 4, 3))
    photograph[:2] = (0.2, 0.5, 0.2)
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.axis("off")
    image = axes.imshow(photograph, interpolation="nearest")
    for pixels in drawn(figure).values():
        middle = pixels[pixels.shape[0] // 2 - 40 : pixels.shape[0] // 2 + 40, pixels.shape[1] // 2]
        assert np.allclose(middle[0], (0.2, 0.5, 0.2), atol=0.05)
        assert np.allclose(middle[-1], 1, atol=0.02)
    assert image.get_url() is None
