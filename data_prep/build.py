"""Build a dataset from its source: four folders of pictures and the manifest that describes them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep.datasets import drawn, folder
from data_prep.placing import MANIFEST, install, require_apart, staging_folder
from data_prep.sources import Source, fingerprint, raw_root
from ugatit.manifest import KEPT, SPLITS, Manifest, Picture
from ugatit.params import FolderSource

LOG = logging.getLogger(__name__)

BAD_PICTURES_SHOWN = 20


def build_dataset(source: Source, output: Path, expected: Mapping[str, int], threads: int) -> Manifest:
    """Build a dataset into a folder, replacing what an earlier build left there.

    Unusable pictures become rows of the manifest and lines of the log, other counts than `expected` a table
    of the log. A build that fails or is killed leaves the dataset as it was, or without a manifest.

    Raises: UserError if the source has no usable pictures, or the output is not the build's own.
    """
    if isinstance(source, FolderSource):
        require_apart(raw_root(source), output)
    mark = fingerprint(source)
    with staging_folder(output) as staging:
        rows = _collect(source, staging, threads)
        install(staging, output, rows, source, mark)
    _warn_of_unusable(rows)
    _warn_of_counts(rows, expected, output)
    return Manifest(output / MANIFEST, tuple(rows))


def _collect(source: Source, staging: Path, threads: int) -> list[Picture]:
    """Let the module of the source's kind fill the staging folder."""
    if isinstance(source, FolderSource):
        return folder.collect(source, staging, threads)
    return drawn.collect(source, staging, threads)


def _warn_of_unusable(rows: Sequence[Picture]) -> None:
    """One line for each picture that was not taken over, up to a bound."""
    bad = [row for row in rows if row.status != KEPT]
    for row in bad[:BAD_PICTURES_SHOWN]:
        LOG.warning("left out %s: %s", row.source, row.reason)
    if len(bad) > BAD_PICTURES_SHOWN:
        LOG.warning("left out %d more; the manifest names them all", len(bad) - BAD_PICTURES_SHOWN)


def _warn_of_counts(rows: Sequence[Picture], expected: Mapping[str, int], output: Path) -> None:
    """A table of expected and usable pictures, if any split differs."""
    usable = Counter(row.split for row in rows if row.status == KEPT)
    total = Counter(row.split for row in rows)
    if all(usable[split] == count for split, count in expected.items()):
        return
    lines = [f"  {'split':8}{'expected':>9}{'usable':>9}{'left out':>9}"]
    for split in SPLITS:
        left_out = total[split] - usable[split]
        lines.append(f"  {split:8}{expected.get(split, '-'):>9}{usable[split]:>9}{left_out:>9}")
    LOG.warning("%s: other counts of pictures than expected\n%s", output, "\n".join(lines))
