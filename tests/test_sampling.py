import errno
import zipfile

import imageio.v3 as imageio
import keras
import numpy as np
import pytest

from dcgan import images, sampling
from dcgan.errors import InputError


@pytest.fixture(scope="module")
def saved(tmp_path_factory, make_gan):
    path = tmp_path_factory.mktemp("model") / "dcgan.keras"
    model = make_gan(ema_decay=0.9).compile()
    model.save(path)
    return model, path


def test_load_and_draw(saved):
    model, path = saved
    loaded = sampling.load_model(path)
    assert not loaded.compiled
    drawn = sampling.draw(loaded, 3, seed=2)
    assert drawn.shape == (3, 8, 8, 1)
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, images.to_uint8(model.generate(3, seed=2)))
    assert not np.array_equal(drawn, sampling.draw(loaded, 3, seed=3))


def test_a_missing_model(tmp_path):
    with pytest.raises(InputError, match=r"none\.keras: expected a DCGAN in a \.keras file"):
        sampling.load_model(tmp_path / "none.keras")


def test_another_kind_of_model(tmp_path):
    path = tmp_path / "other.keras"
    keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]).save(path)
    with pytest.raises(InputError, match=r"other\.keras: expected a DCGAN, found Sequential"):
        sampling.load_model(path)


def test_a_file_of_another_kind(tmp_path):
    (tmp_path / "text.keras").write_text("weights")
    with pytest.raises(InputError, match=r"text\.keras: expected a DCGAN in a \.keras file"):
        sampling.load_model(tmp_path / "text.keras")
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(InputError, match=r"zip\.keras: expected a DCGAN in a \.keras file"):
        sampling.load_model(tmp_path / "zip.keras")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_model(tmp_path, saved, share):
    content = saved[1].read_bytes()
    path = tmp_path / "half.keras"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"half\.keras: expected a DCGAN .*\(File is not a zip file\)"):
        sampling.load_model(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_write_every_form(tmp_path, channels):
    samples = np.random.default_rng(0).integers(0, 256, (5, 6, 6, channels), np.uint8)
    places = {"grid": tmp_path / "g.png", "npz": tmp_path / "s.npz", "png_dir": tmp_path / "all"}
    assert sampling.write(samples, **places) == list(places.values())
    np.testing.assert_array_equal(imageio.imread(places["grid"]), images.grid(samples))
    with np.load(places["npz"]) as archive:
        assert archive.files == ["images"]
        np.testing.assert_array_equal(archive["images"], samples)
    names = [f"{number:06d}.png" for number in range(1, 6)]
    assert sorted(path.name for path in places["png_dir"].iterdir()) == names
    for name, sample in zip(names, samples, strict=True):
        read = imageio.imread(places["png_dir"] / name)
        np.testing.assert_array_equal(read, sample[..., 0] if channels == 1 else sample)


def test_write_keeps_the_names_that_were_given(tmp_path):
    samples = np.zeros((1, 4, 4, 1), np.uint8)
    written = sampling.write(samples, grid=tmp_path / "picture", npz=tmp_path / "archive.bin")
    assert written == [tmp_path / "picture", tmp_path / "archive.bin"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.bin", "picture"]
    assert imageio.imread(tmp_path / "picture", extension=".png").shape == (8, 8)


def test_write_only_what_is_asked_for(tmp_path):
    assert sampling.write(np.zeros((1, 4, 4, 1), np.uint8)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["grid", "npz", "png_dir"])
def test_a_full_disk_is_named(tmp_path, form, monkeypatch):
    def write(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(images.imageio, "imwrite", write)
    monkeypatch.setattr(np, "savez_compressed", write)
    with pytest.raises(InputError, match=r"out.*: expected a place to write to \(No space left on dev"):
        sampling.write(np.zeros((1, 4, 4, 1), np.uint8), **{form: tmp_path / "out.png"})


@pytest.mark.parametrize("form", ["grid", "npz", "png_dir"])
def test_a_place_that_cannot_be_written_to(tmp_path, form):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file.*: expected a place to write to") as caught:
        sampling.write(np.zeros((1, 4, 4, 1), np.uint8), **{form: tmp_path / "file" / "out.png"})
    assert "\n" not in str(caught.value)


def test_classes_lie_together_in_a_grid_and_beside_the_images_in_an_archive(tmp_path):
    samples = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1) * np.ones((4, 4, 1), np.uint8)
    labels = np.array([2, 0, 1, 0, 2], np.int32)
    sampling.write(samples, labels=labels, grid=tmp_path / "g.png", npz=tmp_path / "s.npz")
    np.testing.assert_array_equal(
        imageio.imread(tmp_path / "g.png"), images.grid(samples[[1, 3, 2, 0, 4]])
    )
    with np.load(tmp_path / "s.npz") as archive:
        np.testing.assert_array_equal(archive["images"], samples)
        np.testing.assert_array_equal(archive["labels"], labels)
