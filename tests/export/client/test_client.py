"""The client against TF Serving's protocols, over both of its interfaces."""

import base64
import dataclasses
import json
import re

import numpy as np
import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import requests

import serving_double
from dcgan import scoring
from dcgan.errors import InputError, ServerError
from export import Client
from export.graph import scoring_model


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
        client.score_contents([b"\xff\xd8\xff junk"], names=["junk"])
    assert models.requests == [(version, 1)]


def test_states_of_the_versions(url):
    with Client(url) as client:
        assert client.versions() == {3: "AVAILABLE", 7: "AVAILABLE"}
    with Client(url, version=3) as client:
        assert client.versions() == {3: "AVAILABLE"}


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


@pytest.mark.parametrize(
    "options", [{"batch_size": 0}, {"batch_bytes": 0}, {"timeout": 0}, {"timeout": float("nan")}]
)
def test_options_out_of_range(options):
    with pytest.raises(InputError, match=f"{next(iter(options))}.*: expected .* Received: "):
        Client("http://localhost", **options)


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
