"""The metrics of both directions: what is compared with what, how it is reported, and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from ugatit.errors import UserError
from ugatit.evaluation import kid as protocols_of_kid
from ugatit.evaluation.feature_file import ExtractorRecord, Features, Identity, PicturesRecord, pack
from ugatit.evaluation.fid import fid
from ugatit.evaluation.metrics import Protocols, evaluate

PROTOCOLS = Protocols(kid_subsets=5, kid_subset_size=12, kid_seed=3, paper_block_size=10)
METRICS = ["kid", "kid_full", "kid_paper", "kid_paper_alpha98", "fid"]


def features(n: int, seed: int, shift: float = 0.0, name: str = "stub", px: int = 8) -> Features:
    values = np.random.default_rng(seed).normal(shift, 1.0, (n, 4)).astype(np.float32)
    identity = Identity(
        extractor=ExtractorRecord(name=name, weights_sha256="a" * 64, feature_dim=4),
        image_px=px,
        pictures=PicturesRecord(digest=f"{seed}", split="testA", n=n, limit=None),
    )
    return pack(values, tuple(f"{k}.png" for k in range(n)), identity)


REAL_A, REAL_B = features(30, seed=1), features(24, seed=2, shift=1.0)
FAKE_B, FAKE_A = features(30, seed=3, shift=0.8), features(24, seed=4, shift=0.1)


def in_order_of_hashes(features: Features, role: str) -> np.ndarray:
    hashes = [hashlib.sha256(f"{role}/{name}".encode()).hexdigest() for name in features.names]
    return features.values[np.argsort(hashes)]


def test_each_direction_is_compared_with_its_own_target_and_source() -> None:
    result = evaluate(REAL_A, REAL_B, {"b2a": FAKE_A, "a2b": FAKE_B}, PROTOCOLS)
    assert list(result["directions"]) == ["a2b", "b2a"]
    for direction, fake, target, source in (
        ("a2b", FAKE_B, REAL_B, REAL_A),
        ("b2a", FAKE_A, REAL_A, REAL_B),
    ):
        entry = result["directions"][direction]
        sizes = {"fake": len(fake.values), "target": len(target.values), "source": len(source.values)}
        assert entry["counts"] == sizes
        assert entry["inputs"]["target_sha256"] == target.sha256
        assert entry["inputs"]["source_sha256"] == source.sha256
        assert list(entry["metrics"]) == METRICS
        f, t = fake.values, target.values
        f_hashed, t_hashed = in_order_of_hashes(fake, "fake"), in_order_of_hashes(target, "target")
        s_hashed = in_order_of_hashes(source, "source")
        for name, (value, plus_minus) in {
            "kid": protocols_of_kid.kid(f, t, 5, 12, 3),
            "kid_full": protocols_of_kid.kid_full(f, t),
            "kid_paper": protocols_of_kid.kid_paper(f_hashed, t_hashed, s_hashed, 10),
            "kid_paper_alpha98": protocols_of_kid.kid_paper_alpha98(f_hashed, t_hashed, s_hashed, 10),
        }.items():
            metric = entry["metrics"][name]
            assert metric["value"] == value * 100
            assert metric["plus_minus"] == (None if plus_minus is None else plus_minus * 100)
            assert metric["scale"] == 100
        assert entry["metrics"]["fid"]["value"] == fid(f, t)
        assert entry["metrics"]["fid"]["scale"] == 1


def test_the_result_says_what_it_is_and_is_plain_json() -> None:
    result = evaluate(REAL_A, REAL_B, {"a2b": FAKE_B}, PROTOCOLS, dataset="cat2dog", model="ugatit", seed=0)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["schema"], result["dataset"], result["model"], result["seed"]) == (
        1,
        "cat2dog",
        "ugatit",
        0,
    )
    assert result["extractor"] == {"name": "stub", "weights_sha256": "a" * 64, "feature_dim": 4}
    assert result["image_px"] == 8
    keys = {"value", "plus_minus", "plus_minus_is", "scale", "protocol"}
    for metric in result["directions"]["a2b"]["metrics"].values():
        assert set(metric) == keys
        assert (metric["plus_minus"] is None) == (metric["plus_minus_is"] is None)
    assert "5 subsets of 12, seed 3" in result["directions"]["a2b"]["metrics"]["kid"]["protocol"]


def test_a_copy_of_the_source_may_score_below_zero() -> None:
    result = evaluate(REAL_A, features(30, seed=9), {"a2b": REAL_A}, PROTOCOLS)
    assert result["directions"]["a2b"]["metrics"]["kid_paper_alpha98"]["value"] < 0


def test_a_set_compared_with_itself_is_noted() -> None:
    def of(contents: str) -> Features:
        pictures = REAL_B.identity.pictures.model_copy(update={"contents": contents})
        return replace(REAL_B, identity=REAL_B.identity.model_copy(update={"pictures": pictures}))

    for fake, noted in ((of("same"), True), (of("other"), False)):
        result = evaluate(REAL_A, of("same"), {"a2b": fake}, PROTOCOLS)
        assert result["directions"]["a2b"]["fake_is_target"] is noted


def test_neighbours_that_resemble_each_other_are_spread_over_the_blocks() -> None:
    kinds = np.concatenate([features(40, seed=5, shift=k).values for k in (-1.0, 1.0)])
    fake = pack(kinds, tuple(f"{k}.png" for k in range(80)), FAKE_B.identity)
    real_b = pack(kinds[::-1], tuple(f"{k}.png" for k in range(80)), REAL_B.identity)
    real_a = features(80, seed=6)
    metrics = evaluate(real_a, real_b, {"a2b": fake}, PROTOCOLS)["directions"]["a2b"]["metrics"]
    to_source = protocols_of_kid.kid_full(fake.values, real_a.values).value * 100
    unbiased = (metrics["kid_full"]["value"] + to_source) / 2
    in_order = protocols_of_kid.kid_paper(fake.values, real_b.values, real_a.values, 10).value * 100
    spread = metrics["kid_paper"]["plus_minus"]
    assert abs(metrics["kid_paper"]["value"] - unbiased) < 2 * spread < in_order - unbiased


def test_the_order_of_the_pictures_does_not_matter_to_the_blocks() -> None:
    def paper(fake: Features) -> float:
        metrics = evaluate(REAL_A, REAL_B, {"a2b": fake}, PROTOCOLS)["directions"]["a2b"]["metrics"]
        return float(metrics["kid_paper"]["value"])

    assert paper(pack(FAKE_B.values[::-1], FAKE_B.names[::-1], FAKE_B.identity)) == paper(FAKE_B)


def test_subsets_that_are_the_whole_set_have_no_spread() -> None:
    real_b = features(30, seed=2)
    protocols = replace(PROTOCOLS, kid_subset_size=30)
    metric = evaluate(REAL_A, real_b, {"a2b": FAKE_B}, protocols)["directions"]["a2b"]["metrics"]["kid"]
    assert (metric["plus_minus"], metric["plus_minus_is"]) == (None, None)


def test_fewer_pictures_than_a_subset_are_refused() -> None:
    protocols = replace(PROTOCOLS, kid_subset_size=25)
    with pytest.raises(UserError) as caught:
        evaluate(REAL_A, REAL_B, {"a2b": FAKE_B}, protocols)
    message = str(caught.value)
    assert "30 fake, 24 target, 30 source" in message
    assert "needs 25" in message and "evaluation.kid_subset_size" in message and "at most 24" in message


def test_blocks_of_one_picture_are_refused() -> None:
    with pytest.raises(UserError, match=r"3 source pictures in 3 blocks.*paper_block_size"):
        evaluate(features(3, seed=5), REAL_B, {"a2b": FAKE_B}, PROTOCOLS)


def test_features_of_another_extractor_are_refused() -> None:
    with pytest.raises(UserError, match="extractor of real-a is stub, of a2b other"):
        evaluate(REAL_A, REAL_B, {"a2b": features(30, seed=3, name="other")}, PROTOCOLS)
    with pytest.raises(UserError, match="image_px"):
        evaluate(REAL_A, features(24, seed=2, px=9), {"a2b": FAKE_B}, PROTOCOLS)


def test_nothing_to_evaluate_is_refused() -> None:
    with pytest.raises(UserError, match="no translations"):
        evaluate(REAL_A, REAL_B, {}, PROTOCOLS)
