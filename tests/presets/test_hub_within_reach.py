"""Without a network a preset of the hub is refused within seconds, in words."""

import socket

import pytest

from siatl_keras.presets import hub_within_reach
from siatl_keras.presets.hub_within_reach import check_hub_within_reach

PRESET = "hf://someone/some-model-that-nobody-has"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_an_endpoint_that_refuses_is_named_with_a_way_out(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    with pytest.raises(
        ValueError, match=r"127\.0\.0\.1 cannot be reached.*hf download"
    ):
        check_hub_within_reach(PRESET)


def test_one_that_never_answers_is_not_waited_for(monkeypatch):
    def never(*_):
        import time

        time.sleep(3)

    monkeypatch.setattr(hub_within_reach, "SECONDS", 0.2)
    monkeypatch.setattr(socket, "create_connection", never)
    with pytest.raises(ValueError, match="cannot be reached"):
        check_hub_within_reach(PRESET)


def test_one_that_answers_and_other_handles_pass(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
        check_hub_within_reach(PRESET)
    check_hub_within_reach("gpt2_base_en")
    check_hub_within_reach("kaggle://keras/gpt2/keras/gpt2_base_en")


def test_a_proxy_is_left_to_find_the_way(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    check_hub_within_reach(PRESET)
