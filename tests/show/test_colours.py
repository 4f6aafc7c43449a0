"""Every colour can be read and told apart: contrast, and four kinds of colour vision.

1. WCAG 2 contrast of each text on its ground (4.5) and each mark on each surface (3.0), in both themes.
2. Smallest OKLab distance between the colours of a group, for normal vision and for protanopia,
   deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009, severity 1.0).
3. Ramps: lightness moves one way in even steps for each kind of vision.
4. The two dark blocks of tokens.css agree, and the plotly template uses colours of tokens.css and no others.
"""

import itertools
import json
import re

import numpy as np
import pytest

from llmlab.show.bundle import read

TEXT, MARK = 4.5, 3.0
NEAR_NORMAL = 0.13  # OKLab, inside a group of meanings, normal vision
NEAR_CVD = 0.10  # the same, simulated colour-vision deficiency
NEAR_SERIES = 0.08  # series also have a dash and a label at their end
NEAR_ACROSS = 0.05  # meanings of different groups, normal vision only
RAMP_STEP = 0.055  # OKLab lightness between neighbours on a ramp

TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}

SURFACES = ["paper", "panel", "raised"]
VERDICTS = ["copied", "true", "false", "nothing"]
AUTHORS = ["system", "user", "assistant", "tool"]
SECURITY = ["attack", "defence"]
MEANINGS = VERDICTS + AUTHORS + SECURITY
SERIES = [f"s-{n}" for n in range(1, 7)]
SEEN = [  # groups that have to be told apart: names, least distance, least distance with a deficiency
    (VERDICTS, NEAR_NORMAL, NEAR_CVD),
    (AUTHORS, NEAR_NORMAL, NEAR_CVD),
    (SECURITY, NEAR_NORMAL, NEAR_CVD),
    (SERIES, NEAR_SERIES, NEAR_SERIES),
    (["d-neg-3", "d-0", "d-pos-3"], NEAR_NORMAL, NEAR_CVD),
    (["d-neg-2", "d-0", "d-pos-2"], NEAR_NORMAL, NEAR_CVD),
]


def blocks() -> list[dict[str, str]]:
    """The colours of the light block, the dark block for the system's setting, and the forced dark block."""
    css = re.sub(r"/\*.*?\*/", "", read("tokens.css"), flags=re.S)
    bodies = re.findall(r"\{([^{}]*)\}", css)
    found = [dict(re.findall(r"--ll-([\w-]+):\s*(#[0-9a-fA-F]{6})\s*;", body)) for body in bodies]
    return [colours for colours in found if colours]


LIGHT, DARK, FORCED = blocks()
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def oklab(colour: str, vision: str = "normal") -> np.ndarray:
    return TO_LAB @ np.cbrt(TO_LMS @ np.clip(VISION[vision] @ linear(colour), 0, 1))


def distance(a: str, b: str, vision: str = "normal") -> float:
    return float(np.linalg.norm(oklab(a, vision) - oklab(b, vision)))


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert oklab("#ffffff") == pytest.approx([1, 0, 0], abs=1e-4)


@THEMES
def test_text_can_be_read(theme):
    pairs = [(f"on-p-{n}", f"p-{n}") for n in range(7)] + [("on-ink", "ink")]
    pairs += [(t, s) for s in SURFACES for t in ("ink", "ink-2", "ink-3", *(f"{m}-ink" for m in MEANINGS))]
    pairs += [(t, f"{m}-wash") for m in MEANINGS for t in ("ink", f"{m}-ink")]
    pairs += [("ink", water) for water in ("land", "sea-1", "sea-2", "sea-3")]
    assert {p: c for p in pairs if (c := contrast(theme[p[0]], theme[p[1]])) < TEXT} == {}


@THEMES
def test_marks_can_be_seen(theme):
    marks = ["rule-2", *MEANINGS, *SERIES, "p-4", "p-5", "p-6", "d-neg-3", "d-pos-3"]
    pairs = [(m, s) for s in SURFACES for m in marks] + [(m, f"{m}-wash") for m in MEANINGS]
    pairs += [(v, f"{a}-wash") for a in AUTHORS for v in VERDICTS]  # a verdict's line in an author's region
    assert {p: c for p in pairs if (c := contrast(theme[p[0]], theme[p[1]])) < MARK} == {}


@THEMES
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    "names, normal, deficient", SEEN, ids=lambda v: v[0] if isinstance(v, list) else None
)
def test_meanings_can_be_told_apart(theme, vision, names, normal, deficient):
    least = normal if vision == "normal" else deficient
    pairs = itertools.combinations(names, 2)
    assert {p: d for p in pairs if (d := distance(theme[p[0]], theme[p[1]], vision)) < least} == {}


@THEMES
def test_meanings_of_different_groups_are_not_the_same_colour(theme):
    pairs = itertools.combinations(MEANINGS, 2)
    assert {p: d for p in pairs if (d := distance(theme[p[0]], theme[p[1]])) < NEAR_ACROSS} == {}


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme, sign", [(LIGHT, -1), (DARK, 1)], ids=["light", "dark"])
def test_ramps_move_one_way_in_steps(theme, sign, vision):
    """More probable, and more different, is further from the paper."""
    ramps = [[f"p-{n}" for n in range(7)]]
    ramps += [["d-0", *(f"d-{side}-{n}" for n in (1, 2, 3))] for side in ("neg", "pos")]
    for names in ramps:
        lightness = [sign * oklab(theme[name], vision)[0] for name in names]
        assert np.diff(lightness).min() >= RAMP_STEP, names


def test_the_dark_blocks_agree_and_name_what_light_names():
    assert DARK == FORCED
    assert LIGHT.keys() == DARK.keys()


def test_plotly_uses_the_tokens_and_no_other_colours():
    templates = json.loads(read("plotly_template.json"))
    assert templates.keys() == {"llmlab_light", "llmlab_dark"}
    for name, colours in (("llmlab_light", LIGHT), ("llmlab_dark", DARK)):
        used = {c.lower() for c in re.findall(r"#[0-9a-fA-F]{6}", json.dumps(templates[name]))}
        assert used <= {c.lower() for c in colours.values()}
