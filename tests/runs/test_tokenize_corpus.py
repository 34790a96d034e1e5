"""A corpus that is tokenized once trains the language model that its texts train."""

import json
from dataclasses import replace

import pytest

from siatl_keras.runs import (
    PretrainConfig,
    TokenizeConfig,
    pretrain_language_model,
    tokenize_corpus,
)

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "today", "what", "a", "day"]


@pytest.fixture
def config(tmp_path):
    (tmp_path / "words.txt").write_text("".join(f"{word}\n" for word in WORDS))
    rows = [f"{n}\tso {'glad ' * (n % 4)}today" for n in range(15)]
    (tmp_path / "a.tsv").write_text("\n".join(["id\ttweet", *rows]) + "\n")
    (tmp_path / "b.txt").write_text("What a day\n\nso caf\xe9\n", "cp1252")
    return TokenizeConfig(
        corpus=(str(tmp_path / "a.tsv"), str(tmp_path / "b.txt")),
        vocabulary=str(tmp_path / "words.txt"),
        output=str(tmp_path / "tokens"),
        texts_per_shard=5,
        encoding="cp1252",
    )


def test_all_files_are_in_the_shards(config, tmp_path):
    metrics = tokenize_corpus(config, progress=False)
    shards = [f"tokens-0000{number}.tfrecord" for number in range(4)]
    names = sorted(path.name for path in (tmp_path / "tokens").iterdir())
    assert names == ["index.json", "metrics.json", *shards]
    assert json.loads((tmp_path / "tokens" / "metrics.json").read_text()) == metrics
    counted = {name: metrics[name] for name in ("texts", "tokens", "shards")}
    assert counted == {"texts": 17, "tokens": 2 * 15 + 21 + 3 + 2, "shards": 4}
    with pytest.raises(ValueError, match="holds tokens already"):
        tokenize_corpus(config, progress=False)


@pytest.mark.slow
def test_training_on_the_tokens_is_training_on_the_texts(config, tmp_path):
    config = replace(config, corpus=config.corpus[:1])
    tokenize_corpus(config, progress=False)
    results = []
    for data in (*config.corpus, config.output):
        name = "tokens" if data == config.output else "texts"
        result = pretrain_language_model(
            PretrainConfig(
                train=(data,),
                validation=(data,),
                vocabulary=config.vocabulary,
                preset=str(tmp_path / name / "preset"),
                output=str(tmp_path / name / "run"),
                embedding_dim=4,
                hidden_dim=4,
                num_layers=1,
                sequence_length=6,
                stream=True,
                batch_size=4,
                steps=10,
                steps_per_epoch=5,
            ),
            verbose=0,
        )
        results.append(result)
    # To the last digit, over two epochs and more than two passes.
    assert results[0] == results[1]


def test_tokens_of_another_vocabulary_are_refused(config, tmp_path):
    tokenize_corpus(config, progress=False)
    (tmp_path / "others.txt").write_text("".join(f"{w}\n" for w in [*WORDS, "more"]))
    pretraining = PretrainConfig(
        train=(config.output,),
        validation=(config.output,),
        vocabulary=str(tmp_path / "others.txt"),
        preset=str(tmp_path / "preset"),
        output=str(tmp_path / "run"),
        embedding_dim=4,
        hidden_dim=4,
    )
    with pytest.raises(ValueError, match="`vocabulary_sha256` was .*, is .*Use"):
        pretrain_language_model(pretraining, verbose=0)
    assert not (tmp_path / "preset").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"corpus": ()}, "`corpus` must be given"),
        ({"vocabulary": None}, "`vocabulary` must be given"),
        ({"texts_per_shard": 0}, "texts_per_shard=0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(config, change, message):
    with pytest.raises(ValueError, match=message):
        replace(config, **change)
