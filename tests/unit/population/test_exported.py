from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest

from auditor.errors import SpecError
from auditor.population.entry import DamagedError, Entry
from auditor.population.exported import check_target, export
from auditor.population.job import Job, Variant
from auditor.sandbox import Sandbox


@dataclass
class Held:
    """A store with one model."""

    content: bytes = b"a model"
    ending: str = ".keras"

    def model(self, _key):
        if not self.content:
            raise DamagedError("it holds no model file")
        return self.content, self.ending


MEMBER = Job(variant="small", member=0, definition={"start": {"parent": "p"}, "steps": [{}], "training": None})


def variant(**more):
    settings = {"claim": "recipe", "paired": True, "fixed_baseline": False, "recipe": {}} | more
    return Variant(name="small", method="prune", jobs=(MEMBER,), **settings)


def entry(folder, failure=None):
    sandbox = Sandbox(level="none", writes=False, network=False, memory=None, why="")
    return Entry(folder=folder, failure=failure, measured={}, seconds=0.0, sandbox=sandbox, model=None, digest="")


def exported(target, held=None, *, failure=None, failed=None, **more):
    outcomes = {MEMBER.key: entry(target.parent, failure)}
    return export(variant(**more), target, 0, outcomes, failed, held or Held())


def refusal(target, named=()):
    with pytest.raises(SpecError) as caught:
        check_target(target, named, "compression small: export")
    return str(caught.value)


def test_a_file_is_written_with_its_digest_and_judged_against_the_baseline_member_of_its_number(tmp_path):
    target = tmp_path / "build/small.keras"
    file, reason = exported(target)
    assert (reason, target.read_bytes()) == (None, b"a model")
    digest = hashlib.sha256(b"a model").hexdigest()
    assert (tmp_path / "build/small.keras.sha256").read_text() == f"{digest}  small.keras\n"
    (job,) = file.variant.jobs
    assert (job.given, job.definition["start"]["sha256"], job.definition["steps"]) == (target, digest, [])
    assert (file.variant.name, file.variant.claim, file.variant.paired) == ("small-exported", "artifact", True)


def test_beside_a_single_given_baseline_any_member_is_judged_against_that_one(tmp_path):
    file, _ = exported(tmp_path / "small.keras", paired=False, fixed_baseline=True)
    assert (file.variant.paired, file.variant.fixed_baseline) == (False, False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"failure": "it diverged"}, "it diverged"),
        ({"failed": "its file is that of baseline"}, "its file is that of baseline"),
        ({"held": Held(ending=".sh")}, "its stored file is a .sh, not a .keras"),
        ({"held": Held(content=b"")}, "it holds no model file"),
    ],
)
def test_where_there_is_no_member_to_export_an_earlier_file_is_taken_away_and_the_reason_is_told(tmp_path, more, said):
    target = tmp_path / "small.keras"
    assert exported(target)[1] is None
    _, reason = exported(target, **more)
    assert reason == said
    assert list(tmp_path.iterdir()) == []


def test_what_an_export_wrote_is_replaced_by_the_next_one(tmp_path):
    target = tmp_path / "small.keras"
    exported(target)
    check_target(target, [], "")
    exported(target, Held(content=b"another"))
    assert target.read_bytes() == b"another"


@pytest.mark.parametrize("content", [b"my own", b""])
def test_a_file_that_no_export_wrote_is_never_replaced(tmp_path, content):
    target = tmp_path / "small.keras"
    exported(target)
    target.write_bytes(content)
    assert "is there, and no export wrote it" in refusal(target)


def test_what_the_audit_reads_is_never_replaced_whatever_it_is_called(tmp_path):
    target = tmp_path / "g/small.keras"
    assert "take the place of what model.path names" in refusal(target, [("model.path", tmp_path / "g/*.keras")])
    exported(target)
    (tmp_path / "link.keras").symlink_to(target)
    assert "artifact names" in refusal(target, [("compression x: artifact", tmp_path / "link.keras")])


def test_a_folder_that_cannot_be_is_refused_before_anything_is_trained(tmp_path):
    (tmp_path / "people.csv").write_text("x")
    assert f"{tmp_path / 'people.csv'} is no folder" in refusal(tmp_path / "people.csv/x/small.keras")
