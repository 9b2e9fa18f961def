"""Whether the methods of a compression make sense by themselves, and one after another."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.spec import QUANTIZERS, Cluster, LowRank, Method, Prune, steps_of

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
_OF_THE_ENTRY = ("name", "then", "export", "export_member")


def check_chain(entry: Compression, here: KeyPath) -> Iterator[Mistake]:
    """Each method keeps what those before it did; keys of the whole variant stand beside the first one."""
    steps = steps_of(entry)
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


def _check_pruning(step: Prune, here: KeyPath) -> Iterator[Mistake]:
    if step.sparsity is None:
        yield Mistake(path=here, message="key 'sparsity' is missing")
    if step.begin_step is not None and step.end_step is not None and step.end_step <= step.begin_step:
        yield Mistake(path=(*here, "end_step"), message=f"is not after begin_step, {step.begin_step}")
    if step.schedule == "constant" and step.end_step is not None:
        message = "has no meaning with a constant schedule, which prunes to the end"
        yield Mistake(path=(*here, "end_step"), message=message)
