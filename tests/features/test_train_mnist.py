import json
import pathlib

import numpy as np
import pytest

from dcgan import data, features
from dcgan.features import train_mnist
from dcgan.metrics import Moments, class_shares, frechet_distance

WEIGHTS = pathlib.Path(features.__file__).with_name("weights")
HALVES = (slice(0, 300), slice(300, 600))


def test_the_shipped_extractor_knows_digits(mnist_extractor, mnist_test):
    embedding = mnist_extractor.embed(mnist_test.images)
    accuracy = np.mean(embedding.probabilities.argmax(axis=1) == mnist_test.labels)
    assert accuracy >= 0.995
    assert mnist_extractor.accuracy == pytest.approx(accuracy, abs=3e-4)
    assert embedding.features.shape == (10_000, 64)
    # Normalised over the train split, so nearly so over the test split.
    np.testing.assert_allclose(embedding.features.mean(axis=0), 0, atol=0.3)
    np.testing.assert_allclose(embedding.features.std(axis=0), 1, atol=0.3)
    shares = np.bincount(mnist_test.labels) / 10_000
    np.testing.assert_allclose(class_shares(embedding.probabilities), shares, atol=2e-3)


def test_its_record(mnist_extractor):
    assert mnist_extractor.name == "mnist"
    assert mnist_extractor.trained_on == "mnist:train"
    record = json.loads((WEIGHTS / "mnist.json").read_text())
    assert record["digest"] == mnist_extractor.digest
    assert record["accuracy"] >= 0.995


def test_it_travels_light():
    assert (WEIGHTS / "mnist.keras").stat().st_size <= 1_000_000


def test_noise_is_far_from_digits(mnist_extractor, mnist_test, make_pixels):
    real, other = (mnist_extractor.embed(mnist_test.images[part]).features for part in HALVES)
    noise = mnist_extractor.embed(make_pixels(300, size=28)).features
    floor = frechet_distance(Moments.of(real), Moments.of(other))
    assert frechet_distance(Moments.of(real), Moments.of(noise)) > 10 * floor


def test_the_script_trains_and_saves_the_same_kind(tmp_path, monkeypatch, mnist_test, capsys):
    asked = []

    def small(name, *, split, **options):
        asked.append((name, split))
        return data.ImageSet(name, split, mnist_test.images[:256], mnist_test.labels[:256])

    monkeypatch.setattr(data, "load_images", small)
    train_mnist.main(["--epochs", "1", "--output", str(tmp_path / "mnist.keras")])
    assert asked == [("mnist", "train"), ("mnist", "test")]
    extractor = features.load(tmp_path / "mnist.keras")
    assert extractor.trained_on == "mnist:train"
    assert f"{extractor.accuracy:.2%}" in capsys.readouterr().out
