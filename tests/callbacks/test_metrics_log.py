import csv

import pytest
import tensorflow as tf

import helpers
from dcgan.callbacks import MetricsLog
from dcgan.runs import epoch_table


def read_rows(path):
    rows, problem = epoch_table.read(path)
    assert problem is None
    return rows


def _run(path, logs, *, first_epoch=0, **options):
    """Runs the callback's hooks as a training from `first_epoch` would."""
    log = MetricsLog(path, **options)
    log.on_train_begin()
    for epoch, values in enumerate(logs, first_epoch):
        log.on_epoch_begin(epoch)
        for batch in range(3):
            log.on_train_batch_end(batch)
        log.on_epoch_end(epoch, values)


def test_rows_are_epochs_and_read_back_exactly(tmp_path):
    values = [{"g_loss": 0.1 + 0.2, "d_loss": 1e-300}, {"g_loss": 1 / 3, "d_loss": 2.0}]
    _run(tmp_path / "made" / "metrics.csv", values)
    with (tmp_path / "made" / "metrics.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", "g_loss", "d_loss"]
    assert [row[0] for row in rows] == ["1", "2"]
    assert [tuple(map(float, row[1:])) for row in rows] == [tuple(v.values()) for v in values]


def test_rows_of_later_epochs_are_dropped_on_resume(tmp_path):
    path = tmp_path / "metrics.csv"
    _run(path, [{"loss": value} for value in (1, 2, 3, 4)])
    _run(path, [{"loss": value} for value in (30, 40)], first_epoch=2)
    assert [(row["epoch"], row["loss"]) for row in read_rows(path)] == [
        ("1", "1.0"),
        ("2", "2.0"),
        ("3", "30.0"),
        ("4", "40.0"),
    ]


def test_a_new_training_drops_all_rows(tmp_path):
    path = tmp_path / "metrics.csv"
    _run(path, [{"loss": 1}, {"loss": 2}])
    _run(path, [{"loss": 5}])
    assert [row["loss"] for row in read_rows(path)] == ["5.0"]


def test_the_same_file_as_without_the_interruption(tmp_path):
    values = [{"loss": 1 / (3 + epoch)} for epoch in range(4)]
    _run(tmp_path / "whole.csv", values)
    _run(tmp_path / "parts.csv", values[:3])
    _run(tmp_path / "parts.csv", values[2:], first_epoch=2)
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "parts.csv").read_bytes()


def test_columns_may_come_late_and_go(tmp_path):
    path = tmp_path / "metrics.csv"
    _run(path, [{"loss": 1}, {"loss": 2, "val_loss": 3}, {"loss": 4}])
    assert path.read_text() == "epoch,loss,val_loss\n1,1.0,\n2,2.0,3.0\n3,4.0,\n"
    assert read_rows(path)[0] == {"epoch": "1", "loss": "1.0", "val_loss": ""}


def test_not_a_number_is_written_as_such(tmp_path):
    path = tmp_path / "metrics.csv"
    _run(path, [{"loss": float("nan"), "other": float("inf")}])
    assert path.read_text() == "epoch,loss,other\n1,nan,inf\n"


def test_timings_have_a_file_of_their_own(tmp_path, monkeypatch):
    seconds = iter([10.0, 14.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(seconds))
    _run(tmp_path / "timings.csv", [{"loss": 1}], timings=True)
    text = "epoch,seconds,steps_per_second\n1,4.0,0.75\n"
    assert (tmp_path / "timings.csv").read_text() == text


def test_steps_beyond_the_end_of_an_epoch_do_not_count(tmp_path, monkeypatch):
    """As Keras numbers them with `steps_per_execution=3`."""
    monkeypatch.setattr("time.perf_counter", iter([10.0, 14.0]).__next__)
    log = MetricsLog(tmp_path / "timings.csv", timings=True)
    log.set_params({"steps": 4})
    log.on_train_begin()
    log.on_epoch_begin(0)
    for batch in (2, 5):
        log.on_train_batch_end(batch)
    log.on_epoch_end(0, {"loss": 1})
    assert read_rows(tmp_path / "timings.csv")[0]["steps_per_second"] == "1.0"


@pytest.mark.slow
def test_steps_in_data_of_unknown_length(tmp_path, make_gan, make_images):
    images = tf.data.Dataset.from_tensor_slices(make_images(16))
    unknown = images.batch(4).filter(lambda batch: True)
    model = make_gan().compile(**helpers.sgd(), steps_per_execution=3, jit_compile=False)
    log = MetricsLog(tmp_path / "timings.csv", timings=True)
    model.fit(unknown, epochs=2, verbose=0, callbacks=[log])
    for row in read_rows(tmp_path / "timings.csv"):
        assert float(row["seconds"]) * float(row["steps_per_second"]) == pytest.approx(4)


def test_written_after_every_epoch_without_leftovers(tmp_path, make_gan, make_images):
    path, seen = tmp_path / "metrics.csv", []

    class Reader(MetricsLog):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            seen.append([row["g_loss"] for row in read_rows(path)])

    model = make_gan().compile()
    options = {"batch_size": 4, "epochs": 2, "verbose": 0, "callbacks": [Reader(path)]}
    history = model.fit(make_images(), **options).history
    assert seen == [[repr(x) for x in history["g_loss"][:epoch]] for epoch in (1, 2)]
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.csv"]


def test_no_file_no_rows(tmp_path):
    assert read_rows(tmp_path / "none.csv") == []


@pytest.mark.parametrize("epochs", [1, 3])
def test_an_epoch_without_logs(tmp_path, epochs):
    path = tmp_path / "metrics.csv"
    _run(path, [None] * epochs)
    assert [row["epoch"] for row in read_rows(path)] == [str(n + 1) for n in range(epochs)]


@pytest.mark.parametrize(
    ("line", "kept"),
    [("2,0.5", ["1", "3"]), ("\0\0\0", ["1", "3"]), ("x,1,2", ["1", "3"]), ("2,1,half", ["1", "3"])],
)
def test_a_damaged_file_is_kept_aside(tmp_path, caplog, line, kept):
    path = tmp_path / "metrics.csv"
    damaged = f"epoch,loss,other\n1,1.0,\n{line}\n3,3.0,\n"
    path.write_text(damaged)
    _run(path, [{"loss": 4}], first_epoch=3)
    assert [row["epoch"] for row in read_rows(path)] == [*kept, "4"]
    assert (tmp_path / "metrics.damaged.csv").read_text() == damaged
    (record,) = caplog.records
    assert "metrics.csv is damaged (line 3: expected the numbers of an epoch)" in record.getMessage()
    assert "metrics.damaged.csv, continuing with the 2 epochs" in record.getMessage()


def test_a_file_of_another_kind_is_kept_aside(tmp_path, caplog):
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"\xff\x00,\n\x89")
    _run(path, [{"loss": 1}])
    assert [row["epoch"] for row in read_rows(path)] == ["1"]
    assert (tmp_path / "metrics.damaged.csv").read_bytes() == b"\xff\x00,\n\x89"
    assert "expected a first line with the column epoch" in caplog.text


def test_a_damaged_file_stays_where_no_epoch_is_left_to_do(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("")
    _run(path, [])
    assert path.read_text() == ""
