from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from adult_result import small
from hostile_names import HOSTILE, hostile
from markupsafe import escape
from pypdf import PdfReader
from rich.console import Console

from auditor import output
from auditor.errors import OutputError
from auditor.output import write
from auditor.report import drawing, figures, painter, paper, pdf, result_json
from auditor.report.drawing import dots, grid, style
from auditor.report.html import TEMPLATES, html, isolated
from auditor.report.markdown import escaped
from auditor.report.rendering import FORMATS, Draft, render
from auditor.report.terminal import summary
from auditor.report.tools import Tools
from auditor.report.view.blocks import Dots, Figure, Grid, Line, Lines, Mark, Points, Spot, Table, Tile
from auditor.text import clean

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made():
    return render(small(), FORMATS)


def drawn_of(shown):
    """Every panel of these figures, as SVG, without a process of its own, which takes seconds to start."""
    return figures.pictures(shown, Here())


class Here:
    """Draws as a painter does."""

    svgs = staticmethod(drawing.draw)


class Page(HTMLParser):
    """Collects elements, attributes and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data) -> None:
        self.texts.append(data)


def test_every_format_is_made(made) -> None:
    assert set(made.files) == {name for name, _ in FORMATS.values()}
    assert len(made.files) == len(FORMATS) == 8
    assert not made.failed


def test_the_page_asks_nothing_of_the_network(made) -> None:
    text = made.files["report.html"].decode()
    page = Page(text)
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "http:" not in text
    assert "https:" not in text
    sources = [attrs["src"] for tag, attrs in page.tags if "src" in attrs]
    assert sources
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_the_page_lets_its_own_script_run_and_no_other(made) -> None:
    text = made.files["report.html"].decode()
    (script,) = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    assert script == (TEMPLATES / "report.js").read_text("utf-8")
    policy = next(a["content"] for _, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_paper_has_no_script_and_no_row_that_it_does_not_show() -> None:
    draft = Draft(small())
    page, paper_page = draft.html, html(draft.view, draft.pictures, paper=True)
    assert "screen-only" in page
    assert "<script" in page
    assert not re.search('class="[^"]*screen-only|<script| tabindex=| data-label=', paper_page)
    shown = [b for section in draft.view.sections for b in section.blocks if isinstance(b, Table)] + [draft.view.gates]
    lengths = [(len(t.rows), len(t.rows) if t.on_paper is None else t.on_paper) for t in shown]
    # a head, and as many rows as paper has room for
    assert paper_page.count("<tr>") == sum(1 + min(rows, room) for rows, room in lengths if rows and room)


def test_a_table_that_is_not_on_paper_is_whole_on_the_page_and_named_on_paper() -> None:
    draft = Draft(small())
    left_out = [t for s in draft.view.sections for t in s.blocks if isinstance(t, Table) and t.on_paper == 0 and t.rows]
    assert left_out
    page, paper_page = draft.html, html(draft.view, draft.pictures, paper=True)
    for table in left_out:
        caption = str(escape(table.caption))
        assert f"<caption>{caption}</caption>" in page
        assert f"<caption>{caption}</caption>" not in paper_page
        # in a browser's own print the page says so as well
        assert f"“{caption}”" in paper_page
        assert f"“{caption}”" in page
    assert len(re.findall('class="table [^"]*screen-only"', page)) == len(left_out)


@pytest.mark.parametrize(
    ("text", "isolated_text"),
    [
        ("in group נשים (sex) 323", "in group <bdi>נשים</bdi> (sex) 323"),
        ("בת ים × זכר", "<bdi>בת ים</bdi> × <bdi>זכר</bdi>"),
        ("امرأة 12, رجل 9", "<bdi>امرأة</bdi> 12, <bdi>رجل</bdi> 9"),
        ("女性 <b>", "女性 &lt;b&gt;"),
    ],
)
def test_right_to_left_names_do_not_turn_the_numbers_beside_them(text, isolated_text) -> None:
    assert isolated(text) == isolated_text


def test_every_picture_has_words_and_every_table_its_headings(made) -> None:
    page = Page(made.files["report.html"].decode())
    assert all(attrs["alt"] for tag, attrs in page.tags if tag == "img")
    tables = [tag for tag, _ in page.tags if tag in {"table", "caption"}]
    assert tables.count("table") == tables.count("caption") > 5
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


def test_figures_are_xml_without_links() -> None:
    drawn = drawn_of(Draft(small()).view.figures)
    assert len(drawn) > 3
    for svg in drawn.values():
        assert not re.search(r"<(script|image|a|foreignObject)\b", svg)
        ET.fromstring(svg)  # noqa: S314 - made here


def test_every_defined_number_is_a_dot_and_every_limit_a_dashed_line() -> None:
    shown = Draft(small()).view.figures
    drawn = drawn_of(shown)
    for figure in shown:
        for panel in figure.panels:
            svg = drawn[panel, figure]
            if not isinstance(panel, Dots | Lines):
                continue
            lines = panel.lines if isinstance(panel, Lines) else (panel,)
            known = [m for line in lines for m in line.marks if m.value is not None]
            assert known
            assert len(re.findall(r'aria-roledescription="(?:point|circle|square)"', svg)) == len(known)
            if isinstance(panel, Dots):
                assert svg.count('stroke-dasharray="5,3"') == len(panel.limits)
                assert svg.count("undefined</text>") == len(panel.marks) - len(known)


def test_what_is_undefined_is_drawn_as_a_word() -> None:
    drawn = drawn_of(Draft(small()).view.figures)
    assert any(">undefined<" in svg for svg in drawn.values())


def map_of(*rows, columns=("one", "two")):
    """A heat map of these rows of cells."""
    grid = Grid(title="", alt="", columns=columns, rows=tuple((f"group {n}", row) for n, row in enumerate(rows)))
    return Figure(caption="", axis="points", panels=(grid,))


def test_a_heat_map_prints_every_number_frames_what_is_sure_and_marks_what_is_undefined() -> None:
    sure = Tile(text="−4.0", value=-4.0, sure=True)
    unsure = Tile(text="+4.0", value=4.0)
    undefined, absent = Tile(text="∅", value=None), Tile(text="–", value=None)
    (svg,) = drawn_of([map_of((sure, unsure), (undefined, absent))]).values()
    assert [svg.count(f">{text}<") for text in ("−4.0", "+4.0", "∅", "–", "group 0", "two")] == [1] * 6
    assert svg.count(f'stroke="{style.INK}" stroke-width="2"') == 1
    assert re.search(r'font-weight="bold"[^>]*>−4.0<', svg)
    assert not re.search(r'font-weight="bold"[^>]*>\+4.0<', svg)
    assert svg.count('stroke-dasharray="2,2"') == 2


def test_a_heat_map_is_symmetric_about_0_over_all_panels_of_its_figure() -> None:
    far = map_of((Tile(text="", value=-30.0),), columns=("one",)).panels[0]
    near = map_of((Tile(text="", value=2.0),), columns=("two",)).panels[0]
    asked = [figures.described(p, Figure(caption="", axis="", panels=(far, near))) for p in (far, near)]
    assert [one["reach"] for one in asked] == [30.0, 30.0]
    for one in asked:
        scale = next(
            layer["encoding"]["color"]["scale"]
            for layer in json.loads(drawing.specification(one))["layer"]
            if "color" in layer["encoding"]
        )
        assert scale["domain"] == [-30.0, 0, 30.0]
        assert scale["range"] == [grid.LOWER, grid.NEUTRAL, grid.HIGHER]


def test_a_rise_is_told_from_a_fall_without_colours() -> None:
    cells = (Tile(text="−4.0", value=-4.0), Tile(text="+4.0", value=4.0), Tile(text="0.0", value=0.01))
    (svg,) = drawn_of([map_of(cells, columns=("one", "two", "three"))]).values()
    fall, rise, _ = (re.search(rf'translate\(([\d.]+),[\d.]+\)"[^>]*>{re.escape(c.text)}<', svg)[1] for c in cells)
    (triangle,) = re.findall(rf'translate\(([\d.]+),[\d.]+\)" d="M0[^"]*" fill="{style.INK}"', svg)
    assert float(fall) + 50 < float(triangle)
    assert 0 < float(triangle) - float(rise) < 50


@pytest.mark.parametrize("name", [*HOSTILE[:6], "constructor", "__proto__", "toString"])
def test_a_heat_map_takes_any_name_as_text(name) -> None:
    cells = (Tile(text="+1.0", value=1.0), Tile(text="+2.0", value=2.0))
    panel = Grid(title="", alt="", columns=(clean(name), "other"), rows=((clean(name), cells),))
    (svg,) = drawn_of([Figure(caption="", axis="points", panels=(panel,))]).values()
    texts = [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314
    assert sum(clean(name)[:10] in (text or "") for text in texts) == 2
    assert {"+1.0", "+2.0"} <= set(texts)


def points_of(*sizes, verdicts=("pass", "fail", "open"), **keys) -> Points:
    """Variants of these sizes, each with another verdict."""
    marks = (Mark(label=f"variant {n}", value=-float(n), low=-n - 1.0, high=1.0) for n in range(len(sizes)))
    spots = tuple(Spot(size=s, mark=m, verdict=v) for s, m, v in zip(sizes, marks, verdicts, strict=True))
    return Points(title="", alt="", across="bytes", spots=spots, **keys)


def test_sizes_are_told_apart_by_shape_with_the_limit_and_the_baseline() -> None:
    panel = points_of(1e3, 2e3, 3e3, limits=(-2.0,), before=4e3)
    (svg,) = drawn_of([Figure(caption="", axis="points", panels=(panel,))]).values()
    assert all(f">variant {n}<" in svg for n in range(3))
    assert svg.count('stroke-dasharray="5,3"') == 1
    assert svg.count('stroke-dasharray="1,3"') == svg.count(">baseline<") == 1
    assert len(re.findall(f'fill="{style.ACCENT}" stroke="{style.ACCENT}"', svg)) == 1
    assert len(re.findall(f'fill="white" stroke="{style.ACCENT}"', svg)) == 1
    assert len(re.findall(r'aria-roledescription="point"', svg)) == 3


@pytest.mark.parametrize(("largest", "kind"), [(9e3, "linear"), (11e3, "log")])
def test_sizes_far_apart_have_a_logarithmic_axis(largest, kind) -> None:
    panel = points_of(1e3, 2e3, 3e3, before=largest)
    asked = json.loads(drawing.specification(figures.described(panel, Figure(caption="", axis="", panels=(panel,)))))
    across = [layer["encoding"]["x"] for layer in asked["layer"] if "x" in layer["encoding"]]
    scales = [x["scale"] for x in across if x.get("scale")]
    assert scales
    assert {scale["type"] for scale in scales} == {kind}
    assert all(scale["domain"][0] < 1e3 and scale["domain"][1] > largest for scale in scales)


@pytest.mark.parametrize("name", [*HOSTILE[:6], "constructor", "__proto__"])
def test_a_point_takes_any_name_as_text(name) -> None:
    spots = (Spot(size=1e3, mark=Mark(label=clean(name), value=1.0), verdict="open"),)
    panel = Points(title="", alt="", across="bytes", spots=spots)
    (svg,) = drawn_of([Figure(caption="", axis="points", panels=(panel,))]).values()
    texts = [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314
    assert sum(clean(name)[:10] in text for text in texts) == 1


def test_a_renderer_that_hangs_is_ended_and_said(monkeypatch, tmp_path) -> None:
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(painter.draw, "__file__", str(stuck))
    monkeypatch.setattr(painter, "TIME_LIMIT", 0.5)
    rendered = render(small(), ["html", "json"])
    assert "not drawn within" in str(rendered.failed["html"])
    assert set(rendered.files) == {"result.json"}


def test_the_pdf_is_tagged_titled_and_in_english(made) -> None:
    reader = PdfReader(BytesIO(made.files["report.pdf"]))
    catalog = reader.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == "Income classifier, before deployment to handsets: FAIL"
    assert b"pdfuaid" in catalog["/Metadata"].get_data()
    assert "/JavaScript" not in str(catalog)


def test_the_closing_line_is_at_the_foot_of_every_page_and_alone_on_none(made) -> None:
    texts = [page.extract_text() for page in PdfReader(BytesIO(made.files["report.pdf"])).pages]
    closing = "Evidence for those who decide, not a judgement of law."
    assert [text.count(closing) for text in texts] == [1] * len(texts)
    # beyond the running lines of a page there is something to read
    assert all(len(text) > 200 for text in texts)


def test_paper_holds_the_first_rows_of_a_long_table_and_says_so(made) -> None:
    page = made.files["report.html"].decode()
    assert 'class="screen-only"' in page
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(made.files["report.pdf"])).pages)
    assert "report.html holds them all" in text.replace("\n", " ")
    assert page.count('class="screen-only"') >= text.replace("\n", " ").count("report.html holds them all") > 0


def test_the_pdf_reads_no_file_and_asks_no_server(tmp_path) -> None:
    from weasyprint.urls import FatalURLFetchingError

    secret = tmp_path / "secret.png"
    secret.write_bytes(b"not for the report")
    page = f'<html lang="en"><title>t</title><img alt="x" src="{secret.as_uri()}"><p>rest</p></html>'
    with pytest.raises(FatalURLFetchingError, match="secret"):
        paper.pdf(page)
    with pytest.raises(FatalURLFetchingError):
        paper.pdf(page.replace(secret.as_uri(), "http://127.0.0.1:9/x.png"))


def run_instead(monkeypatch, tmp_path, text: str) -> None:
    """Let another program than the PDF's own be started."""
    program = tmp_path / "instead.py"
    program.write_text(text)
    monkeypatch.setattr(paper, "__file__", str(program))


def test_without_pango_the_rest_is_made_and_the_packages_are_named(monkeypatch, tmp_path) -> None:
    own = (
        f"import runpy, sys; sys.modules['weasyprint'] = None; runpy.run_path({paper.__file__!r}, run_name='__main__')"
    )
    run_instead(monkeypatch, tmp_path, own)
    rendered = render(small(), ["pdf", "markdown"])
    assert set(rendered.files) == {"summary.md"}
    said = str(rendered.failed["pdf"])
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"):
        assert package in said


@pytest.mark.parametrize(
    ("text", "limit", "said"),
    [
        ("import sys; sys.stdin.read(); sys.exit('the ink is dry')", 60, "could not be made: the ink is dry"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            60,
            "could not be made: its process ended with -11",
        ),
        ("import time; time.sleep(60)", 0.5, "not made within 0.5 seconds"),
    ],
)
def test_a_pdf_that_fails_or_hangs_is_said_and_keeps_nothing_else_from_being_made(
    monkeypatch, tmp_path, text, limit, said
) -> None:
    run_instead(monkeypatch, tmp_path, text)
    monkeypatch.setattr(pdf, "TIME_LIMIT", limit)
    rendered = render(small(), ["json", "pdf", "markdown"])
    assert set(rendered.files) == {"result.json", "summary.md"}
    assert said in str(rendered.failed["pdf"])


def test_a_figure_is_put_together_once_for_all_its_panels() -> None:
    dots.specified.cache_clear()
    marks = [Mark(label="Female", value=value, low=value - 1, high=value + 1) for value in (1.0, 2.0, 3.0)]
    panels = tuple(Dots(title="", alt="", marks=(mark,), limits=(-mark.value,)) for mark in marks)
    figure = Figure(caption="", axis="points", panels=panels)
    drawn = {drawing.specification(figures.described(panel, figure)) for panel in panels}
    assert (len(drawn), dots.specified.cache_info().misses) == (3, 1)


@pytest.mark.parametrize(("name", "whole"), [("W" * style.SURELY_SHORT, True), ("W" * 40, False), ("i" * 30, True)])
def test_only_a_name_that_is_too_long_for_its_place_is_cut(name, whole) -> None:
    panel = Dots(title="", alt="", marks=(Mark(label=name, value=1.0),))
    (svg,) = drawn_of([Figure(caption="", axis="points", panels=(panel,))]).values()
    assert (f">{name}<" in svg) is whole
    assert whole or f">{name[:10]}" in svg


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(OutputError, match=r'htm: no such format\n.*"html"'):
        render(small(), ["htm"])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text_in_every_output(name) -> None:
    rendered = render(hostile(name), ["html", "json", "markdown"], tools=Tools(painter=Here()))
    text, notes = rendered.files["report.html"].decode(), rendered.files["summary.md"].decode()
    page = Page(text)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]
    assert "49" not in "".join(t for t in page.texts if "7*7" in t)
    assert max(len(line) for line in page.texts if "{" not in line or "body" not in line) < 4_000
    assert "<script" not in notes
    assert "](http" not in notes.replace(r"\]", "")
    assert max(map(len, notes.splitlines())) < 8_000
    for made in (text, notes):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", made)
    assert result_json.load(rendered.files["result.json"]).result == hostile(name)


def test_the_name_of_a_split_holds_nothing_unseen_either() -> None:
    result = small()
    splits = tuple(replace(one, split="test\u202e\x1b[31m", left_out=one.by_class) for one in result.data.splits)
    view = Draft(replace(result, data=replace(result.data, splits=splits))).view
    assert splits
    assert not re.search(r"\\u202e|\\x1b", repr(view))


def test_hostile_names_do_not_reach_the_terminal_or_break_the_pdf() -> None:
    result = hostile("\x1b[31m[bold]\u202e<b>" + "x" * 500)
    console = Console(width=80, file=None, record=True, color_system=None)
    with console.capture() as captured:
        console.print(summary(Draft(result).view))
    assert "\x1b" not in captured.get()
    assert "[bold]" in captured.get()
    assert len(PdfReader(BytesIO(paper.pdf(Draft(result).html))).pages) > 3


def test_markdown_is_escaped() -> None:
    assert escaped("a|b <i> [x](http://y) `c` *d* @e") == r"a\|b &lt;i&gt; \[x\](http\://y) \`c\` \*d\* \@e"


def test_the_summary_holds_verdict_finding_and_gates(made) -> None:
    notes = made.files["summary.md"].decode()
    assert notes.startswith("# Income classifier")
    assert "**✕ FAIL.**" in notes
    assert "the baseline found 302 on average" in notes
    assert "| no group loses recall<br>" in notes


def test_the_terminal_table_fits_80_columns(made) -> None:
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(summary(made.view))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("✕ FAIL") and "no group loses recall" in line for line in lines)
    assert any("−6.6 points" in line for line in lines)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from adult_result import small
from auditor.output import write
from auditor.report.rendering import FORMATS, render
files = render(small(), FORMATS).files
print({{name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}})
"""


def digests(**environment: str) -> str:
    program = [sys.executable, "-c", SCRIPT.format(tests=str(TESTS))]
    path = str(TESTS.parent)
    keys = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run(program, env=keys, cwd=path, capture_output=True, text=True, check=True).stdout


def test_the_same_result_gives_the_same_bytes_anywhere() -> None:
    here = digests(TZ="Asia/Kathmandu", LC_ALL="C", PYTHONHASHSEED="1")
    there = digests(TZ="America/New_York", LC_ALL="C.UTF-8", PYTHONHASHSEED="2", SOURCE_DATE_EPOCH="86400")
    assert "report.pdf" in here
    assert here == there


def test_files_are_written_whole_and_nothing_else_is_left(tmp_path) -> None:
    folder = tmp_path / "a" / "b"
    paths = write(folder, {"x.txt": b"one", "deep/y.txt": b"two"}, "Choose another.")
    assert [path.read_bytes() for path in paths] == [b"one", b"two"]
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["x.txt", "y.txt"]


def test_a_link_that_lies_where_a_file_is_being_written_is_not_followed(tmp_path, monkeypatch) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / f".x.txt.{os.getpid()}.part").symlink_to(tmp_path / "mine")
    (path,) = write(tmp_path, {"x.txt": b"one"}, "Choose another.")
    assert (path.read_bytes(), path.is_symlink()) == (b"one", False)
    foreseen = tmp_path / ".y.txt.part"
    foreseen.symlink_to(tmp_path / "mine")
    monkeypatch.setattr(output, "part_of", lambda _: foreseen)
    with pytest.raises(OutputError, match="File exists"):
        write(tmp_path, {"y.txt": b"two"}, "Choose another.")
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_folder_that_cannot_be_made_is_said_and_nothing_changes(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "taken" / "out", {"x.txt": b"one"}, "Choose another.")
    write(tmp_path, {"x.txt": b"old"}, "Choose another.")
    (tmp_path / "z").write_text("a file where a folder is needed")
    with pytest.raises(OutputError):
        write(tmp_path, {"x.txt": b"new", "z/y.txt": b"two"}, "Choose another.")
    assert (tmp_path / "x.txt").read_bytes() == b"old"
    assert not list(tmp_path.rglob("*.part"))


def test_a_folder_in_the_place_of_a_file_is_said_before_any_file_changes(tmp_path) -> None:
    write(tmp_path, {"x.txt": b"old"}, "Choose another.")
    (tmp_path / "z.txt").mkdir()
    with pytest.raises(OutputError, match=r"z\.txt.*is a folder"):
        write(tmp_path, {"x.txt": b"new", "z.txt": b"two"}, "Choose another.")
    assert (tmp_path / "x.txt").read_bytes() == b"old"
    assert not list(tmp_path.rglob("*.part"))


def test_what_others_may_not_read_is_not_shown_to_them_when_it_is_written_again(tmp_path) -> None:
    (tmp_path / "x.txt").write_bytes(b"old")
    (tmp_path / "x.txt").chmod(0o600)
    write(tmp_path, {"x.txt": b"new", "y.txt": b"new"}, "Choose another.")
    assert stat.S_IMODE((tmp_path / "x.txt").stat().st_mode) == 0o600
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "elsewhere").chmod(0o777)
    (tmp_path / "y.txt").unlink()
    (tmp_path / "y.txt").symlink_to("elsewhere")
    (path,) = write(tmp_path, {"y.txt": b"one"}, "Choose another.")
    assert stat.S_IMODE(path.lstat().st_mode) != 0o777


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__", "hasOwnProperty"])
def test_a_group_may_have_the_name_of_something_that_every_object_has(name) -> None:
    mark = Mark(label=name, value=1.0, low=0.5, high=1.5)
    dots = Dots(title="", alt="", marks=(mark,))
    lines = Lines(title="", alt="", lines=(Line(name="everybody", marks=(mark,)),))
    drawn = drawn_of([Figure(caption="", axis="points", panels=(dots, lines))])
    assert all(f">{name}<" in svg for svg in drawn.values())
