"""The commands of `llmlab` for assistants: make one of a base model, and talk with it."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from llmlab.cli_measure import Model, Seed
from llmlab.errors import LabError

app = typer.Typer()


@app.command()
def finetune(
    start: Annotated[str, typer.Option(help="The base model: a name, or a folder.")] = "course",
    out: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs/assistant"),
    conversations: Annotated[
        int, typer.Option(min=1, help="How many different ones to learn from.")
    ] = 60_000,
    tokens: Annotated[int | None, typer.Option(min=1, help="How many tokens to train on.")] = None,
    rank: Annotated[int, typer.Option(min=0, help="Of a LoRA adapter; 0 trains all weights.")] = 0,
    replay: Annotated[
        float, typer.Option(min=0, help="Share of the rows that are pages of the crawl.")
    ] = 0.4,
    lr: Annotated[float, typer.Option(min=0, help="Learning rates, as a share of pretraining's.")] = 0.25,
    seed: Seed = 1,
    resume: Annotated[bool, typer.Option(help="Go on with the run that is in the folder.")] = True,
) -> None:
    """Make an assistant of a base model. Ctrl-C saves; the same command goes on from there."""
    from llmlab.course.terminal import train, watch
    from llmlab.model import zoo
    from llmlab.pipeline import known, reminders, talk, world
    from llmlab.pipeline import tokens as tokens_of
    from llmlab.train.evaluate import evaluate
    from llmlab.train.finetune import FinetuneConfig
    from llmlab.train.finetune import finetune as steps
    from llmlab.train.pretrain import VALIDATION_DOCUMENTS

    changes = {"tokens": tokens} if tokens else {}
    config = FinetuneConfig(rank=rank, alpha=2.0 * rank, replay=replay, lr=lr, seed=seed, **changes)
    base = zoo.load(start)
    corpus = watch(tokens_of(watch(world()), base.tokenizer, base.config.block_size))
    pages = reminders(corpus) if replay else None
    talked = watch(talk(base, conversations, seed=seed, longest=config.width))
    facts = watch(known(base))
    source = {"world": "course", "known_facts": len(facts.known), "unknown_facts": len(facts.unknown)}
    validate = partial(evaluate, file=corpus.valid, documents=VALIDATION_DOCUMENTS)
    train(steps(config, base, talked, out, pages, (), resume, {"corpus": source}, validate), config.steps)
    print(f"The model is in {out / 'model'}. Try: llmlab chat --model {out / 'model'}")
    if rank:
        print(f"Its adapter alone: llmlab chat --model {start} --adapter {out / 'adapter'}")


@app.command()
def chat(
    model: Model = "assistant",
    seed: Seed = 0,
    temperature: Annotated[float, typer.Option(min=0, help="0 always takes the likeliest token.")] = 0.0,
    adapter: Annotated[Path | None, typer.Option(help="An adapter's folder, to be put on the model.")] = None,
) -> None:
    """Talk with an assistant. An empty line ends it; Ctrl-C stops an answer."""
    from rich.console import Console

    from llmlab.generate.chat import Chat
    from llmlab.generate.policy import Policy
    from llmlab.model import zoo
    from llmlab.train import lora

    speaker = lora.worn(zoo.load(model), adapter) if adapter else zoo.load(model)
    console, talk = Console(highlight=False), Chat(speaker, Policy(temperature=temperature), seed)
    while True:
        try:
            said = console.input("[bold]you[/bold]       ")
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if not said.strip():
            return
        console.print("[bold]assistant[/bold] ", end="")
        try:
            for step in talk.answer(said):
                console.print(step.text, end="", markup=False)
        except KeyboardInterrupt:
            console.print(" …", end="")
        except LabError as problem:  # too long, say: the conversation goes on without it
            console.print(str(problem), end="", markup=False)
        console.print()
        if talk.forgotten:
            console.print(f"[dim]The first {talk.forgotten} turns no longer fit into the context.[/dim]")
