"""The pool of fakes that a detector learns from, with what drew each of them."""

import dataclasses
import os
from typing import Self

import numpy as np

from dcgan.errors import InputError
from dcgan.system import files

LEARNED = "learned"
"""The family of generators whose fakes the user gave to be learned from; they come last in a pool."""
# One in so many fakes is held back from training, to calibrate on; of each learned generator at least
# so many.
_HELD_BACK, _FEWEST_HELD_BACK = 10, 5


@dataclasses.dataclass(frozen=True, eq=False)
class Fakes:
    """Fakes of one generator.

    Attributes:
        generator: The generator's name, such as "gan-hinge-transpose".
        family: The generator's kind: "gan", "autoencoder", "denoiser" or `LEARNED`.
        images: Shape (count, height, width, channels), uint8.
        jpeg_qualities: The quality of each that is a JPEG, 0 for others, shape (count,), uint8. Defaults
            to 0 for all.

    Example:
        >>> fakes = dcgan.detector.Fakes("vae-small", "autoencoder", images // 2)
        >>> dcgan.detector.FakePool.join([fakes]).counts()
        {'vae-small': 1000}
    """

    generator: str
    family: str
    images: np.ndarray
    jpeg_qualities: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Fakes of which nothing is said were never compressed."""
        if self.jpeg_qualities is None:
            object.__setattr__(self, "jpeg_qualities", np.zeros(len(self.images), np.uint8))


@dataclasses.dataclass(frozen=True, eq=False)
class FakePool:
    """Fakes of several generators.

    Attributes:
        images: Shape (count, height, width, channels), uint8.
        generators: The name of each fake's generator, shape (count,).
        families: The kind of each fake's generator, shape (count,).
        jpeg_qualities: The quality of each that is a JPEG, 0 for others, shape (count,), uint8.

    Example:
        >>> pool = dcgan.detector.FakePool.join([
        ...     dcgan.detector.Fakes("dcgan", "gan", images[:600] // 2),
        ...     dcgan.detector.Fakes("vae-small", "autoencoder", images[600:] // 3),
        ... ])
        >>> pool.counts()
        {'dcgan': 600, 'vae-small': 400}
    """

    images: np.ndarray
    generators: np.ndarray
    families: np.ndarray
    jpeg_qualities: np.ndarray

    @classmethod
    def join(cls, parts: list[Fakes]) -> Self:
        """Puts the fakes of several generators into one pool."""
        counts = [len(part.images) for part in parts]
        return cls(
            np.concatenate([part.images for part in parts]),
            np.repeat([part.generator for part in parts], counts),
            np.repeat([part.family for part in parts], counts),
            np.concatenate([part.jpeg_qualities for part in parts]),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a pool that `save` wrote.

        Raises:
            InputError: If the file cannot be read or holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                return cls(**content)
        except Exception as error:  # NumPy raises errors of many types on damaged files.
            raise InputError(f"{path}: expected a pool of fakes ({error})") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the pool to a `.npz` file, atomically."""
        with files.write_atomically(path) as temporary:
            np.savez_compressed(temporary, **vars(self))

    def where(self, chosen: np.ndarray) -> Self:
        """Returns some of the fakes, chosen by positions or by a bool for each."""
        return type(self)(**{name: values[chosen] for name, values in vars(self).items()})

    def extend(self, more: Self) -> Self:
        """Returns the pool with those of another after its own."""
        return type(self)(
            **{
                name: np.concatenate([values, getattr(more, name)])
                for name, values in vars(self).items()
            }
        )

    @property
    def is_learned(self) -> np.ndarray:
        """Which fakes the user gave, shape (count,), bool."""
        return self.families == LEARNED

    @property
    def held_back(self) -> np.ndarray:
        """Which fakes no detector learns from, shape (count,), bool.

        They are one in ten. Of each learned generator they are at least five, and stay held back when
        further fakes of it are added.
        """
        chosen = np.arange(len(self.images)) % _HELD_BACK == 0
        chosen[self.is_learned] = False
        for name in np.unique(self.generators[self.is_learned]):
            rows = np.flatnonzero(self.generators == name)
            order = np.arange(len(rows))
            late = order >= _HELD_BACK * _FEWEST_HELD_BACK
            chosen[rows] = np.where(late, order % _HELD_BACK == 0, order < _FEWEST_HELD_BACK)
        return chosen

    def counts(self) -> dict[str, int]:
        """Returns how many fakes there are of each generator."""
        names, counts = np.unique(self.generators, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))
