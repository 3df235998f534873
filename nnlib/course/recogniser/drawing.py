"""From a pen's path to the 64 counts of the digits' table: the steps of NIST's programs, which its makers used.

    strokes --rasterize--> bitmap 128 × 128 --normalize--> bitmap 32 × 32 --count_blocks--> 8 × 8 counts, 0..16

The page's script (page.js) takes the same steps with the same whole numbers; a test holds the two equal bit by bit.

References
----------
Garris, M. D. et al. (1994). NIST Form-Based Handprint Recognition System. NISTIR 5469. Its second generation of
spatial normalization, then its shear, with the numbers of the code that NIST published. `zoom` takes the nearest pixel;
NIST's may round otherwise.
"""

import math

import numpy as np

PAPER = 128  # pixels of the paper, each way; NIST cut its digits out at this size, too
NORMAL = 32  # of the normalized bitmap
WIDTH = 20  # what a digit is stretched to, at the full height
PEN = 5  # radius of the pen, in pixels of the paper
# more pixels of ink than the first are thinned, than the second twice; fewer than the others are thickened
THICK, VERY_THICK, THIN, VERY_THIN = 412, 560, 256, 108


def rasterize(strokes, radius=PEN):
    """Pixel (r, c) is ink if the middle (c + ½, r + ½) is at most `radius` from a stroke.

    Parameters
    ----------
    strokes : sequence of sequences of (x, y)
        Points of the paper, 0 to 128 from left and from top, joined by straight lines; a single point is a dot.
    radius : float
        Half the width of the pen.

    Returns
    -------
    ndarray of bool, (128, 128)
    """
    if not 0 < radius < PAPER:
        raise ValueError(f"radius must be above 0 and below {PAPER}; got {radius!r}")
    bitmap = np.zeros((PAPER, PAPER), bool)
    for stroke in strokes:
        points = np.asarray(stroke, float)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
            raise ValueError(f"strokes must be lists of points (x, y); got one of shape {points.shape}")
        for start, end in zip(points[: max(1, len(points) - 1)], points[min(1, len(points) - 1) :], strict=True):
            _draw_line(bitmap, *start, *end, radius)
    return bitmap


def _draw_line(bitmap, ax, ay, bx, by, radius):
    """Ink the pixels at most `radius` from the line from a to b, looking only at those around it."""
    left, top = (max(0, math.floor(min(ends) - radius - 1)) for ends in ((ax, bx), (ay, by)))
    right, bottom = (max(0, math.ceil(max(ends) + radius + 1)) for ends in ((ax, bx), (ay, by)))
    part = bitmap[top:bottom, left:right]
    y, x = np.ogrid[: part.shape[0], : part.shape[1]]
    y, x = y + top + 0.5, x + left + 0.5
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1) if length else 0.0
    ex, ey = x - ax - along * dx, y - ay - along * dy
    part |= ex * ex + ey * ey <= radius * radius


def redraw(picture, height=96, width=96, down=0, right=0, slant=0.0, pen=0):
    """A picture of 8 × 8 on paper: ink where the picture, interpolated linearly, has more than half.

    Pixel (r, c) of the paper looks at row ((y − 64 − down) / height + ½) · 8 − ½ of the picture, with y = r + ½, and at
    column ((x − 64 − right + slant · (y − 64 − down)) / width + ½) · 8 − ½, with x = c + ½; outside of it is no ink.

    Parameters
    ----------
    picture : array, 64 numbers from 0 to 1
        As `load_digits` gives them, of any shape.
    height, width : float
        Of the whole picture on the paper of 128 × 128, its empty margin included.
    down, right : float
        How far its middle is from that of the paper.
    slant : float
        How far the top leans to the right, in widths of a pixel per row.
    pen : int
        Pixels by which the ink is made thicker (thinner below 0) on each side.

    Returns
    -------
    ndarray of bool, (128, 128)
    """
    p = np.asarray(picture, float).reshape(8, 8)
    middles = np.arange(PAPER) + 0.5 - PAPER / 2
    y, x = middles[:, None] - down, middles - right
    v, u = y / height, (x + slant * y) / width
    row, column = np.clip(8 * v + 3.5, 0, 7), np.clip(8 * u + 3.5, 0, 7)
    between_rows = np.maximum(0, 1 - abs(row - np.arange(8))) @ p
    left = np.minimum(column.astype(int), 6)
    a, b = np.take_along_axis(between_rows, left, 1), np.take_along_axis(between_rows, left + 1, 1)
    grey = a + (column - left) * (b - a)
    bitmap = (grey > 0.5) & (abs(v) < 0.5) & (abs(u) < 0.5)
    for _ in range(abs(pen)):
        bitmap = thicken(bitmap) if pen > 0 else thin(bitmap)
    return bitmap


def zoom(bitmap, height, width):
    """out[r, c] = bitmap[⌊(r + ½) h / height⌋, ⌊(c + ½) w / width⌋]: the nearest pixel of h × w."""
    h, w = bitmap.shape
    rows = (2 * np.arange(height) + 1) * h // (2 * height)
    columns = (2 * np.arange(width) + 1) * w // (2 * width)
    return bitmap[np.ix_(rows, columns)]


def crop(bitmap):
    """The smallest rectangle that holds all ink; nothing, (0, 0), where there is none."""
    rows, columns = np.flatnonzero(bitmap.any(1)), np.flatnonzero(bitmap.any(0))
    if not len(rows):
        return bitmap[:0, :0]
    return bitmap[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _neighbours(bitmap):
    """Return the pixels above, below, left and right of each; beyond the edges there is no ink."""
    p = np.zeros((bitmap.shape[0] + 2, bitmap.shape[1] + 2), bool)
    p[1:-1, 1:-1] = bitmap
    return p[:-2, 1:-1], p[2:, 1:-1], p[1:-1, :-2], p[1:-1, 2:]


def thin(bitmap):
    """Erosion: ink stays where the four neighbours are ink, too."""
    above, below, left, right = _neighbours(bitmap)
    return bitmap & above & below & left & right


def thicken(bitmap):
    """Dilation: ink comes where one of the four neighbours is ink."""
    above, below, left, right = _neighbours(bitmap)
    return bitmap | above | below | left | right


def straighten(bitmap):
    """Shift row r sideways by round((r − 16) · f): the left edges near top and bottom then stand below each other.

    f is the difference of the left edges in the third row from the top and from the bottom of the ink, per row.
    """
    inked = np.flatnonzero(bitmap.any(1))
    if len(inked) <= 5:
        return bitmap.copy()
    height = len(bitmap)
    top, bottom = inked[0] + 2, inked[-1] - 2
    if not bitmap[top].any() or not bitmap[bottom].any():
        return bitmap.copy()
    slope = (int(bitmap[top].argmax()) - int(bitmap[bottom].argmax())) / (bottom - top)
    out = np.zeros_like(bitmap)
    for r in range(height):
        shift = (r - height // 2) * slope
        shift = int(np.sign(shift) * np.floor(abs(shift) + 0.5))
        columns = np.flatnonzero(bitmap[r]) + shift
        out[r, columns[(columns >= 0) & (columns < bitmap.shape[1])]] = True
    return out


def normalize(bitmap):
    """Bring a drawing to the size, place, weight and slant of the table's digits, as NIST's programs did.

    1. Cut off what is empty. 2. Stretch to 20 wide and 32 high, and put it into the middle of 32 × 32.
    3. Make it thinner or thicker by a pixel or two, so that the ink comes nearer to 256 to 412 pixels. 4. Straighten.

    Parameters
    ----------
    bitmap : array of bool, (height, width)
        True where there is ink; of any size.

    Returns
    -------
    ndarray of bool, (32, 32)
        Without ink if `bitmap` has none.
    """
    bitmap = _as_bitmap(bitmap)
    cut, out = crop(bitmap), np.zeros((NORMAL, NORMAL), bool)
    if not cut.size:
        return out
    left = (NORMAL - WIDTH) // 2
    out[:, left : left + WIDTH] = zoom(cut, NORMAL, WIDTH)
    ink = out.sum()
    if ink > THICK:
        out = thin(thin(out)) if ink > VERY_THICK else thin(out)
    elif ink < THIN:
        out = thicken(thicken(out)) if ink < VERY_THIN else thicken(out)
    return straighten(out)


def squeeze(bitmap):
    """The whole paper as 32 × 32, wherever the drawing stands on it: what many demonstrations do instead."""
    return zoom(_as_bitmap(bitmap), NORMAL, NORMAL)


def count_blocks(bitmap):
    """count[i, j] = number of ink pixels in rows 4i..4i+3 and columns 4j..4j+3: 32 × 32 becomes 8 × 8 counts, 0..16."""
    bitmap = _as_bitmap(bitmap)
    if bitmap.shape != (NORMAL, NORMAL):
        raise ValueError(f"bitmap must have shape {(NORMAL, NORMAL)}; got {bitmap.shape}")
    return bitmap.reshape(8, 4, 8, 4).sum(axis=(1, 3))


def _as_bitmap(bitmap):
    bitmap = np.asarray(bitmap)
    if bitmap.ndim != 2 or bitmap.dtype != bool:
        raise ValueError(f"bitmap must be a table of True and False; got {bitmap.dtype}, shape {bitmap.shape}")
    return bitmap
