"""A detector's threshold and probabilities set anew on other reals."""

import os

import numpy as np

from dcgan import data
from dcgan.detector import detector_files, threshold
from dcgan.detector.threshold import Calibration
from dcgan.runs.run_directory import RunDirectory


def recalibrate_run(
    run: RunDirectory,
    reals: str | os.PathLike[str] | np.ndarray,
    *,
    false_positive_rate: float | None = None,
) -> Calibration:
    """Calibrates a run's detector on the user's own reals and writes it back.

    Args:
        run: A run with a detector.
        reals: What `dcgan.load_images` loads: images as the detector will meet them, none of which it
            was trained on.
        false_positive_rate: Bound on the share of such reals called fake. Defaults to the one that the
            detector was fitted with.

    Returns:
        The calibration.

    Raises:
        InputError: If the run has no detector, the images cannot be used, or they are too few for the
            rate.
    """
    files = detector_files.DetectorFiles(run)
    detector = detector_files.load(files.detector)
    settings = files.load_settings()
    left_out = files.load_left_out()
    size, _, channels = detector.image_shape
    images = data.load_images(reals, split="all", image_size=size, channels=channels).images
    rate = settings.false_positive_rate if false_positive_rate is None else false_positive_rate
    # Before the scoring, which takes long for many images.
    threshold.check_count(len(images), rate)
    new = threshold.calibrate(
        detector.raw_scores(images),
        left_out.logits,
        fake_origins=left_out.origins,
        false_positive_rate=rate,
        miss_rate=settings.miss_rate,
    )
    detector.calibrate(new)
    detector_files.save(detector, files.detector)
    return new
