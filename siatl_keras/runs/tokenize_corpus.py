"""`tokenize_corpus`: from text files to token ids that language models train on."""

from __future__ import annotations

import resource
import time
from typing import Any

from siatl_keras.data import read_texts, write_token_shards
from siatl_keras.runs.run_folder import finish_run
from siatl_keras.runs.tokenize_config import TokenizeConfig
from siatl_keras.text import WordTokenizer


def tokenize_corpus(
    config: TokenizeConfig, overwrite: bool = False, progress: bool = True
) -> dict[str, Any]:
    """Tokenizes files once, for `pretrain_language_model` to read in every pass.

    The output folder, passed as `train` or `validation` in place of text files, gives
    the same batches as they do. A run that was stopped resumes at the shard that it was
    at when it is started again with the same `output`.

    Args:
        config: what to do.
        overwrite: whether tokens that are there are replaced.
        progress: whether to show a bar with texts per second.

    Returns:
        dict of metrics: texts, tokens, shards, bytes, seconds since this start, and the
        process's peak memory in MB. It is also `metrics.json`.

    Raises:
        ValueError: if a file cannot be read, or there are tokens and `overwrite` is
            false, see `write_token_shards`.
    """
    started = time.perf_counter()
    index = write_token_shards(
        read_texts(config.corpus, config.text_column, encoding=config.encoding),
        config.output,
        WordTokenizer(config.vocabulary),
        config.texts_per_shard,
        overwrite,
        progress,
    )
    metrics = {
        "texts": sum(shard.rows for shard in index.shards),
        "tokens": sum(shard.tokens for shard in index.shards),
        "shards": len(index.shards),
        "bytes": sum(shard.bytes for shard in index.shards),
        "seconds": time.perf_counter() - started,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    finish_run(config.output, metrics)
    return metrics
