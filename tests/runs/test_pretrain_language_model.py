"""What pretraining refuses; whole runs: `tests/recipes` and `test_killed_runs.py`."""

from dataclasses import replace

import pytest

from siatl_keras.callbacks import TrainingDivergedError
from siatl_keras.checksums import write_checksums
from siatl_keras.runs import PretrainConfig, pretrain_language_model

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "today"]


@pytest.fixture
def config(tmp_path):
    (tmp_path / "words.txt").write_text("".join(f"{word}\n" for word in WORDS))
    (tmp_path / "texts.txt").write_text("so glad today\n" * 16)
    return PretrainConfig(
        train=(str(tmp_path / "texts.txt"),),
        validation=(str(tmp_path / "texts.txt"),),
        vocabulary=str(tmp_path / "words.txt"),
        preset=str(tmp_path / "preset"),
        output=str(tmp_path / "run"),
        embedding_dim=4,
        hidden_dim=4,
        num_layers=1,
        batch_size=8,
        steps=4,
        steps_per_epoch=2,
    )


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_training_without_a_finite_epoch_is_an_error_before_anything_is_saved(
    config, tmp_path
):
    with pytest.raises(TrainingDivergedError, match="epoch 1, the first"):
        pretrain_language_model(replace(config, learning_rate=1e38))
    assert not (tmp_path / "preset").exists()
    assert names(tmp_path / "run") == ["tensorboard"]


@pytest.mark.parametrize("stopped", [False, True])
def test_a_preset_of_another_run_is_refused_and_left_as_it_was(
    config, tmp_path, stopped
):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "model.weights.h5").write_bytes(b"theirs")
    write_checksums(tmp_path / "preset")
    if stopped:  # After it had made a preset, before that had its name.
        backup = tmp_path / "run" / "backup"
        backup.mkdir(parents=True)
        (backup / "model.weights.h5").write_bytes(b"ours")
        write_checksums(backup)
    with pytest.raises(ValueError, match="`preset` .*preset exists already"):
        pretrain_language_model(config)
    assert (tmp_path / "preset" / "model.weights.h5").read_bytes() == b"theirs"


def test_a_preset_that_was_being_replaced_is_back_before_it_is_looked_for(
    config, tmp_path
):
    replaced = tmp_path / ".replaced-0123456789ab" / "preset"
    replaced.mkdir(parents=True)
    with pytest.raises(ValueError, match="exists already"):
        pretrain_language_model(config)
    assert (tmp_path / "preset").is_dir() and not replaced.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": ()}, "`train` must be given"),
        ({"vocabulary": None, "preset": ""}, "`vocabulary`, `preset` must be given"),
        ({"steps": 0}, "steps=0"),
        ({"learning_rate": -1.0}, "learning_rate=-1"),
        ({"sampled_words": 1}, "sampled_words=1"),
        ({"hidden_dim": None}, "`hidden_dim` must be given, 512 by default"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(config, change, message):
    with pytest.raises(ValueError, match=message):
        replace(config, **change)
