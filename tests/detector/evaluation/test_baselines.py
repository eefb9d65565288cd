import numpy as np
from sklearn.metrics import roc_auc_score

from dcgan.detector.evaluation import baselines
from dcgan.detector.fakes.fake_pool import FakePool, Fakes


def _auroc(scorer, reals, fakes):
    return roc_auc_score(
        np.repeat([0, 1], [len(reals), len(fakes)]), scorer(np.concatenate([reals, fakes]))
    )


def test_histogram_sees_values_and_nothing_else(spots):
    reals = spots(200, 0)
    brighter = np.minimum(spots(200, 1), 255 - 30) + np.uint8(30)
    scorer = baselines.histogram_model(reals, FakePool.join([Fakes("a", "gan", brighter)]))
    assert _auroc(scorer, spots(100, 2), np.minimum(spots(100, 3), 225) + np.uint8(30)) > 0.99
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(spots(100, 3).reshape(100, -1), axis=1).reshape(100, 12, 12, 1)
    np.testing.assert_allclose(scorer(shuffled), scorer(spots(100, 3)))
