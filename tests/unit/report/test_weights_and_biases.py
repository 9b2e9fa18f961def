"""The reporter for Weights & Biases, in its offline mode: what a run holds, and what it must not."""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest
from adult_result import small
from distributions import ROOT, install

from auditor.errors import OutputError
from auditor.plugins import PluginError
from auditor.report import weights_and_biases
from auditor.report.rendering import FORMATS, render
from auditor.report.reporter import Finished, ask
from auditor.report.weights_and_biases import MOST_METRICS, WeightsAndBiases

pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
EVIL = "<b>\x1b[2J\u202e" + "x" * 10_000


def finished(folder, result, models=None):
    rendered = render(result, ["json", "markdown"])
    folder.mkdir()
    for name, content in rendered.files.items():
        (folder / name).write_bytes(content)
    files = {name: folder / name for name in (*rendered.files, "predictions/baseline.parquet")}
    return Finished(
        result=result, digest=rendered.digest, view=rendered.view, folder=folder, files=files, models=models or {}
    )


def records(path):
    """What wandb wrote: a log of records in blocks of 32 KiB, each part with checksum, length and kind."""
    from wandb.proto import wandb_internal_pb2

    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        size, kind = struct.unpack_from("<HB", data, at + 4)
        whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in {1, 4}:
            record, whole = wandb_internal_pb2.Record.FromString(whole), b""
            yield record


def runs(folder):
    """By name: the run, its summary, and its artifacts."""
    found = {}
    for path in folder.glob("wandb/offline-run-*/*.wandb"):
        told = list(records(path))
        (run,) = [record.run for record in told if record.HasField("run")]
        summary = {item.key: json.loads(item.value_json) for r in told for item in r.summary.update if item.key}
        artifacts = {r.artifact.name: r.artifact for r in told if r.HasField("artifact")}
        found[run.display_name] = (run, summary, artifacts)
    return found


def hostile(result):
    """The result with a group of a hostile name, whose estimates no gate judges."""
    renamed = tuple(
        replace(e, variant="pruned-0.98", group=(("sex", EVIL),), compare="value") for e in result.estimates[:1]
    )
    return replace(result, estimates=(*result.estimates, *renamed))


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """A result published in offline mode, with the file of a member, from a home that stays empty."""
    folder = tmp_path_factory.mktemp("wandb")
    (folder / "home").mkdir()
    (folder / "model.tflite").write_bytes(b"weights")
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {"HOME": folder / "home", "WANDB_API_KEY": "k" * 40, "ACME_TOKEN": "my-secret"}.items():
            patch.setenv(key, str(value))
        patch.setenv("WANDB_MODE", "offline")
        patch.chdir(folder)
        reporter = WeightsAndBiases(project="levels", mode="online")
        result = hostile(small())
        told = finished(folder / "out", result, {"pruned-0.98": {3: folder / "model.tflite"}})
        assert reporter.report(told) == {}
    return folder


def test_each_variant_is_a_run_of_the_audits_group_and_the_audit_is_one_more(offline):
    found, result = runs(offline / "out"), small()
    assert set(found) == {"audit", *(variant.name for variant in result.variants)}
    assert {run.run_group for run, _, _ in found.values()} == {result.definition["audit"]["name"]}
    assert {run.project for run, _, _ in found.values()} == {"levels"}
    pruned = found["pruned-0.98"][0]
    assert pruned.job_type == "prune"
    config = {item.key: json.loads(item.value_json) for item in pruned.config.update}
    declared = next(variant for variant in result.variants if variant.name == "pruned-0.98")
    assert config["method"] == declared.method
    assert config["recipe"] == dict(declared.asked_for)


def test_a_run_has_verdict_metrics_by_group_and_both_ends_of_their_intervals(offline):
    summary = runs(offline / "out")["pruned-0.98"][1]
    judged = next(f.estimate for f in small().findings if f.estimate.variant == "pruned-0.98" and f.estimate.low)
    name = judged.id.partition("/")[2]
    assert summary[name] == judged.value
    assert (summary[f"{name}/low"], summary[f"{name}/high"]) == (judged.low, judged.high)
    assert summary["verdict"] in {"PASS", "FAIL", "INCONCLUSIVE", "UNDEFINED"}


def test_reports_and_members_models_are_artifacts_and_decisions_are_not(offline):
    found = runs(offline / "out")
    reports = {item.path for item in found["audit"][2]["report"].manifest.contents}
    assert reports == {"result.json", "summary.md"}
    (model,) = found["pruned-0.98"][2]["pruned-0.98-members"].manifest.contents
    assert (model.path, Path(model.local_path).read_bytes()) == ("member_3.tflite", b"weights")


def test_exemplars_are_a_table(offline):
    (path,) = [p for p in offline.glob("out/wandb/*/files/media/table/exemplars*.json") if "latest" not in str(p)][:1]
    assert json.loads(path.read_text(encoding="utf-8"))["columns"][0] == "example"


def test_hostile_names_are_made_fit_to_show(offline):
    keys = [key for key in runs(offline / "out")["pruned-0.98"][1] if "<b>" in key]
    assert keys
    assert all(key.isprintable() and len(key) < 200 for key in keys)


def test_nothing_is_written_elsewhere_and_nothing_is_told_of_the_computer_or_its_owner(offline):
    assert list((offline / "home").iterdir()) == []
    assert {path.name for path in offline.iterdir()} == {"home", "model.tflite", "out"}
    secrets = ["k" * 40, "my-secret", str(ROOT), socket.gethostname() + '"']
    for path in offline.glob("out/wandb/offline-run-*/**/*"):
        if path.is_file():
            assert not [s for s in secrets if s.encode() in path.read_bytes()], path


def test_a_run_has_so_many_metrics_and_its_table_has_every_estimate(tmp_path):
    result = small()
    many = [e for e in result.estimates if e.variant == "pruned-0.98"] * 100
    metrics = weights_and_biases._metrics(
        [replace(e, group=(("place", str(i)),)) for i, e in enumerate(many)], {many[0].id}
    )
    assert MOST_METRICS < len(metrics) <= 3 * MOST_METRICS


@pytest.mark.parametrize(
    ("declared", "environment", "expected"),
    [
        ("offline", None, "offline"),
        ("offline", "online", "offline"),
        ("online", None, "online"),
        ("online", "offline", "offline"),
        ("online", "disabled", None),
    ],
)
def test_runs_are_sent_only_where_audit_toml_says_so(monkeypatch, tmp_path, declared, environment, expected):
    modes = []
    monkeypatch.setattr(weights_and_biases, "_run", lambda told, *_: modes.append(told["init"]["mode"]))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    if environment:
        monkeypatch.setenv("WANDB_MODE", environment)
    WeightsAndBiases(mode=declared).report(finished(tmp_path / "out", small()))
    assert modes == ([expected] if expected else [])


def program(monkeypatch, tmp_path, text):
    path = tmp_path / "program.py"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(weights_and_biases.wandb_program, "__file__", str(path))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return finished(tmp_path / "out", small())


def test_what_hangs_is_ended_with_all_that_it_started(monkeypatch, tmp_path):
    code = "import subprocess, time\nsubprocess.Popen(['sleep', '60'])\ntime.sleep(60)"
    told, start = program(monkeypatch, tmp_path, code), time.monotonic()
    with pytest.raises(OutputError, match="not done within 1 seconds"):
        WeightsAndBiases(timeout=1).report(told)
    assert time.monotonic() - start < 30


def test_what_wandb_says_last_is_told(monkeypatch, tmp_path):
    told = program(monkeypatch, tmp_path, "raise SystemExit('api key not configured')")
    with pytest.raises(OutputError, match="wandb: api key not configured"):
        WeightsAndBiases().report(told)


def test_it_is_a_plugin_of_this_distribution_and_without_wandb_it_says_what_to_install(monkeypatch, tmp_path):
    install(tmp_path, ROOT)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert ask(["wandb"], {"wandb": {"project": "x"}}, FORMATS).reporters["wandb"].project == "x"
    monkeypatch.setattr(weights_and_biases, "find_spec", lambda _: None)
    failed = ask(["wandb"], {}, FORMATS).failed["wandb"]
    assert isinstance(failed, PluginError)
    assert 'pip install "auditor[wandb]"' in str(failed)
