"""The share of each translation in kid_full: against plain loops, in order, in its file, and by the command."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ugatit import cli
from ugatit.errors import UserError
from ugatit.evaluation import kid as module
from ugatit.evaluation.feature_file import (
    ExtractorRecord,
    Features,
    Identity,
    PicturesRecord,
    pack,
    write_features,
)
from ugatit.evaluation.kid import kid_full
from ugatit.evaluation.metrics import Protocols, evaluate
from ugatit.evaluation.scores import kid_shares, read_scores, score_translations, write_scores

SAME_SUM = 1e-10
"""Relative; the same float64 terms are added in another order."""


def samples(n: int, seed: int, shift: float = 0.0, dim: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, dim)).astype(np.float32)


def features(values: np.ndarray, extractor: str = "stub", suffix: str = ".png") -> Features:
    record = ExtractorRecord(name=extractor, weights_sha256="a" * 64, feature_dim=values.shape[1])
    pictures = PicturesRecord(digest="", split="a2b", n=len(values), limit=None)
    names = tuple(f"face.{k}{suffix}" for k in reversed(range(len(values))))
    return pack(values, names, Identity(extractor=record, image_px=8, pictures=pictures))


FAKE, TARGET = samples(11, seed=1, shift=0.4), samples(7, seed=2)


def share_by_loops(index: int, fake: np.ndarray, target: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(fake), len(target)
    to_fakes = sum(kernel(fake[index], fake[j]) for j in range(n) if j != index) / (n - 1)
    to_target = sum(kernel(fake[index], t) for t in target) / m
    within = sum(kernel(target[j], target[k]) for j in range(m) for k in range(m) if j != k)
    return to_fakes - 2 * to_target + within / (m * (m - 1))


def test_shares_equal_plain_loops() -> None:
    expected = [share_by_loops(index, FAKE, TARGET) for index in range(len(FAKE))]
    assert kid_shares(FAKE, TARGET) == pytest.approx(expected, rel=SAME_SUM)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kid_shares(FAKE, TARGET)
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    assert kid_shares(FAKE, TARGET) == pytest.approx(whole, rel=SAME_SUM)


@pytest.mark.parametrize(("n", "m"), [(11, 7), (6, 6), (2, 9)])
def test_their_mean_is_kid_full(n: int, m: int) -> None:
    fake, target = samples(n, seed=3, shift=0.4), samples(m, seed=4)
    assert kid_shares(fake, target).mean() == pytest.approx(kid_full(fake, target).value, rel=SAME_SUM)


def test_the_mean_of_the_scores_is_the_metric() -> None:
    fakes, target = features(FAKE), features(TARGET)
    result = evaluate(features(FAKE), target, {"a2b": fakes}, Protocols(2, 5, 0, 10))
    scores = score_translations(fakes, target)
    value = result["directions"]["a2b"]["metrics"]["kid_full"]["value"]
    assert sum(scores.values()) / len(scores) == pytest.approx(value, rel=SAME_SUM)


def test_what_lies_in_the_target_scores_lower_than_what_lies_elsewhere() -> None:
    target = samples(60, seed=5, shift=1.0)
    inside, outside = samples(20, seed=6, shift=1.0), samples(20, seed=7, shift=-1.0)
    shares = kid_shares(np.concatenate([inside, outside]), target)
    assert shares[:20].max() < shares[20:].min()


def test_scores_are_called_as_the_pictures_without_suffix() -> None:
    scores = score_translations(features(FAKE), features(TARGET, suffix=".jpg"))
    assert list(scores) == [f"face.{k}" for k in reversed(range(11))]
    assert scores["face.10"] == kid_shares(FAKE, TARGET)[0] * 100


def test_scores_survive_their_file(tmp_path: Path) -> None:
    scores = score_translations(features(FAKE), features(TARGET))
    write_scores(tmp_path / "a2b.csv", scores)
    assert (tmp_path / "a2b.csv").read_text().splitlines()[0] == "name,kid_x100"
    found = read_scores(tmp_path / "a2b.csv")
    assert list(found.items()) == list(scores.items())


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(UserError, match=r"extractor of the translations is stub, of the target other"):
        score_translations(features(FAKE), features(TARGET, extractor="other"))
    with pytest.raises(UserError, match=r"1 translations and 7 pictures.*2 or more"):
        score_translations(features(FAKE[:1]), features(TARGET))
    twice = features(FAKE[:2])
    with pytest.raises(UserError, match=r"two translations are called a"):
        score_translations(pack(twice.values, ("a.png", "a.jpg"), twice.identity), features(TARGET))
    with pytest.raises(ValueError, match="at least 2"):
        kid_shares(FAKE, TARGET[:1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,kid\na,1\n", r"columns \['name', 'kid'\]; expected \['name', 'kid_x100'\]"),
        ("", r"columns \[\]"),
        ("name,kid_x100\na,one\n", "not readable as scores"),
        ("name,kid_x100\na\n", "not readable as scores"),
        ("name,kid_x100\na,1\na,2\n", "stands twice"),
        ("name,kid_x100\na,nan\n", "not finite"),
    ],
)
def test_other_files_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_scores(tmp_path / "s.csv")
    with pytest.raises(UserError, match=r"no such file.*ugatit score"):
        read_scores(tmp_path / "t.csv")


def test_the_command_writes_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes, target, output = (tmp_path / name for name in ("a2b.json", "testB.json", "scores.csv"))
    write_features(fakes, features(FAKE))
    write_features(target, features(TARGET))
    command = ["ugatit", "score", fakes, "--target", target, "--output", output]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert read_scores(output) == score_translations(features(FAKE), features(TARGET))
