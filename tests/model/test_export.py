"""Exports: the names, the shapes and the vocabulary that other programs expect; nothing half written."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
import regex
import safetensors.torch
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmlab import cli
from llmlab.errors import LabError
from llmlab.model import export as formats
from llmlab.model.checkpoint import Checkpoint
from llmlab.model.export import FORMATS, byte_letters, export, merges, neighbours, spelled
from llmlab.model.gpt import GPT, GPTConfig, rotary_angles, rotate
from llmlab.text.bpe import SPLIT
from llmlab.text.tokenizer import SPECIAL, Tokenizer

TEXT = "It's the goat's ferry, we'll see: 1984 grüße, 東京 <|end|>\n\n\tdef f(x):\r\n    return  x\n"
WORDS = Tokenizer.train([TEXT * 9, "a ferry on the sea, the seal and the ferry " * 9], 420)
CONFIG = GPTConfig(WORDS.vocab_size, 64, n_layer=2, n_head=4, n_kv_head=2, n_embd=48, n_hidden=40)


def lively(config: GPTConfig = CONFIG, seed: int = 1) -> Checkpoint:
    """A network in which every weight matters."""
    model, draw = GPT(config, seed), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=draw) * 0.3)
    return Checkpoint(model.requires_grad_(False).eval(), config, WORDS, {})


# ---- the vocabulary, as a list of pairs ----


def by_pairs(text: str) -> list[str]:
    """Byte pair encoding as every textbook has it: of all neighbours, the pair that stands first in the list."""
    rank = {pair: i for i, pair in reversed(list(enumerate(merges(WORDS))))}
    found = []
    for piece in regex.findall(SPLIT, text):
        parts = [byte_letters()[byte] for byte in piece.encode("utf-8", errors="replace")]
        while pairs := [(rank[pair], i) for i, pair in enumerate(pairwise(parts)) if pair in rank]:
            _, i = min(pairs)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        found += parts
    return found


@settings(max_examples=150)
@given(st.text(alphabet="aefhirstuy '\n1東ß", max_size=40))
@example(TEXT)
@example("the ferry's sea")
def test_the_list_of_pairs_gives_tiktokens_tokens(text: str):
    assert by_pairs(text) == [spelled(WORDS.token_bytes(token)) for token in WORDS.encode(text)]


def test_letters_for_bytes_are_256_that_can_be_printed():
    assert len(set(byte_letters())) == 256 and all(letter.isprintable() for letter in byte_letters())
    assert spelled(b" the") == "Ġthe" and spelled("ß".encode()) == "ÃŁ"  # as in GPT-2's own vocabulary


# ---- Hugging Face ----


def test_hf_holds_every_weight_under_llamas_name(tmp_path: Path):
    made = lively()
    assert export("hf", tmp_path / "a" / "b", made, "fp32") == tmp_path / "a" / "b"
    stored = safetensors.torch.load_file(tmp_path / "a" / "b" / "model.safetensors")
    ours = dict(made.model.named_parameters())
    assert stored.keys() == {f"model.{name}" for name in ours}
    assert all(torch.equal(stored[f"model.{name}"], weight) for name, weight in ours.items())


def test_hf_describes_the_network_and_keeps_the_wall(tmp_path: Path):
    export("hf", tmp_path, lively(), "fp16")
    config, words, about = (
        json.loads((tmp_path / name).read_text(encoding="utf-8"))
        for name in ("config.json", "tokenizer.json", "tokenizer_config.json")
    )
    assert (config["hidden_size"], config["num_key_value_heads"], config["head_dim"]) == (48, 2, 12)
    assert config["tie_word_embeddings"] and config["torch_dtype"] == "float16"
    assert about["split_special_tokens"]
    assert [token["content"] for token in words["added_tokens"]] == list(SPECIAL)
    ids = list(words["model"]["vocab"].values()) + [token["id"] for token in words["added_tokens"]]
    assert ids == list(range(WORDS.vocab_size))


# ---- GGUF ----


def test_neighbours_turn_together_as_halves_do_with_us():
    """llama.cpp turns channels 2i and 2i + 1; after the exchange of rows that gives the same scores."""
    made, D = lively(), CONFIG.head_dim
    x = torch.randn(1, 5, CONFIG.n_embd, generator=torch.Generator().manual_seed(0))
    cos, sin = (table[:5] for table in rotary_angles(CONFIG))
    attention = made.model.layers[0].self_attn

    def heads(weight: torch.Tensor) -> torch.Tensor:
        return (x @ weight.T).view(1, 5, -1, D).transpose(1, 2)

    def by_neighbours(y: torch.Tensor) -> torch.Tensor:
        a, b = y[..., 0::2], y[..., 1::2]
        return torch.stack((a * cos - b * sin, b * cos + a * sin), dim=-1).flatten(-2)

    q, k = attention.q_proj.weight, attention.k_proj.weight
    ours = rotate(heads(q), cos, sin)[:, ::2] @ rotate(heads(k), cos, sin).transpose(-2, -1)
    theirs = by_neighbours(heads(neighbours(q, D)))[:, ::2] @ by_neighbours(heads(neighbours(k, D))).mT
    torch.testing.assert_close(theirs, ours)
    assert not torch.allclose(by_neighbours(heads(q))[:, ::2] @ by_neighbours(heads(k)).mT, ours)


def test_gguf_holds_every_weight_and_the_vocabulary(tmp_path: Path):
    gguf = pytest.importorskip(
        "gguf", reason="the package gguf is not installed: pip install 'llmlab[export]'"
    )
    made = lively()
    file = gguf.GGUFReader(export("gguf", tmp_path, made, "fp32"))
    stored = {tensor.name: torch.from_numpy(tensor.data.copy()) for tensor in file.tensors}
    assert len(stored) == len(list(made.model.named_parameters()))
    assert torch.equal(stored["token_embd.weight"], made.model.embed_tokens.weight)
    assert torch.equal(stored["blk.1.attn_norm.weight"], made.model.layers[1].input_layernorm.weight)
    assert torch.equal(stored["blk.1.ffn_down.weight"], made.model.layers[1].mlp.down_proj.weight)
    k = made.model.layers[0].self_attn.k_proj.weight
    assert torch.equal(stored["blk.0.attn_k.weight"], neighbours(k, CONFIG.head_dim))
    tokens = file.get_field("tokenizer.ggml.tokens").contents()
    assert tokens[300] == spelled(WORDS.token_bytes(300)) and tokens[-len(SPECIAL) :] == list(SPECIAL)
    assert file.get_field("llama.attention.head_count_kv").contents() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_without_the_package_gguf_says_what_to_install(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(formats, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(LabError, match="pip install"):
        export("gguf", tmp_path, lively())
    assert list(tmp_path.iterdir()) == []


# ---- what can go wrong ----


@pytest.mark.parametrize(("to", "dtype"), [("onnx", "fp16"), ("hf", "int3"), ("flat", "")])
def test_an_unknown_format_is_one_sentence_and_nothing_written(tmp_path: Path, to: str, dtype: str):
    with pytest.raises(LabError, match="Choose one of"):
        export(to, tmp_path / "out", lively(), dtype)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["hf", "flat"])
def test_weights_beyond_16_bits_are_refused(tmp_path: Path, to: str):
    made = lively()
    made.model.norm.weight[0] = 1e6
    with pytest.raises(LabError, match="fp32"):
        export(to, tmp_path, made, "fp16")
    assert list(tmp_path.iterdir()) == []
    assert export(to, tmp_path, made, "fp32").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("here", encoding="utf-8")
    for to in FORMATS:
        with pytest.raises(LabError, match="could not be written"):
            export(to, tmp_path / "file" / "sub", lively(), "fp16")


def test_the_command_writes_what_it_says(tmp_path: Path, capsys):
    cli.export(tmp_path, to="hf", model="pocket")
    said = capsys.readouterr().out
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert f"{size:,} bytes" in said and "from_pretrained" in said
