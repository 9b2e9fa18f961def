"""A first audit.toml from data of any source but records, and possibly from model files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.errors import OutputError, Problem, SpecError
from auditor.init.subject import Ask, Wishes, settle
from auditor.init.write import audit_toml
from auditor.init.write_model import open_questions
from auditor.init.write_table import table_questions
from auditor.output import part_of, write_new

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Ask", "Draft", "Wishes", "decided", "draft", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is written, and said."""

    text: str
    """The definition."""
    todo: tuple[str, ...]
    """What it needs before it runs, one sentence each."""


def draft(wishes: Wishes, ask: Ask, folder: Path) -> Draft:
    """Write an audit.toml to run from `folder`; raises AuditorError where files or wishes do not fit."""
    subject = settle(wishes, ask)
    return Draft(text=audit_toml(subject, folder), todo=(*open_questions(subject), *table_questions(subject)))


def decided(flag: str, question: str, guess: str | None, advice: str) -> str:
    """Take the guess: nobody can be asked."""
    if guess is None:
        message = f"cannot be told from the data. {question}"
        raise SpecError(Problem(where=flag, message=message, advice=f"Give {flag}. {advice}".strip()))
    return guess


def write(path: Path, text: str, *, force: bool) -> None:
    """Put the text into a file, whole or not at all; raises SpecError where there is one already, unless `force`."""
    part = part_of(path)
    try:
        write_new(part, text.encode("utf-8"))
        if force:
            part.replace(path)
        else:
            path.hardlink_to(part)
    except FileExistsError:
        advice = "Name another with --output, or replace it with --force."
        raise SpecError(Problem(file=str(path), message="is there already", advice=advice)) from None
    except UnicodeEncodeError:
        raise SpecError(Problem(file=str(path), message="a path or name is no Unicode text")) from None
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise OutputError(Problem(file=str(path), message=message)) from None
    finally:
        part.unlink(missing_ok=True)
