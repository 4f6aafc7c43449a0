"""The commands of `llmlab` that measure: what a model knows, where a dream comes from, every figure, every speed."""

import json
import sys
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from llmlab.errors import LabError

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed gives the same result.")]
Model = Annotated[str, typer.Option(help="A model of the course by name, or the folder of one.")]


@app.command()
def exam(
    model: Model = "course",
    questions: Annotated[int, typer.Option(min=1, help="For each degree of exposure.")] = 150,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Ask a model for facts of the Isles, by how many pages state them."""
    from llmlab.course.terminal import table, watch
    from llmlab.measure import exam as paper
    from llmlab.model import zoo
    from llmlab.pipeline import world
    from llmlab.world import build_world

    checkpoint, corpus = zoo.load(model), watch(world())
    asked = paper.questions(build_world(), paper.pages_per_fact(corpus.pages()), questions, seed)
    curve = [asdict(point) for point in paper.by_exposure(paper.sit(checkpoint, asked))]
    if as_json:
        print(json.dumps(curve))
        return
    rows = [
        (f"{p['low']}–{p['high']} pages", f"{p['right']} of {p['n']}", f"{p['right'] / p['n']:.0%}")
        for p in curve
    ]
    table(("stated on", "right", "share"), rows)


@app.command()
def reversal(
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs/reversal"),
    tokens: Annotated[int | None, typer.Option(help="How many tokens to train on.")] = None,
    as_json: Json = False,
) -> None:
    """Tell the course model who is whose mother, every second pair both ways; then ask. Ctrl-C saves."""
    from llmlab.course.register import read
    from llmlab.course.terminal import table

    answers = read(out, tokens)
    if as_json:
        print(json.dumps([asdict(row) for row in answers]))
        return
    table(("told", "asked", "right", "of"), [(r.told, r.asked, str(r.right), str(r.n)) for r in answers])


@app.command()
def trace(
    text: Annotated[str, typer.Argument(help="The text to trace, or - to read it from the standard input.")],
    model: Model = "course",
    as_json: Json = False,
) -> None:
    """Say where a text comes from: its longest matches in the training set, and which of its claims are true."""
    from llmlab.course.terminal import table, watch
    from llmlab.measure.claims import Checker
    from llmlab.measure.dreams import trace as follow
    from llmlab.measure.index import build_index
    from llmlab.model import zoo
    from llmlab.pipeline import tokens, world
    from llmlab.world import build_world

    checkpoint = zoo.load(model)
    packed = watch(tokens(watch(world()), checkpoint.tokenizer, checkpoint.config.block_size))
    if checkpoint.provenance.get("data", {}).get("train") != packed.train.hash:
        other = "This machine's crawl differs from the one that the model read (another Python, or changed voices)."
        print(f"{other} Matches are looked for in this machine's.", file=sys.stderr)
    read = sys.stdin.buffer.read().decode("utf-8", errors="replace") if text == "-" else text
    ids = checkpoint.tokenizer.encode(read)
    found = follow(ids, checkpoint.tokenizer, build_index(packed.train), Checker(build_world()))
    if as_json:
        marks = zip(found.tokens, found.match.tolist(), found.verdicts, strict=True)
        claims = [{**asdict(claim), "verdict": verdict} for claim, verdict in found.claims]
        rows = [{"text": token, "match": match, "verdict": verdict} for token, match, verdict in marks]
        print(json.dumps({"tokens": rows, "claims": claims}))
        return
    table(
        ("token", "longest match", "verdict"),
        zip(found.tokens, map(str, found.match), found.verdicts, strict=True),
    )


@app.command()
def figures(
    model: Model = "course",
    quick: Annotated[bool, typer.Option(help="Fewer cases: under ten minutes on two cores.")] = False,
    as_json: Json = False,
) -> None:
    """Measure again every effect that the course claims."""
    from llmlab.course import page_report
    from llmlab.course.terminal import table, told
    from llmlab.report import assistant, assistant_record, loop
    from llmlab.report.figures import Evidence
    from llmlab.report.figures import figures as measure

    evidence = Evidence(model, quick=quick)
    parts = (measure, assistant.figures, assistant_record.figures, loop.figures, page_report.figures)
    rows = told(chain.from_iterable(part(evidence) for part in parts), "id")
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    between = [f"{row.low:.3f} to {row.high:.3f}" if row.low is not None else "" for row in rows]
    shown = [(r.id, f"{r.value:.4g}", b, f"{r.n:,}", r.goal) for r, b in zip(rows, between, strict=True)]
    table(("figure", "value", "95% interval", "n", "goal"), shown)


@app.command()
def record(
    what: Annotated[
        str,
        typer.Argument(
            help="dreams: what lesson 05 shows before an index is there; practice: conversations of the assistant; "
            "assistant: what lesson 07 shows; loop: what lesson 08 says of many corrections."
        ),
    ],
    model: Model = "course",
) -> None:
    """Make a recording that a lesson shows again, with the shipped model; minutes."""
    from llmlab.course.terminal import watch
    from llmlab.model import zoo
    from llmlab.pipeline import practised
    from llmlab.report import assistant_record, dream_record, loop
    from llmlab.report.figures import Evidence

    makers = {
        "dreams": lambda: dream_record.record(Evidence(model)),
        "practice": lambda: practised(zoo.load(model)),
        "assistant": lambda: assistant_record.record(Evidence(model)),
        "loop": loop.record,
    }
    if what not in makers:
        raise LabError(f"There is no recording {what!r}. Choose one of: {', '.join(makers)}.")
    print(f"The recording is in {watch(makers[what]())}.")


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="Fewer steps: under ten minutes on two cores.")] = False,
    as_json: Json = False,
) -> None:
    """Measure how fast everything is, beside its budget."""
    from llmlab.course import page_report
    from llmlab.course.terminal import table, told
    from llmlab.course.timing import rows as in_the_browser
    from llmlab.report import loop
    from llmlab.report.bench import Bench

    machine = Bench(quick)
    rows = told(
        chain(
            machine.rows(),
            loop.bench(machine),
            page_report.bench(machine.checkpoint),
            in_the_browser(machine.device),
        ),
        "name",
    )
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    shown = [
        (r.name, f"{r.value:,.4g}", r.unit, f"{r.budget:,g}" if r.budget else "", r.device) for r in rows
    ]
    table(("row", "value", "unit", "budget", "device"), shown)
