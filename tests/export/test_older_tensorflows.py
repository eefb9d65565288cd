"""An export in the TensorFlow versions of released servers, each in an environment of its own."""

import os
import pathlib
import subprocess
import sys

import pytest

import export
from export.serving import container
from export.validation import fresh_process, probes

VERSIONS = ("2.20.0", "2.19.1")


@pytest.fixture(params=VERSIONS)
def python(request, monkeypatch):
    """Lets fresh processes be those of another environment; `tests/interop/servers` makes them."""
    place = os.environ.get("OLDER_TENSORFLOWS", "")
    found = pathlib.Path(place, request.param, "bin", "python")
    if not place or not found.is_file():
        pytest.skip(f"no environment with TensorFlow {request.param} is here, see tests/interop/servers")
    asked = "import importlib.metadata as m; print(m.version('tensorflow'))"
    said = subprocess.run([found, "-c", asked], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == request.param
    monkeypatch.setattr(sys, "executable", str(found))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return request.param


@pytest.mark.slow
def test_they_load_a_detector_and_agree(python, familiar_detector, tmp_path):
    detector, _ = familiar_detector
    candidate = export.export_model(detector, tmp_path)
    asked = probes.for_scoring_model(detector)
    answers = fresh_process.answer(candidate.path, [(probe.signature, probe.inputs) for probe in asked])
    for probe, answer in zip(asked, answers, strict=True):
        assert not isinstance(answer, str), (probe.signature, answer)
        assert probe.find_break(answer) is None
        assert probe.compare(answer, tolerance=1e-4)[1] == []
    assert export.validate_model(candidate, detector).blessed


@pytest.mark.slow
def test_they_load_a_generator(python, gan, tmp_path):
    assert export.validate_model(export.export_generator(gan, tmp_path), gan).blessed


def test_the_servers_image_is_one_of_these_versions():
    assert container.IMAGE.removeprefix("tensorflow/serving:") == VERSIONS[0]
