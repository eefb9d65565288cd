"""The API reference: complete, and built without a warning."""

import inspect
import os
import re
import subprocess
import sys

import public_names
import pytest

import dcgan
import documents


def test_every_public_module_is_in_it():
    rooms = {f"dcgan.{name}" for name in dcgan.__all__ if inspect.ismodule(getattr(dcgan, name))}
    assert rooms | {"dcgan", "export", "tuning"} <= {*public_names.MODULES}
    pages = {path.stem for path in public_names.REFERENCE.glob("*.md")} - {"index"}
    index = (public_names.REFERENCE / "index.md").read_text("utf-8")
    listed = re.search(r"```\{toctree\}\n(.*?)```", index, re.DOTALL)[1].split()
    assert {*listed} == pages


def test_every_public_name_is_described():
    assert [name for name, thing in public_names.documented().items() if not inspect.getdoc(thing)] == []


@pytest.mark.slow
def test_it_is_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="Sphinx is not here")
    environment = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    command = [documents.ROOT / "docs" / "build", tmp_path / "reference"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reference" / "dcgan.html").read_text(encoding="utf-8")
    assert 'id="dcgan.DCGAN.generate"' in page
