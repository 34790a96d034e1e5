"""attention: what a classifier looks at."""

import pytest


def test_attention_names_tokens_and_sums_to_one(make_classifier):
    tokens, weights = make_classifier().attention(["so glad", "what a day !"])
    assert tokens[0] == ["<s>", "so", "glad", "</s>"]
    assert [len(row) for row in weights] == [4, 6]
    assert [sum(row) for row in weights] == pytest.approx([1.0, 1.0])


def test_attention_of_concat_pooling_is_refused(make_classifier):
    with pytest.raises(ValueError, match="pooling='concat'.*pooling=\"attention\""):
        make_classifier(pooling="concat", num_layers=0, block_units=7).attention(
            ["so glad"]
        )
