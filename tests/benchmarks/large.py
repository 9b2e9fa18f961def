"""A large audit made by hand: 40 attributes with all their pairs."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from handmade import dataset, population

from auditor.records import Groups


def large_dataset(examples=20_000, attributes=40, seed=0):
    """A binary task; two groups an attribute, four a pair of attributes."""
    rng = np.random.default_rng(seed)
    labels, values = rng.integers(0, 2, examples), rng.integers(0, 2, (examples, attributes))
    cells, cell_of = np.unique(values, axis=0, return_inverse=True)
    families = [(i,) for i in range(attributes)] + list(combinations(range(attributes), 2))
    names, membership, reference = [()], [np.ones(len(cells), bool)], [-1]
    for family in families:
        first = len(names)
        for code in range(2 ** len(family)):
            held = [(code >> place) & 1 for place in range(len(family))]
            names.append(tuple((f"a{i}", str(value)) for i, value in zip(family, held, strict=True)))
            membership.append(np.all(cells[:, family] == held, axis=1))
            reference.append(first)
    groups = Groups(
        names=tuple(names),
        membership=np.array(membership),
        cell_of=cell_of.ravel(),
        reference=np.array(reference),
    )
    columns = {f"a{i}": tuple(map(str, values[:, i].tolist())) for i in range(attributes)}
    return replace(dataset(labels), groups=groups, attributes=columns)


def large_populations(data, variants=5, members=30, seed=1):
    """A baseline and variants that are each a little worse."""
    rng = np.random.default_rng(seed)
    size = (members, len(data.labels))
    decisions = [
        np.where(rng.random(size) < 0.85 - 0.01 * v, data.labels, 1 - data.labels).astype(np.int16)
        for v in range(variants + 1)
    ]
    return [population("baseline" if v == 0 else f"v{v}", own) for v, own in enumerate(decisions)]
