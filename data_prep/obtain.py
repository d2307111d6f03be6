"""Obtain raw pictures: take what the user has, or the first mirror's archive, or draw them.

The result is a folder and a small record of it; whatever is built from them depends on the record.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_prep.sources import ABSENT, folder_fingerprint, list_files
from ugatit.errors import UserError
from ugatit.files import read_json, sha256_file, write_json
from ugatit.sources import Asset, RawSource
from ugatit.strict import Strict, check

LOG = logging.getLogger(__name__)

MARK = ".obtained.json"
"""The record of a folder that was made here, inside it: such a folder may be replaced, no other."""

FIRST = "first"
"""Name of the state in which a folder was made."""


class Archive(Strict):
    """The file that raw pictures were unpacked from."""

    file: str
    url: str
    """Empty if it was there already."""
    bytes: int
    sha256: str
    verified: bool
    """Whether the hash is a known one."""


class Obtained(Strict):
    """What raw/<name>.json says: where raw pictures are, and what they are."""

    folder: str
    swap: bool
    """Its A is our domain B."""
    made: bool
    """Whether they were unpacked or drawn here; else the folder is the user's and never touched."""
    origin: dict[str, Any]
    """The entry of `sources` that was followed."""
    archive: Archive | None
    fingerprint: str
    """Of the names and sizes of all files."""
    state: str
    """The workflow's name for this state of the folder; see `folder_state`."""
    tables: str = ""
    """Fingerprint of the user's folder of parquet files that they were unpacked from, if there was one."""


def obtain(
    name: str,
    source: RawSource,
    raw: Path,
    *,
    state: str = FIRST,
    threads: int = 1,
    accept_checksum: bool = False,
) -> Obtained:
    """Make the folder of a source, unless it is there, and write its record `<raw>/<name>.json`.

    The folder is `source.path` if that is one, else `<raw>/<name>`. It is whole or absent.

    Raises: UserError if there is no such place, every mirror failed, or an archive cannot be used.
    """
    try:
        raw.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{raw}: cannot be a folder of raw pictures ({error.strerror}). Give another place."
        ) from None
    own, record = raw / name, raw / f"{name}.json"
    _finish_replacing(own)
    earlier = read_obtained(own / MARK) if (own / MARK).exists() else None
    content = folder_fingerprint(own) if own.is_dir() and list_files(own) else ABSENT
    untouched = earlier is not None and content in (earlier.fingerprint, ABSENT)
    replaceable = untouched or not own.exists() or (own.is_dir() and not any(own.iterdir()))
    same = (
        earlier is not None and earlier.origin == source.model_dump() and not _other_content(source, earlier)
    )
    if earlier and same and content != ABSENT and not source.drawn:
        # With files added to it or taken from it, it still is that copy, but now the user's.
        update = {"made": untouched, "fingerprint": content, "state": state}
        obtained = earlier.model_copy(update=update)
        write_json(record, obtained.model_dump())
        return obtained
    new = raw / f"{name}.new"
    shutil.rmtree(new, ignore_errors=True)
    folder, swap, archive = _obtain(name, source, raw, new, replaceable, threads, accept_checksum)
    made = folder == new
    obtained = Obtained(
        folder=str(own if made else folder),
        swap=swap,
        made=made,
        origin=source.model_dump(),
        archive=archive,
        fingerprint=folder_fingerprint(folder),
        state=state,
        tables=_tables_fingerprint(source) if made else "",
    )
    if made:
        write_json(new / MARK, obtained.model_dump())
        if untouched:
            own.replace(_old(own))
        new.replace(own)
        _finish_replacing(own)
    write_json(record, obtained.model_dump())
    return obtained


def fetch_asset(asset: Asset, *, accept_checksum: bool = False) -> Path:
    """Download a file that is no archive to its place, unless it is there.

    Raises: UserError if every mirror failed or the file has another hash than is known.
    """
    from data_prep.fetch import download

    download(asset.mirrors, Path(asset.file), accept_checksum=accept_checksum)
    return Path(asset.file)


def read_obtained(path: Path) -> Obtained:
    """Read the record of a source.

    Raises: UserError if it is missing or damaged.
    """
    remedy = "Make it with `data-prep fetch`; a damaged one can be deleted."
    return check(Obtained, read_json(path, "the record of raw pictures", remedy), str(path))


def folder_state(name: str, source: RawSource, raw: Path) -> str:
    """The name of the state in which a source's folder is, for the workflow to notice a change.

    It stays the same from before the folder is made to after, and when the folder is removed: nothing has
    to be made anew for that. It changes when files are added, removed or replaced, and when an archive or
    parquet files of the user's give way to others of another size.
    """
    record = raw / f"{name}.json"
    if not record.exists():
        return FIRST
    obtained = read_obtained(record)
    given = Path(source.path).expanduser() if source.path else raw / name
    if _other_content(source, obtained):
        return _tables_fingerprint(source) or f"{given.name} of {given.stat().st_size} bytes"
    folder = given if given.is_dir() and not _parquet_files(given) else raw / name
    current = folder_fingerprint(folder) if folder.is_dir() else ABSENT
    return obtained.state if current in (obtained.fingerprint, ABSENT) else current


def _obtain(
    name: str,
    source: RawSource,
    raw: Path,
    new: Path,
    replaceable: bool,
    threads: int,
    accept_checksum: bool,
) -> tuple[Path, bool, Archive | None]:
    """The folder (`new` if it was made), whether its sides are swapped, and the archive it came from."""
    own = raw / name
    if source.drawn:
        from data_prep.drawing.raw_folders import draw_raw_folders

        _require(replaceable, own)
        draw_raw_folders(new, source.drawn.faces, source.drawn.seed, threads)
        return new, source.swap, None
    if source.path:
        given = Path(source.path).expanduser()
        if not given.exists():
            raise UserError(f"sources.{name}.path: {given} does not exist; expected an archive or a folder.")
        tables = _parquet_files(given)
        if given.is_dir() and not tables:
            return given, source.swap, None
        _require(replaceable, own)
        _unpack(given, tables, new)
        return new, source.swap, None if given.is_dir() else _archive(given)
    if not replaceable and own.is_dir() and list_files(own):
        LOG.info("%s: is there already and taken as it is", own)
        return own, source.swap, None
    if not source.mirrors or source.file is None:
        raise UserError(
            f"{own}: no such folder, and sources.{name} knows no place to download it from. Put the raw "
            f"pictures there, or name your folder or archive in sources.{name}.path; see docs/datasets.md."
        )
    from data_prep.fetch import download

    _require(replaceable, own)
    file = raw / source.file
    fetched = download(source.mirrors, file, accept_checksum=accept_checksum)
    _unpack(file, _parquet_files(file), new)
    swapped = fetched.mirror is not None and fetched.mirror.swapped
    archive = Archive(
        file=str(file), url=fetched.url, bytes=fetched.bytes, sha256=fetched.sha256, verified=fetched.verified
    )
    return new, source.swap != swapped, archive


def _old(own: Path) -> Path:
    """Where a folder waits while another one takes its place; hidden, lest it be one of the user's."""
    return own.with_name(f".{own.name}.old")


def _finish_replacing(own: Path) -> None:
    """After a kill between the two renames bring the old folder back; after both, remove it."""
    old = _old(own)
    if old.is_dir() and not own.exists():
        old.replace(own)
    elif old.is_symlink():
        old.unlink()
    elif old.is_dir():
        shutil.rmtree(old)


def _other_content(source: RawSource, earlier: Obtained) -> bool:
    """Whether the user's archive or parquet files are not those that were unpacked.

    Told by names and sizes: hashing takes long.
    """
    if not source.path:
        return False
    given = Path(source.path).expanduser()
    if earlier.archive is None:
        return bool(earlier.tables) and _tables_fingerprint(source) not in ("", earlier.tables)
    return (
        given.is_file()
        and str(given) == earlier.archive.file
        and given.stat().st_size != earlier.archive.bytes
    )


def _tables_fingerprint(source: RawSource) -> str:
    """Fingerprint of the user's folder of parquet files; empty if the source is none."""
    given = Path(source.path or "").expanduser()
    return folder_fingerprint(given) if source.path and given.is_dir() and _parquet_files(given) else ""


def _require(replaceable: bool, own: Path) -> None:
    """Refuse to replace pictures of the user's."""
    if not replaceable:
        raise UserError(f"{own}: is not an empty folder. Delete it, or name it in the source's `path`.")


def _unpack(given: Path, tables: Sequence[Path], folder: Path) -> None:
    """Unpack an archive, or the parquet files of a folder."""
    LOG.info("%s: unpacking to %s", given, folder)
    if tables:
        from data_prep.parquet import unpack_parquet

        unpack_parquet(tables, folder)
    else:
        from data_prep.archives import unpack

        unpack(given, folder)


def _parquet_files(given: Path) -> list[Path]:
    """The parquet files that a path names or holds."""
    files = list_files(given) if given.is_dir() else [given]
    return [file for file in files if file.suffix == ".parquet"]


def _archive(file: Path) -> Archive:
    """An archive that the user has: its hash is recorded and compared with nothing."""
    return Archive(
        file=str(file), url="", bytes=file.stat().st_size, sha256=sha256_file(file), verified=False
    )
