import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siatl_keras.text import TextNormalizer, WordTokenizer, build_vocabulary

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
TEXTS = [
    "zebra apple Zebra apple mango",
    "apple pear, pear?",
    "écru apple 😂 @shop",
]
# By falling count, then by code point.
ORDERED = ["apple", "pear", "zebra", ",", "<user>", "?", "mango", "écru", "😂"]
COUNTS = [4, 2, 2, 1, 1, 1, 1, 1, 1]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return path


def build(paths, size=100, **options):
    return build_vocabulary(paths, size, progress=False, **options)


def counted(texts, **switches):
    words = TextNormalizer(**switches)(list(texts)).numpy()
    return Counter(word for text in words for word in text.decode().split())


def test_words_are_ordered_by_count_then_string(corpus):
    report = build(corpus)
    assert report.words == [*SPECIAL, *ORDERED]
    assert report.counts == [0, 0, 0, 0, *COUNTS]
    assert report.tokens == sum(COUNTS)
    assert report.texts == len(TEXTS)
    assert report.out_of_vocabulary_rate == 0
    assert report.seconds > 0
    assert report.texts_per_second > 0
    assert report.peak_memory_mb > 1


def test_the_same_texts_give_the_same_words_in_any_order(tmp_path, corpus):
    reverse = tmp_path / "reverse.txt"
    reverse.write_text("\n".join(TEXTS[::-1]), encoding="utf-8")
    assert build(reverse).words == build(corpus).words == build(corpus).words


def test_every_format_gives_the_same_words(tmp_path, corpus):
    contents = {
        "a.tsv": "text\tlabel\n" + "".join(f"{text}\tx\n" for text in TEXTS),
        "a.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in TEXTS),
        "a.csv": "text\n" + "".join(f'"{text}"\n' for text in TEXTS),
    }
    expected = build(corpus)
    for name, content in contents.items():
        plain, zipped = tmp_path / name, tmp_path / f"{name}.gz"
        plain.write_text(content, encoding="utf-8")
        zipped.write_bytes(gzip.compress(content.encode()))
        for path in (plain, zipped):
            report = build(path)
            assert (report.words, report.counts) == (expected.words, expected.counts)


def test_several_files_are_counted_together(tmp_path, corpus):
    other = tmp_path / "other.tsv"
    other.write_text("fruit\npear mango\n")
    with pytest.raises(ValueError, match="other.tsv: which column holds the texts"):
        build([corpus, other])
    other.write_text("text\npear mango\n")
    report = build([corpus, other])
    assert report.words[4:8] == ["apple", "pear", "mango", "zebra"]
    assert report.counts[4:8] == [4, 3, 2, 2]
    assert report.texts == len(TEXTS) + 1


def test_the_text_column_can_be_named(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("message\tid\npear mango\tapple\n")
    assert build(path, text_column="message").words[4:] == ["mango", "pear"]


def test_size_keeps_the_most_frequent_and_counts_the_special_tokens(corpus):
    report = build(corpus, size=6)
    assert report.words == [*SPECIAL, "apple", "pear"]
    assert report.out_of_vocabulary_rate == pytest.approx(1 - 6 / 14)


def test_min_count_leaves_out_rare_words(corpus):
    report = build(corpus, min_count=2)
    assert report.words == [*SPECIAL, "apple", "pear", "zebra"]
    assert report.out_of_vocabulary_rate == pytest.approx(1 - 8 / 14)


def test_out_of_vocabulary_rate_is_that_of_a_plain_count(corpus):
    report = build(corpus, size=7, min_count=2)
    counts = counted(TEXTS)
    known = set(report.words)
    outside = sum(count for word, count in counts.items() if word not in known)
    assert report.tokens == counts.total()
    assert report.out_of_vocabulary_rate == pytest.approx(outside / counts.total())
    ids = WordTokenizer(report.words).tokenize(TEXTS).flat_values.numpy()
    assert (ids == 3).mean() == pytest.approx(report.out_of_vocabulary_rate)


def test_the_normalizer_given_is_used(corpus):
    report = build(corpus, normalizer=TextNormalizer(users=False, lowercase=False))
    assert {"Zebra", "@", "shop"} < set(report.words)


def test_typed_special_tokens_do_not_repeat_the_special_ones(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("<pad> <s> </s> <unk> <pad>\n")
    words = build(path).words
    assert words[:4] == SPECIAL
    assert not set(SPECIAL) & set(words[4:])
    WordTokenizer(words)


def test_frequent_words_survive_where_memory_is_bounded(tmp_path):
    path = tmp_path / "many.txt"
    rare = (f"rare{number}x" for number in range(5000))
    with open(path, "w") as file:
        file.writelines(f"common usual {word}\n" for word in rare)
    report = build(path, size=8, words_held=16)
    assert report.words[4:6] == ["common", "usual"]
    assert report.counts[4:6] == [5000, 5000]
    assert report.tokens == 15_000
    assert report.words == build(path, size=8, words_held=16).words
    assert report.out_of_vocabulary_rate == pytest.approx(1 / 3, abs=1e-3)


def test_a_size_or_bound_without_room_is_refused(corpus):
    with pytest.raises(ValueError, match="`size` must be more than the 4 .*size=4"):
        build(corpus, size=4)
    with pytest.raises(ValueError, match="at least twice `size`.*words_held=199"):
        build(corpus, size=100, words_held=199)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.txt", None, "missing.txt: no such file"),
        ("empty.txt", b"", "empty.txt: the file holds no texts"),
        ("a.txt", b"fine\nbad \xff\n", "a.txt, line 2: not UTF-8"),
        ("a.pdf", b"text", "unknown format '.pdf'"),
        ("a.txt.gz", b"not zipped", "a.txt.gz: not a whole gzip file"),
        ("a.jsonl", b'{"text": "a"}\n{"text"\n', "a.jsonl, line 2: not JSON"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_value_error(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        build(tmp_path / name)


def test_save_writes_what_the_tokenizer_reads(tmp_path, corpus):
    report = build(corpus)
    path = tmp_path / "new folder" / "vocabulary.txt"
    report.save(path)
    report.save(path)  # replaces it
    assert [entry.name for entry in path.parent.iterdir()] == ["vocabulary.txt"]
    assert WordTokenizer(path).get_vocabulary() == report.words


def test_the_bar_is_shown_on_request_alone(corpus, capfd):
    build(corpus)
    assert "Vocabulary" not in capfd.readouterr().err
    build_vocabulary(corpus, 100)
    assert "Vocabulary: 3 lines" in capfd.readouterr().err


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.text(max_size=30).map(lambda t: "x" + t), min_size=1, max_size=8),
    st.integers(5, 12),
)
def test_counts_are_those_of_plain_python(tmp_path, texts, size):
    path = Path(tmp_path) / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    report = build(path, size)
    ordered = sorted(counted(texts).items(), key=lambda item: (-item[1], item[0]))
    kept = ordered[: size - 4]
    assert list(zip(report.words[4:], report.counts[4:], strict=True)) == kept


def test_real_tweets_have_the_rate_of_a_plain_count(shared_data, tmp_path):
    with open(shared_data / "tweets" / "validation.txt", "rb") as file:
        lines = [next(file) for _ in range(3000)]
    path = tmp_path / "sample.txt.gz"
    path.write_bytes(gzip.compress(b"".join(lines)))
    report = build(path, size=2000)
    counts = counted([line.rstrip(b"\n") for line in lines if line.strip()])
    inside = sum(counts[word] for word in report.words)
    assert report.tokens == counts.total()
    assert report.out_of_vocabulary_rate == pytest.approx(1 - inside / counts.total())
    assert 0.01 < report.out_of_vocabulary_rate < 0.4
