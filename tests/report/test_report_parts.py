import html.parser
import json
import subprocess
import sys

import numpy as np
import pytest

from dcgan.errors import InputError
from dcgan.report import Part, draw, page, publish
from dcgan.runs.run_directory import RunDirectory

VOID = {"meta", "img", "link", "br", "input"}
ROW = {"auroc": 0.5, "found": 0.25}


class Checker(html.parser.HTMLParser):
    """Checks that elements are closed in order; collects identifiers and headings."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.sources, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.sources += [values[key] for key in ("src", "href") if key in values]
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _part(name="run", version="keras one", timings=()):
    """A part of how a run was made, the smallest there is."""
    configuration = {"data": "mnist", "network": {"latent_dim": 8}, "training": {"epochs": 2}}
    metrics = {
        "configuration": configuration,
        "versions": {"keras": version},
        "timings": dict(timings),
    }
    return Part(name=name, template="run", metrics=metrics, facts={"epochs": [], "curves": []})


def _detector(generator="checks"):
    """A detector's part with pictures, of a generator of any name."""
    metrics = {
        "headline": {
            "warnings": ["Too easy."],
            "sentences": ["Expect little."],
            "mean_auroc": 0.5,
            "worst_generator": generator,
            "worst_auroc": 0.5,
            "worst_auroc_delivered": 0.5,
            "worst_delivered": generator,
            "worst_delivery": "blur",
        },
        "generators": {generator: {"mean_auroc": 0.5}},
        "detector": {name: {generator: ROW} for name in ("as they are", "blur", "matched")},
        "baselines": {},
        "families": {"gan": {"mean_auroc": 0.5, "worst_auroc": 0.5, "worst_delivery": "blur"}},
        "simple_statistics": {"auroc": 0.5, "easy_share": 0.0},
        "summary": {name: {"mean_auroc": 0.5} for name in ("as they are", "blur", "matched")},
        "false_positives": {
            "reals": 9,
            "realised": {"as they are": 0.0, "blur": 0.02},
            "worst": 0.02,
            "worst_delivery": "blur",
        },
    }
    facts = {
        "roc": {generator: [[0, 1], [0.5, 1]]},
        "reliability": {"claimed": [0.5], "found": [0.5], "mass": [1], "ece": 0.0},
        "checks": ["matched"],
        "heat_maps": [generator],
    }
    arrays = {"heat_maps_0": np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8, 1)}
    return Part(name="detector", template="detector", metrics=metrics, facts=facts, arrays=arrays)


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "a & b")


def _files(run):
    return {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()}


def test_a_part_renewed_leaves_the_others(run):
    publish(run, _part(), _detector())
    publish(run, _part(version="keras two"))
    metrics = json.loads(run.report_json.read_text())
    assert list(metrics) == ["detector", "run"]
    assert metrics["run"]["versions"] == {"keras": "keras two"}
    assert metrics["detector"] == dict(_detector().metrics)
    text = Checker(run.report_html.read_text()).text
    assert text.index("Expect little.") < text.index("keras two")
    assert "keras one" not in text


def test_the_report_is_all_that_is_left(run):
    publish(run, _detector())
    publish(run, _detector("stripes"))
    names = _files(run)
    arrays = {name for name in names if name.endswith(".npz")}
    assert names - arrays == {"report.json", "report.html", "report/detector.json"}
    assert len(arrays) == 1


def test_a_report_is_drawn_again_from_what_is_stored(run):
    publish(run, _part(), _detector())
    before = run.report_html.read_bytes(), run.report_json.read_bytes()
    run.report_html.unlink()
    run.report_json.unlink()
    draw(run)
    assert (run.report_html.read_bytes(), run.report_json.read_bytes()) == before


@pytest.mark.slow
def test_the_command_draws_it_without_tensorflow(run):
    publish(run, _detector())
    run.report_html.unlink()
    script = (
        "import sys; from dcgan import cli\n"
        "try: cli.main()\n"
        "finally: assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    process = subprocess.run(
        [sys.executable, "-c", script, "report", run.path], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout == f"report  {run.report_html}\nmetrics {run.report_json}\n"
    assert run.report_html.is_file()


def test_the_command_without_parts(run_cli, tmp_path):
    code, out, err = run_cli("report", tmp_path / "nothing")
    assert (code, out) == (2, "")
    assert "nothing: expected a report to draw; dcgan evaluate" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"format": 1}'])
def test_a_damaged_part_is_named(run, content):
    publish(run, _part())
    (run.report_parts / "detector.json").write_bytes(content)
    with pytest.raises(InputError, match=r"detector\.json: expected a part of a report; delete it"):
        publish(run, _part())


@pytest.mark.parametrize("content", [None, b"", b"PK"])
def test_damaged_arrays_are_named(run, content):
    publish(run, _detector())
    (path,) = run.report_parts.glob("*.npz")
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=r"detector\.json: expected a part of a report; delete it"):
        draw(run)


@pytest.mark.parametrize("change", [{"format": 2}, {"format": 0}, {"template": "hologram"}])
def test_a_part_of_another_version(run, change):
    publish(run, _part())
    path = run.report_parts / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"dcgan": "9.9"} | change))
    with pytest.raises(InputError, match=r"run\.json: expected .* but dcgan 9\.9 wrote it") as caught:
        draw(run)
    assert "\n" not in str(caught.value)


def test_a_part_that_lacks_what_the_page_shows(run):
    with pytest.raises(InputError, match=r"report/run\.json: expected all that template 'run' shows"):
        publish(run, Part(name="run", template="run", metrics={"configuration": {}}))


def test_a_damaged_part_is_mended_by_its_own_command(run):
    run.report_parts.mkdir(parents=True)
    (run.report_parts / "run.json").write_text("{")
    publish(run, _part())
    assert list(json.loads(run.report_json.read_text())) == ["run"]


def test_metrics_must_be_finite(run):
    publish(run, _part())
    before = {name: (run.path / name).read_bytes() for name in _files(run)}
    with pytest.raises(ValueError, match="JSON"):
        publish(run, _part(timings={"seconds": float("nan")}))
    assert {name: (run.path / name).read_bytes() for name in _files(run)} == before


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: expected a directory to write to"):
        publish(RunDirectory(tmp_path / "file"), _part())


def test_a_page_is_well_formed_and_escapes_text(run):
    nasty = '<script>alert("&")</script>'
    text = page.render(nasty, [_detector(nasty), _part(version=nasty)])
    assert "<script" not in text
    checked = Checker(text)
    assert checked.text.count(nasty) == 8


def test_links_lead_to_sections():
    checked = Checker(page.render("x", [_part()]))
    assert checked.ids == ["training", "configuration"]
    assert checked.sources == ["#training", "#configuration"]
