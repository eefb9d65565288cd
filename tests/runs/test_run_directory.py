import json
import logging
import multiprocessing
import os
import zipfile

import pytest

from dcgan import presets
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

CONFIG = RunConfig()


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "runs" / "one")
    run.path.mkdir(parents=True)
    return run


def test_everything_lies_in_the_directory(run):
    paths = [value for name, value in vars(run).items() if name != "path"]
    assert len(paths) == len(set(paths))
    assert all(path.parent == run.path for path in paths)


def test_open_needs_a_run(run):
    with pytest.raises(InputError, match=r"one: expected a run's directory.*config\.json"):
        RunDirectory.open(run.path)
    run.claim(CONFIG)
    assert RunDirectory.open(str(run.path)).load_config() == CONFIG


def test_a_run_is_a_path(run):
    assert os.fspath(run) == str(run.path)


def test_a_damaged_configuration(run):
    run.config.write_text(json.dumps({**CONFIG.to_dict(), "seed": "one"}))
    with pytest.raises(InputError, match=r"config\.json: seed: expected a whole number"):
        RunDirectory.open(run.path).load_config()


def test_a_run_of_another_version(run):
    run.claim(CONFIG)
    values = CONFIG.to_dict()
    values["network"]["head_width"] = values["network"].pop("smoothing")
    run.config.write_text(json.dumps(values))
    message = r"config\.json: .* differs in network\.head_width, network\.smoothing; train it anew"
    with pytest.raises(InputError, match=message):
        run.load_config()
    with pytest.raises(InputError, match=message):
        run.claim(CONFIG)


def test_claim_twice(run):
    assert run.claim(CONFIG) == run.claim(CONFIG) == run.load_config() == CONFIG


def test_claim_with_another_config(run):
    run.claim(CONFIG)
    other = presets.override(CONFIG, network={"dropout": 0.1}, seed=3)
    with pytest.raises(InputError, match=r"one: holds a run with .*--out") as caught:
        run.claim(other)
    expected = "holds a run with dropout=0.3, not 0.1; seed=0, not 3. Another --out"
    assert expected in str(caught.value)
    assert run.load_config() == CONFIG


def test_more_epochs_are_the_wish_to_train_on(run):
    run.claim(CONFIG)
    longer = presets.override(CONFIG, training={"epochs": CONFIG.training.epochs + 1})
    assert run.claim(longer) == longer == run.load_config()
    with pytest.raises(InputError, match="epochs=51, not 50"):
        run.claim(CONFIG)


def test_more_epochs_and_something_else_are_not(run):
    run.claim(CONFIG)
    longer = presets.override(CONFIG, training={"epochs": 99}, seed=1)
    with pytest.raises(InputError, match="holds a run with"):
        run.claim(longer)


def test_more_epochs_are_another_run_where_a_schedule_depends_on_them(run):
    cosine = presets.override(CONFIG, training={"learning_rate_schedule": "cosine"})
    run.claim(cosine)
    with pytest.raises(InputError, match="epochs=50, not 60"):
        run.claim(presets.override(cosine, training={"epochs": 60}))


def _write_checkpoint(path):
    """Writes a file that is whole, as far as its checksums tell."""
    path.with_suffix(".json").write_text("[]")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", b"weights")


def test_newest_model(run):
    nothing = "one: expected a trained run, found no usable checkpoint"
    with pytest.raises(InputError, match=nothing):
        run.newest_model()
    run.checkpoints.mkdir()
    for name in ("epoch_005.keras", "epoch_010.keras", ".epoch_015.1.tmp.keras"):
        _write_checkpoint(run.checkpoints / name)
    assert run.newest_model() == run.checkpoints / "epoch_010.keras"
    for name in ("epoch_999.keras", "epoch_1000.keras"):
        _write_checkpoint(run.checkpoints / name)
    assert run.newest_model() == run.checkpoints / "epoch_1000.keras"
    run.model.touch()
    assert run.newest_model() == run.model


def test_a_damaged_checkpoint_is_not_the_newest_model(run, caplog):
    run.checkpoints.mkdir()
    paths = [run.checkpoints / f"epoch_00{epoch}.keras" for epoch in (1, 2)]
    for path in paths:
        _write_checkpoint(path)
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    with caplog.at_level(logging.WARNING, logger="dcgan"):
        assert run.newest_model() == paths[0]
    assert "epoch_002.keras is damaged" in caplog.text
    paths[0].unlink()
    with pytest.raises(InputError, match="no usable checkpoint"):
        run.newest_model()


def test_read_metrics(run):
    assert run.read_metrics() == []
    run.metrics.write_text("epoch,g_loss,val_g_loss\n1,0.5,\n2,0.25,0.75\n")
    assert run.read_metrics() == [
        {"epoch": 1, "g_loss": 0.5},
        {"epoch": 2, "g_loss": 0.25, "val_g_loss": 0.75},
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("epoch,g_loss\n1,0.5\n2,0.\0\n", "line 3: expected the numbers of an epoch"),
        ("epoch,g_loss\n1\n", "line 2: expected the numbers of an epoch"),
        ("g_loss\n1\n", "expected a first line with the column epoch"),
        ("", "expected a first line with the column epoch"),
    ],
)
def test_damaged_metrics(run, content, problem):
    run.metrics.write_text(content)
    with pytest.raises(InputError, match=rf"one/metrics\.csv: {problem}"):
        run.read_metrics()


def _try_to_lock(path, queue):
    try:
        with RunDirectory(path).lock():
            queue.put("locked")
    except InputError as error:
        queue.put(str(error))


def _lock_elsewhere(path):
    """What another process hears that trains in the same directory."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_try_to_lock, args=(path, queue))
    process.start()
    answer = queue.get(timeout=60)
    process.join()
    return answer


def test_one_process_at_a_time(tmp_path):
    path = tmp_path / "runs" / "one"
    with RunDirectory(path).lock():
        assert _lock_elsewhere(path) == f"{path}: another process is training in it"
        assert _lock_elsewhere(tmp_path / "two") == "locked"
    assert _lock_elsewhere(path) == "locked"


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    run = RunDirectory(tmp_path / "file" / "run")
    with pytest.raises(InputError, match=r"run: expected a directory to write to"), run.lock():
        pass
    with pytest.raises(InputError, match=r"run: expected a directory to write to"):
        run.claim(CONFIG)


def test_a_value_that_is_not_compared_yet(run):
    run.claim(presets.override(CONFIG, network={"classes": 3}))
    run.check(CONFIG, besides=["network.classes"])
    with pytest.raises(InputError, match=r"holds a run with seed=0, not 3. Another"):
        run.check(presets.override(CONFIG, seed=3), besides=["network.classes"])
    with pytest.raises(InputError, match="holds a run with classes=3, not 0"):
        run.check(CONFIG)
