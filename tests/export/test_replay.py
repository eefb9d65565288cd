"""The warm-up file sent to a server, as its own messages."""

import numpy as np
import pytest
import tensorflow as tf

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

import grpc
from tensorflow_serving.apis import prediction_log_pb2, prediction_service_pb2_grpc

import serving_double
from export.graph import saved_model
from export.serving import warmup


@pytest.mark.slow
def test_every_record_is_answered(exported, tmp_path):
    warmup.write(tmp_path / "requests", warmup.for_scoring_model("detector", (8, 8, 1)))
    dataset = tf.data.TFRecordDataset(str(tmp_path / "requests"))
    logs = [prediction_log_pb2.PredictionLog.FromString(record.numpy()) for record in dataset]
    asked = set()
    models = serving_double.Models({1: exported})
    with serving_double.over_grpc(models) as url:
        address = url.partition("://")[2]
        with grpc.insecure_channel(address) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            for log in logs:
                asked.add(replay(stub, log))
    assert asked == set(saved_model.describe(exported))
    assert len(models.requests) == len(logs)


def replay(stub, log):
    """Sends a record's request, checks the answer and returns the signature's name."""
    if log.HasField("classify_log"):
        request = log.classify_log.request
        result = stub.Classify(request, timeout=60).result
        scores = [[c.score for c in found.classes] for found in result.classifications]
        labels = {tuple(c.label for c in found.classes) for found in result.classifications}
        assert labels == {("real", "fake")}
        np.testing.assert_allclose(np.sum(scores, axis=1), 1, atol=1e-5)
    else:
        request = log.predict_log.request
        outputs = stub.Predict(request, timeout=60).outputs
        assert np.isfinite(tf.make_ndarray(outputs["p_fake"])).all()
    return request.model_spec.signature_name
