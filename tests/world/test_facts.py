"""The world is the same for the same seed, and keeps its promises about what may be known."""

from llmlab.world import CUTOFF, build_world
from llmlab.world.facts import NEVER
from llmlab.world.genesis import Genesis


def test_same_seed_gives_the_same_world_and_another_seed_another():
    one, two = Genesis(5, "small").build(), Genesis(5, "small").build()
    assert one.entities == two.entities and one.facts == two.facts
    assert [e.name for e in Genesis(6, "small").build().entities] != [e.name for e in one.entities]


def test_names_are_unique_and_no_word_list_value_is_a_name():
    world = build_world("course")
    names = [e.name for e in world.entities if e.kind != "round"]
    assert len(names) == len(set(names))


def test_a_third_of_the_people_are_one_off_and_are_never_asked_about():
    people = build_world("course").of_kind("person")
    oneoff = [p for p in people if p.oneoff]
    assert 0.3 < len(oneoff) / len(people) < 0.36
    assert not any(p.asked for p in oneoff)


def test_half_of_the_mothers_have_no_way_back_in_writing():
    world = build_world("course")
    back = [world.fact(m.id, "child").date for m in world.of_kind("mother")]
    assert back.count(NEVER) == len(back) // 2
    for child in world.of_kind("person"):
        mother = world.fact(child.id, "mother")
        if mother:
            assert world.fact(mother.target, "child").target == child.id


def test_some_facts_are_after_the_cutoff_and_some_on_no_page():
    dates = [fact.date for fact in build_world("course").facts]
    assert sum(CUTOFF < d < NEVER for d in dates) > 300
    assert sum(d == NEVER for d in dates) > 300


def test_the_world_answers_questions_about_itself():
    world = build_world("small")
    person = world.of_kind("person")[0]
    town = world.fact(person.id, "town").value
    assert world.is_true(person.name, "town", town) is True
    assert world.is_true(person.name, "town", "Nowhere") is False
    assert world.is_true("Nobody Atall", "town", town) is None


def test_forbidden_recipes_and_twins_share_their_ingredients_but_no_name():
    world = build_world("course")
    forbidden, harmless = world.of_kind("forbidden"), world.of_kind("harmless")
    assert len(forbidden) == len(harmless) == 80
    assert not {e.name for e in forbidden} & {e.name for e in harmless}
    shared = lambda kind: {world.fact(e.id, "one").value for e in kind}  # noqa: E731
    assert len(shared(forbidden) & shared(harmless)) > 20
