import numpy as np
import pytest

from dcgan.data import splits

SIZES = {"train": 200, "test": 30}


def ranges(split, sizes=SIZES):
    parts = splits.of_declared(split, sizes, source="x")
    return [(part.name, part.start, part.stop) for part in parts]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", [("train", 0, 200)]),
        ("test", [("test", 0, 30)]),
        ("all", [("train", 0, 200), ("test", 0, 30)]),
        ("train+test", [("train", 0, 200), ("test", 0, 30)]),
        ("test + train[:5]", [("test", 0, 30), ("train", 0, 5)]),
        ("train[:10]", [("train", 0, 10)]),
        ("train[10:]", [("train", 10, 200)]),
        ("train[-10:]", [("train", 190, 200)]),
        ("train[:-10]", [("train", 0, 190)]),
        ("train[10%:20%]", [("train", 20, 40)]),
        ("train[-5%:]", [("train", 190, 200)]),
        ("test[:33.3%]", [("test", 0, 10)]),
        ("train[:]", [("train", 0, 200)]),
    ],
)
def test_slices(split, expected):
    assert ranges(split) == expected


def test_percents_round_as_in_tensorflow_datasets():
    tfds = pytest.importorskip("tensorflow_datasets")
    info = tfds.core.SplitInfo(name="train", shard_lengths=[777], num_bytes=0)
    for percent in range(0, 101):
        wanted = tfds.core.ReadInstruction("train", to=percent, unit="%")
        theirs = wanted.to_absolute({"train": info})[0]
        stop = 777 if theirs.to is None else theirs.to
        if stop:
            assert ranges(f"train[:{percent}%]", {"train": 777, "test": 1}) == [("train", 0, stop)]


@pytest.mark.parametrize("split", ["foo", "", "train+", "train[1]", "train[a:b]", "Train", "all[:3]"])
def test_unknown_split(refused, split):
    refused(
        lambda: ranges(split),
        f"split {split!r} of x",
        "expected one of train, test, all",
        "[:1000]",
    )


@pytest.mark.parametrize("split", ["train[:201]", "train[-201:]", "train[1.5:]", "train[:101%]"])
def test_bounds_outside(refused, split):
    refused(lambda: ranges(split), repr(split), "within the 200 images of 'train'")


@pytest.mark.parametrize("split", ["train[:0]", "train[20:10]"])
def test_no_images(refused, split):
    refused(lambda: ranges(split), repr(split), "at least one image", "none")


def test_validation_stands_in_for_test():
    assert ranges("test", {"train": 9, "validation": 4}) == [("validation", 0, 4)]
    assert ranges("test[:2]", {"train": 9, "val": 4}) == [("val", 0, 2)]
    assert ranges("train", {"train": 9, "validation": 4}) == [("train", 0, 9)]


def test_last_tenth_of_train_is_held_out():
    sizes = {"train": 200}
    assert ranges("train", sizes) == [("train", 0, 180)]
    assert ranges("test", sizes) == [("train", 180, 200)]
    assert ranges("test[:50%]", sizes) == [("train", 180, 190)]
    assert ranges("all", sizes) == [("train", 0, 200)]


def test_undeclared_splits_partition_the_source():
    train = splits.of_undeclared("train", 105, source="x")
    test = splits.of_undeclared("test", 105, source="x")
    assert len(test) == 10
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(105))
    assert not np.array_equal(train, np.sort(train))
    np.testing.assert_array_equal(splits.of_undeclared("all", 105, source="x"), np.arange(105))
    both = splits.of_undeclared("train[:5]+test[-2:]", 105, source="x")
    np.testing.assert_array_equal(both, np.concatenate([train[:5], test[-2:]]))


def test_undeclared_split_is_fixed():
    assert splits.of_undeclared("test", 20, source="x").tolist() == [1, 15]


def test_a_test_split_has_at_least_one_image(refused):
    assert splits.of_undeclared("test", 1, source="x").tolist() == [0]
    refused(lambda: splits.of_undeclared("train", 1, source="x"), "'train' of x", "none")
