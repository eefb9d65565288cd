import threading

import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")


import serving_double
from export.client import target

_SERVERS = {"http": serving_double.over_http, "grpc": serving_double.over_grpc}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    monkeypatch.setattr(target, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture(scope="session")
def models(exported):
    return serving_double.Models({3: exported, 7: exported}, labels={"stable": 3})


@pytest.fixture(params=_SERVERS)
def url(request, models):
    """A server's address, over HTTP and over gRPC; nothing was asked of it yet."""
    models.faults, models.attempts, models.requests = [], 0, []
    models.released = threading.Event()
    with _SERVERS[request.param](models) as address:
        yield address


@pytest.fixture
def files(tmp_path, encode, make_pixels):
    """Images of several formats and sizes, files that are none, and one that is not there."""
    for index, suffix in enumerate(("png", "jpeg", "gif", "bmp", "webp", "tiff")):
        pixels = make_pixels(8, 8, 1, seed=index)
        (tmp_path / f"{index}.{suffix}").write_bytes(encode(pixels, suffix))
    (tmp_path / "text.png").write_text("not an image")
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "directory.png").mkdir()
    return [tmp_path, tmp_path / "missing.png"]


@pytest.fixture(params=_SERVERS)
def strict_url(request, models):
    """A server's address that takes 40 KB a request."""
    models.faults, models.attempts, models.requests = [], 0, []
    with _SERVERS[request.param](models, limit=40_000) as address:
        yield address
