"""The API reference: complete, built without a warning, its examples run."""

import ast
import doctest
import importlib
import inspect
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import documents
from dcgan import data

REFERENCE = documents.ROOT / "docs" / "reference"
MODULES = re.findall(
    r"automodule:: (\S+)", "".join(path.read_text("utf-8") for path in sorted(REFERENCE.glob("*.md")))
)
# Examples that print what is written there within a second; the others train, serve or read files of
# yours. Those have to be Python that uses names which exist.
QUICK = {
    "dcgan.callbacks.slerp",
    "dcgan.data.load_images",
    "dcgan.detector.match_histograms",
    "dcgan.features.FeatureExtractor",
    "dcgan.metrics.Moments",
    "dcgan.metrics.frechet_distance",
    "dcgan.metrics.kernel_inception_distance",
    "dcgan.metrics.neighborhood",
    "dcgan.presets.get",
    "export.Thresholds",
    "tuning.Space",
}


def _public():
    """Returns the public names of all modules with what they name."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        own = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
        ]
        for name in getattr(module, "__all__", own):
            found[f"{module.__name__}.{name}"] = getattr(module, name)
    return found


PUBLIC = _public()
EXAMPLES = {
    name: doctest.DocTestParser().get_examples(inspect.getdoc(thing))
    for name, thing in PUBLIC.items()
    if inspect.isclass(thing) or inspect.isfunction(thing)
}


def test_every_public_module_is_in_it():
    import dcgan

    rooms = {f"dcgan.{name}" for name in dcgan.__all__ if inspect.ismodule(getattr(dcgan, name))}
    assert rooms | {"dcgan", "export", "tuning"} <= {*MODULES}
    pages = {path.stem for path in REFERENCE.glob("*.md")} - {"index"}
    listed = re.findall(r"^\w+$", (REFERENCE / "index.md").read_text("utf-8"), re.MULTILINE)
    assert {*listed} == pages


def test_every_public_name_is_described():
    assert [name for name in EXAMPLES if not inspect.getdoc(PUBLIC[name])] == []


@pytest.fixture
def names():
    """What examples take for granted."""
    return {
        "np": np,
        "dcgan": importlib.import_module("dcgan"),
        "batches": np.random.default_rng(0).normal(size=(4, 50, 64)),
        "images": data.load_images("mnist", split="test[:1000]").images,
    }


@pytest.mark.parametrize("name", sorted(QUICK))
def test_examples_run(name, names):
    thing = PUBLIC[name]
    test = doctest.DocTest(
        *(EXAMPLES[name], {**vars(sys.modules[thing.__module__]), **names}, name, None, 0, None)
    )
    assert test.examples
    printed = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.DocTestRunner(optionflags=flags).run(test, out=printed.append)
    assert not failed, "".join(printed)


@pytest.mark.parametrize("name", sorted({name for name, found in EXAMPLES.items() if found} - QUICK))
def test_other_examples_use_what_is_there(name):
    thing = PUBLIC[name]
    module = sys.modules[thing.__module__]
    for example in EXAMPLES[name]:
        for node in ast.walk(ast.parse(example.source)):
            if isinstance(node, ast.Call):
                _bind(node, module)


def _bind(call, module):
    """Makes sure that a call of a public name fits its parameters."""
    target = ast.unparse(call.func)
    names = {**{each.rpartition(".")[2]: value for each, value in PUBLIC.items()}, **PUBLIC}
    function = getattr(module, target, None) or names.get(target) or names.get(f"dcgan.{target}")
    if inspect.isclass(function):
        function = function.__init__
        arguments = [None, *call.args]
    else:
        arguments = call.args
    if inspect.isfunction(function):
        inspect.signature(function).bind(*arguments, **{each.arg: each.value for each in call.keywords})


@pytest.mark.slow
def test_it_is_built_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="Sphinx is not here")
    environment = {**os.environ, "PYTHON": sys.executable, "CUDA_VISIBLE_DEVICES": ""}
    command = [documents.ROOT / "docs" / "build", tmp_path / "reference"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "reference" / "dcgan.html").read_text(encoding="utf-8")
    assert 'id="dcgan.DCGAN.generate"' in page
