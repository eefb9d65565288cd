"""The client and servers that refuse, hang, break off or are not there."""

import sys

import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import grpc
import requests

import serving_double
from dcgan.errors import InputError, ServerError
from export import Client
from export.client import over_grpc, target

# It passes for a JPEG until it is decoded.
JUNK = b"\xff\xd8\xff junk"


UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_errors_of_the_server_are_connection_errors():
    assert issubclass(ServerError, ConnectionError)
    assert not issubclass(ServerError, ValueError)


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
