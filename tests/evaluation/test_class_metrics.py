import dataclasses
import json
import types

import numpy as np
import pytest

from dcgan import DCGAN, metrics, presets
from dcgan.config import RunConfig
from dcgan.evaluation import class_metrics, evaluate, report_parts
from dcgan.metrics import Embedding


class Extractor:
    """Features of an image are its first pixels; notes how many images it saw."""

    def __init__(self):
        self.seen = []

    def embed(self, images):
        self.seen.append(len(images))
        return Embedding(images[:, 0, :6, 0].astype(float))


def image_set(labels, *, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 8, 8, 1), np.uint8)
    return types.SimpleNamespace(images=pixels, labels=labels, class_names=("cat", "dog", "cow"))


def make_run(test, train):
    return types.SimpleNamespace(
        model=types.SimpleNamespace(classes=3),
        extractor=Extractor(),
        test=image_set(test, seed=0),
        train=image_set(train, seed=1),
        seed=0,
    )


def test_classes_with_enough_images_are_measured_against_their_own():
    test, train = np.repeat([0, 1, 2], [120, 110, 99]), np.repeat([2, 1, 0], [700, 600, 500])
    run, labels = make_run(test, train), np.repeat([0, 1, 2], [300, 105, 300])
    samples = run.extractor.embed(image_set(labels, seed=2).images)
    found = class_metrics.measure(run, labels, samples)
    # There are 99 held-out images of the last class.
    assert [(each.label, each.name, each.count) for each in found] == [(0, "cat", 120), (1, "dog", 105)]
    own = np.flatnonzero(labels == 1)
    rows, *_ = class_metrics._choose((labels, test, train), 1, most=500, seed=0)
    np.testing.assert_array_equal(rows, own)
    _, real, floor = class_metrics._choose((labels, test, train), 1, most=500, seed=0)
    assert set(test[real]) == set(train[floor]) == {1}
    real, floor = run.test.images[real, 0, :6, 0] / 1.0, run.train.images[floor, 0, :6, 0] / 1.0
    near = metrics.neighborhood(real, samples.features[own])
    assert found[1].precision.value == near.precision
    assert found[1].recall.value == near.recall
    assert found[1].kid.floor == metrics.kernel_inception_distance(real, floor, seed=0)[0]


def test_no_class_takes_more_than_its_share_of_the_time():
    labels = np.repeat([0, 1], 3000)
    run = make_run(labels, labels)
    found = class_metrics.measure(run, labels, run.extractor.embed(image_set(labels, seed=2).images))
    assert [each.count for each in found] == [500, 500]
    assert run.extractor.seen[1:] == [500] * 4


@pytest.mark.parametrize("missing", ["samples", "test", "train"])
def test_without_labels_there_are_no_classes(missing):
    labels = np.repeat([0, 1], 200)
    run = make_run(labels, labels)
    if missing != "samples":
        getattr(run, missing).labels = None
    assert class_metrics.measure(run, None if missing == "samples" else labels, None) == []


@pytest.fixture
def conditional_run(run, tmp_path):
    """A conditional run on labelled noise, of whose classes one has enough images."""
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 28, 28, 1), np.uint8)
    labels = np.where(np.arange(2000) % 4 == 0, 1, 0)
    np.savez(tmp_path / "labelled.npz", images=pixels, labels=labels)
    config = presets.override(
        RunConfig.load(run / "config.json"),
        data=str(tmp_path / "labelled.npz"),
        network={"classes": 2},
    )
    config.save(run / "config.json")
    model = DCGAN.from_preset(config, total_steps=44)
    model.class_counts.assign([3, 1])
    model.save(run / "dcgan.keras")
    return run


@pytest.mark.slow
def test_a_conditional_run_is_reported_by_class(conditional_run, quick_extractor):
    told = []
    report = evaluate(
        conditional_run, features=quick_extractor, progress=lambda *each: told.append(each)
    )
    assert ("classes", 1.0) in told
    (measured,) = report.by_class
    assert (measured.label, measured.name) == (0, "0")
    assert 100 <= measured.count <= 200
    assert np.mean(report.labels) == pytest.approx(0.25, abs=0.1)
    written = json.loads(report.json.read_text())["evaluation"]
    assert written["by_class"] == [dataclasses.asdict(measured)]
    page = report.html.read_text()
    assert "<h2>Samples by class</h2>" in page
    assert "A row for each class, from above: 0, 1." in page


@pytest.mark.slow
def test_an_unconditional_run_is_not(run, quick_extractor):
    report = evaluate(run, features=quick_extractor)
    assert (report.labels, report.by_class) == (None, [])
    assert "Samples by class" not in report.html.read_text()


def test_rows_of_the_report_are_classes_with_enough_samples():
    run = types.SimpleNamespace(
        model=types.SimpleNamespace(classes=3, spread_labels=lambda most: np.arange(3))
    )
    found = types.SimpleNamespace(labels=np.repeat([0, 1, 2], [8, 7, 9]))
    assert report_parts._class_rows(run, found) == [0, 2]
