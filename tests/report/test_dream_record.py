"""The recording of lesson 05: made small here, and what is read back is what was measured."""

import json

import numpy as np
import pytest

from llmlab.errors import LabError
from llmlab.measure import chance
from llmlab.measure.dreams import trace
from llmlab.measure.exam import pages_per_fact
from llmlab.pipeline import finish
from llmlab.report import dream_record, dreams
from llmlab.report.dream_record import load, name_of, record
from llmlab.report.figures import Evidence, of_exposure, of_numbers

SMALL = {"EACH": 1, "TEMPERATURES": (0.5, 1.0), "CHANCE_TOKENS": 1_500, "LENGTH": 40, "SPREAD": (0.0, 0.5)}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence("course", size="small", quick=True)


@pytest.fixture(scope="module")
def recording(evidence, tmp_path_factory):
    folder = tmp_path_factory.mktemp("assets")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(dreams, name, value)
        patch.setattr(dream_record, "assets", lambda: folder)
        patch.setattr(dream_record, "SEEDS", (1,))
        patch.setattr(dream_record, "HEATS", (0.5,))
        path = finish(record(evidence))
        assert json.loads(path.read_text(encoding="utf-8"))["model"] == name_of(evidence.checkpoint)
        yield load(evidence.checkpoint.tokenizer)


def test_a_recorded_dream_is_its_trace(evidence, recording):
    assert recording.is_of(evidence.checkpoint)
    assert len(recording.dreams) == 7  # two kinds about three things each, and code
    riddle = {(dream_record.RIDDLE, about): dream for about, dream in recording.riddle.items()}
    assert len(riddle) == 3
    for (kind, *_), dream in (recording.dreams | riddle).items():
        checker = evidence.sources[1] if kind in dreams.ABOUT else None
        again = trace(dream.trace.ids, evidence.checkpoint.tokenizer, evidence.sources[0], checker)
        assert again.tokens == dream.trace.tokens and again.verdicts == dream.trace.verdicts
        assert again.claims == dream.trace.claims
        assert np.array_equal(again.match, dream.trace.match)


def test_recorded_pages_hold_the_runs(evidence, recording):
    texts = {page.id: page.text for page in evidence.corpus.documents()}
    words, seen = evidence.checkpoint.tokenizer, 0
    for dream in recording.dreams.values():
        for (first, length), (n, (source,)) in dream.pages.items():
            assert source.said == words.decode(dream.trace.ids[first : first + length])
            whole = source.before.removeprefix("… ") + source.said + source.after.removesuffix(" …")
            assert n >= 1 and (whole in texts[source.page] or "\ufffd" in whole)
            seen += 1
    assert seen > 20


def test_a_thing_that_does_not_exist_is_on_no_page(evidence, recording):
    for kind in dreams.ABOUT:
        names = dreams.subjects(evidence.world, kind)
        assert evidence.world.named(names[dreams.NOBODY]) is None
        assert recording.about[kind][names[dreams.NOBODY]] == 0
        assert recording.about[kind][names[dreams.FAMOUS]] >= recording.about[kind][names[dreams.RARE]]


def test_tallies_count_all_dreams(recording):
    assert [(t["kind"], t["heat"]) for t in recording.tallies] == [
        (k, t) for t in (0.5, 1.0) for k in dreams.KINDS
    ]
    assert all(t["dreams"] == 2 for t in recording.tallies)
    assert all(
        not t["verdicts"] or not any(t["verdicts"].values())
        for t in recording.tallies
        if t["kind"] == "python"
    )


def test_copied_begins_where_the_other_world_ends(recording):
    for kind in dreams.KINDS:
        shares = chance.reached(recording.chance[kind]["another world"])
        least = recording.least(kind)
        assert shares[least - 1] > chance.RARE and (least >= len(shares) or shares[least] <= chance.RARE)
        assert chance.threshold(recording.chance[kind]["shuffled"]) < least


def test_mothers_are_the_most_the_half_and_the_least_read(evidence, recording):
    counts = pages_per_fact(evidence.pages)
    assert all(counts[fact] == pages for fact, pages in recording.mothers)
    assert all(evidence.world.facts[fact].attribute == "mother" for fact, _ in recording.mothers)
    most, half, least = (pages for _, pages in recording.mothers)
    assert most >= half >= least == 1


def test_the_rows_count_what_the_recording_shows(evidence, recording):
    rows = {row.id: row for row in [*of_numbers(evidence), *of_exposure(evidence)]}
    assert rows["dreams.isbn_valid_and_real"].value <= rows["dreams.isbn_in_catalogue"].value
    assert rows["dreams.isbn_in_catalogue"].value <= rows["dreams.isbn_form"].value
    groups = [row for id, row in rows.items() if id.startswith("exam.exposure.")]
    assert len(groups) == len(recording.exam)
    often = [row for row in groups if int(row.id.rsplit(".")[-1]) >= 50]
    assert rows["exam.exposure_50"].n == sum(row.n for row in often)


def test_python_is_read_and_never_run():
    for text in (
        "def f(x):\n    return x\n",
        "raise SystemExit\n",
        "def f(\n",
        'x = """three\n',
        "x = [1,\n 2\n",
    ):
        assert dreams.parses(text)
    assert dreams.parses("x = 1\nnever finis")  # a line that was not finished does not count
    for text in ("x = = 1\n", "a\0b\n", "def f():\nreturn\n", ")\n"):
        assert not dreams.parses(text)


def test_what_is_no_recording_is_refused_in_a_sentence(monkeypatch, tmp_path):
    words = object()
    monkeypatch.setattr(dream_record, "assets", lambda: tmp_path)
    with pytest.raises(LabError, match="llmlab record dreams"):
        load(words)
    file = tmp_path / dream_record.FILE
    file.parent.mkdir()
    for content in ("", "[]", '{"model": "x"}'):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(LabError, match="no whole recording"):
            dream_record._load(file, 0, object())
