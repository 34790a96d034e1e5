"""Frames of pages, harmless text, and pictures as parts of pages."""

import re

from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.evaluation import plot_training
from siatl_keras.evaluation.markup import as_svg, escaped, page


@given(st.text())
def test_no_text_is_markup_or_turns_what_follows(text):
    safe = escaped(text)
    assert not set("<>\"'") & set(safe)
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", safe
    )


def test_a_page_has_its_title_and_loads_nothing():
    text = page("<b>", "p { color: red }", "<p>so</p>")
    assert "<title>&lt;b&gt;</title>" in text and "<p>so</p>" in text
    assert "default-src 'none'" in text and "p { color: red }" in text


def test_a_picture_is_one_element_whose_letters_are_text_and_is_the_same_again():
    epochs = [{"epoch": 1, "task_loss": 1.0, "val_task_loss": 0.5}]

    def draw(path):
        plot_training(epochs, path)

    element = as_svg(draw, "losses <by> epoch")
    assert element.startswith('<svg role="img" aria-label="losses &lt;by&gt; epoch"')
    assert element.rstrip().endswith("</svg>") and "<?xml" not in element
    assert re.search(r"<text[^>]*>task loss</text>", element)
    assert as_svg(draw, "losses <by> epoch") == element
