import hashlib
import io
import socket
import types
import urllib.request

import keras
import numpy as np
import pytest

from dcgan.errors import InputError
from dcgan.features import inception
from dcgan.system import environment


@pytest.mark.slow
def test_grey_and_colour_of_any_size(monkeypatch, make_pixels):
    monkeypatch.setattr(inception, "_fetch", lambda: None)
    untrained = keras.applications.InceptionV3
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda weights: untrained(weights=None))
    extractor = inception.load_inception()
    grey = make_pixels(2, size=28)
    embedding = extractor.embed(grey)
    assert embedding.features.shape == (2, 2048)
    assert embedding.probabilities.shape == (2, 1000)
    colour = extractor.embed(np.repeat(grey, 3, axis=-1))
    np.testing.assert_allclose(colour.features, embedding.features, rtol=1e-5, atol=1e-7)


def test_images_are_scaled_as_levels(make_pixels):
    flat = np.full((1, 28, 28, 1), 200, np.uint8)
    prepared = inception._prepare(flat)
    assert prepared.dtype == np.uint8
    assert prepared.shape == (1, 299, 299, 3)
    assert (prepared == 200).all()


def test_weights_that_cannot_be_fetched_are_one_line(monkeypatch, tmp_path):
    patience = []

    def unreachable(url, timeout):
        patience.append((timeout, socket.getdefaulttimeout()))
        raise OSError("no route\nto host")

    monkeypatch.setattr(environment, "keras_home", lambda: tmp_path)
    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    with pytest.raises(InputError, match=r"features inception_v3: .* no route to host"):
        inception.load_inception()
    assert 0 < patience[0][0] <= 30
    # The caller's own connections may take as long as they did.
    assert patience[0][1] is None


def test_weights_are_kept_where_keras_looks_for_them(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "keras_home", lambda: tmp_path)
    fetched = []

    def answer(url, timeout):
        fetched.append(url)
        return io.BytesIO(b"weights")

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    with pytest.raises(InputError, match=r"features inception_v3: .* is damaged or has changed"):
        inception.load_inception()
    assert not [*tmp_path.rglob("*.h5")]
    monkeypatch.setattr(inception, "_MD5", hashlib.md5(b"weights").hexdigest())
    monkeypatch.setattr(keras.applications, "InceptionV3", lambda weights: weights.read_bytes())
    monkeypatch.setattr(inception, "KerasExtractor", lambda model: types.SimpleNamespace(digest=str))
    for _ in range(2):
        inception.load_inception()
    cached = tmp_path / "models" / fetched[0].rpartition("/")[2]
    assert [*tmp_path.rglob("*.h5")] == [cached]
    assert cached.read_bytes() == b"weights"
    assert len(fetched) == 2
