"""The report in a real browser, opened from disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reporting.browser import Browser
from tests.reporting.invented_results import ODD_LABEL, ODD_NAME, invent, invent_attention, invent_scores
from ugatit.reporting.report.build import make_report

SCORES = (3.0, -1.0, 2.0, 5.0, 4.0)
"""Scores of the first five of six pictures; the last has none."""

IMAGES_IN_VIEW = 150
"""Pictures of the rows in a window of 900 px and a few beyond; far below the 7,500 that there are."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report that was moved after it was made, without what it was made from."""
    folder = tmp_path_factory.mktemp("results")
    settings = invent(folder / "made")
    invent_scores(settings, "one", SCORES)
    invent_attention(settings, "one")
    make_report(settings, folder / "made/report", threads=2)
    (folder / "made/report").rename(folder / "moved report")
    shutil.rmtree(folder / "made")
    return folder / "moved report/index.html"


@pytest.fixture
def compare(browser: Browser, page: Path) -> Iterator[Browser]:
    """The comparison of the report; afterwards nothing may have gone wrong or left the disk."""
    browser.errors(), browser.requests()
    browser.open(page, "#compare", height=1400)
    browser.wait("document.querySelector('#grid .cell img')?.complete")
    choose(browser, "size", "64")  # all six rows are in view
    yield browser
    assert browser.errors() == []
    addresses = [address for address in browser.requests() if address != "about:blank"]
    assert addresses
    assert [address for address in addresses if not address.startswith(("file:", "data:"))] == []


def caption(browser: Browser) -> str:
    """What stands below the first translation of an open picture."""
    text: str = browser.run("return document.querySelectorAll('#stage figcaption')[1].textContent")
    return text.replace("\u00a0", " ")


def names(browser: Browser) -> list[str]:
    """The pictures in their order on the page."""
    found: list[str] = browser.run(
        "return [...document.querySelectorAll('.rows .row')]"
        ".sort((p, q) => p.getAttribute('aria-rowindex') - q.getAttribute('aria-rowindex'))"
        ".map((row) => row.querySelector('.caption').textContent)"
    )
    return found


def choose(browser: Browser, field: str, value: str) -> None:
    """Set a field of the form as a user does."""
    browser.run(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input', {bubbles: true}));"
        "field.dispatchEvent(new Event('change', {bubbles: true}));",
        field,
        value,
    )


def is_loaded(browser: Browser, selector: str) -> bool:
    """Whether all pictures of a selector are there and were read."""
    script = (
        "return [...document.querySelectorAll(arguments[0])].map((i) => i.complete && i.naturalWidth > 0)"
    )
    found = browser.run(script, selector)
    return bool(found) and all(found)


@pytest.mark.parametrize("view", ["overview", "figures", "runs", "datasets", "compare"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_part_shows_something_and_fits_the_window(
    browser: Browser, page: Path, view: str, width: int
) -> None:
    browser.open(page, f"#{view}", width=width)
    browser.wait(f"document.body.dataset.view === '{view}'")
    shown = browser.run(
        "return [...document.querySelectorAll('.view')].filter((v) => v.offsetHeight).map((v) => v.id)"
    )
    assert shown == [view]
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.screenshot().std() > 10
    assert browser.errors() == []


def test_overview_shows_the_table_with_the_papers_values(browser: Browser, page: Path) -> None:
    browser.open(page)
    text = browser.run("return document.querySelector('#overview').innerText")
    assert "2 of 2 trainings finished" in text
    assert "[7.06]" in text and "<b>NICE" in text
    assert browser.run("return document.querySelector('#overview strong').textContent") == "5.00"


def test_names_are_shown_and_never_run(compare: Browser) -> None:
    assert names(compare)[0] == ODD_NAME
    header = compare.run("return document.querySelectorAll('.head strong')[1].textContent")
    assert header == ODD_LABEL
    assert compare.run("return document.querySelectorAll('img[src=x]').length") == 0
    assert is_loaded(compare, "#grid img")


def test_sorting_changes_the_order(compare: Browser) -> None:
    given = names(compare)
    choose(compare, "order", "best")
    assert names(compare) == [given[k] for k in (1, 2, 0, 4, 3, 5)]
    compare.press("w")
    assert names(compare) == [given[k] for k in (3, 4, 0, 2, 1, 5)]
    compare.press("r")
    first = names(compare)
    compare.press("r")
    second = names(compare)
    assert sorted(first) == sorted(second) == sorted(given)
    assert first != second
    compare.run("location.hash = '#compare?order=random&seed=0'")
    compare.wait("document.getElementById('seed').value === '0'")
    assert names(compare) == first


def test_filters_leave_pictures_out(compare: Browser) -> None:
    choose(compare, "from", "2.5")
    assert names(compare) == [ODD_NAME, "0004", "0005"]
    choose(compare, "to", "3.5")
    assert names(compare) == [ODD_NAME]
    choose(compare, "from", ""), choose(compare, "to", "")
    choose(compare, "name", "00")
    assert len(names(compare)) == 5
    choose(compare, "limit", "2")
    assert names(compare) == ["0002", "0003"]
    choose(compare, "name", "nowhere")
    assert names(compare) == []
    assert "No picture passes" in compare.run("return document.querySelector('#grid').textContent")
    compare.click("#reset")
    assert compare.run("return document.getElementById('count').textContent") == "6 pictures."
    compare.click("#sampled")
    assert names(compare) == [ODD_NAME]


def test_column_can_be_left_out(compare: Browser) -> None:
    compare.click("#columns input[value='two/seed0']")
    assert compare.run("return document.querySelectorAll('.head .cell').length") == 2
    assert "off=two" in compare.run("return location.hash")


def test_slider_divides_two_columns(compare: Browser) -> None:
    compare.press("Enter", "2")
    compare.wait("document.querySelector('#stage .divider')")
    assert is_loaded(compare, "#stage img")
    clip = "return getComputedStyle(document.querySelector('#stage .over')).clipPath"
    assert "50%" in compare.run(clip)
    before = compare.screenshot()
    compare.drag("#stage .frame", (0.5, 0.5), (0.2, 0.5))
    split = compare.run("return Number(document.getElementById('split').value)")
    assert 18 <= split <= 22
    assert round(float(compare.run(clip).split()[-1].rstrip("%)"))) == split
    assert (compare.screenshot() != before).mean() > 0.01
    choose(compare, "split", "90")
    assert "90%" in compare.run(clip)


def test_flick_shows_one_then_the_other(compare: Browser) -> None:
    compare.press("Enter", "f")
    shown = (
        "return ['under', 'over'].map((name) => "
        "getComputedStyle(document.querySelector(`#stage .${name}`)).visibility)"
    )
    assert compare.run(shown) == ["visible", "hidden"]
    first = compare.screenshot()
    compare.press("f")
    assert compare.run(shown) == ["hidden", "visible"]
    assert (compare.screenshot() != first).mean() > 0.01
    compare.press("f")
    assert compare.run(shown) == ["visible", "hidden"]
    compare.press("Shift+B")
    assert compare.run("return document.getElementById('b').value") == "source"


def test_zoom_is_that_of_all_columns(compare: Browser) -> None:
    compare.press("Enter", "1", "+", "+")
    compare.run(
        "const frame = document.querySelectorAll('#stage .frame')[1]; const box = frame.getBoundingClientRect();"
        "frame.dispatchEvent(new WheelEvent('wheel', {deltaY: -400, clientX: box.left + 5, clientY: box.top + 5,"
        " bubbles: true, cancelable: true}));"
    )
    transforms = compare.run(
        "return [...document.querySelectorAll('#stage .layer img')].map((i) => getComputedStyle(i).transform)"
    )
    assert len(transforms) == 3
    assert len(set(transforms)) == 1
    assert transforms[0].startswith("matrix(4.5, 0, 0, 4.5")
    compare.press("0")
    assert compare.run("return document.getElementById('zoom-text').textContent") == "100 %"


def test_attention_lies_over_the_pictures_as_opaque_as_chosen(compare: Browser) -> None:
    compare.press("o")
    compare.wait("document.querySelectorAll('#grid .map').length === 6")
    opacity = "return getComputedStyle(document.querySelector('.map')).opacity"
    assert compare.run(opacity) == "0.6"
    compare.press("Enter")
    compare.run(
        "const input = document.querySelector('#viewer .opacity'); input.value = 25;"
        "input.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    assert compare.run("return getComputedStyle(document.querySelector('#stage .map')).opacity") == "0.25"
    assert is_loaded(compare, "#stage .map")
    assert compare.run("return document.getElementById('scale').hidden") is False
    of_input = "generator (of the input)"
    assert of_input in compare.run("return document.getElementById('scale-text').textContent")
    assert of_input in compare.run("return document.querySelector('#viewer .attention').textContent")
    compare.press("o", "o")
    assert compare.run("return document.querySelectorAll('.map').length") == 0


def test_a_translation_that_is_not_shown_is_called_absent(compare: Browser) -> None:
    compare.run("const column = comparison().columns[1]; column.pictures[1] = ''; showGrid();")
    assert compare.run("return document.querySelector('#grid .none').textContent") == "no translation of it"


def test_steps_show_a_picture_during_the_training(compare: Browser) -> None:
    compare.press("Enter")
    text = "return document.getElementById('step-text').textContent"
    shown = "return document.querySelectorAll('#stage img')[1].src"
    assert compare.run(text) == "as trained"
    final = compare.run(shown)
    compare.press(",")
    assert compare.run(text) == "6"
    compare.press(",", ",")
    assert compare.run(text) == "2"
    assert compare.run(shown) != final
    assert "step 2 of 6" in caption(compare)
    compare.press("4")
    assert compare.run("return document.querySelectorAll('#stage .strip').length") == 2
    assert compare.run("return document.querySelectorAll('#stage .strip img').length") == 8
    compare.press("ArrowRight")
    assert "No samples of this picture" in compare.run("return document.getElementById('stage').textContent")


def test_captions_name_model_step_weights_and_protocol(compare: Browser) -> None:
    compare.press("ArrowDown", "Enter")
    shown = caption(compare)
    for part in (ODD_LABEL, "step 6", "weights ", "seed 0", "score −1.00", "kid −1.50 ± 0.25"):
        assert part in shown
    assert "invented" in compare.run("return document.getElementById('protocols').textContent")


def test_address_keeps_what_is_open(compare: Browser, page: Path) -> None:
    compare.press("ArrowDown", "Enter", "2")
    address = compare.run("return location.hash")
    compare.open(page, address)
    compare.wait("document.getElementById('viewer').open && document.querySelector('.divider')")
    assert compare.run("return document.getElementById('viewer-name').textContent") == "0002"


def test_keys_are_explained_and_escape_closes(compare: Browser) -> None:
    compare.press("?")
    assert compare.run("return document.getElementById('help').open") is True
    compare.press("Escape")
    compare.wait("!document.getElementById('help').open")
    compare.press("Enter", "Escape")
    compare.wait("!document.getElementById('viewer').open && document.activeElement.id === 'grid'")


def test_fields_and_pictures_have_names(compare: Browser) -> None:
    compare.press("Enter")
    script = """
      const named = (e) => e.ariaLabel || e.labels?.length || e.textContent.trim();
      const fields = [...document.querySelectorAll('input, select, button')].filter((e) => !named(e));
      const pictures = [...document.querySelectorAll('img')].filter((e) => !e.alt);
      return [...fields, ...pictures].map((e) => e.outerHTML);
    """
    assert compare.run(script) == []


def test_hundreds_of_pictures_by_nine_models_stay_quick(browser: Browser, tmp_path: Path) -> None:
    models = [f"model{k}" for k in range(9)]
    settings = invent(tmp_path, models=models, pictures=750, px=8, directions=["a2b"])
    begun = time.monotonic()
    index = make_report(settings, tmp_path / "report", threads=2)
    assert time.monotonic() - begun < 60
    browser.open(index, "#compare")
    browser.wait("document.querySelector('#grid .cell img')?.complete")
    assert 10 < browser.run("return document.querySelectorAll('img').length") < IMAGES_IN_VIEW
    assert browser.run("return document.querySelectorAll('*').length") < 2000
    browser.press("End")
    browser.wait("document.querySelector('[aria-rowindex=\"751\"]')")
    assert browser.run("return document.querySelectorAll('img').length") < IMAGES_IN_VIEW
    loaded = browser.run("return performance.getEntriesByType('resource').length")
    assert loaded < 3 * IMAGES_IN_VIEW
    assert browser.errors() == []
