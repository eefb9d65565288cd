import pathlib

import pytest

from dcgan.data.cache import storage
from dcgan.data.cache.storage import Storage


@pytest.mark.parametrize(
    ("text", "count"),
    [("4GB", 4 * 10**9), ("512 MiB", 2**29), ("1.5g", 15 * 10**8), ("70000", 70_000), ("2KiB", 2048)],
)
def test_sizes(text, count):
    assert storage.parse_size(text, option="--memory") == count


@pytest.mark.parametrize("text", ["", "much", "-1GB", "4 apples", "GB"])
def test_other_texts_are_refused(text, refused):
    refused(lambda: storage.parse_size(text, option="--memory"), "--memory", "4GB", repr(text))


def test_memory_defaults_to_a_quarter(monkeypatch):
    monkeypatch.setattr(storage, "machine_memory", lambda: 4000)
    assert Storage().holds(10, (10, 10, 1))
    assert not Storage().holds(11, (10, 10, 1))
    assert Storage(memory=1100).holds(11, (10, 10, 1))


def test_a_container_s_limit_counts(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    monkeypatch.setattr(storage, "_CONTAINER_LIMIT", limit)
    assert storage.machine_memory() == 1_000_000
    limit.write_text("max\n")
    assert storage.machine_memory() > 1_000_000


def test_the_cache_is_the_user_s_by_default(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert Storage().directory() == pathlib.Path("/elsewhere/dcgan")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/me")
    assert Storage().directory() == pathlib.Path("/me/.cache/dcgan")
    assert Storage(cache=pathlib.Path("there")).directory() == pathlib.Path("there")


def test_a_run_remembers(tmp_path, monkeypatch):
    path = tmp_path / "storage.json"
    assert Storage.load(path) == Storage()
    monkeypatch.chdir(tmp_path)
    Storage(10, pathlib.Path("there")).save(path)
    assert Storage.load(path) == Storage(10, tmp_path / "there")


@pytest.mark.parametrize("content", ["[]", "{}", "{"])
def test_a_damaged_record_is_refused(content, tmp_path, refused):
    (tmp_path / "storage.json").write_text(content)
    refused(lambda: Storage.load(tmp_path / "storage.json"), tmp_path / "storage.json")
