"""The part of a first audit.toml about a table: which columns a model reads, and whether a given one can."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.data.features import Category, fit
from auditor.init.toml import comment, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from auditor.init.look import Look
    from auditor.init.subject import Subject


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what becomes of them."""

    subject: Subject

    @cached_property
    def ids(self) -> list[Look]:
        """Those that name examples or people."""
        return [one for one in self.subject.columns if one.is_id and one is not self.subject.label]

    @cached_property
    def shared(self) -> Look | None:
        """The id that several rows share; None where there is none."""
        rows = len(self.subject.frame)
        return next((one for one in self.ids if len(one.held) < rows and not one.missing), None)

    @cached_property
    def dropped(self) -> Mapping[str, str]:
        """Those that no model can read, or should, and why."""
        named = {one.name for one in self.ids if one is not self.shared}
        reasons = {one.name: "names a row" if one.name in named else one.unusable for one in self.subject.columns}
        return {name: why for name, why in reasons.items() if why and name not in self._taken}

    @cached_property
    def _taken(self) -> set[str]:
        subject = self.subject
        split = {subject.split[0]} if subject.split else set()
        return {subject.label.name, *(one.look.name for one in subject.attributes)} | split

    @cached_property
    def misfit(self) -> str:
        """Why a given model cannot read the other columns; empty where it can, or its file does not tell."""
        model = self.subject.model
        if model is None or self.subject.source != "table":
            return ""
        match model.facts.input_shape:
            case (int() as wanted,):
                pass
            case _:
                return ""
        out = {*self._taken, *self.dropped, *([self.shared.name] if self.shared else [])}
        given = self._inputs([one.name for one in self.subject.columns if one.name not in out])
        if given == wanted:
            return ""
        said = f"the model reads {wanted:,} numbers, and the columns give {given:,}"
        usable = [one.look.name for one in self.subject.attributes if not one.look.unusable]
        more = given + self._inputs(usable)
        return f"{said}; with the attributes, use_as_feature = true, {more:,}" if more > given else said

    def _inputs(self, names: Sequence[str]) -> int:
        """How many inputs the columns become, fitted on the training rows."""
        features, _ = fit(self._train[names])
        return sum(len(one.categories) if isinstance(one, Category) else 1 for one in features)

    @cached_property
    def _train(self) -> pd.DataFrame:
        frame, split = self.subject.frame, self.subject.split
        return frame if split is None else frame[frame[split[0]] == split[1]]


def feature_lines(columns: Columns) -> Iterator[str]:
    """Write `[data.features]`."""
    yield ""
    yield "[data.features]  # a model reads all other columns: numbers standardised, text one-hot"
    if columns.misfit:
        yield comment(f"But {columns.misfit}.")
        yield '# Name those that it was trained on, use = ["…"], or in drop those that it does not know.'
    elif columns.subject.model is not None:
        yield "# The model must have been trained on the same columns in this order, prepared in the same way."
    for name, why in columns.dropped.items():
        yield comment(f"{name}: {why}")
    yield f"drop = {value([*columns.dropped])}"


def table_questions(subject: Subject) -> Iterator[str]:
    """Say what a given model needs of the columns."""
    if misfit := Columns(subject).misfit:
        yield f"--model: {misfit}: see [data.features]"
