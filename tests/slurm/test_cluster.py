"""What `make test-slurm` may replace on the machine; the rest of it is shown by running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slurm.cluster import FOLDER_PREFIX, MissingSlurm, place_link


def written(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(file.name)
    return file


def test_what_an_earlier_cluster_left_is_replaced(tmp_path: Path) -> None:
    link, target = tmp_path / "slurm.conf", written(tmp_path / "new.conf")
    for left in (tmp_path / "gone.conf", written(tmp_path / f"{FOLDER_PREFIX}1/cluster/slurm.conf")):
        link.unlink(missing_ok=True)
        link.symlink_to(left)
        place_link(link, target)
        assert link.readlink() == target
        assert not left.exists() or left.read_text() == "slurm.conf"


def test_a_configuration_of_the_machine_stays(tmp_path: Path) -> None:
    theirs, link = written(tmp_path / "opt/slurm.conf"), tmp_path / "slurm.conf"
    link.symlink_to(theirs)
    for present in (theirs, link):
        with pytest.raises(MissingSlurm, match="stays untouched"):
            place_link(present, tmp_path / "new.conf")
    assert link.readlink() == theirs
