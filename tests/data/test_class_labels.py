import numpy as np
import pytest

from dcgan.data import ImageSet, class_labels
from dcgan.errors import InputError

ANIMALS = ("cat", "dog", "7")


def images(labels, names=None):
    labels = None if labels is None else np.array(labels)
    return ImageSet("pets", "train", np.zeros((3, 4, 4, 1), np.uint8), labels, names)


@pytest.mark.parametrize(
    ("labels", "names", "count"),
    [([0, 1, 1], None, 2), ([0, 5, 2], None, 6), ([0, 1, 1], ANIMALS, 3)],
)
def test_classes_are_the_named_ones_or_those_up_to_the_highest_label(labels, names, count):
    assert class_labels.count_classes(images(labels, names)) == count


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (None, None, "pets: expected images with labels for a conditional GAN: a folder with a folder"),
        ([0, -1, 1], None, "pets: expected labels of at least 0. Received: -1"),
        ([1, 1, 1], ANIMALS, "two classes for --conditional. Received: only dog in split train"),
        ([4, 4, 4], None, "two classes for --conditional. Received: only 4 in split train"),
    ],
)
def test_no_classes(labels, names, message):
    with pytest.raises(InputError, match=message):
        class_labels.count_classes(images(labels, names))


def test_labels_to_train_with():
    assert class_labels.training_labels(images(None), 0) is None
    np.testing.assert_array_equal(class_labels.training_labels(images([0, 2, 1]), 3), [0, 2, 1])
    with pytest.raises(InputError, match="pets: expected images with labels"):
        class_labels.training_labels(images(None), 3)
    with pytest.raises(InputError, match=r"labels from 0 to 1, as the config has classes=2.* 0 to 2"):
        class_labels.training_labels(images([0, 2, 1]), 2)


def test_a_class_by_its_name_or_number():
    # A name comes first.
    for text, label in {"cat": 0, "7": 2, "0": 0, "2": 2}.items():
        assert class_labels.find(text, classes=9, names=ANIMALS) == label
    assert class_labels.find("7", classes=9, names=None) == 7


@pytest.mark.parametrize("text", ["cow", "3", "-1", "1.0", "", "\u00b2"])
def test_no_such_class(text):
    with pytest.raises(InputError, match=r"--label: expected .* from 0 to 2, or one of cat, dog, 7"):
        class_labels.find(text, classes=3, names=ANIMALS)


def test_a_class_is_described_by_its_name_where_it_has_one():
    assert class_labels.describe(1, ANIMALS) == "dog"
    assert class_labels.describe(1, None) == class_labels.describe(1, ("cat",)) == "1"
