import io
import json
import os
import sys

import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import serving_double


@pytest.fixture(scope="module", params=["http", "grpc"])
def url(request, exported):
    models = serving_double.Models({1: exported, 2: exported}, labels={"stable": 1})
    server = {"http": serving_double.over_http, "grpc": serving_double.over_grpc}[request.param]
    with server(models) as address:
        yield address


@pytest.fixture
def photos(tmp_path, encode, make_pixels):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(encode(make_pixels()))
    (tmp_path / "photos" / "b.png").write_text("no image")
    return tmp_path / "photos"


def test_a_folder_scored_by_a_server(run_cli, url, photos):
    code, output, errors = run_cli("score", "--url", url, photos, "--format", "jsonl")
    assert (code, errors) == (0, "")
    first, second = map(json.loads, output.splitlines())
    assert first["file"] == str(photos / "a.png")
    assert first["error"] is None
    assert (first["familiarity"], first["reason"]) == (1, None)
    assert 0 < first["p_fake"] < 1
    assert second == {
        "file": str(photos / "b.png"),
        "p_fake": None,
        "decision": "error",
        "reason": None,
        "familiarity": None,
        "discriminator_logit": None,
        "error": "not a PNG, JPEG, WebP, BMP, GIF or TIFF image",
    }
    code, output, _ = run_cli("score", photos / "b.png", "--url", url, "--label", "stable")
    assert code == 1
    assert "b.png: not a PNG" in output


def test_errors_are_one_line(run_cli, url, photos):
    cases = {
        ("--url", url, "--version", 9): f"dcgan: {url}: expected scores from detector (",
        ("--url", url, "--model", "x"): f"dcgan: {url}: expected scores from x (",
        ("--url", url, "--version", 1, "--label", "a"): "dcgan: label: expected a version or a label",
        ("--url", "localhost"): "dcgan: url: expected http://HOST:PORT",
        ("--url", url, "--explain", "maps"): "dcgan: Invalid value: --explain: expected a run",
        ("--url", url, "--beam", "out"): "dcgan: Invalid value: --beam: expected neither --url",
        ("--label", "stable"): "dcgan: Invalid value: --version, --label: expected --url",
    }
    for options, error in cases.items():
        code, output, errors = run_cli("score", photos / "a.png", *options, "--format", "csv")
        assert (code, output.count("\n")) in [(2, 0), (2, 1)]
        assert errors.startswith(error)
        assert errors.count("\n") == 1


def test_options_of_the_batch_reach_the_client(run_cli, exported, photos, encode, make_pixels):
    for number in range(4):
        (photos / f"more{number}.png").write_bytes(encode(make_pixels(seed=number)))
    models = serving_double.Models({1: exported})
    with serving_double.over_http(models) as address:
        for option in (
            ("--batch-size", 2),
            ("--batch-bytes", 2 * (photos / "a.png").stat().st_size + 9),
        ):
            models.requests.clear()
            code, output, _ = run_cli("score", "--url", address, photos, *option)
            assert (code, output.count("\n")) == (0, 7)
            assert len(models.requests) >= 3


def test_a_password_is_never_shown(run_cli, url, photos):
    address = url.replace("//", "//user:s3cret@")
    code, output, errors = run_cli("score", "--url", address, "--model", "x", photos)
    assert code == 2
    assert "s3cret" not in output + errors


def test_names_of_all_kinds(run_cli, url, photos, monkeypatch):
    names = [photos / os.fsdecode(name) for name in (b"caf\xe9.png", b"a\n\x1b[31m.png", b"=x.png")]
    for name in names:
        name.write_bytes((photos / "a.png").read_bytes())
    code, output, errors = run_cli("score", "--url", url, photos)
    assert (code, errors) == (0, "")
    assert len(output.splitlines()) == 6
    assert "\x1b" not in output
    listed = b"\xef\xbb\xbf" + b"\0".join(map(os.fsencode, names))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    code, output, errors = run_cli("score", "--url", url, "-", "--format", "jsonl")
    rows = [json.loads(line) for line in output.splitlines()]
    assert (code, errors) == (0, "")
    assert [os.fsencode(row["file"]) for row in rows] == list(map(os.fsencode, names))
    assert not any(row["error"] for row in rows)
