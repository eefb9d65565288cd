import csv
import json
import os
import re
import shlex
import shutil

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
    assert detector.model_version_policy.specific.versions == [2, 3]
    assert dict(models["generator"].version_labels) == {"stable": 7, "canary": 7}
    assert models["generator"].model_version_policy.specific.versions == [7]


def test_after_a_rollback_the_version_that_was_left_has_no_label(base):
    bring_back(base, version=3, original=1)
    assert export.write_serving_config(base).labels["detector"] == Labels(stable=3, canary=3)
    (base / "detector" / "4").mkdir()
    assert export.write_serving_config(base).labels["detector"] == Labels(stable=3, canary=4)


def test_labels_of_ones_own(base):
    export.write_serving_config(base, labels={"detector": Labels(stable=1, canary=2)})
    detector = parse(base)["detector"]
    assert dict(detector.version_labels) == {"stable": 1, "canary": 2}
    # A request without a label gets the newest.
    assert detector.model_version_policy.specific.versions == [1, 2, 3]
    expected = r"^canary: expected a live version of .*/detector, one of \[1, 2, 3\]\. Received: 9$"
    with pytest.raises(InputError, match=expected):
        export.write_serving_config(base, labels={"detector": Labels(stable=1, canary=9)})


def test_labels_of_one_model_leave_those_of_another(base):
    (base / "generator" / "8").mkdir()
    export.write_serving_config(base, labels={"detector": Labels(stable=1, canary=2)})
    export.write_serving_config(base, labels={"generator": Labels(stable=7, canary=7)})
    assert dict(parse(base)["detector"].version_labels) == {"stable": 1, "canary": 2}
    shutil.rmtree(base / "detector" / "1")
    (base / "models.config").write_text("}")
    written = export.write_serving_config(base, labels={"generator": Labels(stable=7, canary=8)})
    assert written.labels["detector"] == Labels(stable=2, canary=3)


def test_a_model_that_is_not_live(base):
    with pytest.raises(InputError, match=r"expected a live model other, one of detector, generator$"):
        export.write_serving_config(base, labels={"other": Labels(stable=1, canary=1)})


def test_a_directory_that_is_no_models_name(base):
    (base / 'a" } b' / "1").mkdir(parents=True)
    assert set(export.write_serving_config(base).labels) == {"detector", "generator"}


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
    values = read_compose(base)
    command = json.loads(values["command"])
    assert json.loads(values["image"]) == "registry:5000/serving:1"
    assert values["platform"] == "linux/amd64"
    assert json.loads(values["ports"]) == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    (volume,) = json.loads(values["volumes"])
    assert volume == {"type": "bind", "source": ".", "target": "/models", "read_only": True}
    words = shlex.split(written.docker)
    assert words[: -len(command)] == [
        *("docker", "run", "--rm", "--platform", "linux/amd64"),
        *("-p", "127.0.0.1:8500:8500", "-p", "127.0.0.1:8501:8501"),
        *("--mount", f"type=bind,source={base},target=/models,readonly", "registry:5000/serving:1"),
    ]
    assert words[-len(command) :] == command
    files = [option.partition("=/models/")[2] for option in command if "=/models/" in option]
    assert sorted(files) == ["batching.config", "models.config", "monitoring.config"]


def read_compose(base):
    lines = (base / "compose.yaml").read_text().splitlines()
    head, service, *entries = [line for line in lines if not line.strip().startswith("#")]
    assert (head, service) == ("services:", "  serving:")
    return dict(line.strip().split(": ", 1) for line in entries)


def test_the_image_is_a_release(base):
    export.write_serving_config(base)
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", json.loads(read_compose(base)["image"]))


@pytest.mark.parametrize(
    ("address", "shown"), [("0.0.0.0", "0.0.0.0:"), ("192.168.7.1", "192.168.7.1:"), ("::1", "[::1]:")]
)
def test_where_the_server_is_reached(base, address, shown):
    written = export.write_serving_config(base, address=address)
    ports = [f"{shown}8500:8500", f"{shown}8501:8501"]
    assert json.loads(read_compose(base)["ports"]) == ports
    assert set(ports) < set(shlex.split(written.docker))


def test_what_is_no_address(base):
    for address in ("localhost", "", "0.0.0.0:80"):
        with pytest.raises(InputError, match=r"^address: expected an IP address"):
            export.write_serving_config(base, address=address)
    assert not (base / "models.config").exists()


def test_paths_that_mean_something_to_docker(base):
    for name in ("a:b", 'c,d "e"'):
        path = base.parent / name
        shutil.copytree(base, path)
        words = shlex.split(export.write_serving_config(path).docker)
        (fields,) = csv.reader([words[words.index("--mount") + 1]])
        assert fields == ["type=bind", f"source={path}", "target=/models", "readonly"]


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
    assert lines[-1].startswith("docker run --rm --platform linux/amd64 -p 127.0.0.1:8500:8500")
    code, output, _ = run_cli("serving-config", run, "--address", "0.0.0.0")
    assert (code, "-p 0.0.0.0:8501:8501" in output) == (0, True)
    code, _, errors = run_cli("serving-config", run, "--stable", 1)
    assert (code, errors) == (2, "dcgan: --stable, --canary: expected both or neither\n")
    code, _, errors = run_cli("serving-config", run, "--stable", 1, "--canary", 8)
    assert code == 2
    assert errors.startswith("dcgan: canary: expected a live version")
