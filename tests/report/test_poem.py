"""A poem is counted by its outer form, for each seed once, and without a compiler the row is left out."""

from types import SimpleNamespace

from llmlab.errors import LabError
from llmlab.model import native
from llmlab.report import poem, run_c
from llmlab.report.figures import of_the_poem
from llmlab.world import build_world

POEM = "The fog has no edge.\nIt asks the way to the pier.\nThe pier is not sure.\n\nby Nobody"


def test_a_poem_is_three_short_lines_of_words():
    assert poem.is_poem(POEM) and poem.is_poem(POEM.split("\n\n")[0])
    for other in (
        "Two lines are not one.\nThey are not three either, no.",
        "Monday: low 12:46\nTuesday: fog and fog\nWednesday: a boat",
        "One\nTwo\nThree",
        "",
        POEM.replace("\n\n", "\n"),
    ):
        assert not poem.is_poem(other)


def test_each_seed_is_counted_and_the_title_is_not_part_of_the_poem(monkeypatch):
    prompt, asked = poem.title(build_world()), []

    def said(command, *options, prompt):
        asked.append(options[-1])
        return SimpleNamespace(stdout=(prompt + (POEM if options[-1] % 2 else "A list: 1")).encode())

    monkeypatch.setattr(run_c, "run", said)
    assert list(poem.poems(["run"], prompt, range(1, 5))) == [True, False, True, False]
    assert asked == [1, 2, 3, 4]


def test_without_a_compiler_the_row_is_left_out(monkeypatch, capsys):
    def none() -> list[str]:
        raise LabError("There is no C compiler on this machine.")

    monkeypatch.setattr(native, "compiler", none)
    evidence = SimpleNamespace(quick=True, checkpoint=None, world=build_world())
    assert list(of_the_poem(evidence)) == []
    assert "run_c.poem" in capsys.readouterr().err
