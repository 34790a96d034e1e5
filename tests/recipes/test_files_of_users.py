"""From a file as people have it to a labelled file: two commands and no other line."""

import csv
import io
import json

import pandas
import pytest

from siatl_keras.data import read_examples


def rows_of(folder):
    examples = read_examples(folder / "train.tsv")
    return list(zip(examples.texts, examples.labels, strict=True))


def as_excel_writes_it_in_europe(rows, path):
    table = [
        ("Datum", "Meldung", "Art"),
        *((7, f"{text} – café", label) for text, label in rows),
    ]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=";").writerows(table)
    path = path.with_suffix(".csv")
    path.write_bytes(file.getvalue().encode("cp1252"))
    return path, ["--encoding=cp1252"], {"good", "bad"}


def as_excel_saves_unicode(rows, path):
    table = "".join(f"{text}\t{label}\r\n" for text, label in [("said", "mood"), *rows])
    path = path.with_suffix(".tsv")
    path.write_bytes(table.encode("utf-16"))
    return path, [], {"good", "bad"}


def as_pandas_writes_it(rows, path):
    stars = [{"good": 5.0, "bad": 1.0}[label] for _, label in rows]
    path = path.with_suffix(".csv")
    frame = pandas.DataFrame({"review": [text for text, _ in rows], "stars": stars})
    frame.to_csv(path)
    return path, [], {"5", "1"}


def as_a_workbook(rows, path):
    path = path.with_suffix(".xlsx")
    pandas.DataFrame(rows, columns=["Text", "Label"]).to_excel(path, index=False)
    return path, [], {"good", "bad"}


def as_nested_json(rows, path):
    path = path.with_suffix(".jsonl")
    records = [
        {"id": 1, "data": {"text": text}, "annotation": {"label": label}}
        for text, label in rows
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path, [], {"good", "bad"}


SLOWER = (
    as_excel_saves_unicode,
    as_pandas_writes_it,
    as_a_workbook,
    as_nested_json,
)
KINDS = (
    as_excel_writes_it_in_europe,
    *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOWER),
)


@pytest.mark.parametrize("write_file", KINDS)
def test_two_commands_lead_from_a_file_to_labels(
    write_file, small_experiment, tmp_path, run_python
):
    path, flags, labels = write_file(rows_of(small_experiment), tmp_path / "mine")
    settings = [f"--lm={small_experiment}/lm", "--epochs=1", "--devices=cpu"]
    printed = run_python(
        *("-m", "recipes.finetune", f"--data={path}", *flags, *settings), cwd=tmp_path
    )
    model = tmp_path / "runs" / "mine" / "model"
    assert f"{path}: texts are in the column" in printed
    assert "model: runs/mine/model" in printed
    assert "--data" not in (model.parent / "flags.txt").read_text("utf-8")
    printed = run_python(
        *("-m", "recipes.predict", f"--model={model}", f"--input={path}", *flags)
    )
    texts = [line.split("\t")[0] for line in printed.splitlines()[1:]]
    answers = {line.split("\t")[1] for line in printed.splitlines()[1:]}
    assert len(texts) == len(rows_of(small_experiment)) and answers <= labels


def test_a_baseline_says_what_it_reached_on_the_held_out_texts(
    small_experiment, start_program, tmp_path
):
    printed = start_program(
        *("-m", "recipes.finetune", f"--data={small_experiment}/train.tsv"),
        *("--method=bow", f"--output={tmp_path}/bow"),
    )
    assert "95 % interval of the macro F1" in printed
    assert (tmp_path / "bow" / "predictions.tsv").exists()
