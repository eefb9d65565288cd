import imageio.v3 as imageio
import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan import images
from dcgan.callbacks import TensorBoardImages

pytestmark = pytest.mark.usefixtures("eager")


def _read(directory):
    """Returns {(tag, step): value} of the event files directly in a directory."""
    values = {}
    for path in sorted(directory.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                values[value.tag, event.step] = tf.make_ndarray(value.tensor)
    return values


def test_scalars_of_every_epoch(tmp_path, make_model, fit):
    rows = ((2.0, 0.5, 0.25), (4.0, 0.5, 0.75))
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=2, rows=rows)
    values = _read(tmp_path)
    for step in (1, 2):
        assert values["epoch/g_loss", step] == 3.0
        assert values["epoch/real_accuracy", step] == 0.5
        assert values["epoch/fake_accuracy", step] == 0.5
    assert {step for _, step in values if step} == {1, 2}


def test_grid_has_the_samples_pixels(tmp_path, make_model, fit):
    model = make_model((64, 64, 3))
    fit(model, [TensorBoardImages(tmp_path, count=4, seed=3)])
    width, height, png = _read(tmp_path)["samples", 1]
    expected = images.grid(model.generate(4, seed=3))
    assert (int(height), int(width)) == expected.shape[:2]
    np.testing.assert_array_equal(imageio.imread(png), expected)


def test_grey_grid(tmp_path, make_model, fit):
    model = make_model((64, 64, 1))
    fit(model, [TensorBoardImages(tmp_path, count=1)])
    _, _, png = _read(tmp_path)["samples", 1]
    np.testing.assert_array_equal(imageio.imread(png), images.grid(model.generate(1)))


def test_every_thins_grids_but_not_scalars(tmp_path, make_model, fit):
    fit(make_model(), [TensorBoardImages(tmp_path, every=2)], epochs=4)
    values = _read(tmp_path)
    assert [step for tag, step in values if tag == "samples"] == [2, 4]
    assert [step for tag, step in values if tag == "epoch/g_loss"] == [1, 2, 3, 4]


def test_steps_go_on_when_training_goes_on(tmp_path, make_model, fit):
    model, callback = make_model(), TensorBoardImages(tmp_path)
    fit(model, [callback], epochs=2)
    fit(model, [callback], epochs=4, initial_epoch=2)
    values = _read(tmp_path)
    assert sorted(step for tag, step in values if tag == "samples") == [1, 2, 3, 4]


def _steps(directory, tag="epoch/g_loss"):
    """Returns the steps of a tag, with those that repeat."""
    steps = []
    for path in sorted(directory.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            steps += [event.step for value in event.summary.value if value.tag == tag]
    return steps


@pytest.mark.slow
def test_epochs_that_are_done_again_are_there_once(tmp_path, make_model, fit):
    row = [(3.0, 0.5, 0.5)]
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=3)
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=4, initial_epoch=1, rows=row)
    assert sorted(_steps(tmp_path)) == [1, 2, 3, 4]
    assert sorted(_steps(tmp_path, "samples")) == [1, 2, 3, 4]
    values = _read(tmp_path)
    assert [values["epoch/g_loss", step] for step in (2, 3, 4)] == [3, 3, 3]
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=1)
    assert _steps(tmp_path) == [1]


def test_what_a_killed_process_leaves(tmp_path, make_model, fit):
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=3)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-5])
    (tmp_path / f".{path.stem}.99.tmp{path.suffix}").write_bytes(b"half")
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=3, initial_epoch=2)
    assert sorted(_steps(tmp_path)) == [1, 2, 3]
    assert not list(tmp_path.glob(".*"))


def test_other_writers_files_stay(tmp_path, make_model, fit):
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        tf.summary.scalar("mine", 1.0, step=500)
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=1)
    fit(make_model(), [TensorBoardImages(tmp_path)], epochs=1)
    assert _steps(tmp_path, "mine") == [500]
    assert _steps(tmp_path) == [1]


def test_an_epoch_is_on_the_disk_when_it_ends(tmp_path, make_model, fit):
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(("samples", epoch + 1) in _read(tmp_path))
    )
    fit(make_model(), [TensorBoardImages(tmp_path), look], epochs=2)
    assert seen == [True, True]


@pytest.mark.parametrize("folder", [".", "other"])
def test_works_beside_keras_tensorboard(tmp_path, make_model, fit, folder):
    beside = keras.callbacks.TensorBoard(tmp_path / folder, write_graph=False)
    fit(make_model(optimizer="sgd"), [beside, TensorBoardImages(tmp_path)], epochs=2)
    assert {("samples", 1), ("samples", 2), ("epoch/g_loss", 2)} <= _read(tmp_path).keys()
    assert ("epoch_g_loss", 1) in _read(tmp_path / folder / "train")


def test_keras_tensorboard_does_not_thin_the_summaries(tmp_path, make_model, fit):
    # It leaves the condition "every 1000th batch" in force at the end of an epoch.
    beside = keras.callbacks.TensorBoard(tmp_path / "keras", update_freq=1000, write_graph=False)
    fit(make_model(optimizer="sgd"), [beside, TensorBoardImages(tmp_path)])
    assert {("samples", 1), ("epoch/g_loss", 1)} <= _read(tmp_path).keys()


@pytest.mark.parametrize("option", ["count", "every"])
def test_refuses_zero(tmp_path, option):
    with pytest.raises(ValueError, match=f"Received: {option}=0"):
        TensorBoardImages(tmp_path, **{option: 0})


def test_a_row_for_each_class(tmp_path, make_classes, show):
    drawn = show(TensorBoardImages(tmp_path, count=8), make_classes(2))
    np.testing.assert_array_equal(drawn, np.repeat([0, 1], 4))
