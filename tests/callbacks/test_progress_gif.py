import logging

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

from dcgan import errors
from dcgan.callbacks import ImageGrid, ProgressGif


def _save(directory, epochs, *, shape=(6, 5)):
    """Saves flat grids whose grey level is the epoch's number."""
    directory.mkdir(exist_ok=True)
    for epoch in epochs:
        imageio.imwrite(directory / f"epoch_{epoch:03d}.png", np.full(shape, epoch % 256, np.uint8))
    return directory


def _write(frames, path, **options):
    ProgressGif(path, frames, **options).write()
    return path


def _durations(path):
    with Image.open(path) as image:
        return [_seek(image, index).info["duration"] for index in range(image.n_frames)]


def _seek(image, index):
    image.seek(index)
    image.load()
    return image


def test_frames_are_in_the_order_of_their_numbers(tmp_path):
    # By name alone, 1000 would stand before 999.
    frames = _save(tmp_path / "samples", [1, 2, 999, 1000])
    gif = imageio.imread(_write(frames, tmp_path / "progress.gif"), mode="L")
    assert gif.shape == (4, 6, 5)
    assert gif[:, 0, 0].tolist() == [1, 2, 999 % 256, 1000 % 256]


def test_repeats_for_ever_and_holds_the_last_frame(tmp_path):
    frames = _save(tmp_path / "samples", [1, 2, 3])
    path = _write(frames, tmp_path / "progress.gif", frame_seconds=0.1, last_seconds=1.5)
    assert _durations(path) == [100, 100, 1500]
    assert Image.open(path).info["loop"] == 0


def test_one_grid_makes_a_gif(tmp_path):
    path = _write(_save(tmp_path / "samples", [7]), tmp_path / "progress.gif")
    assert imageio.imread(path, mode="L").reshape(6, 5)[0, 0] == 7
    assert _durations(path) == [2000]


def test_grids_that_never_change_make_a_gif(tmp_path):
    for epoch in (1, 2, 3):
        imageio.imwrite(tmp_path / f"epoch_{epoch:03d}.png", np.full((6, 5), 9, np.uint8))
    path = _write(tmp_path, tmp_path / "progress.gif")
    assert imageio.imread(path, mode="L").reshape(6, 5)[0, 0] == 9
    assert _durations(path) == [2500]


@pytest.mark.parametrize("background", [0.0, 0.9])
def test_grey_pixels_are_kept_exactly(tmp_path, background):
    rng = np.random.default_rng(0)
    grids = rng.integers(0, 256, (3, 20, 30), np.uint8)
    grids[rng.random(grids.shape) < background] = 0
    for epoch, grid in enumerate(grids, start=1):
        imageio.imwrite(tmp_path / f"epoch_{epoch:03d}.png", grid)
    gif = imageio.imread(_write(tmp_path, tmp_path / "progress.gif"), mode="L")
    np.testing.assert_array_equal(gif, grids)


def test_colours_are_kept(tmp_path):
    colours = np.array([[200, 10, 10], [10, 200, 10]], np.uint8)
    for epoch, colour in enumerate(colours, start=1):
        imageio.imwrite(tmp_path / f"epoch_{epoch:03d}.png", np.tile(colour, (8, 8, 1)))
    gif = imageio.imread(_write(tmp_path, tmp_path / "progress.gif"), mode="RGB")
    np.testing.assert_allclose(gif[:, 4, 4].astype(int), colours, atol=8)


def test_many_grids_are_thinned_evenly(tmp_path):
    frames = _save(tmp_path / "samples", range(1, 232))
    path = _write(frames, tmp_path / "progress.gif")
    levels = imageio.imread(path, mode="L")[:, 0, 0].astype(int)
    assert len(levels) == 100
    assert levels[0] == 1
    assert levels[-1] == 231
    assert set(np.diff(levels)) == {2, 3}


def test_a_hundred_grids_are_all_kept(tmp_path):
    path = _write(_save(tmp_path / "samples", range(1, 101)), tmp_path / "progress.gif")
    assert len(_durations(path)) == 100


def test_a_hundred_grids_of_digits_stay_small(tmp_path):
    # Noise is the worst case: nothing to compress but the enlarged pixels.
    noise = np.random.default_rng(0).integers(0, 256, (100, 122, 122), np.uint8)
    for epoch, grid in enumerate(noise, start=1):
        grid[: grid.shape[0] * 3 // 4] = 0
        imageio.imwrite(tmp_path / f"epoch_{epoch:03d}.png", grid.repeat(3, axis=0).repeat(3, axis=1))
    assert _write(tmp_path, tmp_path / "progress.gif").stat().st_size < 4_000_000


def test_other_files_are_passed_over(tmp_path):
    frames = _save(tmp_path / "samples", [1, 2])
    imageio.imwrite(frames / "interpolation_001.png", np.zeros((3, 3), np.uint8))
    imageio.imwrite(frames / "epoch_best.png", np.zeros((3, 3), np.uint8))
    assert len(_durations(_write(frames, tmp_path / "progress.gif"))) == 2


def test_no_grids(tmp_path):
    with pytest.raises(errors.InputError, match=f"Received: frames={tmp_path}"):
        _write(tmp_path, tmp_path / "progress.gif")
    assert not list(tmp_path.iterdir())


def test_grids_of_different_sizes(tmp_path):
    _save(tmp_path, [1])
    _save(tmp_path, [2], shape=(6, 6))
    with pytest.raises(errors.InputError, match=r"Received: \(6, 6\) in .*epoch_002.png"):
        _write(tmp_path, tmp_path / "progress.gif")


def test_an_unreadable_grid(tmp_path):
    (tmp_path / "epoch_001.png").write_bytes(b"no image")
    with pytest.raises(errors.InputError, match=r"readable PNG. Received: .*epoch_001.png"):
        _write(tmp_path, tmp_path / "progress.gif")


def test_callback_animates_the_saved_grids(tmp_path, make_model, fit):
    frames = tmp_path / "samples"
    _save(frames, [1, 2], shape=(176, 176))
    callbacks = [
        ImageGrid(frames, count=4),
        ProgressGif(tmp_path / "progress.gif", frames, frame_seconds=0.05, last_seconds=3),
    ]
    # The model does not learn: two equal grids would count as one frame of twice the time.
    fit(make_model(), callbacks, epochs=3, initial_epoch=2)
    assert _durations(tmp_path / "progress.gif") == [50, 50, 3000]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["progress.gif", "samples"]


def test_callback_does_not_lose_a_training_without_grids(tmp_path, make_model, fit, caplog):
    with caplog.at_level(logging.WARNING, logger="dcgan"):
        fit(make_model(), [ProgressGif(tmp_path / "progress.gif", tmp_path / "samples")])
    assert "Expected grids named epoch_001.png" in caplog.text
    assert not (tmp_path / "progress.gif").exists()


@pytest.mark.parametrize("option", ["frame_seconds", "last_seconds"])
def test_refuses_times_that_browsers_change(tmp_path, option):
    with pytest.raises(ValueError, match=f"Received: {option}=0.01"):
        ProgressGif(tmp_path / "progress.gif", tmp_path, **{option: 0.01})
