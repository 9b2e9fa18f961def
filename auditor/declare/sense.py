"""Whether a well-formed audit.toml makes sense: names exist and are unique, keys go together."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from auditor import plugins
from auditor.declare.mistakes import KeyPath, Mistake
from auditor.declare.sense_data import check_data, check_predictions
from auditor.declare.sense_models import check_compressions, check_files, check_model, check_training
from auditor.declare.sense_waivers import check_waivers
from auditor.declare.variants import default_name, expand
from auditor.errors import did_you_mean
from auditor.records import BASELINE
from auditor.spec import Format, names_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.spec import AuditSpec, GateTable, RepresentativeSet

MOST_RATIO = 20
"""No limit of a quotient is meant to be more: it was written in percent."""
_ADDRESS = re.compile(r"tls://[^/\s]+:\d+|tcp://(127\.0\.0\.1|localhost|\[::1\]):\d+")
RESERVED = {"label", "example"}


def check(spec: AuditSpec, raw: Mapping[str, Any], places: Mapping[str, Sequence[int]]) -> list[Mistake]:
    """Find everything that does not make sense.

    `raw` is the whole file, also what is not well formed: a name that it declares is no unknown name. `places` maps
    entries of lists in `spec` to their places in the file, where some were left out.
    """
    rules = (
        check_model,
        check_training,
        check_data,
        check_predictions,
        _check_population,
        _check_attributes,
        _check_intersections,
        check_compressions,
        check_files,
        _check_representative_sets,
        _check_gates,
        _check_waivers,
        _check_run,
        _check_report,
    )
    mistakes = [mistake for rule in rules for mistake in rule(spec, raw)]
    return [_moved(mistake, places) for mistake in mistakes]


def _moved(mistake: Mistake, places: Mapping[str, Sequence[int]]) -> Mistake:
    """Give an entry of a list its place in the file."""
    match mistake.path:
        case (str() as key, int() as place, *rest) if key in places:
            return Mistake(path=(key, places[key][place], *rest), message=mistake.message, advice=mistake.advice)
    return mistake


def _check_population(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    population = spec.population
    if population.minimum is not None and population.minimum > population.size:
        yield Mistake(path=("population", "minimum"), message=f"is more than the size, {population.size}")


def _check_attributes(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    names = [attribute.name for attribute in spec.attribute]
    for i, attribute in enumerate(spec.attribute):
        here = ("attribute", i)
        if names.index(attribute.name) != i:
            yield Mistake(path=here, message=f"{attribute.name!r} is declared twice")
        if attribute.name in RESERVED or attribute.name.startswith("member_"):
            yield Mistake(
                path=here, message=f"an attribute cannot be named {attribute.name!r}: the outputs use the name"
            )
        if attribute.name == spec.data.label:
            yield Mistake(path=here, message=f"{attribute.name!r} is the label")
        if attribute.bins and attribute.groups:
            yield Mistake(path=here, message="has both bins and groups: one of them")
        if attribute.bins and sorted(set(attribute.bins)) != attribute.bins:
            yield Mistake(path=(*here, "bins"), message="must rise")


def _check_intersections(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    declared = declared_attributes(raw)
    for i, intersection in enumerate(spec.intersection):
        for name, count in Counter(intersection.attributes).items():
            if name not in declared:
                message = f"{name!r} is no declared attribute"
                yield Mistake(path=("intersection", i), message=message, advice=did_you_mean(name, declared))
            if count > 1:
                yield Mistake(path=("intersection", i), message=f"{name!r} stands in it twice")


def _check_representative_sets(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """Groups that a representative set goes by are those of declared attributes."""
    known, common = declared_attributes(raw), spec.data.calibration
    sets: list[tuple[KeyPath, RepresentativeSet | None]] = [(("data", "calibration"), common)]
    for i, entry in enumerate(spec.compression):
        for number, step in enumerate(steps_of(entry)):
            place: KeyPath = ("then", number - 1) if number else ()
            sets.append((("compression", i, *place, "calibration"), getattr(step, "calibration", None)))
    for here, own in sets:
        if own is None:
            continue
        select = own.select if "select" in own.model_fields_set else common.select
        if select == "stratified" and not (own.by or common.by):
            yield Mistake(path=here, message="stratified by what? `by` names attributes", advice='by = ["sex"]')
        if own.by and select != "stratified":
            yield Mistake(path=(*here, "by"), message='has no meaning without select = "stratified"')
        yield from _unknown(own.by, known, (*here, "by"), "declared attribute")
        yield from _unknown([*own.without], known, (*here, "without"), "declared attribute")


def declared_attributes(raw: Mapping[str, Any]) -> list[str]:
    """Give the names of all attributes that the file declares, well formed or not."""
    entries = raw.get("attribute", [])
    found = (item.get("name") if isinstance(item, dict) else item for item in _as_entries(entries))
    return [name for name in found if isinstance(name, str)]


def _as_entries(entries: Any) -> list[Any]:  # noqa: ANN401 - whatever the file holds
    return entries if isinstance(entries, list) else []


def _check_gates(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    crossed = [" x ".join(item.attributes) for item in spec.intersection]
    over = [*declared_attributes(raw), *crossed, "overall", "class", "*"]
    variants = _declared_variants(spec, raw)
    names = Counter(gate.name for gate in spec.gate if gate.name)
    for i, gate in enumerate(spec.gate):
        here = ("gate", i)
        if gate.name and names[gate.name] > 1:
            yield Mistake(path=(*here, "name"), message=f"a second gate named {gate.name!r}")
        yield from (Mistake(path=here, message=message) for message in _useless(gate))
        yield from _unknown(gate.over, over, (*here, "over"), "attribute or declared intersection")
        yield from _unknown(gate.variants, [*variants, "*"], (*here, "variants"), "compressed variant")


def _check_waivers(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    entries = [entry for entry in _as_entries(raw.get("gate")) if isinstance(entry, dict)]
    named = [str(entry["name"]) for entry in entries if entry.get("name")]
    gates = named if len(named) == len(entries) else None
    return check_waivers(spec.waiver, gates, _declared_variants(spec, raw), declared_attributes(raw))


def _unknown(
    named: str | list[str] | None, known: Iterable[str], path: tuple[str | int, ...], what: str
) -> Iterator[Mistake]:
    known = list(known)
    for name in [named] if isinstance(named, str) else named or ():
        if name not in known:
            yield Mistake(path=path, message=f"{name!r} is no {what}", advice=did_you_mean(name, known))


def _check_run(spec: AuditSpec, raw: Mapping[str, Any]) -> Iterator[Mistake]:
    run = spec.run
    if run.executor == "dask" and run.address is None:
        advice = 'give run.address = "tls://HOST:8786"'
        yield Mistake(path=("run", "executor"), message="dask needs the address of a scheduler", advice=advice)
    if run.address is not None and not _ADDRESS.fullmatch(run.address):
        advice = '"tls://HOST:PORT"; "tcp://127.0.0.1:PORT" on this computer: who reaches a scheduler runs code on it'
        yield Mistake(path=("run", "address"), message=f"{run.address!r} is not safe, or no address", advice=advice)
    variants = [BASELINE, *_declared_variants(spec, raw), "*"]
    for name in run.resources:
        yield from _unknown(name, variants, ("run", "resources", name), "variant")


def _check_report(spec: AuditSpec, _: Mapping[str, Any]) -> Iterator[Mistake]:
    """Names of formats; whether a plugin works, and takes its options, is seen when it is asked for."""
    own, formats = get_args(Format), spec.report.formats
    if not spec.report.options and all(name in own for name in formats):
        return
    offered = plugins.names(plugins.REPORTERS)
    known = [*own, *offered]
    for i, name in enumerate(formats):
        if name not in known:
            message, advice = f"{name!r} is not known here", plugins.unknown(name, known)
            yield Mistake(path=("report", "formats", i), message=message, advice=advice)
    for name in spec.report.options:
        if name not in offered:
            message = "is built in, and takes no options" if name in own else f"no plugin offers {name!r}"
            advice = "" if name in own else plugins.unknown(name, offered)
            yield Mistake(path=("report", "options", name), message=message, advice=advice)


def _declared_variants(spec: AuditSpec, raw: Mapping[str, Any]) -> list[str]:
    """Give the names of all variants, and of the entries that they come from."""
    expanded = [name for entry in spec.compression for variant in expand(entry) for name in names_of(variant)]
    broken = [item.get("name") for item in _as_entries(raw.get("compression")) if isinstance(item, dict)]
    return [*expanded, *(entry.name or default_name(entry) for entry in spec.compression), *filter(None, broken)]


def _useless(gate: GateTable) -> Iterator[str]:
    """Say why a gate cannot be judged."""
    if gate.min is None and gate.max is None:
        yield "needs min, max, or both"
    elif gate.min is not None and gate.max is not None and gate.min > gate.max:
        yield f"nothing is at least {gate.min:g} and at most {gate.max:g}"
    if gate.of is not None and gate.metric in {"accuracy", "error"}:
        yield f"{gate.metric} is of all classes: leave out `of`"
    if gate.metric == "precision" and gate.compare.startswith("to_overall"):
        yield "whom precision is about depends on the decisions, so that everybody is no fixed whole: use disparity"
    for key, limit in (("min", gate.min), ("max", gate.max)):
        if limit is not None and (wrong := misfit(gate.compare, limit)):
            yield f"{key} = {limit:g} {wrong}"


def misfit(compare: str, limit: float) -> str | None:
    """Say why a limit cannot be meant as it stands: mostly it was written in points or percent."""
    if compare == "value":
        return None if 0 <= limit <= 1 else f"is no rate: rates are shares from 0 to 1, 90% is 0.9{_as_share(limit)}"
    if compare == "ratio":
        return None if 0 <= limit <= MOST_RATIO else "is no quotient of rates: four fifths is 0.8"
    if abs(limit) < (MOST_RATIO if compare == "ratio_change" else 1):
        return None
    return f"holds always, or never: limits are shares, 2 points are 0.02{_as_share(limit)}"


def _as_share(limit: float) -> str:
    return f"; {limit:g} points are {limit / 100:g}" if 1 <= abs(limit) <= 100 else ""
