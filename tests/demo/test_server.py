"""The page on which classifiers are tried, in a real browser and over real HTTP."""

import http.client
import json
import threading

import pytest

from rigs.browser import Window
from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.demo import Answering, DemoServer
from siatl_keras.demo.answering import MOST_CHARACTERS, MOST_TEXTS
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor

HOSTILE = "<img src=x onerror=alert(1)> w1"


def classifiers():
    plain = tiny_classifier()
    mean = tiny_classifier(pooling="mean")
    return {"<b>attentive</b>": plain, "mean": mean}


@pytest.fixture(scope="module")
def served():
    with DemoServer(Answering(classifiers())) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def request(server, method, path, body=None, **headers):
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode("utf-8"), answer.headers


def ask(server, texts):
    body = json.dumps({"texts": texts})
    status, text, _ = request(
        server, "POST", "/answers", body, Content_Type="application/json"
    )
    return status, json.loads(text)


# === In a browser ===


@pytest.mark.parametrize("width", [360, 1280])
def test_one_types_texts_and_sees_what_all_models_say(served, width):
    with Window(served.url, width) as window:
        window.wait("document.getElementById('about').textContent")
        assert "<b>attentive</b>, mean" in window.value("document.body.innerText")
        lines = json.dumps(f"w1 w2 w3\n\n{HOSTILE}")
        window.value(f"document.getElementById('texts').value = {lines}")
        window.value("document.getElementById('submit').click()")
        window.wait("document.querySelectorAll('article').length == 4")
        texts = window.value(
            "[...document.querySelectorAll('h2')].map((each) => each.innerText)"
        )
        assert texts == ["w1 w2 w3", HOSTILE]
        assert window.value("document.querySelectorAll('img').length") == 0
        # Of three classes each; the mean has no weights to be shown.
        assert window.value("document.querySelectorAll('meter').length") == 12
        assert window.value("document.querySelectorAll('.tokens').length") == 2
        tokens = window.value(
            "[...document.querySelector('.tokens').children].map((e) => e.innerText)"
        )
        assert tokens == ["<s>", "w1", "w2", "w3", "</s>"]
        assert window.value("document.documentElement.scrollWidth") <= width
        assert window.console == []


def test_a_file_comes_back_labelled(served, tmp_path):
    texts = tiny_texts(150)[0]
    path = tmp_path / "my texts.csv"
    path.write_text("text,id\n" + "".join(f"{text},1\n" for text in texts), "utf-8")
    with Window(served.url) as window:
        window.choose_file("#file", path)
        window.wait("!document.getElementById('download').hidden")
        (tmp_path / "saved").mkdir()
        saved = window.downloaded("#download", tmp_path / "saved")
        assert saved.name == "my texts.labelled.tsv"
        rows = saved.read_text("utf-8").splitlines()
        assert window.console == []
    assert rows[0] == "text\tlabel\t0\t1\t2"
    assert [row.split("\t")[0] for row in rows[1:]] == texts
    expected = served.answering.models["<b>attentive</b>"].predict_labels(
        texts, verbose=0
    )
    assert [row.split("\t")[1] for row in rows[1:]] == expected


def test_what_is_wrong_is_said_on_the_page(served, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG")
    with Window(served.url) as window:
        window.choose_file("#file", path)
        message = window.wait("document.querySelector('#message.error')?.textContent")
        assert message.startswith("picture.png: unknown format '.png'")
        window.value("document.getElementById('submit').click()")
        window.wait("document.body.innerText.includes('Send a list of 1 to 64 texts')")


# === Over HTTP ===


def test_answers_are_those_of_the_models(served):
    status, rows = ask(served, ["w1 w2", HOSTILE])
    assert status == 200 and [row["text"] for row in rows] == ["w1 w2", HOSTILE]
    for name, model in served.answering.models.items():
        expected = model.task.answer_rows(model.predict(["w1 w2"], verbose=0))[0]
        (found,) = [one for one in rows[0]["answers"] if one["model"] == name]
        assert found["label"] == expected["label"]
        assert found["probabilities"] == expected["probabilities"]
    attentive, mean = rows[0]["answers"]
    assert sum(attentive["weights"]) == pytest.approx(1) and "weights" not in mean


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["w1"] * (MOST_TEXTS + 1), "1 to 64 texts"),
        ([], "1 to 64 texts"),
        ("w1", "1 to 64 texts"),
        ([1], "must be a string"),
        (["w" * (MOST_CHARACTERS + 1)], "characters at most"),
        (["\ud800"], "half of a character"),
    ],
)
def test_what_is_no_text_is_refused_in_words(served, texts, message):
    status, answer = ask(served, texts)
    assert status == 400 and message in answer["error"]


@pytest.mark.parametrize("body", ["[1]", "{", '{"texts": null}', "[" * 100_000])
def test_what_is_no_question_is_refused(served, body):
    kind = {"Content_Type": "application/json"}
    status, text, _ = request(served, "POST", "/answers", body, **kind)
    assert status == 400 and "error" in json.loads(text)


def test_other_sites_get_nothing(served):
    status, text, _ = request(served, "GET", "/about", Host="evil.example")
    assert status == 403 and "models" not in json.loads(text)
    assert request(served, "POST", "/answers", "texts=a")[0] == 415
    assert request(served, "GET", "/../server.py")[0] == 404
    status, page, headers = request(served, "GET", "/")
    assert status == 200 and "<form" in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers


def test_what_is_too_much_is_not_read(served):
    kind = {"Content_Type": "application/octet-stream", "Content_Length": str(2**30)}
    status, text, _ = request(served, "POST", "/file?name=a.csv", b"", **kind)
    assert status == 413 and "32 MiB at most" in json.loads(text)["error"]


def test_a_path_of_the_sender_s_is_never_used(served, tmp_path):
    kind = {"Content_Type": "application/octet-stream"}
    path = f"/file?name={tmp_path}/evil.txt"
    status, text, _ = request(served, "POST", path, b"w1\n", **kind)
    assert status == 200 and text.splitlines()[1].startswith("w1\t")
    assert list(tmp_path.iterdir()) == []


def pairs_model():
    tiny = tiny_classifier()
    preprocessor = SiATLPreprocessor(tiny.preprocessor.tokenizer, 12, pairs=True)
    return SiATLClassifier(
        tiny.backbone, num_classes=2, preprocessor=preprocessor, units=5
    )


def test_pairs_have_two_texts(tmp_path):
    with DemoServer(Answering({"pairs": pairs_model()})) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            assert ask(server, [["w1", "w2"]])[0] == 200
            assert ask(server, ["w1"])[0] == 400
            with Window(server.url) as window:
                window.wait("!document.getElementById('seconds').hidden")
                for name, text in (("texts", "w1"), ("seconds", "w2 w3")):
                    window.value(f"document.getElementById('{name}').value = '{text}'")
                window.value("document.getElementById('submit').click()")
                window.wait("document.querySelectorAll('article').length == 1")
                assert window.value("document.querySelector('h2').innerText") == (
                    "w1\nw2 w3"
                )
                path = tmp_path / "pairs.csv"
                path.write_text("text,text_pair\nw1,w2\n", "utf-8")
                window.choose_file("#file", path)
                window.wait("!document.getElementById('download').hidden")
        finally:
            server.shutdown()


def test_models_side_by_side_are_asked_the_same():
    with pytest.raises(ValueError, match="must all take single texts, or all pairs"):
        Answering({"pairs": pairs_model(), "single": tiny_classifier()})
    with pytest.raises(ValueError, match="must all take"):
        Answering({})
