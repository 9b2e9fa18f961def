"""Names that others may choose for groups, classes, gates and audits, so as to be run, asked for or taken for marks."""

from __future__ import annotations

import json

from adult_result import POSITIVE, small

from auditor.report.result_records import records
from auditor.report.result_rows import as_object, plain
from auditor.report.schema import ResultFile

HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    "]]><!--",
    "=cmd()|'/C calc'!A0",
    "\x00\x1b[31m\u202eevil\u2066\x07",
    "[x](http://evil.example/)![y](//evil.example/z) @everyone `|` **b**",
    '" onload="alert(1)" x="',
    "::set-output name=x::y\r\n::error::##[add-mask]z",
    "L" + "o" * 9_998 + "ng",
)


def hostile(name: str):
    """Put a name everywhere that others may write."""

    def swap(value):
        if isinstance(value, str):
            for word in ("Female", POSITIVE, "gap to men", "Income classifier", "pruned-0.98", "A. Reviewer"):
                value = value.replace(word, name)
            return value
        if isinstance(value, list):
            return [swap(item) for item in value]
        if isinstance(value, dict):
            return {swap(key): swap(item) for key, item in value.items()}
        return value

    content = swap(json.loads(json.dumps(plain(small()), default=as_object)))
    content["audit"]["digest"] = content["digest"] = "0" * 64
    return records(ResultFile.model_validate_json(json.dumps(content)))
