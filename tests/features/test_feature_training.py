import numpy as np
import pytest

from dcgan.features import feature_training, fit_extractor


def _squares_and_bars(count, *, size=28, channels=1, seed=0):
    """Bright squares, upright and lying bars, at random places on noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (count, size, size, channels), dtype=np.uint8)
    labels = rng.integers(0, 3, count)
    for image, label in zip(images, labels, strict=True):
        height, width = [(9, 9), (18, 4), (4, 18)][label]
        top, left = rng.integers(2, size - 20, 2)
        image[top : top + height, left : left + width] = 230
    return images, labels


@pytest.mark.slow
def test_learns_what_it_is_shown():
    images, labels = _squares_and_bars(768)
    extractor = fit_extractor(
        images, labels, name="shapes", trained_on="shapes:train", epochs=8, batch_size=32, seed=1
    )
    assert extractor.measure_accuracy(*_squares_and_bars(300, seed=1)) > 0.97
    assert (extractor.name, extractor.trained_on) == ("shapes", "shapes:train")
    assert extractor.image_shape == (28, 28, 1)


@pytest.mark.slow
def test_colour_and_fewer_images_than_a_batch(monkeypatch):
    images, labels = _squares_and_bars(20, size=32, channels=3)
    labels[:4] = 3
    schedule, planned = feature_training._schedule, []

    def make(steps):
        planned.append(steps)
        return schedule(steps)

    monkeypatch.setattr(feature_training, "_schedule", make)
    extractor = fit_extractor(images, labels, name="few", trained_on="", epochs=2)
    # The learning rate falls over both epochs of a single step.
    assert planned == [2]
    assert [float(schedule(50)(step)) for step in (0, 50)] == [0, 0]
    assert float(schedule(50)(25)) > 0
    embedding = extractor.embed(images)
    assert embedding.features.shape == (20, 64)
    assert embedding.probabilities.shape == (20, 4)


@pytest.mark.slow
@pytest.mark.usefixtures("deterministic")
def test_the_same_seed_gives_the_same_extractor():
    images, labels = _squares_and_bars(64)
    options = {"name": "x", "trained_on": "", "epochs": 1, "batch_size": 32}
    digests = [fit_extractor(images, labels, seed=seed, **options).digest for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((4, 28, 28), "uint8"),
        ((4, 28, 32, 1), "uint8"),
        ((4, 12, 12, 1), "uint8"),
        ((4, 260, 260, 1), "uint8"),
        ((4, 28, 28, 2), "uint8"),
        ((4, 28, 28, 1), "float32"),
    ],
)
def test_rejects_other_images(shape, dtype):
    with pytest.raises(ValueError, match="size 16 to 256"):
        fit_extractor(np.zeros(shape, dtype), np.array([0, 1, 0, 1]), name="x", trained_on="")


@pytest.mark.parametrize(
    "labels", [[0, 1, 0], [[0], [1], [0], [1]], [0.0, 1.0, 0.0, 1.0], [0, 0, 0, 0], [-1, 1, 0, 1]]
)
def test_rejects_other_labels(labels):
    images = np.zeros((4, 28, 28, 1), np.uint8)
    with pytest.raises(ValueError, match="Expected"):
        fit_extractor(images, np.array(labels), name="x", trained_on="")
