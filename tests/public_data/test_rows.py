"""What is made of the sources, on small ones in the same format, by hand."""

import io
import json
import pickle
import random
import tarfile

import pytest

from recipes.public_data import (
    clinc150_10shot,
    goemotions_small,
    imdb,
    msrp_pairs,
    scv2,
    sent17,
    sentences,
    snips,
)


def reader(files):
    return lambda path: files[path]


def test_scv2_takes_the_file_s_own_splits():
    corpus = {
        "texts": ["zero \n", "one", "two\nlines"],
        "info": [{"label": 1}, {"label": 0}, {"label": 1}],
        "train_ind": [2, 0],
        "val_ind": [1],
        "test_ind": [0],
    }
    files = {"data/SCv2-GEN/raw.pickle": pickle.dumps(corpus)}
    assert scv2.rows(reader(files)) == {
        "train": [("two lines", "sarcastic"), ("zero", "sarcastic")],
        "validation": [("one", "not_sarcastic")],
        "test": [("zero", "sarcastic")],
    }


def test_a_pickle_that_imports_something_is_refused():
    files = {"data/SCv2-GEN/raw.pickle": pickle.dumps({"texts": print})}
    with pytest.raises(pickle.UnpicklingError, match="builtins.print"):
        scv2.rows(reader(files))


def test_snips_joins_parts_and_reads_bytes_that_are_no_utf_8():
    files = {}
    for intent in snips.INTENTS:
        folder = f"{snips.FOLDER}/{intent}"
        parts = [{"text": "play\t"}, {"text": "caf\u00e9 X"}]
        texts = [{"data": parts}, *({"data": [{"text": f"{i}"}]} for i in range(19))]
        content = json.dumps({intent: texts}, ensure_ascii=False).encode()
        files[f"{folder}/train_{intent}_full.json"] = content.replace(b"X", b"\x92\xed")
        official = json.dumps({intent: [{"data": [{"text": "so\nlate"}]}]})
        files[f"{folder}/validate_{intent}.json"] = official.encode()
    splits = snips.rows(reader(files))
    assert [len(splits[name]) for name in ("train", "validation", "test")] == [
        *(19 * 7, 7, 7)
    ]
    assert splits["test"] == [("so late", intent) for intent in snips.INTENTS]
    learned = [*splits["train"], *splits["validation"]]
    assert ("play caf\u00e9 \u2019\u00ed", "PlayMusic") in learned
    assert len({*learned}) == len(learned)


def test_sent17_merges_by_number_and_holds_a_tenth_of_each_class_out():
    files = {
        f"{sent17.FOLDER}/train/twitter-{name}-A.tsv": b""
        for name in sent17.TRAIN_FILES
    }
    first, second, *rest = files
    labels = ("negative", "neutral", "positive")
    numbers = range(60)
    lines = [f"{n}\t{labels[n % 3]}\ttext {n}" for n in numbers]
    files[first] = "\n".join(lines).encode() + b"\n"
    for other in (second, *rest):
        files[other] = b"7\tpositive\tlater &amp; \\u002cbetter\n"
    files[f"{sent17.FOLDER}/test/SemEval2017-task4-test.subtask-A.english.txt"] = (
        b'1\tneutral\t"it\'s ""quoted"""\t\n2\tneutral\tx  y\n'
    )
    splits = sent17.rows(reader(files))
    assert splits["test"] == [('it\'s "quoted"', "neutral"), ("x y", "neutral")]
    assert len(splits["train"]) == 54
    of_each = [label for _, label in splits["validation"]]
    assert sorted(of_each) == ["negative"] * 2 + ["neutral"] * 2 + ["positive"] * 2
    merged = sorted([*splits["train"], *splits["validation"]])
    expected = [(f"text {n}", labels[n % 3]) for n in numbers if n != 7]
    assert merged == sorted([*expected, ("later & ,better", "positive")])


def test_goemotions_names_the_labels_and_draws_the_counts():
    folder = goemotions_small.FOLDER
    lines = "".join(f"text {n} \t{n % 2},2\tid{n}\n" for n in range(2100))
    files = {
        f"{folder}/{name}.tsv": lines.encode() for name in ("train", "dev", "test")
    }
    files[f"{folder}/labels.txt"] = b"joy\nanger\nnone\n"
    splits = goemotions_small.rows(reader(files))
    assert {name: len(rows) for name, rows in splits.items()} == {
        "train": 2000,
        "validation": 400,
        "test": 2000,
    }
    for rows in splits.values():
        for text, labels in rows:
            number = int(text.removeprefix("text "))
            assert labels == ("joy,none", "anger,none")[number % 2]
    assert splits["train"] != splits["test"]


def test_msrp_labels_the_pairs_and_keeps_the_test_s_order():
    head = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    lines = "".join(f"{n % 2}\t1\t2\ta{n} \tb{n}\n" for n in range(5))
    names = ("train", "val", "test")
    files = {
        f"{msrp_pairs.FOLDER}/msr-para-{name}.tsv": (head + lines).encode()
        for name in names
    }
    splits = msrp_pairs.rows(reader(files))
    labels = ("other", "paraphrase")
    expected = [(f"a{n}", f"b{n}", labels[n % 2]) for n in range(5)]
    assert splits["test"] == expected
    assert sorted(splits["train"]) == sorted(splits["validation"]) == expected


@pytest.mark.parametrize(
    ("rows", "path"),
    [(sentences.cr, "data/custrev.all"), (sentences.subj, "data/subj.all")],
)
def test_sentences_are_drawn_without_repeated_ones(rows, path):
    lines = [f"{n % 2} sentence {n % 3000} \u00e9" for n in range(3500)]
    splits = rows(reader({path: "\n".join(lines).encode("latin-1")}))
    assert [len(rows) for rows in splits.values()] == [800, 100, 2000]
    drawn = [row for rows in splits.values() for row in rows]
    assert len({text for text, _ in drawn}) == 2900
    for text, label in drawn:
        number = int(text.split()[1])
        assert text == f"sentence {number} \u00e9" and label == f"c{number % 2}"


def test_clinc_draws_of_each_intent():
    def texts(part, count):
        intents = [f"intent_{n:03}" for n in range(150)]
        return [[f"{part} {n} {i}", i] for n in range(count) for i in intents]

    corpus = {name: texts(name, n) for name, n in (("train", 12), ("val", 3))}
    corpus |= {"test": texts("test", 2), "oos_test": [["what", "oos"]]}
    files = {"data/data_full.json": json.dumps(corpus).encode()}
    splits = clinc150_10shot.rows(reader(files))
    for name, part, count in (("train", "train", 10), ("validation", "val", 2)):
        rows = splits[name]
        assert len({text for text, _ in rows}) == len(rows) == 150 * count
        assert all(
            text.startswith(part) and text.endswith(label) for text, label in rows
        )
        assert {label for _, label in rows} == {label for _, label in corpus["train"]}
    assert len(splits["test"]) == 150
    assert splits["out_of_scope"] == [["what", "oos"]]


def archive(reviews):
    """A .tar.gz of reviews, in any order, with files between that are none."""
    content = io.BytesIO()
    names = [*reviews, "aclImdb/README", "aclImdb/train/unsup/0_0.txt"]
    random.Random(0).shuffle(names)
    with tarfile.open(fileobj=content, mode="w:gz") as files:
        for name in names:
            text = reviews.get(name, "none").encode()
            member = tarfile.TarInfo(name)
            member.size = len(text)
            files.addfile(member, io.BytesIO(text))
    return reader({imdb.ARCHIVE: content.getvalue()})


def test_imdb_small_is_the_reviews_of_its_list():
    lines = imdb.CHOSEN.read_text().splitlines()
    folders = {"train": "train", "validation": "train", "test": "test"}
    reviews = {}
    for line in lines:
        split, side, name = line.split("/")
        path = f"aclImdb/{folders[split]}/{side}/{name}.txt"
        reviews[path] = f" {side}\u0085{name}<br /> "
    splits = imdb.small(archive(reviews))
    assert [len(rows) for rows in splits.values()] == [2000, 500, 4000]
    labels = {"neg": "negative", "pos": "positive"}
    rows = [row for split in splits.values() for row in split]
    for line, (text, label) in zip(lines, rows, strict=True):
        _, side, name = line.split("/")
        assert text == f"{side} {name}<br />" and label == labels[side]


def test_imdb_stars_have_the_stars_of_the_name():
    text = "{} {}<br /><br />!"
    reviews = {
        f"aclImdb/{folder}/{side}/{number}_{stars}.txt": text.format(folder, stars)
        for folder in ("train", "test")
        for side, stars in (("neg", 2), ("pos", 10))
        for number in range(900)
    }
    splits = imdb.stars(archive(reviews))
    assert [len(rows) for rows in splits.values()] == [1200, 200, 1500]
    for split, folder in (("train", "train"), ("validation", "train"), ("test",) * 2):
        assert all(text == f"{folder} {stars} !" for text, stars in splits[split])
        assert {stars for _, stars in splits[split]} == {"2", "10"}
