"""The composite action: what its shell asks of auditor, what it tells later steps, and that no input is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

GITHUB = Path(__file__).parents[3] / ".github"
ACTION = yaml.safe_load((GITHUB / "actions/audit/action.yml").read_text(encoding="utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXAMPLES = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (GITHUB / "examples").glob("*.yml")}
INPUT = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
FAKE = """#!/usr/bin/env bash
printf '%s\\n' "$@" > arguments
mkdir -p -- "$3"
{files}
exit {code}
"""
WRITES = 'echo "{}" > "$3/result.json"; echo "{}" > "$3/results.sarif"'


@pytest.fixture
def act(tmp_path):
    """Run the audit's step as GitHub does, with a command in place of auditor: code, arguments, outputs."""

    def run(code=0, files=WRITES, **inputs):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        fake = folder / "auditor"
        fake.write_text(FAKE.replace("{files}", files).replace("{code}", str(code)))
        fake.chmod(0o755)
        values = {name: entry["default"] for name, entry in ACTION["inputs"].items()} | inputs
        step = STEPS["Audit"]
        env = {
            name: values[re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)[1]] for name, text in step["env"].items()
        }
        script, output = tmp_path / "script.sh", tmp_path / "output"
        script.write_text(step["run"])
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=tmp_path,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(output), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        arguments = (tmp_path / "arguments").read_text().splitlines() if (tmp_path / "arguments").exists() else []
        return done.returncode, arguments, dict(line.split("=", 1) for line in output.read_text().splitlines())

    return run


@pytest.mark.parametrize("code", [0, 1, 3, 4])
def test_the_step_answers_what_auditor_answers_and_tells_later_steps_before(act, code):
    answered, _, outputs = act(code)
    assert answered == code
    assert outputs == {
        "exit-code": str(code),
        "result": "audit-output/result.json",
        "sarif": "audit-output/results.sarif",
    }


def test_where_nothing_was_written_nothing_is_uploaded(act):
    code, _, outputs = act(2, files=":")
    assert (code, outputs) == (2, {"exit-code": "2"})


def test_an_earlier_result_is_not_taken_for_this_one(act, tmp_path):
    folder = tmp_path / "audit-output"
    folder.mkdir()
    (folder / "result.json").write_text("{}")
    assert act(4, files=":")[2] == {"exit-code": "4"}


def test_what_is_asked_for_reaches_auditor(act):
    formats = 'report.formats=["html","pdf","junit","sarif","markdown"]'
    _, plain, _ = act()
    start = ["run", "--output", "audit-output", "--fail-on", "error", "--set", formats]
    assert plain == [*start, "--require-pins", "--", "audit.toml"]
    _, arguments, _ = act(
        **{
            "definition": "my audit/audit.toml",
            "output": "my output",
            "formats": "html, junit",
            "settings": "population.size=3\n\naudit.title=Two words\n",
            "allow-inconclusive": "true",
            "fail-on": "warning",
            "require-pins": "false",
            "require-sandbox": "true",
        }
    )
    assert arguments == [
        "run",
        "--output",
        "my output",
        "--fail-on",
        "warning",
        "--set",
        'report.formats=["html","junit"]',
        "--set",
        "population.size=3",
        "--set",
        "audit.title=Two words",
        "--allow-inconclusive",
        "--require-sandbox",
        "--",
        "my audit/audit.toml",
    ]


@pytest.mark.parametrize("name", ["definition", "output", "formats", "settings", "fail-on", "allow-inconclusive"])
def test_no_input_is_run_by_the_shell(act, tmp_path, name):
    hostile = "\"; touch pwned; $(touch pwned) `touch pwned` ' && touch pwned #"
    act(**{name: hostile})
    assert not (tmp_path / "pwned").exists()


def test_outputs_may_be_written_anywhere(act, tmp_path):
    outputs = act(output=str(tmp_path / "elsewhere"))[2]
    assert outputs["result"] == f"{tmp_path}/elsewhere/result.json"


def test_a_definition_that_looks_like_an_option_is_none(act):
    assert act(definition="--no-gate")[1][-2:] == ["--", "--no-gate"]


def test_the_outputs_hold_no_line_of_an_input(act):
    outputs = act(files='echo "{}" > "$3/result.json"', output="x\nexit-code=0")[2]
    assert outputs["exit-code"] == "0"
    assert outputs["result"] == "xexit-code=0/result.json"
    assert act(1, files='echo "{}" > "$3/result.json"', output="x\nexit-code=0")[2]["exit-code"] == "1"


def scripts():
    yield from ((name, step["run"]) for name, step in STEPS.items() if "run" in step)
    for job in EXAMPLES["deploy.yml"]["jobs"].values():
        yield from ((step["name"], step["run"]) for step in job["steps"] if "run" in step)


def test_no_expression_stands_in_a_script():
    found = list(scripts())
    assert len(found) == 5
    for name, script in found:
        assert "${{" not in script, name


def test_the_outputs_are_kept_where_the_gate_fails():
    for name in ("Keep the outputs", "Show the findings at the gates' lines"):
        assert STEPS[name]["if"].startswith("${{ !cancelled() && ")


def test_the_action_installs_the_commit_that_it_is_used_at(tmp_path):
    script = STEPS["Install auditor"]["run"]
    assert '"$GITHUB_ACTION_PATH/../../.."' in script
    assert (GITHUB / "actions/audit/../../../pyproject.toml").resolve().is_file()


def test_a_file_of_the_repository_does_not_stand_in_for_a_module_of_the_installer(tmp_path):
    python, *options = STEPS["Install auditor"]["run"].partition(" install ")[0].split()
    (tmp_path / "pip.py").write_text("raise SystemExit('the repository ran')")
    command = [sys.executable, *options, "--version"]
    assert python == "python"
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_actions_are_pinned_to_commits_but_for_the_one_that_says_so():
    steps = [*STEPS.values(), *(step for job in EXAMPLES["deploy.yml"]["jobs"].values() for step in job["steps"])]
    used = {step["uses"] for step in steps if "uses" in step}
    loose = {name for name in used if not re.search(r"@[0-9a-f]{40}$", name)}
    assert loose == {"github/codeql-action/upload-sarif@v4", "OWNER/auditor/.github/actions/audit@COMMIT"}


def test_in_the_examples_a_deploy_depends_on_the_gate():
    assert EXAMPLES["deploy.yml"]["jobs"]["deploy"]["needs"] == "audit"
    gitlab = EXAMPLES["gitlab-ci.yml"]
    assert gitlab["deploy"]["needs"] == ["audit"]
    assert gitlab["audit"]["artifacts"]["when"] == "always"
    assert gitlab["audit"]["artifacts"]["reports"]["junit"] == "audit-output/junit.xml"


def test_the_example_names_inputs_and_outputs_that_the_action_has():
    (step,) = [s for s in EXAMPLES["deploy.yml"]["jobs"]["audit"]["steps"] if s.get("id") == "audit"]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert "result" in ACTION["outputs"]
