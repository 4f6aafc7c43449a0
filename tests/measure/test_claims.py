"""Claims: what the checker says about texts whose truth is known."""

from llmlab.measure.claims import PROSE, Checker, patterns
from llmlab.measure.dreams import covering, shares
from llmlab.report.figures import explicit
from llmlab.world.crawl import press
from llmlab.world.genesis import build_world


def verdicts(checker: Checker, text: str) -> dict[str, str]:
    return {claim.attribute: claim.verdict for claim in checker.claims(text)}


def test_a_sentence_is_true_false_or_about_nobody():
    world = build_world("small", 1)
    checker = Checker(world)
    person = next(p for p in world.of_kind("person") if world.fact(p.id, "town"))
    town = world.fact(person.id, "town").value
    other = next(t.name for t in world.of_kind("town") if t.name != town)
    assert verdicts(checker, f"{person.name} lives in {town}.") == {"town": "true"}
    assert verdicts(checker, f"{person.name} lives in {other}.") == {"town": "false"}
    assert verdicts(checker, f"Wenna Wiskwisk lives in {town}.") == {"town": "nothing"}
    assert verdicts(checker, "It rained all day.") == {}


def test_a_plant_is_not_an_unknown_animal():
    """Both are called by two words: a name that somebody bears is not read as the name of nobody."""
    maker = press("small", 1)
    checker = Checker(maker.world)
    plant = maker.world.of_kind("plant")[0]
    assert not checker.could_be("animal", plant.name)
    assert checker.could_be("plant", plant.name)


def test_of_two_readings_the_one_with_more_words_of_its_own_counts():
    """ "Needs beeswax, too" is said of a third ingredient, "needs beeswax" of a second."""
    maker = press("small", 1)
    recipe = maker.world.of_kind("forbidden")[0]
    second, third = (maker.world.fact(recipe.id, name).value for name in ("two", "three"))
    name = recipe.name.capitalize()
    checker = Checker(maker.world, tuple(p for p in patterns() if explicit(p)))
    assert verdicts(checker, f"{name} needs {third}, too.") == {"three": "true"}
    assert verdicts(checker, f"{name} needs {second}.") == {"two": "true"}


def test_claims_on_true_pages_are_true():
    maker = press("small", 1)
    checker = Checker(maker.world)
    found = [c for i in range(900) for c in read(checker, maker.page(i))]
    wrong = [claim for claim in found if claim.verdict != "true"]
    assert len(found) > 1_200
    assert len(wrong) / len(found) < 0.01, wrong


def test_sentences_that_name_their_subject_state_nothing_false():
    maker = press("small", 1)
    checker = Checker(maker.world)
    named = Checker(maker.world, tuple(p for p in checker.patterns if explicit(p)))
    wrong = [c for i in range(900) for c in read(named, maker.page(i)) if c.verdict != "true"]
    assert not wrong


def read(checker: Checker, page) -> list:
    return checker.claims(page.text) if page.kind in PROSE else []


def test_most_of_what_a_page_states_is_found():
    maker = press("small", 1)
    checker = Checker(maker.world)
    stated = found = 0
    for i in range(600):
        page = maker.page(i)
        if page.kind == "encyclopedia":
            stated += len(page.facts)
            found += len(checker.claims(page.text))
    assert found / stated > 0.6


def test_a_swapped_value_is_caught():
    """Exchange the town of a true page for another: the claim about it becomes false."""
    maker = press("small", 1)
    checker, world = Checker(maker.world), maker.world
    towns = [t.name for t in world.of_kind("town")]
    caught = tried = 0
    for i in range(600):
        page = maker.page(i)
        if page.kind != "encyclopedia":
            continue
        for claim in checker.claims(page.text):
            if claim.attribute == "town" and claim.verdict == "true":
                other = next(t for t in towns if t != claim.value)
                text = page.text[: claim.start] + other + page.text[claim.end :]
                tried += 1
                caught += any(c.start == claim.start and c.verdict == "false" for c in checker.claims(text))
    assert tried > 20 and caught / tried > 0.95


def test_covering_and_shares():
    assert covering([0, 3, 2, 1, 0]).tolist() == [0, 3, 3, 3, 0]
    assert shares([]) == {"copied": 0, "true": 0, "false": 0, "nothing": 0}
