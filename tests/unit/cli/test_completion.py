"""What a shell completes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner
from distributions import ROOT, install

from auditor.cli import cli
from auditor.cli.completion import PROGRAM, VARIABLE

TOML = """
attribute = ["sex", { name = "age" }]
[[compression]]
method = "prune"
name = "small"
sparsity = 0.9
[[gate]]
name = "a gate"
metric = "recall"
"""


@pytest.fixture
def completed(tmp_path, monkeypatch):
    """What stands for the last, unfinished word of a command."""
    (tmp_path / "audit.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "broken.toml").write_text("[", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def complete(*words):
        found = BashComplete(cli, {}, PROGRAM, VARIABLE).get_completions(list(words[:-1]), words[-1])
        return [item.value for item in found]

    return complete


def test_commands_and_options_are_completed(completed):
    assert completed("va") == ["validate"]
    assert completed("run", "--ver") == ["--verbose"]
    assert completed("check", "--format", "") == ["text", "json"]


def test_keys_are_completed_with_the_names_that_the_file_gives(completed):
    assert completed("run", "--set", "training.e") == ["training.epochs="]
    assert "compression.small.sparsity=" in completed("run", "--set", "compression.")
    assert "compression.small.clusters=" not in completed("run", "--set", "compression.")
    assert completed("plan", "audit.toml", "--set", "gate.0.mi") == ["gate.0.min="]
    assert completed("run", "--set", "attribute.age.b") == ["attribute.age.bins="]


def test_keys_are_completed_where_the_file_cannot_be_read(completed):
    for file in ("broken.toml", "missing.toml", "."):
        assert completed("run", file, "--set", "data.pa") == ["data.path="]


def test_formats_are_completed_with_those_of_plugins(completed, monkeypatch, tmp_path):
    install(tmp_path / "site", ROOT / "tests/plugin")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert completed("report", "result.json", "--format", "ht") == ["html"]
    assert completed("report", "result.json", "--format", "b") == ["badge"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_about_the_program_and_its_variable(shell):
    script = CliRunner().invoke(cli, ["completion", shell]).output
    assert VARIABLE in script
    assert PROGRAM in script


def test_bash_accepts_the_script(tmp_path):
    script = CliRunner().invoke(cli, ["completion", "bash"]).output
    assert "compopt -o nospace" in script
    subprocess.run(["bash", "-n", "-c", script], check=True)


def test_completing_imports_neither_pandas_nor_what_reports_need(tmp_path):
    code = (
        "import sys; from auditor.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'pandas', 'numpy', 'tensorflow', 'auditor.report'} & set(sys.modules)))"
    )
    words = {VARIABLE: "bash_complete", "COMP_WORDS": "auditor run --set data.lo", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT), **words},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,data.long.example=" in done.stdout, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
