"""Catalogue numbers: the rule against numbers that shops have printed, and the three questions."""

import random

from hypothesis import given
from hypothesis import strategies as st

from llmlab.generate.policy import Policy
from llmlab.measure.numbers import FORM, Dreamt, catalogue, check_digit, dream_numbers, listing
from llmlab.model import zoo
from llmlab.world.genesis import build_world

PRINTED = ("9780306406157", "73513537", "4006381333931", "9780201379624")  # ISBN-13, EAN-8, EAN-13, ISBN-13


def test_the_rule_gives_the_digits_that_are_printed():
    assert all(check_digit(number[:-1]) == int(number[-1]) for number in PRINTED)


@given(st.text("0123456789", min_size=7, max_size=12), st.data())
def test_one_wrong_digit_is_always_noticed(digits: str, data):
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[place]]))
    assert check_digit(digits) != check_digit(digits[:place] + other + digits[place + 1 :])


def test_every_number_of_the_catalogue_has_the_form_and_follows_no_rule():
    own = catalogue(build_world())
    assert len(own) == 400 and all(FORM.fullmatch(number) for number in own)
    right = sum(Dreamt(name, number, name).has_check_digit for number, name in own.items())
    assert 20 <= right <= 60  # one in ten by chance; 2.5 standard deviations are 15


def test_the_three_questions():
    own = Dreamt("rope", "QI 735-1353-7", "rope")
    assert own.has_form and own.has_check_digit and own.is_real
    other = Dreamt("rope", "QI 735-1353-8", "lamp")
    assert other.has_form and not other.has_check_digit and not other.is_real
    for written in ("QI 35-1353-7", "QI 735-1353-77", "", "7351353", "QI 735-1353-7."):
        nobody = Dreamt("rope", written, "")
        assert not (nobody.has_form or nobody.has_check_digit or nobody.is_real)


def test_a_dreamt_number_is_what_the_model_writes_after_the_listing():
    world, model = build_world(), zoo.load("course")
    products = random.Random(3).sample(world.of_kind("product"), 6)
    found = list(dream_numbers(model, world, products, seed=5, policy=Policy()))
    assert [one.product for one in found] == [p.name for p in products]
    assert found == list(dream_numbers(model, world, products, seed=5, policy=Policy()))
    assert sum(one.has_form for one in found) >= 4  # the form is in every listing that it read
    owners = catalogue(world)
    assert all(one.owner == owners.get(one.written, "") for one in found)
    assert listing(products[0].name).endswith("\nNumber:")
