"""Runs TFX's own components on an export: Evaluator, InfraValidator, BulkInferrer and Pusher.

    python tfx_pipeline.py CANDIDATE EXAMPLES WORK

`CANDIDATE` is a directory that `dcgan export` wrote, `EXAMPLES` what `examples.py` wrote. It runs where
TFX is installed, without this project; InfraValidator's container is replaced by a server in this
process, of the official stubs over the SavedModel. Fails unless everything blesses and is pushed.
"""

# What TFX needs of TFMA is put there before TFX is imported; a runner's methods are named as TFX has it.
# ruff: noqa: E402, N802

import contextlib
import pathlib
import sys

import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

for _name in (
    "EvalConfig",
    "ModelSpec",
    "MetricsSpec",
    "MetricConfig",
    "MetricThreshold",
    "GenericValueThreshold",
    "SlicingSpec",
):
    if not hasattr(tfma, _name):  # Left out of some of its wheels, and TFX needs it.
        setattr(tfma, _name, getattr(config_pb2, _name))

from google.protobuf import text_format
from tensorflow_serving.apis import prediction_log_pb2
from tfx import v1 as tfx
from tfx.components.infra_validator import executor
from tfx.components.infra_validator.model_server_runners import base_runner

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import serving_double

_EVALUATION = """
model_specs { signature_name: "serving_default" label_key: "label" prediction_key: "p_fake"
              model_type: "tf_generic" }
slicing_specs { }
metrics_specs { metrics { class_name: "ExampleCount" }
  metrics { class_name: "AUC" threshold { value_threshold { lower_bound { value: 0.6 } } } } }
"""
_REQUESTS = 3


class Loopback(base_runner.BaseModelServerRunner):
    """A model server in this process."""

    def __init__(self, model_path, serving_binary, serving_spec):
        self._path, self._name = model_path, serving_spec.model_name
        self._stack = contextlib.ExitStack()
        self.models = None

    def __repr__(self):
        return f"a server of {self._path} in this process"

    def Start(self):
        self.models = serving_double.Models({1: self._path}, name=self._name)
        self._url = self._stack.enter_context(serving_double.over_grpc(self.models))

    def WaitUntilRunning(self, deadline):
        pass

    def GetEndpoint(self):
        return self._url.partition("://")[2]

    def GetLogs(self):
        return None

    def Stop(self):
        print("InfraValidator asked", self.models.requests)
        self._stack.close()


def make_pipeline(candidate, examples, work):
    generator = tfx.components.ImportExampleGen(input_base=str(examples))
    model = tfx.dsl.Importer(
        source_uri=str(candidate), artifact_type=tfx.types.standard_artifacts.Model, reimport=True
    ).with_id("model")
    imported = model.outputs["result"]
    evaluator = tfx.components.Evaluator(
        examples=generator.outputs["examples"],
        model=imported,
        eval_config=text_format.Parse(_EVALUATION, config_pb2.EvalConfig()),
    )
    validator = tfx.components.InfraValidator(
        model=imported,
        examples=generator.outputs["examples"],
        serving_spec=tfx.proto.ServingSpec(
            tensorflow_serving=tfx.proto.TensorFlowServing(tags=["latest"]),
            local_docker=tfx.proto.LocalDockerConfig(),
            model_name="detector",
        ),
        request_spec=tfx.proto.RequestSpec(
            tensorflow_serving=tfx.proto.TensorFlowServingRequestSpec(
                signature_names=["serving_default"]
            ),
            num_examples=_REQUESTS,
        ),
    )
    inferrer = tfx.components.BulkInferrer(
        examples=generator.outputs["examples"],
        model=imported,
        model_blessing=evaluator.outputs["blessing"],
        data_spec=tfx.proto.DataSpec(),
        # Its Predict takes no output of one text an image, which `serving_default` has.
        model_spec=tfx.proto.ModelSpec(model_signature_name=["classify"]),
    )
    pusher = tfx.components.Pusher(
        model=imported,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=validator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(work / "pushed"))
        ),
    )
    store = tfx.orchestration.metadata.sqlite_metadata_connection_config(str(work / "store.db"))
    return tfx.dsl.Pipeline(
        pipeline_name="dcgan",
        pipeline_root=str(work / "root"),
        components=[generator, model, evaluator, validator, inferrer, pusher],
        metadata_connection_config=store,
    )


def check(work, count):
    """Looks at what the components wrote."""
    root = work / "root"
    (blessed,) = root.glob("Evaluator/blessing/*/BLESSED")
    (infra,) = root.glob("InfraValidator/blessing/*/INFRA_BLESSED")
    print("Evaluator", blessed.name, "InfraValidator", infra.name)
    files = [str(path) for path in root.glob("BulkInferrer/inference_result/**/*.gz")]
    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    classes = [log.classify_log.response.result.classifications[0].classes for log in logs]
    assert len(classes) == count, len(classes)
    assert {tuple(each.label for each in found) for found in classes} == {("real", "fake")}
    print("BulkInferrer", len(classes), "rows")
    (pushed,) = (work / "pushed").iterdir()
    loaded = tf.saved_model.load(str(pushed))
    assert "serving_default" in loaded.signatures
    assert (pushed / "assets.extra" / "tf_serving_warmup_requests").is_file()
    print(
        "Pusher",
        pushed.name,
        "with",
        ", ".join(sorted(p.name for p in pushed.rglob("*") if p.is_file())),
    )


def main(candidate, examples, work):
    candidate, examples, work = (pathlib.Path(path).resolve() for path in (candidate, examples, work))
    executor._create_model_server_runner = Loopback
    tfx.orchestration.LocalDagRunner().run(make_pipeline(candidate, examples, work))
    count = sum(1 for f in examples.iterdir() for _ in tf.data.TFRecordDataset(str(f)))
    check(work, count)


if __name__ == "__main__":
    main(*sys.argv[1:])
