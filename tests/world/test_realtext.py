"""Other people's text beside the world: a folder of files, a data set; what is wrong with it is a sentence."""

import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmlab.errors import LabError
from llmlab.world import realtext
from llmlab.world.realtext import PIECE, folder_text, hub_text, numbered


def test_a_folder_is_read_in_pieces_and_nothing_is_lost(tmp_path: Path):
    long = "".join(f"Line {i} of a long story.\n" for i in range(400))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "long.txt").write_text(long, encoding="utf-8")
    (tmp_path / "short.md").write_text("Ελλάδα", encoding="utf-8")
    found = list(folder_text(tmp_path))
    assert "".join(d.text for d in found if d.title == "deep/long.txt") == long
    assert [d.text for d in found if d.title == "short.md"] == ["Ελλάδα"]
    assert len(found) > 3 and all(len(d.text) <= 2 * PIECE + 100 for d in found)
    splits = [d.split for d in numbered(iter(found * 10))]
    assert splits.count("valid") == len(range(11, len(splits), realtext.HELD_OUT_EVERY))


def test_what_is_no_text_or_hidden_is_left_out(tmp_path: Path):
    (tmp_path / "picture.png").write_bytes(bytes(range(256)))
    (tmp_path / "zeros.txt").write_bytes(b"a\0b")
    (tmp_path / "blank.txt").write_text(" \n\n", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    with pytest.raises(LabError, match="No readable text"):
        list(folder_text(tmp_path))
    (tmp_path / "a.txt").write_text("The ferry waits.\n", encoding="utf-8")
    assert [d.title for d in folder_text(tmp_path)] == ["a.txt"]


def test_no_folder_is_a_sentence(tmp_path: Path):
    with pytest.raises(LabError, match="There is no folder"):
        list(folder_text(tmp_path / "none"))


class DatasetsError(Exception):
    pass


@pytest.fixture
def hub(monkeypatch) -> SimpleNamespace:
    """The package `datasets`, as far as it is used; `rows` is what the data set holds."""
    module = SimpleNamespace(rows=iter(()), exceptions=SimpleNamespace(DatasetsError=DatasetsError))

    def load_dataset(name: str, split: str, streaming: bool) -> Iterator[dict]:
        assert split == "train" and streaming  # the whole of it may be larger than the disk
        if name == "nobody/nothing":
            raise FileNotFoundError(f"Dataset {name!r} doesn't exist on the Hub\nand more")
        return module.rows

    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


def test_a_data_set_is_read_up_to_the_number_that_was_asked(hub):
    hub.rows = ({"text": text} for text in chain(["one", None, "  ", "four"], repeat("more")))
    assert [(d.title, d.text) for d in hub_text("a/b", "text", 5)] == [
        ("a/b/0", "one"), ("a/b/3", "four"), ("a/b/4", "more"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows", "said"),
    [
        ("nobody/nothing", [], "doesn't exist"),
        ("a/b", [{"story": "x", "id": 1}], "it has story, id. Choose one with --column"),
        ("a/b", [{"text": None}], "holds no text"),
        ("a/b", [], "holds no text"),
    ],
)
def test_a_data_set_that_cannot_be_read_is_a_sentence(hub, name: str, rows: list, said: str):
    hub.rows = iter(rows)
    with pytest.raises(LabError, match=said) as error:
        list(hub_text(name, "text", 10))
    assert "\n" not in str(error.value)


def test_a_stream_that_breaks_off_is_a_sentence(hub):
    def broken() -> Iterator[dict]:
        yield {"text": "one"}
        raise DatasetsError("the connection was lost")

    hub.rows = broken()
    with pytest.raises(LabError, match="connection was lost"):
        list(hub_text("a/b", "text", 10))


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(LabError, match=r"llmlab\[hub\]"):
        list(hub_text("a/b", "text", 10))
