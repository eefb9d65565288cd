import json

import pytest

from dcgan.config import RunConfig
from dcgan.runs.run_directory import RunDirectory
from export.validation import fresh_process, probes


@pytest.fixture
def run(gan, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    RunConfig().save(directory.config)
    gan.save(directory.model)
    report = {"evaluation": {"scores": {"precision": {"value": 0.5}}}}
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


def test_push_rollback_and_versions(run_cli, run, tmp_path):
    code, output, _ = run_cli("versions", run)
    assert code == 0
    assert output == (
        f"no candidates; `dcgan export {run}` makes one\n"
        f"nothing live; `dcgan push {run}` makes a blessed candidate live\n"
    )
    run_cli("export", run)
    run_cli("export", run, "--maximum", "precision=0.1")
    assert run_cli("push", run)[0] == 2
    to = ("--to", tmp_path / "live")
    for _ in range(2):
        code, output, _ = run_cli("push", run, "--version", 1, *to)
        assert code == 0
    assert output == f"detector   {tmp_path}/live/detector/2\n"
    code, output, _ = run_cli("push", run, "--rollback", *to)
    assert code == 0
    assert output == f"version 1 is live again, as version 3\ndetector   {tmp_path}/live/detector/3\n"
    code, output, _ = run_cli("versions", run, *to)
    assert code == 0
    rows = [line.split() for line in output.splitlines()]
    digest = rows[1][1]
    assert digest.startswith("sha256:")
    assert rows == [
        ["candidate", "digest", "validation"],
        ["1", digest, "BLESSED,", "INFRA_BLESSED"],
        ["2", digest, "NOT_BLESSED,", "INFRA_BLESSED"],
        ["version", "digest", "candidate"],
        ["1", digest, "1"],
        ["2", digest, "1"],
        ["3", digest, "1", "copy", "of", "1,", "live"],
    ]
    (run / "export" / "detector" / "2" / "blessing" / "NOT_BLESSED").unlink()
    (run / "export" / "detector" / "2" / "infra_blessing" / "INFRA_BLESSED").unlink()
    (tmp_path / "live" / "detector" / "1" / "assets.extra" / "model_card.json").write_text("[]")
    output = run_cli("versions", run, *to)[1]
    assert "not validated" in output
    assert ["1", "?", "1"] in [line.split() for line in output.splitlines()]


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
