from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

import ugatit.files
from data_prep.items import REVIEW, Item
from data_prep.review.decisions import DROP, KEEP, Decision, read_decisions, write_decisions
from data_prep.review.page import PER_PAGE, THUMBNAIL_PX, Review, ReviewSide, counts
from data_prep.review.server import MAX_BODY_BYTES, ReviewServer, serve
from ugatit.errors import UserError
from ugatit.manifest import DROPPED, ERROR, KEPT

TIMEOUT_S = 30
"""Of a request; so that a server that does not answer fails a test."""

COLOUR_TOLERANCE = 4
"""In levels of 255, between a picture of one colour and its JPEG."""

FULL_COLOUR = 0
"""Pillow's number for JPEG of which the colours have as many pixels as the brightness."""

RAW_SIZE = (30, 20)
SQUARE = (5, -2, 18)
GREEN, BLUE = (20, 160, 90), (40, 60, 200)


def make_item(folder: Path, number: int, status: str = KEPT, doubt: float = 0.0, **columns: Any) -> Item:
    """An item with a blue raw picture and a green crop."""
    raw = folder / "raw" / f"{number}.png"
    raw.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*RAW_SIZE[::-1], 3), (*BLUE[:2], BLUE[2] - number), dtype=np.uint8)).save(raw)
    digest = hashlib.sha256(raw.read_bytes()).hexdigest()
    crop = folder / "crops" / f"{number}.png"
    crop.parent.mkdir(exist_ok=True)
    Image.new("RGB", (SQUARE[2], SQUARE[2]), GREEN).save(crop)
    left, top, side = SQUARE
    item = Item(
        digest[:16], raw.name, digest, 1, status, "quality", "soft?: 1", width=RAW_SIZE[0], height=RAW_SIZE[1],
        crop=f"crops/{number}.png", crop_left=left, crop_top=top, crop_px=side, doubt=doubt,
    )  # fmt: skip
    return replace(item, **columns)


@dataclass
class Browser:
    """Asks a running server, as itself or as it is told to."""

    server: ReviewServer

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, content, _ = self.ask("GET", path)
        return status, json.loads(content)

    def decide(
        self, side: str, ids: list[str], verdict: str, note: str = "", **headers: str
    ) -> tuple[int, Any]:
        body = json.dumps({"side": side, "item_ids": ids, "verdict": verdict, "note": note}).encode()
        sent = {"X-Token": self.server.token} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        status, content, _ = self.ask("POST", "/api/decide", body, sent)
        return status, json.loads(content)


@contextmanager
def browsing(review: Review) -> Iterator[Browser]:
    server = ReviewServer(review)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Browser(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def review(tmp_path: Path) -> Review:
    """Four selfies, one of them without a crop, and two anime pictures."""
    a, b = tmp_path / "a", tmp_path / "b"
    selfies = [
        make_item(a, 0, KEPT, 0.25),
        make_item(a, 1, REVIEW, 1.0),
        make_item(a, 2, DROPPED, 0.75),
        make_item(a, 3, DROPPED, crop="", doubt=None),
    ]
    anime = [make_item(b, 50, REVIEW, 1.0), make_item(b, 51, ERROR, 0.5)]
    anime[0] = replace(anime[0], duplicate_of=anime[1].item_id, distance=7)
    sides = {"a": ReviewSide("selfie", selfies, a, a / "raw"), "b": ReviewSide("anime", anime, b, b / "raw")}
    return Review("selfie2anime", sides, tmp_path / "decisions.csv", "ada")  # type: ignore[arg-type]


@pytest.fixture
def browser(review: Review) -> Iterator[Browser]:
    with browsing(review) as made:
        yield made


def ids(review: Review, side: str = "a") -> list[str]:
    return [item.item_id for item in review.sides[side].items]  # type: ignore[index]


def verdicts(review: Review) -> dict[str, str]:
    return {item_id: decision.verdict for item_id, decision in read_decisions(review.decisions).items()}


def test_decisions_are_in_the_file_at_once(review: Review, browser: Browser) -> None:
    kept, waiting, dropped, _ = ids(review)
    status, answer = browser.decide("a", [waiting], "drop", "a sketch")
    assert (status, answer["decisions"]) == (
        200,
        {waiting: {"verdict": "drop", "reviewer": "ada", "note": "a sketch"}},
    )
    assert answer["counts"]["a"] == {"shown": 3, "review": 1, "kept": 1, "dropped": 2, "undecided": 0}
    browser.decide("a", [kept, dropped], "keep")
    assert verdicts(review) == {waiting: DROP, kept: KEEP, dropped: KEEP}
    status, answer = browser.decide("a", [waiting, kept], "undo")
    assert (status, answer["decisions"]) == (200, {waiting: None, kept: None})
    assert verdicts(review) == {dropped: KEEP}


def test_a_restarted_server_knows_the_decisions(review: Review) -> None:
    waiting = ids(review)[1]
    with browsing(review) as browser:
        browser.decide("a", [waiting], "keep")
    with browsing(review) as browser:
        _, page = browser.get("/api/items?side=a&show=review")
        assert [(i["id"], i["decision"]["verdict"]) for i in page["items"]] == [(waiting, "keep")]
        assert page["counts"]["a"]["undecided"] == 0


def test_lists_are_by_what_the_stages_found_and_sorted_by_doubt(review: Review, browser: Browser) -> None:
    kept, waiting, dropped, _ = ids(review)
    expected = {"review": [waiting], "kept": [kept], "dropped": [dropped], "all": [waiting, dropped, kept]}
    for verdict in ("undo", "keep", "drop"):
        browser.decide("a", [kept, waiting, dropped], verdict)
        for show, shown in expected.items():
            assert [i["id"] for i in browser.get(f"/api/items?side=a&show={show}")[1]["items"]] == shown


def test_errors_are_in_the_list_of_dropped_pictures(review: Review, browser: Browser) -> None:
    listed = browser.get("/api/items?side=b&show=dropped")[1]["items"]
    assert [(i["id"], i["status"]) for i in listed] == [(ids(review, "b")[1], "error")]


def test_equal_doubts_are_in_order_of_the_items(review: Review, tmp_path: Path) -> None:
    items = [make_item(tmp_path / "c", number, KEPT, 0.5) for number in range(6)]
    for given in (items, items[::-1]):
        side = ReviewSide("selfie", given, tmp_path / "c", tmp_path / "c" / "raw")
        assert [i.item_id for i in side.listed("all")] == sorted(i.item_id for i in items)


def test_a_list_has_pages_and_opens_where_something_is_undecided(review: Review, tmp_path: Path) -> None:
    sample = make_item(tmp_path / "c", 0, REVIEW, 1.0)
    items = [replace(sample, item_id=f"{number:016x}") for number in range(PER_PAGE + 2)]
    decided = {
        i.item_id: Decision(i.item_id, KEEP, "", "2026-01-31T12:00:00Z") for i in items[: PER_PAGE + 1]
    }
    write_decisions(review.decisions, decided)
    side = ReviewSide("selfie", items, tmp_path / "c", tmp_path / "c" / "raw")
    with browsing(replace(review, sides={"a": side})) as browser:
        _, first = browser.get("/api/items?show=review&page=0")
        assert (first["side"], first["page"], first["pages"], len(first["items"])) == ("a", 0, 2, PER_PAGE)
        for query in ("", "?page=1", "?page=999"):
            _, second = browser.get(f"/api/items{query}")
            assert (second["page"], [i["id"] for i in second["items"]]) == (
                1,
                [i.item_id for i in items[-2:]],
            )


def test_an_item_tells_what_the_page_shows(review: Review, browser: Browser) -> None:
    first, second = review.sides["b"].items
    _, page = browser.get("/api/items?side=b&show=review")
    assert page["items"] == [
        {
            "id": first.item_id, "file": "50.png", "status": "review", "reason": "soft?: 1", "doubt": 1.0,
            "proposal": "drop", "decision": None, "size": list(RAW_SIZE), "square": list(SQUARE),
            "twin": {"id": second.item_id, "distance": 7},
        }
    ]  # fmt: skip
    assert page["names"] == {"a": "selfie", "b": "anime"}
    assert browser.get("/api/items?side=a&show=kept")[1]["items"][0]["proposal"] == "keep"


@pytest.mark.parametrize(
    "query", ["side=c", "show=everything", "page=-1", "page=x", "page=1e3", "page=" + "9" * 10]
)
def test_lists_that_do_not_exist_are_refused(browser: Browser, query: str) -> None:
    assert browser.get(f"/api/items?{query}")[0] == 400


def test_crops_and_raw_pictures_are_served(review: Review, browser: Browser) -> None:
    first = ids(review)[0]
    for kind, size, colour in (("crop", (SQUARE[2], SQUARE[2]), GREEN), ("raw", RAW_SIZE, BLUE)):
        status, content, headers = browser.ask("GET", f"/{kind}/a/{first}")
        image = Image.open(io.BytesIO(content))
        assert (status, headers["Content-Type"], image.format, image.size) == (
            200,
            "image/jpeg",
            "JPEG",
            size,
        )
        assert JpegImagePlugin.get_sampling(image) == FULL_COLOUR
        assert np.abs(np.asarray(image, dtype=int) - colour).max() <= COLOUR_TOLERANCE


def test_large_crops_are_reduced(review: Review, browser: Browser) -> None:
    item = review.sides["a"].items[0]
    Image.new("RGB", (700, 700), GREEN).save(review.sides["a"].folder / item.crop)
    content = browser.ask("GET", f"/crop/a/{item.item_id}")[1]
    assert Image.open(io.BytesIO(content)).size == (THUMBNAIL_PX, THUMBNAIL_PX)


def test_a_picture_that_was_changed_or_removed_is_an_error(review: Review, browser: Browser) -> None:
    changed, removed = review.sides["a"].items[:2]
    (review.sides["a"].pictures / changed.file).write_bytes(b"other")
    (review.sides["a"].folder / removed.crop).unlink()
    for path, reason in (
        (f"/raw/a/{changed.item_id}", "changed since"),
        (f"/crop/a/{removed.item_id}", "No such file"),
    ):
        status, answer = browser.get(path)
        assert status == 500
        assert reason in answer["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/crop/a/../../secret.png",
        "/crop/a/..%2f..%2fsecret.png",
        "/crop/a/%2e%2e/secret.png",
        "/crop/../secret.png",
        "/raw/a//secret.png",
        "/raw/a/0.png",
        "/crop/a/crops/0.png",
        "/page.py",
        "/../page.html",
        "/crop/c/0123456789abcdef",
        "/crop/a/",
        "/crop",
        "/api",
    ],
)
def test_nothing_else_is_served(tmp_path: Path, browser: Browser, path: str) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    assert browser.ask("GET", path)[0] == 404


def test_a_picture_without_a_crop_is_neither_served_nor_decided(review: Review, browser: Browser) -> None:
    bare = ids(review)[3]
    assert browser.ask("GET", f"/crop/a/{bare}")[0] == browser.ask("GET", f"/raw/a/{bare}")[0] == 404
    assert browser.decide("a", [ids(review)[0], bare], "drop")[0] == 404
    assert not review.decisions.exists()


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_decision_needs_the_pages_token(review: Review, browser: Browser, token: str) -> None:
    status, answer = browser.decide("a", ids(review)[:1], "drop", X_Token=token)
    assert (status, "reload the page" in answer["error"]) == (403, True)
    assert not review.decisions.exists()


def test_the_page_has_the_token_and_each_server_another(review: Review, browser: Browser) -> None:
    page = browser.ask("GET", "/")[1].decode()
    assert re.findall('name="token" content="([^"]+)"', page) == [browser.server.token]
    with browsing(review) as other:
        assert other.server.token != browser.server.token


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}", ""]
)
def test_a_foreign_name_that_leads_here_is_refused(review: Review, browser: Browser, host: str) -> None:
    name = host.format(port=browser.server.server_port)
    for path in ("/", "/api/items", f"/crop/a/{ids(review)[0]}"):
        assert browser.ask("GET", path, headers={"Host": name})[0] == 403
    assert browser.decide("a", ids(review)[:1], "drop", Host=name)[0] == 403
    assert not review.decisions.exists()


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_a_decision_asked_by_another_site_is_refused(review: Review, browser: Browser, origin: str) -> None:
    sent = origin.format(port=browser.server.server_port)
    assert browser.decide("a", ids(review)[:1], "drop", Origin=sent)[0] == 403
    assert not review.decisions.exists()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_both_names_of_this_machine_are_its_own(review: Review, browser: Browser, name: str) -> None:
    own = f"{name}:{browser.server.server_port}"
    assert browser.decide("a", ids(review)[:1], "drop", Host=own, Origin=f"http://{own}")[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 5000,
        b"\xff",
        b'{"side": "a", "item_ids": [], "verdict": "drop"}',
        b'{"side": "a", "item_ids": ["x"], "verdict": "delete"}',
        b'{"side": "c", "item_ids": ["x"], "verdict": "drop"}',
        b'{"side": "a", "item_ids": [1], "verdict": "drop"}',
        b'{"side": "a", "item_ids": ["x"], "verdict": "drop", "file": "y"}',
    ],
)
def test_a_request_that_is_no_decision_is_refused(review: Review, browser: Browser, body: bytes) -> None:
    assert browser.ask("POST", "/api/decide", body, {"X-Token": browser.server.token})[0] == 400
    assert not review.decisions.exists()


@pytest.mark.parametrize(("length", "status"), [("-1", 400), ("x", 400), (str(MAX_BODY_BYTES + 1), 413)])
def test_a_request_of_no_usable_length_is_refused(browser: Browser, length: str, status: int) -> None:
    assert browser.ask("POST", "/api/decide", None, {"Content-Length": length})[0] == status


def test_nothing_foreign_is_loaded_and_nothing_is_left_behind(review: Review, browser: Browser) -> None:
    for path in ("/", "/page.css", "/page.js", "/api/items", f"/crop/a/{ids(review)[0]}", "/nowhere"):
        _, content, headers = browser.ask("GET", path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        if path.startswith("/page") or path == "/":
            addresses = set(re.findall(rb"https?://[^\"'\s)]+", content))
            assert addresses <= {b"http://www.w3.org/2000/svg"}


def test_names_cannot_become_markup(review: Review) -> None:
    with browsing(replace(review, dataset="<script>1</script>", reviewer='"$token')) as browser:
        page = browser.ask("GET", "/")[1].decode()
    assert "<script>1" not in page
    assert "&lt;script&gt;1&lt;/script&gt;" in page
    assert "as &quot;$token" in page


def test_the_script_finds_every_element_it_names(browser: Browser) -> None:
    page, script = (browser.ask("GET", path)[1].decode() for path in ("/", "/page.js"))
    named = set(re.findall(r'(?:byId|toggle)\("([a-z-]+)"\)', script))
    assert named
    assert named <= set(re.findall(r'id="([a-z-]+)"', page))


def test_concurrent_decisions_are_all_kept(review: Review, tmp_path: Path) -> None:
    sample = make_item(tmp_path / "c", 0, REVIEW, 1.0)
    items = [replace(sample, item_id=f"{number:016x}") for number in range(40)]
    side = ReviewSide("selfie", items, tmp_path / "c", tmp_path / "c" / "raw")
    with browsing(replace(review, sides={"a": side})) as browser, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda item: browser.decide("a", [item.item_id], "keep"), items))
    assert [status for status, _ in answers] == [200] * 40
    assert sorted(answer["counts"]["a"]["undecided"] for _, answer in answers) == list(range(40))
    assert list(verdicts(review)) == [item.item_id for item in items]


def test_a_decision_that_cannot_be_written_is_said(
    review: Review, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ugatit.files.os, "fsync", _no_space)
    status, answer = browser.decide("a", ids(review)[:1], "drop")
    assert (status, "No space left" in answer["error"]) == (500, True)
    monkeypatch.undo()
    assert browser.decide("a", ids(review)[:1], "drop")[0] == 200


def _no_space(descriptor: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_file_damaged_meanwhile_is_said(review: Review, browser: Browser) -> None:
    review.decisions.write_text("<<<<<<< HEAD\n")
    for status, answer in (browser.get("/api/items"), browser.decide("a", ids(review)[:1], "drop")):
        assert (status, "line 1: found" in answer["error"]) == (500, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.0.2.1", "::", "example.org"])
def test_only_this_machine_is_served(review: Review, host: str) -> None:
    with pytest.raises(UserError, match=f"found host '{re.escape(host)}', expected 127.0.0.1 or localhost"):
        serve(review, host, 0, started=pytest.fail)


def test_it_listens_on_the_loopback_address(browser: Browser) -> None:
    assert browser.server.socket.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_and_an_impossible_one_are_said(review: Review) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for port in (taken.getsockname()[1], 70000):
            with pytest.raises(UserError, match=f"port {port} cannot be used"):
                serve(review, port=port, started=pytest.fail)


def test_a_bad_file_of_decisions_is_said_before_serving(review: Review) -> None:
    review.decisions.write_text("x\n")
    with pytest.raises(UserError, match="line 1"):
        serve(review, port=0, started=pytest.fail)


def test_ctrl_c_ends_it_and_tells_how_many_are_undecided(review: Review) -> None:
    addresses = []

    def decide_and_interrupt(url: str) -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=TIMEOUT_S)
        connection.request("GET", "/")
        token = re.findall('name="token" content="([^"]+)"', connection.getresponse().read().decode())[0]
        body = json.dumps({"side": "a", "item_ids": ids(review)[1:2], "verdict": "keep"})
        connection.request("POST", "/api/decide", body, {"X-Token": token})
        addresses.append(connection.getresponse().status)
        os.kill(os.getpid(), signal.SIGINT)

    thread: threading.Thread | None = None

    def started(url: str) -> None:
        nonlocal thread
        thread = threading.Thread(target=decide_and_interrupt, args=(url,))
        thread.start()

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        undecided = serve(review, port=0, started=started)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert thread is not None
    thread.join()
    assert (undecided, addresses) == (1, [200])
    assert verdicts(review) == {ids(review)[1]: KEEP}


def test_counts_follow_the_decisions(review: Review) -> None:
    items = review.sides["a"].items
    kept, waiting, dropped, bare = (i.item_id for i in items)
    assert counts(items, {}) == {"shown": 3, "review": 1, "kept": 1, "dropped": 1, "undecided": 1}
    made = {
        i: Decision(i, v, "", "") for i, v in [(kept, DROP), (dropped, KEEP), (bare, KEEP), (waiting, KEEP)]
    }
    assert counts(items, made) == {"shown": 3, "review": 1, "kept": 2, "dropped": 1, "undecided": 0}
