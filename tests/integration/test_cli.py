"""The command as users and pipelines meet it: outputs, exit codes, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from auditor.cli import cli

COMMANDS = ("init", "run", "validate", "plan", "check", "report", "diff", "store", "schema", "completion")


def edit(folder, old, new):
    path = folder / "audit.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def result(folder):
    return json.loads((folder / "audits/small/result.json").read_text(encoding="utf-8"))


def test_an_audit_that_hurts_nobody_exits_0_and_writes_every_output(auditor, folder):
    edit(folder, 'formats = ["json", "markdown"]', "")
    done = auditor("run")
    assert done.returncode == 0, done.stderr
    written = {str(p.relative_to(folder / "audits/small")) for p in (folder / "audits/small").rglob("*") if p.is_file()}
    assert written == {
        "report.html", "report.pdf", "result.json", "exemplars.csv", "junit.xml", "results.sarif", "summary.md",
        "card.md", "predictions/baseline.parquet", "predictions/int8.parquet", "manifest.sha256",
    }  # fmt: skip
    assert "PASS" in done.stdout
    assert "reading the data" in done.stderr
    assert "reading the data" not in done.stdout


LAYERS = """schema = 1
attribute = ["sex"]
[model]
architecture = "mlp"
[data]
path = "people.csv"
label = "income"
positive = "high"
[[compression]]
method = "prune"
sparsity = [0.5, 0.9]
skip = ["dens_1", "head*"]
[[gate]]
metric = "recall"
min = -0.02
"""


def test_validate_says_which_layer_a_method_cannot_have_before_anything_is_trained(auditor, folder):
    rows = [f"{'FM'[k % 2]},{k % 7},{'high' if k % 3 else 'low'}" for k in range(120)]
    (folder / "people.csv").write_text("\n".join(["sex,hours,income", *rows]), encoding="utf-8")
    (folder / "audit.toml").write_text(LAYERS, encoding="utf-8")
    done = auditor("validate")
    assert done.returncode == 2, done.stderr
    expected = (
        'audit.toml:9: compression pruned-0.5: skip: no layer is named "dens_1". Did you mean "dense_1"? skip: no'
    )
    assert done.stderr.count(expected) == 1
    assert auditor("validate", "--no-models").returncode == 0


def test_harm_to_one_group_exits_1_and_names_it(auditor, folder, harmful):
    done = auditor("run")
    assert done.returncode == 1, done.stderr
    failed = [f for f in result(folder)["findings"] if f["verdict"] == "FAIL"]
    assert {"sex": "F"} in [f["group"] for f in failed]
    assert {"sex": "M"} not in [f["group"] for f in failed]
    lines = (folder / "audit.toml").read_text(encoding="utf-8").splitlines()
    assert {lines[f["gate_line"] - 1] for f in failed} == {"[[gate]]"}


def test_too_few_to_tell_exits_3_and_0_only_if_that_is_allowed(auditor, folder):
    edit(folder, "min = -0.05", "min = -0.004")
    assert auditor("run").returncode == 3
    assert auditor("run", "--allow-inconclusive").returncode == 0


def test_a_warning_does_not_count(auditor, folder, harmful):
    edit(folder, "min = -0.05", 'min = -0.05\nseverity = "warning"')
    assert auditor("run").returncode == 0


def test_no_gate_is_a_mistake_unless_it_is_meant(auditor, folder):
    text = (folder / "audit.toml").read_text(encoding="utf-8")
    (folder / "audit.toml").write_text(text[: text.index("[[gate]]")], encoding="utf-8")
    done = auditor("run")
    assert done.returncode == 2
    assert "--no-gate" in done.stderr
    assert auditor("run", "--no-gate").returncode == 0


def test_every_number_can_be_had_again_from_the_decisions_alone(auditor, folder, harmful):
    auditor("run")
    tables = {
        name: pd.read_parquet(folder / f"audits/small/predictions/{name}.parquet") for name in ("baseline", "int8")
    }

    def recall(name, group):
        table = tables[name]
        for attribute, value in group.items():
            table = table[table[attribute] == value]
        table = table[table["label"] == "high"]
        return sum((table[f"member_{k}"] == "high").mean() for k in range(4)) / 4

    checked = 0
    for estimate in result(folder)["estimates"]:
        if estimate["metric"] == "recall" and estimate["compare"] in {"value", "change"}:
            expected = recall(estimate["variant"], estimate["group"])
            if estimate["compare"] == "change":
                expected -= recall("baseline", estimate["group"])
            assert estimate["value"] == pytest.approx(expected, abs=1e-12)
            checked += 1
    assert checked == 15


def test_the_same_inputs_give_the_same_result_but_for_timings(auditor, folder):
    auditor("run")
    first = result(folder)
    auditor("run", "--force")
    second = result(folder)
    assert first.pop("timings") != second.pop("timings")
    assert first == second


def test_check_judges_again_without_models_and_says_that_limits_were_changed(auditor, folder, harmful):
    auditor("run")
    path = folder / "audits/small/result.json"
    assert auditor("check", path).returncode == 1
    loosened = auditor("check", path, "--set", "gate.0.min=-0.9", "--output", "again")
    assert loosened.returncode == 0, loosened.stderr
    again = json.loads((folder / "again/result.json").read_text(encoding="utf-8"))
    assert {f["verdict"] for f in again["findings"]} == {"PASS"}
    assert "after" in (folder / "again/summary.md").read_text(encoding="utf-8")


def test_report_renders_the_same_bytes_again(auditor, folder):
    edit(folder, 'formats = ["json", "markdown"]', 'formats = ["html"]')
    auditor("run")
    first = (folder / "audits/small/report.html").read_bytes()
    done = auditor(
        "report", folder / "audits/small/result.json", "--format", "html", "--format", "json", "--output", "again"
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "again/report.html").read_bytes() == first
    assert (folder / "again/result.json").read_bytes() == (folder / "audits/small/result.json").read_bytes()
    assert {p.name for p in (folder / "again").iterdir()} == {"report.html", "result.json", "manifest.sha256"}


def test_an_edited_result_is_said_to_be_edited(auditor, folder):
    auditor("run")
    path = folder / "audits/small/result.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"PASS"', '"FAIL"'), encoding="utf-8")
    assert "digest" in auditor("check", path).stderr


def test_the_summary_of_a_github_job_gets_the_table(auditor, folder):
    target = folder / "step.md"
    auditor("run", env={**os.environ, "GITHUB_STEP_SUMMARY": str(target)})
    assert "recall holds" in target.read_text(encoding="utf-8")


def test_nothing_of_tensorflow_is_imported_for_a_table_of_predictions(folder):
    code = (
        "import sys; sys.argv = ['auditor', 'run']\n"
        "from auditor.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print('code', end.code)\n"
        "print('imported', sorted({'tensorflow', 'tf_keras', 'keras'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert "code 0" in done.stdout, done.stderr
    assert "imported []" in done.stdout


BAD = {
    "a missing file": (lambda f: (f / "people.csv").unlink(), "audit.toml:10: data.path: "),
    "a wrong column": (lambda f: edit(f, '"income"', '"incme"'), "audit.toml:11: data.label: "),
    "a missing definition": (lambda f: (f / "audit.toml").unlink(), "write one with: auditor init --data FILE"),
    "semicolons": (lambda f: (f / "people.csv").write_text("a;b\n1;2\n"), "Is the separator a semicolon?"),
    "an unknown key": (lambda f: edit(f, "seed = 1", "sede = 1"), "audit.toml:6: audit.sede: unknown key"),
    "a gate over nothing": (lambda f: edit(f, '"overall"', '"overal"'), 'Did you mean "overall"?'),
    "a class that is not there": (lambda f: edit(f, '"high"', '"hihg"'), '"high"'),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_request_exits_2_says_what_is_wrong_and_writes_nothing(auditor, folder, case):
    break_it, message = BAD[case]
    break_it(folder)
    for command in ("run", "validate"):
        done = auditor(command)
        assert done.returncode == 2, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert not (folder / "audits").exists()


def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_half_written(auditor, folder):
    (folder / "audits").write_text("a file, not a folder", encoding="utf-8")
    done = auditor("run")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert (folder / "audits").read_text(encoding="utf-8") == "a file, not a folder"


def test_a_truncated_result_is_told_with_its_place(auditor, folder):
    auditor("run")
    path = folder / "audits/small/result.json"
    path.write_text(path.read_text(encoding="utf-8")[:5000], encoding="utf-8")
    done = auditor("check", path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_validate_tells_sizes_and_what_each_gate_can_show(auditor):
    done = auditor("validate")
    assert done.returncode == 0
    assert "recall holds" in done.stdout
    assert "everybody" in done.stdout


WAIVERS = """
[[waiver]]
gate = "recall holds"
reason = "not shipped yet"
owner = "Ann"
expires = {ann}
[[waiver]]
gate = "recall holds"
group = "{group}"
reason = "not shipped yet"
owner = "Ben"
expires = 9999-12-31
"""


def test_validate_says_that_a_run_without_a_gate_judges_nothing(auditor, folder):
    text = (folder / "audit.toml").read_text(encoding="utf-8")
    (folder / "audit.toml").write_text(text[: text.index("[[gate]]")], encoding="utf-8")
    done = auditor("validate", "-q")
    assert (done.returncode, done.stdout) == (0, "")
    assert "warning: no gate: nothing would be judged" in done.stderr


def test_a_limit_with_a_mistaken_sign_is_warned_of_by_run_and_validate_even_in_quiet(auditor, folder):
    edit(folder, "min = -0.05", "min = 0.05")
    for command in ("validate", "run"):
        assert "min = 0.05 of a change demands that every group has a rise of 5 points" in auditor(command, "-q").stderr


def add_waivers(folder, ann="2020-06-30", group="sex = F"):
    with (folder / "audit.toml").open("a", encoding="utf-8") as file:
        file.write(WAIVERS.format(ann=ann, group=group))


def test_validate_tells_of_a_waiver_that_has_expired(auditor, folder):
    add_waivers(folder)
    done = auditor("validate")
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert "by Ann expired on 2020-06-30: it excuses nothing any more, and what it is about counts" in said
    assert "Ben" not in said
    ann, ben = json.loads(auditor("validate", "--format", "json").stdout)["waivers"]
    assert (ann["gate"], ann["owner"], ann["expires"], ann["expired"]) == ("recall holds", "Ann", "2020-06-30", True)
    assert ann["why_not"].startswith("expired on 2020-06-30")
    assert (ben["group"], ben["expired"], ben["why_not"]) == ({"sex": "F"}, False, "")


def test_validate_refuses_a_waiver_of_a_group_that_is_not_in_the_data(auditor, folder):
    add_waivers(folder, group="sex = X")
    for form in ("text", "json"):
        done = auditor("validate", "--format", form)
        assert done.returncode == 2
        assert "waiver[1].group: 'sex = X' is no group of the test split" in done.stderr


def test_a_reader_that_goes_away_does_not_change_the_answer(auditor, folder):
    auditor("run")
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m auditor check audits/small/result.json | true; exit ${{PIPESTATUS[0]}}"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_summary_that_cannot_be_written_does_not_change_the_answer(auditor):
    done = auditor("run", env={**os.environ, "GITHUB_STEP_SUMMARY": "/nowhere/step.md"})
    assert done.returncode == 0
    assert "cannot be written" in done.stderr


def test_a_result_in_which_nothing_is_judged_is_no_pass(auditor, folder):
    auditor("run", "--no-gate", "--set", "gate=[]")
    path = folder / "audits/small/result.json"
    assert auditor("check", path).returncode == 2
    assert auditor("check", path, "--no-gate").returncode == 0


def test_names_from_the_data_reach_no_terminal_raw(auditor, folder):
    table = pd.read_csv(folder / "people.csv")
    table.loc[0, "sex"] = "a\n::error file=x::forged\x1b[2J"
    table.to_csv(folder / "people.csv", index=False)
    edit(folder, '"sex", {', '{ name = "sex", groups = { F = ["F"], M = ["M"] } }, {')
    done = auditor("run")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert "\n::error" not in done.stderr


def test_markup_in_a_class_name_is_text(auditor, folder):
    table = pd.read_csv(folder / "people.csv")
    table.replace("low", "low[/x]").to_csv(folder / "people.csv", index=False)
    done = auditor("validate")
    assert done.returncode == 0, done.stderr
    assert "low[/x]" in done.stdout


def test_a_wrong_option_exits_2(auditor):
    assert auditor("run", "--no-such-option").returncode == 2
    assert auditor("report", "x.json", "--format", "docx").returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_help_stands_in_the_readme(command):
    from pathlib import Path

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    listed = CliRunner().invoke(cli, ["--help"]).output
    assert f"  {command} " in listed
    assert f"`auditor {command}" in readme
    assert set(cli.commands) == set(COMMANDS)


STORED = """
schema = 1
attribute = ["sex"]
[audit]
name = "small"
[model]
architecture = "mlp"
options = { hidden = [4] }
[training]
epochs = 1
[population]
size = 2
[data]
path = "people.csv"
label = "income"
features = { use = ["age"] }
[run]
executor = "inline"
[[compression]]
method = "float16"
"""


def test_the_store_is_planned_listed_verified_and_cleared(auditor, folder):
    (folder / "audit.toml").write_text(STORED, encoding="utf-8")
    before = auditor("plan")
    assert before.returncode == 0, before.stderr
    assert "unknown (nothing of some kind is stored yet" in " ".join(before.stdout.split())
    assert "memory at least" in " ".join(before.stdout.split())
    assert auditor("run", "--no-gate", "--set", "report.formats=[]").returncode == 0
    assert "Everything is stored" in auditor("plan").stdout
    more = auditor("plan", "--set", "training.learning_rate=0.5").stdout
    assert "2 at once" in more
    assert "In 1 process: about" in more
    assert "memory about" in " ".join(more.split())
    assert "not of this audit" not in auditor("store", "ls").stdout
    assert "not of this audit: 4 members" in auditor("store", "ls", "--set", "training.learning_rate=0.5").stdout
    whole = auditor("store", "verify")
    assert (whole.returncode, whole.stdout) == (0, "6 of 6 entries are as they were written\n")

    (model,) = list(folder.glob(".auditor/jobs/*/*/model.tflite"))[:1]
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    damaged = auditor("store", "verify")
    assert damaged.returncode == 4
    assert "5 of 6 entries" in damaged.stdout
    assert "model.tflite has changed since it was written" in damaged.stderr
    assert auditor("run", "--no-gate", "--set", "report.formats=[]").returncode == 0

    assert "would remove 1 stack's weights" in auditor("store", "gc", "--dry-run").stdout
    assert "removed 1 damaged result, set aside" in auditor("store", "gc").stdout
    assert auditor("store", "gc").stdout == "nothing to remove\n"
    assert "Everything is stored" in auditor("plan").stdout


def test_a_table_of_decisions_has_nothing_to_plan(auditor, folder):
    assert "Nothing runs: decisions come from a table." in auditor("plan").stdout


def test_programs_get_json_and_who_wants_quiet_nothing(auditor):
    found = json.loads(auditor("validate", "--format", "json").stdout)
    assert {reach["gate"] for reach in found["reaches"]} == {"recall holds"}
    assert found["reaches"][0]["group"] in ({}, {"sex": "F"}, {"sex": "M"})
    planned = json.loads(auditor("plan", "--format", "json").stdout)
    assert [each["variant"] for each in planned["variants"]] == ["baseline", "int8"]
    ran = auditor("run", "--format", "json")
    answer = json.loads(ran.stdout)
    assert answer["verdict"] == "PASS"
    assert "audits/small/predictions/int8.parquet" in answer["files"]
    assert "reading the data" in ran.stderr
    quiet = auditor("run", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
