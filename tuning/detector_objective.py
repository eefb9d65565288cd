"""How good a detector a trial's discriminator makes, on fakes of holdout generators."""

import numpy as np
import sklearn.metrics

from dcgan import detector, images
from dcgan.config import RunConfig
from dcgan.detector.fakes import holdout_generators
from dcgan.model import DCGAN

_STEPS = 200
_FAKES = 4_000
_TESTED = 1_000
_SEED = 424_242


class Detection:
    """Fits a small detector on a model's discriminator and its own fakes, and tests it.

    The test's fakes are drawn by a mixture of Gaussians over principal components and by a variational
    autoencoder, then histogram-matched.

    Args:
        base: Configuration that names the images.
        steps: Training steps of the detector. Defaults to 200.
    """

    def __init__(self, base: RunConfig, *, steps: int = _STEPS) -> None:
        self._reals = detector.Reals.load(base)
        count = len(self._reals.calibration)
        self._config = detector.DetectorConfig(
            steps=steps,
            false_positive_rate=max(detector.DetectorConfig.false_positive_rate, 1 / (count + 1)),
        )
        self._tested = [
            detector.match_histograms(
                draw(self._reals.train, count=_TESTED, seed=_SEED), self._reals.train
            )
            for draw in (holdout_generators.pca_mixture, holdout_generators.variational_autoencoder)
        ]

    def measure(self, model: DCGAN) -> float:
        """Returns the mean AUROC over the test's generators.

        Args:
            model: The detector is built on its discriminator; it is left unchanged.
        """
        drawn = images.to_uint8(model.generate(min(_FAKES, len(self._reals.train)), seed=_SEED))
        pool = detector.FakePool.join([detector.Fakes("own", "gan", drawn)])
        fitted = detector.fit(model.discriminator, pool, self._reals, config=self._config).detector
        real = fitted.raw_scores(self._reals.test[:_TESTED])
        return float(np.mean([_auroc(real, fitted.raw_scores(fakes)) for fakes in self._tested]))


def _auroc(real: np.ndarray, fake: np.ndarray) -> float:
    labels = np.repeat([0, 1], [len(real), len(fake)])
    return float(sklearn.metrics.roc_auc_score(labels, np.concatenate([real, fake])))
