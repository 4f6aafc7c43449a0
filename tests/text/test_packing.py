"""Rows of tokens: begun by documents, filled to the end, the same after a restart."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.errors import LabError
from llmlab.text.packing import Batches, cut, fill_rows, load_corpus, prepare
from llmlab.text.tokenizer import Tokenizer

WORDS = "the goat crossed by ferry in autumn with a lamp and some oil, said Maren\n".split(" ")


def some_pages(count: int = 120, seed: int = 0) -> list[SimpleNamespace]:
    draw = np.random.default_rng(seed)
    return [
        SimpleNamespace(
            id=1000 + i,
            kind="letter" if i % 3 else "poem",
            text=" ".join(draw.choice(WORDS, draw.integers(3, 90))),
            split=["train", "train", "train", "valid", "live"][i % 5],
        )
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def pages():
    return some_pages()


@pytest.fixture(scope="module")
def corpus(pages, tmp_path_factory):
    tokenizer = Tokenizer.train([page.text for page in pages], 300)
    return prepare(pages, tokenizer, tmp_path_factory.mktemp("corpus") / "c", longest=64)


def test_every_page_is_there_once_and_only_in_its_split(corpus, pages):
    for name in ("train", "valid"):
        file = getattr(corpus, name)
        for page in pages:
            mine = [file.document(d) for d in np.flatnonzero(file.page == page.id)]
            assert all(ids[0] == corpus.tokenizer.bos for ids in mine)
            text = corpus.tokenizer.decode(token for ids in mine for token in ids[1:].tolist())
            assert text == (page.text if page.split == name else "")


def test_bytes_are_those_of_the_text(corpus, pages):
    for page in pages:
        if page.split == "train":
            here = corpus.train.page == page.id
            assert corpus.train.n_bytes[here].sum() == len(page.text.encode())
            assert {corpus.train.kinds[k] for k in corpus.train.kind[here]} == {page.kind}


def test_no_document_is_longer_than_asked(corpus):
    assert np.diff(corpus.train.start).max() <= 64


def test_every_row_begins_with_a_document(corpus):
    batches = Batches(corpus.train, rows=4, width=48, seed=3)
    for t in range(40):
        assert (batches[t][:, 0] == corpus.tokenizer.bos).all()


def test_rows_hold_documents_of_the_corpus_and_nothing_else(corpus):
    known = {tuple(corpus.train.document(d).tolist()) for d in range(len(corpus.train))}
    for row in Batches(corpus.train, rows=8, width=100, seed=1)[2]:
        begins = [*np.flatnonzero(row == corpus.tokenizer.bos).tolist(), len(row)]
        documents = [tuple(row[a:b].tolist()) for a, b in pairwise(begins)]
        assert set(documents[:-1]) <= known
        assert any(document[: len(documents[-1])] == documents[-1] for document in known)


def test_a_batch_depends_on_seed_and_number_only(corpus):
    in_order = Batches(corpus.train, rows=4, width=48, seed=3)
    seen = [in_order[t] for t in range(60)]  # several epochs
    for t in (59, 0, 31, 58):
        assert (Batches(corpus.train, rows=4, width=48, seed=3)[t] == seen[t]).all()
        assert (in_order[t] == seen[t]).all()
    assert not (Batches(corpus.train, rows=4, width=48, seed=4)[0] == seen[0]).all()


def test_epochs_differ(corpus):
    batches = Batches(corpus.train, rows=1, width=48, seed=3)
    batches[0]
    epoch = batches.plans[1]
    assert not (batches[0] == batches[epoch]).all()


@given(st.lists(st.integers(1, 20), max_size=150), st.integers(20, 40))
def test_each_document_comes_whole_exactly_once(lengths, width):
    whole = []
    for row in fill_rows(list(range(len(lengths))), lengths, width):
        ends = np.cumsum([lengths[document] for document in row])
        assert ends[-1] >= width  # full
        assert ends[-2:-1].sum() < width  # and only the last document is cut
        whole += [document for document, end in zip(row, ends, strict=True) if end <= width]
    assert set(whole) == set(range(len(lengths)))


@pytest.mark.parametrize("lengths", [(20, 300), (2, 513), (100, 200)])
def test_little_is_shown_twice(lengths):
    lengths = np.random.default_rng(0).integers(*lengths, 5000).tolist()
    rows = sum(1 for _ in fill_rows(list(range(5000)), lengths, 513))
    assert sum(lengths) / (513 * rows) > 0.93


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(2, 12))
def test_cut_loses_nothing(ids, longest):
    pieces = list(cut(ids, longest, frozenset({0})))
    assert [token for piece in pieces for token in piece] == ids
    assert all(len(piece) <= longest for piece in pieces)


def test_cut_prefers_a_line_end():
    assert next(cut([1, 2, 3, 4, 0, 5, 6, 7], 6, frozenset({0}))) == [1, 2, 3, 4, 0]


def test_an_empty_corpus_is_one_sentence_and_leaves_nothing(tmp_path):
    tokenizer = Tokenizer.train(["goat"], 300)
    for pages in ([], [SimpleNamespace(id=1, kind="poem", text="", split="train")]):
        with pytest.raises(LabError, match="empty"):
            prepare(pages, tokenizer, tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_a_corpus_smaller_than_a_row_is_repeated(tmp_path):
    page = SimpleNamespace(id=1, kind="poem", text="the goat crossed", split="train")
    corpus = prepare([page], Tokenizer.train([page.text], 300), tmp_path / "c")
    row = Batches(corpus.train, rows=1, width=50, seed=0)[5][0]
    length = len(corpus.train.tokens)
    assert (row[:length] == row[length : 2 * length]).all()


def test_no_document_for_training_is_one_sentence(corpus):
    with pytest.raises(LabError, match="empty"):
        Batches(replace(corpus.train, kind=corpus.train.kind[:0]), rows=1, width=8, seed=0)


def test_a_truncated_corpus_is_one_sentence(pages, tmp_path):
    tokenizer = Tokenizer.train([page.text for page in pages], 300)
    prepare(pages, tokenizer, tmp_path / "c")
    whole = (tmp_path / "c/train/tokens.bin").read_bytes()
    (tmp_path / "c/train/tokens.bin").write_bytes(whole[:-8])
    with pytest.raises(LabError, match="no whole corpus"):
        load_corpus(tmp_path / "c")


def test_a_file_of_some_documents_holds_just_these(tmp_path):
    pages = [
        SimpleNamespace(id=i, kind="ab"[i % 2], text=f"page {i} " * (i + 1), split="train") for i in range(9)
    ]
    words = Tokenizer.train([page.text for page in pages], 280)
    file = prepare(pages, words, tmp_path / "c", longest=64).train
    part = file.some(np.array([1, 4, 8]))
    assert [part.document(i).tolist() for i in range(len(part))] == [
        file.document(i).tolist() for i in (1, 4, 8)
    ]
    assert part.kind.tolist() == file.kind[[1, 4, 8]].tolist() and part.hash != file.hash
    assert part.bytes_per_token == pytest.approx(part.n_bytes.sum() / len(part.tokens))
