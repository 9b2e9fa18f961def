"""What is measured, and against what a practitioner would do instead."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from benchmarks.populations import population_cnn28, population_cnn64, population_mlp
from benchmarks.predictions import predictions_10m
from benchmarks.processes import Peak, command, timed
from benchmarks.row import ROOT, Row
from benchmarks.running import dask_cluster, overhead, resume, scaling


def adult():
    """The demonstration from a cold store, beside the same from a full one."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ("run", "audit.toml", "--set", f"run.store={folder}/store", "--output", f"{folder}/out")
        with Peak() as cold_peak:
            cold = timed(lambda: command(*arguments))
        with Peak() as warm_peak:
            warm = timed(lambda: command(*arguments))
        size = sum(path.stat().st_size for path in Path(folder, "store").rglob("*") if path.is_file()) / 2**20
    return Row(
        ours=warm,
        theirs=cold,
        other="the same audit from a cold store",
        note=f"peak of all processes together: cold {cold_peak.mib:,.0f} MiB, from a full store {warm_peak.mib:,.0f} "
        f"MiB; store {size:.0f} MiB",
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


def statistics():
    """All statistics of 5 variants x 30 members x 20,000 examples x 40 attributes and their 780 pairs."""
    import resource

    from benchmarks.large import large_dataset, large_populations
    from fairlearn.metrics import MetricFrame, true_positive_rate

    from auditor.measure import measure as measure_all

    data = large_dataset()
    populations = large_populations(data)
    ours = timed(lambda: measure_all(data, populations, (), confidence=0.95, min_group=10))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    theirs = timed(
        lambda: (
            MetricFrame(
                metrics=true_positive_rate,
                y_true=data.labels,
                y_pred=populations[0].predictions.decisions[0],
                sensitive_features=list(data.attributes["a0"]),
                n_boot=100,
                ci_quantiles=[0.05, 0.95],
                random_state=0,
            ).by_group_ci
        )
    )
    return Row(
        ours=ours,
        theirs=theirs,
        other=f"Fairlearn {version('fairlearn')} MetricFrame, n_boot=100: one rate, one attribute, one model; unscaled",
        note=f"ours: {len(data.groups.names):,} groups, 180 models, every rate, interval and test, 1,000 deals; "
        f"peak {peak:,.0f} MiB",
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
    """All formats of the demonstration's result, beside the same tables and points through pandas and Altair."""
    finished = ROOT / "audits/adult/result.json"
    if not finished.exists():
        raise SystemExit("the entry render needs a finished run of the demonstration: python -m auditor run audit.toml")
    return rendered(finished)


def render_large():
    """The same of a large result: 1,000 classes, 40 attributes with all their pairs, 5 variants."""
    from benchmarks.large_result import large_result

    from auditor.report.result_json import dump

    with tempfile.TemporaryDirectory() as folder:
        finished = Path(folder, "result.json")
        finished.write_text(dump(large_result()), "utf-8")
        return rendered(finished)


def rendered(finished):
    """Time what the command makes of a result.json, and what others would make of the same tables and points."""
    from auditor.report.result_json import load
    from auditor.report.view import view

    with tempfile.TemporaryDirectory() as folder:
        content, out = Path(folder, "content.json"), Path(folder, "out")
        content.write_text(json.dumps(plain(view(load(finished.read_bytes()).result, digest="0" * 64))), "utf-8")
        other = [sys.executable, str(Path(__file__).with_name("plain_report.py")), str(content), folder]
        theirs = timed(lambda: subprocess.run(other, check=True, capture_output=True))
        with Peak() as peak:
            ours = timed(lambda: command("report", str(finished), "--output", str(out)))
        page = (out / "report.html").stat().st_size / 2**20
    libraries = ", ".join(f"{name} {version(name)}" for name in ("pandas", "altair", "weasyprint"))
    return Row(
        ours=ours,
        theirs=theirs,
        other=f"{libraries}: to_html, facets saved as SVG, write_pdf",
        note="both: start of Python, the same tables and points, HTML and PDF; ours also reads and checks result.json "
        f"({finished.stat().st_size / 2**20:.0f} MiB), words verdicts, writes all other formats, tags the PDF; "
        f"peak of all processes together {peak.mib:,.0f} MiB, report.html {page:.1f} MiB",
    )


def plain(shown):
    """Tables and points of a report, as lists."""
    blocks = [block for section in shown.sections for block in section.blocks]
    tables = [block for block in blocks if block.kind == "table"] + ([shown.gates] if shown.gates else [])
    return {
        "title": shown.title,
        "tables": [
            {
                "caption": table.caption,
                "columns": [column.heading for column in table.columns],
                "rows": [[f"{cell.symbol} {cell.text} {cell.detail}".strip() for cell in row] for row in table.rows],
            }
            for table in tables
        ],
        "figures": [
            {"caption": block.caption, "axis": block.axis, "points": [*points(block)]}
            for block in blocks
            if block.kind == "figure"
        ],
    }


def points(figure):
    """Every point of a figure, with the panel and the line that it is on."""
    for panel in figure.panels:
        for line, label, mark in marks(panel):
            place = {"panel": panel.title, "line": line, "label": label}
            yield place | {"value": mark.value, "low": getattr(mark, "low", None), "high": getattr(mark, "high", None)}


def marks(panel):
    """What a panel of any kind shows: the line that it is on, its name, and itself."""
    from auditor.report.view.blocks import Dots, Grid, Lines, Mark, Points
    from auditor.report.view.panels import Pairs, Ranked, Ratios, Shifts

    match panel:
        case Lines():
            yield from ((line.name, mark.label, mark) for line in panel.lines for mark in line.marks)
        case Dots() | Ratios() | Shifts():
            yield from (("", mark.label, mark) for mark in panel.marks)
        case Points():
            yield from (("", spot.mark.label, spot.mark) for spot in panel.spots)
        case Grid():
            yield from (
                (column, label, tile)
                for label, tiles in panel.rows
                for column, tile in zip(panel.columns, tiles, strict=True)
            )
        case Pairs():
            named = [(panel.names[0], "first"), (panel.names[1], "second"), (panel.whole, "whole")]
            yield from (
                (name, row.label, Mark(label=row.label, value=getattr(row, own)))
                for row in panel.rows
                for name, own in named
            )
        case Ranked():
            yield from (("", rank, Mark(label="", value=value)) for rank, (value, _) in enumerate(panel.values, 1))
        case _:
            raise TypeError(f"a panel of a kind that is not compared: {type(panel).__name__}")


ENTRIES = {
    "adult": adult,
    "population-mlp": population_mlp,
    "population-cnn28": population_cnn28,
    "population-cnn64": population_cnn64,
    "scaling": scaling,
    "resume": resume,
    "overhead": overhead,
    "dask": dask_cluster,
    "predictions": predictions_10m,
    "measure": measure,
    "statistics": statistics,
    "deals": deals,
    "help": help_text,
    "render": render,
    "render-large": render_large,
}
