"""The claims of docs/dvc.md hold with the real programs. Minutes; run by `make test-dvc`, not by `make test`."""

from __future__ import annotations

from pathlib import Path

from tests.dvc.claims import carry_out


def test_every_claim_holds(tmp_path: Path) -> None:
    assert "### " in carry_out(tmp_path).text()
