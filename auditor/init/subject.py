"""What is to be audited, decided from flags, from names and values, or by asking."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from auditor.data.celeba import ATTRIBUTES, read_attribute_list
from auditor.data.reading import column_names, read_rows
from auditor.data.values import find, listed, text
from auditor.declare.sense import RESERVED
from auditor.errors import DataError, Problem, SpecError, did_you_mean
from auditor.init.look import find_split, guess_label, guess_positive, look, round_edges
from auditor.models.inspect import inspect_model
from auditor.models.load import ending_of, read_pinned
from auditor.spec import CLASS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auditor.init.look import Look
    from auditor.models.config import ModelFacts
    from auditor.records import Label

MOST_VALUES = 12
"""Numbers with more distinct values are put into bins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says."""

    data: Path
    model: Path | None = None
    artifact: Path | None = None
    label: str | None = None
    positive: str | None = None
    attributes: tuple[str, ...] = ()
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
class GivenModel:
    """A model file that was looked into, but not opened."""

    path: Path
    sha256: str
    facts: ModelFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """All that a first audit.toml is written from."""

    source: str
    """"table", "celeba" or "predictions"."""
    data: Path
    frame: pd.DataFrame
    columns: tuple[Look, ...]
    """Without those of predictions."""
    label: Look
    label_guessed: bool
    positive: Label | None
    positive_guessed: bool
    attributes: tuple[Chosen, ...]
    split: tuple[str, Label, Label] | None
    model: GivenModel | None
    artifact: GivenModel | None
    predictions: tuple[str, ...]
    threshold: bool
    """Whether the predictions' columns hold probabilities of the positive class."""


def settle(wishes: Wishes, ask: Ask) -> Subject:
    """Decide everything; raises AuditorError for files that cannot be read and what nobody decides."""
    source, frame = _read(wishes)
    model, artifact = (_look_into(path) for path in (wishes.model, wishes.artifact))
    _check_wishes(wishes, model, frame)
    members = [name for name in map(str, frame) for pattern in wishes.predictions if _matches(name, pattern)]
    columns = tuple(look(name, frame[name]) for name in map(str, frame) if name not in members)
    known = {one.name: one for one in columns}
    label = _label(wishes, columns, source, ask)
    positive, guessed = _positive(wishes, label, ask)
    split = find_split([one for one in columns if one is not label]) if source == "table" else None
    return Subject(
        source=source,
        data=wishes.data,
        frame=frame,
        columns=columns,
        label=label,
        label_guessed=wishes.label is None,
        positive=positive,
        positive_guessed=guessed,
        attributes=_attributes(wishes, known, label, split, frame, ask),
        split=split,
        model=model,
        artifact=artifact,
        predictions=wishes.predictions,
        threshold=any(CLASS not in pattern for pattern in wishes.predictions)
        and any(_is_probability(frame[name]) for name in members),
    )


def _read(wishes: Wishes) -> tuple[str, pd.DataFrame]:
    data = wishes.data
    if data.is_dir():
        if not (data / ATTRIBUTES).is_file():
            advice = f"Name a table, or the folder with CelebA's official files ({ATTRIBUTES})."
            raise DataError(Problem(file=str(data), message="the folder is no data set that is known", advice=advice))
        names, _, values = read_attribute_list(data / ATTRIBUTES)
        return "celeba", pd.DataFrame(values, columns=names)
    frame = read_rows([data], column_names(data)).frame
    return "predictions" if wishes.predictions else "table", frame


def _look_into(path: Path | None) -> GivenModel | None:
    if path is None:
        return None
    content, digest = read_pinned(path, None)
    return GivenModel(path=path, sha256=digest, facts=inspect_model(content, ending_of(path), str(path)))


def _check_wishes(wishes: Wishes, model: GivenModel | None, frame: pd.DataFrame) -> None:
    problems = []
    if wishes.artifact is not None and model is None:
        advice = "Name the model that it came of, too: --model."
        message = "is compared with a baseline, which is missing"
        problems.append(Problem(where="--artifact", message=message, advice=advice))
    if model is not None and model.facts.ending == ".tflite" and wishes.artifact is None:
        advice = "Name a compressed file with --artifact, or the .keras or .h5 file that it came of with --model."
        problems.append(Problem(where="--model", message="a .tflite file cannot be compressed further", advice=advice))
    if wishes.predictions and (model or wishes.artifact):
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


def _found(flag: str, name: str, columns: Sequence[Look]) -> Look:
    for one in columns:
        if one.name == name:
            return one
    message, advice = f'there is no column "{name}"', did_you_mean(name, [one.name for one in columns])
    raise SpecError(Problem(where=flag, message=message, advice=advice))


def _label(wishes: Wishes, columns: Sequence[Look], source: str, ask: Ask) -> Look:
    name = wishes.label
    if name is None:
        guess = None if source == "celeba" else guess_label(columns)
        advice = f"Columns: {listed([one.name for one in columns], most=40)}."
        name = ask("--label", "Which column holds the true class?", guess, advice)
    return _found("--label", name, columns)


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


def _attributes(
    wishes: Wishes,
    known: dict[str, Look],
    label: Look,
    split: tuple[str, Label, Label] | None,
    frame: pd.DataFrame,
    ask: Ask,
) -> tuple[Chosen, ...]:
    taken = {label.name} | ({split[0]} if split else set())
    free = [one for one in known.values() if one.name not in taken and _may_be_named(one.name)]
    names: Sequence[str] = wishes.attributes
    if not names:
        guesses = [one.name for one in free if one.is_sensitive]
        few = listed([one.name for one in free if 2 <= len(one.held) <= MOST_VALUES], most=40)
        advice = f"Columns with few values: {few or 'none'}."
        guess = ",".join(guesses)
        answer = ask("--attribute", "Which columns say who somebody is, by commas?", guess or None, advice)
        names = guesses if answer == guess else [name.strip() for name in answer.split(",")]
    chosen = [_found("--attribute", name, free) for name in dict.fromkeys(names)]
    return tuple(Chosen(look=one, guessed=not wishes.attributes, edges=_edges(one, frame[one.name])) for one in chosen)


def _may_be_named(name: str) -> bool:
    return name not in RESERVED and not name.startswith("member_")


def _edges(one: Look, column: pd.Series) -> tuple[float, ...]:
    return tuple(round_edges(column)) if one.is_number and len(one.held) > MOST_VALUES else ()
