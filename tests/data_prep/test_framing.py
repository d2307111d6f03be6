from __future__ import annotations

import numpy as np
import pytest

from data_prep.faces.detection import Face
from data_prep.framing import Fitted, Square, cut, face_square, fit

FACE = Face(left=100, top=50, width=80, height=120)

MAX_PAD, MAX_SHIFT = 0.1, 0.15


def fitted(left: float, top: float, side: float = 100, width: int = 300, height: int = 200) -> Fitted | None:
    return fit(Square(left, top, side), width, height, MAX_PAD, MAX_SHIFT)


def test_a_selfie_is_framed_by_the_height_with_the_face_above_the_middle() -> None:
    square = face_square(FACE, 1.33, "height", (0.5, 0.405))
    assert square.side == pytest.approx(1.33 * 120)
    assert (140 - square.left) / square.side == pytest.approx(0.5)
    assert (110 - square.top) / square.side == pytest.approx(0.405)


def test_an_anime_face_is_framed_by_the_larger_side_and_centred() -> None:
    assert face_square(FACE, 1.2, "side", (0.5, 0.5)) == Square(140 - 72, 110 - 72, 144)
    wide = Face(left=0, top=0, width=200, height=100)
    assert face_square(wide, 1, "side", (0.5, 0.5)).side == 200
    assert face_square(wide, 1, "height", (0.5, 0.5)).side == 100


@pytest.mark.parametrize(
    ("left", "top", "expected"),
    [
        (100, 50, Fitted(100, 50, 100, shift_px=0, pad_px=0)),  # inside
        (200, 100, Fitted(200, 100, 100, 0, 0)),  # flush with the bottom right
        (-15, 50, Fitted(0, 50, 100, 15, 0)),  # shifted as far as allowed
        (-20, 50, Fitted(-5, 50, 100, 15, 5)),  # shifted, and the rest padded
        (-25, 50, Fitted(-10, 50, 100, 15, 10)),  # both as far as allowed
        (-26, 50, None),
        (225, 125, Fitted(210, 110, 100, 15, 10)),
        (226, 50, None),
        (100, 126, None),
        (-8, 107, Fitted(0, 100, 100, 8, 0)),  # the larger of both shifts is told
        (12.4, 12.6, Fitted(12, 13, 100, 0, 0)),
    ],
)
def test_a_square_is_shifted_inside_then_padded_then_given_up(
    left: float, top: float, expected: Fitted | None
) -> None:
    assert fitted(left, top) == expected


@pytest.mark.parametrize(
    ("left", "width", "expected_left", "pad"),
    [
        (-5, 90, -5, 5),  # over both edges by 5: stays
        (-9, 90, -9, 9),
        (-10, 90, -10, 10),
        (0, 90, 0, 10),
        (4, 90, 0, 10),  # inside on the left: shifted as a smaller one is
        (-15, 85, -10, 10),  # flush on the right: moved on to share the padding
        (0, 80, -10, 10),
        (0, 79, None, None),  # more than both edges may be padded by
        (40, 90, None, None),
    ],
)
def test_a_square_larger_than_the_picture(
    left: float, width: int, expected_left: int | None, pad: int | None
) -> None:
    found = fitted(left, 50, width=width)
    if expected_left is None:
        assert found is None
    else:
        assert found is not None
        assert (found.left, found.pad_px) == (expected_left, pad)


def test_what_is_fitted_keeps_to_the_bounds() -> None:
    rng = np.random.default_rng(0)
    kept = 0
    for left, top, side in rng.uniform((-50, -50, 1), (150, 100, 200), (2000, 3)):
        square = Square(left, top, side)
        found = fit(square, 200, 150, MAX_PAD, MAX_SHIFT)
        if found is None:
            continue
        kept += 1
        assert found.side == max(1, round(side))
        # Two roundings: of the place, and of the bound.
        assert abs(found.left - left) <= MAX_SHIFT * found.side + 1
        assert abs(found.top - top) <= MAX_SHIFT * found.side + 1
        assert found.pad_px <= MAX_PAD * found.side + 0.5
        edges = (0, -found.left, -found.top, found.left + found.side - 200, found.top + found.side - 150)
        assert found.pad_px == max(edges)
    assert 300 < kept < 1700


def test_without_room_to_move_or_pad_only_squares_inside_stay() -> None:
    assert fit(Square(0, 0, 100), 100, 100, 0, 0) == Fitted(0, 0, 100, 0, 0)
    assert fit(Square(1, 0, 100), 100, 100, 0, 0) is None
    assert fit(Square(0, 0, 101), 100, 100, 0, 1) is None


def test_cutting_inside_copies_the_pixels() -> None:
    rgb = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    crop = cut(rgb, Fitted(left=4, top=2, side=10, shift_px=0, pad_px=0))
    assert crop.dtype == np.uint8 and crop.flags.c_contiguous
    np.testing.assert_array_equal(crop, rgb[2:12, 4:14])


def test_cutting_outside_repeats_the_edge() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    crop = cut(rgb, Fitted(left=-2, top=-1, side=12, shift_px=0, pad_px=3))
    rows = np.clip(np.arange(-1, 11), 0, 7)
    columns = np.clip(np.arange(-2, 10), 0, 8)
    np.testing.assert_array_equal(crop, rgb[rows[:, None], columns])
