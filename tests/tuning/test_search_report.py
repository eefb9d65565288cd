import html
import json
import re
import shutil
import subprocess

import pytest

from tuning import Space, TrialRecord, best_config, search_report
from tuning.search_directory import SearchDirectory

CHROMIUM = shutil.which("chromium")
HEADINGS = ["Summary", "Best trials", "Score against time", "Parallel coordinates", "What decides"]

# Writes what a browser sees into the page's title.
PROBE = """<script>
const problems = [];
addEventListener('error', event => problems.push(event.message || event.target.outerHTML), true);
addEventListener('load', () => {
  document.title = JSON.stringify({
    headings: [...document.querySelectorAll('h2')].map(heading => heading.textContent),
    charts: [...document.querySelectorAll('[role=img]')].map(
      chart => [chart.ariaLabel, chart.querySelector('svg').getBoundingClientRect().width]),
    wider: document.documentElement.scrollWidth - innerWidth,
    fetched: performance.getEntriesByType('resource').map(entry => entry.name)
      .filter(name => !name.startsWith('data:')),
    problems: problems,
  });
});
</script>"""


def _records(space, count=24):
    for number in range(count):
        values = space.sample(number)
        failed = number % 6 == 5
        score = 900.0 if failed else 1e5 * abs(values["generator_learning_rate"] - 1e-3) + 2
        yield TrialRecord(
            trial=f"{number:04d}",
            status="failed" if failed else "done",
            score=score,
            reason="Training stopped: <b>g_loss</b> is nan." if failed else "",
            values=values,
            epochs=0 if failed else (1, 3, 9)[number % 3],
            metrics={"val_frechet_distance": score},
            elapsed=60.0 * number,
        )


@pytest.fixture
def directory(tmp_path, make_config):
    """A search of 24 trials, four of which have failed."""
    directory = SearchDirectory(tmp_path / "search")
    directory.claim(make_config(), Space(), images="")
    for record in _records(Space()):
        record.save(directory.records)
    return directory


@pytest.fixture
def page(directory):
    search_report.write(directory)
    return directory.report_html.read_text()


def test_it_has_what_a_reader_looks_for(page, directory):
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == [*HEADINGS, "Failed trials", "All trials", "Search"]
    assert page.count("<svg") == 7
    best = json.loads(directory.trials_json.read_text())
    assert {trial["score"] is None for trial in best if trial["status"] == "failed"} == {True}
    assert ">900<" not in page
    best = min((r for r in best if r["status"] == "done"), key=lambda r: r["score"])
    assert f"trial {best['trial']}, " in page
    assert "&lt;b&gt;g_loss&lt;/b&gt;" in page
    assert "<b>g_loss" not in page


@pytest.mark.slow
def test_the_same_trials_give_the_same_page(page, directory):
    search_report.write(directory)
    assert directory.report_html.read_text() == page


@pytest.mark.slow
def test_it_is_drawn_again_from_what_is_stored(page, directory, run_cli):
    directory.report_html.unlink()
    code, out, err = run_cli("report", directory.path)
    assert (code, err) == (0, "")
    assert out.startswith(f"report  {directory.report_html}\n")
    assert directory.report_html.read_text() == page


def test_without_a_trial_nothing_is_written(tmp_path, make_config):
    directory = SearchDirectory(tmp_path / "search")
    directory.claim(make_config(), Space(), images="")
    search_report.write(directory)
    assert not directory.report_html.exists()


def test_when_all_have_failed_it_says_so(tmp_path, make_config):
    directory = SearchDirectory(tmp_path / "search")
    directory.claim(make_config(), Space(), images="")
    TrialRecord(trial="0000", status="failed", score=1.0, reason="no").save(directory.records)
    search_report.write(directory)
    page = directory.report_html.read_text()
    assert "No trial has ended well" in page
    assert "Parallel coordinates" not in page
    assert not directory.best.exists()


@pytest.mark.parametrize("objective", ["val_kid", "detector_auroc"])
def test_other_objectives(tmp_path, make_config, objective):
    directory = SearchDirectory(tmp_path / "search")
    directory.claim(make_config(objective=objective), Space(), images="")
    for number, score in enumerate((0.5, -0.1, 0.9)):
        record = TrialRecord(
            trial=str(number), status="done", score=score, values=Space().sample(number), epochs=1
        )
        record.save(directory.records)
    search_report.write(directory)
    best = {"val_kid": "-0.1", "detector_auroc": "0.9"}[objective]
    assert f"<dd>{best}</dd>" in directory.report_html.read_text()
    assert "at least 8 trials" in directory.report_html.read_text()
    assert best_config(directory.path)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_it_opens_in_a_browser_without_a_network(page, directory, tmp_path):
    probed = directory.path / "probed.html"
    probed.write_text(page.replace("<head>", f"<head>{PROBE}", 1))
    seen = _open(probed, tmp_path / "profile")
    assert seen["problems"] == seen["fetched"] == []
    assert seen["headings"][:5] == HEADINGS
    assert len(seen["charts"]) == 7
    assert all(alt and width > 0 for alt, width in seen["charts"])
    assert seen["wider"] <= 0


def _open(path, profile):
    for _ in range(5):
        command = [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--virtual-time-budget=20000", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--window-size=600,900", f"--user-data-dir={profile}", path.as_uri()),
        ]
        process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        title = re.search(r"<title>(.*?)</title>", process.stdout, re.DOTALL)[1]
        # The browser's own time may be over before the images are decoded, which takes real time.
        if title.startswith("{"):
            return json.loads(html.unescape(title))
    raise AssertionError("the probe never ended")
