import json
import os
import shlex

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

import export
from dcgan.config import RunConfig
from dcgan.errors import InputError
from export.serving import serving_config
from export.serving.serving_config import Labels

model_server_config = pytest.importorskip(
    "tensorflow_serving.config.model_server_config_pb2", reason="tensorflow-serving-api is not here"
)


def message(name, fields):
    """A message class; its fields are names with a number and a wrapper's name."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    described = file.message_type.add(name=name)
    for field, (number, kind) in fields.items():
        described.field.add(
            name=field,
            number=number,
            label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
            type=descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
            type_name=f".google.protobuf.{kind}",
        )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


@pytest.fixture
def base(tmp_path):
    """Live versions 1, 2 and 3 of a detector, and version 7 of a generator."""
    for version in ("detector/1", "detector/2", "detector/3", "generator/7"):
        (tmp_path / "serving" / version).mkdir(parents=True)
    (tmp_path / "serving" / "empty").mkdir()
    return tmp_path / "serving"


def parse(base):
    text = (base / "models.config").read_text()
    parsed = text_format.Parse(text, model_server_config.ModelServerConfig())
    return {config.name: config for config in parsed.model_config_list.config}


def bring_back(base, version, original):
    record = base / "detector" / str(version) / "assets.extra" / "pushed.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"candidate": 1, "original": original}))


def test_models_by_the_servers_own_message(base):
    written = export.write_serving_config(base)
    models = parse(base)
    assert set(models) == {"detector", "generator"} == set(written.labels)
    detector = models["detector"]
    assert (detector.base_path, detector.model_platform) == ("/models/detector", "tensorflow")
    assert dict(detector.version_labels) == {"stable": 2, "canary": 3}
    # Versions 2 and 3, and one that is pushed before the labels move.
    assert detector.model_version_policy.latest.num_versions == 3
    assert dict(models["generator"].version_labels) == {"stable": 7, "canary": 7}
    assert models["generator"].model_version_policy.latest.num_versions == 2


def test_after_a_rollback_the_version_that_was_left_has_no_label(base):
    bring_back(base, version=3, original=1)
    assert export.write_serving_config(base).labels["detector"] == Labels(stable=3, canary=3)
    (base / "detector" / "4").mkdir()
    assert export.write_serving_config(base).labels["detector"] == Labels(stable=3, canary=4)


def test_labels_of_ones_own(base):
    export.write_serving_config(base, labels={"detector": Labels(stable=1, canary=2)})
    detector = parse(base)["detector"]
    assert dict(detector.version_labels) == {"stable": 1, "canary": 2}
    assert detector.model_version_policy.latest.num_versions == 4
    expected = r"^canary: expected a live version of .*/detector, one of \[1, 2, 3\]\. Received: 9$"
    with pytest.raises(InputError, match=expected):
        export.write_serving_config(base, labels={"detector": Labels(stable=1, canary=9)})


def test_batching_and_monitoring(base):
    export.write_serving_config(base)
    # As session_bundle_config.proto and monitoring_config.proto of the server define them.
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    fields = {name: (number, "Int64Value") for number, name in enumerate(names, 1)}
    text = (base / "batching.config").read_text()
    batching = text_format.Parse(text, message("BatchingParameters", fields)())
    assert [getattr(batching, name).value for name in names] == [256, 2000, 100, os.cpu_count()]
    assert (base / "monitoring.config").read_text().splitlines()[1:] == [
        "prometheus_config {",
        "  enable: true",
        '  path: "/monitoring/prometheus/metrics"',
        "}",
    ]


def test_compose_and_docker_start_the_same_server(base):
    written = export.write_serving_config(base, image="registry:5000/serving:1")
    assert [path.name for path in written.files] == [
        "models.config",
        "batching.config",
        "monitoring.config",
        "compose.yaml",
    ]
    head, *lines = (base / "compose.yaml").read_text().splitlines()
    service, *entries = lines
    assert (head, service) == ("services:", "  serving:")
    values = dict(line.strip().split(": ", 1) for line in entries)
    command = json.loads(values["command"])
    assert json.loads(values["image"]) == "registry:5000/serving:1"
    assert json.loads(values["ports"]) == ["8500:8500", "8501:8501"]
    assert json.loads(values["volumes"]) == [".:/models:ro"]
    words = shlex.split(written.docker)
    assert words[: -len(command)] == [
        *("docker", "run", "--rm", "-p", "8500:8500", "-p", "8501:8501"),
        *("-v", f"{base}:/models:ro", "registry:5000/serving:1"),
    ]
    assert words[-len(command) :] == command
    files = [option.partition("=/models/")[2] for option in command if "=/models/" in option]
    assert sorted(files) == ["batching.config", "models.config", "monitoring.config"]


def test_nothing_live(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="expected live models"):
            export.write_serving_config(path)


def test_a_place_that_cannot_be_written_to(base, monkeypatch):
    def refuse(path, text):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(serving_config.files, "write_text", refuse)
    with pytest.raises(InputError, match=r"serving: expected a directory .*\(Permission denied\)$"):
        export.write_serving_config(base)


def test_the_command(run_cli, base):
    run = base.parent
    RunConfig().save(run / "config.json")
    code, output, errors = run_cli("serving-config", run, "--stable", 1, "--canary", 3)
    assert (code, errors) == (0, "")
    lines = output.splitlines()
    assert lines[:2] == ["detector   stable 1, canary 3", "generator  stable 7, canary 7"]
    assert lines[2] == str(base / "models.config")
    assert lines[-1].startswith("docker run --rm -p 8500:8500")
    code, _, errors = run_cli("serving-config", run, "--stable", 1)
    assert (code, errors) == (2, "dcgan: --stable, --canary: expected both or neither\n")
    code, _, errors = run_cli("serving-config", run, "--stable", 1, "--canary", 8)
    assert code == 2
    assert errors.startswith("dcgan: canary: expected a live version")
