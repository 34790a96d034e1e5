"""`html_report`: a run as one page: data, training, figures, mistakes, settings."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from siatl_keras.evaluation import (
    MEASURES,
    AttentionMap,
    Mistake,
    plot_reliability,
    plot_training,
)
from siatl_keras.evaluation.attention_page import tokens_with_heat
from siatl_keras.evaluation.markup import as_svg, escaped, page
from siatl_keras.extras import is_installed
from siatl_keras.runs.counted_words import comparison_line
from siatl_keras.runs.data_report import DataReport
from siatl_keras.runs.evaluate import Evaluation
from siatl_keras.runs.finetune_config import FinetuneConfig

STYLE = """
h1 { font-size: 1.6rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.2rem; border-top: 1px solid var(--line); padding-top: 1rem; }
.figure { font-size: 1.15rem; }
.warning { border-left: 0.3rem solid var(--warn); padding-left: 0.6rem; }
.wide { overflow-x: auto; margin: 0.8rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { border-bottom: 1px solid var(--line); padding: 0.25rem 0.8rem 0.25rem 0;
  text-align: left; vertical-align: top; overflow-wrap: break-word; }
td.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td.share { min-width: 6rem; }
.share i { display: block; height: 0.8rem; background: var(--accent);
  min-width: 1px; }
.texts td { max-width: 12rem; } .texts td:last-child { max-width: none;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  .texts thead { display: none; } .texts tr { display: block; padding: 0.3rem 0;
    border-bottom: 1px solid var(--line); }
  .texts td { display: inline; border: 0; } .texts td:last-child { display: block; }
  .texts td:not(:last-child)::before { content: attr(data-head) " "; opacity: 0.7; }
}
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
.pictures svg { background: #fff; max-width: 100%; height: auto; }
.tokens { margin: 0.2rem 0; }
@media print { body { max-width: none; margin: 0; } h2 { break-after: avoid; }
  tr, svg { break-inside: avoid; } }
"""
PACKAGES = ("siatl_keras", "keras", "keras-hub", "tensorflow", "numpy", "scikit-learn")
Rows = Sequence[Sequence[Any]]
# Of labels that look wrong, how many are shown; the file has all.
SHOWN = 20


def html_report(
    config: FinetuneConfig,
    data: DataReport | None,
    evaluation: Evaluation,
    metrics: dict[str, Any],
    attention: Sequence[AttentionMap] = (),
) -> str:
    """Writes the page. It needs no other file, and foreign text is no markup in it.

    Args:
        config: the run's, defaults filled in.
        data: what its texts are.
        evaluation: of the texts that it is judged by.
        metrics: what the run found.
        attention: what the model looked at in each of the mistakes; empty where it
            shows none.

    Returns:
        HTML.
    """
    sections = [
        _summary(config, evaluation, metrics),
        _data(data),
        _training(metrics),
        _figures(evaluation),
        _mistakes(evaluation, attention),
        _settings(config),
    ]
    title = f"{Path(config.output).name}: report of a run"
    return page(title, STYLE, "\n".join(filter(None, sections)))


def _summary(
    config: FinetuneConfig, evaluation: Evaluation, metrics: dict[str, Any]
) -> str:
    report = evaluation.report
    name, value = next(iter(report.measures.items()))
    interval = report.interval
    judged = "test" if "test" in metrics else "held-out"
    lines = [
        f"<h1>{escaped(Path(config.output).name)}</h1>",
        f"<p>{escaped(_method(config))}, {escaped(config.task.replace('_', ' '))}</p>",
        f"<p class=figure><b>{MEASURES[name].title} {value:.3f}</b> "
        f"({interval.low:.3f} to {interval.high:.3f}, 95 % interval) on "
        f"{len(evaluation.examples.texts):,} {judged} texts</p>",
    ]
    if judged != "test":
        lines.append(
            "<p>These texts chose the epoch and the calibration too: a test file gives "
            "a figure without that.</p>"
        )
    if "counted_words" in metrics:
        lines.append(f"<p>{escaped(comparison_line(metrics['counted_words']))}</p>")
    steps = "".join(f"<li>{escaped(step)}</li>" for step in metrics["next_steps"])
    if steps:
        lines.append(f"<p>To try next:</p><ul>{steps}</ul>")
    return "\n".join(lines)


def _method(config: FinetuneConfig) -> str:
    # Word counts are of no language model.
    return (
        config.method if config.method == "bow" else f"{config.method} on {config.lm}"
    )


def _data(data: DataReport | None) -> str:
    if data is None:
        return ""
    lines = ["<h2>Data</h2>"]
    lines += [f"<p class=warning>{escaped(doubt)}</p>" for doubt in data.doubts]
    rows: Rows = [
        (
            part.name.replace("_", "-"),
            part.path,
            f"{part.texts:,}",
            " / ".join(map(str, part.words)),
        )
        for part in data.parts
    ]
    lines.append(
        _table(("", "file", "texts", "words: least / median / most"), rows, {2, 3})
    )
    labels = data.parts[0].labels
    if labels:
        most = max(labels.values())
        rows = [
            (name, *(f"{part.labels[name]:,}" for part in data.parts), count / most)
            for name, count in sorted(labels.items(), key=lambda item: -item[1])
        ]
        heads = ("label", *(part.name for part in data.parts), "")
        numbers = set(range(1, 1 + len(data.parts)))
        lines.append(_table(heads, rows, numbers))
    if data.language:
        lines.append(f"<p>Language: {escaped(data.language)}</p>")
    return "\n".join(lines)


def _training(metrics: dict[str, Any]) -> str:
    history = metrics.get("history")
    if not history or not is_installed("matplotlib"):
        return ""
    draw = partial(plot_training, history, best_epoch=metrics["best_epoch"])
    return (
        "<h2>Training</h2>\n"
        f"<p>Epoch {metrics['best_epoch']} of {len(history)} was the best and is "
        "kept. Shaded: the stages.</p>\n"
        f"<div class=pictures>{as_svg(draw, 'Losses and figures by epoch')}</div>"
    )


def _figures(evaluation: Evaluation) -> str:
    report = evaluation.report
    lines = ["<h2>Figures</h2>"]
    rows: Rows = [
        (MEASURES[name].title, f"{value:.4f}")
        for name, value in report.measures.items()
    ]
    lines.append(_table(("measure", "value"), rows, {1}))
    figures = report.to_dict()
    classes = figures.get("classes") or figures.get("labels") or {}
    if classes:
        rows = [
            (
                name,
                *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1")),
                f"{row['support']:,}",
                row["f1"],
            )
            for name, row in classes.items()
        ]
        heads = ("label", "precision", "recall", "F1", "texts", "")
        lines.append(_table(heads, rows, {1, 2, 3, 4}))
    if is_installed("matplotlib"):
        pictures = [as_svg(report.draw, "Answers against the truth")]
        if report.calibration is not None:
            reliability = partial(plot_reliability, report.calibration)
            pictures.append(as_svg(reliability, "Share of right answers by confidence"))
        lines.append(f"<div class=pictures>{''.join(pictures)}</div>")
    if report.calibration is not None and report.calibration.coverage:
        coverage: Rows = [
            (
                f"{row.at_least:.2f}",
                f"{row.answered:.1%}",
                "" if row.right is None else f"{row.right:.1%}",
            )
            for row in report.calibration.coverage
        ]
        columns = ("least confidence", "texts answered", "of these right")
        lines.append(_table(columns, coverage, {0, 1, 2}))
    return "\n".join(lines)


def _mistakes(evaluation: Evaluation, attention: Sequence[AttentionMap]) -> str:
    lines = []
    if evaluation.mistakes:
        shown = [tokens_with_heat(found) for found in attention] or [
            _text(mistake) for mistake in evaluation.mistakes
        ]
        lines.append("<h2>Surest wrong answers</h2>")
        if attention:
            lines.append("<p>Coloured: what the model looked at.</p>")
        lines.append(_listed(evaluation, evaluation.mistakes, shown))
    if evaluation.doubtful:
        doubtful = evaluation.doubtful[:SHOWN]
        lines.append(
            f"<h2>Labels worth a second look ({len(evaluation.doubtful)})</h2>"
        )
        lines.append(_listed(evaluation, doubtful, map(_text, doubtful)))
    return "\n".join(lines)


def _listed(evaluation: Evaluation, mistakes: Sequence[Mistake], shown: Any) -> str:
    rows = [
        (
            str(evaluation.examples.lines[mistake.row]),
            mistake.label,
            mistake.answer,
            f"{mistake.confidence:.3f}",
            _Markup(text),
        )
        for mistake, text in zip(mistakes, shown, strict=True)
    ]
    sure = "distance" if evaluation.report.calibration is None else "confidence"
    return _table(("line", "true", "answer", sure, "text"), rows, {0, 3}, "texts")


def _text(mistake: Mistake) -> str:
    return f"<span class=text>{escaped(mistake.text)}</span>"


def _settings(config: FinetuneConfig) -> str:
    rows = [
        (field.name, str(value))
        for field in dataclasses.fields(config)
        if (value := getattr(config, field.name)) not in ("", None)
    ]
    versions = [("python", platform.python_version())]
    for package in PACKAGES:
        try:
            versions.append((package, version(package)))
        except PackageNotFoundError:  # Run from a clone that is not installed.
            continue
    return "\n".join(
        [
            "<h2>Settings</h2>",
            f"<details><summary>{len(rows)} settings</summary>"
            f"{_table(('setting', 'value'), rows)}</details>",
            f"<details open><summary>Versions</summary>"
            f"{_table(('package', 'version'), versions)}</details>",
        ]
    )


class _Markup(str):
    """What is HTML already."""


def _table(
    heads: Sequence[str], rows: Rows, numbers: Any = (), kind: str = "plain"
) -> str:
    """Writes a table; a float is a bar as long as its share."""

    def cell(column: int, value: Any) -> str:
        if isinstance(value, float):
            return f'<td class=share><i style="width: {100 * value:.1f}%"></i></td>'
        number = " class=number" if column in numbers else ""
        text = value if isinstance(value, _Markup) else escaped(value)
        return f'<td{number} data-head="{escaped(heads[column])}">{text}</td>'

    head = "".join(f"<th scope=col>{escaped(head)}</th>" for head in heads)
    body = "\n".join(
        f"<tr>{''.join(cell(*each) for each in enumerate(row))}</tr>" for row in rows
    )
    return (
        f"<div class=wide><table class={kind}><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>"
    )
