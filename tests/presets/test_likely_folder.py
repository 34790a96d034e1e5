"""A path that is not quite a preset's is refused with the one that is meant."""

import pytest

from siatl_keras.models import SiATLClassifier
from siatl_keras.presets.likely_folder import check_is_meant, check_is_preset

NAMES = ("tweets_lstm_small_en", "smollm2_135m")


@pytest.fixture
def runs(tmp_path):
    for name in ("reviews/model", "reviews/backup/language_model", "deep/a/model"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_folder_of_a_run_is_not_its_model(runs):
    with pytest.raises(ValueError, match="Did you mean .*/reviews/model\\?$"):
        check_is_preset(str(runs / "reviews"))
    with pytest.raises(ValueError, match="Did you mean .*/deep/a/model\\?$"):
        check_is_preset(str(runs / "deep"))
    with pytest.raises(ValueError, match="holds no config.json.*Pass that of a preset"):
        check_is_preset(str(runs / "empty"))
    check_is_preset(str(runs / "reviews" / "model"))


@pytest.mark.parametrize("wrong", ["review/model", "reveiws/model", "revies"])
def test_a_mistyped_path_is_refused_with_the_right_one(runs, wrong):
    with pytest.raises(
        ValueError, match=f"{wrong}: no such folder. Did you mean .*/rev"
    ):
        check_is_meant(str(runs / wrong), NAMES)


def test_a_path_that_leads_nowhere_is_refused(runs):
    for wrong in (runs / "nothing" / "of" / "it", runs / "reviews" / "model" / "x"):
        with pytest.raises(ValueError, match="no such folder"):
            check_is_meant(str(wrong), NAMES)


def test_a_mistyped_name_is_refused_and_foreign_ones_are_left_alone():
    with pytest.raises(ValueError, match="Did you mean smollm2_135m"):
        check_is_meant("smolm2_135m", NAMES)
    for foreign in ("gpt2_base_en", "bert_base_en", "kaggle://a/b/c", "hf://a/b"):
        check_is_meant(foreign, NAMES)


def test_presets_are_looked_for_so(runs):
    for wrong, right in (
        (str(runs / "reviews"), "reviews/model"),
        ("tweets_lstm_small", "tweets_lstm_small_en"),
    ):
        with pytest.raises(ValueError, match=f"Did you mean .*{right}"):
            SiATLClassifier.from_preset(wrong)
        with pytest.raises(ValueError, match=f"Did you mean .*{right}"):
            SiATLClassifier.from_preset(wrong, num_classes=2)
