"""Preprocessors as small as they come: words to hash buckets."""

import tensorflow as tf

START, END = 1, 2
BUCKETS = 1000


class HashPreprocessor:
    """Words to hash buckets; the two steps that pipelines ask of a preprocessor."""

    add_end_token = True

    class tokenizer:
        end_token_id = END

        @staticmethod
        def tokenize(texts):
            words = tf.strings.split(texts)
            return tf.cast(tf.strings.to_hash_bucket_fast(words, BUCKETS), tf.int32) + 4

        @staticmethod
        def vocabulary_size():
            return BUCKETS + 4

        @staticmethod
        def fingerprint():
            return {"class": "hash", "buckets": BUCKETS}

    def __init__(self, sequence_length=8):
        self.sequence_length = self.most_read = sequence_length

    def tokenize(self, texts, limit="most_tokens"):
        return self.with_markers(self.tokenizer.tokenize(texts), limit)

    def with_markers(self, ids, limit="most_tokens"):
        ones = tf.ones([ids.nrows(), 1], tf.int32)
        ids = tf.concat([START * ones, ids, END * ones], axis=1)
        return ids[:, : self.sequence_length if limit == "most_tokens" else limit]


class HashLMPreprocessor(HashPreprocessor):
    def pack(self, token_ids, y=None, sample_weight=None):
        ids = token_ids.to_tensor()
        mask = tf.cast(ids > 0, tf.int32)
        x = {"token_ids": ids[:, :-1], "padding_mask": mask[:, :-1]}
        return x, ids[:, 1:], tf.cast(mask[:, 1:], tf.float32)


class HashClassifierPreprocessor(HashPreprocessor):
    def tokenize_and_cut(self, texts):
        whole = self.tokenize(texts, limit=None)
        is_cut = whole.row_lengths() - 1 > self.sequence_length
        return whole[:, : self.sequence_length], is_cut

    def pack(self, token_ids, y=None, sample_weight=None):
        ids = token_ids.to_tensor()
        x = {"token_ids": ids, "padding_mask": tf.cast(ids > 0, tf.int32)}
        return x if y is None else (x, y, sample_weight)
