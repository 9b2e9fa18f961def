"""Reporters of other distributions: found, given their options, and kept to their place."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from adult_result import small
from click.testing import CliRunner
from distributions import ROOT, install, offer

from auditor.cli import cli
from auditor.declare import load_spec
from auditor.errors import OutputError, SpecError
from auditor.report.rendering import FORMATS, render
from auditor.report.reporter import Finished, ask, publish
from auditor.report.result_json import dump

PLUGIN = ROOT / "tests/plugin"
NAMES = [name for name, _ in FORMATS.values()]
SMALLEST = """schema = 1
attribute = ["sex"]
[model]
architecture = "mlp"
[data]
path = "people.csv"
label = "income"
[[compression]]
method = "prune"
sparsity = 0.9
[report]
formats = ["json", {name}]
"""
MUTE = "class Mute(Exception):\n    def __str__(self): return self.no_such"
BROKEN = """
import asyncio, os, subprocess, sys
from auditor import Reporter
{top}
class Made(Reporter):
    {fields}
    def report(self, finished):
        {body}
"""


@pytest.fixture
def badge(tmp_path, monkeypatch):
    """The example plugin, installed."""
    install(tmp_path / "site", PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(PLUGIN))
    yield
    sys.modules.pop("auditor_badge", None)


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A plugin "acme" with this code; gives what makes it."""

    def make(body="return {}", top="", fields=""):
        site = tmp_path / "site"
        offer(site, "acme-reports", "1.2", "[auditor.reporters]\nacme = acme_reports:Made\nhtml = acme_reports:Made")
        (site / "acme_reports.py").write_text(BROKEN.format(body=body, top=top, fields=fields), encoding="utf-8")
        monkeypatch.syspath_prepend(str(site))

    yield make
    sys.modules.pop("acme_reports", None)


@cache
def rendered_once():
    return render(small(), ["json"])


def finished(folder):
    rendered = rendered_once()
    return Finished(
        result=small(), digest=rendered.digest, view=rendered.view, folder=folder,
        files={name: folder / name for name in rendered.files}, models={},
    )  # fmt: skip


def published(folder, name="acme", options=None):
    """What a plugin has written, and why it has not."""
    out = folder / "out"
    found = publish(ask([name], {name: options or {}}, FORMATS), finished(out), NAMES)
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert sorted(found.files) == written
    return written, str(found.failed.get(name, ""))


def test_the_example_plugin_makes_its_file_beside_the_others(badge, tmp_path):
    result = tmp_path / "result.json"
    result.write_text(dump(small()), encoding="utf-8")
    options = ["--format", "badge", "--format", "markdown", "--set", "report.options.badge.label=a <b> & c"]
    done = CliRunner().invoke(cli, ["report", str(result), *options])
    assert done.exit_code == 0, done.output
    root = ET.fromstring((tmp_path / "badge.svg").read_text(encoding="utf-8"))  # noqa: S314 - just made
    assert root[0].text == "a <b> & c: FAIL"
    assert (tmp_path / "summary.md").exists()


def test_the_readme_shows_the_example_plugin_as_it_is():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("pyproject.toml", "auditor_badge.py"):
        assert (PLUGIN / name).read_text(encoding="utf-8") in readme


def test_only_the_plugin_that_is_asked_for_is_imported(badge, acme):
    acme(top="raise RuntimeError('imported')")
    assert ask(["json"], {}, FORMATS).reporters == {}
    assert list(ask(["badge"], {}, FORMATS).reporters) == ["badge"]
    assert "auditor_badge" in sys.modules
    assert "acme_reports" not in sys.modules


def test_a_name_that_is_built_in_is_never_a_plugins(acme):
    acme()
    asked = ask(["html"], {}, FORMATS)
    assert (asked.formats, dict(asked.reporters)) == (("html",), {})


def test_an_unknown_format_is_told_with_the_nearest_name_and_all(badge):
    with pytest.raises(OutputError, match=r'Did you mean "badge"\? There is') as caught:
        ask(["bagde", "json"], {}, FORMATS)
    assert all(f'"{name}"' in str(caught.value) for name in ("badge", *FORMATS))


def declared(folder, name, options=""):
    path = folder / "audit.toml"
    path.write_text(SMALLEST.replace("{name}", f'"{name}"') + options, encoding="utf-8")
    return load_spec(path)


def test_an_unknown_format_in_audit_toml_is_told_with_its_line(badge, tmp_path):
    with pytest.raises(SpecError, match=r'audit.toml:12: report.formats\[1\]: \'bagde\' .*\n.*"badge"'):
        declared(tmp_path, "bagde")
    with pytest.raises(SpecError, match=r"audit.toml:13: report.options.html: is built in"):
        declared(tmp_path, "badge", "[report.options.html]\na = 1\n")
    with pytest.raises(SpecError, match=r"audit.toml:13: report.options.bagde: no plugin offers"):
        declared(tmp_path, "badge", "[report.options.bagde]\na = 1\n")


def test_options_that_a_plugin_does_not_take_are_told_with_their_lines(badge, tmp_path):
    declaration = declared(tmp_path, "badge", '[report.options.badge]\nlabel = 3\nlabl = "x"\n')
    wanted = declaration.spec.report
    with pytest.raises(SpecError) as caught, declaration.naming_places():
        ask(wanted.formats, wanted.options, FORMATS)
    told = str(caught.value)
    assert "audit.toml:14: report.options.badge.label: should be a text, not 3" in told
    assert "audit.toml:15: report.options.badge.labl: unknown key 'labl'" in told
    assert 'Did you mean "label"?' in told


def test_a_validators_own_words_are_told(acme):
    check = "def check(value): raise ValueError('no such colour')"
    acme(
        top=f"from typing import Annotated\nfrom pydantic import AfterValidator\n{check}",
        fields="colour: Annotated[str, AfterValidator(check)]",
    )
    with pytest.raises(SpecError, match=r"^report.options.acme.colour: no such colour$"):
        ask(["acme"], {"acme": {"colour": "red"}}, FORMATS)
    with pytest.raises(SpecError, match=r"report.options.acme.colour: key 'colour' is missing"):
        ask(["acme"], {}, FORMATS)


FAULTS = {
    "cannot be imported": ({"top": "import no_such_module"}, "No module named 'no_such_module'"),
    "ends the program as it is imported": ({"top": "sys.exit(0)"}, "SystemExit: 0"),
    "raises": ({"body": "return finished.no_such"}, "AttributeError"),
    "is cancelled": ({"body": "raise asyncio.CancelledError"}, "CancelledError"),
    "raises what has no words": ({"body": "raise Mute", "top": MUTE}, "Mute"),
    "gives nothing": ({"body": "pass"}, "gives NoneType"),
    "gives text": ({"body": "return {'a.txt': 'text'}"}, "'a.txt' is str, not bytes"),
    "leaves the folder": ({"body": "return {'../a.txt': b''}"}, "no place in the output folder"),
    "leaves the folder from within": ({"body": "return {'a/../../b': b''}"}, "no place in the output folder"),
    "names an absolute place": ({"body": "return {'/a.txt': b''}"}, "no place in the output folder"),
    "names nothing": ({"body": "return {'.': b''}"}, "no place in the output folder"),
    "names what cannot be seen": ({"body": "return {'a\\x00': b''}"}, "is no file name"),
    "names by a number": ({"body": "return {1: b''}"}, "is no file name"),
    "takes a built-in's name": ({"body": "return {'Report.HTML': b''}"}, "is another's"),
    "takes what was written": ({"body": "return {'result.json': b''}"}, "is another's"),
    "takes the decisions' folder": ({"body": "return {'predictions/x.parquet': b''}"}, "is another's"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_that_is_at_fault_is_told_of_by_its_distribution_and_writes_nothing(acme, tmp_path, fault):
    code, message = FAULTS[fault]
    acme(**code)
    written, said = published(tmp_path)
    assert written == []
    assert message in said
    assert "acme-reports 1.2: " in said


def test_what_is_no_reporter_is_told(tmp_path, monkeypatch):
    offer(tmp_path, "acme-reports", "1.2", "[auditor.reporters]\nacme = json:dumps")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "json:dumps is no subclass of auditor.report.reporter.Reporter" in published(tmp_path)[1]


def test_two_distributions_that_offer_one_name_are_both_told_of(acme, tmp_path, monkeypatch):
    acme()
    offer(tmp_path / "more", "zeta", "3", "[auditor.reporters]\nacme = acme_reports:Other")
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    assert "acme-reports 1.2 and zeta 3 both offer it" in published(tmp_path)[1]


def test_a_link_out_of_the_folder_is_not_followed(acme, tmp_path):
    acme(body="return {'mine/a.txt': b'x'}")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").symlink_to(tmp_path / "elsewhere")
    assert "by a link" in published(tmp_path)[1]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_plugin_that_fails_stops_no_other_and_prints_nothing_to_standard_output(badge, acme, tmp_path, capsys):
    acme(body="print('to nobody'); raise OSError('the network is down')")
    out = tmp_path / "out"
    failed = publish(ask(["acme", "badge"], {}, FORMATS), finished(out), NAMES).failed
    assert list(failed) == ["acme"]
    assert "OSError: the network is down (" in str(failed["acme"])
    assert "acme_reports.py:" in str(failed["acme"])
    assert [path.name for path in out.iterdir()] == ["badge.svg"]
    assert capsys.readouterr().out == ""


def test_nothing_that_a_plugin_has_started_prints_to_standard_output(acme, tmp_path, capfd):
    acme(body="subprocess.run(['echo', 'a child']); os.write(1, b'the system'); return {'a.txt': b'x'}")
    assert published(tmp_path) == (["a.txt"], "")
    out, err = capfd.readouterr()
    assert out == ""
    assert "a child" in err
    os.write(1, b"ours")
    assert capfd.readouterr().out == "ours"


def test_what_a_plugin_gives_is_written_to_the_output_folder_wherever_it_has_gone(acme, tmp_path, monkeypatch):
    acme(body=f"os.chdir({str(tmp_path / 'site')!r}); return {{'a.txt': b'x'}}")
    monkeypatch.chdir(tmp_path)
    found = publish(ask(["acme"], {}, FORMATS), finished(Path("out")), NAMES)
    assert (found.failed, (tmp_path / "out/a.txt").read_bytes()) == ({}, b"x")


def test_a_plugin_that_removes_anothers_file_does_not_end_the_command(badge, acme, tmp_path):
    acme(body="os.remove(finished.folder / 'badge.svg'); return {}")
    (tmp_path / "result.json").write_text(dump(small()), encoding="utf-8")
    arguments = ["report", str(tmp_path / "result.json"), "--format", "badge", "--format", "acme"]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None
    assert done.return_value == 0
    assert "badge.svg" in (tmp_path / "manifest.sha256").read_text(encoding="utf-8")


def test_a_plugin_that_takes_the_place_of_the_manifest_is_only_told(acme, tmp_path):
    taken = "place = finished.folder / 'manifest.sha256'; place.unlink(); place.mkdir(); return {'a.txt': b'x'}"
    acme(body=taken)
    (tmp_path / "result.json").write_text(dump(small()), encoding="utf-8")
    arguments = ["report", str(tmp_path / "result.json"), "--format", "acme"]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None
    assert "warning: manifest.sha256 was not made" in done.output


def test_what_a_reporter_is_given_cannot_be_changed(tmp_path):
    with pytest.raises(AttributeError):
        finished(tmp_path).folder = Path()
