"""Predict over gRPC, with the official stubs."""

import re
import time
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

from dcgan.errors import ServerError
from export.client import failures
from export.client import target as targets
from export.client.target import Target

_SIGNATURES = "signature_def"
_TRANSIENT = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
# gRPC has no code of its own for it. The texts are those of its C++, Go and Java servers, of proxies
# that speak HTTP, and of this side for what no message can hold.
_TOO_LARGE = re.compile(r"(?i)larger than max|exceeds max|\b413\b|exception serializing request")


class GrpcTransport:
    """A channel.

    Args:
        target: The model.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel = grpc.insecure_channel(target.url.partition("://")[2])
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
        for wait in targets.waits():
            try:
                return self._call_once(method, request)
            except failures.BusyError:
                time.sleep(wait)
        return self._call_once(method, request)

    def _call_once(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._target.timeout)
        except grpc.RpcError as error:
            code, details = error.code().name, error.details()
            raise self._target.fail(f"{code}: {details}", _kind(code, details or "")) from None

    def _specify(self, spec: Any) -> None:
        spec.name = self._target.model
        if self._target.version is not None:
            spec.version.value = self._target.version
        if self._target.label is not None:
            spec.version_label = self._target.label


def _kind(code: str, details: str) -> type[ServerError]:
    if _TOO_LARGE.search(details):
        return failures.TooLargeError
    if code == "DEADLINE_EXCEEDED":
        return failures.TimeOutError
    return failures.BusyError if code in _TRANSIENT else ServerError


def _to_list(tensor: Any) -> list[Any]:
    array = tf.make_ndarray(tensor)
    if array.dtype == object:
        array = np.char.decode(array.astype(np.bytes_), "utf-8", "replace")
    return array.tolist()
