"""The command `llmlab`: one thin function for each thing that the course can do.

Everything is imported where it is used, so `llmlab --help` answers at once and `llmlab course` does not wait for
what it does not need. An error meant for a person is one sentence and exit status 2.

Read next: cli_assistant.py, the commands for assistants; cli_measure.py, those that measure.
"""

import errno
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from llmlab import cli_assistant, cli_measure
from llmlab.cli_measure import Json, Model, Seed
from llmlab.errors import LabError

app = typer.Typer(
    help="Every minute of a one-hour talk about large language models, running.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# places where nothing can be written
CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR}


def main() -> None:
    """Run the command line; what is meant for a person is said in a sentence."""
    sys.stdout.reconfigure(errors="replace")  # a console that lacks a letter shows "?", and goes on
    try:
        app()
    except LabError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail("The disk is full. Make room, and run the same command again; what was finished is kept.")
        if error.errno not in CLOSED:
            raise
        _fail(
            f"{error.filename} cannot be used ({error.strerror}). Choose another place, or change its rights."
        )


def _fail(sentence: str) -> None:
    print(f"llmlab: {sentence}", file=sys.stderr)
    sys.exit(2)


@app.command()
def course(
    port: Annotated[int | None, typer.Option(help="Listen here. Without it, a free port is found.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    edit: Annotated[
        str | None, typer.Option(metavar="LESSON", help="Open one lesson in marimo's editor.")
    ] = None,
) -> None:
    """Open the course in the browser."""
    from llmlab.course import lessons, server

    if edit is not None:
        raise typer.Exit(server.edit(lessons.find(edit), port))
    server.serve(port, browser)


@app.command()
def doctor() -> None:
    """Look at this machine: one line for each thing that the course needs."""
    from rich.console import Console

    from llmlab.course.doctor import examine

    console, stopped = Console(highlight=False, soft_wrap=True), False
    for check in examine():
        word = "OK  " if check.ok else "FAIL"
        console.print(f"{word}  {check.name:<9} {check.found}", markup=False)
        if not check.ok:
            console.print(f"      {'':<9} → {check.remedy}", markup=False)
            stopped = stopped or check.stops
    if stopped:
        raise typer.Exit(2)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run all checks; more arguments go to pytest."""
    from llmlab.course.checks import run

    raise typer.Exit(run(context.args))


@app.command()
def handout(
    lesson: Annotated[str | None, typer.Argument(help="A lesson's number or name; all without it.")] = None,
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("build/handouts"),
) -> None:
    """Write lessons as .ipynb notebooks."""
    from llmlab.course import lessons
    from llmlab.course.handout import write

    for one in [lessons.find(lesson)] if lesson else lessons.available():
        print(write(one, out))


@app.command()
def world(
    page: Annotated[
        int | None, typer.Option(min=0, help="Print this page instead of building the corpus.")
    ] = None,
    size: Annotated[str, typer.Option(help="small, course or large.")] = "course",
    seed: Seed = 1,
) -> None:
    """Build the Pocket Web into the cache and say what is in it; or read one of its pages."""
    from collections import Counter

    from llmlab import pipeline
    from llmlab.course.terminal import watch
    from llmlab.world.crawl import press

    if page is not None:
        maker = press(size, seed)
        if page >= maker.count + maker.live:
            raise LabError(f"This world has {maker.count + maker.live:,} pages. Ask for a smaller number.")
        found = maker.page(page)
        print(f"{found.kind}, {found.year}: {found.title}\n\n{found.text}")
        return
    corpus = watch(pipeline.world(size, seed))
    kinds: Counter[str] = Counter()
    for document in corpus.documents():
        kinds[document.kind] += len(document.text.encode("utf-8"))
    for kind, n_bytes in kinds.most_common():
        print(f"{kind:<14} {n_bytes / 1e6:6.1f} MB")
    print(f"{'in all':<14} {kinds.total() / 1e6:6.1f} MB in {corpus.folder}")


@app.command()
def tokenizer(
    text: Annotated[str, typer.Argument(help="A text to cut into tokens.")],
    model: Model = "course",
    as_json: Json = False,
) -> None:
    """Show the tokens of a text."""
    from llmlab.model import zoo

    words = zoo.load(model).tokenizer
    ids = words.encode(text)
    pieces = [words.token_bytes(token).decode("utf-8", errors="backslashreplace") for token in ids]
    if as_json:
        print(json.dumps([{"token": i, "text": piece} for i, piece in zip(ids, pieces, strict=True)]))
    else:
        print(
            f"{len(ids)} tokens: {' '.join(f'{piece!r}:{i}' for i, piece in zip(ids, pieces, strict=True))}"
        )


@app.command()
def pretrain(
    tier: Annotated[str, typer.Option(help="pocket, course, gpu or gpu-124m.")] = "pocket",
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/TIER without it.")] = None,
    size: Annotated[str, typer.Option(help="The world to read: small, course or large.")] = "course",
    text: Annotated[
        Path | None, typer.Option(help="Beside the world, read the files of this folder instead of Python's.")
    ] = None,
    hub: Annotated[
        str | None,
        typer.Option(help="Or read this data set of the Hugging Face hub, or a local folder of one."),
    ] = None,
    column: Annotated[str, typer.Option(help="The column of the data set that holds its text.")] = "text",
    documents: Annotated[int, typer.Option(min=1, help="At most so many of the data set.")] = 20_000,
    tokens: Annotated[int | None, typer.Option(min=1, help="How many tokens to train on.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Start from the weights of this model instead of random ones.")
    ] = None,
    lr: Annotated[
        float, typer.Option(min=0, help="Learning rates, as a share of the tier's. A later stage wants less.")
    ] = 1.0,
    decay: Annotated[
        float | None,
        typer.Option(min=0, help="Weight decay of the matrices; 0.01 keeps longer what a model has learned."),
    ] = None,
    seed: Seed = 1,
    resume: Annotated[bool, typer.Option(help="Go on with the run that is in the folder.")] = True,
) -> None:
    """Train a base model. Ctrl-C saves; the same command goes on from there."""
    from llmlab.course.terminal import train, watch
    from llmlab.model import zoo
    from llmlab.pipeline import training_set
    from llmlab.train.config import tier as tier_config
    from llmlab.train.pretrain import pretrain as steps
    from llmlab.world.corpus import python_hash
    from llmlab.world.realtext import digest, folder_text, hub_text

    wanted = {"tokens": tokens, "muon_decay": decay}
    config = tier_config(tier, lr, seed=seed, **{k: v for k, v in wanted.items() if v is not None})
    if text and hub:
        raise LabError("--text and --hub are two sources for the same place. Give one of them.")
    first = zoo.load(start) if start else None
    real = list(folder_text(text)) if text else list(hub_text(hub, column, documents)) if hub else None
    words = first.tokenizer if first else None  # a model's weights stand for the tokens of its own vocabulary
    corpus = watch(training_set(size, config.model.vocab_size, config.model.block_size, 1, real, words))
    folder = out or Path("runs") / tier
    name, content = (
        text.resolve().name if text else hub or "python",
        digest(iter(real)) if real else python_hash(),
    )
    source = {"world": size, "beside": name, "beside_hash": content[:16]}
    run = steps(config, corpus, folder, resume=resume, provenance={"corpus": source}, start=first)
    train(run, config.steps)
    print(f"The model is in {folder / 'model'}. Try: llmlab generate --model {folder / 'model'}")


@app.command()
def generate(
    prompt: Annotated[str, typer.Option(help="The text to continue.")] = "",
    model: Model = "course",
    seed: Seed = 0,
    tokens: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    temperature: Annotated[float, typer.Option(help="0 always takes the likeliest token.")] = 1.0,
    top_k: Annotated[int, typer.Option(help="Keep the k likeliest; 0 keeps all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Keep the likeliest that reach p together.")] = 1.0,
    min_p: Annotated[
        float, typer.Option(help="Keep what has at least p times the likeliest's probability.")
    ] = 0.0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1: say less again.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Continue a text, token by token."""
    from llmlab.generate.engine import encode_prompt
    from llmlab.generate.engine import generate as steps
    from llmlab.generate.policy import Policy
    from llmlab.model import zoo

    policy = Policy(temperature, top_k, top_p, min_p, repetition_penalty)
    checkpoint = zoo.load(model)
    start = encode_prompt(checkpoint, prompt)  # here, so that a text that is too long is not printed first
    records = steps(checkpoint, start, policy, seed, tokens)
    if as_json:
        made = [asdict(step) for step in records]
        text = prompt + "".join(step["text"] for step in made)
        print(json.dumps({"model": model, "prompt": prompt, "seed": seed, "text": text, "steps": made}))
        return
    print(prompt, end="", flush=True)
    for step in records:
        print(step.text, end="", flush=True)
    print()


@app.command()
def pack(
    file: Annotated[Path, typer.Argument(help="The file to pack; any bytes, text is what it is for.")],
    out: Annotated[Path | None, typer.Option(help="The packed file; FILE.llz without it.")] = None,
    model: Model = "course",
    as_json: Json = False,
) -> None:
    """Pack a file with a model's probabilities, and compare with gzip and xz."""
    from llmlab.course import archive
    from llmlab.course.terminal import table

    target, sizes = archive.pack(file, out, model)
    if as_json:
        print(json.dumps({"file": str(target), "sizes": [asdict(size) for size in sizes]}))
        return
    rows = [(size.name, f"{size.n_bytes:,}", f"{size.bits_per_byte:.3f}") for size in sizes]
    table(("written as", "bytes", "bits a byte"), rows)
    print(f"The packed file is {target}. Back again: llmlab unpack {target}")


@app.command()
def unpack(
    file: Annotated[Path, typer.Argument(help="A file that `llmlab pack` made.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; FILE without .llz else.")] = None,
    model: Model = "course",
) -> None:
    """Unpack a file, with the model that packed it."""
    from llmlab.course import archive

    target, before, after = archive.unpack(file, out, model)
    print(f"{before:,} bytes became {after:,} again, in {target}.")


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    to: Annotated[
        str,
        typer.Option(help="hf: for transformers; gguf: for llama.cpp; flat: model.bin, which run.c reads."),
    ] = "flat",
    model: Model = "course",
    dtype: Annotated[str, typer.Option(help="fp16 or fp32: how each weight is written.")] = "fp16",
) -> None:
    """Write a model in another format."""
    from llmlab.model import export as formats
    from llmlab.model import native, zoo

    checkpoint = zoo.load(model)
    file = formats.export(to, out, checkpoint, dtype)
    size = sum(
        part.stat().st_size for part in (file.iterdir() if file.is_dir() else [file]) if part.is_file()
    )
    print(f"{file}: {size:,} bytes, {checkpoint.model.n_params():,} weights in {dtype}")
    if to == "hf":
        print(f"To open it in Python: transformers.AutoModelForCausalLM.from_pretrained({str(file)!r})")
    if to == "gguf":
        print(f'To run it with llama.cpp: llama-cli -m "{file}" -p "The ferry to" -no-cnv')
    if to != "flat":
        return
    source, lines = native.SOURCES[-1], sum(len(path.read_bytes().splitlines()) for path in native.SOURCES)
    print(f"{source}: with what it includes, {lines:,} lines of C. To compile and run it:")
    print(f'cc -O3 -march=native -pthread -o run "{source}" -lm && ./run "{file}" -p "The ferry to"')


app.add_typer(cli_assistant.app)
app.add_typer(cli_measure.app)


if __name__ == "__main__":
    main()
