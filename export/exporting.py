"""Models, detectors and runs to candidates, which are not live yet."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from dcgan.model import DCGAN
from export import model_card as cards
from export import sources
from export.graph import saved_model, signatures
from export.graph.signatures import Servable
from export.publishing import candidates, versions
from export.serving import warmup, warmup_requests
from export.sources import RunPath, Source

KEEP = 5
# 4,096 x 4,096: what a server decodes at a time has to fit into its memory several times over.
MAX_PIXELS = 2**24


@dataclasses.dataclass(frozen=True, kw_only=True)
class Exported:
    """A candidate.

    Attributes:
        path: Its SavedModel, `<base>/<name>/<version>/Format-Serving`.
        candidate: The directory around it, see `export.publishing.candidates`.
        version: Its number.
        calibrated: Whether `p_fake` is a probability, and the decisions keep their promise; False for
            a generator.
        digest: Of weights and signatures, see `saved_model.digest`.
    """

    path: pathlib.Path
    candidate: pathlib.Path
    version: int
    calibrated: bool
    digest: str


def export_model(
    source: Source,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = sources.DETECTOR,
    keep: int = KEEP,
    max_pixels: int = MAX_PIXELS,
) -> Exported:
    """Writes a detector for TF Serving and TFX, as a candidate to be validated and pushed.

    The candidate appears as `<base>/<name>/<integer>` all at once.

    Args:
        source: A run, whose detector is taken if it has one and its discriminator otherwise; a
            `Detector`; or a `DCGAN`, of which the discriminator is taken.
        base: The directory of candidates. Defaults to `export/` in the run; needed for others.
        name: The name that it is served under. Defaults to "detector".
        keep: How many of the newest versions stay. Defaults to 5.
        max_pixels: Encoded images that announce more get an error row. Defaults to 2 ** 24.

    Returns:
        The candidate.

    Raises:
        InputError: If the run has no model, its files are damaged, the name cannot be one or nothing
            can be written there.

    Example:
        >>> export.export_model("runs/mnist").path
        PosixPath('runs/mnist/export/detector/1/Format-Serving')
    """
    run = sources.as_run(source)
    content = prepare_scoring_model(source, name=name, max_pixels=max_pixels)
    return _publish(content, sources.candidate_base(base, run) / name, keep=keep)


def export_generator(
    source: DCGAN | RunPath,
    base: str | os.PathLike[str] | None = None,
    *,
    name: str = sources.GENERATOR,
    keep: int = KEEP,
) -> Exported:
    """Writes a generator, from `latents` to `images`, uint8, as a candidate.

    Args:
        source: A `DCGAN` or a run; where there is a moving average, it draws.
        base: As for `export_model`.
        name: The name that it is served under. Defaults to "generator".
        keep: How many of the newest versions stay. Defaults to 5.

    Returns:
        The candidate.

    Raises:
        InputError: As for `export_model`.
    """
    versions.check_name(name)
    run = sources.as_run(source)
    model = sources.load_generator(source)
    content = Content(
        servable=signatures.of_generator(model),
        records=tuple(warmup_requests.for_generator(name, model.latent_dim)),
        card=cards.make(name=name, kind=sources.GENERATOR, calibration=None, max_pixels=None, run=run),
    )
    return _publish(content, sources.candidate_base(base, run) / name, keep=keep)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Content:
    """What a SavedModel's directory is made of.

    Attributes:
        servable: The model.
        records: Warm-up requests.
        card: What `card.make` returned.
    """

    servable: Servable
    records: tuple[bytes, ...]
    card: dict[str, Any]


def prepare_scoring_model(source: Source, *, name: str, max_pixels: int = MAX_PIXELS) -> Content:
    """Loads and describes what `export_model` exports; arguments and errors are the same."""
    versions.check_name(name)
    scorer, kind = sources.load_scoring_model(source)
    card = cards.make(
        name=name,
        kind=kind,
        calibration=scorer.calibration,
        max_pixels=max_pixels,
        run=sources.as_run(source),
    )
    return Content(
        servable=signatures.of_scoring_model(scorer, max_pixels=max_pixels),
        records=tuple(warmup_requests.for_scoring_model(name, scorer.image_shape)),
        card=card,
    )


def write(content: Content, directory: pathlib.Path) -> str:
    """Writes a SavedModel with its warm-up file and its card.

    Args:
        content: What goes in.
        directory: Where to.

    Returns:
        Its digest, see `saved_model.digest`.

    Raises:
        OSError: If it cannot be written.
    """
    try:
        saved_model.write(content.servable, directory)
    except tf.errors.OpError as error:
        # What TensorFlow raises on a full disk; Python's own is what callers look for.
        raise OSError(error.message) from None
    digest = saved_model.digest(directory)
    described = {"signatures": saved_model.describe(directory), "digest": digest}
    _write_extra(directory / "assets.extra", content.records, content.card | described)
    return digest


def _publish(content: Content, model: pathlib.Path, *, keep: int) -> Exported:
    digests = []

    def fill(directory: pathlib.Path) -> None:
        digests.append(write(content, directory / candidates.MODEL))

    path = versions.publish(model, fill, keep=keep)
    return Exported(
        path=path / candidates.MODEL,
        candidate=path,
        version=int(path.name),
        calibrated=content.card["calibrated"],
        digest=digests[0],
    )


def _write_extra(directory: pathlib.Path, records: Iterable[bytes], card: dict[str, Any]) -> None:
    """Writes what a server passes over but a person, or its warm-up, reads."""
    directory.mkdir()
    warmup.write(directory / warmup.FILE, records)
    text = json.dumps(card, indent=2) + "\n"
    (directory / "model_card.json").write_text(text, encoding="utf-8")
    (directory / "model_card.md").write_text(cards.render(card), encoding="utf-8")
