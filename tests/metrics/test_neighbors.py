import tracemalloc

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from dcgan.metrics import neighborhood, neighbors


def _radii(features, k):
    searcher = NearestNeighbors(n_neighbors=k + 1).fit(features)
    return searcher.kneighbors(features)[0][:, -1]


def _by_brute_force(real, fake):
    distances = np.linalg.norm(fake[:, None] - real[None], axis=2)
    wide = distances <= _radii(real, 5)
    return (
        (distances <= _radii(real, 3)).any(axis=1).mean(),
        (distances <= _radii(fake, 3)[:, None]).any(axis=0).mean(),
        wide.sum() / (5 * len(fake)),
        wide.any(axis=0).mean(),
    )


def test_agrees_with_scikit_learn(normal_features):
    np.testing.assert_allclose(
        neighborhood(*normal_features), _by_brute_force(*normal_features), rtol=1e-12
    )


def test_agrees_across_several_blocks():
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(507, 6)), 0.8 * rng.normal(size=(433, 6)) + 100
    real = real + 100.2
    np.testing.assert_allclose(neighborhood(real, fake), _by_brute_force(real, fake), rtol=1e-12)


def test_agrees_with_torch_fidelity(normal_features):
    # prc_features_to_metric of torch-fidelity 0.4.0, neighbourhood 3.
    found = neighborhood(*normal_features)
    assert found.precision == pytest.approx(0.936, abs=1e-7)
    assert found.recall == pytest.approx(139 / 300, abs=1e-7)


def test_a_known_line():
    real = np.arange(8.0)[:, None]
    fake = np.array([0.125, 0.25, 0.375, 0.5, 0.625, 100.0, 100.125])[:, None]
    found = neighborhood(real, fake, manifold_k=1, density_k=1)
    # Real radii are 1: five fakes lie in the balls of 0 and 1, two in none. Fake radii are 0.125:
    # the real 0 lies on the edge of a ball, no other lies in any.
    assert found == pytest.approx((5 / 7, 1 / 8, 10 / 7, 2 / 8))


def test_copies_of_the_real_images_score_full(normal_features):
    real, _ = normal_features
    found = neighborhood(real, real[::-1])
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


def test_far_away_fakes_score_nothing(normal_features):
    real, _ = normal_features
    assert neighborhood(real, real + 1e3) == (0, 0, 0, 0)


def test_a_dropped_mode_costs_diversity_only():
    rng = np.random.default_rng(0)
    modes = np.array([[0.0, 0.0], [50.0, 0.0]])
    real = np.repeat(modes, 200, axis=0) + rng.normal(size=(400, 2))
    found = neighborhood(real, rng.normal(size=(400, 2)))
    assert found.precision > 0.9
    assert found.recall == pytest.approx(0.5, abs=0.1)
    assert found.coverage == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_distances_never_stand_in_memory_at_once():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(4000, 4)), rng.normal(size=(4000, 4))
    tracemalloc.start()
    neighborhood(real, fake)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4000 * 4000 * 8 / 4


def test_blocks_cover_all_rows():
    rows = np.random.default_rng(0).normal(size=(450, 3))
    blocks = list(neighbors._squared_distances(rows, rows[:7]))
    assert [block.stop for block, _ in blocks] == [200, 400, 450]
    expected = ((rows[:, None] - rows[None, :7]) ** 2).sum(axis=2)
    np.testing.assert_allclose(np.concatenate([s for _, s in blocks]), expected, atol=1e-12)


@pytest.mark.parametrize("shapes", [((5, 3), (9, 3)), ((9, 3), (5, 3)), ((9, 3), (9, 4))])
def test_rejects_sets_that_do_not_fit(shapes):
    with pytest.raises(ValueError, match="6 samples or more"):
        neighborhood(*(np.zeros(shape) for shape in shapes))
