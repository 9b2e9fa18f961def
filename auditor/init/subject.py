"""What is to be audited, decided from flags, from names and values, or by asking."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from auditor.data.values import find, listed, text
from auditor.declare.sense import RESERVED
from auditor.errors import Problem, SpecError, did_you_mean
from auditor.init.find import find_data
from auditor.init.given import check_given, check_input, check_outputs, look_into
from auditor.init.look import find_split, guess_label, guess_positive, look, round_edges
from auditor.spec import CLASS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.init.find import Found
    from auditor.init.given import GivenModel
    from auditor.init.look import Look
    from auditor.records import Label

MOST_VALUES = 12
"""Numbers with more distinct values are put into bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says."""

    data: Path
    table: Path | None = None
    """Attributes beside data that hold none."""
    model: Path | None = None
    artifact: Path | None = None
    label: str | None = None
    positive: str | None = None
    attributes: tuple[str, ...] = ()
    """One empty name: there are none."""
    predictions: tuple[str, ...] = ()
    """Patterns, the baseline's first."""


class Ask(Protocol):
    """Decides what no flag says."""

    def __call__(self, flag: str, question: str, guess: str | None, advice: str) -> str:
        """Give the answer; raises SpecError, naming the flag, where nobody can be asked and there is no guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A sensitive attribute."""

    look: Look
    guessed: bool
    edges: tuple[float, ...]
    """Inner edges of bins; empty where its values are the groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that a first audit.toml is written from."""

    data: Path
    table: Path | None
    found: Found
    columns: tuple[Look, ...]
    """Without those of predictions, and those that name examples."""
    label: Look
    label_guessed: bool
    positive: Label | None
    positive_guessed: bool
    attributes: tuple[Chosen, ...]
    split: tuple[str, Label, Label] | None
    """The column that tells splits, with its values for training and test; also where audit.toml does not say it."""
    model: GivenModel | None
    artifact: GivenModel | None
    unmapped: tuple[str, ...]
    """Flags of the files whose outputs are more or fewer than the classes."""
    predictions: tuple[str, ...]
    threshold: bool
    """Whether the predictions' columns hold probabilities of the positive class."""

    @property
    def source(self) -> str:
        """As `data.source` names it."""
        return self.found.source

    @property
    def numbered(self) -> int | None:
        """How many outputs all files have whose numbers the label's values are; None where nobody can tell."""
        held, outputs = self.label.held, {one.facts.outputs for one in (self.model, self.artifact) if one is not None}
        many = outputs.pop() if len(outputs) == 1 else None
        # Of two classes, 0 and 1 are mostly no numbers of outputs.
        if many is None or not 3 <= len(held) < many:
            return None
        return many if all(type(value) is int and 0 <= value < many for value in held) else None

    @property
    def frame(self) -> pd.DataFrame:
        """One row an example."""
        return self.found.frame


def settle(wishes: Wishes, ask: Ask) -> Subject:
    """Decide everything; raises AuditorError for files that cannot be read and what nobody decides."""
    found = find_data(wishes)
    _check_predictions(wishes, found.frame)
    model, artifact = look_into(wishes.model, "--model"), look_into(wishes.artifact, "--artifact")
    check_given(model, artifact)
    members = [name for name in map(str, found.frame) for pattern in wishes.predictions if _matches(name, pattern)]
    names = [name for name in map(str, found.frame) if name not in {*members, *found.taken}]
    columns = tuple(look(name, found.frame[name]) for name in names)
    label = _label(wishes, columns, found, ask)
    given = {flag: one for flag, one in (("--model", model), ("--artifact", artifact)) if one is not None}
    for flag, one in given.items():
        check_input(one, flag, found)
    unmapped = tuple(flag for flag, one in given.items() if not check_outputs(one, flag, len(label.held)))
    positive, guessed = _positive(wishes, label, ask)
    split = None
    if found.source not in {"celeba", "predictions"}:
        split = find_split([one for one in columns if one is not label])
    taken = {label.name, *found.labels} | ({split[0]} if split else set())
    free = [one for one in columns if one.name not in taken and _may_be_named(one.name)]
    return Subject(
        data=wishes.data,
        table=wishes.table,
        found=found,
        columns=columns,
        label=label,
        label_guessed=wishes.label is None and len(found.labels) != 1,
        positive=positive,
        positive_guessed=guessed,
        attributes=_attributes(wishes, free, found, ask),
        split=split,
        model=model,
        artifact=artifact,
        unmapped=unmapped,
        predictions=wishes.predictions,
        threshold=any(CLASS not in pattern for pattern in wishes.predictions)
        and any(_is_probability(found.frame[name]) for name in members),
    )


def _check_predictions(wishes: Wishes, frame: pd.DataFrame) -> None:
    problems = []
    if wishes.predictions and (wishes.model or wishes.artifact):
        problems.append(Problem(where="--predictions", message="goes with no model: decisions were made elsewhere"))
    if len(wishes.predictions) == 1:
        advice = "Give it once for the baseline, and once for every compressed variant."
        problems.append(Problem(where="--predictions", message="a variant is missing", advice=advice))
    problems += [
        Problem(where="--predictions", message=f'no column matches "{p}"', advice=did_you_mean(p, map(str, frame)))
        for p in wishes.predictions
        if not any(_matches(name, p) for name in map(str, frame))
    ]
    if problems:
        raise SpecError(*problems)


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.replace(CLASS, "*"))


def _is_probability(column: pd.Series) -> bool:
    if not pd.api.types.is_float_dtype(column):
        return False
    return bool(column.between(0, 1).all() and (column.mod(1) != 0).any())


def _found(flag: str, name: str, columns: Sequence[Look], found: Found) -> Look:
    for one in columns:
        if one.name == name:
            return one
    what = "array" if found.source == "arrays" else "column"
    message, advice = f'there is no {what} "{name}"', did_you_mean(name, [one.name for one in columns])
    if name in found.left:
        message, advice = f'the array "{name}" cannot be it', found.left[name]
    raise SpecError(Problem(where=flag, message=message, advice=advice))


def _label(wishes: Wishes, columns: Sequence[Look], found: Found, ask: Ask) -> Look:
    among = [one for one in columns if one.name in found.labels] if found.labels else columns
    name = wishes.label
    if name is None and len(found.labels) == 1:
        name = found.labels[0]
    if name is None:
        guess = None if found.source == "celeba" else guess_label(among)
        guess = found.labels[0] if found.labels else guess
        what = "array" if found.source == "arrays" else "column"
        advice = f"{what.capitalize()}s: {listed([one.name for one in among], most=40)}."
        name = ask("--label", f"Which {what} holds the true class?", guess, " ".join([advice, *_left(found)]))
    return _found("--label", name, among, found)


def _left(found: Found) -> list[str]:
    """Tell of arrays that cannot be the label, though their names may say so."""
    return [f'Not "{name}": {why}' for name, why in list(found.left.items())[:3]]


def _positive(wishes: Wishes, label: Look, ask: Ask) -> tuple[Label | None, bool]:
    guess, name = guess_positive(label), wishes.positive
    if name is None and guess is not None:
        held = listed([text(value) for value in label.held])
        name = ask("--positive", f"Which class are recall and selection about ({held})?", text(guess), "")
    if name is None:
        return None, False
    index = find(name, label.held)
    if index is None:
        advice = did_you_mean(name, [text(value) for value in label.held])
        raise SpecError(Problem(where="--positive", message=f'"{name}" is no value of {label.name}', advice=advice))
    return label.held[index], wishes.positive is None


def _attributes(wishes: Wishes, free: Sequence[Look], found: Found, ask: Ask) -> tuple[Chosen, ...]:
    names: Sequence[str] = wishes.attributes
    if not names and not free and found.source not in {"table", "predictions"}:
        return ()
    if not names:
        few = [one.name for one in free if 2 <= len(one.held) <= MOST_VALUES]
        guesses = [one.name for one in free if one.is_sensitive]
        if wishes.table is not None:
            guesses = guesses or few  # it was named for their sake
        advice = f"Columns with few values: {listed(few, most=40) or 'none'}. --attribute '' audits classes alone."
        guess = ",".join(guesses)
        answer = ask("--attribute", "Which columns say who somebody is, by commas?", guess or None, advice)
        names = guesses if answer == guess else [name.strip() for name in answer.split(",")]
    chosen = [_found("--attribute", name, free, found) for name in dict.fromkeys(names) if name]
    guessed = not wishes.attributes
    return tuple(Chosen(look=one, guessed=guessed, edges=_edges(one, found.frame[one.name])) for one in chosen)


def _may_be_named(name: str) -> bool:
    return name not in RESERVED and not name.startswith("member_")


def _edges(one: Look, column: pd.Series) -> tuple[float, ...]:
    return tuple(round_edges(column)) if one.is_number and len(one.held) > MOST_VALUES else ()
