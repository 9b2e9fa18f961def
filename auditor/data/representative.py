"""Representative sets: which they are, and which training rows each holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from auditor.data.groups import sort_into_groups
from auditor.data.values import plural
from auditor.errors import DataError, Problem, did_you_mean
from auditor.provenance import digest_of
from auditor.spec import CALIBRATED, RepresentativeSet, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.data.reading import Rows
    from auditor.data.splits import Division
    from auditor.records import BoolArray, IntArray
    from auditor.spec import AuditSpec, Method

_Declared = tuple[RepresentativeSet, str]
"""A set, and where it is declared."""
_CHARACTERS = 16
"""Of a digest of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """The representative sets of an audit: positions of their rows, rising."""

    common: IntArray
    """What `[data.calibration]` declares, [m]."""
    own: Mapping[str, IntArray]
    """Those of single variants, by `name_of_set`."""
    warnings: tuple[str, ...]


def set_of(step: Method, spec: AuditSpec) -> RepresentativeSet:
    """The set that a step declares for itself, filled up by `[data.calibration]`, or that one."""
    common, own = spec.data.calibration, getattr(step, "calibration", None)
    return common if own is None else common.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})


def name_of_set(step: Method, spec: AuditSpec) -> str | None:
    """What the step's set is called: a digest of what is declared of it; None: the common one."""
    declared = set_of(step, spec)
    return None if declared == spec.data.calibration else digest_of(declared.model_dump(mode="json"))


def digest_of_rows(positions: IntArray) -> str:
    """A digest of the rows that a set holds: by it, its array is named, and a member's result depends on it."""
    return hashlib.sha256(positions.astype(np.int64).tobytes()).hexdigest()[:_CHARACTERS]


def calibrate(rows: Rows, division: Division, same: IntArray, spec: AuditSpec) -> Representative:
    """Sample the representative sets; raises DataError where one overlaps the test split or is empty.

    Args:
        rows: of the source.
        division: says which rows may serve.
        same: one number a row, the same for rows that a model cannot tell apart.
        spec: says how many, of which groups, the seed, and which sets any variant needs: if none does, a small set is
            no concern.
    """
    pool = _pool(rows, division, np.isin(same, same[division.test]))
    # A stream of its own, so that no set depends on how the split was dealt. All sets are sampled from one order, so
    # that they differ in no more than what they declare.
    order = np.random.default_rng([spec.audit.seed, 1]).permutation(pool)
    needed = dict(_needed(spec))
    if needed and not pool.size:
        raise DataError(
            Problem(
                where="data.calibration",
                message="int8 is calibrated on training rows that equal no test row, and there are none",
                advice="Declare a training split, or another calibration.split.",
            )
        )
    common: dict[str | None, _Declared] = {None: (spec.data.calibration, "data.calibration")}
    declared = common | needed
    sets = {name: _sample(rows, order, wanted, spec, where) for name, (wanted, where) in declared.items()}
    few = (
        f"The representative set{'' if name is None else f' of {where}'} holds {plural(sets[name].size, 'example')}, "
        f"not the {wanted.size:,} asked for."
        for name, (wanted, where) in needed.items()
        if sets[name].size < wanted.size
    )
    own = {name: positions for name, positions in sets.items() if name is not None}
    return Representative(common=sets[None], own=own, warnings=tuple(few))


def _needed(spec: AuditSpec) -> Iterator[tuple[str | None, _Declared]]:
    """Each set that a variant is calibrated on, by name, and where it is declared."""
    for entry in spec.compression:
        for step in steps_of(entry):
            if step.method in CALIBRATED:
                name = name_of_set(step, spec)
                yield name, (set_of(step, spec), "data.calibration" if name is None else f"compression {entry.name}")


def _pool(rows: Rows, division: Division, tested: BoolArray) -> IntArray:
    if division.pool is None:
        return division.train[~tested[division.train]]
    overlap = division.pool[tested[division.pool]]
    if overlap.size:
        message = f"{plural(overlap.size, 'calibration example')} also in the test split"
        raise DataError(*rows.problems(overlap, "data.calibration.split", message, "Take them out of one of the two."))
    return division.pool


def _sample(rows: Rows, order: IntArray, declared: RepresentativeSet, spec: AuditSpec, where: str) -> IntArray:
    """The first rows of a random order that fit the declaration, rising."""
    fit = order[~_left_out(rows, order, declared, spec, where)]
    if order.size and not fit.size:
        raise DataError(Problem(where=where, message="`without` leaves no example to calibrate on"))
    if declared.select == "stratified" and fit.size:
        fit = fit[np.argsort(_rank_in_group(rows, fit, declared.by, spec), kind="stable")]
    return np.sort(fit[: declared.size])


def _left_out(rows: Rows, positions: IntArray, declared: RepresentativeSet, spec: AuditSpec, where: str) -> BoolArray:
    """Which rows are in a group that the set shall not hold; raises DataError for a group that none of them is in."""
    out = np.zeros(positions.size, dtype=bool)
    for name, unwanted in declared.without.items():
        names, codes = _groups(rows, positions, name, spec)
        present = [names[code] for code in np.unique(codes)]
        unknown = [group for group in unwanted if group not in present]
        if unknown and positions.size:
            raise DataError(
                *(
                    Problem(
                        where=where,
                        message=f'without: no example to calibrate on is in the group "{group}" of {name}',
                        advice=did_you_mean(group, present),
                    )
                    for group in unknown
                )
            )
        out |= np.isin(codes, [place for place, group in enumerate(names) if group in unwanted])
    return out


def _rank_in_group(rows: Rows, positions: IntArray, by: list[str], spec: AuditSpec) -> IntArray:
    """How many rows of its own group stand before each row: the groups' first rows come first, then their second."""
    codes = pd.DataFrame({name: _groups(rows, positions, name, spec)[1] for name in by})
    return codes.groupby(by).cumcount().to_numpy()


def _groups(rows: Rows, positions: IntArray, name: str, spec: AuditSpec) -> tuple[tuple[str, ...], IntArray]:
    attribute = next(each for each in spec.attribute if each.name == name)
    return sort_into_groups(rows, attribute, positions)
