"""Commands about results: what they answer, and what they make of files that are none, or hostile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from adult_result import gate, small, with_gates

from auditor.cli import main
from auditor.pipeline import rejudge
from auditor.records import Waiver
from auditor.report import result_json


@pytest.fixture
def auditor(monkeypatch, capsys, tmp_path):
    """Run a command in this process: its code, its output and what it says."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["auditor", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code), out, err

    return run


@pytest.fixture(scope="module")
def text():
    return result_json.dump(small())


def written(folder, name, result):
    path = folder / name
    path.write_text(result_json.dump(result))
    return path


FEMALE = (("sex", "Female"),)


def failing(*waivers, day="2020-01-01", severity="error"):
    """A result whose only comparison fails, judged on a day."""
    targets = ((">50K", FEMALE, None),)
    one = gate("sex", ("sex",), targets=targets, variants=("pruned-0.995",), min=-0.01, severity=severity)
    result = with_gates(one)
    return rejudge(replace(result, waivers=waivers), result.gates, day=day)


def waiver(expires):
    return Waiver(
        gate="sex", line=9, variant=None, label=None, group=FEMALE, reason="later", owner="Ann", expires=expires
    )


def test_check_goes_by_today(auditor, tmp_path):
    path = written(tmp_path, "result.json", failing(waiver("2020-06-30")))
    assert result_json.load(path.read_bytes()).result.findings[0].waived
    code, out, _ = auditor("check", path)
    assert code == 1
    assert "expired on 2020-06-30" in " ".join(out.split())
    lasting = written(tmp_path, "lasting.json", failing(waiver("9999-12-31")))
    code, out, _ = auditor("check", lasting)
    assert code == 0
    assert "waived until 9999-12-31" in " ".join(out.split())


def test_a_report_goes_by_the_day_on_which_the_result_was_judged(auditor, tmp_path):
    path = written(tmp_path, "result.json", failing(waiver("2020-06-30")))
    assert auditor("report", path, "--format", "markdown")[0] == 0
    first = (tmp_path / "summary.md").read_text()
    assert "waived until 2020-06-30" in first
    assert "expired" not in first


def test_warnings_fail_where_that_is_asked_for(auditor, tmp_path):
    path = written(tmp_path, "result.json", failing(severity="warning"))
    assert auditor("check", path)[0] == 0
    code, _, err = auditor("check", path, "--fail-on", "warning")
    assert code == 1
    assert "gates of severity warning count too" in err


def test_diff_answers_whether_anything_got_worse(auditor, tmp_path):
    good = written(tmp_path, "good.json", failing(waiver("9999-12-31")))
    bad = written(tmp_path, "bad.json", failing())
    assert auditor("diff", good, good)[0] == 0
    assert auditor("diff", bad, good)[0] == 0
    code, out, _ = auditor("diff", good, bad)
    assert code == 1
    assert out.startswith("✕ WORSE")
    code, out, _ = auditor("diff", good, bad, "--markdown")
    assert (code, out.splitlines()[0]) == (1, "# adult: what changed")
    assert out == auditor("diff", good, bad, "--format", "markdown")[1]
    assert json.loads(auditor("diff", good, bad, "--format", "json")[1])["worse"] is True


def test_a_result_that_is_no_ordinary_file_is_refused_at_once(auditor, tmp_path, text):
    good, pipe, endless = tmp_path / "good.json", tmp_path / "pipe", tmp_path / "endless.json"
    good.write_text(text)
    os.mkfifo(pipe)
    endless.touch()
    os.truncate(endless, 1 << 40)  # takes no room on the disk
    refused = {pipe: "no ordinary file", "/dev/zero": "no ordinary file", endless: "more than it may have"}
    for bad, said in refused.items():
        for command in (("check", bad), ("report", bad, "--format", "markdown"), ("diff", good, bad)):
            code, out, err = auditor(*command)
            assert (code, out) == (2, "")
            assert f"{bad}: cannot be read: " in err
            assert said in err


def test_a_jobs_summary_says_that_the_file_was_edited(auditor, tmp_path, text, monkeypatch):
    content = json.loads(text)
    content["data"]["source"] = "other.parquet"
    content["findings"], content["gates"] = [], []
    (tmp_path / "result.json").write_text(json.dumps(content))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    assert auditor("check", tmp_path / "result.json", "--no-gate", "--quiet")[0] == 0
    assert "was edited after it was written" in (tmp_path / "step.md").read_text()


def test_json_holds_no_command_for_a_pipeline_and_the_same_values(auditor, tmp_path, monkeypatch):
    path = written(tmp_path, "result.json", failing(replace(waiver("9999-12-31"), owner="##[add-mask]x")))
    other = written(tmp_path, "other.json", failing())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for command in (("check", path, "--format", "json"), ("diff", other, path, "--format", "json")):
        _, out, _ = auditor(*command)
        assert "##[" not in out
        assert "##[add-mask]x" in json.dumps(json.loads(out))


def test_a_reader_that_goes_away_does_not_change_what_diff_answers(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    command = [sys.executable, "-m", "auditor", "diff", "result.json", "result.json", "--format", "json"]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [("a\udcff.toml",), ("audit.toml", "--set", "data.path=\udcff")])
def test_a_name_that_is_no_text_is_refused_before_anything_is_done(auditor, tmp_path, arguments):
    for name in ("a\udcff.toml", "audit.toml"):
        (tmp_path / name).write_text("schema = 1\n")
    code, _, err = auditor("validate", *arguments)
    assert code == 2
    assert "is no UTF-8 text" in err


def without(*path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def set_to(value, *path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


HOSTILE = {
    "another version": (set_to(2, "schema"), "version 2, but this auditor reads version 1"),
    "no version": (without("schema"), "version null"),
    "a version of another type": (set_to("1", "schema"), 'version "1"'),
    "an estimate of an unknown group": (
        set_to({"sex": "X"}, "estimates", 0, "group"),
        "estimates[0].group: 'sex=X' is no group",
    ),
    "a finding of an unknown group": (set_to({"sex": "X"}, "findings", 0, "group"), "says other than the estimate"),
    "a gate of an unknown group": (
        set_to({"sex": "X"}, "gates", 0, "targets", 0, "group"),
        "gates[0].targets[0].group: 'sex=X' is no group",
    ),
    "a gate of an unknown class": (set_to("X", "gates", 0, "targets", 0, "class"), "'X' is no class of the data"),
    "a gate of an unknown variant": (set_to(["int9"], "gates", 0, "variants"), "there is no 'int9'"),
    "a finding of no gate": (set_to("x", "findings", 0, "gate"), "there is no gate 'x'"),
    "no variants": (set_to([], "variants"), "the first must be baseline"),
    "counts of other classes": (set_to([1], "data", "groups", 0, "by_class"), "counts 1 classes, and there are 2"),
    "no population": (without("audit", "definition", "population"), "audit.definition"),
    "a population that is a list": (set_to([], "audit", "definition", "population"), "audit.definition"),
    "models that are a number": (set_to(3, "provenance", "models"), "provenance"),
    "a count beyond what JSON holds": (set_to(10**400, "variants", 0, "asked"), "variants[0].asked"),
    "a number beyond all numbers": (set_to(10**400, "estimates", 0, "value"), "estimates[0].value"),
    "two estimates of one name": (lambda c: c["estimates"].append(c["estimates"][0]), "two have the same id"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_result_that_does_not_fit_together_is_refused_by_every_command(auditor, tmp_path, text, name):
    change, said = HOSTILE[name]
    content = json.loads(text)
    change(content)
    bad, good = tmp_path / "bad.json", tmp_path / "good.json"
    bad.write_text(json.dumps(content))
    good.write_text(text)
    for command in (("check", bad), ("report", bad, "--format", "markdown"), ("diff", good, bad), ("diff", bad, good)):
        code, out, err = auditor(*command)
        assert (code, out) == (2, "")
        assert said in err
        assert str(bad) in err
    assert not (tmp_path / "summary.md").exists()


def test_a_result_that_lacks_the_number_of_a_gate_is_refused(auditor, tmp_path, text):
    content = json.loads(text)
    one = content["findings"].pop(0)
    content["estimates"] = [e for e in content["estimates"] if e["id"] != one["estimate_id"]]
    content["findings"] = [f for f in content["findings"] if f["estimate_id"] != one["estimate_id"]]
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(content))
    code, _, err = auditor("check", bad)
    assert code == 2
    assert f"lacks numbers that its gates judge: {one['gate']!r} for {one['variant']}" in err


def test_a_recipe_that_no_program_wrote_is_the_fault_of_who_edited_the_file(auditor, tmp_path, text):
    content = json.loads(text)
    content["variants"][1]["asked_for"] = {"then": 3, "sparsity": {"a": [1]}}
    content["variants"][1]["measured"] = {"bytes": "many", "sparsity_by_layer": 3}
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(content))
    for command in (("report", bad, "--format", "markdown"), ("check", bad), ("diff", bad, bad)):
        code, _, err = auditor(*command)
        assert code in {0, 1, 2, 3}
        assert "was changed after it was written" in err
