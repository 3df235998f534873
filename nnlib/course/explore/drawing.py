"""A figure becomes a small file for each theme of the page, with its size there and the words that describe it."""

import base64
import html
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

CSS_PIXELS_PER_INCH = 100  # a figure of 6.4 × 4 inches takes 640 × 400 pixels of the page
# (colours, image pixels per CSS pixel). Two pixels make lines crisp on phones and high-density screens; a line chart in
# few colours looks like one in all of them, at a third of the size. Where this is too heavy, fewer pixels and colours.
QUALITIES = ((128, 2.0), (64, 2.0), (64, 1.5), (32, 1.5), (32, 1.0), (16, 1.0))
LIGHT_ENOUGH = 24_000  # bytes of the picture of a state; one that stands still may take more
STILL = 60_000
LEGIBLE = 9  # CSS pixels: where the smallest letters of a figure would get smaller, it scrolls in its box
MIME = {"png": "image/png", "webp": "image/webp", "svg": "image/svg+xml"}


def _pictures(figure, themes, sharpness: float) -> "list[Image.Image]":
    """Draw a figure at so many pixels for each that it takes on the page; return its RGB picture for each theme."""
    from .inks import InkedCanvas, mark_photographs

    own, dpi = figure.canvas, figure.dpi
    canvas = InkedCanvas(figure, themes)
    try:
        figure.dpi = CSS_PIXELS_PER_INCH * sharpness
        with mark_photographs(figure):
            canvas.draw()
    finally:
        figure.dpi = dpi
        figure.set_canvas(own)
    return [canvas.renderer.picture(theme) for theme in themes]


def _packed(figure, themes, kind: str, light_enough: int, least: int) -> tuple[list[bytes], int]:
    """Draw a figure and pack its picture for each theme with a palette, all in the first of QUALITIES[least:]."""
    drawn = None
    for number in range(least, len(QUALITIES)):
        colours, sharpness = QUALITIES[number]
        if sharpness != drawn:
            pictures, drawn = _pictures(figure, themes, sharpness), sharpness
        packed = []
        for picture in pictures:
            packed.append(_pack(picture, kind, colours))
            if len(packed[-1]) > light_enough and number < len(QUALITIES) - 1:
                break  # nobody needs the other theme in this quality
        else:
            break
    return packed, number


def _pack(picture: "Image.Image", kind: str, colours: int) -> bytes:
    """Return a picture as a file, as small as it gets with so many colours."""
    from PIL import Image

    # octree palettes compress a third better than median cuts, in half the time
    palette = picture.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # an entry is the mean of what fell to it: give that of the ground the very colour of the page again
    rgb = palette.getpalette()
    at = 3 * palette.getpixel((0, 0))
    palette.putpalette([*rgb[:at], *picture.getpixel((0, 0)), *rgb[at + 3 :]])
    packed = io.BytesIO()
    if kind == "png":
        palette.save(packed, format="PNG", optimize=True)
    else:
        palette.convert("RGB").save(packed, format="WEBP", lossless=True, quality=25, method=3)
    return packed.getvalue()


def _svg(figure, theme: str) -> bytes:
    """Render a figure as SVG on the ground of a theme, byte for byte the same on every run."""
    import matplotlib
    from matplotlib.colors import to_hex, to_rgb

    from .inks import inked

    buffer = io.BytesIO()
    settings = {"savefig.bbox": "standard", "svg.hashsalt": "nnlib", "svg.fonttype": "path"}
    with matplotlib.rc_context(settings):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue().decode()
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: to_hex(inked(to_rgb(found[0]), theme)), text).encode()


@dataclass(frozen=True)
class Drawing:
    """A figure as files, one for each theme; equal to another if it looks the same.

    Attributes
    ----------
    kind : {"png", "webp", "svg"}
        The kind of file.
    data : tuple
        (theme, bytes of its file) for each theme.
    width, height : int
        Its size on the page in CSS pixels.
    least_width : int
        The width below which its smallest letters would be hard to read.
    quality : int
        Which of QUALITIES it is packed in.
    """

    kind: str
    data: tuple[tuple[str, bytes], ...]
    width: int
    height: int
    least_width: int
    quality: int = field(default=0, compare=False)

    @property
    def size(self) -> int:
        """Bytes of the larger file: a page loads one of them."""
        return max(len(data) for _, data in self.data)

    @property
    def png(self) -> bytes | None:
        """The picture of the first theme for print and other places that show no html; None of an SVG."""
        data = self.data[0][1]
        if self.kind != "webp":
            return data if self.kind == "png" else None
        from PIL import Image

        packed = io.BytesIO()
        with Image.open(io.BytesIO(data)) as picture:
            picture.save(packed, format="PNG")
        return packed.getvalue()

    def address(self, theme: str) -> str:
        """Return the file of a theme as a data: address."""
        return f"data:{MIME[self.kind]};base64,{base64.b64encode(dict(self.data)[theme]).decode()}"

    def img(self, alt: str) -> str:
        """Return an `<img>` for each theme; the style sheet of the page shows one, and only that one is loaded."""
        # decoding="sync": otherwise the browser shows an empty box for a moment each time the slider moves
        common = f'alt="{html.escape(alt)}" width="{self.width}" height="{self.height}" decoding="sync"'
        if len(self.data) == 1:
            theme = self.data[0][0]
            return f'<img src="{self.address(theme)}" {common} style="max-width:100%;height:auto">'
        common += f' loading="lazy" style="--least-width:{self.least_width}px"'
        return "".join(f'<img class="only-{theme}" src="{self.address(theme)}" {common}>' for theme, _ in self.data)


def render_figure(
    figure, themes=("light",), kind: str = "png", light_enough: int = LIGHT_ENOUGH, least: int = 0
) -> Drawing:
    """Render a figure for these themes, in the first of QUALITIES[least:] that is light enough."""
    if figure.get_layout_engine() is None:
        # Notebooks crop and widen each figure to what is in it; with a fixed size its labels would be cut off.
        figure.set_layout_engine("constrained")
    width, height = (round(inches * CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
    if kind == "svg":
        data, quality = [_svg(figure, theme) for theme in themes], 0
    else:
        data, quality = _packed(figure, themes, kind, light_enough, least)
    return Drawing(kind, tuple(zip(themes, data, strict=True)), width, height, _least_width(figure, width), quality)


def _least_width(figure, width: int) -> int:
    """Return the width on the page at which the smallest letters of a figure are just legible."""
    from matplotlib.text import Text

    points = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    if not points:
        return 0
    return min(width, round(width * LEGIBLE / (min(points) * CSS_PIXELS_PER_INCH / 72)))


def describe(figure) -> str:
    """Say what a figure shows, from its titles, axis labels and legends; empty where it has none."""
    parts = [figure.get_suptitle()] if figure.get_suptitle() else []
    for axes in figure.axes:
        x, y = axes.get_xlabel(), axes.get_ylabel()
        against = f"{y} against {x}" if x and y else y or x
        legend = axes.get_legend()
        lines = ", ".join(text.get_text() for text in legend.get_texts()) if legend else ""
        about = ": ".join(part for part in (axes.get_title(), against) if part)
        if about or lines:
            parts.append(about + (f" ({lines})" if lines else ""))
    return " ".join("; ".join(parts).replace("$", "").split())
