"""Wrong arguments of constructors, in a table."""

import functools

import keras

from benchmarks.robustness.wrong_inputs.parts import (
    INF,
    NAN,
    NO_COUNT,
    NO_EPOCH,
    NO_FLAG,
    NO_NAMES,
    NO_RATE,
    NO_SHARE,
    NO_SIZE,
    NO_SIZE_GIVEN,
    WORDS,
    backbone,
    classifier,
    language_model,
    tokenizer,
)
from recipes.reproduction.experiment_grid import experiment_grid
from siatl_keras import (
    callbacks,
    distribute,
    heads,
    layers,
    metrics,
    models,
    optimizers,
    plans,
    tasks,
    text,
)

# Function, arguments that are right, and by argument what is wrong.
CONSTRUCTORS = {
    "LSTMBackbone": (
        backbone,
        {},
        {
            "vocabulary_size": NO_SIZE,
            "embedding_dim": NO_SIZE,
            "hidden_dim": NO_SIZE,
            "num_layers": NO_SIZE,
            "embedding_noise": (-1.0, NAN, "x"),
            "embedding_dropout": NO_SHARE,
            "input_dropout": NO_SHARE,
            "hidden_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "recurrent_weight_dropout": NO_SHARE,
            "input_droput": (0.5,),
        },
    ),
    "SiATLClassifier": (
        classifier,
        {},
        {
            "backbone": (None, "a preset", keras.layers.Dense(2)),
            "num_classes": (0, 1, 3, -1, 2.5, "2"),
            "label_names": (
                [],
                ["one"],
                ["a", "a"],
                {"a", "b"},
                "ab",
                [None, "a"],
                ["a", "a\u200b"],
                ["é", "e\u0301"],
            ),
            "task": ("ordinal", tasks.Ordinal, 3, {"class_name": "Dense"}),
            "preprocessor": (tokenizer(), "a preset"),
            "auxiliary_loss": NO_FLAG,
            "units": NO_SIZE,
            "num_layers": NO_COUNT,
            "bidirectional": NO_FLAG,
            "pooling": ("max", None, 1),
            "input_dropout": NO_SHARE,
            "lstm_dropout": NO_SHARE,
            "attention_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "block_units": NO_COUNT,
            "block_dropout": NO_SHARE,
            "gradient_checkpointing": (True, "yes"),
            "input_droput": (0.5,),
        },
    ),
    "LSTMCausalLM": (
        language_model,
        {},
        {"backbone": (None, "a preset"), "preprocesor": (None,)},
    ),
    "SiATLPreprocessor": (
        models.SiATLPreprocessor,
        {"tokenizer": tokenizer()},
        {
            "tokenizer": (None, "words"),
            "sequence_length": (1, *NO_SIZE),
            "add_start_token": NO_FLAG,
            "add_end_token": NO_FLAG,
            "pad_to_sequence_length": NO_FLAG,
            "pairs": NO_FLAG,
            "long_texts": ("slide", None, 3),
            "max_windows": (1, *NO_SIZE),
            "sequence_lenght": (8,),
        },
    ),
    "LSTMCausalLMPreprocessor": (
        models.LSTMCausalLMPreprocessor,
        {"tokenizer": tokenizer()},
        {"tokenizer": (None, "words"), "sequence_length": (1, *NO_SIZE)},
    ),
    "TaskHead": (
        heads.TaskHead,
        {"num_outputs": 2, "units": 4},
        {
            "num_outputs": NO_SIZE,
            "units": NO_SIZE,
            "num_layers": (None, *NO_COUNT),
            "bidirectional": NO_FLAG,
            "pooling": ("max", None),
            "input_dropout": NO_SHARE,
            "lstm_dropout": NO_SHARE,
            "attention_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "block_units": (None, *NO_COUNT),
            "block_dropout": NO_SHARE,
        },
    ),
    "LSTM": (
        layers.LSTM,
        {"units": 4},
        {"units": NO_SIZE, "recurrent_weight_dropout": NO_SHARE},
    ),
    "AttentionPooling": (heads.AttentionPooling, {}, {"dropout": NO_SHARE}),
    "EmbeddingDropout": (
        layers.EmbeddingDropout,
        {"vocabulary_size": 4, "rate": 0.5},
        {"vocabulary_size": NO_SIZE, "rate": NO_SHARE},
    ),
    "LinearBlock": (
        heads.LinearBlock,
        {"units": 4},
        {"units": NO_SIZE, "dropout": NO_SHARE, "activation": ("nonsense",)},
    ),
    "TokenEmbedding": (
        layers.TokenEmbedding,
        {"input_dim": 4, "output_dim": 4},
        {"input_dim": NO_SIZE, "output_dim": NO_SIZE},
    ),
    "GammaDecay": (
        callbacks.GammaDecay,
        {},
        {
            "initial": NO_RATE,
            "final": NO_RATE,
            "epochs": NO_SIZE,
            "per": ("batch", None),
            "schedule": (0.5, "constant"),
        },
    ),
    "SequentialUnfreezing": (
        callbacks.SequentialUnfreezing,
        {},
        {"phases": ((), (plans.Phase(2, ("task",)),), 3)},
    ),
    "stages": (
        plans.stages,
        {},
        {
            "backbone_epoch": NO_EPOCH,
            "embedding_epoch": (1, *NO_EPOCH),
            "optimizers": ({1: "sgd"}, {"2": "sgd"}, {2: "nonsense"}, "sgd"),
            "layers_per_epoch": NO_EPOCH,
        },
    ),
    "WeightAveraging": (callbacks.WeightAveraging, {}, {"momentum": NO_SHARE}),
    "BackupAndRestore": (callbacks.BackupAndRestore, {}, {"backup_dir": ("", None, 3)}),
    "SetEpoch": (callbacks.SetEpoch, {}, {"counter": (None, 3)}),
    "SlantedTriangular": (
        optimizers.SlantedTriangular,
        {"max_rate": 0.1, "steps": 10},
        {
            "max_rate": NO_RATE,
            "steps": NO_SIZE,
            "cut_fraction": NO_SHARE,
            "ratio": (0.5, NAN, INF, "x"),
        },
    ),
    "OneCycle": (
        optimizers.OneCycle,
        {"max_rate": 0.1, "steps": 10},
        {
            "max_rate": NO_RATE,
            "steps": NO_SIZE,
            "div": (0.5, NAN, INF, "x"),
            "final_div": (0.5, NAN, INF, "x"),
            "start_fraction": NO_SHARE,
        },
    ),
    "OneCycleMomentum": (
        optimizers.OneCycleMomentum,
        {"steps": 10},
        {
            "steps": NO_SIZE,
            "high": (0.5, *NO_SHARE),
            "low": (0.99, *NO_SHARE),
            "start_fraction": NO_SHARE,
        },
    ),
    "paper_optimizer": (
        optimizers.paper_optimizer,
        {},
        {
            "task_learning_rate": NO_RATE,
            "pretrained_learning_rate": NO_RATE[:-1],
            "clipnorm": (-1.0, 0.0, NAN, "x"),
            "schedule": ("nonsense", None),
            "task_steps": NO_SIZE,
            "pretrained_steps": NO_SIZE,
            "pretrained_optimizer": ("rmsprop", None),
        },
    ),
    "Rate": (
        plans.Rate,
        {},
        {
            "optimizer": ("rmsprop", 3),
            "learning_rate": NO_RATE[:-1],
            "schedule": ("nonsense", None),
            "divisor": (0.0, -1.0, NAN, "x"),
            "clipnorm": (-1.0, 0.0, NAN, "x"),
            "beta_1": NO_SHARE,
            "beta_2": NO_SHARE,
        },
    ),
    "Phase": (
        plans.Phase,
        {"from_epoch": 1, "learns": ("task",)},
        {
            "from_epoch": NO_EPOCH,
            "learns": ("task", (1,)),
            "layers_per_epoch": NO_EPOCH,
            "optimizer": ("nonsense", 3),
        },
    ),
    "Plan": (
        plans.Plan,
        {
            "phases": (plans.Phase(1, ("task",)),),
            "rates": {("task",): plans.Rate("adam", 0.1)},
        },
        {
            "phases": ((), (plans.Phase(2, ("task",)),), 3),
            "rates": ({}, {("backbone",): plans.Rate()}),
            "epochs": NO_SIZE,
            "patience": (-1, 1.5, "x"),
            "average_momentum": (-0.1, 1.0, NAN, "x"),
            "depth": (0.0, 1.5, NAN, "x", None),
        },
    ),
    "Settings": (
        plans.Settings,
        {},
        {
            "epochs": NO_SIZE_GIVEN,
            "gamma_initial": (0.0, -1.0, NAN, "x"),
            "gamma_final": (0.0, -1.0, NAN, "x"),
            "task_learning_rate": (0.0, -1e-3, NAN, "fast"),
            "pretrained_optimizer": ("rmsprop",),
            "schedule": ("nonsense",),
            "clipnorm": (-1.0, 0.0, NAN, "x"),
        },
    ),
    "scheduled_sgd": (
        optimizers.scheduled_sgd,
        {"schedule": "constant", "rate": 0.1, "steps": 2},
        {"schedule": ("nonsense", None), "rate": NO_RATE, "steps": NO_SIZE},
    ),
    "GroupedOptimizer": (
        optimizers.GroupedOptimizer,
        {},
        {"optimizers": ({}, {"task": 3}, {"task": None}, "sgd", ["sgd"])},
    ),
    "MacroF1": (metrics.MacroF1, {}, {"num_classes": (1, *NO_SIZE)}),
    "WordTokenizer": (
        text.WordTokenizer,
        {},
        {
            "vocabulary": (
                [],
                ["a", "b"],
                [*WORDS, "good"],
                [*WORDS, ""],
                [*WORDS, "two words"],
                [*WORDS, None],
                [*WORDS, 3],
                3,
            ),
            "normalizer": ("lowercase", 3),
        },
    ),
    "TextNormalizer": (
        text.TextNormalizer,
        {},
        {"lowercase": (*NO_FLAG, 1), "lowercas": (True,)},
    ),
    "SingleLabel": (tasks.SingleLabel, {}, {"label_names": NO_NAMES}),
    "MultiLabel": (
        tasks.MultiLabel,
        {"label_names": ["a", "b"]},
        {
            "label_names": (["a,b", "c"], *NO_NAMES),
            "thresholds": ([0.5], 0.0, 1.0, [0.5, NAN], "ab"),
        },
    ),
    "Ordinal": (tasks.Ordinal, {}, {"levels": NO_NAMES}),
    "Regression": (
        tasks.Regression,
        {},
        {"mean": (NAN, "x", None), "std": (0.0, -1.0, NAN, "x")},
    ),
    "strategy_from_devices": (
        distribute.strategy_from_devices,
        {},
        {"devices": ("tpu", "gpu:99", "cpu:0", "cpu:x", "", None)},
    ),
    "set_mixed_precision": (
        distribute.set_mixed_precision,
        {},
        {"policy": ("float8", "", None)},
    ),
    "experiment_grid": (
        experiment_grid,
        {"datasets": {"a": 10}, "methods": ["siatl"], "seeds": 1},
        {
            "methods": (["nonsense"],),
            "seeds": (0, -1),
            "subset_sizes": ([0], [-1]),
            "gammas": ([-1.0], [NAN]),
        },
    ),
}


def constructor_rows():
    """Yields a row for each wrong argument: description, argument, function."""
    for name, (function, right, wrong) in CONSTRUCTORS.items():
        for argument, values in wrong.items():
            for value in values:
                yield (
                    f"{name}({argument}={value!r})",
                    argument,
                    functools.partial(function, **{**right, argument: value}),
                )
