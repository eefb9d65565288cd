"""The fakes that a detector learns from, with what drew each of them."""

import dataclasses
import os
from typing import Self

import numpy as np

from dcgan import files
from dcgan.detector.fakes import histogram_matching
from dcgan.errors import InputError


@dataclasses.dataclass(frozen=True)
class Fakes:
    """What one generator drew.

    Attributes:
        origin: The generator's name, as "gan-hinge-transpose".
        family: Its kind: "gan", "autoencoder" or "denoiser".
        images: Shape (count, height, width, channels), uint8.
    """

    origin: str
    family: str
    images: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class FakePool:
    """Fakes of several generators.

    Attributes:
        images: Shape (count, height, width, channels), uint8.
        origins: The generator's name of each, shape (count,).
        families: The generator's kind of each, shape (count,).
    """

    images: np.ndarray
    origins: np.ndarray
    families: np.ndarray

    @classmethod
    def join(cls, parts: list[Fakes]) -> Self:
        """Puts the fakes of several generators into one pool."""
        counts = [len(part.images) for part in parts]
        return cls(
            np.concatenate([part.images for part in parts]),
            np.repeat([part.origin for part in parts], counts),
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
                return cls(content["images"], content["origins"], content["families"])
        except Exception as error:  # NumPy raises errors of many types on damaged files.
            raise InputError(f"{path}: expected a pool of fakes ({error})") from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the pool to a `.npz` file, atomically."""
        with files.write_atomically(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, images=self.images, origins=self.origins, families=self.families)

    def where(self, chosen: np.ndarray) -> Self:
        """Returns some of the fakes: positions, or bool for each of them."""
        return dataclasses.replace(
            self,
            images=self.images[chosen],
            origins=self.origins[chosen],
            families=self.families[chosen],
        )

    def histogram_matched(self, reals: np.ndarray, *, seed: int = 0) -> np.ndarray:
        """Returns the fakes with the pixel values of reals, each origin matched by itself.

        Args:
            reals: Shape (any count, height, width, channels), uint8.
            seed: See `histogram matching.match_histograms`. Defaults to 0.

        Returns:
            Shape of `images`, uint8.
        """
        return histogram_matching.match_histograms(self.images, reals, groups=self.origins, seed=seed)

    def counts(self) -> dict[str, int]:
        """Returns how many fakes there are of each origin."""
        names, counts = np.unique(self.origins, return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))
