"""What a student has corrected: kept with the progress, and handed on as one line of JSON each.

A correction is data, and data outlives models: it stays here when a version of the assistant is thrown away, and the
exported file can be learned from on another machine.

Read next: versions.py, what is made of them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from llmlab.course.progress import Progress
from llmlab.errors import LabError
from llmlab.world.facts import World
from llmlab.world.talk.rephrase import Correction, proposals

LONGEST = 300  # characters of a question or an answer: more than the model could learn at a time
PROPOSED = 12  # other wordings that a person is shown; with fewer, each is practised more often
MOST = 12  # corrections of one student: a round has to stay short


@dataclass(frozen=True, slots=True)
class Kept:
    """A correction on the list: the question, what was said, what should have been said, and in which other wordings
    the question is to be practised."""

    id: int
    question: str
    said: str
    answer: str
    wordings: tuple[str, ...]

    @property
    def correction(self) -> Correction:
        return Correction(self.question, self.answer, self.wordings)


def cleaned(text: str, what: str) -> str:
    """A text as it can be learned: without blanks around it. LabError where it is empty, too long, or no text."""
    words = text.strip()
    if not words:
        raise LabError(f"The {what} is empty. Write one.")
    if len(words) > LONGEST:
        raise LabError(f"The {what} has {len(words):,} characters, and {LONGEST} can be learned. Shorten it.")
    if not all(letter.isprintable() or letter == "\n" for letter in words):
        raise LabError(
            f"The {what} holds a character that is no letter and no sign. Type it instead of pasting."
        )
    return words


class Corrections:
    """The list of one student."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def add(self, question: str, said: str, answer: str, wordings: Sequence[str] = ()) -> None:
        """Put one on the list; one for the same question is replaced. LabError where it cannot be learned."""
        question, answer = cleaned(question, "question"), cleaned(answer, "answer")
        others = json.dumps([cleaned(words, "wording") for words in wordings])
        with self.progress.transaction() as db:
            own = (self.progress.student, question)
            db.execute("delete from correction where student = ? and question = ?", own)
            (count,) = db.execute("select count(*) from correction where student = ?", own[:1]).fetchone()
            if count >= MOST:
                raise LabError(
                    f"There are {MOST} corrections on the list. Take one off before you add another."
                )
            db.execute(
                "insert into correction (student, question, said, answer, wordings) values (?, ?, ?, ?, ?)",
                (*own, said, answer, others),
            )

    def remove(self, id: int) -> None:
        """Take one off the list."""
        with self.progress.transaction() as db:
            db.execute("delete from correction where student = ? and id = ?", (self.progress.student, id))

    def all(self) -> list[Kept]:
        """The list, the oldest first."""
        with self.progress.transaction() as db:
            rows = db.execute(
                "select id, question, said, answer, wordings from correction where student = ? order by id",
                (self.progress.student,),
            ).fetchall()
        return [
            Kept(id, question, said, answer, tuple(json.loads(words)))
            for id, question, said, answer, words in rows
        ]


def wordings(world: World, question: str) -> list[str]:
    """How else the machine would ask it; the question as it was typed is the first."""
    return proposals(world, question, PROPOSED, seed=1)


def kept_for_the_loop(progress: Progress | None, world: World, question: str, said: str, answer: str) -> str:
    """Put a corrected answer on the list that lesson 08 learns from; returns a sentence."""
    if progress is None:
        return "A script or a hand-out keeps no list. Open the lesson in the course."
    try:
        Corrections(progress).add(question, said, answer, wordings(world, question))
    except LabError as problem:
        return str(problem)
    return "Kept: it waits on the list of lesson 08, where you can have it learned."


def exported(kept: Iterable[Kept]) -> str:
    """One line of JSON each: question, said, answer, wordings."""
    rows = ({name: value for name, value in asdict(one).items() if name != "id"} for one in kept)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def imported(text: str) -> list[Kept]:
    """The corrections of an exported file. LabError where a line is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            row = json.loads(line)
            words = [str(one) for one in row["wordings"]]
            found.append(
                Kept(
                    number,
                    cleaned(str(row["question"]), "question"),
                    str(row["said"]),
                    cleaned(str(row["answer"]), "answer"),
                    tuple(words),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LabError(f"Line {number} is no correction ({error}). Export the list again.") from None
    return found
