"""Parameters of raw sources, assets and constructions: what is refused, and what is laid over what."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ugatit.construction import Cascade, Construction, Mtcnn, Select, Upscale
from ugatit.datasets import Dataset
from ugatit.errors import UserError
from ugatit.params import Params, merge, parse
from ugatit.sources import Asset, ConstructedSource, FolderSource, RawSource
from ugatit.strict import check

MIRROR = {"url": "https://example.org/set.zip"}
SIDE = {"source": "ucf-selfie", "pictures": "images", "metadata": "table.csv", "format": "table"}
CONSTRUCTED: dict[str, Any] = {
    "kind": "constructed", "a": SIDE, "b": {**SIDE, "source": "anime-planet"}, "decisions": "mine.csv", "auto": True
}  # fmt: skip
COUNTS = {"trainA": 2, "trainB": 2, "testA": 1, "testB": 1}
REBUILT = "selfie2anime-rebuilt"


def overlay(params: Params, text: str) -> dict[str, Any]:
    """params.yaml with a piece of YAML laid over it."""
    return merge(params.model_dump(exclude_unset=True), yaml.safe_load(text))


def with_stages(params: Params, text: str) -> Params:
    """params.yaml with changes of the stages of the constructed dataset."""
    changes = {"datasets": {REBUILT: {"source": {"stages": yaml.safe_load(text)}}}}
    return parse(merge(params.model_dump(exclude_unset=True), changes))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"path": "~/mine.zip"},
        {"path": "mine", "swap": True},
        {"file": "set.zip", "mirrors": [MIRROR]},
        {"file": "set.zip", "mirrors": [MIRROR], "path": "mine.zip"},
        {"file": "set.zip", "mirrors": [{**MIRROR, "sha256": "0" * 64, "bytes": 5, "swapped": True}]},
        {"drawn": {"faces": 1, "seed": 0}},
        {"drawn": {"faces": 1, "seed": 0}, "swap": True},
    ],
)
def test_places_that_raw_pictures_can_come_from(entry: dict[str, Any]) -> None:
    assert check(RawSource, entry, "entry").model_dump(exclude_unset=True) == entry


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"file": "set.zip"}, "`file` and `mirrors` belong together"),
        ({"mirrors": [MIRROR]}, "`file` and `mirrors` belong together"),
        ({"file": "set.zip", "mirrors": []}, "`file` and `mirrors` belong together"),
        ({"drawn": {"faces": 1, "seed": 0}, "path": "x"}, "`drawn` goes without"),
        ({"drawn": {"faces": 1, "seed": 0}, "file": "x", "mirrors": [MIRROR]}, "`drawn` goes without"),
        ({"drawn": {"faces": 0, "seed": 0}}, r"drawn\.faces: found int 0; .*greater than 0"),
        ({"drawn": {"faces": 1, "seed": -1}}, r"drawn\.seed: found int -1"),
        ({"file": "../set.zip", "mirrors": [MIRROR]}, "file: found str"),
        ({"file": "a\\b.zip", "mirrors": [MIRROR]}, "file: found str"),
        ({"file": "", "mirrors": [MIRROR]}, "file: found str ''"),
        ({"file": "a", "mirrors": [{"url": "ftp://example.org/a"}]}, r"mirrors\.0\.url: found str 'ftp"),
        ({"file": "a", "mirrors": [{"url": "/home/a"}]}, r"mirrors\.0\.url"),
        ({"file": "a", "mirrors": [{**MIRROR, "sha256": "1234567"}]}, r"sha256: .*at least 8 characters"),
        ({"file": "a", "mirrors": [{**MIRROR, "bytes": 0}]}, r"mirrors\.0\.bytes: found int 0"),
        ({"file": "a", "mirrors": [{**MIRROR, "md5": "x"}]}, r"mirrors\.0\.md5: unknown key"),
        ({"pth": "x"}, "pth: unknown key; did you mean 'path'"),
        ({"swap": "yes"}, "swap: found str 'yes'"),
        ({"path": 5}, "path: found int 5"),
    ],
)
def test_places_that_are_refused(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=f"^entry: .*{words}"):
        check(RawSource, entry, "entry")


def test_an_asset_needs_a_place_to_come_from() -> None:
    assert check(Asset, {"file": "a/b.xml", "mirrors": [MIRROR]}, "asset").file == "a/b.xml"
    with pytest.raises(UserError, match="mirrors: .*at least 1"):
        check(Asset, {"file": "a/b.xml", "mirrors": []}, "asset")
    with pytest.raises(UserError, match="mirrors: missing"):
        check(Asset, {"file": "a/b.xml"}, "asset")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sources: {My_Set: {}}", r"source name 'My_Set': use lower-case"),
        ("sources: {tables: {}}", r"source name 'tables' is reserved"),
        ("sources: {lbpcascade-animeface: {}}", r"assets\.lbpcascade-animeface: a source has that name too"),
        ("datasets: {cat2dog: {source: cat2dgo}}", r"datasets\.cat2dog\.source: unknown name 'cat2dgo'; did you mean 'cat2dog'"),
        ("datasets: {selfie2anime-rebuilt: {source: {a: {source: ucf-selfy}}}}",
         r"datasets\.selfie2anime-rebuilt\.source: unknown name 'ucf-selfy'; did you mean 'ucf-selfie'"),
        ("datasets: {cat2dog: {source: 5}}", r"datasets\.cat2dog\.source: found int 5; .*key of `sources`"),
        ("datasets: {cat2dog: {source: null}}", r"datasets\.cat2dog\.source"),
        ("datasets: {selfie2anime-rebuilt: {source: {a: {format: xml}}}}", r"source\.a\.format: found str 'xml'"),
        ("construction: {a: {upscale: {size_px: 128}}}", r"construction.*a\.upscale\.size_px and b\.upscale\.size_px differ"),
        ("construction: {a: {select: {other_score: 0.95}}}", r"other_score 0\.95 is above female_score 0\.9"),
        ("construction: {a: {dedupe: {drop_distance: 9}}}", r"a\.dedupe: drop_distance 9 is above review_distance 8"),
        ("construction: {a: {quality: {review_side_px: 63}}}", r"a\.quality: review_side_px 63 is below min_side_px 64"),
        ("construction: {b: {quality: {monochrome: {mono_c95: 11.0}}}}", r"review_c95 10\.0 is below mono_c95 11\.0"),
        ("construction: {b: {quality: {monochrome: {review_r90: 2.0}}}}", r"review_r90 2\.0 is below mono_r90 3\.0"),
        ("construction: {a: {upscale: {denoise: 1}}}", r"a\.upscale: denoise 1 does nothing without a model"),
        ("construction: {a: {select: {gender: male}}}", r"gender: found str 'male'"),
        ("construction: {b: {detect: {detector: {name: animeface}}}}", r"detector\.cascade: unknown key"),
        ("construction: {b: {detect: {detector: {name: yolo}}}}", r"detector: .*'yolo'"),
        ("construction: {b: {upscale: {denoise: 4}}}", r"upscale\.denoise: found int 4"),
        ("construction: {b: {upscale: {model: photo}}}", r"upscale\.model: found str 'photo'"),
        ("construction: {b: {export: {prefix: 'A/'}}}", r"export\.prefix: found str 'A/'"),
        ("construction: {b: {dedupe: {drop_distance: 65}}}", r"drop_distance: found int 65"),
    ],
)  # fmt: skip
def test_what_does_not_fit_in_the_file_is_refused(params: Params, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse(overlay(params, text))


def test_the_kinds_of_a_dataset_s_source() -> None:
    folder = check(Dataset, {"domains": ["a", "b"], "source": {"kind": "folder", "path": "x"}}, "entry")
    assert isinstance(folder.source, FolderSource) and folder.raw_sources() == []
    named = check(Dataset, {"domains": ["a", "b"], "source": "cat2dog"}, "entry")
    assert named.raw_sources() == ["cat2dog"]
    made = check(Dataset, {"domains": ["a", "b"], "source": CONSTRUCTED, "pictures": COUNTS}, "entry")
    assert isinstance(made.source, ConstructedSource)
    assert made.raw_sources() == ["ucf-selfie", "anime-planet"]


def test_two_sides_of_one_source_need_it_once() -> None:
    source = {**CONSTRUCTED, "b": SIDE}
    made = check(Dataset, {"domains": ["a", "b"], "source": source, "pictures": COUNTS}, "entry")
    assert made.raw_sources() == ["ucf-selfie"]


@pytest.mark.parametrize("missing", list(COUNTS))
def test_a_construction_needs_all_counts(missing: str) -> None:
    counts = {split: count for split, count in COUNTS.items() if split != missing}
    with pytest.raises(UserError, match="a constructed dataset needs `pictures` for all of trainA, trainB, "):
        check(Dataset, {"domains": ["a", "b"], "source": CONSTRUCTED, "pictures": counts}, "entry")


def test_without_changes_a_dataset_has_the_stages_of_the_file(params: Params) -> None:
    assert params.construction_of(REBUILT) == params.construction
    assert params.construction_of("cat2dog") == params.construction


def test_a_dataset_s_changes_leave_everything_else(params: Params) -> None:
    mine = with_stages(params, "{b: {quality: {min_side_px: 10}}, a: {split: {seed: 3}}}")
    made = mine.construction_of(REBUILT)
    assert (made.b.quality.min_side_px, made.a.split.seed) == (10, 3)
    expected = merge(
        params.construction.model_dump(), {"b": {"quality": {"min_side_px": 10}}, "a": {"split": {"seed": 3}}}
    )
    assert made == Construction.model_validate(expected)
    assert mine.construction == params.construction


def test_the_same_detector_keeps_its_other_settings(params: Params) -> None:
    made = with_stages(params, "{b: {detect: {detector: {min_neighbors: 2}}}}").construction_of(REBUILT)
    before = params.construction.b.detect.detector
    assert isinstance(before, Cascade)
    assert made.b.detect.detector == before.model_copy(update={"min_neighbors": 2})
    named = with_stages(params, "{b: {detect: {detector: {name: lbpcascade, min_neighbors: 2}}}}")
    assert named.construction_of(REBUILT) == made


def test_another_detector_replaces_the_whole_entry(params: Params) -> None:
    mtcnn = "{name: mtcnn, max_side_px: 500, min_face_px: 30}"
    made = with_stages(params, f"{{b: {{detect: {{detector: {mtcnn}}}}}}}").construction_of(REBUILT)
    assert made.b.detect.detector == Mtcnn(name="mtcnn", max_side_px=500, min_face_px=30)
    assert made.b.detect.several == params.construction.b.detect.several
    assert made.a == params.construction.a


def test_another_detector_must_be_complete(params: Params) -> None:
    """It takes nothing over from the one before, not even what is called the same."""
    mine = with_stages(params, "{b: {detect: {detector: {name: mtcnn}}}}")
    with pytest.raises(UserError, match=rf"^datasets\.{REBUILT}\.source\.stages: .*max_side_px: missing"):
        mine.construction_of(REBUILT)


def test_the_sides_of_a_dataset_have_one_size(params: Params) -> None:
    smaller = with_stages(params, "{a: {upscale: {size_px: 128}}, b: {upscale: {size_px: 128}}}")
    assert smaller.construction_of(REBUILT).a.upscale.size_px == 128
    mine = with_stages(params, "{a: {upscale: {size_px: 128}}}")
    with pytest.raises(UserError, match="upscale.size_px differ; a dataset has one size"):
        mine.construction_of(REBUILT)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{b: {qualty: {}}}", r"b\.qualty: unknown key; did you mean 'quality'"),
        ("{c: {}}", r"c: unknown key"),
        ("{b: {quality: {min_side_px: '10'}}}", r"b\.quality\.min_side_px: found the string '10'"),
        ("{a: 5}", r"a: found int 5"),
        ("{a: null}", r"a: found NoneType None"),
        ("{a: {detect: mtcnn}}", r"a\.detect: found str 'mtcnn'"),
        ("{a: {detect: {detector: mtcnn}}}", r"a\.detect\.detector"),
    ],
)
def test_changes_that_do_not_fit_are_named(params: Params, text: str, words: str) -> None:
    with pytest.raises(UserError, match=rf"^datasets\.{REBUILT}\.source\.stages: {words}"):
        with_stages(params, text).construction_of(REBUILT)


def test_the_file_has_the_paper_s_detectors_and_upscaling(params: Params) -> None:
    assert isinstance(params.construction.a.detect.detector, Mtcnn)
    assert isinstance(params.construction.b.detect.detector, Cascade)
    assert params.construction.b.upscale == Upscale(size_px=256, model="anime", denoise=None)
    assert params.construction.a.upscale.model is None


def test_equal_scores_are_a_limit_without_a_gap() -> None:
    values = {"gender": "female", "exclude": [], "female_score": 0.5, "other_score": 0.5}
    assert check(Select, values, "select").female_score == 0.5
