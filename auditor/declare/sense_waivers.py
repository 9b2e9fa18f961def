"""Whether waivers name what the file declares, and say why and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.declare.mistakes import KeyPath, Mistake
from auditor.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.spec import WaiverTable

EVERYBODY = "everybody"


def check_waivers(
    waivers: Sequence[WaiverTable], gates: Sequence[str] | None, variants: Sequence[str], attributes: Sequence[str]
) -> Iterator[Mistake]:
    """Find waivers of what is not declared, and such as say nothing.

    `gates` is None where one has no name of its own: names that are made need the data, and are looked up later, as
    groups and classes are.
    """
    for i, waiver in enumerate(waivers):
        here = ("waiver", i)
        if gates is not None and waiver.gate not in gates:
            yield _unknown(waiver.gate, gates, (*here, "gate"), "gate")
        if waiver.variant is not None and waiver.variant not in variants:
            yield _unknown(waiver.variant, variants, (*here, "variant"), "compressed variant")
        for attribute in _attributes_of(waiver):
            if attribute not in attributes:
                yield _unknown(attribute, attributes, (*here, "group"), "declared attribute")
        for key, what in (("reason", "why it is accepted"), ("owner", "who answers for it")):
            if not getattr(waiver, key).strip():
                yield Mistake(path=(*here, key), message="is empty", advice=f"say {what}")


def _attributes_of(waiver: WaiverTable) -> list[str]:
    if isinstance(waiver.group, dict):
        return list(waiver.group)
    if waiver.group is None or waiver.group == EVERYBODY:
        return []
    # a name of a group may itself hold a comma or an equals sign: only what begins the text is surely an attribute
    return [waiver.group.partition("=")[0].strip()]


def _unknown(name: str, known: Sequence[str], path: KeyPath, what: str) -> Mistake:
    return Mistake(path=path, message=f"{name!r} is no {what}", advice=did_you_mean(name, known))
