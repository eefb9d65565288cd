import sys

import numpy as np
import pytest

from dcgan.data.sources import splits

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
    ],
)
def test_slices(split, expected):
    assert ranges(split) == expected


@pytest.mark.parametrize("split", ["foo", "", "train+", "Train", "all[:3]"])
def test_unknown_split(refused, split):
    refused(
        lambda: ranges(split),
        f"split {split!r} of x",
        "expected one of train, test, all",
        "[:1000]",
    )


@pytest.mark.parametrize(
    "slice",
    ["[:201]", "[-201:]", "[1.5:]", "[:101%]", "[1]", "[a:b]", "[:]", "[:5", "[:1shard]", "[:9][:3]"],
)
def test_bad_slices(refused, slice):
    split = f"train{slice}"
    refused(lambda: ranges(split), f"split {split!r} of x", "within 200 images", f"Received: {slice}")


def test_plain_names_need_no_tensorflow_datasets(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    assert ranges("train + all")
    with pytest.raises(ImportError):
        ranges("train[:3]")


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


def test_splits_of_other_names_have_a_test_split_too():
    sizes = {"plain": 40, "odd": 9}
    assert ranges("test", sizes) == [("plain", 36, 40)]
    assert ranges("plain+odd", sizes) == [("plain", 0, 40), ("odd", 0, 9)]


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
    message = refused(lambda: splits.of_undeclared("train", 1, source="x"), "'train' of x")
    assert message.endswith("expected at least two images, found one, which is held out to test on")
    refused(lambda: ranges("train", {"train": 1}), "found one, which is held out to test on")


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train+train", [("train", 0, 200)]),
        ("all+test", [("train", 0, 200), ("test", 0, 30)]),
        ("train[50:60]+train", [("train", 50, 60), ("train", 0, 50), ("train", 60, 200)]),
        ("train[:10]+train[5:20]+train[15:]", [("train", 0, 10), ("train", 10, 20), ("train", 20, 200)]),
    ],
)
def test_an_image_named_twice_is_there_once(split, expected):
    assert ranges(split) == expected


def test_an_image_of_an_undeclared_split_named_twice_is_there_once():
    both = splits.of_undeclared("test[:2]+all", 40, source="x")
    assert sorted(both.tolist()) == list(range(40))
    assert both[:2].tolist() == splits.of_undeclared("test[:2]", 40, source="x").tolist()
