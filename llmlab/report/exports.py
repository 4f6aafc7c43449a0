"""Our exported files in other people's programs: do they split and continue a text as torch does?

A reader opens an export and becomes a function from a prompt to all tokens of its greedy text, the prompt's included,
by the program's own tokenizer. Nothing of ours is used but the file.

Read before: model/export.py, which writes the files; run_c.py, the same question for our own C.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.export import export
from llmlab.report.run_c import NEW, continues_as_torch

Continue = Callable[[str], list[int]]
Reader = Callable[[Path], Iterator[Continue]]


def needed(package: str, install: str) -> ModuleType:
    """A package that is there only for those who want it."""
    try:
        return import_module(package)
    except ImportError:
        raise LabError(
            f"The package {package} is not installed. Install it with: pip install {install}"
        ) from None


@contextmanager
def transformers(folder: Path) -> Iterator[Continue]:
    """Hugging Face's library, with its own tokenizer and network."""
    hub = needed("transformers", "'llmlab[export]'")
    words = hub.AutoTokenizer.from_pretrained(folder)
    network = hub.AutoModelForCausalLM.from_pretrained(folder)

    def speak(prompt: str) -> list[int]:
        ids = torch.tensor([words(prompt)["input_ids"]])
        with torch.inference_mode():
            made = network.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, do_sample=False, pad_token_id=0
            )[0].tolist()
        ends = network.generation_config.eos_token_id
        return made[:-1] if made[-1] in ends else made  # it writes down the token that ends a text

    yield speak


@contextmanager
def llama_cpp(file: Path) -> Iterator[Continue]:
    """llama.cpp by its Python binding, with fp32 weights and fp32 keys and values."""
    library = needed("llama_cpp", "llama-cpp-python")
    fp32 = library.GGML_TYPE_F32
    with closing(
        library.Llama(
            str(file), n_ctx=0, n_threads=1, type_k=fp32, type_v=fp32, logits_all=False, verbose=False
        )
    ) as network:
        ends = (network.token_eos(), network.token_bos())

        def speak(prompt: str) -> list[int]:
            ids = network.tokenize(prompt.encode("utf-8"), add_bos=True, special=False)
            network.reset()
            for made, token in enumerate(
                network.generate(list(ids), temp=0.0, repeat_penalty=1.0, reset=True)
            ):
                if token in ends or made == NEW or len(ids) == network.n_ctx():
                    break
                ids.append(token)
            return ids

        yield speak


READERS: dict[str, Reader] = {"hf": transformers, "gguf": llama_cpp}


def same_texts(to: str, reader: Reader, checkpoint: Checkpoint, prompts: Sequence[str]) -> int:
    """How many prompts a reader of our export splits as we do and continues as torch would. LabError without it."""
    with tempfile.TemporaryDirectory() as folder:
        file = export(to, Path(folder), checkpoint, "fp32")  # loses nothing
        with reader(file) as speak:
            return sum(continues_as_torch(checkpoint, prompt, speak(prompt)) for prompt in prompts)
