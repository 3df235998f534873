"""The page's two networks filmed while they train: the same noise after more and more steps, and the generator at the end.

`python chapters/7-sequences/stored_forged_film.py` trains them (some seconds) and renews data/sequences/forged_film.npz, which
the page "Forge digits" shows. What two networks make of each other after thousands of steps depends on the last digit of
each sum, so that another processor makes other digits; the page shows the stored ones.
"""

import numpy as np

from stored_forged import (
    OPTIMIZERS,
    RATE,
    RESULTS,
    STEPS,
    forge,
    networks,
    noise,
    parts,
    stored_results,
)

FRAMES = (0, 30, 100, 200, 400, 800, 1500, STEPS)
SHOWN = 36
SEED = 0


def film(steps=STEPS, frames=FRAMES):
    """Return the digits of each frame in 256 shades, the last average weights, and the discriminator's loss before each step."""
    (X, _), *_ = parts(SEED)
    create, detect = (OPTIMIZERS["Adam 0.5"](RATE) for _ in range(2))
    _, average, losses, kept = forge(X, create, detect, steps, SEED, frames)
    pictures = np.stack(
        [made_by(kept[t], noise(SEED, SHOWN)) for t in frames if t in kept]
    )
    return {
        "pictures": np.round(255 * pictures).astype(np.uint8),
        "weights": average.astype(np.float32),
        "detect": losses[:, 0].astype(np.float32),
    }


def made_by(weights, z):
    """Return what a generator with these weights makes of latent numbers."""
    generator, _ = networks(SEED)
    generator.params[...] = weights
    return generator.predict(z)


def load():
    """Return the stored film, as `film` does."""
    with np.load(RESULTS / "forged_film.npz") as file:
        return dict(file)


def main():
    """Train, and write the film and how it was made."""
    import json

    found = film()
    np.savez_compressed(RESULTS / "forged_film.npz", **found)
    about = {
        "date": stored_results.datetime.date.today().isoformat(),
        "code": stored_results.code_hash(*CODE),
        "numpy": np.__version__,
    }
    path = RESULTS / "forged_film.json"
    path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


CODE = (film, made_by, forge, networks, noise, parts)


if __name__ == "__main__":
    main()
