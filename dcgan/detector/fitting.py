"""From a run to its detector: fakes collected, networks trained, scores calibrated, files written."""

import dataclasses
import functools

import keras
import numpy as np

from dcgan import sampling
from dcgan.detector import threshold, training_batches
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import DetectorFiles, LeftOut
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes import collection
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.muon import Muon
from dcgan.detector.reals import Reals
from dcgan.detector.step_counter import Progress, StepCounter
from dcgan.runs.run_directory import RunDirectory

_WARM_UP = 0.08
_BETA_2 = 0.99
# Images that show which values statistics take.
_ADAPTED = 4_000
# Every so many fakes of a generator are not trained on, so that their scores show what was learned.
_CHECKED = 10
_LEFT_OUT_FAKES = 1_000


@dataclasses.dataclass(frozen=True)
class Fitted:
    """What `fit` leaves.

    Attributes:
        detector: Calibrated.
        folds: By family, the detector that has not learned from that family.
        pool: The fakes.
        left_out: What the calibration rests on.
    """

    detector: Detector
    folds: dict[str, Detector]
    pool: FakePool
    left_out: LeftOut


def fit_run(
    run: RunDirectory,
    *,
    false_positive_rate: float | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Fitted:
    """Fits a run's detector and writes it into the run.

    Args:
        run: A trained run.
        false_positive_rate: Bound on the share of reals called fake. Defaults to 0.01, or to
            the lowest rate that so many calibration images can promise.
        seed: Of everything random. Defaults to 0.
        progress: Called after each step. Defaults to None.

    Returns:
        The detector and what it was made of.

    Raises:
        InputError: If the run has no model yet, or its images cannot be used.

    Example:
        >>> fitted = fit_run(RunDirectory.open("runs/mnist"))
        >>> fitted.detector.score(images)["p_fake"]
    """
    config = run.load_config()
    model = sampling.load_model(run.newest_model())
    reals = Reals.load(config)
    rate = _default_rate(len(reals.calibration)) if false_positive_rate is None else false_positive_rate
    threshold.check_count(len(reals.calibration), rate)
    settings = DetectorConfig.for_run(
        config,
        images=len(reals.train),
        seed=seed,
        false_positive_rate=rate,
    )
    counter = StepCounter(progress)
    counter.begin("fakes", collection.steps(settings))
    pool = collection.collect(
        run, model, reals.train, config=config, settings=settings, on_step=counter.step
    )
    fitted = fit(model.discriminator, pool, reals, settings=settings, progress=progress)
    DetectorFiles(run).save(
        fitted.detector,
        folds=fitted.folds,
        pool=pool,
        left_out=fitted.left_out,
        settings=settings,
    )
    return fitted


def fit(
    discriminator: keras.Model,
    pool: FakePool,
    reals: Reals,
    *,
    settings: DetectorConfig | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Fits a detector on a trained discriminator and a pool of fakes.

    Besides the detector itself, one network is trained for each family of fakes, briefly and without
    that family; how much worse they tell it is what calibrates the detector for families it has not
    seen.

    Args:
        discriminator: From images to logits, positive for real; it is left as it is.
        pool: The fakes.
        reals: Their `train` part is learned from, their `calibration` part sets the threshold.
        settings: Defaults to `DetectorConfig()`.
        progress: Called after each step. Defaults to None.

    Returns:
        The detector and what it was made of.

    Raises:
        InputError: If there are too few reals for the false positive rate.
    """
    settings = settings or DetectorConfig()
    threshold.check_count(len(reals.calibration), settings.false_positive_rate)
    counter = StepCounter(progress)
    counter.begin("detector", settings.steps)
    seen = pool.where(_seen(pool))
    detector = _train(discriminator, reals, seen, settings, steps=settings.steps, counter=counter)
    families = np.unique(pool.families).tolist()
    counter.begin("calibration", settings.fold_steps * len(families))
    folds = {
        family: _train(
            discriminator,
            reals,
            seen.where(seen.families != family),
            settings,
            steps=settings.fold_steps,
            counter=counter,
        )
        for family in families
        if (seen.families != family).any()
    }
    left_out = _score_left_out(detector, folds, pool, reals, seed=settings.seed)
    detector.calibrate(
        threshold.calibrate(
            detector.raw_scores(reals.calibration),
            left_out.logits,
            fake_origins=left_out.origins,
            false_positive_rate=settings.false_positive_rate,
            miss_rate=settings.miss_rate,
        )
    )
    return Fitted(detector, folds, pool, left_out)


def _default_rate(reals: int) -> float:
    """The default of `DetectorConfig`, or the lowest rate that so many reals can promise."""
    return max(DetectorConfig.false_positive_rate, 1 / (reals + 1))


def _train(
    discriminator: keras.Model,
    reals: Reals,
    pool: FakePool,
    settings: DetectorConfig,
    *,
    steps: int,
    counter: StepCounter,
) -> Detector:
    build = functools.partial(
        Detector.from_discriminator, discriminator, width=settings.width, seed=settings.seed
    )
    learner = build()
    dataset = training_batches.training_batches(
        reals.train, pool, batch_size=settings.batch_size, seed=settings.seed
    )
    some = [images.numpy() for images, _ in dataset.take(_ADAPTED // settings.batch_size + 1)]
    learner.adapt(np.concatenate(some))
    rising = max(1, int(_WARM_UP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        max(1, steps - rising),
        warmup_target=settings.learning_rate,
        warmup_steps=rising,
    )
    learner.compile(Muon(rate, beta_2=_BETA_2))
    learner.fit(
        dataset,
        steps_per_epoch=steps,
        callbacks=[counter.callback()],
        verbose=0,
        shuffle=False,
    )
    # Without the optimizer's averages, which a file would hold as well.
    detector = build()
    detector.classifier.set_weights(learner.classifier.get_weights())
    return detector


def _seen(pool: FakePool) -> np.ndarray:
    """Which fakes are learned from, shape (count,), bool."""
    return np.arange(len(pool.images)) % _CHECKED != 0


def _score_left_out(
    detector: Detector, folds: dict[str, Detector], pool: FakePool, reals: Reals, *, seed: int
) -> LeftOut:
    """Scores fakes that were not trained on, half of them histogram-matched.

    Each counts twice: as the detector scores it, which is what a generator of a known family gets, and
    with its distance from the reals reduced as a generator's of an unknown family would be. How much
    that is the briefly trained networks tell: those that were kept from a family beside the others.
    """
    held_back = pool.where(~_seen(pool))
    known = _score_fakes(detector, held_back, reals, seed=seed)
    kept = {
        family: _share_kept(family, folds, held_back.where(held_back.families == family), reals)
        for family in folds
    }
    families = dict(zip(pool.origins.tolist(), pool.families.tolist(), strict=True))
    shares = np.array([kept.get(families[origin], 1.0) for origin in known.origins.tolist()])
    middle = np.mean(detector.raw_scores(reals.calibration))
    unknown = middle + shares * (known.logits - middle)
    return LeftOut(np.concatenate([known.logits, unknown]), np.tile(known.origins, 2))


def _share_kept(family: str, folds: dict[str, Detector], pool: FakePool, reals: Reals) -> float:
    """What is left of a family's distance from the reals where it was not learned from; at most 1."""
    others = [_distance(fold, pool, reals) for name, fold in folds.items() if name != family]
    if not others:
        return 1.0
    return float(np.clip(_distance(folds[family], pool, reals) / np.mean(others), 0.0, 1.0))


def _distance(detector: Detector, pool: FakePool, reals: Reals) -> float:
    """How far apart the mean scores of fakes and reals are, in standard deviations of the reals'."""
    real = detector.raw_scores(reals.calibration)
    fake = _score_fakes(detector, pool, reals, seed=0).logits
    return max(1e-6, float((fake.mean() - real.mean()) / max(float(real.std()), 1e-6)))


def _score_fakes(detector: Detector, pool: FakePool, reals: Reals, *, seed: int) -> LeftOut:
    """Scores at most some of a pool's fakes, every other one histogram-matched."""
    order = np.random.default_rng(seed).permutation(len(pool.images))[:_LEFT_OUT_FAKES]
    part = pool.where(order)
    plain, matched = part.images[::2], part.histogram_matched(reals.train, seed=seed)[1::2]
    logits = [detector.raw_scores(images) for images in (plain, matched)]
    return LeftOut(np.concatenate(logits), np.concatenate([part.origins[::2], part.origins[1::2]]))
