"""`recipes.explain` with two small classifiers."""

import pytest
from matplotlib.image import imread

from siatl_keras.models import SiATLClassifier


@pytest.fixture(scope="module")
def models(small_experiment):
    paths = []
    for name in ("siatl", "p-lm"):
        model = SiATLClassifier.from_preset(
            str(small_experiment / "lm"), label_names=["bad", "good"], units=4
        )
        path = small_experiment / "explained" / name / "model"
        model.save_to_preset(str(path))
        paths.append(str(path))
    return paths


@pytest.fixture(scope="module")
def explain(start_program, models):
    def run(*flags, **kwargs):
        models_flag = f"--models={','.join(models)}"
        return start_program("-m", "recipes.explain", models_flag, *flags, **kwargs)

    return run


def test_files_and_texts_are_shown_for_every_model(explain, small_experiment):
    output = small_experiment / "attention"
    texts = ("--texts=so glad 😂 <script>", f"--texts={small_experiment}/test.tsv")
    printed = explain(*texts, f"--output={output}")
    assert printed.split() == [f"{output}/attention.html", f"{output}/attention.png"]
    page = (output / "attention.html").read_text("utf-8")
    # A literal, and the twelve of the file.
    assert page.count("<section>") == 13 and page.count("<article>") == 26
    assert page.count("<h3>siatl</h3>") == page.count("<h3>p-lm</h3>") == 13
    assert "so glad 😂 &lt;script&gt;" in page and "<script" not in page
    assert ">&lt;s&gt;</span>" in page
    assert imread(output / "attention.png")[..., :3].std() > 0.05
    again = explain(*texts, f"--output={output}", check=False)
    assert "--overwrite" in again.stderr and "Traceback" not in again.stderr


def test_a_mistyped_file_is_no_text(explain, small_experiment):
    wrong = f"--texts={small_experiment}/tset.tsv"
    done = explain(wrong, f"--output={small_experiment}/none", check=False)
    assert "Did you mean test.tsv?" in done.stderr
    assert not (small_experiment / "none").exists()


def test_true_labels_are_shown_and_what_is_answered_right_can_be_left_out(
    explain, small_experiment
):
    output = small_experiment / "mistakes"
    flags = (f"--texts={small_experiment}/test.tsv", "--label_column=label")
    explain(*flags, f"--output={output}")
    page = (output / "attention.html").read_text("utf-8")
    wrong, right = page.count("✗ true: <b>"), page.count("✓ true: <b>")
    assert wrong + right == page.count("<article>") == 24 and wrong > 0
    sections = page.split("<section>")[1:]
    explain(*flags, "--wrong_only", "--overwrite", f"--output={output}")
    page = (output / "attention.html").read_text("utf-8")
    kept = page.split("<section>")[1:]
    assert len(kept) == sum("✗" in section for section in sections)
    assert all("✗" in section for section in kept)
    done = explain(
        "--texts=so glad", "--wrong_only", f"--output={output}2", check=False
    )
    assert "name `label_column`" in done.stderr
