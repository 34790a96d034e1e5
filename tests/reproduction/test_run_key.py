from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.reproduction.run_key import RunKey, finished_runs

KEYS = st.builds(
    RunKey,
    st.sampled_from(["scv2", "imdb_small"]),
    st.sampled_from(["siatl", "p-lm+aux"]),
    st.integers(0, 99),
)
TEXTS = st.builds(RunKey, st.just("scv2"), st.just("bow"), st.just(0), st.integers(2))
GAMMAS = st.builds(
    RunKey,
    st.just("scv2"),
    st.just("siatl"),
    st.just(0),
    st.none(),
    st.floats(0, 1e9, exclude_min=True),
)


@given(st.one_of(KEYS, TEXTS, GAMMAS))
def test_the_folder_says_which_run_it_is(key):
    assert RunKey.from_folder(key.folder) == key


@pytest.mark.parametrize(
    "folder",
    [
        "scv2/siatl/seed-0",
        "scv2/all-texts/siatl/seed-0/model",
        "scv2/some-texts/siatl/seed-0",
        "scv2/texts-/siatl/seed-0",
        "scv2/all-texts/siatl/0",
    ],
)
def test_another_folder_is_no_run(folder):
    assert RunKey.from_folder(PurePosixPath(folder)) is None


def test_a_run_has_finished_once_it_has_metrics(tmp_path):
    done, stopped = RunKey("scv2", "siatl", 0), RunKey("scv2", "siatl", 1)
    for key in (done, stopped):
        (tmp_path / key.folder).mkdir(parents=True)
    (tmp_path / done.folder / "metrics.json").write_text("{}")
    (tmp_path / stopped.folder / "flags.txt").write_text("")
    elsewhere = tmp_path / "my" / "own" / "other" / "folder"
    elsewhere.mkdir(parents=True)
    (elsewhere / "metrics.json").write_text("{}")
    assert finished_runs(tmp_path) == [done]
