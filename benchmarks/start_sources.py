"""What the start of colour detectors learns from: photographs and fakes, and batches of both."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Self

import numpy as np

from dcgan import data
from dcgan.detector.delivery import deliveries

OWN = "this project"
# Shares of the fakes: this package's GANs, and each folder named by --more; the rest are others'.
_OWN, _MORE = 0.3, 0.2
# Fakes with the mean spectrum of photographs: a generator's own says little of others.
_MATCHED = 0.7
_JPEG = 75
_DELIVERED = 0.7
# Photographs to measure by.
_LAST = slice(-600, None)
# Grey levels, root mean square over areas of 8x8 pixels, by which compression changes an image at most.
_SAME = 1.5

# The family and the author of other people's generators, by the beginnings of their names.
ORIGINS = {
    "chainer-": ("gan", "pfnet-research"),
    "splitting-gan": ("gan", "CIFASIS"),
    "steingan": ("gan", "DartML"),
    "glow-": ("flow", "chrischute"),
    "pixelcnnpp-": ("autoregressive", "pclucas14"),
    "ddpm-w86": ("diffusion", "w86763777"),
    "ddpm-zoubohao": ("diffusion", "zoubohao"),
    "ddpm-cfg-zoubohao": ("diffusion", "zoubohao"),
    "diffusion-andreasfloros": ("diffusion", "andreasfloros"),
    "reflected-diffusion": ("diffusion", "louaaron"),
    "meanflow-": ("flow matching", "yuchen203"),
    "un0-": ("flow matching", "ywpkwon"),
    "own-": ("gan", OWN),
    "stable-diffusion": ("diffusion", "Bird and Lotfi (CIFAKE)"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """The fakes of one generator.

    Attributes:
        name: Its name.
        images: Shape (count, 32, 32, 3), uint8.
        weight: Its share of the fakes, up to a factor.
        compressed: Whether they come as JPEG.
    """

    name: str
    images: np.ndarray
    weight: float
    compressed: bool = False

    @property
    def origin(self) -> dict[str, str]:
        """Its `family` and its `author`."""
        (found,) = (origin for name, origin in ORIGINS.items() if self.name.startswith(name))
        return dict(zip(("family", "author"), found, strict=True))


@dataclasses.dataclass(frozen=True, eq=False)
class Sources:
    """Everything a start is trained on, or measured by.

    Attributes:
        compressed: Photographs that come as JPEG, shape (count, 32, 32, 3), uint8.
        lossless: Photographs that never were.
        fakes: The generators.
    """

    compressed: np.ndarray
    lossless: np.ndarray
    fakes: tuple[Source, ...]

    @classmethod
    def load(
        cls,
        *,
        others: pathlib.Path,
        lossless: pathlib.Path,
        reals: pathlib.Path,
        own: pathlib.Path,
        more: dict[str, str],
    ) -> Self:
        """Reads all of them."""
        drawn = np.load(others)
        names = drawn["source"]
        parts = {name: drawn["images"][names == name] for name in np.unique(names).tolist()}
        total = sum(len(images) ** 0.5 for images in parts.values())
        fakes = [Source(name, part, len(part) ** 0.5 / total) for name, part in parts.items()]
        paths = sorted(own.glob("*.npz"))
        share = _OWN / (1 - _OWN) / max(1, len(paths))
        fakes += [Source(f"own-{path.stem}", np.load(path)["images"], share) for path in paths]
        fakes += [Source(name, _load(path), _MORE, compressed=True) for name, path in more.items()]
        return cls(_load(reals), np.load(lossless)["images"], tuple(fakes))

    def without(self, names: list[str]) -> Self:
        """Leaves generators out whose names begin so."""
        kept = [source for source in self.fakes if not source.name.startswith(tuple(names))]
        return dataclasses.replace(self, fakes=tuple(kept) if names else self.fakes)

    def parts(self) -> tuple[Self, Self]:
        """Returns what to train on and what to measure by: the last 600 photographs of each kind.

        JPEGs of the lossless photographs to measure by are not trained on. Lossless ones of the JPEGs to
        measure by are.
        """
        rest = self.compressed[: _LAST.start]
        first = dataclasses.replace(
            self,
            compressed=rest[~_occur(rest, self.lossless[_LAST])],
            lossless=self.lossless[: _LAST.start],
        )
        last = dataclasses.replace(
            self, compressed=self.compressed[_LAST], lossless=self.lossless[_LAST]
        )
        return first, last


def batches(sources: Sources, *, half: int, seed: int) -> Iterator[np.ndarray]:
    """Draws photographs, then as many fakes, delivered alike and with the same histories.

    Half the photographs come as JPEG, and half the fakes are made JPEG of the same quality. Then both
    are sent through random chains of deliveries, and mirrored.

    Args:
        sources: Photographs and fakes.
        half: Photographs in a batch.
        seed: Seed of every draw.

    Yields:
        Shape (2 * half, 32, 32, 3), uint8.
    """
    rng = np.random.default_rng(seed)
    matched = [match_spectrum(source.images, sources.lossless) for source in sources.fakes]
    weights = np.cumsum([source.weight for source in sources.fakes])
    while True:
        batch = []
        for photographs in np.where(rng.random(half) < 0.5, 0, 1).tolist():
            part = (sources.compressed, sources.lossless)[photographs]
            batch.append(part[rng.integers(len(part))])
        for index in np.searchsorted(weights, rng.random(half) * weights[-1]).tolist():
            source = sources.fakes[index]
            part = matched[index] if rng.random() < _MATCHED else source.images
            fake = part[rng.integers(len(part))][np.newaxis]
            if not source.compressed and rng.random() < 0.5:
                fake = _compress(fake, 0)
            batch.append(fake[0])
        images = np.stack(batch)
        sent = rng.random(len(images)) < _DELIVERED
        images[sent] = deliveries.random_chains(images[sent], rng=rng)
        mirrored = rng.random(len(images)) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
        yield images


def match_spectrum(fakes: np.ndarray, photographs: np.ndarray) -> np.ndarray:
    """Filters a generator's fakes so that their mean spectrum is that of photographs.

    Args:
        fakes: Shape (count, height, width, 3), uint8.
        photographs: Likewise.
    """
    gain = np.clip(_spectrum(photographs) / _spectrum(fakes), 0.2, 5)
    gain[0, 0] = 1
    filtered = [
        np.fft.ifft2(np.fft.fft2(part.astype(np.float32), axes=(1, 2)) * gain, axes=(1, 2)).real
        for part in np.array_split(fakes, -(-len(fakes) // 1000))
    ]
    return np.concatenate(filtered).round().clip(0, 255).astype(np.uint8)


def _spectrum(images: np.ndarray) -> np.ndarray:
    chosen = images[:4000].astype(np.float32)
    return np.abs(np.fft.fft2(chosen, axes=(1, 2))).mean(axis=0)


_compress = deliveries.chain(lambda image, rng: deliveries.jpeg(image, rng, quality=_JPEG))


def _occur(images: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Whether an image is one of some others, but for its compression; shape (count,), bool."""
    small, others = (
        part.reshape(len(part), 4, 8, 4, 8, 3).mean(axis=(2, 4), dtype=np.float32).reshape(len(part), -1)
        for part in (images, among)
    )
    squares = (small**2).sum(1)[:, np.newaxis] + (others**2).sum(1) - 2 * small @ others.T
    return squares.min(axis=1) < _SAME**2 * small.shape[1]


def _load(path: pathlib.Path | str) -> np.ndarray:
    """Loads a folder's images in random order."""
    images = data.load_images(path, split="all", image_size=32, channels=3).images
    return images[np.random.default_rng(1).permutation(len(images))]
