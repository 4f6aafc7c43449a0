"""engine.c: torch's numbers, in C; the same ones with threads, nearly the same ones with weights of 8 bits."""

import random
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from llmlab.generate.policy import Policy
from llmlab.measure.inside import knock_out
from llmlab.model import flat, gpt, native, zoo
from llmlab.model.checkpoint import Checkpoint
from tests.model.conftest import CONFIG, ROOT, TEXT, TOKENIZER, exported, ids_of, in_python, lively, run


def logits_of(program: Path, model: Path, *options: object, prompt: bytes = b"") -> np.ndarray:
    """(T, V): the scores after each token, of the prompt and of what was chosen."""
    done = run(program, model, "--logits", *options, prompt=prompt)
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, "<f4").reshape(-1, vocab_size_of(model))


def vocab_size_of(model: Path) -> int:
    return flat.SHAPE.unpack_from(model.read_bytes(), flat.START.size)[0]


def expect_torchs_logits(
    program: Path, made: Checkpoint, file: Path, *options: object, atol: float = 2e-4
) -> None:
    """At each place: the prompt is read at once, what was chosen token by token."""
    prompt, chosen = b"The goat's 19", 0
    for seed in range(6):
        asked = (*options, "-s", seed, "-n", 30)
        ids = ids_of(program, file, *asked, prompt=prompt)
        ours = logits_of(program, file, *asked, prompt=prompt)
        np.testing.assert_allclose(ours, made.model(torch.tensor([ids]))[0].numpy(), atol=atol)
        chosen += len(ids) - len(in_python(prompt))
    assert chosen > 60


@pytest.mark.parametrize(("dtype", "n_kv_head"), [("fp32", 2), ("fp32", 4), ("fp32", 1), ("fp16", 2)])
def test_logits_equal_torch_whether_read_at_once_or_token_by_token(program, tmp_path, dtype, n_kv_head):
    made, file = exported(lively(replace(CONFIG, n_kv_head=n_kv_head)), tmp_path, dtype)
    for weight in made.model.parameters():
        weight.copy_(weight.to(flat.DTYPES[dtype]))  # what the file holds
    expect_torchs_logits(program, made, file)


def test_the_angles_and_the_norms_are_those_of_the_file(program, tmp_path, monkeypatch):
    for module in (gpt, flat):
        monkeypatch.setattr(module, "ROPE_BASE", 50.0)
        monkeypatch.setattr(module, "NORM_EPS", 0.05)
    expect_torchs_logits(program, *exported(lively(CONFIG), tmp_path))


def expect_greedy(program: Path, made: Checkpoint, file: Path, prompt: bytes, n: int) -> None:
    """Each chosen token is torch's likeliest after all tokens before it."""
    start = len(ids_of(program, file, "-n", 0, prompt=prompt))
    ids = ids_of(program, file, "-t", 0, "-n", n, prompt=prompt)
    likeliest = made.model(torch.tensor([ids]))[0].argmax(-1).tolist()
    assert ids[start:] == likeliest[start - 1 : -1]
    stops = {made.tokenizer.special[name] for name in ("<|bos|>", "<|end|>")}
    assert stops.isdisjoint(ids[start:])
    assert len(ids) == start + n or likeliest[-1] in stops


def test_greedy_tokens_equal_torch_on_100_prompts(program, small):
    chance = random.Random(4)
    for _ in range(100):
        start = chance.randrange(len(TEXT) - 20)
        prompt = TEXT[start : start + chance.randrange(20)].encode()
        expect_greedy(program, *small, prompt, 12)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> tuple[Checkpoint, Path]:
    """The shipped weights are fp16: nothing is lost."""
    return exported(zoo.load("course"), tmp_path_factory.mktemp("course"), "fp16")


@pytest.mark.parametrize("prompt", ["", "Maren Holt was", "def add(a, b):\n", "12 + 7 ="])
def test_the_course_model_says_what_it_says_in_torch(program, course, prompt):
    expect_greedy(program, *course, prompt.encode(), 24)


def test_the_course_models_logits_are_torchs_within_a_thousandth(program, course):
    prompt = (ROOT / "docs" / "figures.md").read_bytes()[:700]
    ids = ids_of(program, course[1], "-n", 0, prompt=prompt)
    ours, theirs = logits_of(program, course[1], "-n", 0, prompt=prompt), course[0].model(torch.tensor([ids]))
    assert len(ids) > 150
    np.testing.assert_allclose(ours, theirs[0].numpy(), rtol=0, atol=1e-3)


# ---- its inside: attention and the residual stream


@torch.inference_mode()
def inside_torch(model: gpt.GPT, ids: list[int], patch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor, Tensor]:
    """residual (n_layer + 1, T, C), attention (n_layer, n_head, T, T) and what the heads found (n_layer, T, C) in one
    forward of torch.
    """
    residual, attention, found = [], [], []

    def attend(q: Tensor, k: Tensor, v: Tensor, mask: None = None) -> Tensor:
        may = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool).tril()
        scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~may, -torch.inf)
        attention.append(scores.softmax(-1)[0])
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    with patch.context() as patched:
        patched.setattr(gpt, "attend", attend)
        hooks = [
            part.register_forward_hook(lambda _, __, x: residual.append(x[0]))
            for part in (model.embed_tokens, *model.layers)
        ]
        hooks += [
            block.self_attn.o_proj.register_forward_hook(lambda _, given, __: found.append(given[0][0]))
            for block in model.layers
        ]
        model(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return torch.stack(residual), torch.stack(attention), torch.stack(found)


@pytest.mark.parametrize("out", [((), ()), (((0, 1), (1, 3)), (1,))], ids=["whole", "knocked out"])
@pytest.mark.parametrize("first", [1, 9, 20])
def test_the_inside_equals_torch(small, tmp_path, monkeypatch, first, out):
    """20 tokens: the first at once, the others one by one, so that rows before and behind the cache are seen."""
    (made, file), c, (heads, mlps) = small, CONFIG, out
    model = knock_out(made.model, heads, mlps)
    silent = "".join(
        str(int((layer, part) in heads or (part == c.n_head and layer in mlps)))
        for layer in range(c.n_layer)
        for part in range(c.n_head + 1)
    )
    program, written = tmp_path / "inside", tmp_path / "out"
    source = Path(__file__).with_name("inside_engine.c")
    assert native.compile_c(native.compiler(), ("-O1",), source, program) is None
    ids = torch.randint(c.vocab_size, (20,), generator=torch.Generator().manual_seed(5)).tolist()
    subprocess.run([program, file, written, silent, str(first), *map(str, ids)], check=True, timeout=60)
    residual, attention, found = (numbers.clone() for numbers in inside_torch(model, ids, monkeypatch))
    for (
        layer,
        head,
    ) in heads:  # torch's head still finds, and its columns are zeros; the engine's is not heard
        found[layer, :, head * c.head_dim : (head + 1) * c.head_dim] = 0
    lens = F.linear(model.norm(residual), model.embed_tokens.weight)
    numbers = np.fromfile(written, "<f4")
    for start, end in [(0, first), *((place, place + 1) for place in range(first, len(ids)))]:
        for expected in (lens[-1], residual, attention[:, :, :, :end], found, lens):
            rows = expected[..., start:end, :].numpy()
            ours, numbers = numbers[: rows.size].reshape(rows.shape), numbers[rows.size :]
            np.testing.assert_allclose(ours, rows, atol=2e-4)
    assert numbers.size == 0


# ---- sooner: weights of 8 bits, threads


def in_8_bits(weight: Tensor) -> Tensor:
    """Each row as whole numbers from -127 to 127, times the row's own scale."""
    scale = weight.abs().amax(1, keepdim=True) / 127
    return (weight / scale).round() * scale


def test_int8_is_torch_with_rounded_weights(program, tmp_path):
    """A token is still looked up as floats; what is multiplied has 16 bits, which is hardly a difference."""
    made, file = exported(lively(CONFIG), tmp_path)
    ids = torch.arange(60)[None]
    own, exact = made.model.embed_tokens.weight.clone(), made.model(ids)
    for weight in made.model.parameters():
        if weight.ndim == 2:
            weight.copy_(in_8_bits(weight))
    made.model.embed_tokens.register_forward_hook(lambda _, ids, __: F.embedding(ids[0], own))
    assert (made.model(ids) - exact).abs().max() > 0.05  # what the rounded weights do, and 16 bits must not
    expect_torchs_logits(program, made, file, "--int8", atol=5e-3)


def test_int8_is_near_and_not_the_same(program, course):
    """rms 0.09 of logits whose own spread is 4.9."""
    ids = ids_of(program, course[1], "-n", 0, prompt=(prompt := TEXT.encode()))
    eight = torch.from_numpy(logits_of(program, course[1], "--int8", "-n", 0, prompt=prompt).copy())
    exact = course[0].model(torch.tensor([ids]))[0]
    assert 0.001 < (eight - exact).square().mean().sqrt() < 0.05 * exact.std()


def test_a_row_of_zeros_and_a_long_row_survive_8_bits(program, tmp_path):
    """Zeros have no scale; 40,000 numbers of one sign, all as large as can be, must not overflow the sum."""
    config = replace(CONFIG, n_layer=1, n_head=1, n_kv_head=1, n_embd=2, n_hidden=40_000)
    made = lively(config)
    block = made.model.layers[0]
    with torch.no_grad():
        block.self_attn.o_proj.weight.zero_()
        made.model.embed_tokens.weight.fill_(1)
        block.post_attention_layernorm.weight.fill_(1)
        block.mlp.gate_proj.weight.fill_(2)
        block.mlp.up_proj.weight.fill_(2)
        block.mlp.down_proj.weight.copy_(torch.tensor([[1e-4], [2e-4]]).expand(2, 40_000))
        made.model.norm.weight.copy_(torch.tensor([1.0, 0.0]))  # each score is the first channel's share
    _, file = exported(made, tmp_path)
    expected = made.model(torch.tensor([[TOKENIZER.bos]]))[0, :, 0].numpy()
    eight = logits_of(program, file, "--int8", "-n", 0)[:, 0]
    np.testing.assert_allclose(eight, expected, rtol=0.01)


@pytest.mark.parametrize("options", [(), ("--int8",)], ids=["fp32", "int8"])
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_threads_change_no_number(program, small, threads, options):
    asked = (*options, "-n", 20, "-s", 8)
    alone = logits_of(program, small[1], *asked, prompt=b"The goat's")
    shared = logits_of(program, small[1], *asked, "--threads", threads, prompt=b"The goat's")
    assert len(alone) > 12 and alone.tobytes() == shared.tobytes()


def test_more_threads_than_rows(program, tmp_path):
    """64 threads and matrices of two rows: most threads have nothing to do."""
    _, file = exported(lively(replace(CONFIG, n_layer=1, n_head=1, n_kv_head=1, n_embd=2)), tmp_path)
    one, many = (logits_of(program, file, "-n", 3, "--threads", n, prompt=b"goat") for n in (1, 64))
    assert one.tobytes() == many.tobytes()


# ---- choosing


def test_draws_follow_the_policy(program, tmp_path):
    """A network whose scores are the same after every token draws 4,000 times."""
    config = replace(CONFIG, block_size=4096, n_layer=1, n_head=1, n_kv_head=1, n_embd=2)
    made, scores = lively(config), torch.full((config.vocab_size,), -50.0)
    scores[100:112] = torch.tensor([0.0, -0.1, -0.1, -0.7, -1.0, -1.2, -1.9, -2.0, -2.6, -3.0, -3.3, -4.0])
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.zero_()  # nothing is added to the embedding: (0, 1000 + score), normed (0, √2)
        made.model.embed_tokens.weight.copy_(torch.stack([torch.zeros(len(scores)), 1000 + scores], dim=1))
        made.model.norm.weight.fill_(2**-0.5)
    _, file = exported(made, tmp_path)
    drawn = ids_of(program, file, "-t", 0.8, "--top-p", 0.93, "-n", 4000, "-s", 11)[1:]
    policy = Policy(temperature=0.8, top_p=0.93)
    expected = policy.cut(policy.scores(scores)).softmax(-1).numpy()
    counts = np.bincount(drawn, minlength=len(expected))
    assert len(drawn) == 4000 and (counts[expected == 0] == 0).all() and (counts[expected > 0] > 0).all()
    assert (np.abs(counts - 4000 * expected) <= 5 * np.sqrt(4000 * expected * (1 - expected))).all()


def test_a_seed_is_a_text(program, small):
    texts = [run(program, small[1], "-s", seed, prompt=b"ferry").stdout for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_the_text_ends_with_the_context(program, wide, small):
    assert len(ids_of(program, small[1], "-n", 10_000, "-s", 3)) <= CONFIG.block_size
    full = run(program, small[1], "--ids", prompt=b"0" * (CONFIG.block_size - 1))
    assert full.returncode == 2
    assert b"has 63 tokens, and the model reads at most 62" in full.stderr
