"""Whether the methods of a compression make sense by themselves, and one after another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.spec import QUANTIZERS, Cluster, LowRank, Method, Prune, Quantize, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.spec import Compression

_RANK = {"distill": 0, "sham": 0, "low_rank": 1, "prune": 2, "cluster": 3, "qat": 4, **dict.fromkeys(QUANTIZERS, 4)}
"""A later method keeps what an earlier one has done only where its rank is higher."""
_UNDOES = {
    "distill": "begins with a new model",
    "sham": "is a control for compression by itself",
    "low_rank": "replaces the layers that were compressed",
    "prune": "would change the weights that were compressed",
    "cluster": "would change the weights that were compressed",
}
_OF_THE_ENTRY = ("name", "export", "export_member")


def check_chain(entry: Compression, here: KeyPath) -> Iterator[Mistake]:
    """Each method keeps what those before it did; keys of the whole variant stand beside the first one."""
    steps = steps_of(entry)
    if steps and "export_member" in steps[0].model_fields_set and steps[0].export is None:
        advice = 'name the folder, export = "build", or leave it out'
        yield Mistake(path=(*here, "export_member"), message="has no meaning without export", advice=advice)
    for number, (before, step) in enumerate(itertools.pairwise(steps)):
        path = (*here, "then", number)
        if message := _clash(before, step):
            yield Mistake(path=path, message=message)
        for key in _OF_THE_ENTRY:
            if key in step.model_fields_set:
                advice = f'write it beside method = "{steps[0].method}"'
                yield Mistake(path=(*path, key), message="says something of the whole variant", advice=advice)
        for key in type(step).model_fields.keys() - {"skip", "then", "options", "block_size", "m_by_n"}:
            if isinstance(getattr(step, key), list):
                yield Mistake(path=(*path, key), message="is a list, which makes variants only beside the first method")


def _clash(before: Method, step: Method) -> str | None:
    """Say why a method cannot follow another."""
    if isinstance(before, Prune) and isinstance(step, Cluster) and step.clusters == 2:
        return "2 clusters cannot follow prune: zero is one of them, and TFMOT needs two more"
    if _RANK[before.method] < _RANK[step.method]:
        return None
    if _RANK[before.method] == _RANK["int8"]:
        return f"{step.method} cannot follow {before.method}, whose TFLite file is final"
    if before.method == step.method:
        return f"{step.method} follows itself: once is enough"
    return f"{step.method} cannot follow {before.method}: it {_UNDOES[step.method]}. Put it before."


def check_method(step: Method, here: KeyPath) -> Iterator[Mistake]:
    """The keys of one method go together."""
    if isinstance(step, Prune):
        yield from _check_pruning(step, here)
    if isinstance(step, LowRank) and (step.ratio is None) == (step.energy is None):
        found = "both" if step.energy else "neither"
        yield Mistake(path=here, message=f"needs one of ratio and energy, not {found}")
    if isinstance(step, Quantize):
        yield from _check_quantising(step, here)


def _check_pruning(step: Prune, here: KeyPath) -> Iterator[Mistake]:
    if step.m_by_n is not None:
        yield from _check_groups(step, step.m_by_n, here)
    elif step.sparsity is None:
        yield Mistake(path=here, message="key 'sparsity' is missing")
    yield from _check_span(step, here)
    yield from _meaningless(step, _unused(step), here)
    if step.block_size == (1, 1):
        advice = "leave it out, and single weights are pruned"
        yield Mistake(path=(*here, "block_size"), message="is a single weight", advice=advice)


def _check_groups(step: Prune, m_by_n: tuple[int, int], here: KeyPath) -> Iterator[Mistake]:
    zeros, n = m_by_n
    if zeros >= n:
        message = f"leaves no weight: it says how many zeros ({zeros}) are among each so many weights ({n})"
        yield Mistake(path=(*here, "m_by_n"), message=message)
    elif step.sparsity is not None and step.sparsity != zeros / n:
        message = f"contradicts m_by_n, which makes it {zeros / n:g}"
        yield Mistake(path=(*here, "sparsity"), message=message, advice="leave it out")


def _check_span(step: Prune, here: KeyPath) -> Iterator[Mistake]:
    for end in ("begin", "end"):
        if {f"{end}_step", f"{end}_epoch"} <= step.model_fields_set:
            message = f"says what {end}_step says too: leave one of them out"
            yield Mistake(path=(*here, f"{end}_epoch"), message=message)
    for unit in ("step", "epoch"):
        begin, end = getattr(step, f"begin_{unit}"), getattr(step, f"end_{unit}")
        if begin is not None and end is not None and end <= begin:
            yield Mistake(path=(*here, f"end_{unit}"), message=f"is not after begin_{unit}, {begin:g}")


def _unused(step: Prune) -> dict[str, str]:
    """What has no meaning beside the others, and beside which."""
    unused: dict[str, str] = {}
    if step.schedule == "constant":
        unused |= dict.fromkeys(("end_step", "end_epoch"), "a constant schedule, which prunes to the end")
    if step.schedule == "iterative":
        unused["frequency"] = "an iterative schedule: rounds says how often masks change"
    else:
        unused["rounds"] = 'any schedule but "iterative"'
    if step.block_size is None:
        unused["block_pooling"] = "single weights: block_size is missing"
    if step.m_by_n is not None:
        once = ("schedule", "end_step", "end_epoch", "frequency", "rounds")
        unused |= dict.fromkeys(once, "m_by_n, whose zeros are chosen once, at begin_step")
        unused |= dict.fromkeys(("block_size", "block_pooling"), "m_by_n, which is a pattern by itself")
    return unused


def _meaningless(step: Prune, unused: dict[str, str], here: KeyPath) -> Iterator[Mistake]:
    for key in sorted(unused.keys() & step.model_fields_set):
        yield Mistake(path=(*here, key), message=f"has no meaning with {unused[key]}")


_IO = {"int8": ("float32", "int8", "uint8"), "int16x8": ("float32", "int16")}
"""Types of input and output that the methods can have that compute in integers."""


def _check_quantising(step: Quantize, here: KeyPath) -> Iterator[Mistake]:
    if step.method not in _IO:
        for key in sorted({"io", "per_channel", "calibration"} & step.model_fields_set):
            message = f"has no meaning with {step.method}, which computes in float32: int8 and int16x8 have it"
            yield Mistake(path=(*here, key), message=message)
    elif step.io not in _IO[step.method]:
        types = _IO[step.method]
        message = f"{step.io!r} is no type that {step.method} can read: {', '.join(types[:-1])} or {types[-1]}"
        yield Mistake(path=(*here, "io"), message=message)
