"""From shapes to a stained picture: ellipses, smooth noise, and light that passes through two dyes into a scanner."""

import numpy as np

# How much a unit of haematoxylin (blue, nuclei) and of eosin (pink, all else) takes of red, green and blue light
RUIFROK = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11))
MACENKO = ((0.5626, 0.7201, 0.4062), (0.2159, 0.8012, 0.5581))
BETWEEN = ((0.58, 0.72, 0.38), (0.18, 0.84, 0.46))  # about a fifth of the way from the second to the first


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


def ellipses(size, present, places, long, short, angle, wobble, phase, amount):
    """The darkest of the ellipses over each pixel: max over them of amount · share of the pixel that it covers.

    Everything is (n, m), for n pictures and m ellipses in each. The outline lies at the distance
    `1 + wobble · cos(3φ − phase)` from the middle, in half axes: a wobble above 0 gives it three bumps.

    Parameters
    ----------
    present : ndarray of bool
        Which of them are drawn.
    places : ndarray, (n, m, 2)
        Rows and columns of the middles, in pixels; (0, 0) is the centre of the top left one.
    long, short : ndarray
        Half axes, in pixels.
    angle : ndarray
        From the columns' direction to the long axis, in radians.
    amount : ndarray
        Of dye, at least 0.

    Returns
    -------
    ndarray, (n, size, size)
    """
    reach = int(np.ceil((long * (1 + wobble))[present].max(initial=1.0) + 0.5))
    frame = reach + 1  # around the picture, for what lies over its edge
    canvas = np.zeros((len(present), size + 2 * frame, size + 2 * frame))
    step = np.arange(-reach, reach + 1)
    for m in range(present.shape[1]):  # one in each picture at a time, so that no two are written to one place
        i = np.flatnonzero(present[:, m])
        a, b, turn, w, p, dye = (part[i, m, None, None] for part in (long, short, angle, wobble, phase, amount))
        corner = np.clip(np.rint(places[i, m]), -1, size)[:, :, None] + step
        y = corner[:, 0, :, None] - places[i, m, 0, None, None]
        x = corner[:, 1, None, :] - places[i, m, 1, None, None]
        u, v = (x * np.cos(turn) + y * np.sin(turn)) / a, (y * np.cos(turn) - x * np.sin(turn)) / b
        square = u * u + v * v
        far = np.sqrt(square)
        bumps = u * (square - 4 * v * v) * np.cos(p) + v * (4 * u * u - square) * np.sin(p)  # far³ cos(3φ − p)
        covered = np.clip((1 + w * bumps / (square * far + 1e-9) - far) * np.sqrt(a * b) + 0.5, 0, 1)
        into = corner.astype(int) + frame
        at = i[:, None, None], into[:, 0, :, None], into[:, 1, None, :]
        canvas[at] = np.maximum(canvas[at], dye * covered)
    return canvas[:, frame:-frame, frame:-frame]
