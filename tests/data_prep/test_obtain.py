"""Raw pictures from wherever they are, their record, and the state that the workflow knows them by."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_prep import obtain as module
from data_prep.drawing import raw_folders
from data_prep.obtain import FIRST, MARK, Obtained, fetch_asset, folder_state, obtain, read_obtained
from tests.data_prep.http_server import Answer, Server
from tests.data_prep.small_side import plain
from ugatit.errors import UserError
from ugatit.manifest import SPLITS
from ugatit.sources import Asset, Drawing, Mirror, RawSource

FILES = {
    f"set/{split}/{number}.png": plain(20 * k + number)
    for k, split in enumerate(SPLITS)
    for number in range(2)
}
LATER = "state-after-a-change"


def packed(files: Mapping[str, bytes] = FILES) -> bytes:
    """The bytes of a zip archive, the same for the same files."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as container:
        for name, data in files.items():
            container.writestr(zipfile.ZipInfo(name), data)
    return memory.getvalue()


ARCHIVE = packed()
OTHER_FILES = {name: plain(200 + k) for k, name in enumerate(FILES)}
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def fill(folder: Path, files: Mapping[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        write(folder / name, data)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """The visible files of a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


def stamps(folder: Path) -> dict[str, int]:
    """When each file was written, hidden ones too."""
    return {str(file): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The folder of all raw pictures; it is made by whoever needs it."""
    return tmp_path / "raw"


def given(path: Path, swap: bool = False) -> RawSource:
    """A source that is an archive or folder of the user's."""
    return RawSource(path=str(path), swap=swap)


def mirrored(*mirrors: Mirror, swap: bool = False) -> RawSource:
    return RawSource(file="set.zip", mirrors=list(mirrors), swap=swap)


def place_of_ones_own(tmp_path: Path, server: Server) -> tuple[RawSource, Path]:
    return given(fill(tmp_path / "mine")), tmp_path / "mine"


def archive_of_ones_own(tmp_path: Path, server: Server) -> tuple[RawSource, Path]:
    return given(write(tmp_path / "set.zip", ARCHIVE)), tmp_path / "raw" / "mine"


def download(tmp_path: Path, server: Server) -> tuple[RawSource, Path]:
    return mirrored(Mirror(url=server.set("/set.zip", Answer(ARCHIVE)))), tmp_path / "raw" / "mine"


def parquet_of_ones_own(tmp_path: Path, server: Server) -> tuple[RawSource, Path]:
    for part in ("train", "test"):
        columns = {f"image{side}": [FILES[f"set/{part}{side}/{k}.png"] for k in (0, 1)] for side in "AB"}
        (tmp_path / "tables").mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / "tables" / f"{part}-0.parquet")
    return given(tmp_path / "tables"), tmp_path / "raw" / "mine"


def put_there_by_hand(tmp_path: Path, server: Server) -> tuple[RawSource, Path]:
    fill(tmp_path / "raw" / "mine")
    return RawSource(), tmp_path / "raw" / "mine"


Origin = Callable[[Path, Server], tuple[RawSource, Path]]
ORIGINS: list[Origin] = [
    place_of_ones_own,
    archive_of_ones_own,
    download,
    parquet_of_ones_own,
    put_there_by_hand,
]
MADE: list[Origin] = [archive_of_ones_own, download, parquet_of_ones_own]
every_origin = pytest.mark.parametrize("origin", ORIGINS)
made_here = pytest.mark.parametrize("origin", MADE)


def test_a_folder_of_ones_own_is_used_where_it_is(raw: Path, tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine")
    before = stamps(mine)
    made = obtain("mine", given(mine, swap=True), raw)
    assert (made.folder, made.swap, made.made, made.archive) == (str(mine), True, False, None)
    assert stamps(mine) == before
    assert not (raw / "mine").exists()


def test_an_archive_of_ones_own_is_unpacked_and_its_hash_recorded(raw: Path, tmp_path: Path) -> None:
    archive = write(tmp_path / "set.zip", ARCHIVE)
    made = obtain("mine", given(archive), raw)
    assert content(raw / "mine") == FILES
    assert (made.folder, made.swap, made.made) == (str(raw / "mine"), False, True)
    assert made.archive is not None
    assert made.archive.model_dump() == {
        "file": str(archive), "url": "", "bytes": len(ARCHIVE), "sha256": SHA256, "verified": False
    }  # fmt: skip
    assert archive.read_bytes() == ARCHIVE


@pytest.mark.parametrize("one_file", [False, True])
def test_parquet_files_become_the_four_folders(raw: Path, tmp_path: Path, one_file: bool) -> None:
    columns = {"imageA": [FILES["set/trainA/0.png"]], "imageB": [FILES["set/trainB/0.png"]]}
    file = tmp_path / "tables" / "train-0.parquet"
    file.parent.mkdir()
    pq.write_table(pa.table(columns), file)
    made = obtain("mine", given(file if one_file else file.parent), raw)
    assert {Path(name).parent.name for name in content(raw / "mine")} == {"trainA", "trainB"}
    assert made.made
    assert (made.archive is not None) == one_file


def test_a_folder_that_was_put_there_by_hand_is_taken(raw: Path, server: Server) -> None:
    fill(raw / "mine")
    before = stamps(raw / "mine")
    made = obtain("mine", mirrored(Mirror(url=server.url("/set.zip"), swapped=True)), raw)
    assert (made.folder, made.made, made.swap) == (str(raw / "mine"), False, False)
    assert stamps(raw / "mine") == before
    assert not server.requests


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("swap", [False, True])
def test_a_mirror_whose_sides_are_swapped_flips_the_source_s(
    raw: Path, server: Server, swap: bool, swapped: bool
) -> None:
    gone = Mirror(url=server.url("/gone.zip"), swapped=not swapped)
    here = Mirror(url=server.set("/here.zip", Answer(ARCHIVE)), swapped=swapped, sha256=SHA256)
    made = obtain("mine", mirrored(gone, here, swap=swap), raw)
    assert made.swap == (swap != swapped)
    assert made.archive is not None
    assert (made.archive.url, made.archive.sha256, made.archive.verified) == (here.url, SHA256, True)
    assert content(raw / "mine") == FILES
    assert (raw / "set.zip").read_bytes() == ARCHIVE


def test_an_archive_put_in_the_download_s_place_is_known_by_its_hash(raw: Path, server: Server) -> None:
    write(raw / "set.zip", ARCHIVE)
    first = Mirror(url=server.url("/one.zip"), sha256="0" * 64)
    second = Mirror(url=server.url("/two.zip"), sha256=SHA256[:8], swapped=True)
    made = obtain("mine", mirrored(first, second), raw)
    assert made.swap
    assert made.archive is not None and made.archive.verified
    assert not server.requests


@every_origin
def test_a_second_call_changes_nothing_and_asks_nobody(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, folder = origin(tmp_path, server)
    first = obtain("mine", source, raw)
    asked, written = len(server.requests), stamps(folder)
    record = (raw / "mine.json").read_bytes()
    assert obtain("mine", source, raw) == first == read_obtained(raw / "mine.json")
    assert (len(server.requests), stamps(folder)) == (asked, written)
    assert (raw / "mine.json").read_bytes() == record


@every_origin
def test_the_record_can_be_written_again(origin: Origin, raw: Path, tmp_path: Path, server: Server) -> None:
    """Snakemake removes an output before the job that makes it."""
    source, folder = origin(tmp_path, server)
    first = obtain("mine", source, raw)
    asked, written = len(server.requests), stamps(folder)
    (raw / "mine.json").unlink()
    assert obtain("mine", source, raw) == first
    assert (len(server.requests), stamps(folder)) == (asked, written)


@every_origin
def test_the_state_is_the_same_before_and_after_making(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, _ = origin(tmp_path, server)
    before = folder_state("mine", source, raw)
    obtain("mine", source, raw, state=before)
    assert folder_state("mine", source, raw) == before == FIRST


@every_origin
def test_the_state_outlives_the_folder(origin: Origin, raw: Path, tmp_path: Path, server: Server) -> None:
    source, folder = origin(tmp_path, server)
    obtain("mine", source, raw, state=LATER)
    shutil.rmtree(folder)
    assert folder_state("mine", source, raw) == LATER


@every_origin
def test_an_added_file_changes_the_state_once(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, folder = origin(tmp_path, server)
    first = obtain("mine", source, raw)
    write(folder / "set/trainA/more.png", plain(250))
    changed = folder_state("mine", source, raw)
    assert changed != FIRST
    (raw / "mine.json").unlink()
    again = obtain("mine", source, raw, state=changed)
    assert (again.state, again.swap, again.archive) == (changed, first.swap, first.archive)
    assert "set/trainA/more.png" in content(folder)
    assert folder_state("mine", source, raw) == changed
    obtain("mine", source, raw, state=changed)
    assert folder_state("mine", source, raw) == changed


@every_origin
def test_a_removed_file_changes_the_state_and_stays_removed(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, folder = origin(tmp_path, server)
    obtain("mine", source, raw)
    gone = sorted(content(folder))[0]
    (folder / gone).unlink()
    changed = folder_state("mine", source, raw)
    assert changed != FIRST
    obtain("mine", source, raw, state=changed)
    assert gone not in content(folder)


@made_here
def test_a_folder_that_is_gone_is_made_again(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, folder = origin(tmp_path, server)
    first = obtain("mine", source, raw, state=LATER)
    asked, files = len(server.requests), content(folder)
    shutil.rmtree(folder)
    again = obtain("mine", source, raw, state=LATER)
    assert (again.fingerprint, again.swap, again.made) == (first.fingerprint, first.swap, True)
    assert content(folder) == files
    assert len(server.requests) == asked


@made_here
def test_a_folder_of_which_all_files_are_gone_is_made_again(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    """`rm -r raw/mine/*` leaves the hidden mark."""
    source, folder = origin(tmp_path, server)
    obtain("mine", source, raw)
    files = content(folder)
    for entry in folder.iterdir():
        if entry.name != MARK:
            shutil.rmtree(entry)
    assert obtain("mine", source, raw, state=LATER).made
    assert content(folder) == files


def test_another_archive_replaces_what_was_unpacked_here(raw: Path, tmp_path: Path, server: Server) -> None:
    obtain("mine", given(write(tmp_path / "one.zip", ARCHIVE)), raw)
    other = mirrored(Mirror(url=server.set("/two.zip", Answer(packed(OTHER_FILES)))))
    made = obtain("mine", other, raw)
    assert content(raw / "mine") == OTHER_FILES
    assert made.archive is not None and made.archive.url.endswith("/two.zip")
    assert read_obtained(raw / "mine.json") == made


def test_an_archive_that_gives_way_to_another_one_is_unpacked_anew(raw: Path, tmp_path: Path) -> None:
    archive = write(tmp_path / "mine.zip", ARCHIVE)
    source = RawSource(path=str(archive))
    obtain("mine", source, raw)
    assert folder_state("mine", source, raw) == FIRST
    archive.write_bytes(packed({**OTHER_FILES, "set/trainA/more.png": plain(7)}))
    changed = folder_state("mine", source, raw)
    assert changed != FIRST
    obtained = obtain("mine", source, raw, state=changed)
    assert "set/trainA/more.png" in content(Path(obtained.folder))
    assert folder_state("mine", source, raw) == changed
    archive.unlink()
    assert folder_state("mine", source, raw) == changed


def test_parquet_files_that_are_added_are_unpacked_too(raw: Path, tmp_path: Path, server: Server) -> None:
    source, folder = parquet_of_ones_own(tmp_path, server)
    obtain("mine", source, raw)
    more = pa.table({f"image{side}": [plain(250)] for side in "AB"})
    pq.write_table(more, tmp_path / "tables" / "train-1.parquet")
    changed = folder_state("mine", source, raw)
    assert changed != FIRST
    obtain("mine", source, raw, state=changed)
    assert len(content(folder)) == len(FILES) + 2
    assert folder_state("mine", source, raw) == changed
    shutil.rmtree(tmp_path / "tables")
    assert folder_state("mine", source, raw) == changed


@pytest.mark.parametrize("killed_at", ["old aside", "new in place", "old removed", "nothing"])
def test_a_kill_while_a_folder_is_replaced_leaves_a_whole_one(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    obtain("mine", given(write(tmp_path / "one.zip", ARCHIVE)), raw)
    other = given(write(tmp_path / "two.zip", packed(OTHER_FILES)))
    rename, remove = Path.replace, shutil.rmtree

    def renamed(path: Path, target: Path) -> Path:
        if (killed_at, path.name) in (("old aside", "mine"), ("new in place", "mine.new")):
            raise KeyboardInterrupt
        return rename(path, target)

    def removed(path: Path, ignore_errors: bool = False) -> None:
        if path.exists() and killed_at == "old removed" and content(path) == FILES:
            remove(path / "set" / "trainA")
            raise KeyboardInterrupt
        remove(path, ignore_errors)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Path, "replace", renamed)
        patch.setattr(shutil, "rmtree", removed)
        obtain("mine", other, raw)
    assert obtain("mine", other, raw).made
    assert content(raw / "mine") == OTHER_FILES
    assert sorted(file.name for file in raw.iterdir()) == ["mine", "mine.json"]


def test_after_a_kill_between_the_renames_the_old_folder_is_back(raw: Path, tmp_path: Path) -> None:
    source = given(write(tmp_path / "set.zip", ARCHIVE))
    first = obtain("mine", source, raw)
    (raw / "mine").rename(raw / ".mine.old")
    Path(source.path or "").unlink()
    assert obtain("mine", source, raw) == first
    assert content(raw / "mine") == FILES


def test_a_place_for_raw_pictures_that_is_a_file_is_named(raw: Path, tmp_path: Path) -> None:
    write(raw, b"mine")
    with pytest.raises(UserError, match=r"raw: cannot be a folder of raw pictures \(File exists\)\. Give"):
        obtain("mine", given(fill(tmp_path / "pictures")), raw)


def test_another_archive_never_replaces_a_folder_of_the_user_s(raw: Path, tmp_path: Path) -> None:
    fill(raw / "mine", OTHER_FILES)
    archive = given(write(tmp_path / "one.zip", ARCHIVE))
    with pytest.raises(UserError, match=r"raw/mine: is not an empty folder\. Delete it"):
        obtain("mine", archive, raw)
    assert content(raw / "mine") == OTHER_FILES


def test_another_archive_never_replaces_what_the_user_changed(raw: Path, tmp_path: Path) -> None:
    obtain("mine", given(write(tmp_path / "one.zip", ARCHIVE)), raw)
    added = write(raw / "mine/set/trainA/drawn by me.png", plain(250))
    with pytest.raises(UserError, match="is not an empty folder"):
        obtain("mine", given(write(tmp_path / "two.zip", packed(OTHER_FILES))), raw)
    assert added.exists()


@made_here
def test_not_even_hidden_files_of_the_user_s_are_deleted(
    origin: Origin, raw: Path, tmp_path: Path, server: Server
) -> None:
    source, folder = origin(tmp_path, server)
    hidden = write(folder / ".mine" / "0.png", plain(1))
    with pytest.raises(UserError, match="is not an empty folder"):
        obtain("mine", source, raw)
    assert hidden.exists()


@made_here
def test_an_empty_folder_is_filled(origin: Origin, raw: Path, tmp_path: Path, server: Server) -> None:
    source, folder = origin(tmp_path, server)
    folder.mkdir(parents=True)
    assert obtain("mine", source, raw).made
    assert content(folder)


@pytest.mark.parametrize("inner", ["", "set"])
def test_what_was_unpacked_here_can_become_one_s_own_place(
    raw: Path, tmp_path: Path, server: Server, inner: str
) -> None:
    obtain("mine", mirrored(Mirror(url=server.set("/set.zip", Answer(ARCHIVE)))), raw)
    place = raw / "mine" / inner
    made = obtain("mine", given(place), raw)
    assert made.folder == str(place)
    assert content(raw / "mine") == FILES


def test_an_entry_that_cannot_be_followed_leaves_what_is_there(raw: Path, tmp_path: Path) -> None:
    obtain("mine", given(write(tmp_path / "set.zip", ARCHIVE)), raw)
    with pytest.raises(UserError, match=r"sources\.mine\.path: .*/ste\.zip does not exist"):
        obtain("mine", given(tmp_path / "ste.zip"), raw)
    assert content(raw / "mine") == FILES


def test_a_kill_between_unpacking_and_writing_the_record_loses_nothing(
    raw: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = mirrored(Mirror(url=server.set("/set.zip", Answer(ARCHIVE)), swapped=True))

    def killed(path: Path, value: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            obtain("mine", source, raw)
    made = obtain("mine", source, raw)
    assert (made.swap, made.made) == (True, True)
    assert made.archive is not None and made.archive.sha256 == SHA256
    assert content(raw / "mine") == FILES


def test_pictures_are_drawn_and_drawn_again_the_same(raw: Path) -> None:
    source = RawSource(drawn=Drawing(faces=1, seed=5))
    made = obtain("drawn", source, raw, threads=2)
    first = content(raw / "drawn")
    assert (made.folder, made.made, made.archive) == (str(raw / "drawn"), True, None)
    assert "planted.csv" in first and folder_state("drawn", source, raw) == FIRST
    assert obtain("drawn", source, raw, threads=1) == made
    assert content(raw / "drawn") == first


def stub_drawing(folder: Path, faces: int, seed: int, threads: int) -> None:
    """Stands in for the drawing where only its folder matters."""
    fill(folder, {"planted.csv": f"{faces} {seed}".encode()})


def test_pictures_are_drawn_anew_for_another_seed(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_folders, "draw_raw_folders", stub_drawing)
    for seed in (5, 6):
        obtain("drawn", RawSource(drawn=Drawing(faces=1, seed=seed)), raw)
        assert content(raw / "drawn") == {"planted.csv": f"1 {seed}".encode()}


def test_a_kill_while_drawing_leaves_nothing_half_drawn(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = RawSource(drawn=Drawing(faces=1, seed=5))

    def killed(folder: Path, faces: int, seed: int, threads: int) -> None:
        write(folder / "selfies/images/half.jpg", b"\xff\xd8")
        raise KeyboardInterrupt

    monkeypatch.setattr(raw_folders, "draw_raw_folders", killed)
    with pytest.raises(KeyboardInterrupt):
        obtain("drawn", source, raw)
    monkeypatch.setattr(raw_folders, "draw_raw_folders", stub_drawing)
    obtain("drawn", source, raw)
    assert content(raw / "drawn") == {"planted.csv": b"1 5"}


def test_without_pictures_and_mirrors_the_message_says_what_to_put_where(raw: Path) -> None:
    with pytest.raises(UserError) as error:
        obtain("anime-planet", RawSource(), raw)
    message = str(error.value)
    assert f"{raw}/anime-planet: no such folder" in message
    assert "sources.anime-planet.path" in message and "docs/datasets.md" in message
    assert not (raw / "anime-planet.json").exists()


def test_an_empty_folder_counts_as_none(raw: Path) -> None:
    (raw / "mine").mkdir(parents=True)
    with pytest.raises(UserError, match="Put the raw pictures there"):
        obtain("mine", RawSource(), raw)


def test_when_every_mirror_fails_the_message_says_which_file_to_put_where(raw: Path, server: Server) -> None:
    gone = [Mirror(url=server.url(path)) for path in ("/one.zip", "/two.zip")]
    with pytest.raises(UserError) as error:
        obtain("mine", mirrored(*gone), raw)
    message = str(error.value)
    assert all(mirror.url in message for mirror in gone) and "404" in message
    assert message.endswith(f"Download set.zip by hand from {gone[0].url} and put it at {raw}/set.zip.")
    assert not (raw / "mine").exists() and not (raw / "mine.json").exists()


def test_a_place_that_does_not_exist_is_named(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sources\.mine\.path: .*/none does not exist; expected an archive"):
        obtain("mine", given(tmp_path / "none"), raw)


def test_a_file_that_is_no_archive_leaves_no_folder(raw: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"page\.zip: .*expected an archive"):
        obtain("mine", given(write(tmp_path / "page.zip", b"<html>quota</html>")), raw)
    assert not (raw / "mine").exists()


def test_a_wrong_archive_is_refused_unless_it_is_accepted(raw: Path, server: Server) -> None:
    source = mirrored(Mirror(url=server.set("/set.zip", Answer(ARCHIVE)), sha256="0" * 64, swapped=True))
    with pytest.raises(UserError, match="--accept-checksum"):
        obtain("mine", source, raw)
    assert not (raw / "mine").exists()
    made = obtain("mine", source, raw, accept_checksum=True)
    assert made.archive is not None and not made.archive.verified
    assert made.swap


def test_a_place_below_the_home_folder_can_be_told_shortly(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "mine")
    source = RawSource(path="~/mine")
    assert obtain("mine", source, raw).folder == str(tmp_path / "mine")
    write(tmp_path / "mine/set/trainA/more.png", plain(250))
    assert folder_state("mine", source, raw) != FIRST


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"mine\.json: cannot be read as JSON"),
        ("{}", r"mine\.json: folder: missing"),
        ('{"folder": 5}', r"mine\.json: folder: found int 5"),
    ],
)
def test_a_damaged_record_is_named_with_the_remedy(raw: Path, text: str, words: str) -> None:
    write(raw / "mine.json", text.encode())
    with pytest.raises(UserError, match=words):
        read_obtained(raw / "mine.json")
    with pytest.raises(UserError, match=words):
        folder_state("mine", RawSource(), raw)


def test_a_damaged_record_is_replaced(raw: Path, tmp_path: Path) -> None:
    source = given(write(tmp_path / "set.zip", ARCHIVE))
    first = obtain("mine", source, raw)
    write(raw / "mine.json", b"{")
    assert obtain("mine", source, raw) == first == read_obtained(raw / "mine.json")


def test_a_missing_record_is_named_with_the_remedy(raw: Path) -> None:
    with pytest.raises(UserError, match=r"mine\.json: no such file; .*`data-prep fetch`"):
        read_obtained(raw / "mine.json")


def test_the_mark_in_a_folder_that_was_made_says_what_the_record_says(raw: Path, tmp_path: Path) -> None:
    made = obtain("mine", given(write(tmp_path / "set.zip", ARCHIVE)), raw)
    assert Obtained.model_validate(json.loads((raw / "mine" / MARK).read_text())) == made


def test_an_asset_is_downloaded_once(tmp_path: Path, server: Server) -> None:
    mirror = Mirror(
        url=server.set("/model.xml", Answer(b"<?xml?>")), sha256=hashlib.sha256(b"<?xml?>").hexdigest()
    )
    asset = Asset(file=str(tmp_path / "assets" / "model.xml"), mirrors=[mirror])
    for _ in range(2):
        assert fetch_asset(asset).read_bytes() == b"<?xml?>"
    assert len(server.requests) == 1


def test_another_asset_than_the_known_one_is_refused(tmp_path: Path, server: Server) -> None:
    mirror = Mirror(url=server.set("/model.xml", Answer(b"another")), sha256="0" * 64)
    asset = Asset(file=str(tmp_path / "model.xml"), mirrors=[mirror])
    with pytest.raises(UserError, match="is not the known file"):
        fetch_asset(asset)
    assert not (tmp_path / "model.xml").exists()
    assert fetch_asset(asset, accept_checksum=True).read_bytes() == b"another"


def test_taking_a_folder_as_it_is_is_said(raw: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(raw / "mine")
    with caplog.at_level(logging.INFO):
        obtain("mine", RawSource(), raw)
    assert f"{raw / 'mine'}: is there already and taken as it is" in caplog.text
