import numpy as np
import pytest

from dcgan import metrics
from dcgan.metrics import Embedding, Moments, Real, evaluate_features, floor_values


def _split(embedding):
    return embedding.take(np.arange(0, 300, 2)), embedding.take(np.arange(1, 300, 2))


@pytest.fixture
def sets(normal_features, class_probabilities):
    real, fake = normal_features
    labelled = np.concatenate([class_probabilities, class_probabilities[:50]])
    return Embedding(real, labelled), Embedding(fake, class_probabilities[::-1])


def test_every_metric_is_there_with_its_record(sets):
    real, fake = sets
    scores = evaluate_features(Real.of(real), fake, features="blocks", seed=5)
    assert set(scores) == set(metrics.HIGHER_IS_BETTER)
    for name, score in scores.items():
        assert score.name == name
        assert (score.features, score.seed, score.floor) == ("blocks", 5, None)
        assert (score.real_count, score.fake_count) == (300, 250)
    assert {name for name, score in scores.items() if score.spread is not None} == {
        "kid",
        "classifier_score",
    }


def test_values_are_those_of_the_functions(sets):
    real, fake = sets
    scores = evaluate_features(Real.of(real), fake, features="blocks", seed=5)
    found = {name: score.value for name, score in scores.items()}
    near = metrics.neighborhood(real.features, fake.features)
    assert found == {
        "frechet_distance": metrics.frechet_distance(
            Moments.of(real.features), Moments.of(fake.features)
        ),
        "kid": metrics.kernel_inception_distance(real.features, fake.features, seed=5)[0],
        **near._asdict(),
        "class_divergence": metrics.class_divergence(real.probabilities, fake.probabilities),
        "class_entropy": metrics.entropy(metrics.class_shares(fake.probabilities)),
        "classifier_score": metrics.classifier_score(fake.probabilities, seed=5)[0],
    }


def test_distances_alone_are_the_same(sets):
    real, fake = Real.of(sets[0]), sets[1]
    scores = evaluate_features(real, fake, features="blocks")
    distances = evaluate_features(real, fake, features="blocks", distances_only=True)
    assert distances == {name: scores[name] for name in ("frechet_distance", "kid")}


def test_without_classes(normal_features):
    real, fake = map(Embedding, normal_features)
    scores = evaluate_features(Real.of(real), fake, features="blocks")
    assert "frechet_distance" in scores
    assert "classifier_score" not in scores


def test_the_floor_is_what_real_images_get_in_the_fakes_place(sets):
    real, fake = sets
    mine, other = _split(real)
    fake = fake.take(np.arange(100))
    mine = Real.of(mine)
    floor = floor_values(mine, other, count=100, seed=2)
    scores = evaluate_features(mine, fake, features="blocks", seed=2, floor=floor)
    swapped = evaluate_features(mine, other.sample(100, seed=2), features="blocks", seed=2)
    for name, score in scores.items():
        assert score.floor == swapped[name].value
    assert scores["frechet_distance"].floor < scores["frechet_distance"].value


def test_the_floor_needs_as_many_images_as_fakes(sets):
    real, fake = sets
    mine, other = _split(real)
    with pytest.raises(ValueError, match="fakes, 250"):
        floor_values(Real.of(mine), other, count=fake.count)
