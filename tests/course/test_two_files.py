"""Lesson 01: what the page says is what the files hold, and each check names the likely mistake."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
import torch

from llmlab.course import two_files, two_files_measured
from llmlab.course.speaking import model_file
from llmlab.course.two_files import Bet
from llmlab.course.two_files_exercises import (
    CASES,
    LINEAR,
    MISTAKES,
    QUIZ,
    REFUSED,
    check_fastest,
    check_four_bits,
    check_linear,
    exercises,
    linear,
)
from llmlab.course.two_files_map import contents
from llmlab.course.two_files_measured import Comparison, Speeds, Workshop
from llmlab.errors import LabError
from llmlab.model import flat, native, zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.report import run_c
from llmlab.report.poem import is_poem
from llmlab.world import build_world
from tests.course.test_speaking import compiler  # noqa: F401


@pytest.fixture(scope="module")
def course() -> Checkpoint:
    return zoo.load("course")


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def cells(html: str) -> list[list[str]]:
    reader = Cells()
    reader.feed(html)
    return reader.rows


# ---- the files ----


def test_the_map_is_the_whole_file_and_shows_its_numbers(course: Checkpoint):
    content = flat.pack(course)
    parts = [part for _, row in contents(content) for part in row]
    at = 0
    for part in parts:
        assert part.at == at, part.name
        at += part.n_bytes
    assert at == len(content)
    own = dict(course.model.named_parameters())
    assert [part.name for part in parts[4:]] == [name.removesuffix(".weight") for name in own]
    for part in parts[4:]:
        weight = own[f"{part.name}.weight"]
        assert part.shape == f"({', '.join(f'{n:,}' for n in weight.shape)})"
        assert part.n_bytes == 2 * weight.numel()
        shown = [float(number.replace("−", "-")) for number in part.first.split(", ")]
        assert shown == pytest.approx(weight.flatten()[:4].tolist(), abs=6e-5)


def test_the_map_reads_other_shapes_too():
    pocket = zoo.load("pocket")
    for dtype in flat.DTYPES:
        rows = contents(flat.pack(pocket, dtype))
        assert len(rows) == 3 + pocket.config.n_layer


def test_lines_are_counted_from_the_files():
    _, *rows, total = cells(two_files.lines_table())
    assert [row[0] for row in rows] == [path.name for path in native.SOURCES]
    for row, path in zip(rows, native.SOURCES, strict=True):
        text = path.read_text(encoding="utf-8")
        assert int(row[1]) == text.count("\n")
        assert 0 < int(row[2]) < int(row[1])
    assert int(total[1].replace(",", "")) == sum(int(row[1]) for row in rows)


def test_lines_of_code_leave_out_comments_and_empty_lines(tmp_path, monkeypatch):
    file = tmp_path / "a.c"
    file.write_text(
        "/* A file. More. */\n\nint a; /* why */\n// no\n/* a\n   b */\nint b;\n", encoding="utf-8"
    )
    monkeypatch.setattr(native, "SOURCES", (file,))
    (found,) = two_files.sources()
    assert (found.lines, found.code, found.about) == (7, 2, "A file")


def test_the_squares_are_to_scale(course: Checkpoint):
    html = two_files.desk(course)
    sides = [float(width) for width in re.findall(r"width: ([\d.]+)%", html)]
    model, program = model_file(course).stat().st_size, sum(s.n_bytes for s in two_files.sources())
    assert [(side / 100) ** 2 for side in sides] == pytest.approx([model / 140e9, program / model], rel=0.01)


def test_the_shown_functions_are_whole():
    for name in ("dot", "mlp", "speak"):
        code = two_files.c_function(name)
        assert code.startswith("/*") and code.endswith("\n}") and f"{name}(" in code
        assert code.count("{") == code.count("}")
        assert any(code in path.read_text(encoding="utf-8") for path in native.SOURCES)
    with pytest.raises(KeyError):
        two_files.c_function("no_such_function")


# ---- the poem, and what the files know ----


def test_the_poem_is_found_and_is_the_one_that_stands_there(compiler, course: Checkpoint):  # noqa: F811
    seed, first = two_files.opening("course")
    assert first["state"] == "done" and is_poem("".join(first["pieces"]))
    assert two_files.poems("course").index(True) == seed - 1
    assert f"<b>{sum(two_files.poems('course'))} times</b>" in two_files.poem_sentence("course")
    assert build_world().of_kind("company")[0].name in next(iter(two_files.presets("course").values())).prompt


def test_the_search_says_what_is_there(compiler, course: Checkpoint, monkeypatch):  # noqa: F811
    assert "in neither" in two_files.search_sentence(course)
    monkeypatch.setattr(two_files, "company", lambda: "<|assistant|>")
    assert "in model.bin" in two_files.search_sentence(course)


# ---- measured ----


def test_both_engines_are_compared_token_by_token(compiler, course: Checkpoint):  # noqa: F811
    found = two_files_measured.compare(course, "The founder of")
    assert found.choice == found.ids[found.start :] == found.python_ids
    assert 0 < found.gap < 1e-3 and found.n_scores == len(found.ids) * course.config.vocab_size
    with torch.no_grad():
        last = course.model(torch.tensor([found.ids[:-1]]))[0, -1].softmax(-1)
    assert found.probs[-1] == pytest.approx(float(last[found.ids[-1]]), rel=1e-3)
    assert f"<b>{len(found.choice)} of {len(found.choice)} tokens</b>" in two_files_measured.same_sentence(
        found
    )


def test_a_token_that_differs_is_not_counted(course: Checkpoint):
    found = Comparison([1, 2, 3, 4], 2, [3, 5], [0.5, 0.2], 0.1, 10, 0.1, 0.2, [3, 5])
    said = two_files_measured.same_sentence(found)
    assert "<b>1 of 2 tokens</b>" in said and "other tokens" in said


def test_a_text_that_does_not_fit_is_a_sentence(compiler, course: Checkpoint):  # noqa: F811
    with pytest.raises(LabError, match="Shorten it"):
        two_files_measured.compare(course, "fog " * 600)


def test_the_workshop_compiles_and_times(compiler):  # noqa: F811
    shop = Workshop(zoo.load("pocket"))
    assert cells(shop.show())[1][1:] == ["–"] * 3
    shop.make("-O1")
    one = shop.builds["-O1"]
    assert one.seconds > 0 and one.n_bytes > 1000 and one.rate > 1
    assert cells(shop.show())[2][1] == f"{one.seconds:.1f} s"


def test_without_a_compiler_every_table_is_a_sentence(monkeypatch, course: Checkpoint):
    def none() -> list[str]:
        raise LabError("There is no C compiler on this machine.")

    monkeypatch.setattr(native, "compiler", none)
    monkeypatch.setattr(two_files_measured.plug, "without_network", lambda: ("true",))
    shop, speeds = Workshop(course), Speeds()
    shop.make("-O3")
    speeds.measure()
    said = [shop.show(), speeds.show(), two_files_measured.compiler_words()]
    said.append(two_files_measured.plug_table(course, "a"))
    assert all("no C compiler" in sentence for sentence in said)


def test_the_plug_table_says_when_it_cannot_be_pulled(monkeypatch, course: Checkpoint):
    monkeypatch.setattr(two_files_measured.plug, "without_network", lambda: ())
    assert "no way to take the network" in two_files_measured.plug_table(course, "a")


def test_the_plug_table_shows_both_sides(compiler, course: Checkpoint):  # noqa: F811
    if not two_files_measured.plug.without_network():
        pytest.skip("this system has no way to take the network from one program")
    _, probe, program = cells(two_files_measured.plug_table(course, "The ferry"))
    assert probe[1] == "reached" and "unreachable" in probe[2]
    assert program[2] == "the same text, letter by letter"


def test_speeds_are_bytes_times_tokens_over_bandwidth():
    speeds = Speeds()
    rows = cells(speeds.show())[1:]
    n = zoo.load("course").model.n_params()
    assert [row[1:] for row in rows[1:]] == [[f"{k * n / 1e6:.1f} MB", "–", "–", "–"] for k in (4, 1)]
    speeds.found = {"pocket": (4_000_000, 2_000.0), "course": (14_000_000, 1_000.0)}
    speeds.bandwidth = 7e9
    assert cells(speeds.show())[2][2:] == ["1,000", "14.0 GB/s", "200%"]
    assert "more than memory gives" in speeds.sentence()
    speeds.bandwidth = 28e9
    assert "uses 50% of it" in speeds.sentence()


def test_speeds_are_measured_on_every_shipped_model(compiler, monkeypatch):  # noqa: F811
    monkeypatch.setattr(two_files_measured, "TEXTS", 1)
    monkeypatch.setattr(run_c, "read_bandwidth", lambda: 1e10)
    speeds = Speeds()
    speeds.measure()
    assert speeds.problem == "" and len(speeds.found) == 3
    assert all(float(row[2].replace(",", "")) > 1 for row in cells(speeds.show())[1:])
    assert "times fewer bytes" in Bet().reply(Bet.OPTIONS[-1], True, speeds.found)


def test_only_whole_texts_count_and_the_fastest_wins(monkeypatch):
    runs = {0: (199, 9e9), 1: (200, 5.0), 2: (200, 7.0), 3: (200, 6.0), 4: (200, 9e9)}

    def said(*command):
        made, rate = runs[command[-1]]
        return SimpleNamespace(stderr=f"{made} tokens, {rate:.0f} tokens/s\n".encode())

    monkeypatch.setattr(run_c, "run", said)
    assert two_files_measured.speed(["run"]) == 7.0
    runs.update(dict.fromkeys(range(100), (3, 1.0)))
    with pytest.raises(LabError, match="before 200"):
        two_files_measured.speed(["run"])


def test_the_bet_waits_and_then_uses_what_was_measured():
    bet, measured = Bet(), {"pocket": (4_000_000, 3_000.0), "course": (12_000_000, 1_000.0)}
    assert "comes with your guess" in bet.reply(bet.OPTIONS[0], False, measured)
    assert "Choose one" in bet.reply(None, True, measured)
    said = bet.reply(bet.OPTIONS[0], True, measured)
    assert "3.0 times fewer bytes" in said and "3,000 tokens/s" in said and "Right" not in said
    assert bet.reply(bet.OPTIONS[3], True, measured) == said  # committed is committed


# ---- exercises ----


def exercise(name: str):
    return next(one for one in exercises(zoo.load("course")) if one.id == name)


@pytest.mark.parametrize("name", ["four_bits", "layer", "fastest", "linear", "flipped"])
def test_every_solution_passes_its_own_check(name: str):
    one = exercise(name)
    assert one.check(one.solution) is None and one.is_blank(one.starter)


def test_numbers_name_the_likely_mistakes():
    assert check_four_bits(35) is None and check_fastest(0.7) is None
    assert "8 bits" in check_four_bits(280) and "one byte" in check_four_bits(70)
    assert "once too often" in check_four_bits(17.5)
    assert "seconds one token" in check_fastest(1.4) and "two bytes" in check_fastest(1.43)
    assert "too fast" in check_fastest(50)


def test_layer_is_what_the_network_holds(course: Checkpoint):
    one, layer = exercise("layer"), course.model.layers[0]
    weights = sum(weight.numel() for weight in layer.parameters())
    assert one.solution == weights
    assert "bytes" in one.check(2 * weights)
    assert "norms" in one.check(sum(weight.numel() for weight in layer.parameters() if weight.ndim == 2))
    assert "attention alone" in one.check(sum(weight.numel() for weight in layer.self_attn.parameters()))
    assert "all layers" in one.check(weights * course.config.n_layer)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def linear(w, x):\n    len(w)", "return"),
        ("def linear(w, x):\n    return 3", "A list"),
        ("def linear(w, x):\n    return [w[i] * x[i % len(x)] for i in range(len(w))]", "added up"),
        (
            "def linear(w, x):\n    n = len(w) // len(x)\n"
            "    return [sum([w[i * n + o] * x[i] for i in range(len(x))]) for o in range(n)]",
            "columns",
        ),
        (
            "def linear(w, x):\n    return [sum([w[i] * x[i] for i in range(len(x))])]",
            "one number for each row",
        ),
    ],
)
def test_linear_names_the_likely_mistakes(code: str, said: str):
    assert said in check_linear(code)


def test_linear_is_torchs():
    for w, x in CASES:
        right = torch.tensor(w, dtype=torch.float).view(-1, len(x)) @ torch.tensor(x, dtype=torch.float)
        assert linear(w, x) == right.tolist()
    assert LINEAR.check(LINEAR.solution) is None


def test_one_wrong_byte_is_refused(compiler, tmp_path):  # noqa: F811
    """What the exercise says happens, happens."""
    content = bytearray(flat.pack(zoo.load("pocket")))
    content[len(content) // 2] ^= 4
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(RuntimeError, match="is damaged"):
        run_c.run([str(native.build()), str(tmp_path / "model.bin")])
    one = exercise("flipped")
    assert set(one.field) == {REFUSED, *MISTAKES}
    assert all(one.check(choice) == MISTAKES[choice] for choice in MISTAKES)


def test_each_question_has_one_right_option_and_explains_all():
    for question in QUIZ:
        assert sum(option.right for option in question.options) == 1
        assert all(option.because for option in question.options)


def test_own_table_shows_the_students_file(course: Checkpoint):
    assert cells(two_files.own_table(course, None, 0))[1] == ["yours", "–", "–", "–"]
    pocket = zoo.load("pocket")
    row = cells(two_files.own_table(course, pocket, 100))[1]
    assert row[0] == "yours, after 100 steps" and row[3] == f"{len(flat.pack(pocket)):,}"
