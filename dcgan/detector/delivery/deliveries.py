"""What happens to images on their way from whoever drew them to whoever looks at them.

One list for all uses: training draws random chains, thresholds and evaluations take the named ones.
Encoders and filters are Pillow's, those that images meet outside. Labels keep: nothing here mirrors.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
_SMOOTH = tuple(FILTERS.values())[1:4]
_SHIFT, _ANGLE, _CROP, _CONTRAST = 3, 5.0, 0.8, 0.15
_QUALITIES = (35, 98)
# Of both sides: towards smaller, which hides more, most of the time.
_SMALLER, _LARGER, _SMALLER_SHARE = (0.45, 1.0), (1.0, 2.0), 0.75
_SIGMAS = (0.3, 0.7)
_DEVIATIONS = (1.0, 6.0)
# Share of training images that nothing happens to, and the shares of one, two, ... things.
_LENGTHS = (0.08, 0.42, 0.27, 0.18, 0.05)

Rng = np.random.Generator
Step = Callable[[Image.Image, Rng], Image.Image]
"""One thing that happens to one image."""
Delivery = Callable[[np.ndarray, int], np.ndarray]
"""From uint8 images, shape (count, height, width, 1 or 3), and a seed to the same shape and dtype."""


def shift(image: Image.Image, rng: Rng, *, most: int = _SHIFT, edge: bool | None = None) -> Image.Image:
    """Moves an image by whole pixels.

    Args:
        image: Mode "L" or "RGB".
        rng: Of the two distances, each in -most to most.
        most: Pixels. Defaults to 3.
        edge: Whether what comes in repeats the edge, or else has the background's colour. Defaults to
            chance.
    """
    down, across = rng.integers(-most, most + 1, 2).tolist()
    edge = bool(rng.random() < 0.5) if edge is None else edge
    if not edge:
        matrix = (1, 0, across, 0, 1, down)
        return image.transform(image.size, Image.Transform.AFFINE, matrix, fillcolor=background(image))
    rows = np.arange(image.height).clip(max(0, down), image.height - 1 + min(0, down)) - down
    columns = np.arange(image.width).clip(max(0, across), image.width - 1 + min(0, across)) - across
    return Image.fromarray(np.asarray(image)[rows][:, columns])


def crop(
    image: Image.Image, rng: Rng, *, least: float = _CROP, most: float = 1.0, method: int | None = None
) -> Image.Image:
    """Cuts a part out, anywhere, and scales it back to the image's size.

    Args:
        image: Mode "L" or "RGB".
        rng: Of the part's share of each side, in least to most, and its place.
        least: Above 0. Defaults to 0.8.
        most: At most 1. Defaults to 1.
        method: A value of `FILTERS`. Defaults to chance among bilinear, bicubic and Lanczos.
    """
    share, left, top = rng.random(3).tolist()
    width, height = (side * (least + (most - least) * share) for side in image.size)
    left, top = left * (image.width - width), top * (image.height - height)
    return image.resize(image.size, _smooth(rng, method), box=(left, top, left + width, top + height))


def rotate(image: Image.Image, rng: Rng, *, most: float = _ANGLE) -> Image.Image:
    """Turns an image around its middle; corners get the background's colour.

    Args:
        image: Mode "L" or "RGB".
        rng: Of the angle, in -most to most, and the filter, bilinear or bicubic.
        most: Degrees. Defaults to 5.
    """
    method = Image.Resampling.BILINEAR if rng.random() < 0.5 else Image.Resampling.BICUBIC
    return image.rotate(rng.uniform(-most, most), method, fillcolor=background(image))


def jpeg(image: Image.Image, rng: Rng, *, quality: int | None = None) -> Image.Image:
    """Encodes as JPEG and decodes; `quality` defaults to chance in 35 to 97."""
    return _encode(image, "JPEG", quality=_quality(rng, quality))


def webp(image: Image.Image, rng: Rng, *, quality: int | None = None) -> Image.Image:
    """Encodes as lossy WebP at its fastest and decodes; `quality` defaults to chance in 35 to 97."""
    decoded = _encode(image, "WEBP", quality=_quality(rng, quality), method=0)
    return decoded.convert(image.mode)


def rescale(
    image: Image.Image, rng: Rng, *, factor: float | None = None, method: int | None = None
) -> Image.Image:
    """Scales to another size and back.

    Args:
        image: Mode "L" or "RGB".
        rng: Of what is left to chance.
        factor: Of both sides. Defaults to chance in 0.45 to 2.
        method: A value of `FILTERS`, both ways. Defaults to chance, each way by itself.
    """
    factor = _factor(rng) if factor is None else factor
    methods = [list(FILTERS.values())[index] for index in rng.integers(0, len(FILTERS), 2)]
    there, back = methods if method is None else (method, method)
    size = [max(1, round(side * factor)) for side in image.size]
    return image.resize(size, there).resize(image.size, back)


def contrast(image: Image.Image, rng: Rng, *, factor: float | None = None) -> Image.Image:
    """Multiplies the distance from mid-grey; `factor` defaults to chance in 0.85 to 1.15."""
    return _remap(image, factor or rng.uniform(1 - _CONTRAST, 1 + _CONTRAST), pivot=127.5)


def brightness(image: Image.Image, rng: Rng, *, factor: float | None = None) -> Image.Image:
    """Multiplies grey levels; `factor` defaults to chance in 0.85 to 1.15."""
    return _remap(image, factor or rng.uniform(1 - _CONTRAST, 1 + _CONTRAST), pivot=0.0)


def blur(image: Image.Image, rng: Rng, *, sigma: float | None = None) -> Image.Image:
    """Smooths by about a Gaussian; `sigma`, in pixels, defaults to chance in 0.3 to 0.7."""
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(*_SIGMAS) if sigma is None else sigma))


def noise(image: Image.Image, rng: Rng, *, deviation: float | None = None) -> Image.Image:
    """Adds Gaussian noise; `deviation`, in grey levels, defaults to chance in 1 to 6."""
    deviation = rng.uniform(*_DEVIATIONS) if deviation is None else deviation
    pixels = np.asarray(image)
    noisy = pixels + deviation * rng.standard_normal(pixels.shape, np.float32)
    return Image.fromarray(noisy.round().clip(0, 255).astype(np.uint8))


def jitter(image: Image.Image, rng: Rng) -> Image.Image:
    """Moves each pixel by -1, 0 or 1 grey level."""
    pixels = np.asarray(image)
    moved = pixels + rng.integers(-1, 2, pixels.shape, np.int16)
    return Image.fromarray(moved.clip(0, 255).astype(np.uint8))


def repost(image: Image.Image, rng: Rng) -> Image.Image:
    """Encodes as JPEG, scales and encodes again, as an image passed on does."""
    return jpeg(rescale(jpeg(image, rng), rng), rng)


STEPS: dict[Step, float] = {
    jitter: 0.03,
    shift: 0.08,
    crop: 0.13,
    rotate: 0.1,
    jpeg: 0.15,
    webp: 0.03,
    rescale: 0.25,
    repost: 0.08,
    contrast: 0.08,
    brightness: 0.02,
    blur: 0.03,
    noise: 0.02,
}
"""What training chains are made of, with the share of each; they sum to 1."""


def random_chains(images: np.ndarray, *, rng: Rng) -> np.ndarray:
    """Sends each image through a chain of its own: of random length, order and strength.

    Args:
        images: Shape (count, height, width, 1 or 3), uint8.
        rng: Of everything.

    Returns:
        The same shape, uint8.
    """
    steps, shares = list(STEPS), list(STEPS.values())
    lengths = rng.choice(len(_LENGTHS), len(images), p=_LENGTHS)
    chosen = rng.choice(len(steps), (len(images), len(_LENGTHS) - 1), p=shares)
    delivered = images.copy()
    for index, length in enumerate(lengths.tolist()):
        if length:
            chain = [steps[step] for step in chosen[index, :length]]
            delivered[index] = _send(images[index], chain, rng)
    return delivered


def chain(*steps: Step) -> Delivery:
    """Makes a delivery of steps, one after the other, on each image."""

    def deliver(images: np.ndarray, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        sent = [_send(image, list(steps), rng) for image in images]
        return np.stack(sent) if sent else images

    return deliver


def background(image: Image.Image) -> int | tuple[int, ...]:
    """Returns the middle one of the border's values, a channel at a time, as Pillow takes colours."""
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    middle = np.sort(border, axis=0)[len(border) // 2]
    return int(middle) if middle.ndim == 0 else tuple(middle.tolist())


def _send(pixels: np.ndarray, steps: list[Step], rng: Rng) -> np.ndarray:
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    for step in steps:
        image = step(image, rng)
    return np.asarray(image).reshape(pixels.shape)


def _encode(image: Image.Image, kind: str, **options: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(file)


def _remap(image: Image.Image, factor: float, *, pivot: float) -> Image.Image:
    levels = (np.arange(256) - pivot) * factor + pivot
    table = levels.round().clip(0, 255).astype(int).tolist()
    return image.point(table * len(image.getbands()))


def _quality(rng: Rng, quality: int | None) -> int:
    """Chance prefers the lower ones, which hide more."""
    low, high = _QUALITIES
    return int(low + (high - low) * rng.random() ** 1.5) if quality is None else quality


def _factor(rng: Rng) -> float:
    low, high = _SMALLER if rng.random() < _SMALLER_SHARE else _LARGER
    return float(rng.uniform(low, high))


def _smooth(rng: Rng, method: int | None) -> int:
    return _SMOOTH[rng.integers(0, len(_SMOOTH))] if method is None else method
