"""Bulk scoring by several processes: the rows of one, whatever happens to a worker."""

import json
import pathlib
import subprocess
import sys
import time

import pytest

pytest.importorskip("apache_beam", reason="apache-beam is not here")

from export import bulk

pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "score_on_dask.py"
_PARTS, _FILES = 8, 5


@pytest.fixture
def photos(tmp_path, encode, make_pixels):
    """A folder of images and a file that is none."""
    (tmp_path / "photos").mkdir()
    for number in range(_PARTS * _FILES - 1):
        (tmp_path / "photos" / f"{number:03d}.png").write_bytes(encode(make_pixels(seed=number)))
    (tmp_path / "photos" / "bad.png").write_bytes(b"no image")
    return tmp_path / "photos"


def read(out):
    """Returns all rows, sorted: a row that came twice is there twice."""
    lines = (line for path in out.rglob("*.jsonl") for line in path.read_text().splitlines())
    return sorted(map(json.loads, lines), key=lambda row: row["file"])


@pytest.fixture
def expected(photos, exported, tmp_path):
    """The rows of one process."""
    bulk.score_bulk([str(photos / "*")], str(exported), str(tmp_path / "alone"))
    return read(tmp_path / "alone")


def assert_same(rows, expected):
    assert [row["file"] for row in rows] == [row["file"] for row in expected]
    for row, other in zip(rows, expected, strict=True):
        assert row == {
            name: pytest.approx(value, abs=1e-5) if isinstance(value, float) else value
            for name, value in other.items()
        }


def test_two_processes_of_the_local_runner(photos, exported, tmp_path, expected):
    options = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
    bulk.score_bulk([str(photos / "*")], str(exported), str(tmp_path / "two"), options=options)
    assert_same(read(tmp_path / "two"), expected)


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, started by its own tools; yields the address and the workers."""
    pytest.importorskip("distributed", reason="Dask is not here")
    dask, file = [sys.executable, "-m", "dask"], tmp_path / "scheduler.json"

    def start(*arguments):
        command = [*dask, *arguments, "--scheduler-file", str(file)]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        wait_for(file.exists)
        options = ("--no-nanny", "--nthreads", "1", "--host", "127.0.0.1", "--no-dashboard")
        processes += [start("worker", *options) for _ in range(2)]
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait_for(condition, *, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_is_lost_or_doubled_with_a_dask_worker(cluster, photos, exported, tmp_path, expected):
    address, workers = cluster
    out = tmp_path / "out"
    command = [sys.executable, str(SCRIPT), address, str(exported), str(photos), str(out), str(_FILES)]
    scoring = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        # Both are at work: a part of either is begun.
        wait_for(lambda: len(list(out.glob("part-*"))) >= 1 and len(list(out.glob(".unf*"))) >= 1)
        assert scoring.poll() is None
        workers[0].kill()
        output, _ = scoring.communicate(timeout=300)
    finally:
        scoring.kill()
    assert scoring.returncode == 0
    assert output.splitlines()[-1] == f"{_PARTS * _FILES} of {_PARTS * _FILES} files"
    assert len(list(out.glob("part-*"))) == _PARTS
    rows = [row for part in out.glob("part-*") for row in read(part)]
    assert_same(sorted(rows, key=lambda row: row["file"]), expected)
