"""The pool of fakes that a detector learns from, with what drew each of them."""

import dataclasses
import os
from typing import Self

import numpy as np

from dcgan.errors import InputError
from dcgan.system import files


@dataclasses.dataclass(frozen=True, eq=False)
class Fakes:
    """Fakes of one generator.

    Attributes:
        generator: The generator's name, such as "gan-hinge-transpose".
        family: The generator's kind: "gan", "autoencoder" or "denoiser".
        images: Shape (count, height, width, channels), uint8.
    """

    generator: str
    family: str
    images: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class FakePool:
    """Fakes of several generators.

    Attributes:
        images: Shape (count, height, width, channels), uint8.
        generators: The name of each fake's generator, shape (count,).
        families: The kind of each fake's generator, shape (count,).
    """

    images: np.ndarray
    generators: np.ndarray
    families: np.ndarray

    @classmethod
    def join(cls, parts: list[Fakes]) -> Self:
        """Puts the fakes of several generators into one pool."""
        counts = [len(part.images) for part in parts]
        return cls(
            np.concatenate([part.images for part in parts]),
            np.repeat([part.generator for part in parts], counts),
            np.repeat([part.family for part in parts], counts),
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
        return type(self)(self.images[chosen], self.generators[chosen], self.families[chosen])

    def counts(self) -> dict[str, int]:
        """Returns how many fakes there are of each generator."""
        names, counts = np.unique(self.generators, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))
