import keras
import numpy as np
import pytest

from dcgan import features
from dcgan.config import NetworkConfig, RunConfig
from dcgan.data import ImageSet
from dcgan.errors import InputError
from dcgan.features import keras_extractor, learned
from dcgan.system import progress


@pytest.fixture(scope="module")
def digits(mnist_test):
    """600 digits."""
    return ImageSet("digits", "train", mnist_test.images[:600], mnist_test.labels[:600])


def _fit(images, labels, *, name, trained_on, **options):
    """Takes the place of what needs seconds; the mean brightness is learned."""
    inputs = keras.Input(images.shape[1:])
    layer = keras.layers.BatchNormalization(center=False, scale=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.full(images.shape[-1], np.mean(images)), np.ones(images.shape[-1])])
    return keras_extractor.extractor_from_model(model, name=name, trained_on=trained_on)


@pytest.fixture
def quick(monkeypatch):
    """Learns from 500 images on, in no time."""
    monkeypatch.setattr(learned, "FEWEST", 500)
    monkeypatch.setattr(learned.feature_training, "fit_extractor", _fit)


@pytest.mark.parametrize(
    ("data", "image_size", "channels", "expected"),
    [
        ("mnist", 28, 1, "mnist"),
        ("tfds:mnist", 28, 1, "mnist"),
        ("mnist", 32, 1, "learned"),
        ("mnist", 28, 3, "learned"),
        ("fashion_mnist", 28, 1, "learned"),
        ("/images/mnist", 28, 1, "learned"),
    ],
)
def test_the_extractor_that_fits_data(data, image_size, channels, expected):
    assert features.for_data(data, image_size=image_size, channels=channels) == expected


@pytest.mark.parametrize(("extractor", "data"), [("auto", "mnist"), ("random", "faces")])
def test_the_extractor_of_a_run(extractor, data, digits):
    expected = {"auto": "mnist"}.get(extractor, extractor)
    assert features.for_run(RunConfig(features=extractor, data=data), digits).name == expected


def test_a_run_may_want_none(digits):
    assert features.for_run(RunConfig(features="none"), digits) is None


def test_a_run_may_name_a_file(tmp_path, digits):
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]).save(tmp_path / "mine.keras")
    assert features.for_run(RunConfig(features=str(tmp_path / "mine.keras")), digits).name == "mine"


def test_a_feature_extractor_of_another_shape_is_one_line(digits):
    config = RunConfig(features="mnist", network=NetworkConfig(image_size=32))
    with pytest.raises(InputError, match=r"features mnist: .*\(32, 32, 1\); it takes \(28, 28, 1\)"):
        features.for_run(config, digits)


# Learned features


def test_a_run_learns_once_and_keeps_what_it_learned(quick, digits, tmp_path, monkeypatch):
    config = RunConfig(data="digits", features="auto")
    first = features.for_run(config, digits, cache_dir=tmp_path)
    assert (first.name, first.image_shape, first.accuracy) == ("learned", (28, 28, 1), None)
    assert first.trained_on == "digits:600 images that the run trains on, with their labels"
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".keras"]
    monkeypatch.setattr(learned, "_learn", None)
    again = features.for_run(config, digits, cache_dir=tmp_path)
    assert (again.name, again.digest, again.trained_on) == (first.name, first.digest, first.trained_on)
    np.testing.assert_array_equal(*(e.embed(digits.images[:9]).features for e in (first, again)))


def test_what_was_learned_from_other_images_is_not_taken(quick, digits, tmp_path):
    first, other = (
        learned.load_learned(images, cache_dir=tmp_path)
        for images in (digits, digits.take(np.arange(10, 600)))
    )
    assert first.digest != other.digest


def test_damaged_and_half_written_extractors_are_learned_again(quick, digits, tmp_path):
    first = learned.load_learned(digits, cache_dir=tmp_path)
    (model,) = tmp_path.glob("*.keras")
    model.write_bytes(model.read_bytes()[:1000])
    assert learned.load_learned(digits, cache_dir=tmp_path).digest == first.digest
    model.with_suffix(".json").unlink()
    found = learned.load_learned(digits, cache_dir=tmp_path)
    assert (found.digest, found.trained_on) == (first.digest, first.trained_on)


@pytest.mark.slow
def test_labels_are_learned(monkeypatch, mnist_test):
    monkeypatch.setattr(learned, "FEWEST", 500)
    monkeypatch.setattr(learned, "STEPS", 2)
    names = tuple("abcdefghij")
    images = ImageSet("digits", "all", mnist_test.images[:600], mnist_test.labels[:600], names)
    extractor = learned.load_learned(images)
    assert extractor.embed(images.images[:5]).probabilities.shape == (5, 10)
    assert extractor.trained_on == "digits:600 images that the run trains on, with their labels"


@pytest.mark.parametrize("labels", [None, np.zeros(600, int), np.arange(600), np.arange(600) % 2 - 1])
def test_without_classes_features_are_random(quick, digits, labels):
    assert learned.load_learned(ImageSet("digits", "train", digits.images, labels)).name == "random"


def test_few_images_fall_back_to_random_features(quick, digits, caplog):
    few = ImageSet("few", "train", digits.images[:499], digits.labels[:499])
    assert learned.load_learned(few).name == "random"
    assert "few: 499 images are too few to learn features from, which takes 500" in caplog.text


def test_nothing_is_learned_where_nothing_is_measured(quick):
    assert features.for_run(RunConfig(features="learned"), None).name == "random"


@pytest.mark.slow
def test_tells_how_far_learning_has_come(digits, monkeypatch):
    monkeypatch.setattr(learned, "FEWEST", 500)
    monkeypatch.setattr(learned, "STEPS", 10)
    small, told = ImageSet("small", "train", digits.images[:, 6:22, 6:22], digits.labels), []
    with progress.listening(lambda part, share, begun: told.append((part, round(8 * share, 6)))):
        learned.load_learned(small)
    assert told == [("learning features", step) for step in range(1, 9)]
