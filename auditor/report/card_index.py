"""The front matter of a model card: results as Hugging Face's `model-index` has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from auditor.records import BASELINE
from auditor.report.view import words
from auditor.report.view.numbers import index
from auditor.text import clean

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

    from auditor.records import AuditResult, Estimate, Label
    from auditor.report.view.numbers import Numbers

Json = dict[str, Any]

MOST_RESULTS = 600
"""Of all variants together: front matter is for machines, but it is read whole by each of them."""
_NAME = 200
_TASKS = {
    "table": "tabular-classification",
    "celeba": "image-classification",
    "images": "image-classification",
    "cifar10": "image-classification",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the front matter says of an audit."""

    metadata: Json
    """`base_model`, `base_model_relation` and `model-index`."""
    left: int
    """Results that are not in it, but in result.json."""


def model_index(result: AuditResult) -> Index:
    """Give a model a compressed variant, and of each a result a judged rate and slice; the undefined has none.

    Everybody comes first, then attributes, then intersections, so that of many the most general are given.
    """
    from huggingface_hub import ModelCardData  # noqa: PLC0415 - half a second, and only a card needs it

    numbers = index(result)
    known = _defined(numbers)
    kept = known[:MOST_RESULTS]
    models: list[Json] = []
    for variant in numbers.variants:
        results = [_result(numbers, e) for e in kept if e.variant == variant]
        if results:
            name = f"{words.name(result.definition['audit']['name'])}-{words.name(variant)}"
            models += ModelCardData(model_name=name, eval_results=results).to_dict()["model-index"]
    # Of the Hub's relations (adapter, finetune, merge, quantized) this is the one that stands for a smaller model.
    front = ModelCardData(base_model=base_model(result), base_model_relation="quantized").to_dict()
    return Index(metadata={**front, "model-index": models}, left=len(known) - len(kept))


def base_model(result: AuditResult) -> str:
    """Name the baseline as the definition does: its file, else its architecture; in characters that the Hub allows."""
    model = result.definition.get("model") or {}
    declared = PurePosixPath(str(model["path"])).name if model.get("path") else str(model.get("architecture") or "")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", declared)[:96].strip("-.") or BASELINE


def data_name(result: AuditResult) -> str:
    """Name the data by the last part of its path: a card is published, and folders of one's machine are not."""
    return clean(result.data.source.rstrip("/").rpartition("/")[2] or result.data.source, _NAME)


def judged(numbers: Numbers) -> tuple[tuple[str, Label | None], ...]:
    """Give the rates, each with its class, that gates are about, and accuracy."""
    of_gates = ((gate.metric, label) for gate in numbers.result.gates for label, *_ in gate.targets)
    return tuple(dict.fromkeys([("accuracy", None), *of_gates]))


def _defined(numbers: Numbers) -> list[Estimate]:
    """Give the variants' judged rates that are defined: of the most general groups first."""
    groups = {group: place for place, group in enumerate(sorted(numbers.sizes, key=len))}
    rates = {rate: place for place, rate in enumerate(judged(numbers))}
    variants = {variant: place for place, variant in enumerate(numbers.variants)}
    placed = {
        (groups[e.group], rates[e.metric, e.label], variants[e.variant]): e
        for e in numbers.result.estimates
        if e.compare == "value" and e.value is not None
        if e.variant in variants and (e.metric, e.label) in rates and e.group in groups
    }
    return [placed[place] for place in sorted(placed)]


def _result(numbers: Numbers, e: Estimate) -> EvalResult:
    from huggingface_hub import EvalResult  # noqa: PLC0415

    result = numbers.result
    source = str((result.definition.get("data") or {}).get("source") or "")
    return EvalResult(
        task_type=_TASKS.get(source, "other"),
        dataset_type=re.sub(r"[^A-Za-z0-9._-]+", "-", source) or "other",
        dataset_name=data_name(result),
        dataset_split="test",
        dataset_args={"audit": _audit(result), "sha256": clean(result.data.digest, 64)},
        metric_type=e.metric,
        metric_value=e.value,
        metric_name=f"{words.metric(e.metric, e.label)}, {words.group_of(e.group)}",
        metric_args=_details(numbers, e),
    )


def _audit(result: AuditResult) -> str:
    return clean(str(result.definition["audit"]["name"]), _NAME)


def _details(numbers: Numbers, e: Estimate) -> Json:
    """Give what a number needs to be read: of whom it is, how sure it is, and what the baseline had."""
    subject = (e.metric, e.label, e.group)
    before, change = numbers.before(e.variant, subject), numbers.get(e.variant, subject, "change")
    details: Json = {"slice": {clean(key, _NAME): clean(name, _NAME) for key, name in e.group} or "everybody"}
    if e.label is not None:
        details["class"] = clean(e.label, _NAME) if isinstance(e.label, str) else e.label
    details |= _interval(e, numbers.confidence)
    details |= {"n": e.n, "members": e.members, "claim": e.claim}
    if before is not None:
        details["baseline"] = before
    if change is not None and change.value is not None:
        details["change"] = {"value": change.value, **_interval(change, numbers.confidence)}
    return details


def _interval(e: Estimate, confidence: float) -> Json:
    ends = {"lower_bound": e.low, "upper_bound": e.high}
    known: Json = {key: end for key, end in ends.items() if end is not None}
    return {"confidence_interval": {**known, "confidence_of_each_bound": confidence}} if known else {}
