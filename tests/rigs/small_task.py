"""A task that a tiny language model solves: texts, and the arguments of short runs."""

from siatl_keras.models import LSTMBackbone, backbone_class
from siatl_keras.runs import FinetuneConfig, finetune

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]
WORDS = sorted({word for text in GOOD + BAD for word in text.split()})
# Words that occur in texts of one class only.
TELLING = {
    **dict.fromkeys(("glad", "a", "lovely", "good", "love"), 1.0),
    **dict.fromkeys(("sad", "an", "awful", "bad", "hate"), -1.0),
}
NO_LM_DROPOUT = {
    "lm_embedding_dropout": 0.0,
    "lm_input_dropout": 0.0,
    "lm_hidden_dropout": 0.0,
    "lm_output_dropout": 0.0,
}


def small_config(files, lm, output, **settings):
    """Returns the configuration of a short run without dropout.

    Args:
        files: paths of training, validation and test texts.
        lm: preset.
        output: folder.
        **settings: fields of `FinetuneConfig` in place of these.
    """
    train, validation, *test = map(str, files)
    lstm = issubclass(backbone_class(lm), LSTMBackbone)
    small = {
        "batch_size": 8,
        "sequence_length": 12,
        "lstm_dropout": 0.0,
        "attention_dropout": 0.0,
        **(NO_LM_DROPOUT if lstm else {}),
    }
    return FinetuneConfig(
        train=train,
        validation=validation,
        test=test[0] if test else "",
        lm=str(lm),
        output=str(output),
        **{**small, **settings},
    )


def small_run(files, lm, output, verbose=0, **settings):
    """Fine-tunes; arguments as for `small_config`."""
    return finetune(small_config(files, lm, output, **settings), verbose=verbose)
