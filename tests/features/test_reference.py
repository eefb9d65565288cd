import dataclasses

import numpy as np
import pytest

from dcgan import images as pixels
from dcgan.features import Reference, reference
from dcgan.metrics import Real, evaluate_features


@pytest.fixture
def real(make_pixels):
    return make_pixels(700, seed=1)


@pytest.fixture
def other(make_pixels):
    return make_pixels(300, seed=2)


@pytest.fixture
def fakes(make_pixels):
    return make_pixels(120, seed=3, brightest=200)


def _counted(extractor):
    calls = []

    def extract(images):
        calls.append(len(images))
        return extractor.extract(images)

    return dataclasses.replace(extractor, extract=extract), calls


def test_scores_are_those_of_evaluate_features(block_extractor, real, fakes):
    found = Reference.compute(real, block_extractor, fake_count=120, seed=4).evaluate(fakes)
    expected = evaluate_features(
        Real.of(block_extractor.embed(real)), block_extractor.embed(fakes), features="blocks", seed=4
    )
    assert found.keys() == expected.keys()
    for name, score in expected.items():
        assert found[name].value == pytest.approx(score.value, rel=1e-9)
        assert dataclasses.replace(found[name], value=score.value) == score


def test_distances_are_the_same_figures(block_extractor, real, other, fakes):
    measured = Reference.compute(real, block_extractor, floor_images=other, fake_count=120)
    everything = measured.evaluate(fakes)
    distances = measured.distances(fakes)
    assert set(distances) == {"frechet_distance", "kid"}
    for name, score in distances.items():
        assert score == everything[name]
        assert score.floor is not None


def test_the_floor_is_far_below_fakes_that_differ(block_extractor, real, other, fakes):
    measured = Reference.compute(real, block_extractor, floor_images=other, fake_count=120)
    score = measured.distances(fakes)["frechet_distance"]
    assert score.floor < score.value / 5


def test_floats_are_rounded_as_real_images_are(block_extractor, real, fakes):
    measured = Reference.compute(real, block_extractor, fake_count=120)
    floats = pixels.to_float(fakes) + np.float32(0.001)
    assert measured.distances(floats) == measured.distances(fakes)


def test_identical_figures_when_run_twice(tmp_path, block_extractor, real, other, fakes):
    options = {"floor_images": other, "fake_count": 120, "seed": 6, "cache_dir": tmp_path}
    first = Reference.compute(real, block_extractor, **options).evaluate(fakes)
    extractor, calls = _counted(block_extractor)
    again = Reference.compute(real, extractor, **options)
    assert calls == []
    assert again.evaluate(fakes) == first


@pytest.mark.parametrize("change", ["images", "digest", "floor", "count", "seed"])
def test_the_cache_tells_apart(tmp_path, block_extractor, real, other, change):
    def compute(extractor, changed):
        Reference.compute(
            real[:-1] if changed == "images" else real,
            dataclasses.replace(extractor, digest="blocks-2") if changed == "digest" else extractor,
            floor_images=None if changed == "floor" else other,
            fake_count=121 if changed == "count" else 120,
            seed=int(changed == "seed"),
            cache_dir=tmp_path,
        )

    compute(block_extractor, None)
    extractor, calls = _counted(block_extractor)
    compute(extractor, change)
    assert calls


def test_a_feature_extractor_without_a_digest_is_not_cached(tmp_path, block_extractor, real):
    extractor = dataclasses.replace(block_extractor, digest="")
    Reference.compute(real, extractor, fake_count=120, cache_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_moments_take_all_images_and_the_rest_a_part(monkeypatch, block_extractor, real, fakes):
    monkeypatch.setattr(reference, "_KEPT", 50)
    measured = Reference.compute(real, block_extractor, fake_count=120)
    assert measured.statistics.real.kept.count == 50
    assert measured.statistics.real.moments.count == 700
    everything = {row.tobytes() for row in block_extractor.embed(real).features}
    kept = {row.tobytes() for row in measured.statistics.real.kept.features}
    assert len(kept) == 50
    assert kept <= everything
    scores = measured.distances(fakes)
    assert scores["frechet_distance"].real_count == 700
    assert scores["kid"].real_count == 50


def test_rejects_another_number_of_fakes(block_extractor, real, fakes):
    measured = Reference.compute(real, block_extractor, fake_count=100)
    with pytest.raises(ValueError, match="Expected 100 fakes"):
        measured.distances(fakes)


def test_rejects_too_few_images_for_the_floor(block_extractor, real, other):
    with pytest.raises(ValueError, match="fakes, 301"):
        Reference.compute(real, block_extractor, floor_images=other, fake_count=301)
