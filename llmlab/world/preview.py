"""Read pages aloud before they are shown to a model: `python -m llmlab.world.preview diary 20`."""

import re
import sys
from collections import Counter

from llmlab.errors import LabError
from llmlab.world.draft import Casting, Unfit
from llmlab.world.genesis import build_world
from llmlab.world.grammar import Choice, Grammar, load
from llmlab.world.kinds import KINDS, write


def problems(text: str) -> list[str]:
    """Signs of a form that went wrong."""
    signs = {
        "double article": r"\b[Aa]n? (?:the|an?) ", "a before a vowel": r"\ba [aeio]\w", "leftover": r"[{}]|=>|None",
        "lower-case start": r"(?<!\b[A-Z])(?<!St)[.!?] [a-z]", "doubled word": r"\b(the|a|of|in|to|is) \1\b",
    }  # fmt: skip
    return [f"{name}: …{m[0]}…" for name, sign in signs.items() for m in re.finditer(sign, text)]


SAMPLE = 150_000  # characters of one kind: about what it has in 2 MB of the web's prose


def distinct_8grams(text: str) -> float:
    """Share of different ones among all runs of eight words: what is left of it when phrases repeat."""
    words = text.split()
    grams = [" ".join(words[i : i + 8]) for i in range(len(words) - 7)]
    return len(set(grams)) / max(1, len(grams))


def dullest(grammar: Grammar, text: str, most: int) -> list[tuple[int, str, str]]:
    """(times, place, words) of the fixed runs of six words or more that a reader hears most often."""
    found = []

    def walk(nodes: tuple, place: str) -> None:
        for node in nodes:
            if isinstance(node, Choice):
                for option in node.options:
                    walk(option.nodes, place)
            elif isinstance(node, str) and len(node.split()) >= 6:
                found.append(((text.count(node.strip()) - 1) * (len(node.split()) - 5), place, node.strip()))

    for forms in grammar.rules.values():
        for form in forms:
            walk(form.nodes, form.place)
    return sorted(set(found), reverse=True)[:most]


def main() -> None:
    kind, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    grammar = load(kind)
    print(
        f"{kind}: {len(grammar.forms())} forms, {sum(map(len, grammar.rules.values()))} lines with shared ones"
    )
    if kind not in KINDS:
        return
    casting = Casting(build_world())
    subjects = [name for name, weight in KINDS[kind].subjects for _ in range(weight)] or ["none"]
    missing = {name for name in subjects if KINDS[kind].subjects and f"page {name}" not in grammar.rules}
    print("subjects without a page rule:", missing or "none")
    lengths, sample, wrong = [], [], Counter()
    for i in range(20_000):
        if sum(lengths) > SAMPLE:
            break
        name = subjects[i % len(subjects)]
        if name in missing:
            continue
        pool = [] if name == "none" else casting.fame(name, KINDS[kind].asked).entities
        subject = pool[i * 7 % len(pool)] if pool else None
        try:
            page = write(casting, kind, subject, seed=i, year=400 + i % 29)
        except Unfit as unfit:
            wrong[f"unfit: {name}: {unfit}"] += 1
            continue
        lengths.append(len(page.text))
        sample.append(page.text)
        wrong.update(problems(page.text))
        if i < count:
            print(
                f"\n----- {name} {page.title!r}, {len(page.facts)} facts, {page.bits:.0f} bits\n{page.text}"
            )
    print(f"\nmean length {sum(lengths) / max(1, len(lengths)):.0f} characters over {len(lengths)} pages")
    text = "\n".join(sample)
    share = distinct_8grams(text)
    print(
        f"distinct 8-grams {share:.3f} in {len(text):,} characters. The goal is 0.88; below it, readers hear the same"
    )
    print(
        "phrases again. Open the fixed runs below (and others of 7 words and more) with choices of 3 or more,"
    )
    print("[a|b|c], every 4 to 5 words, or write more alternatives for their rule:")
    for times, place, words in dullest(grammar, text, 40):
        print(f"{times:5} {place}: {words[:110]}")
    for problem, times in wrong.most_common(25):
        print(f"{times:4} {problem}")


if __name__ == "__main__":
    try:
        main()
    except LabError as error:
        sys.exit(str(error))
