"""What an audit writes of its members' predictions is enough to audit them again, to the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd

AGAIN = """
schema = 1
attribute = ["sex", { name = "age", groups = { "<40" = ["<40"], "40+" = ["40+"] } }]  # in the order of the bins
[audit]
name = "again"
seed = 1
[model]
predictions = "baseline/{columns}"
[data]
path = "audits/small/predictions/baseline.parquet"
predictions = ["audits/small/predictions/*.parquet"]
example = "example"
label = "label"
positive = "high"
[report]
formats = ["json"]
[[compression]]
predictions = "int8/{columns}"
paired = true
[[gate]]
name = "recall holds"
metric = "recall"
over = ["sex", "overall"]
min = -0.05
"""
NUMBERS = ("estimates", "class_tests", "exemplars", "extremes", "descriptions", "findings", "variants")


def numbers(folder, name):
    """Everything that was measured, without what was declared and where."""
    result = json.loads((folder / "audits" / name / "result.json").read_text(encoding="utf-8"))
    for variant in result["variants"]:
        del variant["asked_for"]
    return {key: result[key] for key in NUMBERS if key in result} | {
        "groups": result["data"]["groups"],
        "findings": [{**finding, "gate_line": None} for finding in result["findings"]],
    }


def edit(folder, replaced):
    text = (folder / "audit.toml").read_text(encoding="utf-8")
    for old, new in replaced.items():
        text = text.replace(old, new)
    (folder / "audit.toml").write_text(text, encoding="utf-8")


def test_the_predictions_that_an_audit_writes_give_its_numbers_again(auditor, folder, harmful):
    assert auditor("run").returncode == 1
    (folder / "again.toml").write_text(AGAIN.replace("{columns}", "member_*"), encoding="utf-8")
    done = auditor("run", "again.toml")
    assert done.returncode == 1, done.stderr
    assert numbers(folder, "again") == numbers(folder, "small")
    written = [(folder / "audits" / name / "predictions/int8.parquet").read_bytes() for name in ("small", "again")]
    assert written[0] == written[1]


def test_so_do_probabilities(auditor, folder):
    table = pd.read_csv(folder / "people.csv")
    for name in [name for name in table if "_" in name]:
        # 11 values, exact in single precision, on both sides of the threshold
        table[name] = (table.index % 11) / 32 + (table[name] == "high") * 0.625
    table.to_csv(folder / "people.csv", index=False)
    edit(folder, {'positive = "high"': 'positive = "high"\nthreshold = 0.5'})
    first = auditor("run")
    assert first.returncode in {0, 1, 3}, first.stderr
    assert any(key.endswith("_p_high") for key in pd.read_parquet(folder / "audits/small/predictions/int8.parquet"))
    (folder / "again.toml").write_text(AGAIN.replace("{columns}", "member_*_p_{class}"), encoding="utf-8")
    done = auditor("run", "again.toml")
    assert done.returncode == first.returncode, done.stderr
    assert numbers(folder, "again") == numbers(folder, "small")


def test_no_form_of_predictions_imports_tensorflow(auditor, folder):
    wide = pd.read_csv(folder / "people.csv").reset_index(names="example")
    names = [name for name in wide if name.startswith(("base_", "int8_"))]
    log = wide.melt(id_vars=["example", "sex", "age", "income"], value_vars=names, var_name="both", value_name="said")
    log[["variant", "member"]] = log.pop("both").str.split("_", expand=True).to_numpy()
    log.to_parquet(folder / "log.parquet", index=False)
    long = 'long = { example = "example", variant = "variant", member = "member", decision = "said" }'
    edit(folder, {"people.csv": "log.parquet", 'positive = "high"': f'positive = "high"\n{long}', "_*": ""})
    code = (
        "import sys; sys.argv = ['auditor', 'run']\n"
        "from auditor.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, sorted({'tensorflow', 'tf_keras', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 []\n"), done.stderr


def test_no_gate_over_an_intersection_passes_since_nobody_of_a_combination_was_tested(auditor, folder):
    crossed = '[[intersection]]\nattributes = ["sex", "age"]\n[[gate]]'
    edit(folder, {"[[gate]]": crossed, 'over = ["sex", "overall"]': 'over = ["sex x age"]'})
    assert auditor("run").returncode == 0
    table = pd.read_csv(folder / "people.csv")
    table[~((table["sex"] == "F") & (table["age"] >= 40))].to_csv(folder / "people.csv", index=False)
    done = auditor("run", "--force")
    assert done.returncode == 3, done.stderr
    assert "1 combination of groups without a test example" in done.stderr
    result = json.loads((folder / "audits/small/result.json").read_text(encoding="utf-8"))
    (undefined,) = [finding for finding in result["findings"] if finding["verdict"] == "UNDEFINED"]
    assert undefined["group"] == {"sex": "F", "age": "40+"}


def test_no_gate_passes_since_nobody_of_a_declared_group_was_tested(auditor, folder):
    edit(folder, {'attribute = ["sex"': 'attribute = [{ name = "sex", groups = { F = ["F"], M = ["M"] } }'})
    assert auditor("run").returncode == 0
    table = pd.read_csv(folder / "people.csv")
    table[table["sex"] == "M"].to_csv(folder / "people.csv", index=False)
    done = auditor("run", "--force")
    assert done.returncode == 3, done.stderr
    assert 'group "F" has 0 training examples and no test example' in done.stderr
    found = json.loads((folder / "audits/small/result.json").read_text(encoding="utf-8"))["findings"]
    assert {finding["verdict"] for finding in found if finding["group"] == {"sex": "F"}} == {"UNDEFINED"}
