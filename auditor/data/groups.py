"""Who is who: attributes become groups, groups and intersections become a membership matrix over cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise, product
from math import prod
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from auditor.data.reading import Attempt, Rows, raise_all
from auditor.data.values import distinct, find, listed, natural, plural, read_only, text
from auditor.errors import DataError, Problem, did_you_mean
from auditor.records import EACH, EVERYBODY, MISSING, NONE, GroupKey, Groups, IntArray, family_name, group_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from auditor.records import FloatArray
    from auditor.spec import Attribute, Intersection

MOST_GROUPS = 1000
"""Beyond this a column is no attribute as it stands: it needs bins or groups."""
MOST_UNTESTED = 12
"""Combinations without a test example that an intersection holds: one is enough for its gates not to pass, and of many
attributes there are more than anybody could look at."""
_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """The test examples by group, and what the reader should know of it."""

    groups: Groups
    attributes: Mapping[str, tuple[str, ...]]
    """For each attribute the group of each test example, [N]."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The groups of one attribute: all that are declared, or that occur in the training or the test split."""

    names: tuple[str, ...]
    """Those without a test example too: what cannot be measured is undefined, and does not vanish."""
    codes: IntArray
    """For each entry (test example or cell) the index of its group."""
    reference: str | None
    """One of the names; None where whichever is best counts."""
    warnings: tuple[str, ...]


def make_groups(
    rows: Rows, attributes: Sequence[Attribute], intersections: Sequence[Intersection], train: IntArray, test: IntArray
) -> Grouped:
    """Sort the test rows into cells and groups; raises DataError with every value and reference that does not fit.

    Args:
        rows: one column an attribute.
        attributes: as declared; the names of columns.
        intersections: of declared attributes.
        train: positions of the training rows, [n]; may be empty.
        test: positions of the test rows, [N], at least one.
    """
    attempts = [Attempt(_settle, rows, attribute, train, test) for attribute in attributes]
    raise_all(attempts)
    families = {attribute.name: attempt.value for attribute, attempt in zip(attributes, attempts, strict=True)}
    groups = _assemble(families, intersections, test.size)
    return Grouped(
        groups=groups,
        attributes={
            name: tuple(np.array(family.names, dtype=object)[family.codes].tolist())
            for name, family in families.items()
        },
        warnings=(
            *(warning for family in families.values() for warning in family.warnings),
            *_untested_warning(families, intersections, groups),
        ),
    )


def _untested_warning(
    families: Mapping[str, Family], intersections: Sequence[Intersection], groups: Groups
) -> tuple[str, ...]:
    """Count the combinations of all intersections that no test example is of, and name the first."""
    seen = {key for key, cells in zip(groups.names, groups.membership, strict=True) if cells.any()}
    recorded = Counter(tuple(name for name, _ in key) for key in seen if all(group != MISSING for _, group in key))
    crossed = [tuple(i.attributes) for i in intersections]
    count = sum(prod(len(_recorded(families[name])) for name in family) - recorded[family] for family in crossed)
    if not count:
        return ()
    first = list(islice(chain.from_iterable(_untested(families, family, seen) for family in crossed), _NAMED))
    named = "; ".join(f"{group_name(key)} ({family_name(key)})" for key in first)
    more = f"; and {count - len(first):,} more" if count > len(first) else ""
    said = (
        f"Intersections: {plural(count, 'combination')} of groups without a test example, of which nothing can be "
        f"said: {named}{more}. A gate over such an intersection does not pass: take it from the gate, or waive a group "
        "that cannot be."
    )
    return (said,)


def _recorded(family: Family) -> list[str]:
    return [name for name in family.names if name != MISSING]


def _untested(families: Mapping[str, Family], family: tuple[str, ...], seen: Container[GroupKey]) -> Iterator[GroupKey]:
    """Give the combinations of several attributes' groups that are not seen, in product order.

    Those with a value that is not recorded are left out: nobody is known to be missing there.
    """
    crossed = product(*([(name, group) for group in _recorded(families[name])] for name in family))
    return (key for key in crossed if key not in seen)


def _settle(rows: Rows, attribute: Attribute, train: IntArray, test: IntArray) -> Family:
    names, codes = sort_into_groups(rows, attribute, np.concatenate([test, train]))
    tested = np.bincount(codes[: test.size], minlength=len(names))
    trained = np.bincount(codes[test.size :], minlength=len(names))
    return Family(
        names=names,
        codes=codes[: test.size],
        reference=_reference(attribute, names, tested),
        warnings=tuple(
            f'Attribute {attribute.name}: group "{name}" has {plural(in_training, "training example")} '
            "and no test example: nothing can be said of it."
            for name, in_training, in_test in zip(names, trained.tolist(), tested, strict=True)
            if not in_test
        ),
    )


def sort_into_groups(rows: Rows, attribute: Attribute, positions: IntArray) -> tuple[tuple[str, ...], IntArray]:
    """Names of all groups, those included that are declared and empty, and for each of these rows its group's index."""
    column = rows.frame[attribute.name].iloc[positions]
    if attribute.bins is not None:
        names, codes = _by_bins(rows, attribute, column, positions)
    elif attribute.groups is not None:
        names, codes = _by_groups(rows, attribute, column, positions)
    else:
        names, codes = _by_values(attribute, column)
    missing = codes < 0
    if missing.any() and MISSING not in names:
        names = (*names, MISSING)
    codes[missing] = names.index(MISSING) if missing.any() else 0
    return names, codes


def _by_bins(
    rows: Rows, attribute: Attribute, column: pd.Series, positions: IntArray
) -> tuple[tuple[str, ...], IntArray]:
    edges = cast("list[float]", attribute.bins)
    where = f"attribute {attribute.name}"
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    value_of, values = distinct(column)
    bad = np.flatnonzero((value_of >= 0) & ~np.isfinite(numbers))
    if bad.size:
        held = listed(sorted({text(values[code]) for code in value_of[bad]}), most=3)
        raise DataError(*rows.problems(positions[bad], where, f"{held} is no number that bins could hold"))
    codes = np.searchsorted(edges, numbers, side="right")
    codes[value_of < 0] = -1
    return bin_names(edges, whole=bool(np.all(np.mod(numbers[value_of >= 0], 1) == 0))), codes


def bin_names(edges: Sequence[float], *, whole: bool) -> tuple[str, ...]:
    """Names of the bins between and beyond the edges, such as "<30", "30-44", "45+"; "30-<45" unless all is whole."""
    whole = whole and all(float(edge).is_integer() for edge in edges)
    dash = " to " if edges[0] < 0 else "-"
    between = [_bin_name(low, high, dash, whole=whole) for low, high in pairwise(edges)]
    return (f"<{text(edges[0])}", *between, f"{text(edges[-1])}+")


def _bin_name(low: float, high: float, dash: str, *, whole: bool) -> str:
    if not whole:
        return f"{text(low)}{dash}<{text(high)}"
    return text(low) if high - low == 1 else f"{text(low)}{dash}{text(high - 1)}"


def _by_groups(
    rows: Rows, attribute: Attribute, column: pd.Series, positions: IntArray
) -> tuple[tuple[str, ...], IntArray]:
    declared = cast("Mapping[str, list[str | int | float | bool]]", attribute.groups)
    where = f"attribute {attribute.name}"
    value_of, values = distinct(column)
    homes = [[index for index, held in enumerate(declared.values()) if find(v, held) is not None] for v in values]
    names = tuple(declared)
    problems = [
        Problem(
            where=where, message=f'"{text(value)}" is in more than one of `groups`: {listed([names[i] for i in home])}'
        )
        for value, home in zip(values, homes, strict=True)
        if len(home) > 1
    ]
    for code, (value, home) in enumerate(zip(values, homes, strict=True)):
        if not home:
            problems += rows.problems(
                positions[value_of == code],
                where,
                f'"{text(value)}" is in none of `groups`',
                f"Add it to one of {listed(names)}, or to a group of its own.",
            )
    if problems:
        raise DataError(*problems)
    return names, np.array([*(home[0] for home in homes), -1])[value_of]


def _by_values(attribute: Attribute, column: pd.Series) -> tuple[tuple[str, ...], IntArray]:
    value_of, values = distinct(column)
    own = [text(value) for value in values]
    names = tuple(sorted(set(own), key=natural))
    if len(names) > MOST_GROUPS:
        raise DataError(
            Problem(
                where=f"attribute {attribute.name}",
                message=f"{len(names):,} distinct values are more groups than {MOST_GROUPS:,}",
                advice="Declare `bins` for numbers, or `groups`.",
            )
        )
    index = {name: number for number, name in enumerate(names)}
    return names, np.array([*(index[name] for name in own), -1])[value_of]


def _reference(attribute: Attribute, names: tuple[str, ...], counts: IntArray) -> str | None:
    if attribute.reference == "best" and "best" not in names:
        return None
    if attribute.reference == "majority" and "majority" not in names:
        return min(name for name, count in zip(names, counts, strict=True) if count == counts.max())
    where = f"attribute {attribute.name}"
    if attribute.reference not in names:
        advice = did_you_mean(attribute.reference, [*names, "majority", "best"])
        raise DataError(
            Problem(
                where=where, message=f'there is no group "{attribute.reference}" to be the reference', advice=advice
            )
        )
    if not counts[names.index(attribute.reference)]:
        raise DataError(
            Problem(
                where=where,
                message=f'nobody in the test split is in the reference group "{attribute.reference}"',
                advice='Declare another reference, or "majority".',
            )
        )
    return attribute.reference


def _assemble(families: Mapping[str, Family], intersections: Sequence[Intersection], n: int) -> Groups:
    cell_of, first = _combine([(family.codes, len(family.names)) for family in families.values()], n)
    cell_sizes = np.bincount(cell_of)
    cells = {name: replace(family, codes=family.codes[first]) for name, family in families.items()}
    names: list[GroupKey] = [EVERYBODY]
    reference = [np.array([NONE])]
    membership = [np.ones((1, first.size), dtype=bool)]
    for family in [(name,) for name in families] + [tuple(i.attributes) for i in intersections]:
        keys, group_of = _keys(cells, family)
        sizes = np.bincount(group_of, weights=cell_sizes, minlength=len(keys))
        chosen = _chosen(keys, sizes, [cells[name].reference for name in family])
        reference.append(np.full(len(keys), EACH if chosen is None else len(names) + chosen))
        membership.append(group_of == np.arange(len(keys))[:, None])
        names += keys
    return Groups(
        names=tuple(names),
        membership=read_only(np.concatenate(membership)),
        cell_of=read_only(cell_of),
        reference=read_only(np.concatenate(reference)),
    )


def _keys(cells: Mapping[str, Family], family: tuple[str, ...]) -> tuple[list[GroupKey], IntArray]:
    """Name the groups of an attribute, or the combinations of several; and for each cell say which it is.

    First those that occur, then those that no test example is of: what cannot be measured does not vanish.
    """
    if len(family) == 1:
        (own,) = (cells[name] for name in family)
        return [((family[0], name),) for name in own.names], own.codes
    group_of, one = _combine(
        [(cells[name].codes, len(cells[name].names)) for name in family], cells[family[0]].codes.size
    )
    keys = [tuple((name, cells[name].names[cells[name].codes[cell]]) for name in family) for cell in one]
    return [*keys, *islice(_untested(cells, family, set(keys)), MOST_UNTESTED)], group_of


def _chosen(keys: Sequence[GroupKey], sizes: IntArray | FloatArray, references: Sequence[str | None]) -> int | None:
    """Choose the reference of an attribute, or the largest group of an intersection; None where each other counts."""
    if None in references:
        return None
    if len(references) == 1:
        return next(index for index, key in enumerate(keys) if key[0][1] == references[0])
    return min(np.flatnonzero(sizes == sizes.max()).tolist(), key=lambda index: group_name(keys[index]))


def _combine(codes: Sequence[tuple[IntArray, int]], n: int) -> tuple[IntArray, IntArray]:
    """Number the distinct combinations in product order: the number of each entry, and the first entry of each number.

    Args:
        codes: for each attribute the group of each entry, [n], and how many groups there are; without any, all entries
            are one combination.
        n: the number of entries.
    """
    combined = np.zeros(n, dtype=np.int64)
    for group_of, size in codes:
        # made dense after every attribute, so that forty of them do not overflow
        combined = pd.factorize(combined * size + group_of, sort=True)[0]
    first = np.zeros(combined.max() + 1, dtype=np.int64)
    first[combined[::-1]] = np.arange(combined.size)[::-1]
    return combined, first
