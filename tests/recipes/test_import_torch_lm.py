from siatl_keras.importers.torch import export_language_model, read_checkpoint
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.text import WordTokenizer


def test_a_checkpoint_becomes_a_preset_and_a_checkpoint_again(start_program, tmp_path):
    recipe = ("-m", "recipes.import_torch_lm")
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "so", "glad"])
    backbone = LSTMBackbone(6, embedding_dim=3, hidden_dim=4, num_layers=2)
    model = LSTMCausalLM(backbone, LSTMCausalLMPreprocessor(tokenizer))
    path, again = tmp_path / "lm.pt", tmp_path / "again.pt"
    export_language_model(model, path)
    printed = start_program(*recipe, f"--checkpoint={path}", f"--output={tmp_path}/lm")
    assert printed == (
        f"{tmp_path}/lm: vocabulary_size 6, embedding_dim 3, hidden_dim 4, "
        "num_layers 2, tie_weights True, epoch 0, step 0\n"
    )
    flags = (f"--preset={tmp_path}/lm", f"--checkpoint={again}", "--to_torch")
    assert start_program(*recipe, *flags) == f"{again}\n"
    assert read_checkpoint(again).config["model"]["rnn_size"] == 4
    done = start_program(*recipe, *flags, check=False)
    assert done.returncode == 1
    assert "again.pt exists already" in done.stderr and "Traceback" not in done.stderr


def test_both_directions_at_once_are_refused(start_program, tmp_path):
    flags = ("--checkpoint=lm.pt", "--to_torch", f"--output={tmp_path}/lm")
    done = start_program("-m", "recipes.import_torch_lm", *flags, check=False)
    assert "needs --output, or --preset with --to_torch" in done.stderr
    assert not list(tmp_path.iterdir())
