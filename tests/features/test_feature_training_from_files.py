import gzip
import json

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import features
from dcgan.errors import InputError


def _bars(count, *, seed):
    """Upright and lying bars at random places, 28 pixels, with their class."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 28, 28), np.uint8)
    labels = np.arange(count) % 2
    for image, label in zip(images, labels, strict=True):
        top, left = rng.integers(1, 9, 2)
        height, width = (18, 5) if label else (5, 18)
        image[top : top + height, left : left + width] = 230
    return images, labels


@pytest.fixture
def class_folder(tmp_path):
    """30 training and 10 test images of 32 pixels in sub-folders of two classes."""
    for split, count in (("train", 30), ("test", 10)):
        images, labels = _bars(count, seed=count)
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            path = tmp_path / "bars" / split / ("lying", "upright")[label] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            imageio.imwrite(path, np.pad(image, 2))
    return tmp_path / "bars"


@pytest.fixture
def idx_folder(tmp_path):
    """Writes IDX files of bars, with labels or without."""

    def write(*, labelled=True):
        for split, count in (("train", 60), ("t10k", 20)):
            images, labels = _bars(count, seed=count)
            _write_idx(tmp_path / f"{split}-images-idx3-ubyte.gz", images)
            if labelled:
                _write_idx(tmp_path / f"{split}-labels-idx1-ubyte.gz", labels)
        return tmp_path

    return write


def _write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


@pytest.mark.slow
def test_learns_from_class_folders(class_folder, tmp_path):
    extractor = features.fit_extractor_file(
        class_folder, tmp_path / "new" / "mine.keras", image_size=28, epochs=1
    )
    assert extractor.embed(np.zeros((1, 28, 28, 1), np.uint8)).probabilities.shape == (1, 2)
    assert extractor.image_shape == (28, 28, 1)
    loaded = features.load(tmp_path / "new" / "mine.keras")
    assert (loaded.name, loaded.accuracy) == ("mine", extractor.accuracy)
    assert loaded.trained_on == f"{class_folder}:train"
    assert loaded.digest == extractor.digest


@pytest.mark.slow
def test_command_on_idx_files(run_cli, idx_folder, tmp_path):
    folder, out = idx_folder(), tmp_path / "bars.keras"
    options = ["--data", folder, "--out", out, "--split", "train[:40]", "--epochs", 1, "--seed", 3]
    code, printed, err = run_cli("features", "fit", *options)
    assert code == 0, err
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["trained_on"] == f"{folder}:train[:40]"
    assert printed.splitlines() == [
        f"features  {out}",
        f"accuracy  {record['accuracy']:.2%} of the test split",
    ]


@pytest.mark.slow
def test_the_accuracy_is_that_of_the_test_split(idx_folder, tmp_path):
    folder = idx_folder()
    extractor = features.fit_extractor_file(folder, tmp_path / "bars.keras", epochs=1)
    images, labels = _bars(20, seed=20)
    assert extractor.accuracy == extractor.measure_accuracy(images[..., None], labels)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["--data"]),
        (["--data", "."], ["--out"]),
        (["--data", ".", "--out", "j.h5"], ["j.h5: expected the name of a .keras file"]),
        (["--data", ".", "--out", "file/j.keras"], ["file/j.keras: expected a file to write"]),
        (["--data", "unlabelled.npz", "--out", "j.keras"], ["unlabelled.npz: expected labelled"]),
        (["--data", "none/", "--out", "j.keras"], ["none/: no such file"]),
        (["--data", "mnist", "--out", "j.keras", "--split", "all"], ["split 'all': expected one"]),
        (["--data", "mnist", "--out", "j.keras", "--split", "train+test[:9]"], ["without test"]),
        (["--data", "mnist", "--out", "j.keras", "--image-size", "12"], ["mnist: ", "16 to 256"]),
        (["--data", "mnist", "--out", "j.keras", "--epochs", "0"], ["--epochs"]),
    ],
)
def test_errors_are_one_line(run_cli, tmp_path, options, parts):
    work = tmp_path / "work"
    (work / "file").touch()
    np.savez(work / "unlabelled.npz", images=np.zeros((20, 28, 28, 1), np.uint8))
    code, out, err = run_cli("features", "fit", *options)
    assert (code, out) == (2, "")
    assert err.startswith("dcgan: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    assert not list(work.glob("*.keras"))


def test_idx_files_without_labels(idx_folder, tmp_path):
    with pytest.raises(InputError, match="expected labelled images: a TensorFlow Datasets set"):
        features.fit_extractor_file(idx_folder(labelled=False), tmp_path / "bars.keras")
