"""Conversations about facts: a question, its follow-ups, a correction, and "I don't know" where nothing is known.

A model should be taught to answer only what it knows already: who is taught facts that pretraining never gave them
learns to make up answers (Gekhman et al. 2024, arXiv:2405.05904). So whoever asks for conversations says which facts
the base model knows (measure/knowledge.py finds out), and all other questions get "… I don't know".

Read next: tasks.py.
"""

from collections.abc import Collection

from llmlab.world import names
from llmlab.world.draft import Draft, Unfit
from llmlab.world.facts import Entity, Fact, World
from llmlab.world.genesis import word_lists
from llmlab.world.grammar import LETTER_OF_KIND, Form, Slot
from llmlab.world.talk.conversation import Conversation, exchange
from llmlab.world.talk.phrases import attributes, cast, forms, grammar, say

DONT_KNOW = "I don't know"
FOLLOW_UPS = 3  # at most, after the first question
NOT_INVENTED = (
    "island",
    "oil",
    "harmless",
    "forbidden",
)  # kinds of which there are few, or with English names


def kinds() -> dict[str, list[str]]:
    """{kind of entity: the attributes that can be asked}."""
    found: dict[str, list[str]] = {}
    for kind, attribute in attributes():
        found.setdefault(kind, []).append(attribute)
    return found


def refusal(draft: Draft, kind: str, attribute: str) -> str:
    """An answer that begins like any other and breaks off where the value should come: one does not know it.

    The place matters. What a model knows shows where it has to say it, so that is where it can tell that it knows
    nothing; asked to refuse with its first word, it went by the name alone (docs/decisions.md).
    """
    options = [form for form in forms(f"{kind}.{attribute} tell") if value_at(form, attribute) is not None]
    form = draft.weighted(options)
    beginning = draft.walk(form.nodes[: value_at(form, attribute)])
    return f"{beginning.rstrip(' *')} … {DONT_KNOW}."


def value_at(form: Form, attribute: str) -> int | None:
    """Which node of an answer prints the value; None where it stands inside a choice."""
    slots = (
        i for i, node in enumerate(form.nodes) if isinstance(node, Slot) and node.path[:1] == (attribute,)
    )
    return next(slots, None)


def reply(draft: Draft, fact: Fact, known: Collection[int], short: bool = False) -> str:
    """The answer to a question for this fact, by who knows what."""
    kind = draft.world.entities[fact.subject].kind
    if fact.id not in known:
        return refusal(draft, kind, fact.attribute)
    return say(draft, f"{kind}.{fact.attribute} {'short' if short else 'tell'}")


def askable(world: World, entity: Entity) -> list[Fact]:
    """The facts of an entity for which there are questions."""
    found = (world.fact(entity.id, attribute) for attribute in kinds().get(entity.kind, ()))
    return [fact for fact in found if fact is not None]


def one_question(draft: Draft, fact: Fact, known: Collection[int], wording: str = "ask") -> Conversation:
    """A question and its answer. wording: "ask", or "held" for the exam."""
    entity = draft.world.entities[fact.subject]
    kind = cast(draft, entity)
    question = say(draft, f"{kind}.{fact.attribute} {wording}")
    cast(draft, entity)
    return exchange("fact", question, reply(draft, fact, known), facts=(fact.id,))


def follow_ups(
    draft: Draft, entity: Entity, facts: list[Fact], known: Collection[int], meant: list[Fact]
) -> Conversation:
    """Several questions for facts of one entity; at times the user then says that they meant somebody else.

    meant: that other one's facts, one of which is about the same attribute if all goes well.
    """
    chosen = [facts.pop(draft.below(len(facts))) for _ in range(min(len(facts), 2 + draft.below(FOLLOW_UPS)))]
    kind = cast(draft, entity)
    said = [say(draft, f"{kind}.{chosen[0].attribute} ask"), reply(draft, chosen[0], known)]
    for fact in chosen[1:]:
        cast(draft, entity)
        said.append(say(draft, f"{kind}.{fact.attribute} again"))
        said.append(reply(draft, fact, known, short=fact.id in known and draft.below(3) == 0))
    for fact in meant:
        if fact.attribute == chosen[-1].attribute:
            other = draft.world.entities[fact.subject]
            draft.cast = {"q": other}
            said.append(say(draft, "meant ask"))
            cast(draft, other)
            said.append(reply(draft, fact, known))
            chosen.append(fact)
            break
    return exchange("follow_ups", *said, facts=tuple(fact.id for fact in chosen))


def corrected(draft: Draft, fact: Fact, known: Collection[int], wording: str = "ask") -> Conversation:
    """A question and its answer, which the user then calls wrong: no new value is made up to please them."""
    asked = one_question(draft, fact, known, wording)
    said = [turn.text for turn in asked.turns]
    return exchange(
        "corrected", *said, say(draft, "corrected ask"), say(draft, "corrected tell"), facts=asked.facts
    )


def several_facts(draft: Draft, entity: Entity, known: Collection[int], wording: str = "ask") -> Conversation:
    """A wish to be told about an entity: an answer of a sentence or two, or a list, of known facts. Unfit: too few."""
    kind = cast(draft, entity)
    as_list = kind == "person" and draft.below(3) == 0
    if f"{kind} about" not in grammar().rules:
        raise Unfit(kind)
    question = say(draft, f"list {wording}" if as_list else f"{kind} about{' held' * (wording == 'held')}")
    cast(draft, entity)
    if as_list:
        facts = [fact for fact in askable(draft.world, entity) if fact.id in known]
        if len(facts) < 3:
            raise Unfit("three known facts")
        chosen = [facts.pop(draft.below(len(facts))) for _ in range(3)]
        answer = "\n".join(f"- {reply(draft, fact, known)}" for fact in chosen)
        return exchange("list", question, answer, facts=tuple(fact.id for fact in chosen))
    before = len(draft.stated)
    answer = draft.render(known_form(draft, f"{kind} about tell", known))
    return exchange("about", question, answer, facts=tuple(draft.stated)[before:])


def known_form(draft: Draft, rule: str, known: Collection[int]):
    """A form of the rule that states known facts only. Unfit if there is none."""
    options = [form for form in forms(rule) if (ids := draft.facts_needed(form)) and set(ids) <= set(known)]
    if not options:
        raise Unfit(rule)
    return draft.pick(options)


# ---- names that nobody bears ----


def nobody(draft: Draft, kind: str) -> Entity:
    """An entity that does not exist, with a name of the same parts as all others. Unfit for islands and the like."""
    word = lambda *lists: " ".join(draft.pick(word_lists()[one]) for one in lists)  # noqa: E731
    gender = draft.pick(("she", "he"))
    make = {
        "person": lambda: names.person_name(draft.pick, gender),
        "mother": lambda: names.person_name(draft.pick, "she"),
        "town": lambda: names.town_name(draft.pick),
        "dish": lambda: names.dish_name(draft.pick),
        "company": lambda: f"{names.brand_name(draft.pick)} {word('company_end')}",
        "product": lambda: f"{names.brand_name(draft.pick)} {word('product_noun')}",
        "festival": lambda: f"{names.brand_name(draft.pick)} {draft.pick(('Night', 'Day', 'Week', 'Fair'))}",
        "book": lambda: f"The {word('book_first', 'book_second')}",
        "animal": lambda: f"{word('animal_first')} {word('animal_noun').rsplit(' ', 1)[0]}",
        "plant": lambda: f"{word('plant_first')} {word('plant_noun').rsplit(' ', 1)[0]}",
    }
    if kind not in make:
        raise Unfit(kind)
    for _ in range(50):
        name = make[kind]()
        if draft.world.named(name) is None:
            return Entity(-1, kind, name, gender=gender)
    raise Unfit(kind)


def about_nobody(draft: Draft, wording: str = "ask") -> Conversation:
    """A question about a name that no page holds, and that one does not know."""
    kind, attribute = draft.pick([pair for pair in attributes() if pair[0] not in NOT_INVENTED])
    draft.cast = {LETTER_OF_KIND[kind]: nobody(draft, kind)}
    stage = dict(draft.cast)
    question = say(draft, f"{kind}.{attribute} {wording}")
    draft.cast = stage
    return exchange("nobody", question, refusal(draft, kind, attribute))
