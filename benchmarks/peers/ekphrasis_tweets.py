"""The peer in text: ekphrasis, the paper's preprocessing, on all cores.

Its splitting of hashtags is off, as it needs word statistics from a server.
"""

import multiprocessing
import os

from benchmarks.tweets import texts


def normalize_all(count):
    """Makes the work of normalising and splitting `count` texts."""
    lines = texts(count)
    pool = multiprocessing.Pool(os.cpu_count(), _start)
    return lambda: sum(pool.imap_unordered(_words, lines, chunksize=500))


def _start():
    # Its import prints, and each process needs its own compiled expressions.
    from ekphrasis.classes.preprocessor import TextPreProcessor
    from ekphrasis.classes.tokenizer import SocialTokenizer

    global _preprocess
    tags = ["url", "email", "percent", "money", "phone", "user", "time", "date"]
    _preprocess = TextPreProcessor(
        normalize=[*tags, "number"],
        annotate={"hashtag", "allcaps", "elongated", "repeated"},
        fix_bad_unicode=True,
        mode="fast",
        tokenizer=SocialTokenizer(lowercase=True).tokenize,
    ).pre_process_doc


def _words(line):
    return len(_preprocess(line))
