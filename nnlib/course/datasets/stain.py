"""From shapes to a stained picture: ellipses, smooth noise, and light that passes through two dyes into a scanner."""

import numpy as np

# How much a unit of haematoxylin (blue, nuclei) and of eosin (pink, all else) takes of red, green and blue light
RUIFROK = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11))
MACENKO = ((0.5626, 0.7201, 0.4062), (0.2159, 0.8012, 0.5581))


def transmit(haematoxylin, eosin, stain):
    """I[c] = exp(−(h · stain[0, c] + e · stain[1, c])): the light of colour c that two dyes let through.

    Beer and Lambert's law. Amounts h and e of shape (n, height, width), the result (n, 3, height, width) in (0, 1].

    References
    ----------
    Ruifrok, A. C. & Johnston, D. A. (2001). Quantification of histochemical staining by color deconvolution.
    Analytical and Quantitative Cytology and Histology 23 (``RUIFROK``); Macenko, M. et al. (2009). A method for
    normalizing histology slides for quantitative analysis. ISBI (``MACENKO``, the reference of its programs).
    """
    blue, pink = (np.asarray(dye, dtype=float)[:, None, None] for dye in stain)
    return np.exp(-(haematoxylin[:, None] * blue + eosin[:, None] * pink))


def blur(images, width):
    """Each line and column averaged with the weights exp(−d²/(2 width²)), d in pixels; edges are mirrored.

    `images` of shape (..., size, size); a width of 0 changes nothing.
    """
    if width == 0:
        return images
    weights = _weights(images.shape[-1], width)
    weights /= weights.sum(1, keepdims=True)
    return weights @ images @ weights.T


def smooth(noise, width):
    """White noise of shape (n, size, size), blurred, and made to have standard deviation 1 again at every pixel."""
    weights = _weights(noise.shape[-1], width)
    weights /= np.sqrt((weights**2).sum(1, keepdims=True))
    return weights @ noise @ weights.T


def _weights(size, width):
    """Weights (size, size) of a Gaussian, with what falls off an edge mirrored back into the picture."""
    here = np.arange(size)
    sources = (here, -1 - here, 2 * size - 1 - here)
    return sum(np.exp(-((here[:, None] - source) ** 2) / (2 * width**2)) for source in sources)


def ellipses(size, present, row, column, long, short, angle, wobble, phase, amount):
    """The darkest of the ellipses that cover a pixel: amount · share of the pixel that is covered.

    Arrays have one line for each of n pictures and one column for each of so many ellipses; lengths in pixels, the
    centre of the pixel [r, c] is at (r, c). An outline has the distance from the middle times
    `1 + wobble · cos(3φ − phase)`: with a wobble above 0 it has three bumps.

    Parameters
    ----------
    present : ndarray of bool
        Which of them are drawn.
    row, column, long, short : ndarray
        Middle, and the two half axes.
    angle : ndarray
        Of the long axis, in radians.
    amount : ndarray
        Amount of dye.

    Returns
    -------
    ndarray, (n, size, size)
    """
    reach = int(np.ceil((long * (1 + wobble))[present].max(initial=1.0) + 0.5))
    frame = reach + 1  # around the picture, for what lies over its edge
    canvas = np.zeros((len(present), size + 2 * frame, size + 2 * frame))
    step = np.arange(-reach, reach + 1)
    for which in range(present.shape[1]):  # one ellipse in each picture at a time: none is written over
        i = np.flatnonzero(present[:, which])
        top, left = (np.clip(np.rint(place[i, which]), -1, size).astype(int) for place in (row, column))
        y = (top - row[i, which])[:, None, None] + step[:, None]
        x = (left - column[i, which])[:, None, None] + step
        a, b, turn, w, p, dark = (
            part[i, which][:, None, None] for part in (long, short, angle, wobble, phase, amount)
        )
        cos, sin = np.cos(turn), np.sin(turn)
        u, v = (x * cos + y * sin) / a, (y * cos - x * sin) / b
        square = u * u + v * v
        far = np.sqrt(square)
        bumps = (u * (square - 4 * v * v) * np.cos(p) + v * (4 * u * u - square) * np.sin(p)) / (square * far + 1e-9)
        covered = np.clip((1 + w * bumps - far) * np.sqrt(a * b) + 0.5, 0, 1) * dark
        at = i[:, None, None], (top[:, None] + step + frame)[:, :, None], (left[:, None] + step + frame)[:, None, :]
        canvas[at] = np.maximum(canvas[at], covered)
    return canvas[:, frame:-frame, frame:-frame]
