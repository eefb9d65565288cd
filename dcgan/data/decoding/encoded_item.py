"""One encoded image of a source: a file of its own, or a record of a TFRecord file."""

import pathlib
from typing import NamedTuple

from dcgan.data.decoding import image_file, tf_example

NO_EXAMPLE = f"no tf.Example with the bytes feature {tf_example.FEATURE}"


class EncodedItem(NamedTuple):
    """Where an encoded image is.

    Attributes:
        path: Its file.
        name: How messages call it.
        start: Where its record begins in the file. Defaults to 0.
        length: How long its record is, a `tf.Example`. Defaults to None: the file is the image.
    """

    path: str
    name: str
    start: int = 0
    length: int | None = None

    def open(self) -> tuple[pathlib.Path | bytes, int | None]:
        """Returns what `image_file.decode` takes, and the image's label if the record has one.

        Raises:
            UnreadableError: If the record holds no image.
        """
        if self.length is None:
            return pathlib.Path(self.path), None
        with pathlib.Path(self.path).open("rb") as file:
            file.seek(self.start)
            content, label = tf_example.parse(file.read(self.length))
        if content is None:
            raise image_file.UnreadableError(self.name, NO_EXAMPLE)
        return content, label
