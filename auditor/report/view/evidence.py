"""The appendix for those who need evidence under a rule: what it asks for, and where this report tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.report.view.blocks import Cell, Column, Prose, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.records import AuditResult

ABSENT = "Not in this audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a rule asks to be documented."""

    source: str
    asks: str
    sections: tuple[str, ...]
    """Ids of the sections that tell of it; those that a report lacks are left out."""
    beyond: str = ""
    """What of it no audit of this kind holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A rule with its parts."""

    name: str
    parts: tuple[Rule, ...]


LAWS = (
    Law(
        name="European Union: Artificial Intelligence Act (Regulation (EU) 2024/1689)",
        parts=(
            Rule(
                source="Annex IV 2(g)",
                asks="How the system was tested, on which data and with which metrics, potentially discriminatory "
                "impacts among them; test logs and reports, dated and signed",
                sections=("data", "gates", "changes", "method", "provenance"),
                beyond="A signature.",
            ),
            Rule(
                source="Annex IV 3",
                asks="Capabilities and limitations, the accuracy for specific persons or groups among them, and "
                "foreseeable unintended outcomes",
                sections=("overall", "changes", "exemplars", "not-measured"),
            ),
            Rule(
                source="Annex IV 4",
                asks="Why the metrics are appropriate for this system",
                sections=("gates", "method"),
            ),
            Rule(
                source="Annex IV 6",
                asks="Relevant changes over the system's lifecycle, of which compression is one",
                sections=("variants", "changes"),
            ),
            Rule(
                source="Art. 10(2)(f) to (h)",
                asks="Examination of data for possible biases, measures against them, gaps in the data",
                sections=("data", "not-measured"),
                beyond="The training data beyond its counts, and measures against bias.",
            ),
            Rule(
                source="Art. 13(3)(b)(v)",
                asks="Performance regarding specific persons or groups on which the system is to be used",
                sections=("overall", "changes", "gates"),
            ),
            Rule(
                source="Art. 15",
                asks="Accuracy, robustness and cybersecurity, with the metrics of accuracy declared",
                sections=("overall",),
                beyond="Robustness against errors and attacks, and cybersecurity.",
            ),
        ),
    ),
    Law(
        name="United States: NIST AI Risk Management Framework, MEASURE",
        parts=(
            Rule(
                source="MEASURE 1.1",
                asks="Which metrics were chosen, and what is not or cannot be measured",
                sections=("method", "not-measured"),
            ),
            Rule(source="MEASURE 2.1", asks="Test sets, metrics and tools", sections=("data", "method", "provenance")),
            Rule(
                source="MEASURE 2.11",
                asks="Fairness and bias: within groups, across them and where they intersect, with uncertainty",
                sections=("gates", "changes", "further"),
            ),
            Rule(
                source="MEASURE 2.13",
                asks="How well the measuring itself works",
                sections=("method",),
            ),
        ),
    ),
    Law(
        name="New York City: Local Law 144 (6 RCNY 5-301)",
        parts=(
            Rule(
                source="5-301",
                asks="Selection rate and impact ratio by sex, race/ethnicity and their intersection; how many are of "
                "unknown category; date of the audit; source and explanation of the data",
                sections=("selections", "data", "provenance"),
                beyond="Whether the attributes audited here are the categories that the law names.",
            ),
        ),
    ),
    Law(
        name="United States: Uniform Guidelines on Employee Selection Procedures (29 CFR 1607.4(D))",
        parts=(
            Rule(
                source="1607.4(D)",
                asks="Counts, selection rates and their ratio (four fifths), statistical significance, and whether "
                "one selection more would change the picture",
                sections=("selections",),
            ),
        ),
    ),
)


def evidence_section(sections: Sequence[Section], result: AuditResult) -> Section:
    """Say for each rule where in the report, of these sections, its evidence stands, and what the audit lacks of it."""
    # a population of models has no selection table, and then the section of that name says only why
    has_selections = any(found.tables for found in result.selections)
    titles = {s.id: s.title for s in sections if has_selections or s.id != "selections"}
    lacking = _lacking(result)
    text = (
        "Those who must document a system find here which part of this report is evidence for what a rule asks for. "
        "It does not say that a rule applies, that what it asks for is complete, or that it is kept."
    )
    return Section(
        id="evidence",
        title="Appendix: evidence by rule",
        question="Which part of this report is evidence for what?",
        blocks=(Prose(paragraphs=(text,)), *(_table(law, titles, lacking) for law in LAWS)),
    )


def _lacking(result: AuditResult) -> Mapping[str, str]:
    """Give, by the rule's source, what an audit may hold and this one does not."""
    audit = result.definition["audit"]
    named = "Who answers for it is named on page one." if audit.get("owner") or audit.get("reviewers") else ""
    day = "" if result.judged_on else "The day of the audit."
    explained = result.gates and all(gate.why for gate in result.gates)
    reasons = "" if explained else "Reasons for the metric and the limit of every gate: not all give one."
    return {"Annex IV 2(g)": f"{named} {day}".strip(), "Annex IV 4": reasons, "5-301": day}


def _table(law: Law, titles: Mapping[str, str], lacking: Mapping[str, str]) -> Table:
    beyond = {part.source: f"{part.beyond} {lacking.get(part.source, '')}".strip() for part in law.parts}
    return Table(
        caption=law.name,
        columns=tuple(Column(heading=heading) for heading in ("Part", "Asks for", "Stands under", "Is not here")),
        rows=tuple(
            (
                Cell(text=part.source.replace(" ", "\N{NO-BREAK SPACE}")),
                Cell(text=part.asks),
                _places(part, titles),
                Cell(text=beyond[part.source] or "–", tone="" if beyond[part.source] else "muted"),
            )
            for part in law.parts
        ),
        is_list=True,
    )


def _places(part: Rule, titles: Mapping[str, str]) -> Cell:
    found = tuple((place, titles[place]) for place in part.sections if place in titles)
    if part.sections[0] not in titles:  # what the rule is about first of all
        return Cell(text=ABSENT, tone="undefined")
    return Cell(text=", ".join(title for _, title in found), links=found)
