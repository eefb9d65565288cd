import csv
import json

import numpy as np
import PIL.Image
import pytest
import rich.console

from dcgan import presets
from dcgan.cli.terminal import search_board
from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from tuning import Budget, SearchConfig, Space, TrialRecord


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--algorithm", "grid"], "algorithm: expected one of hyperband"),
        (["--objective", "loss"], "objective: expected one of val_frechet"),
        (["--epochs", "0"], "epochs: expected at least 1"),
        (["--max-minutes", "0"], "max_minutes: expected above 0"),
        (["--trials", "0"], "trials: expected above 0"),
        (["--space", "none.json"], "none.json: expected a search space"),
        (
            ["--space", "poisoned.json"],
            "poisoned.json: generator_width: expected at least 1. Received: 0",
        ),
        (["--preset", "mnist", "--config", "c.json"], "--config and --preset: expected one of them"),
        (["--data", "./none.npz"], "./none.npz"),
        (["--out", "run"], "run: holds a run"),
    ],
)
def test_errors_are_one_line(run_cli, arguments, part):
    with open("poisoned.json", "w") as file:  # noqa: PTH123
        json.dump({"generator_width": [0, 16]}, file)
    presets.get("mnist").save("run/config.json")
    code, out, err = run_cli("tune", *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("dcgan: ")
    assert part in err
    assert "Traceback" not in err


@pytest.fixture
def photos(tmp_path):
    """A folder of 64-pixel RGB images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(1000):
        small = rng.integers(0, 256, (4, 4, 3), np.uint8)
        PIL.Image.fromarray(small).resize((64, 64)).save(folder / f"{number}.png")
    return folder


@pytest.mark.slow
def test_a_search_on_a_folder_of_ones_own_with_a_poisoned_space(
    run_cli, photos, tmp_path, deterministic
):
    network = NetworkConfig(image_size=64, channels=3, latent_dim=4, max_width=8, kernel_size=3)
    training = TrainingConfig(batch_size=16, epochs=1)
    RunConfig(preset="rgb64", network=network, training=training).save(tmp_path / "base.json")
    space = {"generator_width": 4, "discriminator_width": 4, "latent_dim": 4, "kernel_size": 3}
    space |= {"batch_size": 16, "loss": "least_squares", "discriminator_learning_rate": [1e-3, 10.0]}
    space |= {"generator_learning_rate": [1e-3, 10.0]}
    (tmp_path / "space.json").write_text(json.dumps(space))
    code, out, err = run_cli(
        *("tune", "--data", photos, "--config", tmp_path / "base.json", "--trials", 4, "--epochs", 2),
        *("--epoch-images", 64, "--space", tmp_path / "space.json", "--out", "search"),
    )
    assert code == 0, err
    assert "next     dcgan train --config search/best.json" in out
    with open("search/trials.csv") as file:  # noqa: PTH123
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    best = RunConfig.load("search/best.json")
    assert best.data == str(photos)
    assert best.network.image_size == 64
    code, out, err = run_cli(
        "train", "--config", "search/best.json", "--out", "run", "--features", "none"
    )
    assert code == 0, err


def _record(trial, score, **fields):
    values = {"latent_dim": 32, "loss": "hinge"}
    return TrialRecord(
        **{"trial": trial, "status": "done", "score": score, "values": values, "epochs": 9.0, **fields}
    )


def _board(*, terminal=False, **budget):
    console = rich.console.Console(width=140, record=True, force_terminal=terminal)
    board = search_board.Leaders(console, SearchConfig(), Space(), Budget(**budget))
    return console, board


def test_the_best_stand_on_top():
    console, board = _board(trials=4)
    board._console = rich.console.Console(width=140, record=True, force_terminal=True)
    board.show([_record("0000", 9.0), _record("0001", 3.0), _record("0002", 1.0, status="failed")])
    console.print(board.table())
    text = console.export_text()
    assert "3 trials, 1 failed" in text
    assert text.index("0001") < text.index("0000")
    assert "0002" not in text
    assert "hinge" in text


def test_time_left_follows_from_the_budget(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(search_board.time, "time", lambda: now[0])
    _, board = _board(minutes=10)
    now[0] += 60
    assert board.left() == 540
    _, board = _board(trials=4)
    assert board.left() is None
    board.show([_record("0000", 9.0, elapsed=90.0)])
    assert board.left() == pytest.approx(3 * 90.0)
    now[0] += 30
    assert board.left() == pytest.approx(3 * 120.0)


def test_without_a_terminal_each_trial_is_a_line():
    console, board = _board(trials=4)
    first = _record("0000", 9.0)
    board.show([first])
    board.show([first, _record("0001", 3.0, status="failed", reason="It diverged.")])
    assert console.export_text().splitlines() == [
        "trial 0000  done  9  epochs 9",
        "trial 0001  failed  -  epochs 9  It diverged.",
    ]
