from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import PRUNED, dataset, spec

from auditor.data.representative import name_of_set
from auditor.errors import AuditorError, ModelError, SpecError
from auditor.population import environment
from auditor.population.jobs import seed_of
from auditor.population.plan import plan, warnings_of

INT8 = {"name": "int8", "method": "int8"}


def facts(variant):
    return variant.claim, variant.paired, variant.fixed_baseline, len(variant.jobs)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder with a trained model's file."""
    from auditor.models.architectures import build
    from auditor.models.load import keras_bytes
    from auditor.tf import seed

    seed(1)
    folder = tmp_path_factory.mktemp("given")
    (folder / "base.keras").write_bytes(keras_bytes(build("mlp", (12,), 2, {"hidden": [16]})))
    (folder / "ship.keras").write_bytes(keras_bytes(build("mlp", (12,), 2, {"hidden": [8]})))
    return folder


def test_a_population_trained_anew_is_an_unpaired_recipe(tmp_path):
    baseline, pruned, int8 = plan(spec(PRUNED, INT8), dataset(), tmp_path)
    assert facts(baseline) == ("recipe", False, False, 2)
    assert facts(pruned) == ("recipe", False, False, 2)
    assert facts(int8) == ("recipe", True, False, 2)
    assert [job.parent for job in pruned.jobs] == [None, None]
    assert [job.parent for job in int8.jobs] == [job.key for job in baseline.jobs]


def test_starting_from_the_baseline_pairs_member_with_member(tmp_path):
    declared = spec({**PRUNED, "epochs": 7}, population={"size": 3, "start": "baseline"})
    baseline, pruned = plan(declared, dataset(), tmp_path)
    assert facts(pruned) == ("recipe", True, False, 3)
    assert [job.parent for job in pruned.jobs] == [job.key for job in baseline.jobs]
    assert {job.definition["steps"][0]["training"]["epochs"] for job in pruned.jobs} == {7}
    assert pruned.jobs[0].definition["steps"][0]["begin_step"] == 7 * 10 // 5


def test_a_given_file_is_one_fixed_baseline_and_what_is_derived_from_it_without_chance_an_artifact(given):
    declared = spec(
        PRUNED,
        INT8,
        {"name": "shipped", "artifact": "ship.keras"},
        model={"path": "base.keras"},
        population={"size": 3, "start": "baseline"},
    )
    baseline, pruned, int8, shipped = variants = plan(declared, dataset(), given)
    assert facts(baseline) == ("artifact", False, False, 1)
    assert facts(pruned) == ("recipe", False, True, 3)
    assert facts(int8) == ("artifact", True, False, 1)
    assert facts(shipped) == ("artifact", False, False, 1)
    assert {job.parent for job in (*pruned.jobs, *int8.jobs)} == {baseline.jobs[0].key}
    assert len({job.definition["seed"] for job in pruned.jobs}) == 3
    digest = hashlib.sha256((given / "base.keras").read_bytes()).hexdigest()
    assert baseline.jobs[0].definition["start"] == {"sha256": digest, "ending": ".keras"}
    first, second = warnings_of(variants)
    assert digest in first
    assert "ship.keras" in second


def test_no_two_members_share_a_seed_and_seeds_do_not_depend_on_other_variants(tmp_path):
    def seeds(*compressions, **tables):
        found = plan(spec(*compressions, **tables), dataset(), tmp_path)
        return {job.name: job.definition["seed"] for variant in found for job in variant.jobs}

    other = {**PRUNED, "name": "other"}
    both = seeds(PRUNED, other)
    assert len(set(both.values())) == len(both) == 6
    assert both == seeds(other) | seeds(PRUNED)
    assert not set(both.values()) & set(seeds(PRUNED, other, audit={"seed": 1}).values())
    assert both["baseline, member 1"] == seed_of(0, "baseline", 1)


def test_a_key_changes_with_all_that_determines_the_result_and_with_nothing_else(tmp_path):
    def key(digest="tiny", compression=PRUNED, **tables):
        return plan(spec(compression, **tables), dataset(digest), tmp_path)[1].jobs[0].key

    same = {key(), key(run={"executor": "local", "workers": 7}), key(gate=[{"metric": "recall", "min": 0}])}
    other = {
        key("other"),
        key(audit={"seed": 5}),
        key(training={"epochs": 5}),
        key(compression={**PRUNED, "sparsity": 0.6}),
        key(compression={**PRUNED, "schedule": "constant"}),
        key(model={"architecture": "mlp"}),
    }
    assert len(same) == 1
    assert len(other - same) == 6


def test_a_users_function_counts_by_its_source(tmp_path):
    (tmp_path / "own.py").write_text("x = 1")
    declared = spec(PRUNED, model={"architecture": "own:make"})
    first = plan(declared, dataset(), tmp_path)[0].jobs[0]
    (tmp_path / "own.py").write_text("x = 2")
    second = plan(declared, dataset(), tmp_path)[0].jobs[0]
    assert first.key != second.key
    (tmp_path / "own.py").write_text("import own_layers")
    keys = []
    for source in ("x = 1", "x = 2"):  # what it imports from beside audit.toml counts too
        (tmp_path / "own_layers.py").write_text(source)
        keys.append(plan(declared, dataset(), tmp_path)[0].jobs[0].key)
    assert keys[0] != keys[1]
    with pytest.raises(ModelError, match='no module "gone"'):
        plan(spec(PRUNED, model={"architecture": "gone:make"}), dataset(), tmp_path)


def test_the_files_that_make_a_members_settings_and_results_are_part_of_the_code():
    package = Path(environment.__file__).parents[1]
    covered = {path for pattern in environment._CODE for path in package.glob(pattern)}
    assert {package / "population" / name for name in ("member.py", "starting.py", "recipe.py", "train.py")} <= covered


def test_a_job_is_json_and_back(tmp_path):
    for variant in plan(spec(PRUNED, INT8), dataset(), tmp_path):
        for job in variant.jobs:
            assert json.loads(json.dumps(job.definition)) == job.definition


def test_everything_that_is_wrong_is_said_at_once(given):
    declared = spec(
        {**PRUNED, "end_step": 10_000},
        {"name": "shipped", "artifact": "gone.tflite"},
        {"name": "pinned", "artifact": "ship.keras", "sha256": "0" * 64},
        model={"path": "base.keras"},
        population={"start": "baseline"},
    )
    with pytest.raises(AuditorError) as caught:
        plan(declared, dataset(), given)
    assert len(caught.value.problems) == 3
    for said in ("after the last of 40 steps", "gone.tflite", "the audit names " + "0" * 64):
        assert said in str(caught.value)


def test_wrong_architecture_options_and_schedules_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(ModelError, match="hiden"):
        plan(spec(PRUNED, model={"architecture": "mlp", "options": {"hiden": [1]}}), dataset(), tmp_path)
    with pytest.raises(SpecError, match="the last time at step 8"):
        plan(spec({**PRUNED, "frequency": 500}), dataset(), tmp_path)
    with pytest.raises(ModelError, match="no training split"):
        plan(spec(PRUNED), dataset(train=0), tmp_path)


def test_a_file_whose_outputs_are_not_the_classes_is_refused_with_both_numbers(given):
    declared = spec(INT8, model={"path": "base.keras"})
    with pytest.raises(ModelError, match="2 outputs, the data has 3 classes"):
        plan(declared, dataset(classes=("a", "b", "c")), given)


def stacks(tmp_path, **tables):
    return plan(spec(PRUNED, INT8, **tables), dataset(), tmp_path)


def test_members_of_the_built_in_mlp_on_a_table_are_trained_side_by_side(tmp_path):
    baseline, pruned, int8 = stacks(tmp_path, training={}, population={"size": 70})
    assert [len(stack.seeds) for stack in baseline.stacks] == [24, 23, 23]
    assert not int8.stacks
    found = [seed for stack in pruned.stacks for seed in stack.seeds]
    assert found == [seed_of(0, "pruned", k) for k in range(70)]
    assert [job.definition["seed"] for job in pruned.jobs] == [None] * 70
    last = pruned.jobs[-1]
    assert (last.parent, last.definition["start"]["place"]) == (pruned.stacks[-1].key, 22)
    assert pruned.stacks[1].name == "pruned, training of members 24 to 46"
    assert len({job.key for job in (*baseline.jobs, *pruned.jobs)}) == 140


@pytest.mark.parametrize(
    "tables",
    [
        {"training": {"stacked": False}},
        {"training": {"weight_decay": 0.1}},
        {"training": {}, "model": {"architecture": "cnn"}},
        {"training": {}, "data": {"source": "celeba", "path": "faces", "label": "y"}},
    ],
    ids=["declared", "weight decay", "another architecture", "images"],
)
def test_others_are_trained_each_by_itself(tmp_path, tables):
    assert not any(variant.stacks for variant in stacks(tmp_path, **tables))


def test_what_starts_from_the_baseline_derives_from_its_members(tmp_path):
    baseline, pruned, _ = stacks(tmp_path, training={}, population={"size": 3, "start": "baseline"})
    assert baseline.stacks
    assert not pruned.stacks
    assert [job.parent for job in pruned.jobs] == [job.key for job in baseline.jobs]


def test_the_size_of_a_stack_is_part_of_its_members_keys(tmp_path):
    few, many = (stacks(tmp_path, training={}, population={"size": size})[0] for size in (2, 3))
    assert few.jobs[0].key != many.jobs[0].key


def start_from(folder, name="base.keras", **options):
    return spec(PRUNED, model={"architecture": "mlp", "options": {"hidden": [16], "weights": name, **options}})


def test_weights_to_start_from_are_known_by_their_digest_not_by_their_place(given, tmp_path):
    content = (given / "base.keras").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "other.keras").write_bytes(content)
    declared = start_from(given)
    baseline, pruned = variants = plan(declared, dataset(), given)
    for job in (*baseline.jobs, *pruned.jobs):
        assert job.path == given / "base.keras"
        assert job.given is None
        assert job.definition["start"] == {
            "architecture": "mlp",
            "options": {"hidden": [16]},
            "sha256": digest,
            "ending": ".keras",
            "fresh_head": False,
        }
    moved, _ = plan(start_from(given, "other.keras", weights_sha256=digest), dataset(), tmp_path)
    assert [job.key for job in moved.jobs] == [job.key for job in baseline.jobs]
    assert [digest in said for said in warnings_of(variants)] == [True]
    assert baseline.recipe["sha256"] == digest


def test_a_head_for_other_classes_is_said_to_start_fresh(given):
    three = replace(dataset(), classes=("a", "b", "c"))
    digest = hashlib.sha256((given / "base.keras").read_bytes()).hexdigest()
    declared = start_from(given, weights_sha256=digest)
    variants = plan(declared, three, given)
    assert variants[0].jobs[0].definition["start"]["fresh_head"]
    (said,) = warnings_of(variants)
    assert "starts fresh" in said


def test_weights_that_are_missing_or_not_the_pinned_ones_are_refused(given):
    with pytest.raises(ModelError, match="cannot be read"):
        plan(start_from(given, "nothing.h5"), dataset(), given)
    with pytest.raises(ModelError, match="the audit names 000"):
        plan(start_from(given, weights_sha256="0" * 64), dataset(), given)


def test_members_that_start_from_weights_or_with_frozen_layers_are_trained_each_by_itself(given):
    training = {"epochs": 4, "batch_size": 32}
    for options in ({"weights": "base.keras"}, {"frozen": 1}):
        model = {"architecture": "mlp", "options": {"hidden": [16], **options}}
        baseline, _ = plan(spec(PRUNED, model=model, training=training), dataset(), given)
        assert not baseline.stacks
    plain, _ = plan(spec(PRUNED, training=training), dataset(), given)
    assert plain.stacks


def test_quantisation_aware_training_is_told_what_the_methods_before_it_have_made(tmp_path):
    cluster = {"method": "cluster", "clusters": 8}
    chains = {"a": ["qat"], "b": [cluster, "qat"]}
    entries = [{**PRUNED, "name": name, "then": then} for name, then in chains.items()]
    entries += [{"name": "c", "method": "qat"}, {**cluster, "name": "d", "then": ["qat"]}]
    keeps = [each.jobs[0].definition["steps"][-1]["keeps"] for each in plan(spec(*entries), dataset(), tmp_path)[1:]]
    assert keeps == [["sparsity"], ["sparsity", "clusters"], [], ["clusters"]]


def test_a_variants_own_representative_set_is_part_of_its_job_by_its_rows(tmp_path):
    own = {**INT8, "name": "own", "calibration": {"size": 7}}
    declared = spec(INT8, own)
    name = name_of_set(declared.compression[1], declared)
    first, second = (
        plan(declared, replace(dataset(), calibrations={name: rows}), tmp_path) for rows in ("rows", "others")
    )
    assert [each.jobs[0].definition["steps"][-1]["calibration"] for each in first[1:]] == [None, "rows"]
    assert first[1].jobs[0].key == second[1].jobs[0].key
    assert first[2].jobs[0].key != second[2].jobs[0].key
