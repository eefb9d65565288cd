"""What decoding large images takes of memory, in a process of its own."""

import subprocess
import sys
import textwrap

import PIL.Image
import pytest

START = """
import pathlib, sys
import numpy as np
import tensorflow as tf
from dcgan.data import preprocessing
from dcgan.data.decoding import image_file
from dcgan import scoring
from export.graph import image_decoding

def peak():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM"))

class Scorer:
    image_shape = (32, 32, 1)

    def score(self, images):
        zeros = np.zeros(len(images))
        names = ("p_fake", "familiarity", "discriminator_logit", "decision")
        return dict.fromkeys(names, zeros)

def locally(paths):
    assert all(row.error is None for row in scoring.score_files(Scorer(), paths))

graph = tf.function(
    lambda texts: image_decoding.decode(texts, image_shape=(32, 32, 1), max_pixels=2**26)[1],
    input_signature=[tf.TensorSpec((None,), tf.string)],
    autograph=False,
)

def in_the_graph(paths):
    errors = graph(tf.constant([pathlib.Path(path).read_bytes() for path in paths]))
    assert not any(errors.numpy())

way, small, *large = sys.argv[1:]
locals()[way]([small])
before = peak()
locals()[way](large)
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc here")
@pytest.mark.parametrize("way", ["locally", "in_the_graph"])
def test_images_that_are_large_together(way, tmp_path):
    PIL.Image.new("RGBA", (8, 8)).save(tmp_path / "small.png")
    PIL.Image.new("RGBA", (8191, 8191), (9, 99, 199, 128)).save(tmp_path / "large.png")
    paths = [tmp_path / "small.png", *[tmp_path / "large.png"] * 3]
    command = [sys.executable, "-c", textwrap.dedent(START), way, *map(str, paths)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    # In gigabytes; the pixels of one image are a quarter.
    assert float(ended.stdout) < 2
