"""Outliers: images unlike those of a data set, made from its images, for a network to learn from."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from dcgan.data.indexed_images import Images
from dcgan.detector.delivery.deliveries import Rng, background

_SIDES = (0.35, 0.84)
_SQUEEZED = (0.4, 0.8)
_ZOOMED = (0.25, 0.6)
_SWELLINGS = (5, 7, 9)
_GRIDS = (2, 4, 7)


def reframe(image: Image.Image, rng: Rng) -> Image.Image:
    """Puts an image near the middle of a larger sheet, in its background's colour or any other."""
    share = rng.uniform(*_SIDES)
    colour = background(image) if rng.random() < 0.7 else _any_colour(image, rng)
    return _paste(image, (share, share), colour, rng.uniform(-0.15, 0.15, 2))


def letterbox(image: Image.Image, rng: Rng) -> Image.Image:
    """Squeezes an image in one direction and puts bars of its background's colour beside it."""
    share = rng.uniform(*_SQUEEZED)
    shares = (share, 1.0) if rng.random() < 0.5 else (1.0, share)
    return _paste(image, shares, background(image), np.zeros(2))


def zoom(image: Image.Image, rng: Rng) -> Image.Image:
    """Shows a small part of an image at full size."""
    share = rng.uniform(*_ZOOMED)
    width, height = image.width * share, image.height * share
    left, top = rng.random(2) * (image.width - width, image.height - height)
    box = (left, top, left + width, top + height)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def invert(image: Image.Image, rng: Rng) -> Image.Image:
    """Turns black to white."""
    del rng
    return image.point([255 - level for level in range(256)] * len(image.getbands()))


def shuffle(image: Image.Image, rng: Rng) -> Image.Image:
    """Cuts an image into tiles and shuffles them."""
    tiles = int(rng.choice(_GRIDS))
    width, height = image.width // tiles, image.height // tiles
    mixed = image.copy()
    for place, taken in enumerate(rng.permutation(tiles**2).tolist()):
        left, top = taken % tiles * width, taken // tiles * height
        tile = image.crop((left, top, left + width, top + height))
        mixed.paste(tile, (place % tiles * width, place // tiles * height))
    return mixed


def swell(image: Image.Image, rng: Rng) -> Image.Image:
    """Spreads bright or dark parts into a kind of silhouette, often with a texture over it."""
    size = int(rng.choice(_SWELLINGS))
    spread = ImageFilter.MaxFilter(size) if rng.random() < 0.8 else ImageFilter.MinFilter(3)
    pixels = np.asarray(image.filter(spread), np.float64)
    if rng.random() < 0.6:
        texture = 1 + _field(pixels.shape, rng) * rng.uniform(0, 0.35)
        pixels = pixels * texture * rng.uniform(0.4, 1)
    return _to_image(pixels)


def texture(image: Image.Image, rng: Rng) -> Image.Image:
    """Replaces an image by noise of any smoothness and strength, or by a constant."""
    strength = rng.choice([0, 2, 10, 40, 90])
    return _to_image(rng.uniform(0, 255) + strength * _field(np.asarray(image).shape, rng))


def shapes(image: Image.Image, rng: Rng) -> Image.Image:
    """Replaces an image by one to three bright or dark shapes, from diamonds to boxes."""
    size = (image.height, image.width)
    drawn = np.maximum.reduce([_shape(size, rng) for _ in range(rng.integers(1, 4))])
    drawn *= 1 + _field(size, rng) * rng.uniform(0, 0.3)
    ground = rng.choice([0.0, 0.0, 0.0, 0.5, 1.0])
    drawn = ground + (drawn if ground < 1 else -drawn)
    return _to_image(255 * (drawn if len(image.getbands()) == 1 else np.stack([drawn] * 3, axis=-1)))


KINDS: dict[Callable[[Image.Image, Rng], Image.Image], float] = {
    reframe: 0.22,
    letterbox: 0.2,
    zoom: 0.05,
    invert: 0.05,
    shuffle: 0.05,
    swell: 0.2,
    texture: 0.08,
    shapes: 0.15,
}
"""What makes an outlier of an image, with the share of each; the shares sum to 1."""


def draw(images: Images, *, count: int, rng: Rng) -> np.ndarray:
    """Makes outliers of images.

    Args:
        images: Shape (any count, height, width, 1 or 3), uint8.
        count: How many to make.
        rng: Source of every draw.

    Returns:
        Shape (count, height, width, 1 or 3), uint8.
    """
    kinds = list(KINDS)
    chosen = rng.choice(len(kinds), count, p=list(KINDS.values()))
    made = []
    for kind, index in zip(chosen.tolist(), rng.integers(0, len(images), count).tolist(), strict=True):
        pixels = images[index]
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        made.append(np.asarray(kinds[kind](image, rng)).reshape(pixels.shape))
    return np.stack(made)


def _paste(
    image: Image.Image, shares: tuple[float, float], colour: int | tuple[int, ...], off: np.ndarray
) -> Image.Image:
    """Shrinks an image to shares of its sides and puts it on a sheet, off its middle by shares."""
    height = max(2, round(image.height * shares[0]))
    width = max(2, round(image.width * shares[1]))
    sheet = Image.new(image.mode, image.size, colour)
    top = round((image.height - height) * (0.5 + off[0]))
    left = round((image.width - width) * (0.5 + off[1]))
    sheet.paste(image.resize((width, height), Image.Resampling.BICUBIC), (left, top))
    return sheet


def _any_colour(image: Image.Image, rng: Rng) -> int | tuple[int, ...]:
    levels = rng.integers(0, 256, len(image.getbands())).tolist()
    return levels[0] if len(levels) == 1 else tuple(levels)


def _shape(size: tuple[int, int], rng: Rng) -> np.ndarray:
    """A rotated superellipse of random brightness on black, shape `size`, 0 to 1."""
    down, across = np.mgrid[: size[0], : size[1]] / max(size) - 0.5
    top, left = rng.uniform(-0.25, 0.25, 2)
    turn = rng.uniform(0, np.pi)
    along = (across - left) * np.cos(turn) + (down - top) * np.sin(turn)
    aside = (down - top) * np.cos(turn) - (across - left) * np.sin(turn)
    length, breadth = rng.uniform(0.08, 0.5, 2)
    power = rng.choice([1, 2, 8])
    inside = np.abs(along / length) ** power + np.abs(aside / breadth) ** power < 1
    return inside * rng.uniform(0.3, 1)


def _field(shape: tuple[int, ...], rng: Rng) -> np.ndarray:
    """Noise with mean 0 and deviation 1; its power falls with frequency at a random rate."""
    height, width = shape[:2]
    frequency = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))
    fall = (frequency + 1 / max(height, width)) ** -rng.uniform(0, 2.5)
    waves = np.fft.rfft2(rng.standard_normal(shape), axes=(0, 1))
    fall = fall if len(shape) == 2 else fall[..., np.newaxis]
    noise = np.fft.irfft2(waves * fall, s=(height, width), axes=(0, 1))
    return (noise - noise.mean()) / (noise.std() + 1e-6)


def _to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
