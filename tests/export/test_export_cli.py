import json
import shutil

import pytest

from dcgan.config import RunConfig
from dcgan.runs.run_directory import RunDirectory
from export.validation import fresh_process, probes


@pytest.fixture
def run(gan, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    RunConfig().save(directory.config)
    gan.save(directory.model)
    report = {"evaluation": {"epochs": 0, "scores": {"precision": {"value": 0.5}}}}
    directory.report_json.write_text(json.dumps(report))
    return directory.path


@pytest.fixture(autouse=True)
def _agreeing(monkeypatch):
    """Lets every model agree with Keras, without a process to ask."""
    known = {}
    make = {name: getattr(probes, name) for name in ("for_scoring_model", "for_generator")}

    def remember(name):
        def call(model):
            made = make[name](model)
            known.update({probe.signature: probe.expected for probe in made})
            return made

        return call

    for name in make:
        monkeypatch.setattr(probes, name, remember(name))
    monkeypatch.setattr(
        fresh_process, "answer", lambda model, requests: [known[name] for name, _ in requests]
    )


@pytest.mark.slow
def test_the_last_line_says_where_and_that_it_is_uncalibrated(run_cli, run):
    code, output, errors = run_cli("export", run, "--generator")
    assert (code, errors) == (0, "")
    drawing, scoring = output.split("\n\n")
    assert drawing.splitlines()[-1] == f"generator  {run}/export/generator/1"
    digest, infra, blessing, last = scoring.splitlines()
    assert digest.startswith("digest     sha256:")
    assert infra == "infra      INFRA_BLESSED"
    assert blessing == "blessing   BLESSED"
    assert last == (
        f"detector   {run}/export/detector/1  "
        f"(uncalibrated: the raw discriminator; `dcgan detect {run}` makes a detector)"
    )


@pytest.mark.slow
def test_name_keep_and_limit(run_cli, run):
    options = ["--name", "digits", "--keep", 1, "--max-pixels", 77]
    for version in (1, 2):
        code, output, _ = run_cli("export", run, *options)
        assert code == 0
        assert f"{run}/export/digits/{version}" in output
    (version,) = (run / "export" / "digits").iterdir()
    assert version.name == "2"
    card = json.loads((version / "Format-Serving" / "assets.extra" / "model_card.json").read_text())
    assert (card["name"], card["max_pixels"]) == ("digits", 77)


@pytest.mark.slow
def test_a_threshold_set_too_high_keeps_a_model_from_going_live(run_cli, run):
    code, output, errors = run_cli("export", run, "--minimum", "precision=0.9")
    assert (code, errors) == (1, "")
    reason = "precision 0.5 is less than the minimum of 0.9"
    assert f"blessing   NOT_BLESSED\n           {reason}\n" in output
    code, output, errors = run_cli("push", run)
    assert (code, output) == (2, "")
    assert errors == (
        f"dcgan: {run}/export/detector/1: NOT_BLESSED and INFRA_BLESSED, not pushed: {reason}\n"
    )
    assert not (run / "serving").exists()


@pytest.mark.slow
def test_push_rollback_and_versions(run_cli, run, gan, make_gan, tmp_path):
    code, output, _ = run_cli("versions", run)
    assert code == 0
    assert output == (
        f"no candidates; `dcgan export {run}` makes one\n"
        f"nothing live; `dcgan push {run}` makes a blessed candidate live\n"
    )
    run_cli("export", run)
    other = make_gan()
    other.discriminator.set_weights([weight + 1 for weight in gan.discriminator.get_weights()])
    other.compile().save(run / "dcgan.keras")
    run_cli("export", run)
    run_cli("export", run, "--maximum", "precision=0.1")
    assert run_cli("push", run)[0] == 2
    to = ("--to", tmp_path / "live")
    for version in (1, 2):
        code, output, _ = run_cli("push", run, "--version", version, *to)
        assert (code, output) == (0, f"detector   {tmp_path}/live/detector/{version}\n")
    code, output, _ = run_cli("push", run, "--version", 2, *to)
    assert (code, output) == (0, f"already live, nothing to do\ndetector   {tmp_path}/live/detector/2\n")
    assert run_cli("serving-config", run, *to)[0] == 0
    code, output, _ = run_cli("push", run, "--rollback", *to)
    assert code == 0
    assert output == f"version 1 is live again, as version 3\ndetector   {tmp_path}/live/detector/3\n"
    code, output, _ = run_cli("versions", run, *to)
    assert code == 0
    rows = [line.split() for line in output.splitlines()]
    first, second = rows[1][1], rows[2][1]
    assert first.startswith("sha256:")
    assert rows == [
        ["candidate", "digest", "validation"],
        ["1", first, "BLESSED,", "INFRA_BLESSED"],
        ["2", second, "BLESSED,", "INFRA_BLESSED"],
        ["3", second, "NOT_BLESSED,", "INFRA_BLESSED"],
        ["version", "digest", "candidate"],
        ["1", first, "1", "stable"],
        ["2", second, "2", "canary"],
        ["3", first, "1", "copy", "of", "1,", "live"],
    ]
    (run / "export" / "detector" / "1" / "Format-Serving" / "saved_model.pb").write_bytes(b"")
    (run / "export" / "detector" / "3" / "blessing" / "NOT_BLESSED").unlink()
    (run / "export" / "detector" / "3" / "infra_blessing" / "INFRA_BLESSED").unlink()
    (tmp_path / "live" / "detector" / "1" / "assets.extra" / "model_card.json").write_text("[]")
    shutil.rmtree(tmp_path / "live" / "detector" / "2")
    output = run_cli("versions", run, *to)[1]
    assert "BLESSED, INFRA_BLESSED, but changed since" in output
    assert "not validated" in output
    assert ["1", "?", "1", "stable"] in [line.split() for line in output.splitlines()]
    assert f"canary: version 2 is gone; `dcgan serving-config {run}` sets labels anew\n" in output


@pytest.mark.slow
def test_a_live_version_without_a_card_is_said_and_not_compared_with(run_cli, run):
    run_cli("export", run)
    run_cli("push", run)
    card = run / "serving" / "detector" / "1" / "assets.extra" / "model_card.json"
    card.unlink()
    code, output, errors = run_cli("export", run, "--maximum-drop", "precision=0.1")
    assert (code, errors) == (0, "")
    (note,) = [line for line in output.splitlines() if line.startswith("note")]
    assert note.startswith(
        f"note       not compared with the live version: {card}: expected a model card"
    )


@pytest.mark.parametrize(
    ("command", "options", "error"),
    [
        ("export", ["--name", "1"], "dcgan: name: expected a letter"),
        ("export", ["--name", "generator", "--generator"], "dcgan: --name: expected a name other than"),
        ("export", ["--keep", "0"], "dcgan: Invalid value for '--keep'"),
        ("export", ["--maximum-drop", "precision"], "dcgan: --maximum-drop: expected METRIC=VALUE"),
        ("export", ["--maximum-rise", "=1"], "dcgan: --maximum-rise: expected METRIC=VALUE"),
        ("push", [], "dcgan: {run}/export/detector: expected a candidate to push"),
        ("push", ["--rollback"], "dcgan: {run}/serving/detector: expected a live version"),
        ("versions", ["--name", ".."], "dcgan: name: expected a letter"),
    ],
)
def test_errors_are_one_line(run_cli, run, command, options, error):
    code, _, errors = run_cli(command, run, *options)
    assert code == 2
    assert errors.startswith(error.format(run=run))
    assert errors.count("\n") == 1


def test_no_run_and_nothing_trained(run_cli, tmp_path):
    for command in ("export", "push", "versions"):
        code, _, errors = run_cli(command, tmp_path)
        assert (code, errors) == (
            2,
            f"dcgan: {tmp_path}: expected a run's directory, one that holds config.json\n",
        )
    RunConfig().save(tmp_path / "config.json")
    code, _, errors = run_cli("export", tmp_path)
    assert code == 2
    assert "expected a trained run" in errors
