"""Model files that audit.toml names: one, or a population that a star stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.data.values import find, listed, natural, text
from auditor.errors import AuditorError, ModelError, Problem, did_you_mean
from auditor.models.decide import ADVICE, Reading
from auditor.models.inspect import inspect_model
from auditor.models.load import ending_of, read_pinned

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from auditor.models.config import ModelFacts
    from auditor.models.decide import OutputKind
    from auditor.records import Dataset
    from auditor.spec import Data, Pins


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A model file, its digest taken and its inside looked at."""

    path: Path
    star: str
    """What the star stands for; empty where there is none."""
    sha256: str
    pinned: bool
    """Whether audit.toml says the digest too."""
    facts: ModelFacts


def given_files(
    base: Path, declared: str, pins: Pins, reading: Mapping[str, Any], where: str, output: str | None = None
) -> tuple[GivenFile, ...]:
    """Every file of a path, in natural order of what its star stands for; a path without a star is one file.

    `base` is the folder of audit.toml, `reading` JSON of `Reading`, `output` the name of the output that is audited,
    where there are several. Raises ModelError with every file that is missing, refused, not the one that was pinned, or
    whose outputs are not the classes.
    """
    paths = matches(base, declared)
    if not paths:
        raise ModelError(Problem(file=str(base / declared), where=where, message="no file matches the star"))
    digests = pins if isinstance(pins, dict) else dict.fromkeys(paths, pins)
    problems = [
        Problem(where=f"{where}: sha256", message=f'no file is "{star}" in place of the star')
        for star in digests
        if star not in paths
    ]
    found = []
    for star, path in paths.items():
        try:
            content, sha256 = read_pinned(path, digests.get(star))
            facts = inspect_model(content, ending_of(path), str(path), output=output)
        except AuditorError as error:
            problems += error.problems
            continue
        if facts.outputs is not None and (said := Reading(**reading).misfit(facts.outputs)):
            problems.append(Problem(file=str(path), where=where, message=said, advice=ADVICE))
        else:
            pinned = digests.get(star) is not None
            found.append(GivenFile(path=path, star=star, sha256=sha256, pinned=pinned, facts=facts))
    if problems:
        raise ModelError(*problems)
    return tuple(found)


def reading_of(data: Data, dataset: Dataset, kind: OutputKind | None) -> dict[str, Any]:
    """How outputs are read, JSON of `Reading`. Raises ModelError where data.classes names a class that is none."""
    classes, declared = dataset.classes, data.classes
    if not isinstance(declared, dict):
        return {"classes": len(classes), "kind": kind}
    class_of = {number: find(value, classes) for number, value in declared.items()}
    if unknown := [text(declared[number]) for number, index in class_of.items() if index is None]:
        advice = did_you_mean(unknown[0], map(text, classes))
        raise ModelError(Problem(where="data.classes", message=f"{listed(unknown)}: no such class", advice=advice))
    named = {index for index in class_of.values() if index is not None}
    other = 1 - named.pop() if len(classes) == 2 and len(named) == 1 else None
    return {"classes": len(classes), "kind": kind, "class_of": class_of, "other": other}


def matches(base: Path, declared: str) -> Mapping[str, Path]:
    """The files of a path, by what its star stands for: part of one name. Without a star: the path itself."""
    if "*" not in declared:
        return {"": base / declared}
    # The star is part of one name; nothing else of the path is a pattern.
    parts = (base / declared).parts
    place = next(number for number, part in enumerate(parts) if "*" in part)
    folder, rest = Path(*parts[:place]), Path(*parts[place + 1 :])
    before, _, after = parts[place].partition("*")
    shape = re.compile(f"{re.escape(before)}(.+){re.escape(after)}")
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        match = shape.fullmatch(path.name)
        if match and (path / rest).exists():
            found[match[1]] = path / rest
    return {star: found[star] for star in sorted(found, key=natural)}


def check_partners(where: str, own: Collection[str], baseline: Collection[str]) -> None:
    """Raise ModelError where the stars of a variant and of the baseline do not stand for the same."""
    lone = sorted({*own} ^ {*baseline}, key=natural)
    if lone:
        raise ModelError(
            Problem(
                where=where,
                message=f"its files and the baseline's do not pair: without a partner {listed(lone)}",
                advice="In place of the star both need the same: a run whose file is missing failed, and a population "
                "without its failures is another one. Take such a run out of both only if it never belonged to them.",
            )
        )
