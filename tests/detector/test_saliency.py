import numpy as np
import pytest

from dcgan.detector import detector_files, saliency
from dcgan.detector.start import colour_classifier


def _correlation(first, second):
    return np.mean([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(first, second, strict=True)])


@pytest.fixture
def half_spoiled(spots):
    """Spots with checks in their left half only."""
    images = spots(20, 0).astype(int)
    images[:, :, :6, 0] += 60 * (np.indices((12, 6)).sum(0) % 2)
    return np.clip(images, 0, 255).astype(np.uint8)


@pytest.mark.slow
def test_maps_are_scaled_and_repeatable(fitted, spots):
    maps = saliency.heat_maps(fitted.detector, spots(3, 0))
    assert (maps.shape, maps.dtype) == ((3, 12, 12), np.float32)
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.max(axis=(1, 2)), 1)
    np.testing.assert_array_equal(maps, saliency.heat_maps(fitted.detector, spots(3, 0)))


@pytest.mark.slow
def test_an_image_is_explained_by_itself(fitted, spots):
    alone = saliency.heat_maps(fitted.detector, spots(4, 1)[2:3])
    np.testing.assert_allclose(saliency.heat_maps(fitted.detector, spots(4, 1))[2:3], alone, atol=1e-4)


@pytest.mark.slow
def test_random_weights_change_the_map(fitted, half_spoiled, tmp_path):
    detector_files.save(fitted.detector, tmp_path / "detector.keras")
    randomised = detector_files.load(tmp_path / "detector.keras")
    rng = np.random.default_rng(0)
    for weight in randomised.classifier.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(rng.permutation(weight.numpy().ravel()).reshape(weight.shape))
    learned = saliency.heat_maps(fitted.detector, half_spoiled)
    again = saliency.heat_maps(fitted.detector, half_spoiled, seed=1)
    random = saliency.heat_maps(randomised, half_spoiled)
    # Most of what a map shows on images so small is the image itself.
    assert _correlation(learned, again) > 0.8
    assert _correlation(learned, random) < 0.8


def test_a_blind_detector_has_nothing_to_show(make_detector, spots):
    detector = make_detector()
    detector.classifier.set_weights([0 * weight for weight in detector.classifier.get_weights()])
    assert (saliency.heat_maps(detector, spots(2, 0)) == 0).all()


@pytest.mark.slow
def test_no_images_no_maps(fitted):
    assert saliency.heat_maps(fitted.detector, np.empty((0, 12, 12, 1), np.uint8)).shape == (0, 12, 12)


@pytest.mark.parametrize("channels", [1, 3])
def test_overlay_shows_the_image_beside_its_map(channels):
    image = np.full((28, 28, channels), 100, np.uint8)
    heat = np.zeros((28, 28), np.float32)
    heat[0, 0] = 1
    picture = saliency.overlay(image, heat)
    assert (picture.shape, picture.dtype) == ((224, 448, 3), np.uint8)
    assert (picture[:, :224] == 100).all()
    assert (picture[8:, 224:] == 100).all()
    assert picture[0, 224].tolist() != [100, 100, 100]
    assert picture[0, 224, 0] > 150


@pytest.mark.slow
def test_maps_in_colour_show_where_the_evidence_is(colour_fitted):
    fitted = colour_fitted[1]
    images = fitted.reals.test[:6]
    maps = saliency.heat_maps(fitted.detector, images)
    assert (maps.shape, maps.dtype) == ((6, 16, 16), np.float32)
    assert maps.min() == 0
    assert maps.max() == 1
    # A pixel that changes changes the evidence near it only.
    changed = images.copy()
    changed[:, 0, 0] = 255 - changed[:, 0, 0]
    classifier = fitted.detector.classifier
    before, after = (colour_classifier.evidence_maps(classifier, part) for part in (images, changed))
    difference = np.abs(after - before).mean(axis=0)
    assert difference[0, 0] > 10 * difference[-1, -1]


@pytest.mark.slow
def test_the_mean_of_the_evidence_decides(colour_fitted):
    fitted = colour_fitted[1]
    classifier, images = fitted.detector.classifier, fitted.reals.test
    start, learner, _ = colour_classifier.score_branches(classifier, images).T
    evidence = classifier.get_layer("evidence")
    means, deviations = evidence.means.numpy(), evidence.deviations.numpy()
    scores = (np.stack([start, learner], axis=1) - means) / deviations
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    maps = colour_classifier.evidence_maps(classifier, images)
    np.testing.assert_allclose(maps.mean(axis=(1, 2)), (weights * scores).sum(axis=1), atol=1e-3)
