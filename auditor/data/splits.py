"""Which rows train, which test, and which may calibrate: never one row for two of these without a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditor.data.values import distinct, find, plural, text
from auditor.errors import DataError, Problem, did_you_mean
from auditor.spec import SplitColumn, SplitFractions, SplitPaths

if TYPE_CHECKING:
    from auditor.data.reading import Rows
    from auditor.records import IntArray, Label
    from auditor.spec import Data, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Positions of the rows of each split, rising."""

    train: IntArray
    test: IntArray
    pool: IntArray | None = None
    """Rows declared for calibration; None: the training rows serve."""
    warnings: tuple[str, ...] = ()

    @property
    def used(self) -> IntArray:
        """Rows of any split."""
        parts = [self.train, self.test] if self.pool is None else [self.train, self.test, self.pool]
        return np.unique(np.concatenate(parts))


def divide(rows: Rows, data: Data, split: Split, seed: int) -> Division:
    """The declared split of the rows; raises DataError where it leaves a split empty.

    Args:
        rows: for `SplitPaths` those of the training file and then those of the test file.
        data: names the id and the rows to calibrate on.
        split: as declared, or the default.
        seed: the audit's.
    """
    if isinstance(split, SplitColumn):
        return by_column(rows, split, data.calibration.split)
    if data.calibration.split is not None:
        raise DataError(
            Problem(
                where="data.calibration.split",
                message="names a value of the split column, and the split is not by column",
                advice="Leave it out to use the training split.",
            )
        )
    if isinstance(split, SplitPaths):
        return by_file(rows)
    if isinstance(split, SplitFractions):
        return by_fraction(rows, split, seed, clusters(rows, data.id, np.arange(len(rows.frame))))
    return all_test(rows)


def all_test(rows: Rows) -> Division:
    """Every row is a test row."""
    return Division(train=np.arange(0), test=np.arange(len(rows.frame)))


def by_file(rows: Rows) -> Division:
    """The first file trains, the second tests."""
    return Division(train=np.arange(rows.starts[1]), test=np.arange(rows.starts[1], len(rows.frame)))


def by_fraction(rows: Rows, split: SplitFractions, seed: int, cluster: IntArray | None) -> Division:
    """A seeded random split; all rows of a cluster go to one side.

    Args:
        rows: all of them are dealt.
        split: the test split's share of the rows, and a seed of its own, if any.
        seed: the audit's.
        cluster: for each row the number of its cluster, from 0; None: every row is its own.
    """
    n = len(rows.frame)
    cluster = np.arange(n) if cluster is None else cluster
    sizes = np.bincount(cluster)
    if sizes.size < 2:
        raise DataError(
            Problem(
                file=str(rows.files[0]),
                where="data.split",
                message=f"{plural(n, 'row')} of one example or one id cannot be split in two",
            )
        )
    order = np.random.default_rng(seed if split.seed is None else split.seed).permutation(sizes.size)
    before = np.cumsum(sizes[order]) - sizes[order]
    tested = np.zeros(sizes.size, dtype=bool)
    tested[order[before < max(1, round(split.test * n))]] = True
    # some clusters are left to train on, however large the last one was
    tested[order[-1]] = False
    return Division(train=np.flatnonzero(~tested[cluster]), test=np.flatnonzero(tested[cluster]))


def by_column(rows: Rows, split: SplitColumn, calibration: Label | None) -> Division:
    """The split that a column names; rows with other values are in neither, which a warning counts."""
    value_of, values = distinct(rows.frame[split.column])
    roles = {"train": split.train, "test": split.test}
    if calibration is not None:
        roles["calibration"] = calibration
    found = {role: find(value, values) for role, value in roles.items()}
    problems = [
        Problem(
            file=str(rows.files[0]),
            where=f"column {split.column}",
            message=f'no row holds "{text(roles[role])}": the {role} split is empty',
            advice=did_you_mean(text(roles[role]), [text(value) for value in values])
            + (' Where nothing is trained, declare split = "all".' if role == "train" else ""),
        )
        for role, index in found.items()
        if index is None
    ]
    if found["train"] is not None and found["train"] == found["test"]:
        problems.append(Problem(where="data.split", message="train and test are the same value"))
    if found.get("calibration") is not None and found["calibration"] == found["test"]:
        problems.append(_calibrates_on_test(text(split.test)))
    if problems:
        raise DataError(*problems)
    other = "calibration" in found and found["calibration"] != found["train"]
    return Division(
        train=np.flatnonzero(value_of == found["train"]),
        test=np.flatnonzero(value_of == found["test"]),
        pool=np.flatnonzero(value_of == found["calibration"]) if other else None,
        warnings=_unused(split.column, value_of, values, set(found.values())),
    )


def _calibrates_on_test(name: str) -> Problem:
    return Problem(
        where="data.calibration.split",
        message=f'"{name}" is the test split: a model calibrated on it is tested on what it has seen',
        advice="Leave it out to use the training split.",
    )


def _unused(column: str, value_of: IntArray, values: tuple[Label, ...], used: set[int | None]) -> tuple[str, ...]:
    counts = np.bincount(value_of + 1, minlength=len(values) + 1).tolist()
    names = ["(missing)", *map(text, values)]
    left = [
        f'"{name}": {n:,}'
        for code, (name, n) in enumerate(zip(names, counts, strict=True), start=-1)
        if n and code not in used
    ]
    if not left:
        return ()
    total = sum(n for code, n in enumerate(counts, start=-1) if code not in used)
    return (f"{plural(total, 'row')} in neither split, by column {column} ({', '.join(left)}).",)


def clusters(rows: Rows, column: str | None, used: IntArray) -> IntArray | None:
    """For every row of the source the number of its id; raises DataError where a used row has none.

    None where no column of ids is declared: then every row stands for itself.
    """
    if column is None:
        return None
    value_of, _ = distinct(rows.frame[column])
    missing = used[value_of[used] < 0]
    if missing.size:
        raise DataError(
            *rows.problems(missing, f"column {column}", "the id is missing", "Give every row an id, or drop it.")
        )
    return value_of


def overlap_warnings(division: Division, same: IntArray, cluster: IntArray | None) -> tuple[str, ...]:
    """Say how many test examples are training examples too, and how many share an id with one.

    Args:
        division: training and test split.
        same: one number a row, the same for equal examples.
        cluster: one number a row, the same for rows of one id; None where no id is declared.
    """
    equal, shared = _again(division, same), 0 if cluster is None else _again(division, cluster)
    total = plural(division.test.size, "test example")
    warnings = []
    if equal:
        share, verb = f"{equal / division.test.size:.1%}", "equals" if equal == 1 else "equal"
        said = f"{equal:,} of the {total} ({share}) {verb} a training example in features, attributes and label."
        warnings.append(f"{said} {_LEARNED_BY_HEART}")
    if shared:
        verb = "shares its" if shared == 1 else "share their"
        warnings.append(f"{shared:,} of the {total} {verb} id with a training example. {_KNOWN_BY_ID}")
    return tuple(warnings)


_LEARNED_BY_HEART = (
    "If they are the same cases, a model may know them by heart, and the audit shows less harm than new cases will "
    "meet: take them out of the test split. Different cases that happen to look alike may stay."
)
_KNOWN_BY_ID = "What is known by id is no test: split so that an id is on one side only."


def _again(division: Division, number: IntArray) -> int:
    return int(np.isin(number[division.test], number[division.train]).sum())
