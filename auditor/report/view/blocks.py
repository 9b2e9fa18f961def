"""What a report is made of, apart from any format: sections of paragraphs, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from auditor.records import Verdict
from auditor.report.view.panels import Pairs, Ranked, Ratios, Shifts

Tone = Literal["", "pass", "fail", "open", "undefined", "muted"]
SYMBOLS = {Verdict.PASS: "✓", Verdict.FAIL: "✕", Verdict.INCONCLUSIVE: "?", Verdict.UNDEFINED: "∅"}
TONES: dict[Verdict, Tone] = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "fail",
    Verdict.INCONCLUSIVE: "open",
    Verdict.UNDEFINED: "undefined",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    detail: str = ""
    """A second, smaller line."""
    tone: Tone = ""
    symbol: str = ""
    """A verdict's shape, for readers who do not see its colour."""
    links: tuple[tuple[str, str], ...] = ()
    """Ids and titles of sections that the text names; formats without links show the text."""
    picture: str = ""
    """A JPEG file in base64, of what the row is about; formats without pictures leave it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    heading: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings; the first column names the row."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    left: int = 0
    """Rows that are not here but in result.json; the note says so."""
    on_paper: int | None = None
    """How many rows are set on paper, where the page has no end of them; None: all, 0: none, it is the page's alone."""
    is_list: bool = False
    """Whether rows hold sentences: on a narrow page each is then set as a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Paragraphs."""

    kind: ClassVar[str] = "prose"
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """Statements that stand side by side."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """Lines of mathematics, in plain characters."""

    kind: ClassVar[str] = "formula"
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names and what they stand for."""

    kind: ClassVar[str] = "facts"
    caption: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One row of a dot plot, or one point of a line: all in percent or points; None is undefined."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    small: bool = False
    """Few examples: drawn hollow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """Points with intervals, one row a group, in one panel a variant."""

    title: str
    alt: str
    marks: tuple[Mark, ...]
    limits: tuple[float, ...] = ()
    zero: float | None = 0.0
    """Where nothing changed, or what everybody has; None for no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One quantity over the variants."""

    name: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A true axis of how far the variants of a panel go."""

    name: str
    """What it measures, and how."""
    places: tuple[float, ...]
    """One a mark, the baseline's first: 0 is the left end, 1 the right."""
    labels: tuple[str, ...]
    """One a place."""
    joined: bool
    """Whether the baseline has a place on the axis; else it stands beside it, and no line leads from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit on what a panel shows: in percent."""

    value: float
    label: str
    """For whom it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Quantities over the variants, in one panel."""

    title: str
    alt: str
    lines: tuple[Line, ...]
    quantity: str = ""
    """What they are: panels of one quantity have one vertical axis, so that they can be compared."""
    levels: Levels | None = None
    """None where the variants are in no order: they stand side by side."""
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One cell of a heat map."""

    text: str
    """What is printed in it."""
    value: float | None
    """In points; None is undefined, or not measured."""
    sure: bool = False
    """Whether its interval excludes 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A heat map: names of rows with their cells, under the names of columns."""

    title: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Tile, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One variant among others: how large it is, and what it does."""

    size: float
    """In bytes."""
    mark: Mark
    verdict: Literal["pass", "fail", "open"]
    """A filled circle, a cross, a hollow circle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Sizes against what they cost."""

    title: str
    alt: str
    across: str
    """What the horizontal axis is."""
    spots: tuple[Spot, ...]
    limits: tuple[float, ...] = ()
    before: float | None = None
    """The baseline's size, in bytes."""


Panel = Dots | Lines | Grid | Points | Pairs | Ratios | Shifts | Ranked


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Panels that are read together; the table that holds its numbers stands beside it."""

    kind: ClassVar[str] = "figure"
    caption: str
    axis: str
    panels: tuple[Panel, ...]
    note: str = ""


Block = Table | Prose | Heading | Bullets | Formula | Facts | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One question and its answer."""

    id: str
    title: str
    question: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How many of how many, for the picture on page one."""

    name: str
    count: str
    share: float
    """Of the whole, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The finding that page one is about."""

    kicker: str
    """Which finding this is."""
    sentence: str
    """The finding in people."""
    bars: tuple[Bar, ...]
    bars_caption: str
    support: tuple[str, ...]
    """Its interval, what seeds alone would have said, the baseline, the contrast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A whole report."""

    title: str
    subtitle: str
    verdict: str
    """PASS, FAIL, UNDECIDED or NOT JUDGED."""
    tone: Tone
    symbol: str
    verdict_sentence: str
    notices: tuple[str, ...]
    """What a reader must know before anything else."""
    facts: Facts
    headline: Headline
    gates: Table | None
    """One row a gate, worst first."""
    comparisons: tuple[Table, ...]
    """For each row of `gates` its comparisons, worst first."""
    sections: tuple[Section, ...]
    digest_line: str

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in the order in which they stand."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Figure))
