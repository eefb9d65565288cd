"""The report in a browser, as a user opens it."""

import html
import json
import re
import shutil
import subprocess

import pytest

from dcgan.evaluation import evaluate

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
]

# Put before everything else, so that it sees every error; it writes what it saw into the page.
PROBE = """<script>
const problems = [];
addEventListener('error', event => problems.push(event.message || event.target.outerHTML), true);
addEventListener('load', async () => {
  await Promise.allSettled([...document.images].map(image => image.decode()));
  const fetched = performance.getEntriesByType('resource').map(entry => entry.name);
  const seen = {
    title: document.title,
    headings: [...document.querySelectorAll('h1, h2')].map(heading => heading.textContent),
    images: [...document.images].map(image => [image.alt, image.naturalWidth]),
    charts: [...document.querySelectorAll('[role=img]')].map(
      chart => [chart.ariaLabel, chart.querySelector('svg').getBoundingClientRect().width]),
    repeated: [...document.querySelectorAll('[id]')].map(element => element.id)
      .filter((id, place, ids) => ids.indexOf(id) !== place),
    wider: document.documentElement.scrollWidth - innerWidth,
    links: [...document.links].map(link => document.querySelector(link.hash) !== null),
    fetched: fetched.filter(name => !name.startsWith('data:')),
    problems: problems,
  };
  document.title = JSON.stringify(seen);
});
</script>"""


def _open(path, profile, *, width=1200):
    """Opens a page without a network; returns what the probe saw and what the console said."""
    for _ in range(5):
        process = subprocess.run(
            [
                *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
                "--virtual-time-budget=20000",
                *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"),
                *(f"--window-size={width},900", f"--user-data-dir={profile}", path.as_uri()),
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        content = re.search(r"<title>(.*?)</title>", process.stdout, re.DOTALL)[1]
        # The browser's own time may be over before the images are decoded, which takes real time.
        if content.startswith("{"):
            console = [line for line in process.stderr.splitlines() if "CONSOLE" in line]
            return json.loads(html.unescape(content)), console
    raise AssertionError("the probe never ended")


@pytest.fixture
def probed(run, quick_extractor):
    """A report with the probe in it."""
    path = evaluate(run, features=quick_extractor).html
    return _with_probe(path, path.read_text(encoding="utf-8"))


def _with_probe(path, text):
    probed = path.with_name("probed.html")
    probed.write_text(text.replace("<head>", f"<head>{PROBE}", 1), encoding="utf-8")
    return probed


def test_opens_without_a_network(probed, tmp_path):
    seen, console = _open(probed, tmp_path / "profile")
    assert console == []
    assert seen["problems"] == []
    assert seen["fetched"] == []
    assert seen["title"] == "Run tiny: report"
    assert seen["headings"] == [
        *("Run tiny: report", "Summary", "Samples", "Metrics", "Classes"),
        *("Nearest training images", "Interpolations", "Training", "Configuration"),
    ]
    assert len(seen["images"]) == 5
    assert len(seen["charts"]) == 7
    assert all(alt and width > 0 for alt, width in seen["charts"])
    assert seen["repeated"] == []
    assert all(alt and width > 0 for alt, width in seen["images"])
    assert seen["links"] == [True] * 8


def test_fits_a_narrow_window(probed, tmp_path):
    seen, _ = _open(probed, tmp_path / "profile", width=500)
    assert seen["wider"] <= 0


def test_the_probe_sees_what_is_broken(probed, tmp_path):
    broken = probed.read_text().replace("data:image/png;base64,iVBOR", "data:image/png;base64,iVBO", 1)
    broken = broken.replace("</main>", "<script>nonsense()</script></main>", 1)
    probed.write_text(broken)
    seen, console = _open(probed, tmp_path / "profile")
    assert len(seen["problems"]) == 2
    assert min(width for _, width in seen["images"]) == 0
    assert console
