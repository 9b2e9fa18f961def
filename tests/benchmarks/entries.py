"""What is measured, and against what a practitioner would do instead."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Seconds on both sides, and what the other side is."""

    ours: float
    theirs: float
    other: str
    note: str = ""


def timed(call):
    """Seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def command(*arguments, cwd=ROOT):
    """Run the command; any verdict is an answer, anything else a failure of the benchmark."""
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1, 3}:
        raise RuntimeError(done.stderr)


def peak_of_children():
    """MiB of the largest process that was waited for."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def adult():
    """The demonstration from a cold store, beside the same from a full one."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("run", "audit.toml", "--set", f"run.store={folder}/store", "--output", f"{folder}/out")
        cold = timed(lambda: command(*arguments))
        warm = timed(lambda: command(*arguments))
        size = sum(path.stat().st_size for path in Path(folder, "store").rglob("*") if path.is_file()) / 2**20
    return Row(
        ours=warm,
        theirs=cold,
        other="the same audit from a cold store",
        note=f"largest process {peak_of_children():.0f} MiB, store {size:.0f} MiB",
    )


TFMOT_LOOP = """
import sys, time
import numpy as np
import tf_keras, tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.sparsity import keras as sparsity
x, y = np.load(sys.argv[1]), np.load(sys.argv[2])
start = time.perf_counter()
for seed in range(int(sys.argv[3])):
    tf_keras.utils.set_random_seed(seed)
    layers = [tf_keras.layers.Dense(n, "relu") for n in (64, 32)] + [tf_keras.layers.Dense(2, "softmax")]
    model = tf_keras.Sequential([tf_keras.layers.InputLayer(x.shape[1:]), *layers])
    steps = 10 * -(-len(x) // 128)
    schedule = sparsity.PolynomialDecay(0.0, 0.9, steps // 5, steps * 3 // 4)
    pruned = seed % 2  # half of the members are the unpruned baseline
    if pruned:
        model = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [sparsity.UpdatePruningStep()] if pruned else []
    model.fit(x, y, batch_size=128, epochs=10, verbose=0, callbacks=callbacks)
    sparsity.strip_pruning(model)
print("seconds", time.perf_counter() - start)
"""


def training():
    """Four members of one pruned variant of the demonstration, beside prune_low_magnitude and fit in a loop."""
    from auditor import load_spec
    from auditor.data import open_source
    from auditor.data.inputs import read_inputs

    members = 4
    declaration = load_spec(ROOT / "audit.toml")
    with tempfile.TemporaryDirectory() as folder:
        open_source(declaration.spec, declaration.base).materialise(Path(folder))
        inputs = read_inputs(Path(folder))
        for name, array in (("x.npy", inputs.train_x), ("y.npy", inputs.train_y)):
            np.save(Path(folder, name), array)
        loop = subprocess.run(
            [sys.executable, "-c", TFMOT_LOOP, f"{folder}/x.npy", f"{folder}/y.npy", str(2 * members)],
            capture_output=True, text=True, check=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        settings = ["compression.pruned.sparsity=0.9", f"run.store={folder}/store", f"population.size={members}"]
        options = [part for setting in settings for part in ("--set", setting)]
        # both start TensorFlow once a process; the loop's own start is not counted, ours is
        text = (ROOT / "audit.toml").read_text(encoding="utf-8").replace('[[compression]]\nmethod = "int8"\n', "")
        definition = Path(folder, "audit.toml")
        definition.write_text(text.replace("audits/adult", str(ROOT / "audits/adult")), encoding="utf-8")
        ours = timed(lambda: command("run", str(definition), *options, "--output", f"{folder}/out"))
    return Row(
        ours=ours,
        theirs=float(loop.stdout.split()[-1]),
        other=f"TFMOT {version('tensorflow-model-optimization')} and fit, 2 x {members} members one after another",
        note="ours: baseline and pruned-0.9, data, start of TensorFlow, report and all, in two processes",
    )


def measure():
    """Every number and verdict of 60 members, 20,000 examples, 40 attributes, beside Fairlearn's rates alone."""
    import pandas as pd
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from handmade import dataset, population

    from auditor.measure import measure as measure_all

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20_000)
    attributes = {f"a{i}": rng.choice(["x", "y"], 20_000) for i in range(40)}
    data = dataset(labels, attributes=attributes)
    right = [np.where(rng.random((10, 20_000)) < 0.85 - 0.01 * v, labels, 1 - labels) for v in range(6)]
    populations = [population("baseline" if v == 0 else f"v{v}", decisions) for v, decisions in enumerate(right)]
    rates = {"tpr": true_positive_rate, "fpr": false_positive_rate, "selection": selection_rate}
    features = pd.DataFrame(attributes)

    def fairlearn():
        for decisions in right[0][:2]:
            for name in features:
                _ = MetricFrame(
                    metrics=rates, y_true=labels, y_pred=decisions, sensitive_features=features[name]
                ).by_group

    ours = timed(lambda: measure_all(data, populations, (), confidence=0.95, min_group=10))
    return Row(
        ours=ours,
        theirs=timed(fairlearn) * 30,
        other=f"Fairlearn {version('fairlearn')} MetricFrame, 3 rates by attribute, 2 members timed x 30",
        note="ours: 6 rates, comparisons, intervals, class tests and exemplars; theirs: rates without uncertainty",
    )


def deals():
    """1,000 deals of 2 x 30 members on 20,000 examples and 41 groups, beside recomputing each deal from decisions."""
    from handmade import dataset, population, setting

    from auditor.measure.disagreement import count_disagreements, excess_by_place
    from auditor.measure.permutation import deal

    rng = np.random.default_rng(0)
    members, examples, timed_deals = 30, 20_000, 5
    labels = rng.integers(0, 2, examples)
    # 40 groups that overlap, as the values of many attributes do
    attributes = {f"a{i}": rng.choice(["x", "y"], examples) for i in range(20)}
    data = dataset(labels, attributes=attributes)
    base, variant = (np.where(rng.random((members, examples)) < share, labels, 1 - labels) for share in (0.85, 0.8))
    audited = setting(data, population("v", variant), population("baseline", base))
    groups, everybody = data.groups, np.concatenate([base, variant])
    within = groups.membership[:, groups.cell_of]

    def vectorised():
        dealing = deal(audited, 1000, np.random.default_rng(1))
        counted = count_disagreements(everybody, groups.cell_of, groups.membership)
        excess_by_place(counted, within.sum(axis=1), dealing, [np.arange(1), np.arange(1, len(within))])

    def loop():
        for _ in range(timed_deals):
            order = rng.permutation(2 * members)
            shares = [
                np.stack([(everybody[half] == c).mean(axis=0) for c in (0, 1)]) for half in (order[:30], order[30:])
            ]
            between = 1 - (shares[0] * shares[1]).sum(axis=0)
            inside = [members / (members - 1) * (1 - (share**2).sum(axis=0)) for share in shares]
            excess = between - sum(inside) / 2
            for own in within:
                excess[own].mean()

    return Row(
        ours=timed(vectorised),
        theirs=timed(loop) * 1000 / timed_deals,
        other=f"NumPy {version('numpy')}: vote shares and group means of each deal, {timed_deals} deals timed, scaled",
        note=f"ours: deals, disagreements, p and max-T of {len(within)} groups; theirs: the statistic alone",
    )


def help_text():
    """`auditor --help`, beside starting Python and importing pandas."""
    import_pandas = timed(lambda: subprocess.run([sys.executable, "-c", "import pandas"], check=True))
    return Row(ours=timed(lambda: command("--help")), theirs=import_pandas, other=f"import pandas {version('pandas')}")


def render():
    """All formats of the demonstration's result, beside WeasyPrint's PDF of the same page alone."""
    import weasyprint

    from auditor import report
    from auditor.report.result_json import load

    result = load((ROOT / "audits/adult/result.json").read_bytes()).result
    ours = timed(lambda: report.render(result, list(report.FORMATS)))
    page = report.render(result, ["html"]).files["report.html"].decode()
    theirs = timed(lambda: weasyprint.HTML(string=page).write_pdf())
    other = f"WeasyPrint {version('weasyprint')} on the finished page"
    return Row(ours=ours, theirs=theirs, other=other, note="needs a finished run of the demonstration")


ENTRIES = {
    "adult": adult,
    "training": training,
    "measure": measure,
    "deals": deals,
    "help": help_text,
    "render": render,
}
