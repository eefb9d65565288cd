"""Other projects' callbacks, as the guide shows them: offline, with nothing of this package's own."""

import pytest

import documents

GUIDE = documents.ROOT / "docs" / "guides" / "callbacks.md"


@pytest.fixture
def follow(make_gan, make_images, monkeypatch, tmp_path):
    """Runs the guide's block on one of them, in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(name):
        (block,) = [each for each in documents.blocks(GUIDE) if f"import {name}" in each.text]
        names = {"model": make_gan().compile(), "dataset": make_images()}
        exec(compile("\n" * block.line + block.text, GUIDE, "exec"), names)
        return names["history"].history

    return run


@pytest.mark.slow
def test_mlflow(follow, tmp_path):
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not here")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    history = follow("mlflow")
    metrics = mlflow.last_active_run().data.metrics
    assert {*history} <= {*metrics}
    for name, values in history.items():
        assert metrics[name] == pytest.approx(values[-1]), name


@pytest.mark.slow
def test_weights_and_biases(follow, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="wandb is not here")
    for name, value in {"MODE": "offline", "SILENT": "true", "DISABLE_GIT": "true"}.items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    log, logged = wandb.Run.log, []

    def spy(run, values, *arguments, **options):
        logged.append(values)
        return log(run, values, *arguments, **options)

    monkeypatch.setattr(wandb.Run, "log", spy)
    history = follow("wandb")
    for name, values in history.items():
        assert [each[f"epoch/{name}"] for each in logged] == pytest.approx(values), name
    assert logged[-1]["epoch/learning_rate"] == pytest.approx(1e-4)
