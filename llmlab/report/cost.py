"""What a training run costs: arithmetic, time, money, and how far the text was squeezed into the parameters.

Each parameter multiplies and adds once for each token on the way forward, and twice on the way back: 6 operations a
parameter and token. All else is division. A `Run` says what was spent; `plan` computes one that nobody has run.

Read next: bench.py, which measures the rate that this machine reaches.
Sources: 6·N·D, Kaplan et al. 2020 (arXiv:2001.08361), section 2.1; utilisation, Chowdhery et al. 2022
(arXiv:2204.02311), appendix B.
"""

from dataclasses import dataclass

from llmlab.errors import LabError
from llmlab.model.checkpoint import Checkpoint

HOUR, DAY = 3_600.0, 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """A training run: N `params` that saw D `tokens`; the text they were cut from; the machines, time and money.

    `text_bytes` counts each page once, `tokens` as often as it was read; `params` are stored in `bytes_per_param`
    each. `seconds` is wall time on all `devices` together, `dollars` what their rent was.
    """

    name: str
    params: float
    tokens: float
    text_bytes: float
    devices: int
    seconds: float
    dollars: float
    bytes_per_param: float = 2.0

    @property
    def flops(self) -> float:
        """Floating-point operations, forward and back."""
        return training_flops(self.params, self.tokens)

    @property
    def device_hours(self) -> float:
        return self.devices * self.seconds / HOUR

    @property
    def model_bytes(self) -> float:
        """The file that is left at the end."""
        return self.params * self.bytes_per_param

    @property
    def compression(self) -> float:
        """Bytes of text for each byte of the model: the talk's "about 100 times", lossy."""
        return self.text_bytes / self.model_bytes

    def utilisation(self, peak: float) -> float:
        """The share of the devices' `peak` (FLOP/s each) that the run made use of."""
        return self.flops / (self.devices * peak * self.seconds)


def training_flops(params: float, tokens: float) -> float:
    """6·N·D."""
    return 6.0 * params * tokens


def training_seconds(flops: float, devices: int, peak: float, utilisation: float) -> float:
    """Wall time on `devices` of `peak` FLOP/s each, of which `utilisation` (0 to 1) is reached."""
    if devices < 1 or peak <= 0 or not 0 < utilisation <= 1:
        raise LabError(
            "A run needs at least one device, a rate above 0, and a utilisation above 0 and up to 1."
        )
    return flops / (devices * peak * utilisation)


def plan(
    name: str,
    params: float,
    tokens: float,
    text_bytes: float,
    devices: int,
    peak: float,
    utilisation: float = 0.4,
    dollars_per_hour: float = 0.0,
    bytes_per_param: float = 2.0,
) -> Run:
    """A run as it would be: on `devices` of `peak` FLOP/s each, rented for `dollars_per_hour` each."""
    seconds = training_seconds(training_flops(params, tokens), devices, peak, utilisation)
    dollars = devices * seconds / HOUR * dollars_per_hour
    return Run(name, params, tokens, text_bytes, devices, seconds, dollars, bytes_per_param)


A100_PEAK = 312e12  # bf16 FLOP/s without sparsity: NVIDIA A100 data sheet, 2021

# As the talk tells it (Karpathy 2023, "Intro to large language models", 0:04:17): about 10 TB of text, 6,000 GPUs, 12
# days, 2 million dollars, and a file of 140 GB. Parameters and 2T tokens: Touvron et al. 2023 (arXiv:2307.09288),
# table 1.
LLAMA_2_70B = Run("Llama 2 70B", 70e9, 2e12, 10e12, 6_000, 12 * DAY, 2e6)
LLAMA_2_70B_GPU_HOURS = (
    1_720_320  # A100-80GB hours, the same paper, table 2; 6,000 GPUs for 12 days are 1,728,000
)


def own_run(checkpoint: Checkpoint, name: str = "this course") -> Run:
    """The run that made a checkpoint, from its provenance; one device, no rent.

    LabError where the checkpoint does not say how long it learned, from what.
    """
    said = checkpoint.provenance
    try:
        rows, width = said["config"]["rows"], said["config"]["model"]["block_size"]
        tokens, text, seconds = said["step"] * rows * width, said["train_bytes"], said["seconds"]
    except (KeyError, TypeError):
        raise LabError(
            "This model does not say how it was trained. Take one that `llmlab pretrain` made."
        ) from None
    return Run(name, checkpoint.model.n_params(), tokens, text, 1, seconds, 0.0)
