import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import images
from dcgan.callbacks import ImageGrid


def _names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_writes_a_grid_an_epoch_counted_from_one(tmp_path, make_model, fit):
    fit(make_model(), [ImageGrid(tmp_path / "samples")], epochs=3)
    assert _names(tmp_path / "samples") == ["epoch_001.png", "epoch_002.png", "epoch_003.png"]
    assert _names(tmp_path) == ["samples"]


def test_pixels_are_those_of_the_samples(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [ImageGrid(tmp_path, count=6, seed=5, enlarge=1)])
    expected = images.grid(model.generate(6, seed=5))
    np.testing.assert_array_equal(imageio.imread(tmp_path / "epoch_001.png"), expected)


def test_latents_are_the_same_at_every_epoch(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [ImageGrid(tmp_path, count=2)], epochs=2)
    np.testing.assert_array_equal(*model.generated_latents)


@pytest.mark.parametrize(
    ("shape", "count", "sheet"),
    [
        ((28, 28, 1), 16, (366, 366)),
        ((32, 32, 3), 16, (276, 276, 3)),
        ((64, 64, 1), 4, (134, 134)),
    ],
)
def test_small_images_are_enlarged_to_64_pixels(tmp_path, make_model, fit, shape, count, sheet):
    fit(make_model(shape), [ImageGrid(tmp_path, count=count)])
    assert imageio.imread(tmp_path / "epoch_001.png").shape == sheet


def test_every_and_initial_epoch_keep_the_epochs_numbers(tmp_path, make_model, fit):
    fit(make_model(), [ImageGrid(tmp_path, every=2)], epochs=7, initial_epoch=2)
    assert _names(tmp_path) == ["epoch_004.png", "epoch_006.png"]


def test_a_diverged_generator_is_drawn_grey(tmp_path, make_model, fit):
    model = make_model()
    model.generator.set_weights([np.full_like(w, np.nan) for w in model.generator.get_weights()])
    fit(model, [ImageGrid(tmp_path, enlarge=1)])
    grid = imageio.imread(tmp_path / "epoch_001.png")
    assert grid.min() >= 127
    assert grid.max() <= 128


@pytest.mark.parametrize("option", ["count", "every", "enlarge"])
def test_refuses_zero(tmp_path, option):
    with pytest.raises(ValueError, match=f"Received: {option}=0"):
        ImageGrid(tmp_path, **{option: 0})


@pytest.mark.parametrize(
    ("classes", "count", "rows", "columns"),
    [(2, 16, [0, 1], 8), (3, 16, [0, 1, 2], 6), (10, 16, range(10), 4), (31, 16, range(0, 31, 2), 4)],
)
def test_a_row_for_each_class(tmp_path, make_classes, show, classes, count, rows, columns):
    drawn = show(ImageGrid(tmp_path, count=count, enlarge=1), make_classes(classes))
    np.testing.assert_array_equal(drawn, np.repeat(rows, columns))
    grid = imageio.imread(tmp_path / "epoch_001.png")
    assert grid.shape == (10 * len(rows) + 2, 10 * columns + 2)
    # Each row is of one level.
    assert [len(np.unique(grid[10 * row + 2 : 10 * row + 10, 2:10])) for row in range(len(rows))] == [
        1 for _ in rows
    ]


def test_only_classes_that_were_trained_on_are_shown(tmp_path, make_classes, show):
    drawn = show(ImageGrid(tmp_path, count=8), make_classes(5, seen=[4, 1, 4]))
    np.testing.assert_array_equal(drawn, np.repeat([1, 4], 4))
