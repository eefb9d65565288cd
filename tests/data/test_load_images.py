import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan import errors
from dcgan.data import ImageSet, load_dataset, load_images
from dcgan.data.sources import tfds_source


@pytest.fixture
def asked(monkeypatch):
    """Records the names that TensorFlow Datasets is asked for."""
    names = []

    def load(name, request):
        names.append(name)
        return ImageSet(name, request.split, np.zeros((1, 4, 4, 1), np.uint8))

    monkeypatch.setattr(tfds_source, "load", load)
    return names


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("tfds:mnist", "mnist"),
        ("fashion_mnist", "fashion_mnist"),
        ("celeb_a", "celeb_a"),
        ("my_set/config:1.0.0", "my_set/config:1.0.0"),
        ("tfds:my_set:1.2.*", "my_set:1.2.*"),
    ],
)
def test_names(asked, source, name):
    load_images(source)
    assert asked == [name]


def test_an_existing_path_comes_before_named_sets(tmp_path, monkeypatch, write_image, noise):
    write_image(tmp_path / "celeb_a" / "a.png", noise(5, 5))
    monkeypatch.chdir(tmp_path)
    assert load_images("celeb_a", split="all").images.shape == (1, 5, 5, 1)


@pytest.mark.parametrize("source", ["./mnist", pathlib.Path("mnist")])
def test_a_folder_never_hides_the_bundled_set(tmp_path, monkeypatch, write_image, noise, source):
    """Else a run in a directory of that name would not find its test images."""
    write_image(tmp_path / "mnist" / "a.png", noise(5, 5))
    monkeypatch.chdir(tmp_path)
    assert load_images("mnist").images.shape == (60000, 28, 28, 1)
    assert load_images(source, split="all").images.shape == (1, 5, 5, 1)


def test_home_is_expanded(tmp_path, monkeypatch, noise):
    monkeypatch.setenv("HOME", str(tmp_path))
    np.save(tmp_path / "a.npy", noise(2, 5, 5))
    loaded = load_images("~/a.npy", split="all")
    assert (loaded.name, len(loaded.images)) == ("~/a.npy", 2)


@pytest.mark.parametrize(
    "source",
    [
        "./faces",
        "../faces",
        "/no/where",
        "~/no/where",
        "a/b/c",
        "faces/",
        "faces.npy",
        "x/faces.npz",
    ],
)
def test_missing_path(asked, refused, source):
    refused(lambda: load_images(source), f"{source}: no such file or folder")
    assert not asked


def test_a_folder_that_has_gone_is_not_explained_as_a_name(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused(lambda: load_images("photo"))
    assert message == "photo: expected an existing path or the name of a set of images"
    refused(lambda: load_images("fashion_mnis"), "near it: fashion_mnist")


def test_missing_path_object(asked, refused, tmp_path):
    refused(lambda: load_images(tmp_path / "faces"), tmp_path / "faces", "no such file")


def test_path_that_cannot_be(refused):
    refused(lambda: load_images("x" * 5000), "expected readable files", "too long")


def test_a_file_of_another_kind(tmp_path, refused):
    (tmp_path / "a.csv").write_text("1,2")
    refused(lambda: load_images(tmp_path / "a.csv"), "a.csv", ".npy or .npz")


@pytest.mark.parametrize("source", [3, None, [1, 2], b"mnist", ""])
def test_no_source(refused, source):
    refused(lambda: load_images(source), "source: expected a name, a path or a NumPy array")


@pytest.mark.parametrize("size", [0, -3])
def test_image_size(refused, size):
    refused(
        lambda: load_images("mnist", image_size=size),
        f"image_size: expected at least 1, received {size}",
    )


@pytest.mark.parametrize("channels", [0, 2, 4])
def test_channels(refused, channels):
    refused(
        lambda: load_images("mnist", channels=channels),
        f"channels: expected 1 or 3, received {channels}",
    )


def test_dataset_trains_a_model(noise):
    dataset = load_dataset(noise(40, 6, 6), split="all", batch_size=8)
    assert dataset.element_spec == tf.TensorSpec((8, 6, 6, 1), tf.float32)
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(36)])
    model.compile("sgd", "mse")
    pairs = dataset.map(lambda images: (images, tf.reshape(images, (8, 36))))
    history = model.fit(pairs, epochs=2, verbose=0, shuffle=False)
    assert len(history.history["loss"]) == 2


def test_dataset_passes_its_options_on(noise):
    dataset = load_dataset(
        noise(40, 9, 7, 3), split="all[:25]", batch_size=8, image_size=4, channels=3, shuffle=False
    )
    assert dataset.cardinality() == 4
    assert dataset.element_spec.shape == (None, 4, 4, 3)
    first, second = (
        next(load_dataset(noise(40, 6, 6), batch_size=8, seed=seed).as_numpy_iterator())
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_dataset_skips_bad_files(tmp_path, write_image, noise):
    for number in range(4):
        write_image(tmp_path / f"{number}.png", noise(4, 4))
    (tmp_path / "bad.png").write_text("x")
    options = {"split": "all", "batch_size": 4}
    assert load_dataset(tmp_path, skip_bad=True, **options).cardinality() == 1
    with pytest.raises(errors.InputError, match=r"bad\.png"):
        load_dataset(tmp_path, **options)
