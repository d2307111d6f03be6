"""Download one file from the first of its mirrors that gives it: resumed, retried, checked, whole or absent.

Beside `<target>` stand, while they are needed: `<target>.part` with its origin in `<target>.part.json`, and
`<target>.rejected`, a file with the wrong sum; `<target>.fetched.json` says from which URL a file is.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from data_prep.file_kinds import read_head, recognise
from data_prep.transfer import (
    PART,
    PATIENCE,
    Patience,
    Report,
    TransferError,
    beside,
    discard,
    put_in_place,
    read_own,
    transfer,
)
from ugatit.errors import UserError
from ugatit.files import sha256_file, write_json
from ugatit.sources import Mirror
from ugatit.strict import Strict

LOG = logging.getLogger(__name__)

REJECTED, KEPT = ".rejected", ".fetched.json"

EXPECTED_KINDS = {
    ".zip": ("zip", "gzip", "tar"),
    ".tgz": ("zip", "gzip", "tar"),
    ".gz": ("zip", "gzip", "tar"),
    ".tar": ("zip", "gzip", "tar"),
    ".parquet": ("parquet",),
}
"""What a file of this ending may be; mirrors pack the same dataset in different ways."""


@dataclass(frozen=True)
class Fetched:
    """A file that is there: from where (empty and None if unknown), and whether a known sum was met."""

    url: str
    mirror: Mirror | None
    bytes: int
    sha256: str
    verified: bool


class _Kept(Strict):
    """Where a file came from, and by which sum it is known."""

    url: str
    bytes: int
    sha256: str


def download(
    mirrors: Sequence[Mirror],
    target: Path,
    *,
    accept_checksum: bool = False,
    patience: Patience = PATIENCE,
) -> Fetched:
    """Have a file: take the one that is there, or download it from the first mirror that gives it.

    What an earlier call left unfinished is continued. A file with another sum than the known one is kept
    as `<target>.rejected`; with `accept_checksum` it is taken.

    Raises: UserError if the file that is there, or the one that came, is not the expected one, or if no
        mirror gives it.
    """
    rejected = beside(target, REJECTED)
    if target.exists():
        return _take(target, mirrors, accept_checksum)
    if accept_checksum and rejected.exists():
        fetched = _take(rejected, mirrors, accept_checksum)
        url = fetched.mirror.url if fetched.mirror else ""
        _place(rejected, target, url, fetched.bytes, fetched.sha256)
        return fetched
    target.parent.mkdir(parents=True, exist_ok=True)
    part, reasons = beside(target, PART), []
    with requests.Session() as session:
        for mirror in mirrors:
            LOG.info("%s: downloading from %s", target, mirror.url)
            try:
                with _bar(target.name) as report:
                    transfer(session, mirror.url, part, patience, report)
                if problem := _kind_problem(part, target.name):
                    discard(part)
                    raise TransferError(problem)
            except TransferError as error:
                LOG.info("%s: %s", mirror.url, error)
                reasons.append(f"{mirror.url}: {error}")
                continue
            return _keep(part, target, mirror, accept_checksum)
    tried = f"no mirror gave it ({'; '.join(reasons)})" if mirrors else "missing, and no mirror is known"
    source = f" from {mirrors[0].url}" if mirrors else ""
    raise UserError(f"{target}: {tried}. Download {target.name} by hand{source} and put it at {target}.")


def _take(file: Path, mirrors: Sequence[Mirror], accept_checksum: bool) -> Fetched:
    """Accept a file that is there already, finding out which mirror's it is."""
    if problem := _kind_problem(file, file.name.removesuffix(REJECTED)):
        raise UserError(f"{file}: {problem}. Delete it, or put the right file there.")
    size, digest = file.stat().st_size, sha256_file(file)
    mirror = _mirror_of(file, mirrors, size, digest)
    fits = mirror is not None and _fits(mirror, size, digest)
    if mirrors and not fits and not accept_checksum:
        known = " or ".join(_described(mirror.bytes, mirror.sha256) for mirror in mirrors)
        raise UserError(
            f"{file}: is not the known file: found {_described(size, digest)}, expected {known}. "
            "Delete it, put the right file there, or take it as it is with --accept-checksum."
        )
    verified = fits and mirror is not None and mirror.sha256 is not None
    _log(file, "already there", size, digest, verified)
    return Fetched("", mirror, size, digest, verified)


def _mirror_of(file: Path, mirrors: Sequence[Mirror], size: int, digest: str) -> Mirror | None:
    """The mirror that a file is from: by its known sum, by what was written down, or the first that fits."""
    kept = read_own(_Kept, beside(file, KEPT))
    url = kept.url if kept and kept.sha256 == digest else ""
    fitting = [mirror for mirror in mirrors if _fits(mirror, size, digest)]
    written_down = [mirror for mirror in mirrors if mirror.url == url]
    verified = [mirror for mirror in fitting if mirror.sha256 is not None]
    found = verified or [mirror for mirror in written_down if mirror in fitting] or fitting or written_down
    if not verified and not written_down and len({mirror.swapped for mirror in fitting}) > 1:
        LOG.warning("%s: may be from several mirrors whose sides differ; taken for %s", file, found[0].url)
    return found[0] if found else None


def _keep(part: Path, target: Path, mirror: Mirror, accept_checksum: bool) -> Fetched:
    """Give a whole download its name, or that of a rejected one if it is not the known file."""
    size, digest = part.stat().st_size, sha256_file(part)
    fits = _fits(mirror, size, digest)
    kept = target if fits or accept_checksum else beside(target, REJECTED)
    _place(part, kept, mirror.url, size, digest)
    if kept != target:
        raise UserError(
            f"{mirror.url}: is not the known file: found {_described(size, digest)}, expected "
            f"{_described(mirror.bytes, mirror.sha256)}. It is kept as {kept}; "
            "look where it comes from, or take it as it is with --accept-checksum."
        )
    verified = fits and mirror.sha256 is not None
    _log(target, f"downloaded from {mirror.url}", size, digest, verified)
    return Fetched(mirror.url, mirror, size, digest, verified)


def _place(part: Path, kept: Path, url: str, size: int, digest: str) -> None:
    """Give a file its name, after writing down where it came from."""
    write_json(beside(kept, KEPT), _Kept(url=url, bytes=size, sha256=digest).model_dump())
    put_in_place(part, kept)
    beside(part, KEPT).unlink(missing_ok=True)


def _fits(mirror: Mirror, size: int, digest: str) -> bool:
    """Whether nothing known of a mirror's file contradicts a size and a sum."""
    return mirror.bytes in (None, size) and digest.startswith((mirror.sha256 or "").lower())


def _described(size: int | None, digest: str | None) -> str:
    return f"{'any number of' if size is None else size} bytes with sha256 {digest or 'not known'}"


def _log(file: Path, how: str, size: int, digest: str, verified: bool) -> None:
    known = "as known" if verified else "not compared with a known sum"
    LOG.info("%s: %s, %d bytes, sha256 %s (%s)", file, how, size, digest, known)


def _kind_problem(file: Path, name: str) -> str | None:
    """What is wrong with a file that should be called `name`, judged by its first bytes."""
    head = read_head(file)
    kind, expected = recognise(head), EXPECTED_KINDS.get(Path(name).suffix.lower())
    if kind == "html" and Path(name).suffix.lower() not in (".html", ".htm"):
        title = re.search(rb"<title[^>]*>\s*(.*?)\s*</title>", head, re.DOTALL | re.IGNORECASE)
        shown = f" ({title[1].decode('utf-8', 'replace')[:80]})" if title else ""
        if b"google" in head.lower():
            return (
                f"Google Drive's page about its quota or its virus scan{shown} instead of the file; "
                "open the address in a browser, later if the quota is used up"
            )
        return f"an HTML page{shown} instead of the file"
    if expected and kind not in expected:
        return f"its content is {kind}; expected {' or '.join(expected)}"
    return None


@contextmanager
def _bar(name: str) -> Iterator[Report]:
    """Show bytes, speed and remaining time on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
