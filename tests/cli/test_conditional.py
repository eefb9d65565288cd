"""Class-conditional runs from the command line."""

import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import presets, sampling, training
from dcgan.config import RunConfig, TrainingConfig

LEVELS = {"dark": 40, "medium": 128, "bright": 215}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Training and test images of three classes, which differ in their level."""
    folder = tmp_path_factory.mktemp("images") / "levels"
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for name, level in LEVELS.items():
            (folder / split / name).mkdir(parents=True)
            for number, image in enumerate(level + rng.integers(-40, 40, (36, 28, 28))):
                imageio.imwrite(folder / split / name / f"{number:02}.png", image.astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory, tiny_network, folder):
    path = tmp_path_factory.mktemp("config") / "config.json"
    training = TrainingConfig(
        batch_size=16, epochs=2, ema_decay=0.9, r1_gamma=0.1, loss="relativistic", checkpoint_every=1
    )
    RunConfig(
        preset="article", data=str(folder), network=tiny_network, training=training, features="random"
    ).save(path)
    return path


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """A conditional run."""
    out = tmp_path_factory.mktemp("runs") / "levels"
    return training.train(RunConfig.load(config), out, conditional=True).run.path


@pytest.mark.slow
def test_train_and_resume(run_cli, config, deterministic, tmp_path):
    command = ["train", "--config", config, "--out", tmp_path / "run"]
    code, _, err = run_cli(*command, "--conditional")
    assert code == 0, err
    assert RunConfig.load(tmp_path / "run" / "config.json").network.classes == 3
    assert json.loads((tmp_path / "run" / "data.json").read_text())["class_names"] == sorted(LEVELS)
    model = sampling.load_model(tmp_path / "run" / "dcgan.keras")
    assert model.class_counts.numpy().sum() == 2 * 6 * 16
    # Three rows of six images of 28 pixels, enlarged three times.
    assert imageio.imread(tmp_path / "run" / "samples" / "epoch_001.png").shape == (276, 546)
    code, _, err = run_cli(*command, "--conditional")
    assert (code, "All 2 epochs were already done" in err) == (0, True)
    code, _, err = run_cli(*command)
    assert code == 2
    assert "holds a run with classes=3, not 0" in err
    code, _, err = run_cli(*command, "--conditional", "--seed", "4")
    assert code == 2
    assert "holds a run with seed=0, not 4. Another --out" in err


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "expected images with labels for a conditional GAN"),
        (np.zeros(40, int), "expected at least two classes for --conditional. Received: only 0"),
        (np.arange(40) - 1, "expected labels of at least 0. Received: -1"),
        (np.eye(40), "expected labels as 40 integers"),
    ],
)
def test_data_without_classes(run_cli, config, tmp_path, labels, message):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels, **({} if labels is None else {"labels": labels}))
    command = ["train", "--config", config, "--data", tmp_path / "a.npz", "--conditional"]
    code, out, err = run_cli(*command, "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    last = err.strip().splitlines()[-1]
    assert "a.npz: " in last
    assert message in last
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_samples_of_a_class(run_cli, trained, tmp_path):
    model = sampling.load_model(trained / "dcgan.keras")
    for label, number in {"dark": 1, "bright": 0, "2": 2}.items():
        code, _, err = run_cli(
            *("sample", trained, "--label", label, "--count", 5, "--npz", tmp_path / "s.npz")
        )
        assert code == 0, err
        with np.load(tmp_path / "s.npz") as archive:
            assert archive["labels"].tolist() == [number] * 5
            expected = sampling.draw(model, 5, labels=number)
            np.testing.assert_array_equal(archive["images"], expected)


@pytest.mark.slow
def test_samples_of_all_classes(run_cli, trained, tmp_path):
    code, _, err = run_cli("sample", trained, "--count", 30, "--npz", tmp_path / "s.npz")
    assert code == 0, err
    with np.load(tmp_path / "s.npz") as archive:
        assert set(archive["labels"]) == {0, 1, 2}


@pytest.mark.slow
def test_no_such_class(run_cli, trained, config, tmp_path):
    code, _, err = run_cli("sample", trained, "--label", "cat")
    expected = "--label: expected a class's number from 0 to 2, or one of bright, dark, medium. Received"
    assert (code, expected in err) == (2, True)
    plain = shutil.copytree(trained, tmp_path / "plain")
    shutil.copy(config, plain / "config.json")
    code, _, err = run_cli("sample", plain, "--label", "cat")
    assert (code, "--label: expected a conditional run" in err) == (2, True)


@pytest.mark.slow
def test_a_resumed_run_ends_as_one_that_was_not_interrupted(config, trained, tmp_path, deterministic):
    once = RunConfig.load(config)
    short = presets.override(once, training={"epochs": 1})
    training.train(short, tmp_path / "run", conditional=True)
    resumed = training.train(once, tmp_path / "run", conditional=True).model
    for a, b in zip(
        resumed.variables, sampling.load_model(trained / "dcgan.keras").variables, strict=True
    ):
        np.testing.assert_allclose(a, b, atol=1e-6, err_msg=a.path)


@pytest.mark.slow
def test_everything_after_training(run_cli, trained, tmp_path, deterministic):
    """Evaluation, detector, its report, export of discriminator, detector and generator, a search."""
    run = shutil.copytree(trained, tmp_path / "run")
    space = {"batch_size": 16, "generator_width": 4, "discriminator_width": 4, "kernel_size": 3}
    (tmp_path / "space.json").write_text(json.dumps(space))
    search = [
        "--space",
        tmp_path / "space.json",
        "--trials",
        1,
        "--epochs",
        1,
        "--epoch-images",
        64,
        "--algorithm",
        "random",
    ]
    for command in (
        ["export", run, "--name", "discriminator", "--generator"],
        ["evaluate", run, "--count", 12],
        [
            "detect",
            run,
            "--false-positive-rate",
            0.5,
            "--confidence",
            0.5,
            "--deliveries",
            "as they are",
        ],
        ["export", run],
        ["tune", "--config", run / "config.json", *search, "--out", tmp_path / "search"],
    ):
        code, _, err = run_cli(*command)
        assert code == 0, (command[0], err)
    found = sorted(path.parent.name for path in (run / "export").glob("*/1"))
    assert found == ["detector", "discriminator", "generator"]
