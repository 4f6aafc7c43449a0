"""Who has done what, kept when the lid closes.

One small SQLite file in the user's data folder. A lesson says which items it has when it is opened, and an
item is marked when it is solved; everything shown (not started, in progress, done) is counted from that.
Each call is one transaction on a connection of its own: lessons run in threads, and SQLite does the waiting.

The same file keeps the corrections of lesson 08 (corrections.py).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmlab.errors import LabError
from llmlab.paths import data_dir

TABLES = (  # a file that was written before one of them existed gets it when it is next used
    """create table if not exists item (
  student text not null, lesson text not null, item text not null,
  solved integer not null default 0, changed text not null default current_timestamp,
  primary key (student, lesson, item)
)""",
    """create table if not exists correction (
  id integer primary key, student text not null, question text not null, said text not null,
  answer text not null, wordings text not null, made text not null default current_timestamp
)""",
)
LOCAL = "local"  # the one who sits at this machine


@dataclass(frozen=True)
class State:
    """How far a lesson is: `solved` of `items`. No items: it was never opened."""

    solved: int = 0
    items: int = 0

    @property
    def word(self) -> str:
        if not self.items:
            return "not started"
        return "done" if self.solved == self.items else "in progress"


class Progress:
    """The progress of one student. `path` is the file; the default is in the user's data folder."""

    def __init__(self, student: str = LOCAL, path: Path | None = None) -> None:
        self.student = student
        self.path = path or data_dir() / "progress.sqlite"

    def opened(self, lesson: str, items: Iterable[str]) -> None:
        """The lesson was opened and has these items. What is solved stays; items that are gone are forgotten."""
        names = list(items)
        holes = ",".join("?" * len(names))
        with self.transaction() as db:
            db.execute(
                f"delete from item where student = ? and lesson = ? and item not in ({holes})",
                (self.student, lesson, *names),
            )
            db.executemany(
                "insert or ignore into item (student, lesson, item) values (?, ?, ?)",
                [(self.student, lesson, name) for name in names],
            )

    def solved(self, lesson: str, item: str) -> None:
        """Mark one item. Solved once is solved, also if the answer is changed later."""
        with self.transaction() as db:
            db.execute(
                "insert into item (student, lesson, item, solved) values (?, ?, ?, 1) "
                "on conflict (student, lesson, item) do update set solved = 1, changed = current_timestamp "
                "where solved = 0",
                (self.student, lesson, item),
            )

    def states(self) -> dict[str, State]:
        """Every lesson that was opened, by its slug, the one worked on last at the end."""
        with self.transaction() as db:
            rows = db.execute(
                "select lesson, sum(solved), count(*) from item where student = ? group by lesson "
                "order by max(changed), lesson",
                (self.student,),
            ).fetchall()
        return {lesson: State(solved, items) for lesson, solved, items in rows}

    def forget(self) -> None:
        """Start from nothing."""
        with self.transaction() as db:
            for table in ("item", "correction"):
                db.execute(f"delete from {table} where student = ?", (self.student,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection on which all that is done is done, or nothing. LabError where the file cannot be used."""
        try:
            db = sqlite3.connect(self.path, timeout=10)
            try:
                with db:  # commits, or rolls back
                    for table in TABLES:
                        db.execute(table)
                    yield db
            finally:
                db.close()
        except sqlite3.Error as error:
            raise LabError(
                f"The progress file {self.path} cannot be used ({error}). Free some disk space, or delete the file "
                "to start again."
            ) from error
