import json

import pytest

from dcgan import detector, presets, sampling
from dcgan.cli import detect, evaluate, quickstart, train
from dcgan.config import NetworkConfig, RunConfig
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory
from export.validation import fresh_process, probes

CALIBRATION = detector.Calibration(
    slope=1.0,
    offset=0.0,
    fake_above=0.0,
    real_below=0.0,
    false_positive_rate=0.01,
    confidence=0.95,
    deliveries=("as they are", "jpeg 75"),
    miss_rate=0.02,
    reals=500,
    fakes=400,
)
SMALL = NetworkConfig(latent_dim=4, generator_width=4, discriminator_width=4, max_width=4)


@pytest.fixture
def parts(monkeypatch):
    """Replaces what takes long by small models and empty reports; returns what was called."""
    calls = []

    def add_part(run, name):
        run.report_parts.mkdir(exist_ok=True)
        (run.report_parts / f"{name}.json").write_text("{}")

    def do_train(*, data, out):
        calls.append(("train", data))
        run = RunDirectory(out)
        RunConfig(network=SMALL).save(run.config)
        DCGAN.from_preset(presets.override(RunConfig(network=SMALL))).save(run.model)

    def do_detect(out):
        calls.append(("detect",))
        run = RunDirectory.open(out)
        discriminator = sampling.load_model(run.model).discriminator
        made = detector.Detector.from_discriminator(discriminator, width=2)
        made.calibrate(CALIBRATION)
        detector.save(made, run.detector)
        add_part(run, "detector")

    def do_evaluate(out):
        calls.append(("evaluate",))
        add_part(RunDirectory.open(out), "evaluation")

    monkeypatch.setattr(train, "train", do_train)
    monkeypatch.setattr(detect, "run", do_detect)
    monkeypatch.setattr(evaluate, "evaluate", do_evaluate)
    return calls


@pytest.fixture
def agreeing(monkeypatch):
    """Lets the export agree with Keras, or not, without a process to ask."""
    make, known, wrong = probes.for_scoring_model, {}, []

    def remember(scorer):
        made = make(scorer)
        known.update({probe.signature: probe.expected for probe in made})
        return made

    def answer(model, requests):
        return ["No such op" if wrong else known[name] for name, _ in requests]

    monkeypatch.setattr(probes, "for_scoring_model", remember)
    monkeypatch.setattr(fresh_process, "answer", answer)
    return wrong


def test_from_nothing_to_a_live_version_and_scored_images(run_cli, parts, agreeing, tmp_path):
    out = tmp_path / "run"
    code, output, errors = run_cli("quickstart", "--out", out)
    assert code == 0
    assert parts == [("train", "mnist"), ("detect",), ("evaluate",)]
    assert "All steps take" in errors
    assert (out / "serving" / "detector" / "1" / "saved_model.pb").is_file()
    card = json.loads((out / "serving/detector/1/assets.extra/model_card.json").read_text())
    assert card["calibrated"]
    lines = output.splitlines()
    assert lines[-1].startswith("docker run ")
    assert f"source={out}/serving,target=/models,readonly" in lines[-1]
    scored = [line.split()[-1] for line in lines if line.split()[-1].startswith(f"{out}/examples/")]
    names = [f"{kind}/{index:06d}.png" for kind in ("generated", "real") for index in range(1, 5)]
    assert scored[-8:] == [f"{out}/examples/{name}" for name in names]
    assert {path.name for path in tmp_path.iterdir()} == {"run", "work"}


def test_the_same_command_does_not_do_again_what_is_there(run_cli, parts, monkeypatch, tmp_path):
    for name in ("export", "push", "score", "serving_config"):
        command = getattr(quickstart, name)
        monkeypatch.setattr(command, name, lambda *_, name=name: parts.append((name,)))
    for _ in range(2):
        assert run_cli("quickstart", "--out", tmp_path / "run")[0] == 0
    trained = ("train", "mnist")
    last = [("export",), ("push",), ("score",), ("serving_config",)]
    assert parts == [trained, ("detect",), ("evaluate",), *last, trained, *last]


@pytest.mark.slow
def test_what_is_not_blessed_does_not_go_live(run_cli, parts, agreeing, tmp_path):
    agreeing.append("wrong")
    code, output, _ = run_cli("quickstart", "--out", tmp_path / "run")
    assert code == 1
    assert "NOT_BLESSED" in output
    assert not (tmp_path / "run" / "serving").exists()
