import warnings

import numpy as np
from matplotlib.image import imread

from siatl_keras.evaluation import AttentionMap, plot_attention


def draw(path, tokens, models=2, texts=1):
    """Draws tokens, the first the heaviest; no warning may come. Returns pixels."""
    tokens = [*tokens, *"....."]
    rest = len(tokens) - 1
    weights = [0.95, *[0.05 / rest] * rest]
    found = AttentionMap("siatl", "yes", 0.9, tokens, weights, truth="no")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_attention([[found] * models] * texts, path)
    return imread(path)[..., :3]


def orange(pixels):
    """How many pixels are coloured at full strength, nearly."""
    return int(np.sum(np.abs(pixels - np.array([1.0, 0.55, 0.16])).max(-1) < 0.05))


def test_models_are_side_by_side_and_texts_one_below_another(tmp_path):
    one = draw(tmp_path / "1.png", ["so", "glad"], models=1)
    two = draw(tmp_path / "2.png", ["so", "glad"], models=2)
    three = draw(tmp_path / "3.png", ["so", "glad"], models=1, texts=3)
    assert two.shape[0] == one.shape[0] and two.shape[1] > 1.8 * one.shape[1]
    assert three.shape[1] == one.shape[1] and three.shape[0] > 2 * one.shape[0]
    assert orange(two) > orange(one) > 0


def test_a_long_text_is_broken_into_lines_within_its_column(tmp_path):
    short = draw(tmp_path / "short.png", ["token"] * 5, models=1)
    long = draw(tmp_path / "long.png", ["token"] * 60, models=1)
    assert long.shape[0] > short.shape[0] + 50


def test_a_token_wider_than_its_column_is_cut(tmp_path):
    pixels = draw(tmp_path / "wide.png", ["ho" * 200, "ho"], models=1)
    # Below the legend's line, which goes from side to side.
    assert np.all(pixels[60:, -20:] == 1.0)


def test_what_the_font_lacks_is_spelled_out_without_a_warning(tmp_path):
    plain = draw(tmp_path / "plain.png", ["a"], models=1)
    emoji = draw(tmp_path / "emoji.png", ["🥰"], models=1)
    # The heaviest token is as wide as its name.
    assert orange(emoji) > 2 * orange(plain)
    draw(
        tmp_path / "odd.png",
        ["👍🏽", "🫠", "漢字", "\x00", "\u200d", "$x_", "❤️", "\ue000"],
    )


def test_an_empty_text_has_its_start_and_end(tmp_path):
    assert draw(tmp_path / "empty.png", ["<s>", "</s>"]).std() > 0.05
