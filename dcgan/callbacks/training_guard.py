"""An early end for trainings that have failed."""

import logging
from typing import Any

import keras
import numpy as np

from dcgan.callbacks import _samples, _steps

_SAMPLES = 64
_GREY_LEVEL = 2 / 255
_WARM_UP = 1000


class TrainingGuard(keras.callbacks.Callback):
    """Stops a GAN's training that has failed, and says how.

    It tells three failures apart, by `reason`:

    - `"not_finite"`: a value in the logs is NaN or infinite, after a batch or an epoch. The logs hold
      running means, which stay NaN, so `steps_per_execution` hides nothing.
      `keras.callbacks.TerminateOnNaN` reads `loss` only.
    - `"saturated"`: the discriminator has won. `real_accuracy` and `fake_accuracy` are at least
      `accuracy_limit` and `g_loss` is at least `g_loss_limit`, for `patience` epochs in a row.
    - `"collapsed"`: the generator makes one image whatever its latents are. The `sample_variety` of 64
      fixed samples is below `variety_limit` for `patience` epochs in a row.

    A training's first 1000 batches are not checked for saturation and collapse: early on, a healthy
    discriminator may tell nearly all images, and a healthy generator may draw the same grey blob from
    all latents. Later, the samples of a healthy run vary about as much as its real images.

    Each worker of a distributed training needs a guard of its own, since all must stop together; it
    writes nothing. Put it before callbacks that save, which can then look at `reason`.

    Args:
        patience: Epochs in a row before a saturated or collapsed training stops. Defaults to 5.
        accuracy_limit: In (0, 1]. Defaults to 0.995.
        g_loss_limit: In nats, for the non-saturating loss -log D(G(z)). Defaults to 5.
        variety_limit: In [0, 1]; 0 never stops. Images that differ in small details only, such as
            photographs of one machine part, need a lower one. Defaults to 0.03.
        seed: Seed of the samples' latents. Defaults to 0.

    Attributes:
        reason: The failure; None while there is none.
        message: A sentence for the user about it; None while there is none.

    Raises:
        ValueError: If `patience` is not above zero.

    Example:
        >>> guard = TrainingGuard()
        >>> history = model.fit(dataset, epochs=50, callbacks=[guard])
        >>> print(guard.reason)
        None
    """

    def __init__(
        self,
        *,
        patience: int = 5,
        accuracy_limit: float = 0.995,
        g_loss_limit: float = 5.0,
        variety_limit: float = 0.03,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _samples.check_positive(patience=patience)
        self.patience = patience
        self.accuracy_limit = accuracy_limit
        self.g_loss_limit = g_loss_limit
        self.variety_limit = variety_limit
        self.seed = seed
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets what an earlier training did."""
        self.reason: str | None = None
        self.message: str | None = None
        self._epoch = 0
        self._epoch_batches = 0
        self._batches = 0
        self._streaks = {"saturated": 0, "collapsed": 0}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch, for messages."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks for values that are not finite; takes microseconds."""
        self._epoch_batches = _steps.done(self, batch)
        self._check_finite(logs or {}, f"epoch {self._epoch}, batch {self._epoch_batches}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Looks for all three failures; makes 64 samples."""
        logs = logs or {}
        self._check_finite(logs, f"epoch {epoch + 1}")
        self._batches += self._epoch_batches
        if self.reason is None and self._batches > _WARM_UP:
            self._check_saturated(logs)
            self._check_collapsed()

    def get_state(self) -> dict[str, Any]:
        """Returns what a resumed training must know, as JSON values."""
        return {"batches": self._batches, "streaks": dict(self._streaks)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from `get_state`; to be called after `on_train_begin`."""
        self._batches = state["batches"]
        self._streaks = dict(state["streaks"])

    def _check_finite(self, logs: dict[str, Any], where: str) -> None:
        for name, value in logs.items():
            if not np.all(np.isfinite(value)):
                self._stop(
                    "not_finite",
                    f"Training stopped in {where}: {name} is {value}. Lower the learning rate.",
                )

    def _check_saturated(self, logs: dict[str, Any]) -> None:
        limits = {
            "real_accuracy": self.accuracy_limit,
            "fake_accuracy": self.accuracy_limit,
            "g_loss": self.g_loss_limit,
        }
        if self._lasts("saturated", all(logs.get(k, -np.inf) >= v for k, v in limits.items())):
            values = ", ".join(f"{name} {logs[name]:.4g}" for name in limits)
            self._stop(
                "saturated",
                f"Training stopped after epoch {self._epoch}: the discriminator has won for "
                f"{self.patience} epochs ({values}). Lower its learning rate.",
            )

    def _check_collapsed(self) -> None:
        variety = sample_variety(self.model.generate(_SAMPLES, seed=self.seed))
        if self._lasts("collapsed", variety < self.variety_limit):
            self._stop(
                "collapsed",
                f"Training stopped after epoch {self._epoch}: the generator has made one image "
                f"only for {self.patience} epochs (variety {variety:.2g}, limit "
                f"{self.variety_limit}). Start again with another seed or a lower learning rate.",
            )

    def _lasts(self, failure: str, present: bool) -> bool:
        self._streaks[failure] = self._streaks[failure] + 1 if present else 0
        return self._streaks[failure] >= self.patience

    def _stop(self, reason: str, message: str) -> None:
        if self.reason is not None:
            return
        self.reason = reason
        self.message = message
        self.model.stop_training = True
        logging.getLogger("dcgan").warning(message)


def sample_variety(samples: np.ndarray) -> float:
    """Returns which share of the samples' variance lies between samples.

    The mean over pixels of the variance over samples, divided by the variance of all values. It does not
    depend on brightness or contrast, and finds a generator that makes one image, not one that makes few.

    Args:
        samples: Shape (count, height, width, channels), float, -1 to 1.

    Returns:
        In [0, 1]: 1 when all pixels have the same mean; 0 for identical samples, and for samples whose
        contrast (the standard deviation of all values) is below one of 255 grey levels.

    Example:
        >>> digits = dcgan.images.to_float(images)
        >>> sample_variety(np.repeat(digits[:1], 64, axis=0))
        0.0
        >>> round(sample_variety(digits), 1)
        0.7
    """
    samples = np.asarray(samples, np.float64)
    if samples.std() < _GREY_LEVEL:
        return 0.0
    return float(samples.var(axis=0).mean() / samples.var())
