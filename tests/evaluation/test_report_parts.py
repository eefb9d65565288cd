import html.parser
import json

import pytest

from dcgan.errors import InputError
from dcgan.report import Part, Section, markup, page, publish
from dcgan.runs.run_directory import RunDirectory

VOID = {"meta", "img", "link", "br", "input"}


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


def _part(name, rank=0, value=1.0):
    sections = [Section(f"About {name}", markup.paragraph(f"value {value}"))]
    return Part(name=name, rank=rank, figures={"value": value}, sections=sections)


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "a & b")


def test_a_part_renewed_leaves_the_others(run):
    publish(run, _part("detector", rank=1), _part("evaluation"))
    publish(run, _part("evaluation", value=2.0))
    figures = json.loads(run.report_json.read_text())
    assert list(figures) == ["evaluation", "detector"]
    assert figures == {"evaluation": {"value": 2.0}, "detector": {"value": 1.0}}
    text = Checker(run.report_html.read_text()).text
    assert text.index("value 2.0") < text.rindex("About detector") < text.index("value 1.0")


def test_the_report_is_all_that_is_left(run):
    publish(run, _part("evaluation"))
    files = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*") if path.is_file()}
    assert files == {"report.json", "report.html", "report/evaluation.json"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"sections": [{}]}'])
def test_a_damaged_part_is_named(run, content):
    publish(run, _part("evaluation"))
    (run.report_parts / "detector.json").write_bytes(content)
    with pytest.raises(InputError, match=r"detector\.json: expected a part of a report"):
        publish(run, _part("evaluation"))


def test_a_damaged_part_is_mended_by_its_own_command(run):
    run.report_parts.mkdir(parents=True)
    (run.report_parts / "evaluation.json").write_text("{")
    publish(run, _part("evaluation"))
    assert json.loads(run.report_json.read_text()) == {"evaluation": {"value": 1.0}}


def test_figures_must_be_finite(run):
    publish(run, _part("evaluation"))
    before = run.report_json.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        publish(run, _part("evaluation", value=float("nan")))
    assert run.report_json.read_bytes() == before


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file: expected a directory to write to"):
        publish(RunDirectory(tmp_path / "file"), _part("evaluation"))


def test_a_page_is_well_formed_and_escapes_text(run):
    nasty = '<script>alert("&")</script>'
    pieces = [
        markup.paragraph(nasty, note=True),
        markup.table([(nasty, nasty)], header=(nasty, nasty), caption=nasty),
        markup.figure("data:,", alt=nasty, caption=nasty),
        markup.cards([(nasty, nasty, nasty)]),
        markup.fold(nasty, markup.paragraph(nasty)),
        markup.beside(markup.paragraph(nasty)),
    ]
    checked = Checker(page.render(nasty, [Section(nasty, "".join(pieces))]))
    assert "script" not in checked.ids
    assert "<script" not in page.render(nasty, [Section(nasty, "".join(pieces))])
    assert checked.text.count(nasty) == 17


def test_links_lead_to_sections():
    sections = [Section("Nearest images", ""), Section("Detector: ROC", "")]
    checked = Checker(page.render("x", sections))
    assert checked.ids == ["nearest-images", "detector-roc"]
    assert checked.sources == ["#nearest-images", "#detector-roc"]
