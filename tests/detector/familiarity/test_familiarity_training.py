import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dcgan.detector.familiarity import familiarity_model, familiarity_training
from dcgan.images import to_float

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(pool, reals):
    model = familiarity_training.train(reals.train, pool, steps=60)
    familiarity_training.calibrate(model, reals.calibration, pool.images)
    return model


def _values(model, images):
    return model(to_float(images)).numpy()


def test_images_of_the_kind_are_familiar_and_others_are_not(trained, spots, spoiled):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (100, 12, 12, 1), np.uint8)
    inverted = 255 - spots(100, 30)
    for known in (spots(100, 31), spoiled(100, "checks", 32)):
        assert (_values(trained, known) < 0.01).mean() <= 0.05
        for strange in (noise, inverted):
            labels = np.repeat([0, 1], 100)
            logits = -_values(trained, np.concatenate([known, strange]))
            assert roc_auc_score(labels, logits) > 0.95
    assert (_values(trained, inverted) < 0.01).mean() > 0.8


def test_reals_and_fakes_are_two_sets(trained, pool, reals):
    quantiles = familiarity_model.p_values(trained).quantiles.numpy()
    assert quantiles.shape == (2, 1_023)
    # 150 reals are sent through several deliveries each, until there are 1,000 scores.
    order = np.resize(np.random.default_rng(0).permutation(150), 1_000)
    delivered = familiarity_training.deliver_all(reals.calibration[order])
    logits = np.sort(familiarity_model.strangeness(trained)(to_float(delivered)).numpy()[:, 0])
    np.testing.assert_allclose(quantiles[0, 511], logits[501 - 1], rtol=1e-3, atol=1e-3)
    assert (quantiles[1] != quantiles[0]).any()


def test_recalibration_changes_the_reals_only(pool, reals):
    model = familiarity_training.train(reals.train, pool, steps=1)
    familiarity_training.calibrate(model, reals.calibration, pool.images)
    before = familiarity_model.p_values(model).quantiles.numpy()
    familiarity_training.recalibrate(model, reals.test[:50])
    after = familiarity_model.p_values(model).quantiles.numpy()
    assert (after[0] != before[0]).any()
    np.testing.assert_array_equal(after[1], before[1])


def test_training_is_repeatable_and_reports_progress(pool, reals):
    seen = []
    first = familiarity_training.train(reals.train, pool, steps=2, progress=lambda *at: seen.append(at))
    again = familiarity_training.train(reals.train, pool, steps=2)
    other = familiarity_training.train(reals.train, pool, steps=2, seed=1)
    assert seen == [("familiarity", 0.5), ("familiarity", 1.0)]
    kernels = [model.layers[1].kernel.numpy() for model in (first, again, other)]
    np.testing.assert_allclose(kernels[0], kernels[1], atol=1e-6)
    assert (kernels[0] != kernels[2]).any()


def test_each_image_is_delivered_once(spots):
    images = spots(80, 0)
    delivered = familiarity_training.deliver_all(images)
    assert delivered.shape == images.shape
    # "as they are" is one of the deliveries, every other changes something in most images.
    same = (delivered == images).all(axis=(1, 2, 3))
    assert same[0]
    assert 2 <= same.sum() < 30
    assert len(familiarity_training.deliver_all(images[:0])) == 0
