"""A figure on paper of another colour: the same inks on a dark page, and inks strong enough on a light one.

A chapter chooses its colours against white. Those of the book have a partner for each ground. Any other is split into
how much ink there is and which, ``colour = (1 − s)·white + s·ink``, and put together again on the ground of the page: a
pale blue field becomes a dark blue one, black becomes nearly white, a grid stays faint. What stood out from white
stands out from the ground: lines 3 : 1, letters 4.5 : 1 at least, as the accessibility guidelines ask. Pictures whose
lightest colour is white, such as a field from blue over white to red, have their lightness turned round; photographs
and maps without white stay.
"""

import contextlib
import functools

import numpy as np
import pandas as pd
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends._backend_agg import RendererAgg as _RendererAgg
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from ..plots import common as plots

RGB = tuple[float, float, float]

GROUNDS = {"light": to_rgb("#ffffff"), "dark": to_rgb("#121212")}  # the pages' own, see assets/course.css
# The colours of the book's figures on each ground, as near to Okabe and Ito's as a search could keep them: lines 3 : 1
# at least, and no two closer than those are, for every kind of colour blindness (tests/test_explore_inks.py).
DESIGNED = {
    plots.BLUE: ("#005aa4", "#0372b3"),
    plots.VERMILLION: ("#c3602b", "#d35f0a"),
    plots.GREEN: ("#00845b", "#0b9f73"),
    plots.ORANGE: ("#c78300", "#e69d00"),
    plots.PURPLE: ("#c07ca3", "#cb7aa6"),
    plots.SKY: ("#259bd7", "#56b9f0"),
    plots.GREY: (plots.GREY, "#9aa0a6"),
}
WHITE, PALE = (1.0, 1.0, 1.0), (0.90, 0.92, 0.94)
STRONG_LINE, STRONG_TEXT = 3.1, 4.6  # a little above the guidelines: the palette of the file rounds colours
PHOTOGRAPH = "photograph"
KNOWN = 10_000  # texts a renderer remembers


def luminance(colour) -> float | np.ndarray:
    """Return the relative luminance of sRGB colours (..., 3), as WCAG defines it."""
    colour = np.asarray(colour, dtype=float)
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(one, other) -> float | np.ndarray:
    """Return the contrast of two colours, from 1 (the same lightness) to 21 (black on white)."""
    one, other = luminance(one) + 0.05, luminance(other) + 0.05
    return np.maximum(one, other) / np.minimum(one, other)


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    return tuple((1 - share) * a + share * b for a, b in zip(one, other, strict=True))


def _strengthened(colour: RGB, ground: RGB, towards: RGB, wanted: float) -> RGB:
    """Move a colour towards black or white, no further than the contrast that is wanted asks for."""
    if contrast(colour, ground) >= wanted:
        return colour
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if contrast(_mix(colour, towards, middle), ground) >= wanted else (middle, high)
    return _mix(colour, towards, high)


@functools.lru_cache(maxsize=4096)
def inked(colour: RGB, theme: str, is_text: bool = False) -> RGB:
    """Return the colour that stands on the ground of a theme as the given one does on white."""
    ground, against_white = GROUNDS[theme], float(contrast(colour, WHITE))
    # a pale tint need not stand out, a line must; in between the demand grows, so that no two neighbours jump apart
    wanted = float(np.interp(against_white, [1, 1.5, 2], [1, 1.5, STRONG_LINE]))
    if is_text and against_white > 1.5:
        wanted = STRONG_TEXT
    designed = DESIGNED.get(to_hex(colour).upper())
    if designed:
        colour = to_rgb(designed[list(GROUNDS).index(theme)])
        return _strengthened(colour, ground, WHITE if theme == "dark" else (0.0, 0.0, 0.0), wanted)
    if theme == "light":
        return _strengthened(colour, ground, (0.0, 0.0, 0.0), wanted)
    share = 1 - min(colour)
    if share == 0:
        return ground
    ink = tuple((part - (1 - share)) / share for part in colour)
    # an ink as dark as black would be lost: the darker it is, the more it turns to white
    ink = _mix(ink, PALE, 1 - max(ink))
    # a tint is carried by how little of the dark paper shows through, a field by how much of it does
    share = 1 - (1 - share) ** (1 + 1.5 * share)
    return _strengthened(_mix(ground, ink, share), ground, WHITE, wanted)


_TO_LMS = np.array([
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
])  # fmt: skip
_TO_OKLAB = np.array([
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
])  # fmt: skip


_TO_CODE = np.array([65536, 256, 1])


def _to_oklab(rgb: np.ndarray) -> np.ndarray:
    """Björn Ottosson's OKLab (2020): lightness and two axes of hue in which equal steps look equal."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_LMS.T) @ _TO_OKLAB.T


def _from_oklab(lab: np.ndarray) -> np.ndarray:
    linear = np.clip((lab @ np.linalg.inv(_TO_OKLAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def inked_pixels(pixels: np.ndarray, theme: str) -> np.ndarray:
    """Return the RGBA pixels of a picture for a theme; only those made on white paper change, and only in the dark."""
    drawn = pixels[..., 3] > 0
    if theme == "light" or not drawn.any():
        return pixels
    back, codes = pd.factorize(pixels[drawn, :3] @ _TO_CODE)  # one number for each colour
    lab = _to_oklab((codes[:, None] // _TO_CODE) % 256 / 255)
    lightest = lab[lab[:, 0].argmax()]
    if lightest[0] < 0.88 or np.hypot(*lightest[1:]) > 0.06:
        return pixels
    ground, pale = _to_oklab(np.array([GROUNDS[theme], PALE]))[:, 0]
    lab[:, 0] = ground + (1 - lab[:, 0]) * (pale - ground)
    changed = pixels.copy()
    changed[drawn, :3] = np.rint(255 * _from_oklab(lab)).astype(np.uint8)[back]
    return changed


def _images(all_axes):
    """Yield the pictures in some axes and their insets (asking a figure for all that it holds makes all its ticks)."""
    for axes in all_axes:
        yield from axes.images
        yield from _images(axes.child_axes)


@contextlib.contextmanager
def mark_photographs(figure):
    """Mark the pictures that bring colours of their own, so that no theme changes them."""
    photographs = [image for image in _images(figure.axes) if np.ndim(image.get_array()) == 3]
    addresses = [image.get_url() for image in photographs]
    for image in photographs:
        image.set_url(PHOTOGRAPH)
    try:
        yield
    finally:
        for image, address in zip(photographs, addresses, strict=True):
            image.set_url(address)


class Papers:
    """The paper of each theme: what Matplotlib draws once is drawn on all, every colour through `inked`."""

    def __init__(self, width, height, dpi, themes):
        self.by_theme = {theme: _RendererAgg(int(width), int(height), dpi) for theme in themes}
        self.letters = None  # a list while a text is typeset: what is to be drawn, and where

    def clear(self):
        for paper in self.by_theme.values():
            paper.clear()

    def draw_path(self, gc, path, transform, face=None):
        if self.letters is not None:  # the bar of a fraction
            self.letters.append((gc, path, transform))
            return
        for theme, paper in self.by_theme.items():
            paper.draw_path(_pen(gc, theme), path, transform, _colour(face, theme))

    def draw_text_image(self, image, x, y, angle, gc):
        self.letters.append((image, x, y, angle))

    def write(self, letters, pens):
        """Put the letters and bars of a text on each paper with its pen."""
        for theme, paper in self.by_theme.items():
            for letter in letters:
                if len(letter) == 3:
                    paper.draw_path(*letter, pens[theme].get_rgb())
                else:
                    paper.draw_text_image(*letter, pens[theme])

    def draw_markers(self, gc, marker_path, marker_trans, path, trans, face=None):
        for theme, paper in self.by_theme.items():
            paper.draw_markers(_pen(gc, theme), marker_path, marker_trans, path, trans, _colour(face, theme))

    def draw_path_collection(
        self, gc, master, paths, transforms, offsets, offset_trans, facecolors, edgecolors, *rest, hatchcolors=None
    ):
        where = (master, paths, transforms, offsets, offset_trans)
        for theme, paper in self.by_theme.items():
            colours = _colours(facecolors, theme), _colours(edgecolors, theme)
            hatches = {} if hatchcolors is None else {"hatchcolors": _colours(hatchcolors, theme)}
            paper.draw_path_collection(_pen(gc, theme), *where, *colours, *rest, **hatches)

    def draw_quad_mesh(
        self, gc, master, width, height, coordinates, offsets, offset_trans, facecolors, antialiased, edgecolors
    ):
        pixels = np.rint(255 * np.asarray(facecolors)).astype(np.uint8).reshape(1, -1, 4)
        mesh = (master, width, height, coordinates, offsets, offset_trans)
        for theme, paper in self.by_theme.items():
            faces = inked_pixels(pixels, theme).reshape(-1, 4) / 255
            paper.draw_quad_mesh(_pen(gc, theme), *mesh, faces, antialiased, _colours(edgecolors, theme))

    def draw_image(self, gc, x, y, image):
        for theme, paper in self.by_theme.items():
            pixels = image if gc.get_url() == PHOTOGRAPH else inked_pixels(np.asarray(image), theme)
            paper.draw_image(gc, x, y, pixels)


class InkedRenderer(RendererAgg):
    """Draws once, on the papers of several themes."""

    def __init__(self, width, height, dpi, themes):
        super().__init__(width, height, dpi)
        self._renderer = Papers(width, height, dpi, themes)
        self._known = {}  # sizes and letters of the texts that it has drawn
        # Matplotlib hands these straight to its C++ renderer
        for name in ("draw_image", "draw_markers", "draw_path_collection", "draw_quad_mesh"):
            setattr(self, name, getattr(self._renderer, name))
        del self.draw_gouraud_triangles  # has no inks: refused, as by any renderer without it

    def picture(self, theme: str) -> Image.Image:
        """Return the RGB picture of a theme, on its ground."""
        paper = Image.fromarray(np.asarray(self._renderer.by_theme[theme]))
        if paper.getchannel("A").getextrema()[0] == 255:
            return paper.convert("RGB")
        ground = Image.new("RGBA", paper.size, to_hex(GROUNDS[theme]))
        return Image.alpha_composite(ground, paper).convert("RGB")

    def clear(self):
        super().clear()
        if len(self._known) > KNOWN:
            self._known.clear()

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        papers = self._renderer
        box = None if angle else self._box(x, y, s, prop, ismath)
        pens = {}
        for theme, paper in papers.by_theme.items():
            pen = pens[theme] = _pen(gc, theme, is_text=True)
            below = None if angle else _most(np.asarray(paper)[box])
            own = gc.get_rgb()
            # on a cell that kept its colour, letters chosen for that colour are the ones that can be read
            if below is not None and contrast(own[:3], below) > contrast(pen.get_rgb()[:3], below):
                pen.set_foreground((*own[:3], pen.get_rgb()[3]), isRGBA=True)
        typeset = functools.partial(super().draw_text, gc, x, y, s, prop, angle, ismath, mtext)
        features = (mtext.get_fontfeatures(), mtext.get_language()) if mtext is not None else None
        how = (x, y, s, hash(prop), angle, ismath, features, gc.get_antialiased(), gc.get_snap())
        papers.write(self._kept(how, lambda: self._letters(typeset)), pens)

    def get_text_width_height_descent(self, s, prop, ismath):
        measure = functools.partial(super().get_text_width_height_descent, s, prop, ismath)
        return self._kept((s, hash(prop), ismath), measure)

    def _kept(self, key, make):
        """Return what is made once: most labels stand where they stood in the state before."""
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    def _letters(self, typeset):
        """Return what a text consists of, without drawing it."""
        papers = self._renderer
        papers.letters = []
        try:
            typeset()
            return tuple(papers.letters)
        finally:
            papers.letters = None

    def _box(self, x, y, s, prop, ismath):
        """Return the rows and columns of the paper that a level text at (x, y) takes."""
        width, height, _ = self.get_text_width_height_descent(s, prop, ismath)
        rows = slice(max(0, round(y - height)), max(0, round(y)))
        return rows, slice(max(0, round(x)), max(0, round(x + width)))


def _pen(gc, theme, is_text=False):
    """Return a graphics context as the given one, in the inks of a theme."""
    pen = GraphicsContextBase()
    pen.copy_properties(gc)
    colour = gc.get_rgb()
    if len(colour) == 3:
        colour = (*colour, gc.get_alpha())
    pen.set_foreground(_colour(colour, theme, is_text), isRGBA=True)
    if pen.get_hatch() is not None and pen.get_hatch_color() is not None:
        pen.set_hatch_color(_colour(pen.get_hatch_color(), theme))
    return pen


def _most(pixels):
    """Return the median colour of a piece of paper, or None where nothing has been drawn, or it lies outside."""
    if pixels.size and (pixels == pixels[0, 0]).all():
        pixels = pixels[:1, :1]  # the median of one colour, in a fraction of the time
    covered = pixels[pixels[..., 3] == 255][:, :3]
    return np.median(covered, axis=0) / 255 if len(covered) else None


def _colour(colour, theme, is_text=False):
    if colour is None:
        return None
    rgb = inked(tuple(round(float(part), 3) for part in colour[:3]), theme, is_text)
    return (*rgb, *map(float, colour[3:]))


def _colours(colours, theme):
    return np.array([_colour(colour, theme) for colour in colours]) if len(colours) else colours


@functools.lru_cache(maxsize=2)
def _renderer(width, height, dpi, themes):
    """Return the one renderer of all figures of a size: it keeps the texts that it has measured and typeset."""
    return InkedRenderer(width, height, dpi, themes)


class InkedCanvas(FigureCanvasAgg):
    """A canvas with a paper for each theme."""

    def __init__(self, figure, themes):
        super().__init__(figure)
        self.themes = tuple(themes)

    def get_renderer(self):
        self.renderer = _renderer(*self.get_width_height(physical=True), self.figure.dpi, self.themes)
        return self.renderer
