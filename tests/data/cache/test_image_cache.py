import os
import shutil
import signal
import subprocess
import sys
import types

import numpy as np
import PIL.Image
import pytest

from dcgan import errors
from dcgan.data import load_images
from dcgan.data.cache import decoding_pool, image_cache
from dcgan.data.cache.storage import Storage
from dcgan.system import progress


@pytest.fixture
def storage(tmp_path):
    return Storage(memory=0, cache=tmp_path / "cache")


@pytest.fixture
def folder(tmp_path, write_image, noise):
    for index in range(10):
        write_image(tmp_path / "images" / f"{index}.png", noise(8, 8, 3, seed=index))
    return tmp_path / "images"


def _load(folder, storage=None, **options):
    return load_images(folder, **{"image_size": 8, "channels": 3, "storage": storage, **options})


def _assert_equal(cached, whole):
    np.testing.assert_array_equal(cached.images[:], whole.images)
    np.testing.assert_array_equal(cached.positions, whole.positions)
    assert cached.digest == whole.digest
    assert (cached.labels is None) == (whole.labels is None)
    if whole.labels is not None:
        np.testing.assert_array_equal(cached.labels, whole.labels)
    assert (cached.jpeg_qualities is None) == (whole.jpeg_qualities is None)
    if whole.jpeg_qualities is not None:
        np.testing.assert_array_equal(cached.jpeg_qualities, whole.jpeg_qualities)


@pytest.mark.parametrize("split", ["train", "test", "all", "all[2:7]"])
def test_a_folder_is_the_same_as_in_memory(folder, storage, split):
    cached = _load(folder, storage, split=split)
    assert not isinstance(cached.images, np.ndarray)
    _assert_equal(cached, _load(folder, split=split))


@pytest.mark.slow
def test_classes_and_images_that_have_to_be_scaled(tmp_path, write_image, noise, storage):
    for index in range(6):
        path = tmp_path / "images" / "ab"[index % 2] / f"{index}.png"
        write_image(path, noise(10, 8, seed=index))
    options = {"channels": 1, "split": "all"}
    _assert_equal(_load(path.parents[1], storage, **options), _load(path.parents[1], **options))


@pytest.mark.slow
def test_jpegs_of_their_size_keep_their_quality(tmp_path, noise, storage):
    photo = PIL.Image.fromarray(noise(8, 8, 3))
    (tmp_path / "images").mkdir()
    for index, quality in enumerate((80, 60)):
        photo.save(tmp_path / "images" / f"{index}.jpg", quality=quality)
    photo.save(tmp_path / "images" / "2.png")
    photo.resize((16, 16)).save(tmp_path / "images" / "3.jpg", quality=80)
    (tmp_path / "images" / "4.jpg").write_bytes(b"no image")
    options = {"split": "all", "skip_bad": True}
    for _ in range(2):  # Decoded, then from the cache.
        cached = _load(tmp_path / "images", storage, **options)
        assert cached.jpeg_qualities.tolist() == [80, 60, 0, 0]
    _assert_equal(cached, _load(tmp_path / "images", **options))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_array_file(tmp_path, noise, storage, dtype):
    pixels = noise(700, 6, 8, 3).astype(dtype) / dtype(1)
    np.save(tmp_path / "images.npy", pixels.astype(dtype))
    options = {"image_size": 4, "channels": 3}
    _assert_equal(
        load_images(tmp_path / "images.npy", storage=storage, **options),
        load_images(tmp_path / "images.npy", **options),
    )


def test_small_splits_stay_in_memory_unless_there_is_a_cache(folder, tmp_path):
    storage = Storage(memory=8 * 8 * 3, cache=tmp_path / "cache")
    assert isinstance(_load(folder, storage, split="all[:1]").images, np.ndarray)
    assert not (tmp_path / "cache").exists()
    _load(folder, storage, split="all")
    assert not isinstance(_load(folder, storage, split="all[:1]").images, np.ndarray)


def test_a_cache_that_fits_is_used_again(folder, storage, monkeypatch, caplog):
    whole = _load(folder, storage, split="all")
    assert "10 images go through a cache of 2 kB in" in caplog.text
    monkeypatch.setattr(decoding_pool, "fill", lambda *arguments: pytest.fail("decoded again"))
    _assert_equal(_load(folder, storage, split="all"), _load(folder, split="all"))
    assert len(whole.images) == 10


def _add(folder):
    shutil.copy(folder / "0.png", folder / "x.png")


def _remove(folder):
    (folder / "3.png").unlink()


def _change(folder):
    os.utime(folder / "3.png", ns=(0, 0))


@pytest.mark.parametrize(
    ("alter", "said"), [(_add, "1 added"), (_remove, "1 removed"), (_change, "1 changed")]
)
def test_a_stale_cache_is_made_anew(folder, storage, caplog, alter, said):
    _load(folder, storage, split="all")
    alter(folder)
    _assert_equal(_load(folder, storage, split="all"), _load(folder, split="all"))
    assert f"its cache is made anew: files {said}" in caplog.text


def test_bad_files_are_named_or_left_out(folder, storage):
    (folder / "4.png").write_bytes(b"no image")
    for _ in range(2):  # Decoded, then from the cache.
        with pytest.raises(errors.InputError, match=r"1 of 10 cannot be read: 4\.png \(not a PNG"):
            _load(folder, storage, split="all")
    cached = _load(folder, storage, split="all", skip_bad=True)
    _assert_equal(cached, _load(folder, split="all", skip_bad=True))
    assert cached.skipped == 1


def test_progress_is_told(folder, storage):
    told = []
    with progress.listening(lambda part, share, begun: told.append((part, share, begun))):
        _load(folder, storage)
    assert told[-1] == (image_cache.PART, 1.0, 0.0)


def test_a_directory_that_cannot_be_written_to(folder, tmp_path, refused):
    (tmp_path / "file").write_text("")
    storage = Storage(memory=0, cache=tmp_path / "file")
    refused(lambda: _load(folder, storage), tmp_path / "file", "--cache", "cache of")


def test_the_room_is_known_before(folder, storage, monkeypatch, refused):
    free = types.SimpleNamespace(free=1500)
    monkeypatch.setattr(image_cache.shutil, "disk_usage", lambda path: free)
    refused(lambda: _load(folder, storage), folder, "2 kB", "2 kB are free", "--cache")


def test_a_full_disk_is_one_line_and_resumed(folder, storage, refused):
    def fill(items, target, start):
        yield from real([*items][:1], target, start)
        raise OSError(28, "No space left on device")

    real = decoding_pool.fill
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding_pool, "fill", fill)
        refused(lambda: _load(folder, storage), folder, "the disk is full", "--cache")
    _assert_equal(_load(folder, storage), _load(folder))


def test_a_worker_that_cannot_write_says_so(folder, storage, monkeypatch, refused):
    target = image_cache.Target("/dev/full", 0, (8, 8, 3))
    items = [decoding_pool.EncodedItem(str(folder / "1.png"), "1.png")]
    with pytest.raises(OSError, match="No space left"):
        list(decoding_pool.fill(items, target, 0))


_KILLED = """
import os, pathlib, signal, sys
from dcgan.data import Storage, load_images
from dcgan.data.cache import decoding_pool
from dcgan.system import progress

def told(part, share, begun):
    if share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

decoding_pool._CHUNK = 2
with progress.listening(told):
    storage = Storage(0, pathlib.Path(sys.argv[2], "cache"))
    load_images(sys.argv[1], image_size=8, channels=3, storage=storage)
"""


@pytest.mark.slow
def test_a_killed_one_goes_on_where_it_was(folder, storage, tmp_path, monkeypatch):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(folder), str(tmp_path)], env=environment, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    # As if it had been killed while it wrote a line.
    with next((tmp_path / "cache").glob("*/journal.jsonl")).open("a") as journal:
        journal.write('{"stop": 9')
    starts = []

    def fill(items, target, start):
        starts.append(start)
        return real(items, target, start)

    real = decoding_pool.fill
    monkeypatch.setattr(decoding_pool, "fill", fill)
    _assert_equal(_load(folder, storage), _load(folder))
    assert starts == [6]
