"""Unpack archives that nobody vouches for.

Only pictures and tables are taken. An archive with a member that would land outside its folder, or that is
more than it seems, is refused as a whole; sizes are counted on the bytes that are read, not on what the
archive says of itself.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import math
import re
import shutil
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from data_prep.file_kinds import read_head, recognise
from data_prep.sources import printable
from ugatit.errors import UserError
from ugatit.images import PICTURE_SUFFIXES

LOG = logging.getLogger(__name__)

TABLE_SUFFIXES = frozenset({".txt", ".csv", ".json"})
"""Endings of what raw sources keep beside their pictures."""

RATIO_FLOOR_BYTES = 50_000_000
"""Below this an archive may unpack to any multiple of its size: drawn pictures compress well."""

HEADERS_BYTES = 1 << 20
"""What a tar may spend on the headers of one member; tarfile keeps them in memory."""

ENCRYPTED = 0x41
"""Flags of a zip's members: encrypted, strongly encrypted."""

MAX_NAME_BYTES, MAX_PATH_BYTES = 200, 1000

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    UnicodeDecodeError,
    NotImplementedError,
)
"""What the readers raise on damaged bytes; found by damaging archives at random.

NotImplementedError is zipfile's, for a version of the format or a flag of a member that it cannot read.
"""


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to: in all, per file, in number, and as a multiple of its own size."""

    total_bytes: int = 20_000_000_000
    file_bytes: int = 200_000_000
    files: int = 1_000_000
    ratio: float = 100.0


LIMITS = Limits()


class RefusedError(Exception):
    """Something that makes a whole archive unusable; the message follows the archive's name."""


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Member:
    """A regular file of an archive; to be read before the next one is asked for."""

    name: str
    source: _Readable


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to fill; on success it takes that name, else it is gone.

    Raises: UserError if `folder` holds anything.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: is not an empty folder. Delete it or choose another place to unpack to.")
    staging = folder.with_name(folder.name + ".part")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        yield staging
        staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def unpack(archive: Path, folder: Path, limits: Limits = LIMITS) -> None:
    """Unpack the pictures and tables of a zip, tar or tgz, known by its content, into an empty folder.

    Hidden members and those with other endings are left out. Members whose paths differ in nothing but case
    are all kept, under different names.

    Raises: UserError if it is no archive, is damaged or encrypted, holds nothing of use, exceeds a limit, or
        has a member that is a link or device or would land elsewhere; the folder then stays as it was.
    """
    if not archive.is_file():
        raise UserError(f"{archive}: no such file; expected an archive (zip, tar or tgz).")
    kind = recognise(read_head(archive))
    if kind not in ("zip", "tar", "gzip"):
        raise UserError(f"{archive}: is {_described(kind)}; expected an archive (zip, tar or tgz). {AGAIN}")
    budget = Budget(archive.stat().st_size, limits)
    with fresh_folder(folder) as staging:
        try:
            members = _zip_members(archive, budget) if kind == "zip" else _tar_members(archive, kind, budget)
            with closing(members):
                _write_all(members, staging, archive, budget, limits.file_bytes)
        except RefusedError as error:
            raise UserError(f"{archive}: {error}; nothing was unpacked. {AGAIN}") from None
        except _DAMAGE as error:
            raise UserError(f"{archive}: is cut off or damaged ({error}). {AGAIN}") from None


AGAIN = "Delete it and get it again from where it was published."


def _described(kind: str) -> str:
    """A kind of file with its article."""
    pages = {"html": "an HTML page, perhaps an error message saved under this name", "other": "no archive"}
    return pages.get(kind, f"a {kind} file")


class Budget:
    """Counts what is unpacked, and refuses what exceeds a limit.

    Raises: RefusedError.
    """

    def __init__(self, packed_bytes: int, limits: Limits) -> None:
        self._most = min(max(RATIO_FLOOR_BYTES, limits.ratio * packed_bytes), limits.total_bytes)
        self._spent, self._files, self._most_files = 0, 0, limits.files

    def spend(self, count: int) -> None:
        """Count bytes."""
        self._spent += count
        if self._spent > self._most:
            raise RefusedError(f"unpacks to more than {self._most:,.0f} bytes, more than pictures would")

    def add_file(self) -> None:
        """Count a file that is kept."""
        self._files += 1
        if self._files > self._most_files:
            raise RefusedError(f"holds more than {self._most_files:,} files")


class _Metered:
    """A stream that charges a budget with what is read, and ends when its own allowance does."""

    def __init__(self, stream: _Readable, budget: Budget) -> None:
        self._stream, self._budget = stream, budget
        self.allowance = math.inf

    def read(self, count: int, /) -> bytes:
        data = self._stream.read(count)
        self._budget.spend(len(data))
        self.allowance -= len(data)
        if self.allowance < 0:
            raise RefusedError(f"has a header of more than {HEADERS_BYTES:,} bytes")
        return data


def _zip_members(archive: Path, budget: Budget) -> Generator[_Member, None, None]:
    """The files of a zip."""
    with zipfile.ZipFile(archive) as container:
        for info in container.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise RefusedError(f"member {info.filename!r} is a link or a device")
            if info.flag_bits & ENCRYPTED:
                raise RefusedError(f"member {info.filename!r} is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise RefusedError(f"member {info.filename!r} is compressed by method {info.compress_type}")
            if info.header_offset < 0:
                raise zipfile.BadZipFile(f"no place of member {info.filename!r}")
            if info.is_dir():
                safe_parts(info.filename)
            else:
                yield _Member(info.filename, _Metered(container.open(info), budget))


def _tar_members(archive: Path, kind: str, budget: Budget) -> Generator[_Member, None, None]:
    """The files of a tar, compressed or not, in one pass."""
    with gzip.open(archive) if kind == "gzip" else archive.open("rb") as stream:
        metered = _Metered(stream, budget)
        metered.allowance = HEADERS_BYTES
        with tarfile.open(fileobj=metered, mode="r|") as container:  # type: ignore[call-overload]
            while (info := container.next()) is not None:
                if not (info.isdir() or info.isreg()) or info.issparse():
                    raise RefusedError(f"member {printable(info.name)!r} is a link, a device or sparse")
                metered.allowance = info.size + HEADERS_BYTES
                if info.isdir():
                    safe_parts(info.name)
                else:
                    yield _Member(info.name, container.extractfile(info))
                # tarfile would remember every member until the end.
                container.members = []
            metered.allowance = math.inf
            _require_end(container.fileobj)


def _require_end(rest: _Readable) -> None:
    """Read what follows a tar's last member: tarfile takes any unreadable header for the end."""
    padding = 0
    while data := rest.read(1 << 16):
        if any(data):
            raise tarfile.ReadError("unreadable header")
        padding += len(data)
    if not padding:
        raise tarfile.ReadError("no end mark")


def _write_all(
    members: Iterator[_Member], staging: Path, archive: Path, budget: Budget, most_bytes: int
) -> None:
    """Write the members that are of use, each under a path of its own."""
    names, kept, left_out = PathNames(), 0, 0
    for member in members:
        parts = safe_parts(member.name)
        if not _wanted(parts):
            left_out += 1
            continue
        kept += 1
        budget.add_file()
        target = staging / names.place(parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as handle:
            _copy(member, handle, most_bytes)
    if not kept:
        raise RefusedError(f"holds no picture and no table ({left_out} other members)")
    LOG.info("%s: unpacked %d files, left out %d others", archive, kept, left_out)


def _copy(member: _Member, target: BinaryIO, most: int) -> None:
    """Copy a member piece by piece."""
    written = 0
    while data := member.source.read(1 << 20):
        written += target.write(data)
        if written > most:
            raise RefusedError(f"member {printable(member.name)!r} has more than {most:,} bytes")


def safe_parts(name: str) -> list[str]:
    """A member's path as names that are safe below a folder; backslashes separate, as on Windows.

    Raises: an error that makes `unpack` refuse the archive, if the path is absolute or leads out of it.
    """
    clean = re.sub(r"[\x00-\x1f\x7f]", "_", printable(name)).replace("\\", "/")
    if clean.startswith("/") or re.match(r"[A-Za-z]:", clean):
        raise RefusedError(f"member {printable(name)!r} has an absolute path")
    parts = [part for part in clean.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise RefusedError(f"member {printable(name)!r} leads out of the archive's folder")
    return [_shortened(part) for part in parts]


def _shortened(name: str) -> str:
    """A name that a file system takes; a long one is told apart by a hash."""
    if len(data := name.encode()) <= MAX_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    mark = "_" + hashlib.sha256(data).hexdigest()[:8] + (suffix if len(suffix.encode()) < 10 else "")
    return data[: MAX_NAME_BYTES - len(mark.encode())].decode(errors="ignore") + mark


def _wanted(parts: list[str]) -> bool:
    """Whether a member is a visible picture or table; macOS adds what begins with `._` or `__MACOSX`."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    suffix = PurePosixPath(parts[-1]).suffix.lower() if parts else ""
    return not hidden and suffix in PICTURE_SUFFIXES | TABLE_SUFFIXES


class PathNames:
    """Paths below one folder, no two alike where case and Unicode's spellings do not count."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def place(self, parts: list[str]) -> PurePosixPath:
        """Take a path; a taken one gets a number."""
        wanted = PurePosixPath(*parts)
        if len(str(wanted).encode()) > MAX_PATH_BYTES:
            raise RefusedError(f"member {str(wanted)[:80]!r}... has too long a path")
        parents = {_key(parent) for parent in list(wanted.parents)[:-1]}
        if clash := parents & self._files:
            raise RefusedError(f"{min(clash)!r} is both a file and a folder")
        self._folders |= parents
        path, key = wanted, _key(wanted)
        while _key(path) in self._files or _key(path) in self._folders:
            self._repeats[key] += 1
            path = wanted.with_name(f"{wanted.stem}_{self._repeats[key] + 1}{wanted.suffix}")
        self._files.add(_key(path))
        return path


def _key(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", str(path)).casefold()
