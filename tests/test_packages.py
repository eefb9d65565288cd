"""What is distributed: everything is in it, and its tests are found where it is unpacked."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest

import documents

_PACKAGES = ("dcgan", "export", "tuning")
_BESIDE = ("tests", "docs", "benchmarks", ".ci")
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"


def _files(*folders):
    """Returns the files in folders of the project."""
    found = (path for folder in folders for path in (documents.ROOT / folder).rglob("*"))
    return {
        str(path.relative_to(documents.ROOT))
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }


def _build(kind, tmp_path):
    """Builds a distribution of a copy of the project, without a network."""
    pytest.importorskip("setuptools", minversion="77", reason="setuptools is too old to build")
    copy, out = tmp_path / "copy", tmp_path / "out"
    out.mkdir()
    for folder in (*_PACKAGES, *_BESIDE):
        shutil.copytree(
            documents.ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for path in documents.ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, copy)
    command = [sys.executable, "-c", _BUILD.format(kind=kind), str(out)]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.iterdir()
    return built


def test_pythons_are_those_that_tensorflow_has_wheels_for():
    project = tomllib.loads((documents.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [each.rpartition(" ")[2] for each in project["classifiers"] if "Python :: 3." in each]
    assert named == ["3.11", "3.12", "3.13"]
    assert project["requires-python"] == ">=3.11"
    systems = [each for each in project["classifiers"] if each.startswith("Operating System")]
    assert systems == ["Operating System :: MacOS", "Operating System :: POSIX :: Linux"]


@pytest.mark.slow
def test_the_wheel_has_all_of_the_packages(tmp_path):
    with zipfile.ZipFile(_build("wheel", tmp_path)) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == _files(*_PACKAGES)


@pytest.mark.slow
def test_the_source_distribution_brings_its_tests(tmp_path):
    with tarfile.open(_build("sdist", tmp_path)) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for name in _files(*_PACKAGES, *_BESIDE) | {"setup.cfg", "README.md", "CHANGELOG.md", "LICENSE"}:
        assert (unpacked / name).is_file(), name
    command = [sys.executable, "-m", "pytest", "--collect-only", "-n", "0", "-p", "no:cacheprovider"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=unpacked, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert pathlib.Path("tests/test_packages.py").as_posix() in done.stdout
