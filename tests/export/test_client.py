"""The client against TF Serving's protocols, over both of its interfaces."""

import base64
import dataclasses
import json
import re
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import grpc
import requests

import serving_double
from dcgan import scoring
from dcgan.errors import InputError, ServerError
from export import Client
from export.client import over_grpc, target
from export.graph import scoring_model

_SERVERS = {"http": serving_double.over_http, "grpc": serving_double.over_grpc}
# It passes for a JPEG until it is decoded.
JUNK = b"\xff\xd8\xff junk"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


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


class Local:
    """The exported discriminator as local scoring takes it."""

    image_shape = (8, 8, 1)

    def __init__(self, gan):
        self._scorer = scoring_model.DiscriminatorScorer(gan.discriminator)

    def score(self, images):
        return {key: np.asarray(value) for key, value in self._scorer(images / 127.5 - 1.0).items()}


def test_the_rows_of_local_scoring(url, files, gan):
    expected = list(scoring.score_files(Local(gan), files))
    with Client(url, batch_size=3) as client:
        rows = list(client.score_files(files))
    assert [(row.file, row.decision, row.error) for row in rows] == [
        (row.file, row.decision, row.error) for row in expected
    ]
    assert {row.decision for row in rows} > {"error"}
    for row, local in zip(rows, expected, strict=True):
        if local.error is None:
            # A JPEG or WebP decoder may differ by a grey level.
            assert row.p_fake == pytest.approx(local.p_fake, abs=0.01)
            assert row.discriminator_logit == pytest.approx(local.discriminator_logit, abs=0.02)
        else:
            assert (row.p_fake, row.discriminator_logit) == (None, None)


def test_batches_by_count_and_by_size(url, models, files):
    with Client(url, batch_size=3) as client:
        rows = list(client.score_files(files))
        assert len(rows) == 11
        # Neither the directory, nor what is empty or no image, nor the missing file is sent.
        assert [count for _, count in models.requests] == [3, 3, 1]
    models.requests.clear()
    with Client(url, batch_bytes=1) as client:
        assert [row.file for row in client.score_files(files)] == [row.file for row in rows]
    # What is not sent weighs nothing.
    assert [count for _, count in models.requests] == [1] * 7


def test_nothing_to_send_is_not_sent(url, models, files):
    with Client(url) as client:
        assert [row.error for row in client.score_files(files[1:])] == ["no such file"]
        assert client.score_contents([], names=[]) == []
        (row,) = client.score_contents([b"text"], names=["a"])
        assert (row.file, row.error) == ("a", "not a PNG, JPEG, WebP, BMP, GIF or TIFF image")
    assert models.attempts == 0


@pytest.mark.parametrize(("option", "version"), [({}, 7), ({"version": 3}, 3), ({"label": "stable"}, 3)])
def test_version_and_label(url, models, option, version):
    with Client(url, **option) as client:
        client.score_contents([JUNK], names=["junk"])
    assert models.requests == [(version, 1)]


def test_states_of_the_versions(url):
    with Client(url) as client:
        assert client.versions() == {3: "AVAILABLE", 7: "AVAILABLE"}
    with Client(url, version=3) as client:
        assert client.versions() == {3: "AVAILABLE"}


@pytest.mark.parametrize("size", [10, 2**20])
def test_what_is_transient_is_tried_again(url, models, size):
    models.faults = [UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED, UNAVAILABLE]
    with Client(url) as client:
        (row,) = client.score_contents([JUNK * size], names=["x"])
    assert row.error == "file is truncated or corrupt"
    assert models.attempts == 4


def test_trying_again_ends(url, models):
    models.faults = [UNAVAILABLE] * 9
    with Client(url) as client, pytest.raises(ServerError, match="a fault that's wanted"):
        client.score_contents([JUNK], names=["x"])
    assert models.attempts == 5


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT])
def test_what_is_not_transient_is_not_tried_again(url, models, code):
    models.faults = [code]
    with Client(url) as client, pytest.raises(ServerError, match="a fault that's wanted"):
        client.score_contents([JUNK], names=["x"])
    assert models.attempts == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "other"}, r"Servable not found for request: Latest\(other\)"),
        ({"version": 5}, r"Servable not found for request: Specific\(detector, 5\)"),
        ({"label": "canary"}, "Unrecognized servable version label: canary"),
    ],
)
def test_the_servers_refusal_is_told(url, models, options, message):
    with Client(url, **options) as client, pytest.raises(ServerError, match=message) as caught:
        client.score_contents([JUNK], names=["x"])
    assert str(caught.value).startswith(f"{url}: expected scores from")
    assert models.attempts == 1


def test_a_model_of_another_kind(url, models, monkeypatch):
    monkeypatch.setattr(target, "SIGNATURE", "classify")
    monkeypatch.setattr(target, "INPUT", "inputs")
    with (
        Client(url) as client,
        pytest.raises(ServerError, match=r"expected p_fake, .* found classes, scores"),
    ):
        client.score_contents([JUNK], names=["x"])
    monkeypatch.setattr(target, "SIGNATURE", "predict")
    with Client(url) as client, pytest.raises(ServerError, match='"predict" not found in signature def'):
        client.score_contents([JUNK], names=["x"])


def test_a_time_out_costs_its_rows(url, models, files):
    models.faults = [grpc.StatusCode.DEADLINE_EXCEEDED]
    with Client(url, batch_size=4) as client:
        rows = list(client.score_files(files))
    # Not tried again: the server may still be busy with it.
    assert models.attempts == 3
    errors = [row.error for row in rows]
    assert errors[:4] == ["no answer in time; the time-out is 30 s"] * 4
    assert errors.count(None) == 2
    assert len(rows) == 11


def test_a_server_that_hangs(url, models):
    models.faults = ["hang"] * 99
    with Client(url, timeout=0.05) as client:
        for _ in range(4):
            (row,) = client.score_contents([JUNK], names=["x"])
            assert row.error == "no answer in time; the time-out is 0.05 s"
        with pytest.raises(ServerError, match="5 requests in a row timed out"):
            client.score_contents([JUNK], names=["x"])


@pytest.fixture(params=_SERVERS)
def strict_url(request, models):
    """A server's address that takes 40 KB a request."""
    models.faults, models.attempts, models.requests = [], 0, []
    with _SERVERS[request.param](models, limit=40_000) as address:
        yield address


def test_a_request_that_is_too_large_is_split(strict_url, models, tmp_path, encode, make_pixels):
    image = encode(make_pixels())
    sizes = [6_000] * 10 + [60_000] + [6_000] * 10
    for number, size in enumerate(sizes):
        (tmp_path / f"{number:02}.png").write_bytes(image + bytes(size - len(image)))
    with Client(strict_url) as client:
        rows = list(client.score_files([tmp_path]))
    assert [row.file[-6:-4] for row in rows] == [f"{number:02}" for number in range(21)]
    assert [row.error for row in rows] == [
        *[None] * 10,
        "60000 bytes are more than the server takes",
        *[None] * 10,
    ]
    assert sum(count for _, count in models.requests) == 20


def test_what_was_too_large_once_is_not_tried_again(strict_url, models, tmp_path, encode, make_pixels):
    for number in range(32):
        image = encode(make_pixels())
        (tmp_path / f"{number:02}.png").write_bytes(image + bytes(6_000 - len(image)))
    with Client(strict_url, batch_size=8) as client:
        rows = list(client.score_files([tmp_path]))
    assert not any(row.error for row in rows)
    assert [count for _, count in models.requests] == [4] * 8


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        ("RESOURCE_EXHAUSTED", "SERVER: Received message larger than max (9 vs. 4)", "TooLargeError"),
        ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (9 vs. 4)", "TooLargeError"),
        ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4: 9", "TooLargeError"),
        ("UNKNOWN", "Received http2 header with status: 413", "TooLargeError"),
        ("INTERNAL", "Exception serializing request!", "TooLargeError"),
        ("RESOURCE_EXHAUSTED", "OOM when allocating tensor", "BusyError"),
        ("UNAVAILABLE", "failed to connect", "BusyError"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", "TimeOutError"),
        ("INTERNAL", "", "ServerError"),
    ],
)
def test_what_grpc_says_is_told_apart(code, details, kind):
    assert over_grpc._kind(code, details).__name__ == kind


def test_no_server():
    for address in ("http://localhost:9", "grpc://localhost:9"):
        with Client(address, timeout=5) as client, pytest.raises(ServerError, match=r"(?i)refused"):
            client.score_contents([JUNK], names=["x"])


@pytest.mark.parametrize("address", ["localhost:8501", "ftp://localhost", "http://", "grpc://:8500"])
def test_what_is_no_address(address):
    with pytest.raises(InputError, match="url: expected http://HOST:PORT or grpc://HOST:PORT"):
        Client(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://user:s3cret@",
        "user:s3cret@localhost:8501",
        "ftp://user:s3cret@localhost",
        "http://user:s3cret@localhost:port",
        "http://user:s3cret@localhost:99999",
        "http://user:s3/cret@localhost",
        "http://user:s3cret@[::1",
        "grpc://user:s3cret@localhost:8500",
    ],
)
def test_an_address_that_is_none_shows_no_password(address):
    with pytest.raises(InputError, match="url: expected http://HOST:PORT") as caught:
        Client(address)
    assert not {"user", "cret", "s3"} & set(re.split(r"\W", str(caught.value).partition("gRPC")[0]))


def test_a_failure_shows_no_password(models):
    models.faults = []
    with serving_double.over_http(models) as address:
        address = address.replace("//", "//us%40er:s3cret@")
        with Client(address, model="x") as client, pytest.raises(ServerError) as caught:
            client.score_contents([JUNK], names=["x"])
        assert str(caught.value).startswith("http://localhost:")
        assert "s3cret" not in str(caught.value)
    echo = target.Target(url=address, model="x", version=None, label=None, timeout=1)
    message = str(echo.fail(f"no route to {address} or us@er:s3cret@host or us@er:s3cret"))
    assert "s3cret" not in message
    assert "us" not in message.replace("http", "")


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_bytes": 0}, {"timeout": 0}, {"timeout": float("nan")}]
)
def test_options_out_of_range(options):
    with pytest.raises(InputError, match=f"{next(iter(options))}.*: expected .* Received: "):
        Client("http://localhost", **options)


def test_errors_of_the_server_are_connection_errors():
    assert issubclass(ServerError, ConnectionError)
    assert not issubclass(ServerError, ValueError)


def test_a_version_and_a_label():
    with pytest.raises(InputError, match="a version or a label, not both"):
        Client("http://localhost", version=1, label="stable")


def test_signatures(url):
    with Client(url, version=3) as client:
        found = client.signatures()
    assert set(found) == {
        "serving_default",
        "predict_bytes",
        "predict_uint8",
        "predict_images",
        "classify",
    }
    assert found["predict_uint8"]["inputs"] == {"images": "uint8 (-1, 8, 8, 1)"}
    assert found["predict_bytes"]["outputs"]["p_fake"] == "float (-1)"
    with Client(url, version=4) as client, pytest.raises(ServerError, match="Servable not found"):
        client.signatures()


def test_a_connection_that_breaks_is_tried_again(models):
    models.faults, models.attempts = ["reset"], 0
    with serving_double.over_http(models) as address, Client(address) as client:
        assert client.score_contents([JUNK], names=["x"])[0].decision == "error"
    assert models.attempts == 2


@pytest.mark.parametrize(
    ("code", "body", "message"),
    [
        (200, "<html>a page</html>", "not TF Serving's answer: '<html>a page"),
        (200, "[]", r"not TF Serving's answer: '\[\]'"),
        (200, '{"outputs": [1]}', "found something else"),
        (500, "<html>broken</html>", "500: <html>broken"),
        # Older servers escape as C does.
        (400, '{ "error": "Can\\\'t" }', "400: .*Can.*t"),
    ],
)
def test_other_answers(monkeypatch, code, body, message):
    response = requests.Response()
    response.status_code, response._content = code, body.encode()
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: response)
    with Client("http://localhost") as client, pytest.raises(ServerError, match=message):
        client.score_contents([JUNK], names=["x"])


def test_metadata_that_is_none(monkeypatch):
    response = requests.Response()
    response.status_code, response._content = 200, b'{"metadata": {}}'
    monkeypatch.setattr(requests.Session, "request", lambda *_, **__: response)
    with Client("http://localhost") as client, pytest.raises(ServerError, match="not TF Serving's"):
        client.signatures()


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "export.client.over_grpc", None)
    with pytest.raises(InputError, match=r"pip install 'dcgan\[serving\]'"):
        Client("grpc://localhost:8500")


def test_rows_and_columns_of_the_servers_format(models, exported, encode, make_pixels):
    models.faults = []
    images = [encode(make_pixels(8, 8, 1)), b"junk"]
    b64 = [{"b64": base64.b64encode(image).decode()} for image in images]
    with serving_double.over_http(models) as address:

        def post(**body):
            url = f"{address}/v1/models/detector/labels/stable:predict"
            return requests.post(url, json={"signature_name": "predict_bytes", **body}, timeout=30)

        columns = [post(inputs=b64), post(inputs={"image_bytes": b64})]
        rows = [post(instances=b64), post(instances=[{"image_bytes": item} for item in b64])]
        assert columns[0].text == columns[1].text
        assert rows[0].text == rows[1].text
        assert "NaN" not in rows[0].text
        predictions, outputs = json.loads(rows[0].text), json.loads(columns[0].text)["outputs"]
        for index, row in enumerate(predictions["predictions"]):
            assert {key: str(value) for key, value in row.items()} == {
                key: str(values[index]) for key, values in outputs.items()
            }
        url_safe = [{"b64": "_-8="}]
        assert post(inputs=url_safe).json() == {"error": "Unable to base64 decode"}
        assert post(instances=[]).status_code == 400


def test_rows_are_plain_values(url, encode, make_pixels):
    with Client(url) as client:
        (row,) = client.score_contents([encode(make_pixels())], names=["a"])
    assert json.loads(json.dumps(dataclasses.asdict(row)))["file"] == "a"
