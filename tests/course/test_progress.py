"""Progress survives: counted right, written whole, read by many at once."""

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlab.course.progress import Progress, State
from llmlab.errors import LabError


def test_a_lesson_goes_from_not_started_to_done(tmp_path: Path):
    progress = Progress(path=tmp_path / "p.sqlite")
    assert progress.states() == {}
    progress.opened("02_next_token", ["a", "b"])
    assert progress.states()["02_next_token"] == State(0, 2)
    progress.solved("02_next_token", "a")
    assert progress.states()["02_next_token"].word == "in progress"
    progress.solved("02_next_token", "b")
    assert progress.states()["02_next_token"].word == "done"


def test_opening_again_keeps_what_was_solved_and_forgets_what_is_gone(tmp_path: Path):
    progress = Progress(path=tmp_path / "p.sqlite")
    progress.opened("x", ["a", "b"])
    progress.solved("x", "a")
    progress.opened("x", ["a", "c"])
    assert progress.states()["x"] == State(1, 2)


def test_students_do_not_see_each_other(tmp_path: Path):
    one, two = (Progress(name, tmp_path / "p.sqlite") for name in ("one", "two"))
    one.opened("x", ["a"])
    one.solved("x", "a")
    assert two.states() == {}
    two.forget()
    assert one.states()["x"].word == "done"


def test_thirty_threads_lose_nothing(tmp_path: Path):
    path = tmp_path / "p.sqlite"
    Progress(path=path).opened("x", map(str, range(30)))
    threads = [threading.Thread(target=Progress(path=path).solved, args=("x", str(k))) for k in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Progress(path=path).states()["x"] == State(30, 30)


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path):
    path = tmp_path / "p.sqlite"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 20)
    with pytest.raises(LabError, match="delete the file"):
        Progress(path=path).states()


def test_what_was_interrupted_is_not_there(tmp_path: Path):
    progress = Progress(path=tmp_path / "p.sqlite")
    progress.opened("x", ["a"])
    with pytest.raises(RuntimeError), progress.transaction() as db:
        db.execute("update item set solved = 1")
        raise RuntimeError("the lid closes here")
    assert progress.states()["x"] == State(0, 1)


@given(name=st.text(min_size=1))
def test_any_name_is_a_name(tmp_path_factory: pytest.TempPathFactory, name: str):
    progress = Progress(path=tmp_path_factory.mktemp("any") / "p.sqlite")
    try:
        progress.opened(name, [name])
    except (LabError, UnicodeEncodeError):
        assert any(0xD800 <= ord(letter) < 0xE000 for letter in name)  # half a letter: SQLite refuses it
        return
    assert progress.states() == {name: State(0, 1)}
    with sqlite3.connect(progress.path) as db:
        assert db.execute("select count(*) from item").fetchone() == (1,)
