import shutil

import pytest
from google.protobuf import text_format

from dcgan.errors import InputError
from export.publishing import labels

model_server_config = pytest.importorskip(
    "tensorflow_serving.config.model_server_config_pb2", reason="tensorflow-serving-api is not here"
)

BY_HAND = """\
# Ours { since 2026 }
model_config_list: {
  config {
    name: 'detector'  # not "other"
    base_path: "/srv/a } b/detector"
    model_platform: "tensorflow"
    model_version_policy { latest { num_versions: 2 } }
    version_labels: { key: "stable", value: 1 }  # name: "x"
    # version_labels { key: "old" value: 8 }
    version_labels { key: "canary" value: 2 }
    version_labels {
      key: "pilot"
      value: 2
    }
    logging_config { sampling_config { sampling_rate: 0.1 } }
  }
  config { name: "foreign" base_path: "/srv/foreign" model_platform: "tensorflow" }
}
"""


@pytest.fixture
def base(tmp_path):
    """Live versions 1, 2 and 3 of a detector, and a configuration that was edited by hand."""
    for version in (1, 2, 3):
        (tmp_path / "detector" / str(version)).mkdir(parents=True)
    (tmp_path / "models.config").write_text(BY_HAND)
    return tmp_path


def parse(base):
    text = (base / "models.config").read_text()
    parsed = text_format.Parse(text, model_server_config.ModelServerConfig())
    return {config.name: config for config in parsed.model_config_list.config}


def test_labels_are_read(base):
    assert labels.read(base) == {"detector": {"stable": 1, "canary": 2, "pilot": 2}, "foreign": {}}
    assert labels.named_versions(base, "detector") == {1, 2}
    assert labels.named_versions(base, "other") == set()
    (base / "models.config").unlink()
    assert labels.read(base) == {}
    assert labels.named_versions(base, "detector") == set()


def test_what_is_labelled_and_the_newest_are_loaded(base):
    before = parse(base)
    labels.follow(base, "detector")
    after = parse(base)
    assert after["detector"].model_version_policy.specific.versions == [1, 2, 3]
    for one in (before, after):
        one["detector"].ClearField("model_version_policy")
    assert after == before
    assert labels.named_versions(base, "detector") == {1, 2, 3}


def test_only_the_policy_changes_in_the_text(base):
    labels.follow(base, "detector")
    old, new = "latest { num_versions: 2 }", "specific { versions: 1 versions: 2 versions: 3 }"
    assert (base / "models.config").read_text() == BY_HAND.replace(old, new)
    written = (base / "models.config").stat().st_mtime_ns
    labels.follow(base, "detector")
    assert (base / "models.config").stat().st_mtime_ns == written


def test_labels_of_versions_that_are_gone_go(base):
    shutil.rmtree(base / "detector" / "2")
    labels.follow(base, "detector")
    detector = parse(base)["detector"]
    assert dict(detector.version_labels) == {"stable": 1}
    assert detector.model_version_policy.specific.versions == [1, 3]
    assert '# version_labels { key: "old" value: 8 }' in (base / "models.config").read_text()


def test_a_model_without_a_policy_gets_one(base):
    (base / "foreign" / "6").mkdir(parents=True)
    labels.follow(base, "foreign")
    foreign = parse(base)["foreign"]
    assert foreign.model_version_policy.specific.versions == [6]
    assert foreign.base_path == "/srv/foreign"


def test_a_new_model_is_added(base):
    (base / "generator" / "4").mkdir(parents=True)
    labels.follow(base, "generator")
    models = parse(base)
    assert set(models) == {"detector", "foreign", "generator"}
    assert dict(models["generator"].version_labels) == {"stable": 4, "canary": 4}
    assert models["generator"].model_version_policy.specific.versions == [4]


def test_without_a_configuration_none_is_written(base):
    (base / "models.config").unlink()
    labels.follow(base, "detector")
    assert not (base / "models.config").exists()


@pytest.mark.parametrize(
    "text",
    [
        "model_config_list {",
        "}",
        "custom_model_config",
        "model_config_list { config { base_path: '/x' } }",
        'model_config_list { config { name: "detector" version_labels { value: 1 key: "a" } } }',
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_named_and_left_alone(base, text):
    content = text if isinstance(text, bytes) else text.encode()
    (base / "models.config").write_bytes(content)
    with pytest.raises(
        InputError, match=r"/models\.config: expected what `dcgan serving-config` writes"
    ):
        labels.follow(base, "detector")
    assert (base / "models.config").read_bytes() == content
