"""The distance of samples to real images, among each epoch's logs."""

import time
from typing import Any

import keras

from dcgan.callbacks import _samples
from dcgan.features import Reference

_LOGGED = {"val_frechet_distance": "frechet_distance", "val_kid": "kid"}


class SampleDistance(keras.callbacks.Callback):
    """Logs `val_frechet_distance` and `val_kid` of the model's samples every few epochs.

    The samples come from `model.generate`, always from the same latents. Callbacks after this one can
    monitor what it logs, with `mode="min"`; one that looks at every epoch needs `every=1`, since other
    epochs have no value.

    Args:
        reference: The real images and the extractor, see `dcgan.features.Reference.compute`; its
            `fake_count` says how many samples are drawn.
        every: Epochs from one measurement to the next; the last epoch of `fit` is measured in any
            case. Defaults to 1.
        seed: Seed of the latents. Defaults to 0.

    Attributes:
        seconds: Time spent in measurements so far.

    Raises:
        ValueError: If `every` is not above zero.

    Example:
        >>> extractor = dcgan.features.load("mnist")
        >>> reference = dcgan.features.Reference.compute(images, extractor, fake_count=1000)
        >>> distance = SampleDistance(reference)
        >>> best = keras.callbacks.ModelCheckpoint(
        ...     "best.keras", monitor="val_frechet_distance", mode="min", save_best_only=True
        ... )
        >>> history = model.fit(dataset, epochs=50, callbacks=[distance, best])
    """

    def __init__(self, reference: Reference, *, every: int = 1, seed: int = 0) -> None:
        super().__init__()
        _samples.check_positive(every=every)
        self.reference = reference
        self.every = every
        self.seed = seed
        self.seconds = 0.0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures, when it is time."""
        last = epoch + 1 == self.params.get("epochs")
        if logs is None or ((epoch + 1) % self.every and not last):
            return
        start = time.perf_counter()
        samples = self.model.generate(self.reference.fake_count, seed=self.seed)
        scores = self.reference.distances(samples)
        logs |= {logged: scores[name].value for logged, name in _LOGGED.items()}
        self.seconds += time.perf_counter() - start
