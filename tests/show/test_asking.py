"""The protocol between a widget and whoever answers."""

import json
import logging

import numpy as np
import pytest

from llmlab.errors import LabError
from llmlab.show.asking import Asking, logits_reply, vocabulary_bytes


def sent(widget: Asking, message: object) -> list:
    """What the widget sends back to the page for this message."""
    out = []
    widget.send = lambda content, buffers=None: out.append((content, buffers))
    widget._heard(widget, message, [])
    return out


def test_an_answer_travels_as_bytes_with_the_questions_name():
    logits = np.array([1.5, -2.0, 0.25], dtype=np.float32)
    widget = Asking(lambda request: logits_reply(request["ids"], logits, {2: 7, 0: 5}, "its pages"))
    [(content, buffers)] = sent(widget, {"ask": "a-1", "request": {"kind": "logits", "ids": [4, 9]}})
    assert content["answer"] == "a-1" and content["error"] == ""
    assert content["reply"] == {"ids": [4, 9], "dtype": "float32", "corpus": "its pages"}
    np.testing.assert_array_equal(np.frombuffer(buffers[0], "<f4"), logits)
    assert dict(zip(np.frombuffer(buffers[1], "<u4"), np.frombuffer(buffers[2], "<u4"), strict=True)) == {
        0: 5,
        2: 7,
    }


def test_half_precision_stays_half_precision():
    reply, buffers = logits_reply([1], np.array([1, 2, 3], dtype=np.float16))
    assert reply["dtype"] == "float16" and len(buffers[0]) == 6 and buffers[1] == b""


def test_an_error_for_a_person_becomes_its_sentence():
    def answer(request):
        raise LabError("The text is too long. Use fewer words.")

    [(content, buffers)] = sent(Asking(answer), {"ask": "a-1", "request": {"kind": "logits", "text": "x"}})
    assert content["error"] == "The text is too long. Use fewer words." and buffers == []


def test_a_bug_becomes_a_sentence_and_a_line_in_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        [(content, _)] = sent(Asking(lambda request: 1 / 0), {"ask": "a-1", "request": {"kind": "logits"}})
    assert "division" in content["error"] and "ZeroDivisionError" in caplog.text


def test_a_recording_says_so():
    [(content, _)] = sent(Asking(None), {"ask": "a-1", "request": {"kind": "logits", "text": "x"}})
    assert "recording" in content["error"]


@pytest.mark.parametrize("message", [None, "logits", {}, {"ask": 1}, {"request": "logits"}, [1]])
def test_other_messages_are_ignored(message):
    assert sent(Asking(lambda request: ({}, [])), message) == []


def test_part_of_a_character_is_written_as_its_bytes():
    words = json.loads(vocabulary_bytes([b" the", "é".encode(), b"\xe2\x86", "word"]))
    assert words == [" the", "é", "<0xE2><0x86>", "word"]
