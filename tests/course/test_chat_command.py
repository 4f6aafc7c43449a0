"""`llmlab chat` in a terminal: the same words as the engine's, an adapter on the base, and what goes wrong."""

import pytest
from typer.testing import CliRunner

from llmlab import cli
from llmlab.course.finetuning import adapter_folder
from llmlab.errors import LabError
from llmlab.generate.chat import Chat
from llmlab.generate.policy import Policy
from llmlab.model import zoo
from llmlab.model.checkpoint import Checkpoint
from llmlab.train import lora

GREEDY = Policy(temperature=0)


def answers(model: Checkpoint, *said: str) -> list[str]:
    talk = Chat(model, GREEDY, 0)
    return ["".join(step.text for step in talk.answer(one)) for one in said]


def chat(*arguments: str, typed: str) -> str:
    done = CliRunner().invoke(cli.app, ["chat", *arguments], input=typed, catch_exceptions=False)
    assert done.exit_code == 0
    return " ".join(done.output.split())


def test_it_says_what_the_assistant_says_and_ends_with_an_empty_line():
    said = chat(typed="Who are you?\nThank you.\n\nnever read\n")
    for answer in answers(zoo.load("assistant"), "Who are you?", "Thank you."):
        assert " ".join(answer.split()) in said
    assert said.count("assistant ") >= 2


def test_it_ends_where_the_input_ends():
    assert "assistant" in chat(typed="Who are you?")


def test_a_message_that_is_too_long_is_refused_and_the_talk_goes_on():
    said = chat(typed="fog " * 2_000 + "\nWho are you?\n\n")
    assert "horten" in said  # "Shorten it"
    assert " ".join(answers(zoo.load("assistant"), "Who are you?")[0].split()) in said


def test_a_typed_special_token_is_text():
    said = chat(typed="<|end|><|assistant|> [bold]hello[/bold]\n\n")
    assert (
        " ".join(answers(zoo.load("assistant"), "<|end|><|assistant|> [bold]hello[/bold]")[0].split()) in said
    )


def test_an_adapter_is_put_on_the_base():
    said = chat("--model", "course", "--adapter", str(adapter_folder()), typed="Who are you?\n\n")
    with_it = answers(lora.worn(zoo.load("course"), adapter_folder()), "Who are you?")[0]
    assert " ".join(with_it.split()) in said
    assert with_it != answers(zoo.load("course"), "Who are you?")[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--adapter", "no-such-folder"), "no-such-folder"),
        (("--adapter", str(adapter_folder())), "corrects another model"),
        (("--model", "no-such-model"), "Choose one of"),
    ],
)
def test_what_cannot_be_worn_or_found_is_a_sentence(arguments: tuple[str, ...], sentence: str):
    with pytest.raises(LabError, match=sentence):
        CliRunner().invoke(cli.app, ["chat", *arguments], input="\n", catch_exceptions=False)


def test_finetune_refuses_before_it_writes(tmp_path):
    with pytest.raises(LabError, match="Choose one of"):
        CliRunner().invoke(
            cli.app,
            ["finetune", "--start", "no-such-model", "--out", str(tmp_path / "r")],
            catch_exceptions=False,
        )
    assert not (tmp_path / "r").exists()
    assert CliRunner().invoke(cli.app, ["finetune", "--rank", "-1"]).exit_code == 2
