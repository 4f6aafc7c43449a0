"""Numbers that look right: the shop's catalogue numbers, and the three questions one can ask about a dreamt one.

Has it the form of a catalogue number? Is its last digit the check digit of the others? Is it the number of the product
that is named? The form can be seen in any listing, so a model learns it soon. A check digit is arithmetic. The number
itself is a fact, and can only have been read.

The catalogue of the Isles has eight digits, like the short codes of shops (EAN-8), whose rule is that of ISBN-13: the
digits times 3 and 1 by turns, and the last one fills up to a multiple of ten. Its own numbers follow no such rule: the
last digit is drawn by lot. So one true number in ten has the right check digit by chance, and one dreamt in ten.

Read next: exam.py.
Source: GS1 General Specifications, section 7.9 (check digit); ISO 2108 (ISBN).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmlab.generate.engine import generate
from llmlab.generate.policy import Policy
from llmlab.model.checkpoint import Checkpoint
from llmlab.world.facts import Entity, World

FORM = re.compile(r"QI [1-9]\d\d-[1-9]\d{3}-\d")
LONGEST = 20  # tokens of a dreamt number: "QI", a blank, eight digits, two hyphens, and some room


def check_digit(digits: str) -> int:
    """The last digit that belongs to these: with weights 3 and 1 from the right, it fills up to a multiple of ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


@dataclass(frozen=True, slots=True)
class Dreamt:
    """A number that a model wrote for a product, and the name of the product whose number it is ("" for nobody's)."""

    product: str
    written: str
    owner: str

    @property
    def has_form(self) -> bool:
        return bool(FORM.fullmatch(self.written))

    @property
    def has_check_digit(self) -> bool:
        digits = "".join(c for c in self.written if c.isdigit())
        return self.has_form and check_digit(digits[:-1]) == int(digits[-1])

    @property
    def is_real(self) -> bool:
        """Whether it is the number of the product that is named."""
        return self.owner == self.product


def listing(product: str) -> str:
    """How a page of the shop begins that goes on with the number."""
    return f"In the window this week: {product}\nNumber:"


def catalogue(world: World) -> dict[str, str]:
    """{number: product} of all products."""
    facts = ((world.fact(p.id, "number"), p.name) for p in world.of_kind("product"))
    return {fact.value: name for fact, name in facts if fact}


def dream_numbers(
    checkpoint: Checkpoint, world: World, products: Sequence[Entity], policy: Policy, seed: int = 0
) -> Iterator[Dreamt]:
    """One listing a product, written up to the end of its number; product i draws with the seed `seed` + i."""
    owners = catalogue(world)
    for i, product in enumerate(products):
        steps = generate(checkpoint, listing(product.name), policy, seed + i, LONGEST)
        written = "".join(step.text for step in steps).split("\n")[0].strip()
        yield Dreamt(product.name, written, owners.get(written, ""))
