"""Draws pictures for the guides: `python make_photos.py DIR [COUNT [SEED]]`, by default 2,000.

Each shows a disc of some colour on another, with a little noise, as a PNG file of 48 x 40 pixels.
"""

import pathlib
import sys

import imageio.v3 as imageio
import numpy as np

HEIGHT, WIDTH = 40, 48


def draw(rng: np.random.Generator) -> np.ndarray:
    """Returns a picture, shape (40, 48, 3), uint8."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    y, x, radius = rng.uniform(10, 30), rng.uniform(12, 36), rng.uniform(4, 10)
    distance = np.hypot(rows - y, columns - x)[..., np.newaxis]
    inside = np.clip(radius - distance, 0, 1)
    disc, ground = rng.uniform(80, 255, 3), rng.uniform(0, 80, 3)
    picture = ground + (disc - ground) * inside + rng.normal(0, 4, (HEIGHT, WIDTH, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def main(directory: str, count: str = "2000", seed: str = "0") -> None:
    """Writes the pictures as `0000.png`, `0001.png` and so on."""
    rng, path = np.random.default_rng(int(seed)), pathlib.Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    for number in range(int(count)):
        imageio.imwrite(path / f"{number:04d}.png", draw(rng))


if __name__ == "__main__":
    main(*sys.argv[1:])
