import html.parser
import re

import pytest

from rigs.browser import opened
from siatl_keras.evaluation import AttentionMap, attention_page, short_names

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</span></section>",
    "&lt;b&gt;",
    "\u202etxet",
    "\x00\x1b[31m",
    "😂",
]
WEIGHTS = [0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02]


class Page(html.parser.HTMLParser):
    """Reads a page as a browser does: elements, attributes, and text by element."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.shown, self.styles = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "span" and dict(attrs).get("style"):
            self.styles.append(dict(attrs)["style"])

    def handle_data(self, data):
        if self.elements and self.elements[-1] == "span":
            self.shown.append(data)


@pytest.fixture(scope="module")
def text():
    maps = [
        AttentionMap(name, label, 0.75, HOSTILE, WEIGHTS)
        for name, label in (("siatl", "<i>irony</i>"), ("<b>p-lm</b>", "plain"))
    ]
    return attention_page([" ".join(HOSTILE)], [maps])


def test_hostile_tokens_labels_and_names_are_text(text):
    page = Page(text)
    ours = {"html", "head", "meta", "title", "style", "body", "h1", "p", "span"}
    ours |= {"section", "h2", "div", "article", "h3", "b"}
    assert set(page.elements) <= ours
    assert page.elements.count("section") == 1 and page.elements.count("article") == 2
    assert not any(name.startswith("on") or name == "src" for name in page.attributes)
    for token in HOSTILE[:3]:
        assert token in page.shown


def test_characters_that_turn_or_hide_others_are_replaced(text):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert "\ufffdtxet" in text and "😂" in text


def test_the_page_needs_and_runs_nothing_else(text):
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import|<link|<script", text)


def test_a_token_is_coloured_by_how_far_it_is_above_the_mean(text):
    shares = [float(style.split(": ")[1]) for style in Page(text).styles]
    # 0.4 of 7 tokens is 2.8 times the mean, 0.3 is 2.1 times; four times is full.
    assert shares[: len(WEIGHTS)] == [0.6, 0.367, 0, 0, 0, 0, 0]
    assert 'title="0.4000"' in text


def test_a_text_that_nothing_stands_out_of_has_no_colour():
    even = AttentionMap("siatl", "good", 0.9, list("abcd"), [0.25] * 4)
    assert even.shares == [0.0] * 4
    single = AttentionMap("siatl", "good", 0.9, list("abcde"), [0, 0, 1.0, 0, 0])
    assert single.shares == [0, 0, 1, 0, 0]


def test_light_and_dark_are_both_served(text):
    assert "color-scheme: light dark" in text and "prefers-color-scheme: dark" in text


def test_a_browser_runs_none_of_it(text, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(text, "utf-8")
    dom, console = opened(path)
    page = Page(dom)
    assert page.elements.count("article") == 2
    assert not {"script", "img", "i"} & set(page.elements)
    assert HOSTILE[0] in page.shown
    assert console == []


def test_a_true_answer_is_beside_the_model_s():
    found = AttentionMap("siatl", "good", 0.9, ["so"], [1.0], truth="bad")
    right = AttentionMap("siatl", "bad", 0.9, ["so"], [1.0], truth="bad")
    page = attention_page(["so"], [[found, right]])
    assert found.is_wrong and "✗ true: <b>bad</b>" in page
    assert not right.is_wrong and "✓ true: <b>bad</b>" in page


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/model", "b/model"], ["a", "b"]),
        (["runs/a/seed-0/model", "runs/a/seed-1/model"], ["seed-0", "seed-1"]),
        (["runs/a/model", "runs/model"], ["a/model", "model"]),
        (["a", "a"], ["a", "a"]),
        (["runs/a/model"], ["runs/a/model"]),
    ],
)
def test_models_are_named_by_what_tells_them_apart(paths, names):
    assert short_names(paths) == names
