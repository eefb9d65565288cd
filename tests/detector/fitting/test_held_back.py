import numpy as np
import pytest

from dcgan.data import ImageSet, Partition, indexed_images
from dcgan.detector.fitting import held_back
from dcgan.detector.inputs.reals import Reals
from dcgan.detector.threshold import Scores

_NAMES = ["as they are", "jpeg 75"]


class Watched(indexed_images.IndexedImages):
    """Images of a mapped file, of which it is noted how many are read at once."""

    most = 0

    def take(self, rows):
        return Watched(self._source, self._rows[rows], hashes=self._hashes)

    def __getitem__(self, index):
        pixels = super().__getitem__(index)
        Watched.most = max(Watched.most, len(pixels) if pixels.ndim == 4 else 1)
        return pixels


class Brightness:
    """Stands for a detector."""

    def raw_scores(self, images):
        return images.mean(axis=(1, 2, 3))


@pytest.fixture
def held_out(monkeypatch):
    """Images of 8 x 8 pixels that are read 100 at once."""
    monkeypatch.setattr(indexed_images, "_PART_BYTES", 100 * 64)
    monkeypatch.setattr(Watched, "most", 0)
    pixels = np.random.default_rng(0).integers(0, 256, (500, 8, 8, 1), np.uint8)
    return Watched(pixels, np.arange(500), hashes=np.arange(500, dtype=np.uint64))


def _score(images):
    nothing = np.zeros(0, np.float32)
    former = Scores(nothing[None], np.array(_NAMES[:1]), nothing, nothing, nothing)
    return held_back.score_reals(Brightness(), former, images, names=_NAMES, seed=3)


def test_held_out_images_are_never_all_in_memory(held_out):
    images = ImageSet("faces", "all", held_out)
    reals = Reals.of(Partition(images, images.take(np.arange(100)), images, seen=False))
    assert [len(reals.calibration), len(reals.test)] == [250, 250]
    scores = _score(reals.calibration)
    assert scores.delivered_reals.shape == (2, 250)
    assert scores.reals.shape == (250,)
    assert Watched.most == 100


def test_parts_score_as_the_whole_does(held_out, monkeypatch):
    parts = _score(held_out)
    monkeypatch.setattr(indexed_images, "_PART_BYTES", 2**27)
    whole = _score(np.asarray(held_out))
    np.testing.assert_array_equal(parts.delivered_reals, whole.delivered_reals)
    # Other chains are drawn, of the same kinds.
    assert parts.reals[:10] != pytest.approx(whole.reals[:10])
    assert parts.reals.mean() == pytest.approx(whole.reals.mean(), abs=2.0)
