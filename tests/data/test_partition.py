import numpy as np
import PIL.Image
import pytest

from dcgan.config import NetworkConfig, RunConfig
from dcgan.data import ImageSet, Partition, load_images, partition
from dcgan.data.sources import encoded_images, image_folder, tfrecord_source


@pytest.fixture
def config(tmp_path, noise):
    """Makes a run's config over a folder with split folders, or an array; all images differ."""

    def make(split, **folders):
        source = tmp_path / "photos"
        for part, (folder, count) in enumerate(folders.items()):
            (source / folder).mkdir(parents=True)
            for number, image in enumerate(noise(count, 28, 28, seed=part)):
                PIL.Image.fromarray(image).save(source / folder / f"{number:03}.png")
        if not folders:
            source = tmp_path / "photos.npy"
            np.save(source, noise(200, 28, 28))
        return RunConfig(data=str(source), split=split, network=NetworkConfig())

    return make


def _counts(found):
    return tuple(len(part.images) for part in (found.trained_on, found.rest, found.held_out))


def _assert_disjoint(found):
    assert not np.isin(found.held_out.positions, found.rest.positions).any()
    hashes = [set(part.image_digests.tolist()) for part in (found.rest, found.held_out)]
    assert not hashes[0] & hashes[1]


@pytest.mark.parametrize("split", ["train+val", "val+train", "train+test", "all", "train[:20]+val"])
def test_a_validation_folder_that_was_trained_on_is_not_held_out(config, split):
    """`test` is an alias of `val` here."""
    found = Partition.load(config(split, train=40, val=20))
    assert found.seen
    _assert_disjoint(found)
    assert sum(_counts(found)[1:]) == _counts(found)[0]
    assert "are not new to it" in found.notes()[0]


def _count_calls(monkeypatch, module, name):
    original, calls = getattr(module, name), []
    monkeypatch.setattr(module, name, lambda *given: calls.append(given) or original(*given))
    return calls


def test_files_are_looked_for_once_for_both_parts(monkeypatch, config):
    """A folder of millions of files takes long to walk."""
    made = config("train", all=60)
    walks = _count_calls(monkeypatch, image_folder, "_find")
    stamps = _count_calls(monkeypatch, encoded_images, "stamp")
    assert _counts(Partition.load(made)) == (54, 54, 6)
    assert (len(walks), len(stamps)) == (1, 60)


def test_records_are_looked_for_once_for_both_parts(monkeypatch, tmp_path, write_records):
    path = write_records(tmp_path / "noise.tfrecord", range(20))
    indexed = _count_calls(monkeypatch, tfrecord_source, "_index")
    network = NetworkConfig(image_size=16, channels=3)
    assert _counts(Partition.load(RunConfig(data=str(path), network=network))) == (18, 18, 2)
    assert len(indexed) == 1


def test_a_class_named_after_a_split_is_no_overlap(tmp_path, config):
    """A split's or a folder's name decides nothing: `train_small` contains `all`."""
    made = config("train", train_small=40, tall=20)
    found = Partition.load(made)
    assert (found.seen, _counts(found)) == (False, (54, 54, 6))


@pytest.mark.parametrize(
    ("split", "counts", "seen"),
    [
        ("train", (180, 180, 20), False),
        ("train[:50%]", (90, 90, 20), False),
        ("train+test[:5]", (185, 185, 15), False),
        ("train+test[:15]", (195, 156, 39), True),
        ("test", (20, 16, 4), True),
        ("all", (200, 160, 40), True),
    ],
)
def test_parts_of_a_source_without_splits(config, split, counts, seen):
    found = Partition.load(config(split))
    assert (_counts(found), found.seen) == (counts, seen)
    _assert_disjoint(found)
    assert not found.notes() if not seen else "are not new to it" in found.notes()[0]


def test_given_images_are_all_trained_on(noise):
    given = ImageSet("mine", "train", noise(50, 28, 28, 1))
    found = Partition.load(RunConfig(data="given:mine"), given)
    assert (_counts(found), found.seen) == ((50, 40, 10), True)
    _assert_disjoint(found)


def test_equal_images_across_parts_are_counted_and_named(config, tmp_path):
    made = config("train", train=40, val=20)
    for number in (3, 7):
        copy = (tmp_path / "photos" / "train" / f"{number + 10:03}.png").read_bytes()
        (tmp_path / "photos" / "val" / f"{number:03}.png").write_bytes(copy)
    (note,) = Partition.load(made).notes()
    assert note == (
        "2 of 20 held-out images equal training images to the byte, which flatters the metrics: "
        "val/003.png = train/013.png, val/007.png = train/017.png."
    )


def test_equal_images_of_an_array_are_named_by_number(noise):
    images = ImageSet("a", "all", noise(30, 8, 8, 1))
    both = images.take(np.r_[np.arange(30), 4])
    assert partition.find_equal(both.take(np.array([30, 2])), images.take(np.arange(3, 30))) == [
        ("image 4", "image 4")
    ]
    text = partition.describe_equal([("a", "b")] * 8, 9)
    assert text.startswith("8 of 9 held-out images")
    assert text.endswith("a = b and 3 more.")


@pytest.mark.parametrize("split", ["all", "train", "test", "train[10:]+test[:3]+all"])
def test_positions_are_those_of_the_whole_source(tmp_path, write_idx, noise, split):
    write_idx(tmp_path / "train-images-idx3-ubyte", noise(30, 6, 6, seed=1))
    write_idx(tmp_path / "t10k-images-idx3-ubyte", noise(20, 6, 6, seed=2))
    everything = load_images(tmp_path, split="all")
    found = load_images(tmp_path, split=split)
    assert len(np.unique(found.positions)) == len(found.positions)
    np.testing.assert_array_equal(found.images, everything.images[found.positions])
