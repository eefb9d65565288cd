"""A live version of a detector behind KServe's own model server: `python kserve_predictor.py VERSION`.

KServe's built-in runtime for TensorFlow is TF Serving, which needs no code. This is for a container of
your own, for example to log scores or to change what is answered. It takes the requests of KServe's V1
protocol, which are TF Serving's: `{"instances": [{"b64": "..."}]}`, an image file each.

It needs `pip install kserve tensorflow` and an exported version, but not this project.

Reference:
    - [KServe's custom models](https://kserve.github.io/website/)
"""

import argparse
import base64
import binascii
from typing import Any

import kserve
import tensorflow as tf
from kserve.errors import InvalidInput


class Predictor(kserve.Model):
    """Scores image files by the signature `predict_bytes`.

    Args:
        name: The name that requests ask for.
        version: The directory of a live version, such as `runs/photos/serving/detector/1`.
    """

    def __init__(self, name: str, version: str) -> None:
        super().__init__(name)
        self.version = version

    def load(self) -> bool:
        """Loads the model; requests before that are answered that it is not ready."""
        self.model = tf.saved_model.load(self.version)
        self.ready = True
        return self.ready

    def predict(
        self,
        payload: dict[str, Any],
        headers: dict[str, str] | None = None,
        response_headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Answers a row for each image; what cannot be scored has a text in `error`."""
        try:
            files = [base64.b64decode(each["b64"], validate=True) for each in payload["instances"]]
        except (KeyError, TypeError, binascii.Error) as error:
            raise InvalidInput('Expected {"instances": [{"b64": "..."}, ...]}') from error
        outputs = self.model.signatures["predict_bytes"](image_bytes=tf.constant(files, tf.string))
        columns = {name: _to_json(value) for name, value in outputs.items()}
        rows = zip(*columns.values(), strict=True)
        return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


def _to_json(values: tf.Tensor) -> list[Any]:
    array = values.numpy()
    return [each.decode() for each in array] if values.dtype == tf.string else array.tolist()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    parser.add_argument("version")
    arguments, _ = parser.parse_known_args()
    model = Predictor(arguments.model_name, arguments.version)
    model.load()
    kserve.ModelServer().start([model])
