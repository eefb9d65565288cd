"""What turns images into features."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from dcgan import images as pixels
from dcgan.data.indexed_images import Images
from dcgan.metrics.embedding import Embedding

_BATCH = 500


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeatureExtractor:
    """A named feature extractor.

    Attributes:
        name: What it is called in reports.
        extract: From uint8 images, shape (batch, height, width, channels), to features of shape
            (batch, dim), or to an `Embedding` if it knows classes, too.
        image_shape: The (height, width, channels) that it takes; None for any.
        trained_on: The data and split that it was trained on, such as "mnist:train"; they must not
            hold the images that samples are compared with.
        digest: A digest of its weights, by which statistics are cached; "" for none.
        accuracy: Share of images of an unseen split that it classifies correctly, if measured.

    Example:
        >>> def histogram(images):
        ...     return np.stack([np.bincount(image.ravel() // 32, minlength=8) for image in images])
        >>> extractor = FeatureExtractor(name="histogram", extract=histogram)
        >>> extractor.embed(images).features.shape
        (1000, 8)
    """

    name: str
    extract: Callable[[np.ndarray], np.ndarray | Embedding]
    image_shape: tuple[int, int, int] | None = None
    trained_on: str = ""
    digest: str = ""
    accuracy: float | None = None

    def embed(self, images: Images) -> Embedding:
        """Extracts the features of images.

        Args:
            images: Shape (count, height, width, channels); uint8, or float in [-1, 1], which is
                rounded to the 256 levels that real images have.

        Returns:
            Features and, if the extractor knows classes, probabilities, in the images' order.

        Raises:
            ValueError: If there are no images, or not of the shape the extractor takes.
        """
        return Embedding.concatenate(list(self.embed_batches(images)))

    def embed_batches(self, images: Images) -> Iterator[Embedding]:
        """Yields the embeddings of consecutive images, for sets too large for memory."""
        self._check(images.shape)
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            given = self.extract(batch if batch.dtype == np.uint8 else pixels.to_uint8(batch))
            yield _to_embedding(given, len(batch))

    def measure_accuracy(self, images: Images, labels: np.ndarray) -> float:
        """Returns the share of images whose most probable class is their label, 0 to 1.

        Args:
            images: As for `embed`, of a split that the extractor has not learned from.
            labels: Shape (count,), int.

        Raises:
            ValueError: If the extractor knows no classes.
        """
        probabilities = self.embed(images).probabilities
        if probabilities is None:
            raise ValueError(f"Expected a feature extractor with classes. Received: {self.name}")
        return float(np.mean(probabilities.argmax(axis=1) == labels))

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 4 or not shape[0] or self.image_shape not in (None, shape[1:]):
            sides = self.image_shape or ("height", "width", "channels")
            raise ValueError(
                f"Expected images of shape (count, {', '.join(map(str, sides))}) for the extractor "
                f"{self.name}. Received: images.shape={shape}"
            )


def _to_embedding(given: np.ndarray | Embedding, count: int) -> Embedding:
    embedding = given if isinstance(given, Embedding) else Embedding(given)
    features = np.asarray(embedding.features, np.float64)
    if features.ndim != 2 or len(features) != count:
        raise ValueError(f"Expected features of shape ({count}, dim). Received: shape={features.shape}")
    probabilities = embedding.probabilities
    if probabilities is not None:
        probabilities = np.asarray(probabilities, np.float64)
    return Embedding(features, probabilities)
