"""The PDF's structure, as a screen reader meets it: what PDF/UA asks for beyond the marks of the file."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import pytest
from adult_result import small
from pypdf import PdfReader

from auditor.report import paper
from auditor.report.html import html, isolated
from auditor.report.rendering import Draft

INSIDE = {
    "/TR": {"/THead", "/TBody"},
    "/TH": {"/TR"},
    "/TD": {"/TR"},
    "/THead": {"/Table"},
    "/TBody": {"/Table"},
    "/LI": {"/L"},
    "/Lbl": {"/LI"},
    "/LBody": {"/LI"},
}


@pytest.fixture(scope="module")
def reader():
    draft = Draft(small())
    return PdfReader(BytesIO(paper.pdf(html(draft.view, draft.pictures, paper=True))))


@pytest.fixture(scope="module")
def elements(reader):
    """Every element of the structure, with the element that it stands in, in reading order."""
    return list(walk(reader.trailer["/Root"]["/StructTreeRoot"]["/K"], {"/S": "root"}))


def walk(node, parent):
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from walk(one, parent)
    elif isinstance(node, dict) and "/S" in node:
        yield node, parent
        yield from walk(node.get("/K", []), node)


def of_kind(elements, *kinds):
    return [one for one, _ in elements if one["/S"] in kinds]


def test_every_element_stands_where_its_kind_belongs(elements) -> None:
    assert {one["/S"] for one, _ in elements} >= {"/Document", "/H1", "/Table", "/Caption", "/L", *INSIDE}
    misplaced = [
        (one["/S"], parent["/S"])
        for one, parent in elements
        if parent["/S"] not in INSIDE.get(one["/S"], [parent["/S"]])
    ]
    assert misplaced == []


def test_headings_begin_with_the_title_and_skip_no_level(elements) -> None:
    levels = [int(one["/S"][2:]) for one in of_kind(elements, "/H1", "/H2", "/H3", "/H4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_figure_has_words(elements) -> None:
    figures = of_kind(elements, "/Figure")
    assert len(figures) > 3
    assert all(len(str(figure["/Alt"])) > 20 for figure in figures)


def test_every_cell_names_its_headings_and_every_heading_says_of_what(elements) -> None:
    headings = {str(one["/ID"]): one["/A"]["/Scope"] for one in of_kind(elements, "/TH")}
    assert set(headings.values()) == {"/Column", "/Row"}
    cells = of_kind(elements, "/TD")
    assert len(cells) > 100
    for cell in cells:
        assert sorted(headings[str(name)] for name in cell["/A"]["/Headers"]) == ["/Column", "/Row"]


def test_every_page_is_read_in_the_order_of_the_structure_and_every_link_has_words(reader) -> None:
    links = [link.get_object() for page in reader.pages for link in page.get("/Annots", [])]
    assert {page["/Tabs"] for page in reader.pages} == {"/S"}
    assert links
    assert all(link["/Contents"] for link in links)


def test_bookmarks_are_the_report_and_its_sections(reader) -> None:
    title, sections = reader.outline
    assert title.title == "Income classifier, before deployment to handsets"
    assert {"Gates", "Method", "Provenance"} <= {one.title for one in sections if not isinstance(one, list)}


def test_page_one_holds_the_verdict_however_many_variants_there_are() -> None:
    view = Draft(small()).view
    facts = (("Compressed as", ", ".join(f"pruned-0.{place}" for place in range(30))), *view.facts.pairs)
    shown = replace(view, facts=replace(view.facts, pairs=facts), sections=())
    (page,) = PdfReader(BytesIO(paper.pdf(html(shown, {}, paper=True)))).pages
    assert "FAIL" in page.extract_text()
    assert "pruned-0.29" in page.extract_text()


def covered(language: str) -> bool:
    """Tell whether a font for a language is installed."""
    try:
        found = subprocess.run(["fc-list", f":lang={language}"], capture_output=True, check=True)
    except FileNotFoundError:
        return False
    return bool(found.stdout)


@pytest.mark.parametrize(
    ("name", "language"), [("女性", "zh-cn"), ("女の人", "ja"), ("여성", "ko"), ("נשים", "he"), ("امرأة", "ar")]
)
def test_names_of_other_scripts_are_set_with_fonts_that_have_them(name, language) -> None:
    if not covered(language):
        pytest.skip(f"no font for {language} is installed; Debian's package is fonts-wqy-microhei or fonts-noto-cjk")
    made = paper.pdf(
        f'<html lang="en"><title>t</title><body style="font-family: DejaVu Sans">{isolated(name)} 323 of 12'
    )
    page = PdfReader(BytesIO(made)).pages[0]
    leftward = language in {"he", "ar"}
    assert name in page.extract_text() or name[::-1] in page.extract_text()
    assert "323 of 12" in page.extract_text()
    fonts = [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]
    assert len(fonts) == (1 if leftward else 2)
