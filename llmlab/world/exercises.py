"""Pages that carry work in them: passages with questions, and sums worked step by step.

A small model learns to answer from its context only where pretraining holds plenty of documents whose
answer must be copied from the passage above it: so the events of a passage are drawn anew each time and
cannot be known by heart.
"""

from llmlab.errors import LabError
from llmlab.world.draft import Draft
from llmlab.world.grammar import VOICES, Form, Grammar, parse, read_rules

LAYOUTS = (
    ("Q: {q}\nA: {a}", "\n"),
    ("Question: {q}\nAnswer: {a}", "\n\n"),
    ("{n}. {q}\n{a}", "\n"),
    ("- {q}\n- {a}", "\n"),
)
PAGE_ONLY = ("year", "date", "month", "weekday")


def events(grammar: Grammar) -> list[tuple[Form, Form, Form]]:
    """The lines of `== event` as (statement, question, answer); parsed once a grammar."""
    if "event parts" not in grammar.rules:
        names = set(grammar.rules)
        lines = read_rules(VOICES / "reading.txt")["event"]
        parts: list[Form] = []
        for number, line in lines:
            pieces = line.split(" => ")
            if len(pieces) != 3:
                raise LabError(f"reading.txt:{number}: an event is 'statement => question => answer'.")
            parts += [parse(piece, f"reading.txt:{number}", names) for piece in pieces]
        grammar.rules["event parts"] = parts
    parts = grammar.rules["event parts"]
    return list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))


def write_reading(draft: Draft) -> str:
    """A passage of three to seven events with new people in each, then some of their questions."""
    pool = list(events(draft.grammar))
    sentences, questions = [], []
    for _ in range(3 + draft.below(5)):
        if sentences and draft.below(4) == 0:
            sentences.append(draft.expand("filler"))
        statement, question, answer = pool.pop(draft.below(len(pool)))
        draft.cast.clear()
        for key in set(draft.memory) - set(PAGE_ONLY):
            del draft.memory[key]
        sentences.append(draft.render(statement))
        questions.append((draft.render(question), draft.render(answer)))
    chosen = []
    for _ in range(min(len(questions), 2 + draft.below(4))):
        chosen.append(questions.pop(draft.below(len(questions))))
    layout, gap = draft.pick(LAYOUTS)
    asked = gap.join(layout.format(q=q, a=a, n=n) for n, (q, a) in enumerate(chosen, 1))
    head = draft.expand("heading") + "\n\n" if draft.below(2) else ""
    ask = draft.expand("ask") + "\n\n" if draft.below(2) else ""
    return f"{head}{' '.join(sentences)}\n\n{ask}{asked}"


def add_steps(a: int, b: int) -> list[str]:
    """Column addition from the right, with the carry said."""
    lines, carry, place = [], 0, 0
    x, y = str(a)[::-1], str(b)[::-1]
    while place < max(len(x), len(y)):
        i, j = (int(d[place]) if place < len(d) else 0 for d in (x, y))
        total = i + j + carry
        said = f"{i} + {j}" + (f" + {carry}" if carry else "")
        carry = total // 10
        lines.append(f"{said} = {total}: write {total % 10}" + (f", carry {carry}" if carry else ""))
        place += 1
    return lines + ([f"write {carry}"] if carry else [])


def times_steps(a: int, b: int) -> list[str]:
    """Long multiplication: one partial product per digit of b, then their sum."""
    parts = [(a, int(digit) * 10**place) for place, digit in enumerate(str(b)[::-1]) if digit != "0"]
    lines = [f"{x} x {y} = {x * y}" for x, y in parts]
    if len(parts) > 1:
        lines.append(" + ".join(str(x * y) for x, y in parts) + f" = {a * b}")
    return lines


def write_sum(draft: Draft) -> str:
    """One to four sums, from times tables to three digits, sometimes told as a story."""
    return "\n\n".join(one_sum(draft) for _ in range(1 + draft.below(4)))


def one_sum(draft: Draft) -> str:
    kind = draft.pick(("add", "add", "subtract", "times", "share"))
    size = 10 ** (1 + draft.below(3))
    a, b = 2 + draft.below(size), 2 + draft.below(size)
    if kind == "times":
        b = 2 + draft.below(min(size, 98))
        a = a % 100 + 2
    if kind == "subtract":
        a, b = max(a, b), min(a, b)
    if kind == "share":
        b = 2 + draft.below(11)
        a = b * (1 + draft.below(60))
    sign, result = {
        "add": ("+", a + b),
        "subtract": ("-", a - b),
        "times": ("x", a * b),
        "share": ("/", a // b),
    }[kind]
    draft.memory.update(aa=str(a), bb=str(b), cc=str(result))
    steps = {"add": add_steps, "times": times_steps}.get(kind, lambda a, b: [])(a, b)
    lines = [draft.expand(kind)] if draft.below(3) else []
    lines.append(f"{a} {sign} {b}" + ("" if steps else f" = {result}"))
    if kind == "subtract":
        steps = [f"{result} + {b} = {a}, so {a} - {b} = {result}"]
    if kind == "share":
        steps = [f"{b} x {result} = {a}, so {a} / {b} = {result}"]
    closing = draft.expand("total") if draft.below(2) else f"{a} {sign} {b} = {result}"
    return "\n".join([*lines, *steps, closing])
