"""Real images of a user's own, fit to calibrate a detector on or refused."""

import numpy as np

from dcgan.data import ImageSet, indexed_images, provenance
from dcgan.detector.inputs import reals
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

_NAMED = 5


def check(images: ImageSet, run: RunDirectory) -> None:
    """Refuses images that a promise cannot rest on.

    Each has to be a draw of its own from what the detector will meet: no copy of another, not blank, not
    one that the run or its detector was trained on, nor one that the detector is tested on.

    Args:
        images: The images, prepared as the run's are.
        run: The run.

    Raises:
        InputError: If some are such, or the run's own images cannot be told.
    """
    blank = [
        (batch == batch[:, :1, :1]).all(axis=(1, 2, 3))
        for batch in indexed_images.in_batches(images.images)
    ]
    _refuse(images, np.concatenate(blank), "are of one colour")
    first = np.unique(images.image_digests, return_index=True)[1]
    copies = ~np.isin(np.arange(len(images.images)), first)
    _refuse(images, copies, "are copies of others of them")
    trained_on, tested_on = _known(run)
    _refuse(images, np.isin(images.image_digests, trained_on), "were trained on")
    _refuse(images, np.isin(images.image_digests, tested_on), "are among those it is tested on")


def _known(run: RunDirectory) -> tuple[np.ndarray, np.ndarray]:
    """Returns the hashes of the images that the run was trained on and its detector is tested on."""
    if run.data_json.is_file():
        hashes = provenance.read_hashes(run)
        trained_on, held_out = hashes["trained_on"], hashes["held_out"]
    else:
        images = provenance.load(run, run.load_config())
        trained_on, held_out = images.trained_on.image_digests, images.held_out.image_digests
    return trained_on, held_out[reals.halves(len(held_out))[1]]


def _refuse(images: ImageSet, bad: np.ndarray, what: str) -> None:
    if not bad.any():
        return
    rows = np.flatnonzero(bad).tolist()
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    raise InputError(
        f"{images.name}: expected different real images that the detector has not met; {len(rows):,} of "
        f"{len(bad):,} {what}: {', '.join(map(images.name_image, rows[:_NAMED]))}{more}"
    )
