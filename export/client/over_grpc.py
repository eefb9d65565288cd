"""Predict over gRPC, with the official stubs."""

import json
from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.client import target as targets
from export.client.target import Target

_SERVICES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")
_SIGNATURES = "signature_def"
_TRANSIENT = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
# A request that may be sent again is kept, by default up to 256 KB.
_KEPT_BYTES = 2**26


class GrpcTransport:
    """A channel.

    Args:
        target: The model; the time-out covers all attempts together.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel = grpc.insecure_channel(target.url.partition("://")[2], _options())
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(self, contents: Sequence[bytes]) -> dict[str, list[Any]]:
        """Scores encoded images; returns the outputs by name, one element per image."""
        request = predict_pb2.PredictRequest()
        self._specify(request.model_spec)
        request.model_spec.signature_name = targets.SIGNATURE
        tensor = tf.make_tensor_proto(list(contents), dtype=tf.string, shape=(len(contents),))
        request.inputs[targets.INPUT].CopyFrom(tensor)
        response = self._call(self._prediction.Predict, request)
        return {name: _to_list(tensor) for name, tensor in response.outputs.items()}

    def versions(self) -> dict[int, str]:
        """Returns the state of each version by its number."""
        request = get_model_status_pb2.GetModelStatusRequest()
        self._specify(request.model_spec)
        found = self._call(self._models.GetModelStatus, request).model_version_status
        states = get_model_status_pb2.ModelVersionStatus.State
        return {status.version: states.Name(status.state) for status in found}

    def signatures(self) -> dict[str, Any]:
        """Returns the model's SignatureDefs in JSON form by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=[_SIGNATURES])
        self._specify(request.model_spec)
        response = self._call(self._prediction.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[_SIGNATURES].Unpack(found)
        return json_format.MessageToDict(found, preserving_proto_field_name=True)[_SIGNATURES]

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._target.timeout)
        except grpc.RpcError as error:
            raise self._target.fail(f"{error.code().name}: {error.details()}") from None

    def _specify(self, spec: Any) -> None:
        spec.name = self._target.model
        if self._target.version is not None:
            spec.version.value = self._target.version
        if self._target.label is not None:
            spec.version_label = self._target.label


def _options() -> list[tuple[str, Any]]:
    retry = {
        "maxAttempts": targets.ATTEMPTS,
        "initialBackoff": f"{targets.FIRST_WAIT_SECONDS}s",
        "maxBackoff": f"{targets.LONGEST_WAIT_SECONDS}s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": _TRANSIENT,
    }
    services = [{"service": service} for service in _SERVICES]
    config = {"methodConfig": [{"name": services, "retryPolicy": retry}]}
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.per_rpc_retry_buffer_size", _KEPT_BYTES),
    ]


def _to_list(tensor: Any) -> list[Any]:
    array = tf.make_ndarray(tensor)
    if array.dtype == object:
        array = np.char.decode(array.astype(np.bytes_), "utf-8", "replace")
    return array.tolist()
