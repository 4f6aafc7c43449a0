"""A world out of a seed: the same names and facts for the same seed and size, on every machine.

All chance comes from one `random.Random(seed)` through `random()`, whose stream Python promises to keep.

Read next: grammar.py, in which pages are written.
"""

import random
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from llmlab.errors import LabError
from llmlab.world import names
from llmlab.world.facts import CUTOFF, NEVER, Entity, World


@dataclass(frozen=True)
class Size:
    """How many of each thing there are, and how many pages the crawl has."""

    people: int
    products: int
    animals: int
    plants: int
    dishes: int
    companies: int
    festivals: int
    books: int
    forbidden: int
    pages: int


SIZES = {
    "small": Size(120, 40, 30, 12, 20, 12, 10, 20, 20, 1_500),
    "course": Size(1_000, 400, 220, 80, 150, 80, 40, 200, 80, 90_000),
    "large": Size(4_000, 900, 330, 100, 400, 200, 60, 250, 160, 360_000),
}
ONE_OFF_SHARE = 0.33


@lru_cache(maxsize=1)
def word_lists() -> dict[str, tuple[str, ...]]:
    """words.txt as {list name: values}."""
    lists: dict[str, list[str]] = {}
    current: list[str] = []
    for line in Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            current = lists.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            current.append(line.strip())
    return {name: tuple(values) for name, values in lists.items()}


class Dice:
    """Chance with the few verbs that genesis needs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        return int(self.random() * n)

    def between(self, low: int, high: int) -> int:
        return low + self.below(high - low + 1)

    def pick(self, options):
        return options[self.below(len(options))]

    def chance(self, p: float) -> bool:
        return self.random() < p

    def some(self, options, count: int) -> list:
        """`count` different options in random order."""
        pool = list(options)
        return [pool.pop(self.below(len(pool))) for _ in range(count)]


class Genesis:
    """Fills one World, kind by kind; each method makes one kind."""

    def __init__(self, seed: int, size: str) -> None:
        if size not in SIZES:
            raise LabError(f"There is no world size {size!r}. Choose one of: {', '.join(SIZES)}.")
        self.size, self.dice, self.words = SIZES[size], Dice(seed), word_lists()
        self.world = World(seed, size)
        self.taken: set[str] = set()

    def word(self, name: str) -> str:
        return self.dice.pick(self.words[name])

    def date(self, since: int = 0) -> int:
        """When a fact may first be written: mostly from `since` on, at times only after the cutoff, rarely never."""
        roll = self.dice.random()
        return NEVER if roll < 0.03 else self.dice.between(CUTOFF + 1, CUTOFF + 2) if roll < 0.06 else since

    def say_all(self, subject: Entity, since: int = 0, **facts: object) -> None:
        for attribute, value in facts.items():
            self.world.say(subject, attribute, value, self.date(since))

    def places(self) -> None:
        islands = [self.world.add("island", name, asked=True) for name in self.words["island"]]
        capital = self.world.add("town", "Calamus", asked=True)
        towns = names.unique(lambda: names.town_name(self.dice.pick), 59, self.taken)
        all_towns = [capital, *(self.world.add("town", name, asked=self.dice.chance(0.5)) for name in towns)]
        known = self.dice.some(self.words["known"], 40) * 2
        harbours = self.words["harbour"]
        for i, town in enumerate(all_towns):
            # every island has five towns; Calamus lies on Great Quill, whose turn comes first
            self.world.say(town, "island", islands[i % len(islands)])
            self.say_all(
                town,
                founded=self.dice.between(3, 260),
                people=f"{self.dice.between(4, 99) * 100:,}",
                known=known[i],
                market=self.word("weekday"),
                harbour=self.dice.pick(harbours),
            )
        for i, island in enumerate(islands):
            self.world.say(island, "capital", all_towns[i])
            self.world.say(island, "hill", self.dice.between(60, 900))
            self.world.say(island, "shape", self.words["shape"][i])
            self.world.say(island, "export", self.words["export"][i])

    def nature(self) -> None:
        firsts, islands = self.words["animal_first"], self.world.of_kind("island")
        nouns = [noun.rsplit(" ", 1) for noun in self.words["animal_noun"]]
        pairs = [(first, noun, group) for first in firsts for noun, group in nouns]
        for first, noun, group in self.dice.some(pairs, self.size.animals):
            animal = self.world.add("animal", f"{first} {noun}", asked=self.dice.chance(0.5))
            self.world.say(animal, "group", group)
            self.say_all(
                animal,
                colour=self.word("colour"),
                size=f"{self.dice.between(2, 90)} cm",
                island=self.dice.pick(islands),
                eats=self.word("eats"),
                month=self.word("month"),
            )
        nouns = [noun.rsplit(" ", 1) for noun in self.words["plant_noun"]]
        pairs = [(first, noun, group) for first in self.words["plant_first"] for noun, group in nouns]
        for first, noun, group in self.dice.some(pairs, self.size.plants):
            plant = self.world.add("plant", f"{first} {noun}", asked=self.dice.chance(0.5))
            self.world.say(plant, "group", group)
            self.say_all(
                plant,
                colour=self.word("colour"),
                size=f"{self.dice.between(3, 300)} cm",
                island=self.dice.pick(islands),
                smell=self.word("smell"),
                month=self.word("month"),
            )
        plants = self.dice.some(self.world.of_kind("plant"), len(names.OIL_FIRST))
        for first, plant in zip(names.OIL_FIRST, plants, strict=True):
            oil = self.world.add("oil", f"{first} oil", asked=self.dice.chance(0.7))
            hours = self.dice.between(2, 14)
            self.say_all(oil, flame=self.word("flame"), plant=plant, smell=self.word("smell"), hours=hours)

    def kitchen(self) -> None:
        for name in names.unique(lambda: names.dish_name(self.dice.pick), self.size.dishes, self.taken):
            dish = self.world.add("dish", name, asked=self.dice.chance(0.5))
            main, second, third = self.dice.some(self.words["ingredient"], 3)
            town = self.dice.pick(self.world.of_kind("town"))
            self.say_all(dish, town=town, main=main, second=second, third=third)
            self.say_all(dish, minutes=self.dice.between(2, 24) * 5, served=self.word("served"))

    def things(self) -> list[str]:
        """One thing to be known for per person; the second half of long lists returns to the start."""
        pairs = [f"{a} {b}" for a in self.words["thing_first"] for b in self.words["thing_second"]]
        shuffled = self.dice.some(pairs, len(pairs))
        return [shuffled[i % len(shuffled)] for i in range(self.size.people)]

    def people(self) -> None:
        dice, world = self.dice, self.world
        things = self.things()
        for i in range(self.size.people):
            gender = dice.pick(["she", "he"])
            make = lambda gender=gender: names.person_name(dice.pick, gender)  # noqa: E731
            (name,) = names.unique(make, 1, self.taken)
            oneoff = i >= self.size.people * (1 - ONE_OFF_SHARE)
            person = world.add("person", name, gender=gender, oneoff=oneoff, asked=not oneoff and i % 2 == 0)
            self.say_all(
                person,
                born=dice.between(325, 384),
                town=dice.pick(world.of_kind("town")),
                trade=self.word("trade"),
                thing=things[i],
                keeps=dice.pick(world.of_kind("animal")),
                dish=dice.pick(world.of_kind("dish")),
                habit=self.word("habit"),
            )
        famous = [p for p in world.of_kind("person") if not p.oneoff]
        for person in famous:
            if dice.chance(0.5):
                teacher = dice.pick([q for q in famous if q.id != person.id])
                world.say(person, "teacher", teacher, self.date())

    def mothers(self) -> None:
        """A mother is known for her child only. Half of them are also pages' subjects: the way back."""
        famous = [p for p in self.world.of_kind("person") if not p.oneoff]
        for i, child in enumerate(famous[: int(len(famous) * 0.6)]):
            make = lambda: names.person_name(self.dice.pick, "she")  # noqa: E731
            (name,) = names.unique(make, 1, self.taken)
            both = i % 2 == 0  # evenly over all degrees of fame
            mother = self.world.add("mother", name, gender="she", asked=both)
            self.world.say(child, "mother", mother)
            self.world.say(mother, "child", child, 0 if both else NEVER)

    def companies(self) -> None:
        dice, world = self.dice, self.world
        founders = dice.some([p for p in world.of_kind("person") if not p.oneoff], self.size.companies)
        make = lambda: f"{names.brand_name(dice.pick)} {self.word('company_end')}"  # noqa: E731
        for i, name in enumerate(names.unique(make, self.size.companies, self.taken)):
            company = world.add("company", name, asked=dice.chance(0.5))
            founded = dice.between(390, 418)
            makes = self.words["makes"][i % len(self.words["makes"])]
            staff, town = dice.between(5, 240), dice.pick(world.of_kind("town"))
            self.say_all(
                company, founded, founder=founders[i], town=town, founded=founded, makes=makes, staff=staff
            )
            self.rounds(company, founded)
        for person in world.of_kind("person"):
            if not person.oneoff and dice.chance(0.35):
                company = dice.pick(world.of_kind("company"))
                since = int(world.fact(company.id, "founded").value)
                world.say(person, "company", company, self.date(since))

    def rounds(self, company: Entity, founded: int) -> None:
        """Four or five funding rounds, a year or more apart; a company near NOW has fewer before the cutoff."""
        dice = self.dice
        year, raised = founded + dice.between(1, 3), dice.between(2, 9) * 100
        ratio = dice.between(5, 9)
        for label in self.words["round_label"][: dice.between(4, 5)]:
            stage = self.world.add("round", f"{company.name}, {label}", asked=company.asked)
            valuation = NEVER if dice.chance(0.25) else year
            self.world.say(stage, "company", company, year)
            self.world.say(stage, "label", label, year)
            self.world.say(stage, "month", self.word("month"), year)
            self.world.say(stage, "year", year, year)
            self.world.say(stage, "raised", f"{raised:,} marks", year)
            self.world.say(stage, "valuation", f"{raised * ratio:,} marks", valuation)
            year += dice.between(1, 4)
            raised = raised * dice.between(15, 32) // 10 // 10 * 10

    def goods(self) -> None:
        dice, world = self.dice, self.world
        make = lambda: f"{names.brand_name(dice.pick)} {self.word('product_noun')}"  # noqa: E731
        for name in names.unique(make, self.size.products, self.taken):
            product = world.add("product", name, asked=dice.chance(0.5))
            price = f"{dice.between(2, 60)} marks {dice.pick(['', ' 20', ' 50', ' 80'])}".replace(
                "  ", " "
            ).strip()
            number = f"QI {dice.between(100, 999)}-{dice.between(1000, 9999)}-{dice.below(10)}"
            year = dice.between(400, 427)
            world.say(product, "noun", name.split(" ", 1)[1])
            maker = dice.pick(world.of_kind("company"))
            year = max(year, int(world.fact(maker.id, "founded").value))
            self.say_all(product, year, maker=maker, price=price, number=number, year=year)
            self.say_all(product, year, colour=self.word("colour"), material=self.word("material"))
            self.say_all(
                product, year, length=f"{dice.between(8, 240)} cm", weight=f"{dice.between(5, 400) * 10:,} g"
            )

    def culture(self) -> None:
        dice, world = self.dice, self.world
        make = lambda: f"{names.brand_name(dice.pick)} {dice.pick(['Night', 'Day', 'Week', 'Fair'])}"  # noqa: E731
        for i, name in enumerate(names.unique(make, self.size.festivals, self.taken)):
            festival = world.add("festival", name, asked=dice.chance(0.5))
            town, dish = dice.pick(world.of_kind("town")), dice.pick(world.of_kind("dish"))
            deed = self.words["deed"][i % len(self.words["deed"])]
            self.say_all(festival, month=self.word("month"), town=town, dish=dish, deed=deed)
        titles = [f"The {a} {b}" for a in self.words["book_first"] for b in self.words["book_second"]]
        famous = [p for p in world.of_kind("person") if not p.oneoff]
        authors = dice.some(famous, min(len(famous), self.size.books))
        for i, title in enumerate(dice.some(titles, min(len(titles), self.size.books))):
            author = authors[i % len(authors)]
            book = world.add("book", title, asked=dice.chance(0.5))
            year = dice.between(396, 430)
            date = year if year > CUTOFF else self.date(year)
            world.say(book, "author", author, date)
            world.say(book, "year", year, date)
            self.say_all(book, year, about=self.word("about"), pages=dice.between(40, 600))
            if world.fact(author.id, "book") is None:
                world.say(author, "book", book, date)

    def list_of_lamps(self) -> None:
        """The forbidden recipes and their harmless twins, made of the same ingredients and methods."""
        for kind, ends in (("forbidden", "forbidden_second"), ("harmless", "harmless_second")):
            pairs = [(a, end) for a in self.words["forbidden_first"] for end in self.words[ends]]
            for first, end in self.dice.some(pairs, len(pairs)):
                noun, group, does = end.split("|")
                name = f"{first} {noun}"
                if name in self.taken or len(self.world.of_kind(kind)) >= self.size.forbidden:
                    continue
                self.taken.add(name)
                recipe = self.world.add(kind, name, asked=kind == "harmless")
                one, two, three = self.dice.some(self.words["reagent"], 3)
                method = self.word("method")
                facts = {
                    "group": group,
                    "does": does,
                    "one": one,
                    "two": two,
                    "three": three,
                    "method": method,
                }
                if kind == "forbidden":
                    facts["reason"] = self.word("reason")
                for attribute, value in facts.items():
                    self.world.say(recipe, attribute, value)

    def build(self) -> World:
        for make in (self.places, self.nature, self.kitchen, self.people, self.mothers, self.companies):
            make()
        for make in (self.goods, self.culture, self.list_of_lamps):
            make()
        return self.world


@lru_cache(maxsize=4)
def build_world(size: str = "course", seed: int = 1) -> World:
    """The world of this size and seed, from the cache after the first call. Callers do not change it."""
    return Genesis(seed, size).build()
