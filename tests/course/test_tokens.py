"""Lesson 03: what it shows is what the vocabulary and the model give, and its exercises know right from wrong."""

import inspect
import re
from collections import Counter

import numpy as np
import pytest
import torch

from llmlab.course import tokens, tokens_measured
from llmlab.course.tables import table
from llmlab.course.tokens import FIRST, SAID, TYPED, Bet, answer, conversation, kinds_table, learn_from, touch
from llmlab.course.tokens_exercises import LISTS, MISTAKES, QUIZ, REASON, TINY, check_merge, exercises
from llmlab.measure import samples, spelling
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.show.merges import LONGEST, NEVER
from llmlab.show.readings import questions
from llmlab.text import bpe
from llmlab.text.tokenizer import SPECIAL


@pytest.fixture(scope="module")
def course() -> Checkpoint:
    return zoo.load("course")


def cells(html: str) -> list[list[str]]:
    """The rows of a table, as text."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.S) for row in rows]


# ---- the picture ----


def tokens_of(reply, merges: int) -> list[bytes]:
    """The tokens that the widget cuts a text into, from what it is sent."""
    raw, falls = reply[0]["text"].encode(), np.frombuffer(reply[1][0], "<u4")
    cuts = [i + 1 for i, fall in enumerate(falls) if fall == NEVER or fall > merges]
    return [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)] if raw else []


@pytest.mark.parametrize("text", [FIRST, "Ελλάδα 07:45 🌊\n\n  x", "", "\udcff", "a" * 5000])
def test_the_last_place_of_the_slider_is_tiktokens_encoding(course: Checkpoint, text: str):
    words = course.tokenizer
    reply, buffers, error = touch(course)._reply({"kind": "merges", "text": text, "vocabulary": "crawl"})
    assert error == "" and len(reply["text"]) <= LONGEST
    found = tokens_of((reply, buffers), reply["total"])
    assert found == [words.token_bytes(token) for token in words.encode(reply["text"])]
    assert tokens_of((reply, buffers), 0) == [bytes([b]) for b in reply["text"].encode()]


def test_a_text_learned_from_itself_merges_only_what_stands_there_twice():
    learned = learn_from("fog and fog")
    assert learned.counts and min(learned.counts.values()) == 2
    reply = answer({"text": learn_from}, {"text": "fog and fog", "vocabulary": "text"})
    assert tokens_of(reply, reply[0]["total"])[0] == b"fog"
    assert learn_from("abc").merges == [] and learn_from("").merges == []


def test_presets_speak_of_their_own_numbers(course: Checkpoint):
    made = tokens.presets(course.tokenizer)
    for name in ("A diary", "Sums", "Greek"):
        n = len(course.tokenizer.encode(made[name].prompt))
        assert made[name].text.startswith(f"{len(made[name].prompt.encode()):,} bytes in {n:,} tokens")
    assert all(
        preset.look.startswith("Look at") or preset.look.startswith("Look below") for preset in made.values()
    )
    assert all(len(preset.prompt) <= LONGEST for preset in made.values())


# ---- the tables ----


def test_kinds_are_counted_and_the_cheapest_stands_first(course: Checkpoint):
    _, *rows = cells(kinds_table(course.tokenizer))
    assert len(rows) == len(samples.kinds())
    for name, letters, n_bytes, n_tokens, per_token, per_letters in rows:
        text = samples.kinds()[name]
        n = len(b"".join(course.tokenizer.token_bytes(t) for t in course.tokenizer.encode(text)))
        assert (int(letters), int(n_bytes)) == (len(text), n)
        assert float(per_token) == pytest.approx(n / int(n_tokens), abs=0.006)
        assert float(per_letters) == pytest.approx(100 * int(n_tokens) / len(text), abs=0.51)
    prices = [float(row[4]) for row in rows]
    assert prices == sorted(prices, reverse=True)


def test_columns_of_words_begin_on_the_left():
    made = table(("name", "n", "rule"), [("a", "1", "top p"), ("b", "the model's", "none")])
    assert made.count('class="words"') == 2 * 3 - 2  # in the head also over the names; their cells are <th>
    assert '<td class="words">top p</td>' in made and "<td>the model" in made and "<td>1</td>" in made


def test_our_encoding_and_tiktokens_are_the_same(course: Checkpoint):
    _, *rows = cells(tokens.same_table(course.tokenizer))
    assert len(rows) == 3 and all(row[1] == row[2] and row[3] == "yes, all" for row in rows)


def test_the_bet_keeps_its_answer_until_all_four_are_committed(course: Checkpoint):
    bet = Bet(course.tokenizer)
    assert len(bet.options) == 4
    assert "of 4" not in bet.reply({**bet.right, "Greek": None}, True) + bet.reply(bet.right, False)
    assert "4 of 4" in bet.reply(bet.right, True)
    assert "4 of 4" in bet.reply(dict.fromkeys(bet.right, "22"), True)  # committed is committed


def test_typed_words_are_never_special(course: Checkpoint):
    words = course.tokenizer
    for typed in (TYPED, "".join(SPECIAL), " <|bos|> "):
        assert not set(words.encode(typed)) & set(words.special.values())
        assert "<b>0</b>" in tokens.wall_sentence(course, typed)
        shown = conversation(course, typed)
        assert f"4 special tokens around {len(words.encode(typed))} tokens" in shown.data.decode()


# ---- the same letters, other tokens ----


def test_the_first_two_readings_are_torchs(course: Checkpoint):
    widget, words = tokens.readings(course), course.tokenizer
    for reply, sent in zip(widget.first, (widget.first_0, widget.first_1), strict=True):
        assert words.decode(reply["ids"][1:]) == SAID
        with torch.no_grad():
            scores = course.model(torch.tensor([reply["ids"]]))[0, -1].numpy()
        np.testing.assert_allclose(np.frombuffer(sent, "<f4"), scores, atol=1e-3)
    assert [len(reply["ids"]) - 1 for reply in widget.first] == [len(words.encode(SAID)), len(SAID)]


def test_as_many_letters_as_the_picture_takes_fit(course: Checkpoint):
    widget = tokens.readings(course)
    for n, fits in ((widget.room, True), (widget.room + 1, False)):
        _, letters = questions("q" * n, widget.bos)
        _, _, error = widget._reply(letters)
        assert (error == "") == fits


# ---- what is measured ----


def test_spelling_costs_most_at_once(course: Checkpoint):
    whole, bytewise = spelling.surprises(course)
    assert whole.shape == bytewise.shape == (spelling.PAGES, spelling.TAIL)
    gaps = (bytewise - whole).mean(0)
    assert gaps[0] > 2 and gaps[-8:].mean() < gaps[0] / 2
    rows = cells(tokens_measured.surprise_table("course"))[1:]
    assert rows[0][1:3] == [f"{whole[:, 0].mean():.2f} bits", f"{bytewise[:, 0].mean():.2f} bits"]


def test_gain_in_words():
    words = [tokens_measured.gain(right, 300, 600) for right in (300, 310, 350, 450, 590)]
    assert words == ["nothing", "nothing", "a little", "much", "nearly all"]


def test_numbers_of_our_rule_stay_digits_in_the_table():
    rows = cells(tokens_measured.numbers_table())[1:]
    assert [rows[0][-3:], len(rows)] == [["10", "1", "1"], 3]
    for row in rows[1:]:
        assert [cell.replace("·", "") for cell in row[1:3]] == ["1987", "2007"]
        assert [len(part) for part in row[1].split("·")] != [len(part) for part in row[2].split("·")]
        assert all(int(n) > int(first) for n, first in zip(row[-3:], rows[0][-3:], strict=True))


# ---- exercises ----


def exercise(name: str):
    return next(one for one in exercises(zoo.load("course")) if one.id == name)


@pytest.mark.parametrize("name", ["born", "by_hand", "dear", "merge", "swapped"])
def test_every_solution_passes_its_own_check(name: str):
    one = exercise(name)
    assert one.check(one.solution) is None
    assert one.is_blank(one.starter)


def test_born_names_the_likely_mistakes(course: Checkpoint):
    one, words = exercise("born"), course.tokenizer
    word = re.search(r"\*the (\w+)\*", one.question)[1]
    merges, text = words.merges[: int(one.solution)], f" {word}"
    assert len(bpe.encode(text, merges)) == 1 and len(bpe.encode(text, merges[:-1])) == 2
    assert "own number" in one.check(one.solution + 255)
    assert "One more" in one.check(one.solution - 1)
    assert "only" in one.check(10_000)


def test_by_hand_is_what_two_merges_leave():
    one = exercise("by_hand")
    first = Counter(zip(*(TINY[i:] for i in (0, 1)), strict=False)).most_common(1)[0][0]
    once = TINY.replace("".join(first), "#")
    assert one.solution < len(once) < len(TINY)
    assert "after one merge" in one.check(len(once))
    assert "before any merge" in one.check(len(TINY))


def test_dear_wants_many_bytes_in_few_letters():
    one = exercise("dear")
    assert "At most 10" in one.check("a long text in plain letters")
    assert "one byte" in one.check("qxzjvwkq")
    assert "not yet" in one.check("é")
    assert one.check("🌊🌊🌊🌊🌊🌊") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def merge(tokens, pair, new):\n    tokens.count(new)", "return"),
        ("def merge(tokens, pair, new):\n    return tokens", "Nothing was merged"),
        ("def merge(tokens, pair, new):\n    return len(tokens)", "A list"),
        (
            "def merge(tokens, pair, new):\n    out, at = [], 0\n    while at < len(tokens) - 1:\n"
            "        if (tokens[at], tokens[at + 1]) == pair:\n            out.append(new)\n            at += 2\n"
            "        else:\n            out.append(tokens[at])\n            at += 1\n    return out",
            "last token is missing",
        ),
        (
            "def merge(tokens, pair, new):\n    out, at = [], len(tokens) - 1\n    while at >= 0:\n"
            "        if at and (tokens[at - 1], tokens[at]) == pair:\n            out.append(new)\n"
            "            at -= 2\n        else:\n            out.append(tokens[at])\n            at -= 1\n"
            "    return out[::-1]",
            "third one is left over",
        ),
    ],
)
def test_merge_names_the_likely_mistakes(code: str, said: str):
    assert said in check_merge(code)


def test_the_packages_own_merge_passes():
    code = inspect.getsource(bpe.merge).replace(
        "(tokens: list[int], pair: tuple[int, int], new: int) -> list[int]", "(tokens, pair, new)"
    )
    assert check_merge(code) is None
    assert any(pair[0] == pair[1] for _, pair, _ in LISTS) and any(not tokens for tokens, _, _ in LISTS)


def test_swapped_explains_each_wrong_choice():
    one = exercise("swapped")
    assert set(one.field) == {REASON, *MISTAKES}
    assert all(one.check(choice) == MISTAKES[choice] for choice in MISTAKES)


def test_each_question_has_one_right_option_and_explains_all():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)
