"""The text of a first audit.toml: every choice stands there with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from auditor.data.groups import bin_names
from auditor.data.values import distinct, text
from auditor.init.look import TESTS
from auditor.init.subject import Chosen
from auditor.init.toml import comment, value
from auditor.init.write_model import class_lines, compression_lines, model_lines, relative
from auditor.init.write_pixels import preprocess_lines
from auditor.init.write_table import Columns, feature_lines
from auditor.records import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from auditor.init.subject import Subject
    from auditor.records import BoolArray

GUESSED = "  # guessed"
DECIDABLE = 175
"""From so many test examples on, a gate of 2 points can pass at 95% if nothing changes."""
MIN_GROUP = 10
TEST_SHARE = 0.3
CELEBA_SHARE = 0.1
"""About what the official partition keeps for testing."""

NO_ATTRIBUTES = {
    "folders": "A table with such columns, a row an image, would tell: auditor init --table TABLE.",
    "arrays": "An array of them, with one value an example, would tell.",
    "cifar10": "A table with the columns split, index and such ones would tell: auditor init --table TABLE.",
    "cifar100": "A table with the columns split, index and such ones would tell: auditor init --table TABLE.",
} | dict.fromkeys(["table", "images", "celeba", "predictions"], "Name such columns: auditor init --attribute COLUMN.")
"""By source, where attributes would come from."""


def audit_toml(subject: Subject, folder: Path) -> str:
    """Write the definition; paths in it are relative to `folder`."""
    parts = (
        _head(subject),
        model_lines(subject, folder),
        _data(subject, folder),
        _attributes(subject),
        compression_lines(subject, folder),
        _gates(subject),
    )
    return "\n\n".join(filter(None, ("\n".join(part).strip("\n") for part in parts))) + "\n"


def _head(subject: Subject) -> Iterator[str]:
    yield comment(f"An audit of {subject.data.resolve().name}: whom does compression hurt?")
    yield "# Check it with `auditor validate`, run it with `auditor run`. What is marked “guessed” needs a look."
    yield "schema = 1"
    if not subject.attributes:
        yield "attribute = []  # classes alone are audited"
        yield "# Nothing but its class is known of an example. Whether compression fails one group more than another"
        yield "# stays unknown, however well its class does: people by sex, age or skin, pictures by light or device."
        yield comment(NO_ATTRIBUTES["folders" if subject.found.is_folders else subject.source])


def _data(subject: Subject, folder: Path) -> Iterator[str]:
    yield "[data]"
    if subject.source != "table":
        yield f"source = {value(subject.source)}"
    yield f"path = {relative(subject.data, folder)}"
    if subject.found.input is not None:
        yield f"input = {value(subject.found.input)}{GUESSED}: what a model reads"
    if subject.table is not None:
        yield f"table = {relative(subject.table, folder)}"
    yield comment(_classes(subject))
    if not _by_group(subject):
        yield from _too_few(_class_sizes(subject), "test examples")
    yield f"label = {value(subject.label.name)}{GUESSED if subject.label_guessed else ''}"
    if subject.positive is not None:
        mark = GUESSED if subject.positive_guessed else ""
        yield f"positive = {value(subject.positive)}{mark}"
    yield from class_lines(subject)
    if subject.threshold:
        yield "threshold = 0.5  # the columns hold probabilities of the positive class; inclusive"
    yield from _split(subject)
    columns = Columns(subject)
    if columns.shared is not None and subject.source != "celeba":
        name = value(columns.shared.name)
        yield f"id = {name}{GUESSED}: rows that share it are about one, and count as one cluster"
    yield from preprocess_lines(subject)
    if subject.source == "table":
        yield from feature_lines(columns)


def _classes(subject: Subject) -> str:
    label = subject.label
    held = [f"{text(one)} ({n:,})" for one, n in zip(label.held[:10], label.counts, strict=False)]
    return f"classes: {', '.join(held)}" + (f" and {len(label.held) - 10} more" if len(label.held) > 10 else "")


def _split(subject: Subject) -> Iterator[str]:
    if subject.source == "predictions":
        return
    if subject.model is not None:
        yield "# A given model must not have been trained on test examples: name its own split, if this is none."
    if subject.found.official:
        yield f"# split: {subject.found.official}"
    elif subject.split is not None:
        column, train, test = subject.split
        mark = "" if text(test).lower() in TESTS else f"{GUESSED}: nothing is called test"
        yield f"split = {value({'column': column, 'train': train, 'test': test})}{mark}"
    else:
        yield f"split = {value({'test': TEST_SHARE})}  # nothing names a split: seeded and random"


def _attributes(subject: Subject) -> Iterator[str]:
    for chosen in subject.attributes:
        yield "[[attribute]]"
        yield f"name = {value(chosen.look.name)}{GUESSED if chosen.guessed else ''}"
        if chosen.edges:
            yield f"bins = {value([*chosen.edges])}  # round edges near the quartiles: put yours"
        yield from _sizes(subject, chosen)
        yield ""
    if len(subject.attributes) > 1:
        both = value([one.look.name for one in subject.attributes[:2]])
        yield "# [[intersection]]"
        yield f"# attributes = {both}"


def _sizes(subject: Subject, chosen: Chosen) -> Iterator[str]:
    """Tell how many test rows each group has, and which have too few of the positive class to decide much."""
    rows, share = _test_rows(subject)
    sizes = _group_sizes(subject, chosen, rows, share)
    shown = [f"{name} {size:,}" for name, size in list(sizes.items())[:12]]
    more = f" and {len(sizes) - 12} more" if len(sizes) > 12 else ""
    yield comment(f"{'about so many ' if share < 1 else ''}test rows: {', '.join(shown)}{more}")
    whose = "test rows"
    if subject.positive is not None:
        whose = f"test rows of class {text(subject.positive)}"
        rows = rows & (subject.frame[subject.label.name] == subject.positive).to_numpy()
        sizes = dict.fromkeys(sizes, 0) | _group_sizes(subject, chosen, rows, share)
    yield from _too_few(sizes, whose)


def _too_few(sizes: Mapping[str, int], whose: str) -> Iterator[str]:
    """Tell which groups or classes have too few examples for a number, or for a gate that passes."""
    none = [name for name, size in sizes.items() if size < MIN_GROUP]
    few = [name for name, size in sizes.items() if MIN_GROUP <= size < DECIDABLE]
    if none:
        yield comment(f"under {MIN_GROUP} {whose} (statistics.min_group), UNDEFINED: {_some(none)}")
    if few:
        yield comment(f"under {DECIDABLE} {whose}, where no gate of 2 points can PASS: {_some(few)}")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _by_group(subject: Subject) -> bool:
    """Whether the gate on recall is about groups, and not about classes."""
    return bool(subject.attributes) and subject.positive is not None


def _class_sizes(subject: Subject) -> dict[str, int]:
    rows, share = _test_rows(subject)
    label = Chosen(look=subject.label, guessed=False, edges=())
    return dict.fromkeys(map(text, subject.label.held), 0) | _group_sizes(subject, label, rows, share)


def _test_rows(subject: Subject) -> tuple[BoolArray, float]:
    """Rows that are tested, or all, and about how many of them are tested."""
    frame = subject.frame
    if subject.split is not None:
        return (frame[subject.split[0]] == subject.split[2]).to_numpy(), 1.0
    share = {"predictions": 1.0, "celeba": CELEBA_SHARE}.get(subject.source, TEST_SHARE)
    return np.ones(len(frame), bool), share


def _group_sizes(subject: Subject, chosen: Chosen, rows: BoolArray, share: float) -> dict[str, int]:
    column = subject.frame[chosen.look.name][rows]
    if chosen.edges:
        numbers = column.dropna().to_numpy(np.float64)
        names = bin_names(chosen.edges, whole=chosen.look.kind == "whole numbers")
        counts = np.bincount(np.searchsorted(chosen.edges, numbers, side="right"), minlength=len(names))
        sizes = dict(zip(names, counts.tolist(), strict=True))
    else:
        value_of, held = distinct(column)
        counts = np.bincount(value_of[value_of >= 0], minlength=len(held))
        sizes = {text(one): int(n) for one, n in zip(held, counts, strict=True)}
    if missing := len(column) - sum(sizes.values()):
        sizes[MISSING] = missing
    return {name: round(size * share) for name, size in sizes.items()}


def _gates(subject: Subject) -> Iterator[str]:
    by_group = _by_group(subject)
    yield "# Limits are shares: 0.02 is 2 points. Set them before you see numbers; they say what harm you accept."
    yield "[[gate]]"
    yield f'name = "no {"group" if by_group else "class"} loses recall"'
    yield 'metric = "recall"'
    if not by_group:
        yield 'of = "*"'
        yield 'over = ["class"]  # every class, for everybody'
    yield "min = -0.02  # compared with the baseline; less is not told from noise without thousands of examples"
    who = "Whoever they are, people are" if by_group else "Every class is"
    yield f'why = "{who} found as often after compression as before."'
    yield ""
    yield "[[gate]]"
    yield 'name = "accuracy holds"'
    yield 'metric = "accuracy"'
    yield 'over = ["overall"]'
    yield "min = -0.01  # what compression may cost everybody together"
    if not subject.attributes:
        return
    yield ""
    yield "[[gate]]"
    yield 'name = "no gap widens"'
    yield f'metric = "{"recall" if by_group else "accuracy"}"'
    yield 'compare = "disparity_change"  # the gap to each attribute\'s largest group, and how compression changes it'
    yield "min = -0.05"
    yield 'severity = "warning"  # does not decide the exit code: gaps are known less well than rates'
