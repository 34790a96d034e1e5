"""`model_card`: what a trained classifier is, beside its weights.

The form of Hugging Face's model cards: a header of metadata, then words.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from siatl_keras._version import __version__
from siatl_keras.evaluation import MEASURES
from siatl_keras.presets.named_models import MODELS, SHIPPED
from siatl_keras.runs.data_report import DataReport
from siatl_keras.runs.evaluate import Evaluation
from siatl_keras.runs.finetune_config import FinetuneConfig

NAME = "README.md"
_UNKNOWN = "that of the language model, which is not known here"


def model_card(
    config: FinetuneConfig,
    data: DataReport | None,
    evaluation: Evaluation,
    metrics: dict[str, Any],
) -> str:
    """Writes the card of a run's model.

    Args:
        config: the run's.
        data: what its texts are.
        evaluation: of the texts that it is judged by.
        metrics: what the run found.

    Returns:
        Markdown.
    """
    name = Path(config.output).name
    parts = [
        _header(config, data, evaluation, name),
        f"# {name}",
        _what(config, evaluation),
        _data(data),
        _figures(evaluation, metrics),
        _limits(config, data),
        _use(config),
    ]
    return "\n".join(part for part in parts if part)


def _header(
    config: FinetuneConfig,
    data: DataReport | None,
    evaluation: Evaluation,
    name: str,
) -> str:
    measure, value = next(iter(evaluation.report.measures.items()))
    result = {
        "task": {"type": "text-classification"},
        "dataset": {"name": Path(config.train).name, "type": "local"},
        "metrics": [{"type": measure, "value": round(float(value), 4)}],
    }
    # Strings as JSON has them, which YAML reads, whatever is in a file's name.
    lines = ["---", "library_name: keras", "pipeline_tag: text-classification"]
    if licence_of(config.lm) == "Apache-2.0":
        lines.append("license: apache-2.0")
    if data and data.language:
        lines.append(f"language: {json.dumps(data.language)}")
    lines += [
        "tags: [siatl_keras, text-classification]",
        f"model-index: {json.dumps([{'name': name, 'results': [result]}])}",
        "---",
        "",
    ]
    return "\n".join(lines)


def _what(config: FinetuneConfig, evaluation: Evaluation) -> str:
    names = evaluation.predictions.names
    kind = config.task.replace("_", " ")
    labels = f" of {len(names)}: {', '.join(names)}" if names else ""
    return (
        f"\nA text classifier ({kind}{labels}), fine-tuned with siatl_keras "
        f"{__version__} by `--method={config.method}` (SiATL, Chronopoulou et al. "
        f"2019) on the language model `{config.lm}`.\n"
    )


def _data(data: DataReport | None) -> str:
    if data is None:
        return ""
    rows = [
        f"| {part.name.replace('_', '-')} | {part.texts:,} | {part.words[1]} |"
        for part in data.parts
    ]
    return "\n".join(
        ["## Data", "", "| | texts | median words |", "|---|---|---|", *rows, ""]
    )


def _figures(evaluation: Evaluation, metrics: dict[str, Any]) -> str:
    report = evaluation.report
    interval = report.interval
    rows = [
        f"| {MEASURES[name].title} | {value:.4f} |"
        for name, value in report.measures.items()
    ]
    if report.calibration is not None:
        rows.append(f"| expected calibration error | {report.calibration.ece:.4f} |")
    judged = "test" if "test" in metrics else "held-out"
    lines = [
        "## Figures",
        "",
        f"On {len(evaluation.examples.texts):,} {judged} texts; the 95 % interval of "
        f"the {MEASURES[interval.measure].title} is {interval.low:.4f} to "
        f"{interval.high:.4f}.",
        "",
        "| measure | value |",
        "|---|---|",
        *rows,
        "",
    ]
    if judged != "test":
        lines += ["These texts chose the epoch and the calibration too.", ""]
    return "\n".join(lines)


def _limits(config: FinetuneConfig, data: DataReport | None) -> str:
    lines = ["## Limits", ""]
    if config.sequence_length and config.long_texts != "windows":
        lines.append(
            f"- The language model reads the first {config.sequence_length} tokens of "
            "a text."
        )
    if config.lm in SHIPPED:
        lines.append("- The language model is of English tweets and film reviews.")
    lines += [
        "- It answers any text, also one of another kind than its training texts: "
        "`task.abstaining(0.8)` gives no answer where it is less sure than that.",
        *(f"- {doubt}." for doubt in (data.doubts if data else ())),
        "",
        "## Licence",
        "",
        f"The weights began as those of `{config.lm}`; their licence: "
        f"{licence_of(config.lm)}. The training texts may have terms of their own.",
        "",
    ]
    return "\n".join(lines)


def _use(config: FinetuneConfig) -> str:
    texts = '[("one text", "the other")]' if config.pair_column else '["a text"]'
    return f"""## Use

```python
from siatl_keras.models import SiATLClassifier

model = SiATLClassifier.from_preset("path/of/this/folder")
print(model.predict_labels({texts}))
```

`siatl predict --model=path/of/this/folder --input=texts.csv` labels a file;
`siatl export --model=path/of/this/folder --output=served` writes a SavedModel for TF
Serving, strings in, labels and probabilities out.
"""


def licence_of(lm: str) -> str:
    """Returns a language model's licence, in words where it is not known."""
    if lm in SHIPPED:
        return "Apache-2.0"
    return MODELS[lm].licence if lm in MODELS else _UNKNOWN
