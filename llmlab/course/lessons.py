"""The lessons there are, and where each stands in the talk.

A lesson is a row of `LESSONS` and a file in `lessons/`; a test holds the two together. The front page lists the
rows whose file is there, so nobody waits for a lesson that was only announced. `CHAPTERS` is the talk's own clock.

Source of the times: the chapters of "Intro to Large Language Models", A. Karpathy, November 2023.
"""

from dataclasses import dataclass
from pathlib import Path

from llmlab.errors import LabError

FOLDER = Path(__file__).resolve().parents[2] / "lessons"
HOME = FOLDER / "00_home.py"


@dataclass(frozen=True)
class Chapter:
    start: int  # seconds into the talk
    title: str
    part: str


@dataclass(frozen=True)
class Lesson:
    number: str
    name: str
    title: str
    effect: str  # one line for the list: what happens here
    question: str  # the lesson's first sentence
    ability: str  # goes on after "You will be able to …"
    minutes: int
    start: int  # seconds into the talk, where the lesson belongs

    @property
    def slug(self) -> str:
        return f"{self.number}_{self.name}"

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.slug}.py"

    @property
    def url(self) -> str:
        return f"/{self.slug}/"


def at(clock: str) -> int:
    """'0:04:17' in seconds."""
    hours, minutes, seconds = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def clock(seconds: int) -> str:
    """257 as '4:17'; the talk is shorter than an hour, so there is no hour to show."""
    return f"{seconds // 60}:{seconds % 60:02d}"


MODELS, NEXT, SECURITY = "Language models", "What comes next", "Security"
CHAPTERS = (
    Chapter(at("0:00:20"), "LLM inference", MODELS),
    Chapter(at("0:04:17"), "LLM training", MODELS),
    Chapter(at("0:08:58"), "LLM dreams", MODELS),
    Chapter(at("0:11:22"), "How do they work?", MODELS),
    Chapter(at("0:14:14"), "Finetuning into an assistant", MODELS),
    Chapter(at("0:17:52"), "Summary so far", MODELS),
    Chapter(at("0:21:05"), "Appendix: comparisons, RLHF, leaderboard", MODELS),
    Chapter(at("0:25:43"), "LLM scaling laws", NEXT),
    Chapter(at("0:27:43"), "Tool use", NEXT),
    Chapter(at("0:33:32"), "Multimodality", NEXT),
    Chapter(at("0:35:00"), "Thinking, System 1 and 2", NEXT),
    Chapter(at("0:38:02"), "Self-improvement", NEXT),
    Chapter(at("0:40:45"), "LLM customisation", NEXT),
    Chapter(at("0:42:15"), "LLM OS", NEXT),
    Chapter(at("0:45:43"), "LLM security", SECURITY),
    Chapter(at("0:46:14"), "Jailbreaks", SECURITY),
    Chapter(at("0:51:30"), "Prompt injection", SECURITY),
    Chapter(at("0:56:23"), "Data poisoning", SECURITY),
    Chapter(at("0:58:37"), "Conclusions", SECURITY),
)
END = at("0:59:23")

LESSONS = (
    Lesson(
        number="01",
        name="two_files",
        title="Two files",
        effect="Compile a model’s program, pull the network plug, and let it write",
        question="What do you need in order to run a language model?",
        ability="say what is in the two files, why no internet is needed, and what sets the speed",
        minutes=20,
        start=at("0:00:20"),
    ),
    Lesson(
        number="02",
        name="next_token",
        title="Next token",
        effect="Move a real distribution with your own hands",
        question="How does a list of numbers become the next word?",
        ability="say why the same model is dull at one setting and wild at another, and choose the setting yourself",
        minutes=20,
        start=at("0:02:36"),
    ),
    Lesson(
        number="03",
        name="tokens",
        title="Tokens",
        effect="Let a vocabulary grow out of your own text, merge by merge",
        question="What does a model read, if it reads neither letters nor words?",
        ability="say how a text becomes numbers, which texts cost more, and why spelling and sums are hard",
        minutes=20,
        start=at("0:03:20"),
    ),
    Lesson(
        number="04",
        name="pretraining",
        title="Pretraining",
        effect="Train a model while you watch, and unzip a page with it",
        question="How does guessing the next token put the world into a file?",
        ability="say what a loss means, why predicting forces knowing, and what the talk’s two million dollars bought",
        minutes=25,
        start=at("0:04:17"),
    ),
    Lesson(
        number="05",
        name="dreams",
        title="Dreams",
        effect="See which words of a dream were copied, are true, or made up",
        question="Nobody asked it anything, and the model writes a page. Which of these words has it read, and which "
        "has it made up?",
        ability="tell a memory from a habit, and say when a model can know a fact and when it can only dream one",
        minutes=25,
        start=at("0:08:58"),
    ),
    Lesson(
        number="06",
        name="inside",
        title="How do they work?",
        effect="Look into a model, knock parts of it out, and ask for a mother’s child",
        question="All of its numbers lie open. What do we know about what they do?",
        ability="say what can be seen inside a model, how one tells a finding from a pattern, and what the "
        "reversal curse is",
        minutes=25,
        start=at("0:11:22"),
    ),
    Lesson(
        number="07",
        name="finetuning",
        title="Finetuning into an assistant",
        effect="Slide from a dreamer of documents to an assistant, and train one",
        question="It can continue any document. What has to change, so that it answers instead?",
        ability="say what finetuning changes in a model and what it does not, and why good examples beat many",
        minutes=25,
        start=at("0:14:14"),
    ),
    Lesson(
        number="08",
        name="the_loop",
        title="The loop",
        effect="Mark a wrong answer, correct it, retrain, and deploy a version of your own",
        question="An assistant has said something wrong. How does it come to say something better tomorrow?",
        ability="go once round the loop that every assistant lives in, and say what a correction can break",
        minutes=20,
        start=at("0:17:52"),
    ),
)


def available() -> list[Lesson]:
    """The lessons whose file is there, in order."""
    return [lesson for lesson in LESSONS if lesson.file.exists()]


def find(name: str) -> Lesson:
    """The lesson with this number or name: "2", "02", "next_token" and "02_next_token" are the same."""
    for lesson in available():
        if name.removesuffix(".py") in (lesson.number, lesson.number.lstrip("0"), lesson.name, lesson.slug):
            return lesson
    raise LabError(
        f"There is no lesson {name!r}. There are: {', '.join(lesson.slug for lesson in available())}."
    )
