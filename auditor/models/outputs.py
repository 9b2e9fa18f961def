"""Which of a model's outputs is audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import ModelError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence


def place_of(output: str | None, names: Sequence[str], file: str) -> int:
    """The place of the declared output among all names of a file; undeclared, the only one there is.

    Raises ModelError where none is declared and there are several, or where not exactly one has the name.
    """
    if output is None:
        if len(names) <= 1:
            return 0
        message = f"the model has {len(names)} outputs: {_listed(names)}"
        raise ModelError(
            Problem(file=file, message=message, advice=f'Name one, beside the file: output = "{names[0]}".')
        )
    if names.count(output) == 1:
        return names.index(output)
    if output in names:
        message, advice = f'several of its outputs are named "{output}"', "Save it with a name for each."
    else:
        message = f'the model has no output "{output}"; it has {_listed(names) or "none with a name"}'
        advice = did_you_mean(output, names)
    raise ModelError(Problem(file=file, where="output", message=message, advice=advice))


def uniquified(names: Sequence[str]) -> list[str]:
    """Names that are all different, as Keras makes them: a, a_1, a_2."""
    made: dict[str, None] = {}
    last: dict[str, int] = {}  # so that many equal names cost no more than as many others
    for name in names:
        proposal = name
        while proposal in made:
            last[name] = last.get(name, 0) + 1
            proposal = f"{name}_{last[name]}"
        made[proposal] = None
    return list(made)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
    return ", ".join(f'"{name}"' for name in names[:12]) + more
