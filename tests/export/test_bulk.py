"""Bulk scoring on Beam's local runner."""

import dataclasses
import gzip
import json
import os
import re

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("apache_beam", reason="apache-beam is not here")

import pyarrow.parquet

from dcgan import scoring
from dcgan.data.decoding import encoded_image, image_file
from dcgan.errors import InputError
from export import bulk


@pytest.fixture(scope="module")
def model(exported):
    return tf.saved_model.load(str(exported))


@pytest.fixture
def photos(tmp_path, encode, make_pixels):
    """Contents of files by path below tmp_path, some of them no images."""
    names = ["a.png", "b.jpeg", "deep/c.gif", "deep/d.png"]
    contents = {
        name: encode(make_pixels(seed=seed), name.rpartition(".")[2]) for seed, name in enumerate(names)
    }
    contents |= {"deep/bad.png": b"no image", "deep/empty.png": b""}
    for name, content in contents.items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    return {str(tmp_path / "photos" / name): content for name, content in contents.items()}


@pytest.fixture
def write_records(tmp_path):
    def write(name, records):
        compression = "GZIP" if name.endswith(".gz") else ""
        path = str(tmp_path / name)
        with tf.io.TFRecordWriter(path, compression) as writer:
            for record in records:
                writer.write(record)
        return path

    return write


def read(out, kind):
    texts = [path.read_text() for path in sorted(out.glob(f"{kind}-*.jsonl"))]
    return {row["file"]: row for text in texts for row in map(json.loads, text.splitlines())}


def score_one_by_one(model, names, contents):
    """The rows of a plain loop, as JSON values by name."""
    rows = {}
    for name, content in zip(names, contents, strict=True):
        try:
            (row,) = bulk.score(model, [name], [encoded_image.to_served(content)])
        except image_file.UnreadableError as error:
            row = scoring.Row.unread(name, error.reason)
        rows[name] = {**vars(row)}
    return rows


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, row in expected.items():
        assert found[name] == {
            key: pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
            for key, value in row.items()
        }


def test_files_into_json_lines(photos, model, exported, tmp_path):
    out = tmp_path / "out"
    patterns = [str(tmp_path / "photos" / "*.*"), str(tmp_path / "photos" / "deep" / "*")]
    counts = bulk.score_bulk(patterns, str(exported), str(out))
    expected = score_one_by_one(model, list(photos), list(photos.values()))
    bad = {name: row for name, row in expected.items() if row["error"]}
    assert_same(read(out, "errors"), bad)
    assert_same(read(out, "scores"), {name: expected[name] for name in set(expected) - set(bad)})
    assert len(bad) == counts["error"] == 2
    decisions = [row["decision"] for row in expected.values()]
    assert counts == {name: decisions.count(name) for name in (*scoring.DECISIONS, "error")} | {
        "unfamiliar": 0
    }


@pytest.mark.slow
def test_files_into_parquet(photos, exported, tmp_path):
    out = tmp_path / "out"
    bulk.score_bulk([str(tmp_path / "photos" / "**")], str(exported), f"{out}/", output="parquet")
    (path,) = out.glob("scores-*.parquet")
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == [field.name for field in dataclasses.fields(scoring.Row)]
    assert table["familiarity"].to_pylist() == [1] * 4
    assert sorted(table["file"].to_pylist()) == sorted(list(photos)[:4])
    assert np.isfinite(table["p_fake"].to_numpy()).all()
    assert table["error"].to_pylist() == [None] * 4
    assert len(read(out, "errors")) == 2


@pytest.mark.slow
def test_records(photos, model, exported, tmp_path, write_records, make_example):
    contents = list(photos.values())
    examples = [make_example(content) for content in contents]
    odd = [b"\xff\xff junk", make_example(contents[0], name="other")]
    plain = write_records("x.tfrecord-00000-of-00001", examples)
    packed = write_records("y.tfrecord.gz", [*odd, examples[0]])
    out = tmp_path / "out"
    counts = bulk.score_bulk([plain, packed], str(exported), str(out))
    names = [f"{plain}#{number}" for number in range(len(contents))]
    expected = score_one_by_one(model, names, contents)
    expected[f"{packed}#2"] = expected[names[0]] | {"file": f"{packed}#2"}
    for number in range(2):
        name = f"{packed}#{number}"
        error = "expected a tf.Example with the bytes feature image_bytes"
        expected[name] = vars(scoring.Row.unread(name, error))
    assert_same(read(out, "scores") | read(out, "errors"), expected)
    assert sum(counts.values()) == len(contents) + 3


@pytest.mark.slow
def test_damaged_record_files_end_nothing(exported, tmp_path, write_records, make_example, photos):
    path = write_records("x.tfrecord", [make_example(content) for content in photos.values()])
    whole = (tmp_path / "x.tfrecord").read_bytes()
    (tmp_path / "x.tfrecord").write_bytes(whole[:-3])
    (tmp_path / "y.tfrecord.gz").write_bytes(gzip.compress(whole)[:-20])
    good = write_records("z.tfrecord", [make_example(next(iter(photos.values())))])
    out = tmp_path / "out"
    (tmp_path / "cut.tfrecord").write_bytes(whole + whole[:9])
    (tmp_path / "empty.tfrecord").write_bytes(b"")
    (tmp_path / "text.tfrecord").write_text("no record")
    bulk.score_bulk([str(tmp_path / "*.tfrecord*")], str(exported), str(out))
    errors = {name: row["error"] for name, row in read(out, "errors").items() if "#" not in name}
    assert errors == {
        path: "not a TFRecord file, or damaged after 5 records",
        str(tmp_path / "y.tfrecord.gz"): errors[str(tmp_path / "y.tfrecord.gz")],
        str(tmp_path / "cut.tfrecord"): "not a TFRecord file, or damaged after 6 records",
        str(tmp_path / "empty.tfrecord"): "holds no records",
        str(tmp_path / "text.tfrecord"): "not a TFRecord file, or damaged after 0 records",
    }
    assert errors[str(tmp_path / "y.tfrecord.gz")].startswith("not a TFRecord file, or damaged after")
    # What was read before the damage is scored.
    assert {f"{path}#0", f"{path}#3", f"{good}#0"} <= set(read(out, "scores"))


@pytest.fixture
def odd(tmp_path, monkeypatch, encode, make_pixels):
    """A working directory of files with odd names and folders that are easily overlooked."""
    monkeypatch.chdir(tmp_path)
    for name in (*ODD, "far/f.png", "folder.png/g.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encode(make_pixels()))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "unmounted")


ODD = ["a[1].png", os.fsdecode(b"caf\xe9.png"), "b\nc.png", "\u2028=x.png"]


@pytest.mark.slow
@pytest.mark.parametrize("output", ["jsonl", "parquet"])
def test_names_and_folders_of_all_kinds(odd, exported, tmp_path, output):
    patterns = ["a[1].png", "*.png", "in/**", "far/f.png"]
    bulk.score_bulk(patterns, str(exported), "out", output=output)
    errors = {name: row["error"] for name, row in read(tmp_path / "out", "errors").items()}
    assert errors == {"folder.png": "a folder, not a file", "in/away": "broken link"}
    found = [*ODD, "a[1].png", "far/f.png", "in/link/f.png"]
    if output == "parquet":
        (path,) = (tmp_path / "out").glob("scores-*")
        scored = pyarrow.parquet.read_table(path)["file"].to_pylist()
        found[1] = r"caf\udce9.png"
    else:
        (path,) = (tmp_path / "out").glob("scores-*")
        scored = [json.loads(line)["file"] for line in path.read_text().split("\n")[:-1]]
    assert sorted(scored) == sorted(found)


@pytest.mark.slow
def test_where_nothing_can_be_scored(run_cli, exported, tmp_path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.tfrecord").write_bytes(b"")
    patterns = [tmp_path / "*.png", tmp_path / "*.tfrecord"]
    code, output, errors = run_cli("score", exported, *patterns, "--beam", tmp_path / "out")
    assert (code, errors) == (1, "")
    assert "error      2\n" in output


@pytest.mark.slow
def test_a_full_disk_is_one_line(run_cli, exported, photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bulk, "_to_json", full)
    out = tmp_path / "out"
    code, _, errors = run_cli("score", exported, tmp_path / "photos" / "*.png", "--beam", out)
    assert code == 2
    assert errors.startswith("dcgan: expected free space on the disk (")
    assert errors.count("\n") == 1


def test_a_lost_process_is_one_line(run_cli, exported, photos, tmp_path, monkeypatch):
    def lose(_):
        raise RuntimeError("Channel closed prematurely.")

    monkeypatch.setattr(bulk.beam.Pipeline, "run", lose)
    code, _, errors = run_cli("score", exported, next(iter(photos)), "--beam", tmp_path / "out")
    assert code == 2
    assert errors.startswith("dcgan: Beam: expected processes that run to the end, one was lost.")
    assert errors.count("\n") == 1


def test_results_are_not_mixed_with_earlier_ones(exported, photos, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("scores-00299-of-00300.jsonl", "errors-00000-of-00001.jsonl"):
        (tmp_path / "out" / name).write_text("earlier")
        with pytest.raises(InputError, match=f"out: expected a directory without .*{name}"):
            bulk.score_bulk([next(iter(photos))], str(exported), str(tmp_path / "out"))
        (tmp_path / "out" / name).unlink()


@pytest.mark.slow
def test_batches_by_count_and_by_size(photos, exported, tmp_path, monkeypatch):
    sizes = []

    def score(_model, _names, contents):
        sizes.append(len(contents))
        return iter([])

    monkeypatch.setattr(bulk, "score", score)
    pattern = str(tmp_path / "photos" / "**")
    bulk.score_bulk([pattern], str(exported), str(tmp_path / "out"))
    assert sizes == [4]
    for content in range(6):
        (tmp_path / "photos" / f"large{content}.png").write_bytes(b"\xff\xd8\xff" + bytes(100 * 2**16))
    sizes.clear()
    bulk.score_bulk([str(tmp_path / "photos" / "large*")], str(exported), str(tmp_path / "other"))
    assert sorted(sizes) == [2, 2, 2]


@pytest.mark.slow
def test_what_cannot_work_is_told_before_it_starts(exported, photos, tmp_path):
    pattern = str(tmp_path / "photos" / "*.png")
    (tmp_path / "file").write_text("")

    def run(*, patterns=(pattern,), model=exported, out=tmp_path / "out", **options):
        bulk.score_bulk(patterns, str(model), str(out), **options)

    with pytest.raises(InputError, match=r"photos/\*\.tif: expected a pattern that files match"):
        run(patterns=[pattern, str(tmp_path / "photos" / "*.tif")])
    with pytest.raises(InputError, match="photos: expected a pattern that files match"):
        run(patterns=[str(tmp_path / "photos")])
    with pytest.raises(InputError, match="expected an exported version"):
        run(model=tmp_path)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "saved_model.pb").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"damaged: expected an exported version that can be loaded$"):
        run(model=tmp_path / "damaged")
    with pytest.raises(InputError, match=r"nofs://a/\*: expected a file system that Beam can use \("):
        run(patterns=["nofs://a/*"])
    with pytest.raises(InputError, match=r"nofs://out: expected a file system that Beam can use \("):
        run(out="nofs://out")
    # Beam would take the path of its own results for a pattern.
    with pytest.raises(InputError, match=r"out\[1\]: expected a directory without \*, \? and \["):
        run(out=tmp_path / "out[1]")
    with pytest.raises(InputError, match=r"file/out: expected a directory to write to \(Not a dir"):
        run(out=tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--runner=NoRunner", "Unexpected pipeline runner: NoRunner"),
        ("--runner=nowhere.Runner", "No module named 'nowhere'"),
        ("--runner=apache_beam.NoRunner", "module 'apache_beam' has no attribute 'NoRunner'"),
        ("--direct_num_workers=two", "argument --direct_num_workers: invalid int value: 'two'"),
        # It would hand errors on as images, and lose rows.
        ("--runner=apache_beam.runners.dask.dask_runner.DaskRunner", "expected a runner that keeps"),
        ("--runner=DaskRunner", "expected a runner that keeps a transform's outputs apart"),
    ],
)
def test_options_that_beam_cannot_take(exported, photos, tmp_path, option, reason, capsys):
    with pytest.raises(InputError, match=f"^Beam's options: {re.escape(reason)}"):
        bulk.score_bulk([next(iter(photos))], str(exported), str(tmp_path / "out"), options=[option])
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_from_the_command_line(run_cli, exported, photos, tmp_path):
    run = tmp_path / "run"
    (run / "serving" / "detector").mkdir(parents=True)
    (run / "serving" / "detector" / "3").symlink_to(exported)
    for number, model in enumerate((run, exported)):
        out = tmp_path / f"out{number}"
        code, output, errors = run_cli("score", model, tmp_path / "photos" / "**", "--beam", out)
        assert (code, errors) == (0, "")
        lines = dict(line.split() for line in output.splitlines())
        assert lines["error"] == "2"
        assert int(lines["real"]) + int(lines["unsure"]) + int(lines["fake"]) == 4
        assert lines["scores"] == f"{out}/scores-*.jsonl"
    assert len(read(out, "scores")) == 4


@pytest.mark.slow
def test_unfamiliar_images_are_counted(photos, exported, tmp_path, monkeypatch):
    def score(_model, names, contents):
        columns = {"p_fake": 0.5, "decision": "unsure", "discriminator_logit": 0.0, "error": ""}
        outputs = {name: [value] * len(contents) for name, value in columns.items()}
        familiarity = [0.25] + [0.002] * (len(contents) - 1)
        return scoring.to_rows(names, {**outputs, "familiarity": familiarity})

    monkeypatch.setattr(bulk, "score", score)
    counts = bulk.score_bulk([str(tmp_path / "photos" / "**")], str(exported), str(tmp_path / "out"))
    assert counts == {"real": 0, "unsure": 4, "fake": 0, "error": 2, "unfamiliar": 3}
    rows = read(tmp_path / "out", "scores").values()
    assert sorted(row["reason"] for row in rows) == ["uncertain"] + 3 * ["unfamiliar"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["x"], "dcgan: files: expected a run or an exported version, then patterns"),
        (["x", "*", "--format", "csv"], "dcgan: Invalid value: --format: expected jsonl or parquet"),
        (["x", "*"], "dcgan: x: expected an exported version, or a run with one in x/serving/detector"),
    ],
)
def test_errors_are_one_line(run_cli, arguments, error):
    code, _, errors = run_cli("score", *arguments, "--beam", "out")
    assert code == 2
    assert errors.startswith(error)
    assert errors.count("\n") == 1
