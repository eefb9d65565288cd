import json
import pathlib
import shlex

import pytest
import tensorflow as tf

import documents

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import serving_double

_GUIDE = documents.ROOT / "docs" / "guides" / "serving.md"


@pytest.mark.slow
def test_from_a_run_to_answers(reader, small_presets, quick_detector):
    """The blocks before the server is started, then the others against a stand-in for it."""
    left = reader.follow(_GUIDE, until="docker run")
    (printed,) = [line for line in reader.output.splitlines() if line.startswith("docker run")]
    shortened = left[0].text.replace("\\\n", " ").replace("$PWD", str(pathlib.Path.cwd()))
    assert set(shlex.split(shortened)) <= set(shlex.split(printed))
    assert "--allow_version_labels_for_unavailable_models=true" in shortened
    version = "runs/photos/serving/detector/1"
    models = serving_double.Models({1: version}, labels={"stable": 1})
    with serving_double.over_http(models) as http, serving_double.over_grpc(models) as grpc:
        reader.output = ""
        reader.replaced = {
            "http://localhost:8501": http,
            "grpc://localhost:8500": grpc,
            "localhost:8500": grpc.removeprefix("grpc://"),
        }
        for block in left:
            reader.run(_GUIDE, block)
    answers = [json.loads(line) for line in reader.output.splitlines() if "predictions" in line]
    assert len(answers) == 3
    assert {each["predictions"][0]["error"] for each in answers} == {""}
    assert "AVAILABLE" in reader.output
    # Files and their pixels have the same score.
    pixels = reader.names["response"].json()["predictions"][0]
    assert pixels["p_fake"] == pytest.approx(answers[0]["predictions"][0]["p_fake"], abs=1e-4)
    assert tf.io.gfile.exists("openvino/detector/1/detector.xml")
