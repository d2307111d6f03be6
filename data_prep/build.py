"""Build a dataset from its source: four folders of pictures and the manifest that describes them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep.datasets import folder
from data_prep.obtain import Obtained
from data_prep.placing import MANIFEST, install, require_apart, staging_folder
from data_prep.sources import fingerprint, raw_root
from data_prep.splits import find_splits
from ugatit.errors import UserError
from ugatit.manifest import KEPT, SPLITS, Manifest, Picture
from ugatit.sources import FolderSource

LOG = logging.getLogger(__name__)

BAD_PICTURES_SHOWN = 20


def build_dataset(
    source: FolderSource, output: Path, expected: Mapping[str, int], threads: int, strict: bool = False
) -> Manifest:
    """Build a dataset into a folder, replacing what an earlier build left there.

    Unusable pictures become rows of the manifest and lines of the log, other counts than `expected` a table
    of the log. A build that fails or is killed leaves the dataset as it was, or without a manifest.

    Raises: UserError if the source has no usable pictures, its sides are evidently exchanged, the output is
    not the build's own, or, with `strict`, if counts are other than expected.
    """
    require_apart(raw_root(source), output)
    mark = fingerprint(source)
    with staging_folder(output) as staging:
        rows = folder.collect(source, staging, threads)
        _warn_of_unusable(rows)
        _compare_counts(rows, expected, output, strict)
        install(staging, output, rows, source.model_dump(), mark)
    return Manifest(output / MANIFEST, tuple(rows))


def _warn_of_unusable(rows: Sequence[Picture]) -> None:
    """One line for each picture that was not taken over, up to a bound."""
    bad = [row for row in rows if row.status != KEPT]
    for row in bad[:BAD_PICTURES_SHOWN]:
        LOG.warning("left out %s: %s", row.source, row.reason)
    if len(bad) > BAD_PICTURES_SHOWN:
        LOG.warning("left out %d more; the manifest names them all", len(bad) - BAD_PICTURES_SHOWN)


def _compare_counts(rows: Sequence[Picture], expected: Mapping[str, int], output: Path, strict: bool) -> None:
    """Log a table of expected and usable pictures if any split differs.

    Raises: UserError if the counts are those of exchanged sides, and with `strict` if any differs.
    """
    usable = Counter(row.split for row in rows if row.status == KEPT)
    total = Counter(row.split for row in rows)
    if all(usable[split] == count for split, count in expected.items()):
        return
    exchanged = {split[:-1] + "BA"["AB".index(split[-1])]: count for split, count in expected.items()}
    # Counts of one side alone do not tell: the other side may have any.
    judged = exchanged.keys() == expected.keys()
    if judged and all(usable[split] == count for split, count in exchanged.items()):
        raise UserError(
            f"{output}: found {dict(usable)}, which are the expected counts with A and B exchanged. "
            "Change `swap` of the source in params.yaml."
        )
    lines = [f"  {'split':8}{'expected':>9}{'usable':>9}{'left out':>9}"]
    for split in SPLITS:
        left_out = total[split] - usable[split]
        lines.append(f"  {split:8}{expected.get(split, '-'):>9}{usable[split]:>9}{left_out:>9}")
    LOG.warning("%s: other counts of pictures than expected\n%s", output, "\n".join(lines))
    if strict:
        found = ", ".join(f"{split} {usable[split]} of {expected.get(split, 'any')}" for split in SPLITS)
        raise UserError(f"{output}: other counts than expected ({found}), and --strict is set.")


def unpacked_folder(obtained: Obtained) -> FolderSource:
    """Obtained raw pictures as the folder of a dataset, wherever in it the four splits are.

    Raises: UserError if they are nowhere.
    """
    return FolderSource(kind="folder", path=str(find_splits(Path(obtained.folder))), swap=obtained.swap)
