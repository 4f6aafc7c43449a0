"""The exports in transformers and llama.cpp, where they are installed: the same tokens and greedy text as torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from llmlab.errors import LabError
from llmlab.report import exports
from llmlab.report.figures import of_the_exports
from tests.report.test_run_c import lively

PACKAGES = {"hf": "transformers", "gguf": "llama_cpp"}
PROMPTS = ["", "the ferry", "fog ", "Zürich 東京 1984", "<|end|>", "it's\n\n the  fog"]


def library(checkpoint) -> SimpleNamespace:
    pages = [
        SimpleNamespace(kind="news", split="valid", text=f"{letter} ferry waits for fog")
        for letter in "abcde"
    ]
    return SimpleNamespace(checkpoint=checkpoint, documents=pages, quick=True, seed=3)


@pytest.mark.parametrize("to", exports.READERS)
def test_another_program_says_the_same_and_another_network_does_not(to: str, tmp_path):
    for package in {PACKAGES[to], *(("gguf",) if to == "gguf" else ())}:
        pytest.importorskip(package, reason=f"the package {package} is not installed")
    made, other = lively(1), lively(2)
    assert exports.same_texts(to, exports.READERS[to], made, PROMPTS) == len(PROMPTS)
    with exports.READERS[to](exports.export(to, tmp_path, made, "fp32")) as speak:
        assert not any(exports.continues_as_torch(other, prompt, speak(prompt)) for prompt in PROMPTS)


def test_a_reader_that_errs_is_counted(monkeypatch):
    """A program that gives one token more than it should, on one prompt of five."""
    made = lively(1)

    @contextmanager
    def wrong(_) -> Iterator[exports.Continue]:
        def speak(prompt: str) -> list[int]:
            ids = [made.tokenizer.bos, *made.tokenizer.encode(prompt)]
            start = len(ids)
            while len(ids) < start + exports.NEW:
                ids.append(int(made.model(exports.torch.tensor([ids]))[0, -1].argmax()))
            return [*ids, ids[-1]] if prompt.startswith("c") else ids

        yield speak

    monkeypatch.setattr(exports, "READERS", {"hf": wrong})
    (row,) = of_the_exports(library(made))
    assert (row.id, row.value, row.n, row.goal) == ("export.hf_same_text", 0.8, 5, "1")


def test_without_the_packages_the_rows_are_left_out_and_a_line_says_so(monkeypatch, capsys):
    def missing(name: str):
        raise ImportError(name)

    monkeypatch.setattr(exports, "import_module", missing)
    monkeypatch.setattr("llmlab.model.export.import_module", missing)
    assert list(of_the_exports(library(lively(1)))) == []
    out, said = capsys.readouterr()
    assert out == "" and said.count("\n") == 2
    assert all(word in said for word in ("export.hf_same_text", "export.gguf_same_text", "pip install"))


def test_a_missing_package_is_named():
    with pytest.raises(LabError, match="no_such_package"):
        exports.needed("no_such_package", "it")
