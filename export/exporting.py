"""Models, detectors and runs to candidates, which are not live yet."""

import dataclasses
import json
import os
import pathlib
from typing import Any

import tensorflow as tf

from dcgan.data.decoding.image_formats import MAX_PIXELS
from dcgan.model import DCGAN
from export import model_card, sources
from export.graph import saved_model, signatures
from export.graph.signatures import Servable
from export.publishing import blessing, versions
from export.publishing.blessing import Candidate
from export.serving import warmup
from export.sources import RunPath, Source


def export_model(
    source: Source,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = sources.DETECTOR,
    keep: int = versions.KEEP,
    max_pixels: int = MAX_PIXELS,
) -> Candidate:
    """Writes a detector for TF Serving and TFX, as a candidate to be validated and pushed.

    The candidate appears as `<base>/<name>/<integer>` all at once.

    Args:
        source: A run, for its detector or else its discriminator; a `Detector`; or a `DCGAN`, for its
            discriminator.
        base: The directory of candidates. Defaults to `export/` in the run; required without a run.
        name: The name to serve the model under. Defaults to "detector".
        keep: How many of the newest candidates stay. Defaults to 5.
        max_pixels: Encoded images that announce more pixels get an error row. Defaults to 2 ** 26,
            which is what other ways of scoring take.

    Returns:
        The candidate.

    Raises:
        InputError: If the run has no model, its files are damaged, the name does not fit into a path,
            or the base cannot be written to.

    Example:
        >>> candidate = export.export_model("runs/mnist")
        >>> candidate.path
        PosixPath('runs/mnist/export/detector/3/Format-Serving')
    """
    content = prepare_scoring_model(source, name=name, max_pixels=max_pixels)
    return _publish(content, source, base, keep=keep)


def export_generator(
    source: DCGAN | RunPath,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = sources.GENERATOR,
    keep: int = versions.KEEP,
) -> Candidate:
    """Writes a generator, from `latents` to `images`, uint8, as a candidate.

    A conditional model's takes `labels`, int64, as well.

    Args:
        source: A `DCGAN` or a run; its moving average draws if it has one.
        base: As for `export_model`.
        name: The name to serve the model under. Defaults to "generator".
        keep: How many of the newest candidates stay. Defaults to 5.

    Returns:
        The candidate.

    Raises:
        InputError: As for `export_model`.

    Example:
        >>> candidate = export.export_generator("runs/mnist")
        >>> candidate.directory
        PosixPath('runs/mnist/export/generator/1')
    """
    versions.check_name(name)
    model = sources.load_generator(source)
    content = Content(
        servable=signatures.of_generator(model),
        warmup=tuple(warmup.for_generator(name, model.latent_dim, classes=model.classes)),
        card=model_card.make(name=name, kind=sources.GENERATOR, run=sources.as_run(source)),
    )
    return _publish(content, source, base, keep=keep)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Content:
    """What a SavedModel's directory is made of.

    Attributes:
        servable: The model.
        warmup: Warm-up records.
        card: What `model_card.make` returned.
    """

    servable: Servable
    warmup: tuple[bytes, ...]
    card: dict[str, Any]


def prepare_scoring_model(source: Source, *, name: str, max_pixels: int = MAX_PIXELS) -> Content:
    """Loads and describes what `export_model` exports; arguments and errors are the same."""
    versions.check_name(name)
    scorer, kind = sources.load_scoring_model(source)
    return Content(
        servable=signatures.of_scoring_model(scorer, max_pixels=max_pixels),
        warmup=tuple(warmup.for_scoring_model(name, scorer.image_shape)),
        card=model_card.make(
            name=name,
            kind=kind,
            run=sources.as_run(source),
            calibration=scorer.calibration,
            max_pixels=max_pixels,
        ),
    )


def write(content: Content, directory: pathlib.Path) -> None:
    """Writes a SavedModel with its warm-up file and its card.

    Args:
        content: What to write.
        directory: Where to write it.

    Raises:
        OSError: If it cannot be written.
    """
    try:
        saved_model.write(content.servable, directory)
    except tf.errors.OpError as error:
        # TensorFlow raises its own error on a full disk; callers look for Python's.
        raise OSError(error.message) from None
    described = {"signatures": saved_model.describe(directory)}
    card = {**content.card, **described, "digest": saved_model.digest(directory)}
    # A server passes over this directory, except for the warm-up.
    extra = directory / "assets.extra"
    extra.mkdir()
    warmup.write(extra / warmup.FILE, content.warmup)
    (extra / "model_card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    (extra / "model_card.md").write_text(model_card.render(card), encoding="utf-8")


def _publish(
    content: Content, source: Any, base: str | os.PathLike[str] | None, *, keep: int
) -> Candidate:
    def fill(directory: pathlib.Path) -> None:
        write(content, directory / blessing.MODEL)

    model = sources.candidate_base(base, sources.as_run(source)) / content.card["name"]
    return Candidate(versions.publish(model, fill, keep=keep))
