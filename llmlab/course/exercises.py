"""Exercises and the quiz: a question, a field, a check right under it.

Every lesson writes its exercises once, as data: the blank version, the check, the hints and the solution are fields
of the same `Exercise`, so they cannot drift apart. `Sheet` puts them on the screen and remembers what was solved.
With LLMLAB_SOLUTIONS=1 the fields start with the solutions; a solution that its own check refuses then raises.

    sheet = Sheet("02_next_token", EXERCISES, QUESTIONS)
    first = sheet.ask("entropy"); first              # one cell: the question and the field
    sheet.reply("entropy", first)                    # the next cell: what the check says

Read next: sandbox.py, in which a student's code runs.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import marimo as mo

from llmlab.course.progress import Progress
from llmlab.course.sandbox import CodeError, results
from llmlab.errors import LabError

Answer = str | float | None
DIFFICULTY = {1: "easy", 2: "medium", 3: "hard"}


@dataclass(frozen=True)
class Exercise:
    """`check` gets the answer and returns None if it is right, else a sentence that names the likely mistake.

    `field` is "number", "text", "code", or the options of a choice. An answer equal to `starter` is blank.
    """

    id: str
    title: str
    difficulty: Literal[1, 2, 3]
    minutes: int
    question: str  # Markdown
    field: Literal["number", "text", "code"] | tuple[str, ...]
    check: Callable[[Answer], str | None]
    hints: tuple[str, str]  # Markdown
    solution: Answer
    because: str  # Markdown: why this is the answer; shown when solved, and with the folded solution
    starter: Answer = None

    def is_blank(self, answer: Answer) -> bool:
        words = str(answer if answer is not None else "").strip()
        return words in ("", str(self.starter or "").strip())


@dataclass(frozen=True)
class Option:
    words: str
    because: str  # why it is right, or what makes one think so
    right: bool = False


@dataclass(frozen=True)
class Question:
    """One question of the quiz; exactly one option is right."""

    id: str
    words: str
    options: tuple[Option, ...]


def check_calls(
    code: Answer,
    name: str,
    cases: Sequence[tuple],
    right: Callable[..., object],
    likely: Callable[[tuple, object, object], str],
) -> str | None:
    """Check a student's function: call it with the arguments of each case, and hold it against `right`.

    None if all results are equal, else what the first wrong call gave and the likely mistake, for which `likely` is
    asked (case, result, right result) once the kind of the result is right. CodeError if the code does not run.
    """
    calls = [f"{name}({', '.join(map(repr, case))})" for case in cases]
    for case, call, got in zip(cases, calls, results(str(code), calls), strict=True):
        wanted = right(*case)
        if got == wanted:
            continue
        if got is None:
            mistake = "Did you forget `return`?"
        elif not isinstance(got, type(wanted)):
            mistake = f"A {type(wanted).__name__} should come back."
        else:
            mistake = likely(case, got, wanted)
        return f"`{call}` gave `{_shown(got)}`, and the package gives `{wanted}`. {mistake}"
    return None


def _shown(value: object, most: int = 200) -> str:
    """A value of a student's making inside a code span of Markdown: short, and with nothing that would end the span."""
    text = str(value).replace("`", "'").replace("\n", " ")
    return text if len(text) <= most else f"{text[:most]} …"


def with_solutions() -> bool:
    return os.environ.get("LLMLAB_SOLUTIONS") == "1"


class Sheet:
    """The exercises and the quiz of one lesson, for one student."""

    def __init__(
        self,
        lesson: str,
        exercises: Sequence[Exercise],
        questions: Sequence[Question] = (),
        progress: Progress | None = None,
    ) -> None:
        self.lesson = lesson
        self.exercises = {exercise.id: exercise for exercise in exercises}
        self.questions = tuple(questions)
        self.progress = progress
        self.trouble = ""  # why nothing can be remembered, as HTML
        if progress:
            items = [*self.exercises, *(f"quiz.{question.id}" for question in questions)]
            self._remember(progress.opened, items)

    def ask(self, name: str) -> mo.ui.batch:
        """The card of an exercise with its field. Show it, and give it to `reply` in the next cell."""
        exercise = self.exercises[name]
        start = exercise.solution if with_solutions() else exercise.starter
        code = f"<pre>{escape(str(exercise.solution))}</pre>"
        time = f"about {exercise.minutes} minute{'s' if exercise.minutes != 1 else ''}"
        card = (
            f'<div class="ll-task"><p class="meta">{DIFFICULTY[exercise.difficulty]}, {time}</p>'
            f"<h3>{escape(exercise.title)}</h3>{_html(exercise.question)}<div>FIELD</div>"
            f"{_fold('A hint', _html(exercise.hints[0]))}{_fold('Another hint', _html(exercise.hints[1]))}"
            f"{_fold('The solution', code + _html(exercise.because))}</div>"
        )
        return _batch(card, {"FIELD": ("answer", _field(exercise, start))})

    def reply(self, name: str, asked: object) -> mo.Html:
        """What the check says to the answer: `asked` is what `ask` returned, or the answer itself."""
        exercise = self.exercises[name]
        answer = _value(asked, "answer")
        if exercise.is_blank(answer):
            return _note("waiting", "Your answer is checked as soon as you give one.")
        try:
            mistake = exercise.check(answer)
        except CodeError as error:
            return _note("wrong", f"<b>Not yet.</b> {escape(str(error))}")
        if mistake is None:
            self._solved(name)
            return _note("solved", f"<b>Right.</b> {_html(exercise.because)}{self.trouble}")
        if with_solutions():
            raise AssertionError(f"{self.lesson}: the check of {name!r} refuses its own solution: {mistake}")
        return _note("wrong", f"<b>Not yet.</b> {_html(mistake)}")

    def quiz(self) -> mo.ui.batch:
        """All questions with their options. Show it, and give it to `marks` in the next cell."""
        fields, card = {}, ""
        for number, question in enumerate(self.questions, 1):
            right = next(option.words for option in question.options if option.right)
            words = [option.words for option in question.options]
            radio = mo.ui.radio(words, value=right if with_solutions() else None)
            fields[f"FIELD{number}"] = (question.id, radio)
            card += f"<h3>{number}. {escape(question.words)}</h3><div>FIELD{number}</div>"
        return _batch(f'<div class="ll-task">{card}</div>', fields)

    def marks(self, asked: object) -> mo.Html:
        """What there is to say to the answers so far: the chosen option's explanation, and all once it is right."""
        parts = [
            self._mark(n, question, _value(asked, question.id))
            for n, question in enumerate(self.questions, 1)
        ]
        said = "".join(part for part in parts if part)
        return (
            _note("marks", said)
            if said
            else _note("waiting", "Choose an option, and read what it would mean.")
        )

    def _mark(self, number: int, question: Question, words: object) -> str:
        chosen = next((option for option in question.options if option.words == words), None)
        if chosen is None:
            return ""
        if not chosen.right:
            return f"<p><b>{number}. Not this one.</b> {escape(chosen.because)}</p>"
        self._solved(f"quiz.{question.id}")
        others = [option for option in question.options if option is not chosen]
        rest = "".join(f"<li>“{escape(option.words)}”: {escape(option.because)}</li>" for option in others)
        return f"<p><b>{number}. Right.</b> {escape(chosen.because)}</p><ul>{rest}</ul>{self.trouble}"

    def _solved(self, item: str) -> None:
        if self.progress:
            self._remember(self.progress.solved, item)

    def _remember(self, tell: Callable[[str, object], None], what: object) -> None:
        """Tell the progress. A file that cannot be used costs this memory, and not the lesson."""
        try:
            tell(self.lesson, what)
            self.trouble = ""
        except LabError as error:
            self.trouble = f"<p>This could not be remembered. {escape(str(error))}</p>"


def student_progress() -> Progress | None:
    """The progress of whoever looks at this page; None in a script or a hand-out, where there is nobody to remember."""
    return Progress() if mo.app_meta().mode in ("run", "edit") else None


def _field(exercise: Exercise, start: Answer) -> mo.ui.number | mo.ui.text | mo.ui.code_editor | mo.ui.radio:
    if exercise.field == "number":
        return mo.ui.number(value=start, debounce=True)
    if exercise.field == "text":
        return mo.ui.text(value=str(start or ""), debounce=True, full_width=True)
    if exercise.field == "code":
        return mo.ui.code_editor(value=str(start or ""), language="python", debounce=400, min_height=120)
    return mo.ui.radio(list(exercise.field), value=start)


def _value(asked: object, key: str) -> Answer:
    """The answer inside what was asked: a marimo element, the values of one, or (in a hand-out) the answer itself."""
    inside = getattr(asked, "value", asked)
    return inside.get(key) if isinstance(inside, Mapping) else inside


def _batch(card: str, fields: Mapping[str, tuple[str, object]]) -> mo.ui.batch:
    """HTML in which each key of `fields` stands where a marimo element goes."""
    card = (_style() + card).replace("{", "{{").replace("}", "}}")  # marimo calls str.format on it
    for mark, (name, _) in sorted(fields.items(), reverse=True):
        card = card.replace(f"<div>{mark}</div>", f'<div class="field">{{{name}}}</div>')
    return mo.Html(card).batch(**dict(fields.values()))


def _html(markdown: str) -> str:
    return mo.md(markdown).text


def _fold(title: str, inside: str) -> str:
    return f"<details><summary>{title}</summary>{inside}</details>"


def _note(kind: str, inside: str) -> mo.Html:
    return mo.Html(f'{_style()}<div class="ll-reply {kind}" role="status">{inside}</div>')


def _style() -> str:
    """The rules travel with the card: marimo puts it into a shadow root, where a page's stylesheet does not reach."""
    return f"<style>{Path(__file__).with_name('exercises.css').read_text(encoding='utf-8')}</style>"
