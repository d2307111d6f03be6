"""Check a dataset's folders before building or training: what is wrong, where, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from data_prep.examine import Examined, examine
from data_prep.findings import NOTE, PROBLEM, WARNING, Finding, Pictures, per_split
from data_prep.overlap import repeated, shared
from data_prep.parallel import in_parallel
from data_prep.sources import list_files, printable, subfolders
from data_prep.splits import splits_folder
from ugatit.construction import DetectorSettings
from ugatit.errors import UserError
from ugatit.images import PICTURE_SUFFIXES
from ugatit.manifest import SPLITS

SCHEMA = 1
"""Layout of the JSON report."""

SMALL_PX = 64
"""A side shorter than this has a quarter of the detail that 256 pixels show, or less."""

SQUARE_RATIO = 1.5
"""Long to short side; above this the resize to a square visibly squashes."""


@dataclass(frozen=True)
class Split:
    """The table's row of one split; sizes are width and height in pixels, None without a usable picture."""

    name: str
    files: int
    usable: int
    unreadable: int
    grey: int
    smallest: tuple[int, int] | None
    largest: tuple[int, int] | None
    most_common: tuple[int, int] | None


@dataclass(frozen=True)
class Report:
    """Everything that a check found, the most severe first."""

    folder: str
    splits: tuple[Split, ...]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> int:
        """How many findings have to be put right."""
        return sum(finding.severity == PROBLEM for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """The whole report as plain values."""
        return {"schema": SCHEMA, "problems": self.problems, **asdict(self)}


def check_folder(
    root: Path,
    kid_subset_size: int,
    threads: int,
    detectors: Mapping[str, DetectorSettings] = MappingProxyType({}),
) -> Report:
    """Read trainA, trainB, testA and testB below a folder, also in subfolders, and compare the pictures.

    Of each picture only hashes and sizes are kept. Sides (`A`, `B`) for which there is a face detector are
    searched for faces that are cut off.

    Raises: UserError if the folder is missing or cannot be listed, or a detector does not work.
    """
    if not root.is_dir():
        found = "is a file; unpack it if it is an archive" if root.exists() else "no such folder"
        raise UserError(f"{root}: {found}; expected a folder with {', '.join(SPLITS)}.")
    pictures: dict[str, list[Examined]] = {}
    others: list[str] = []
    for split in (split for split in SPLITS if (root / split).is_dir()):
        files = list_files(root / split)
        chosen = [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
        others += [_relative(file, root) for file in files if file.suffix.lower() not in PICTURE_SUFFIXES]
        pictures[split] = in_parallel(partial(examine, root=root, split=split), chosen, threads, split)
    usable = {split: [p for p in pictures.get(split, ()) if p.usable] for split in SPLITS}
    findings = [
        *_absent(root, pictures, usable),
        *_peculiar(pictures),
        *_left_out(others),
        *_too_few(usable, kid_subset_size),
        *repeated(usable),
        *shared(usable),
        *_cut_faces(usable, root, detectors, threads),
    ]
    order = (PROBLEM, WARNING, NOTE)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Report(printable(str(root)), tuple(_describe(s, pictures[s]) for s in pictures), tuple(findings))


def _describe(name: str, pictures: Sequence[Examined]) -> Split:
    usable = [picture for picture in pictures if picture.usable]
    sizes = Counter((picture.width, picture.height) for picture in usable)
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    smallest, largest = (by_area[0], by_area[-1]) if by_area else (None, None)
    # Of several equally common sizes the largest, whatever the order of the files.
    common = max(by_area, key=lambda size: (sizes[size], size), default=None)
    grey = sum(picture.grey for picture in usable)
    counts = len(pictures), len(usable), len(pictures) - len(usable), grey
    return Split(name, *counts, smallest, largest, common)


def _absent(root: Path, pictures: Pictures, usable: Pictures) -> Iterable[Finding]:
    """Split folders that are not there, or hold nothing that can be used."""
    if missing := [split for split in SPLITS if split not in pictures]:
        remedy = "Put the pictures into these folders, or rename the folders that hold them."
        if nested := splits_folder(root):
            remedy = f"All four are in {printable(str(nested))}: use that folder."
        found = ", ".join(printable(folder.name) for folder in subfolders(root)) or "none"
        yield Finding(
            PROBLEM, "missing-split", f"folders missing (folders found: {found})", remedy, tuple(missing)
        )
    if empty := [split for split in pictures if not usable[split]]:
        endings = ", ".join(sorted(PICTURE_SUFFIXES))
        remedy = f"Put pictures there, in files ending in {endings}."
        yield Finding(PROBLEM, "empty-split", "folders without a usable picture", remedy, tuple(empty))


@dataclass(frozen=True)
class _Peculiarity:
    """Something that one picture can be, and what it means."""

    severity: str
    kind: str
    applies: Callable[[Examined], bool]
    what: str
    remedy: str
    detail: Callable[[Examined], str] = lambda picture: ""


PECULIARITIES = (
    _Peculiarity(PROBLEM, "unreadable", lambda p: not p.usable, "pictures that cannot be read",
                 "Fetch them again or delete them; the build leaves them out.", lambda p: p.reason),
    _Peculiarity(WARNING, "small", lambda p: p.usable and min(p.width, p.height) < SMALL_PX,
                 f"pictures with a side below {SMALL_PX} pixels",
                 "Replace them by larger ones or delete them: enlarged, they are blurred.",
                 lambda p: f"{p.width}x{p.height}"),
    _Peculiarity(WARNING, "oblong", lambda p: p.usable and _ratio(p) > SQUARE_RATIO,
                 f"pictures with sides of more than {SQUARE_RATIO} to 1",
                 "Crop them to a square around what matters: the resize squashes them.",
                 lambda p: f"{p.width}x{p.height}"),
    _Peculiarity(NOTE, "misnamed", lambda p: p.misnamed, "pictures of another format than their name says",
                 "Nothing: the format is taken from the bytes.", lambda p: p.format),
    _Peculiarity(NOTE, "grey", lambda p: p.grey, "grey pictures",
                 "Delete them if the others are in colour: networks learn to take colour away."),
    _Peculiarity(NOTE, "cmyk", lambda p: p.mode == "CMYK", "CMYK pictures", "Nothing: they become RGB."),
    _Peculiarity(NOTE, "transparent", lambda p: p.transparent, "pictures with transparency",
                 "Nothing: they are laid over white. Look whether that is what you want."),
    _Peculiarity(NOTE, "rotated", lambda p: p.rotated, "pictures rotated by EXIF",
                 "Nothing: they are turned upright."),
    _Peculiarity(NOTE, "animated", lambda p: p.animated, "animated pictures",
                 "Nothing: the first frame is taken."),
)  # fmt: skip


def _ratio(picture: Examined) -> float:
    return max(picture.width, picture.height) / min(picture.width, picture.height)


def _peculiar(pictures: Pictures) -> Iterable[Finding]:
    """What single pictures are."""
    for entry in PECULIARITIES:
        found = [picture for split in SPLITS for picture in pictures.get(split, ()) if entry.applies(picture)]
        if found:
            counts = Counter(picture.split for picture in found)
            where = tuple(f"{p.name}: {entry.detail(p)}".removesuffix(": ") for p in found)
            yield Finding(
                entry.severity, entry.kind, f"{entry.what}: {per_split(counts)}", entry.remedy, where
            )


def _cut_faces(
    usable: Pictures, root: Path, detectors: Mapping[str, DetectorSettings], processes: int
) -> Iterable[Finding]:
    """Faces that are cut off; detectors and what they need are loaded only if they are asked for."""
    if not detectors:
        return ()
    from data_prep.cut_faces import cut_faces

    return cut_faces(usable, root, detectors, processes)


def _left_out(others: Sequence[str]) -> Iterable[Finding]:
    if others:
        what = f"files without a picture's ending: {len(others)}"
        remedy = "Nothing, if they are no pictures: they are left out. Otherwise convert them to PNG or JPEG."
        yield Finding(NOTE, "other-files", what, remedy, tuple(others))


def _too_few(usable: Pictures, kid_subset_size: int) -> Iterable[Finding]:
    """Test splits that a subset of KID cannot be drawn from."""
    for split in ("testA", "testB"):
        if 0 < len(usable[split]) < kid_subset_size:
            what = f"too few test pictures: {len(usable[split])}, but KID draws subsets of {kid_subset_size}"
            remedy = f"Add pictures, or set evaluation.kid_subset_size to {len(usable[split])} or less."
            yield Finding(WARNING, "few-test-pictures", what, remedy, (split,))


def _relative(file: Path, root: Path) -> str:
    return printable(file.relative_to(root).as_posix())
