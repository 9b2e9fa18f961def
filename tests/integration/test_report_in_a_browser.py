"""The page in a real browser: what it asks for, what it runs, and what hands, eyes and screen readers find in it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from adult_result import adult, many_variants, small
from hostile_names import HOSTILE, hostile

from auditor.report.html import html
from auditor.report.rendering import Draft
from auditor.report.view.blocks import Cell, Column, Prose, Section, Table

CHROMIUM = shutil.which("chromium")
api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")

ALL = ("plain", "hostile", "adult", "many")
DRAWN = {  # figures, by the beginnings of their captions, that the reports with all figures have
    "Everybody, and the group that is worst off",
    "Change of recall of “>50K” from the baseline in points",
    "Change of recall of “>50K” from the baseline, by group",
    "Size, and the change of recall",
    "Shift of recall relative to overall accuracy",
    "Share of exemplars",
    "Over-indexing by group",
}
PHONE, LAPTOP = {"width": 390, "height": 844}, {"width": 1366, "height": 768}
NUMBERS = ("−13.6", "2,976", "undefined", "+4.0", "< 0.001", "0.0", "47.1%", "–")
ASCENDING = ["−13.6", "0.0", "< 0.001", "+4.0", "47.1%", "2,976"]


def many(count: int) -> Table:
    """Make a table of so many rows: a name, a number, a word."""
    rows = tuple(
        (Cell(text=f"group {row}"), Cell(text=f"{row:,}"), Cell(text="even" if row % 2 == 0 else "odd", detail="all"))
        for row in range(count)
    )
    columns = (Column(heading="Group"), Column(heading="n", numeric=True), Column(heading="Kind"))
    return Table(caption="Many rows", columns=columns, rows=rows, on_paper=12)


def few() -> Table:
    """Make a table of numbers as reports write them, and of what is none."""
    rows = tuple((Cell(text=f"row {place}"), Cell(text=number)) for place, number in enumerate(NUMBERS))
    return Table(caption="Numbers", columns=(Column(heading="Row"), Column(heading="Value", numeric=True)), rows=rows)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """As files: a report with a long table and names of other scripts, one of hostile names, and two with all figures.

    These two are of the Adult audit and of one of twenty variants with long names.
    """
    folder = tmp_path_factory.mktemp("pages")
    draft = Draft(small())
    more = Section(
        id="more",
        title="More",
        question="What else?",
        blocks=(many(1_000), few(), Prose(paragraphs=("נשים 323 of 女性 12",))),
    )
    shown = replace(draft.view, sections=(*draft.view.sections, more))
    (folder / "plain.html").write_text(html(shown, draft.pictures), "utf-8")
    names = " ".join(name for name in HOSTILE if len(name) < 1_000)
    (folder / "hostile.html").write_text(Draft(hostile(names + HOSTILE[-1])).html, "utf-8")
    for name, result in (("adult", adult()), ("many", many_variants())):
        (folder / f"{name}.html").write_text(Draft(result).html, "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ALL}


@pytest.fixture(scope="module")
def browser():
    with api.sync_playwright() as playwright:
        # in a container the browser's own sandbox cannot be had, and what it opens was made here
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, pages):
    """Open a page, and hear what goes wrong in it."""
    held = []

    def open_page(name="plain", viewport=LAPTOP, **options):
        context = browser.new_context(viewport=viewport, **options)
        held.append(context)
        page = context.new_page()
        page.wrong = []
        page.on("console", lambda message: page.wrong.append(message.text))
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: (page.wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.wrong.append(request.url) if request.url[:5] != "data:" else None)
        page.goto(pages[name])
        assert page.wrong.pop(0) == pages[name], "the page itself is asked for"
        return page

    yield open_page
    for context in held:
        context.close()


def texts(page, caption: str, column: int) -> list[str]:
    """Read a column of a table, as it is shown."""
    rows = page.locator("table", has=page.locator(f"caption:text-is('{caption}')")).locator("tbody tr:visible")
    return (
        rows.locator(f":nth-child({column})")
        .filter(has_not=page.locator("tr"))
        .evaluate_all("cells => cells.filter(c => c.matches('th, td')).map(c => c.firstChild.textContent)")
    )


def head(page, caption: str, heading: str):
    """Find the button that sorts a table by a column."""
    return page.get_by_role("table", name=caption).get_by_role("button", name=heading, exact=True)


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_nothing_is_asked_for_and_nothing_goes_wrong(opened, name) -> None:
    page = opened(name)
    page.mouse.wheel(0, 50_000)
    page.wait_for_timeout(200)
    assert page.wrong == []


def test_what_a_name_says_is_shown_and_not_done(opened) -> None:
    page = opened("hostile")
    assert "<script>alert(1)</script> {{7*7}}" in page.locator("main").inner_text()
    assert page.locator("script").count() == 1
    assert page.locator("[onload], iframe, object, embed, form, base").count() == 0


def test_a_script_that_is_not_the_pages_own_is_refused(opened) -> None:
    page = opened()
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran=1'}))"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in said for said in page.wrong)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_the_page_is_no_wider_than_the_screen(opened, name, viewport) -> None:
    page = opened(name, viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("name", ["adult", "many"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_every_figure_is_there_with_its_words_and_lies_within_the_screen(opened, name, viewport) -> None:
    page = opened(name, viewport)
    captions = page.locator("figure figcaption").all_inner_texts()
    assert {known for known in DRAWN if any(caption.startswith(known) for caption in captions)} == DRAWN
    pictures = page.locator("figure img").evaluate_all(
        """pictures => pictures.map(picture => {
             const place = picture.closest(".panel").getBoundingClientRect();
             const shown = picture.getBoundingClientRect().width / picture.getAttribute("width");
             return [place.left, place.right, shown, picture.naturalHeight, picture.alt.length];
           })"""
    )
    assert len(pictures) >= 2 * len(DRAWN)
    for left, right, shown, natural, alt in pictures:
        # a picture that is wider than the screen keeps its size within a frame that scrolls: shrunk it is not read
        assert 0 <= left < right <= viewport["width"]
        assert shown > 0.8
        assert natural > 0
        assert alt > 20


@pytest.mark.parametrize("name", ["plain", "adult", "many"])
@pytest.mark.parametrize("viewport", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_axe_finds_nothing_serious(opened, name, viewport) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(opened(name, viewport)).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in {"serious", "critical"}] == []


def test_numbers_sort_as_numbers_and_what_is_undefined_comes_last(opened) -> None:
    page = opened()
    assert texts(page, "Numbers", 2) == list(NUMBERS)
    button = head(page, "Numbers", "Value")
    button.click()
    assert texts(page, "Numbers", 2)[:6] == ASCENDING
    assert set(texts(page, "Numbers", 2)[6:]) == {"undefined", "–"}
    button.click()
    assert texts(page, "Numbers", 2)[:6] == ASCENDING[::-1]
    assert set(texts(page, "Numbers", 2)[6:]) == {"undefined", "–"}
    button.click()
    assert texts(page, "Numbers", 2) == list(NUMBERS)


def test_the_order_is_told_to_who_does_not_see_it(opened) -> None:
    page = opened()
    column = page.get_by_role("table", name="Many rows").get_by_role("columnheader", name="n", exact=True)
    states = []
    for _ in range(3):
        head(page, "Many rows", "n").click()
        status = page.locator(".tools", has=page.get_by_label("Filter: Many rows")).get_by_role("status")
        states.append((column.get_attribute("aria-sort"), status.inner_text()))
    assert states == [
        ("ascending", "25 of 1,000 rows shown, sorted by n, ascending"),
        ("descending", "25 of 1,000 rows shown, sorted by n, descending"),
        (None, "25 of 1,000 rows shown, in the report's order"),
    ]


def test_a_thousand_rows_are_shown_in_part_filtered_and_shown_whole(opened) -> None:
    page = opened()
    tools = page.locator(".tools", has=page.get_by_label("Filter: Many rows"))
    assert len(texts(page, "Many rows", 1)) == 25
    tools.get_by_role("button", name="Show all 1,000").click()
    assert len(texts(page, "Many rows", 1)) == 1_000
    page.get_by_label("Filter: Many rows").fill("GROUP 77")
    assert texts(page, "Many rows", 1) == ["group 77", *(f"group {n}" for n in range(770, 780))]
    assert tools.get_by_role("status").inner_text() == "11 of 1,000 rows shown"
    page.get_by_label("Filter: Many rows").fill("nobody")
    assert tools.get_by_role("status").inner_text() == "0 of 1,000 rows shown"


def test_the_keyboard_alone_reaches_and_works_everything(opened) -> None:
    page = opened(viewport=PHONE)
    wanted = page.evaluate(
        "[...document.querySelectorAll('a, button, input, [tabindex=\"0\"]')].filter(e => e.checkVisibility()).length"
    )
    seen = page.evaluate("window.seen = new Set(), 0")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        seen = page.evaluate("seen.add(document.activeElement).delete(document.body), seen.size")
    assert seen >= wanted > 30
    head(page, "Many rows", "n").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    assert texts(page, "Many rows", 1)[0] == "group 999"
    page.get_by_role("button", name="Show all 1,000").focus()
    page.keyboard.press("Space")
    assert len(texts(page, "Many rows", 1)) == 1_000


def test_the_first_stop_of_the_keyboard_leads_to_the_verdict(opened) -> None:
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.url.endswith("#summary")


def test_without_a_script_the_page_is_whole(opened) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator("table:has(caption:text-is('Many rows')) tbody tr:visible").count() == 1_000
    assert page.locator("button, input").count() == 0


def test_on_paper_there_are_no_tools_and_the_reports_own_order(opened) -> None:
    page = opened()
    head(page, "Many rows", "n").click()
    head(page, "Many rows", "n").click()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert texts(page, "Many rows", 1) == [f"group {n}" for n in range(12)]
    assert page.locator(".tools:visible").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert texts(page, "Many rows", 1)[0] == "group 999"


def test_a_right_to_left_name_leaves_the_number_after_it_where_it_is(opened) -> None:
    page = opened()
    places = page.locator("#more > p:last-child").evaluate(
        """p => ['נשים', '323', '女性', '12'].map(word => {
             for (const node of [p.firstChild.firstChild, p.lastChild]) {
               const at = node.data.indexOf(word);
               if (at < 0) continue;
               const range = document.createRange();
               range.setStart(node, at); range.setEnd(node, at + word.length);
               return range.getBoundingClientRect().left;
             }
           })"""
    )
    assert places == sorted(places)
