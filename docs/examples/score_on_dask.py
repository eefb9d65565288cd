"""Bulk scoring on a Dask cluster: parts of a folder, each scored by Beam's local runner in one task.

Dask hands the parts to its workers, and those of a worker that was lost to another one. A part's rows
appear whole or not at all, so that none is missing and none comes twice; the same command goes on with
the parts that are not done, if FOLDER and FILES_A_PART are what they were. All machines need this
package, `pip install distributed`, and the same paths to the version, the folder and the directory to
write to.

    dask scheduler --host 10.0.0.1
    dask worker tcp://10.0.0.1:8786 --nthreads 1     # on each machine, once a core
    python score_on_dask.py tcp://10.0.0.1:8786 VERSION FOLDER OUT [FILES_A_PART]

OUT gets a folder for each part, with the files of `dcgan score --beam`.
"""

import pathlib
import sys
import tempfile

import distributed

_FILES_A_PART = 2_000


def score_part(names: list[str], model: str, done: str) -> int:
    """Scores files into a directory of their own, unless it is there.

    Args:
        names: Paths of files.
        model: An exported version's directory.
        done: The part's directory.

    Returns:
        How many files the part has.
    """
    from export import bulk

    final = pathlib.Path(done)
    if not final.exists():
        scratch = tempfile.mkdtemp(prefix=".unfinished-", dir=final.parent)
        bulk.score_bulk(names, model, scratch)
        try:
            pathlib.Path(scratch).rename(final)
        except OSError:  # A worker that was taken for lost has finished it.
            if not final.exists():
                raise
    return len(names)


def main(address: str, model: str, folder: str, out: str, files_a_part: int = _FILES_A_PART) -> None:
    """Scores all files below a folder."""
    names = sorted(str(path.absolute()) for path in pathlib.Path(folder).rglob("*") if path.is_file())
    target = pathlib.Path(out).absolute()
    target.mkdir(parents=True, exist_ok=True)
    parts = [names[start : start + files_a_part] for start in range(0, len(names), files_a_part)]
    directories = [str(target / f"part-{number:06d}") for number in range(len(parts))]
    with distributed.Client(address) as client:
        tasks = client.map(
            score_part, parts, [str(pathlib.Path(model).absolute())] * len(parts), directories
        )
        done = 0
        for task in distributed.as_completed(tasks):
            done += task.result()
            print(f"{done:,} of {len(names):,} files")


if __name__ == "__main__":
    main(*sys.argv[1:5], *map(int, sys.argv[5:]))
