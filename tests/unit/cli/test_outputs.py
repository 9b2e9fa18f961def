from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys

import pytest
from adult_result import small
from click.testing import CliRunner

from auditor.cli import cli
from auditor.cli.files import need_folder, write_reports
from auditor.errors import AuditorError, OutputError
from auditor.report.manifest import MANIFEST, listed, manifest
from auditor.report.outcome import Reading
from auditor.report.result_json import Loaded, dump

READING = Reading(definition="audit.toml")


def loaded():
    return Loaded(result=small(), edited=False)


def checked(folder) -> bool:
    """Whether every listed file is as it was, by coreutils."""
    done = subprocess.run(["sha256sum", "--strict", "-c", MANIFEST], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def test_the_manifest_lists_every_file_of_a_run(tmp_path) -> None:
    more = {"predictions/baseline.parquet": b"PAR1", "tensorboard/a/member_0/events": b"e"}
    write_reports(loaded(), ["json", "junit"], tmp_path, reading=READING, more=more)
    there = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert set(listed(tmp_path)) == there - {MANIFEST}
    assert checked(tmp_path)
    (tmp_path / "predictions/baseline.parquet").write_bytes(b"other")
    assert not checked(tmp_path)


def test_rendering_again_keeps_what_is_listed_and_drops_what_is_gone(tmp_path) -> None:
    write_reports(loaded(), ["json", "junit", "card"], tmp_path, reading=READING, more={"p/a.parquet": b"a"})
    before = listed(tmp_path)
    (tmp_path / "p/a.parquet").write_bytes(b"tampered")
    (tmp_path / "junit.xml").unlink()
    write_reports(loaded(), ["sarif"], tmp_path, reading=READING)
    now = listed(tmp_path)
    assert set(now) == {"result.json", "card.md", "p/a.parquet", "results.sarif"}
    assert now["p/a.parquet"] == before["p/a.parquet"] == hashlib.sha256(b"a").hexdigest()
    assert not checked(tmp_path)
    write_reports(loaded(), ["json"], tmp_path, reading=READING, more={})
    assert set(listed(tmp_path)) == {"result.json"}


def test_odd_names_are_written_as_coreutils_writes_them(tmp_path) -> None:
    odd = {name: name.encode() for name in ("a b", "c\\d", "e\nf", "g\rh", "\\n", "ü", "*x")}
    for name, content in odd.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / MANIFEST).write_bytes(manifest(odd, {}))
    assert checked(tmp_path)
    assert listed(tmp_path) == {name: hashlib.sha256(content).hexdigest() for name, content in odd.items()}
    ours = {line for line in (tmp_path / MANIFEST).read_bytes().split(b"\n") if line}
    theirs = subprocess.run(["sha256sum", "--", *odd], cwd=tmp_path, capture_output=True, check=True).stdout
    assert ours == {line for line in theirs.split(b"\n") if line}


def test_a_manifest_names_nothing_outside_its_folder(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "secret").write_bytes(b"s")
    lines = [f"{'0' * 64}  {name}\n" for name in ("../secret", str(tmp_path / "secret"), "out/../../secret")]
    (tmp_path / "out" / MANIFEST).write_text("".join([*lines, "no line\n"]))
    assert listed(tmp_path / "out") == {}


def test_a_manifest_with_a_name_that_no_file_has_is_read(tmp_path) -> None:
    (tmp_path / MANIFEST).write_text(f"{'0' * 64}  {'a' * 300}\n{'0' * 64}  {'a/' * 3_000}b\n")
    assert listed(tmp_path) == {}


def result_of(name: str) -> str:
    result = small()
    result.definition["audit"]["name"] = name
    return dump(result)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (result_of("other"), 'is of another audit, "other"'),
        ("{", "no result that can be read"),
        ("[" * 9_999, "no res"),
    ],
)
def test_a_folder_of_another_audit_is_refused_and_left_alone(tmp_path, content, said) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(OutputError, match=said):
        need_folder(tmp_path, "adult")
    with pytest.raises(OutputError, match="--output"):
        write_reports(loaded(), ["junit"], tmp_path, reading=READING)
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("junit", "junit.xml"),
        ("markdown", "summary.md"),
        ("card", "card.md"),
        ("sarif", "results.sarif"),
        ("html", "report.html"),
    ],
)
def test_a_folder_that_only_another_audits_reports_went_to_is_refused_and_left_alone(tmp_path, form, name) -> None:
    for audit in ("the_other-1", "adult"):
        (tmp_path / audit).mkdir()
        (tmp_path / audit / "result.json").write_text(result_of(audit))

    def render(audit, form):
        arguments = [
            "report",
            str(tmp_path / audit / "result.json"),
            "--format",
            form,
            "--output",
            str(tmp_path / "out"),
        ]
        CliRunner().invoke(cli, arguments, standalone_mode=False, catch_exceptions=False)

    render("the_other-1", form)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(
        OutputError, match=f'holds a {name} that is of another audit, "the_other-1"; this one is "adult"'
    ):
        render("adult", "junit")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    render("the_other-1", "junit")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*before, "junit.xml"}


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_done(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="no folder can be made there"):
            need_folder(folder, "adult")


def test_a_name_that_no_folder_can_have_is_refused_before_anything_is_done(tmp_path) -> None:
    for folder in (tmp_path / ("a" * 300), tmp_path / ("a" * 300) / "out"):
        with pytest.raises(OutputError, match="File name too long"):
            need_folder(folder, "adult")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="no folder can be made there"):
        need_folder(tmp_path / "gone", "adult")


def test_a_folder_that_may_not_be_looked_into_is_refused(tmp_path, monkeypatch) -> None:
    def stat(path, **_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr("pathlib.Path.stat", stat)  # root may look anywhere
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        need_folder(tmp_path / "closed" / "out", "adult")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="not writable"):
        need_folder(tmp_path, "adult")


def test_a_folder_of_this_audit_or_of_nothing_is_used(tmp_path) -> None:
    need_folder(tmp_path, "adult")
    need_folder(tmp_path / "to" / "be" / "made", "adult")
    (tmp_path / "result.json").write_text(result_of("adult"))
    need_folder(tmp_path, "adult")
    assert not (tmp_path / "to").exists()


ENDED = """
import os, signal, sys
from auditor.cli import main
number, fsync, count = int(sys.argv.pop()), os.fsync, 0
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it

def end(_):
    global count
    count += 1
    if count == 2:
        os.kill(os.getpid(), number)

os.fsync = end
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_is_told_to_end_while_it_writes_leaves_nothing_half_written(tmp_path, number) -> None:
    (tmp_path / "result.json").write_text(result_of("adult"))
    (tmp_path / "junit.xml").write_text("old")
    formats = ["--format", "markdown", "--format", "junit"]
    command = [sys.executable, "-c", ENDED, "report", str(tmp_path / "result.json"), *formats, str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"result.json", "junit.xml"}
    assert (tmp_path / "junit.xml").read_text() == "old"


def test_a_card_that_is_there_is_given_its_section_and_nothing_else_is_written(tmp_path) -> None:
    (tmp_path / "result.json").write_text(result_of("adult"))
    readme = tmp_path / "README.md"
    readme.write_bytes(b"# Mine\r\n")
    arguments = ["report", str(tmp_path / "result.json"), "--format", "card", "--into", str(readme)]
    CliRunner().invoke(cli, arguments, standalone_mode=False, catch_exceptions=False)
    assert b"# Mine\r\n\r\n<!-- auditor adult: begin -->\r\n" in readme.read_bytes()
    assert {p.name for p in tmp_path.iterdir()} == {"README.md", "result.json"}


def test_a_card_stays_as_it_is_where_the_folder_of_the_other_formats_is_refused(tmp_path) -> None:
    (tmp_path / "result.json").write_text(result_of("adult"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/result.json").write_text(result_of("other"))
    (tmp_path / "README.md").write_bytes(b"# Mine\n")
    arguments = ["report", str(tmp_path / "result.json"), "--format", "markdown", "--output", str(tmp_path / "other")]
    with pytest.raises(OutputError, match='is of another audit, "other"'):
        CliRunner().invoke(
            cli, [*arguments, "--into", str(tmp_path / "README.md")], standalone_mode=False, catch_exceptions=False
        )
    assert (tmp_path / "README.md").read_bytes() == b"# Mine\n"


@pytest.mark.parametrize(("content", "said"), [(b"---\na: [\n---\n", "no YAML"), (b"\xff", "no UTF-8"), (None, "read")])
def test_a_card_that_cannot_be_edited_is_named_and_stays_as_it_is(tmp_path, content, said) -> None:
    (tmp_path / "result.json").write_text(result_of("adult"))
    readme = tmp_path / "README.md"
    if content is not None:
        readme.write_bytes(content)
    arguments = ["report", str(tmp_path / "result.json"), "--into", str(readme)]
    with pytest.raises(AuditorError, match=rf"README\.md: .*{said}"):
        CliRunner().invoke(cli, arguments, standalone_mode=False, catch_exceptions=False)
    assert content is None or readme.read_bytes() == content
