"""Names that nobody bears, built from parts that repeat.

Parts repeat on purpose: a name that does not exist then looks exactly as good as one that does, and
that is what a dream is made of. No whole name is an English word, so that a checker can find every
name of the Isles in a text.

Read next: facts.py, which gives the names something to be true about.
"""

import re
from collections.abc import Callable, Iterator

Pick = Callable[[list[str]], str]

SHE_FIRST = "Ilv Marn Tav Oss Fenn Jor Sell Wenn Yarr Brin Kess Lorr Nell Pir Ulv Vess".split()
SHE_END = "a ith ela ora is une ady".split()
HE_FIRST = "Osk Tav Brenn Dorr Hal Jask Kell Lorr Mott Noll Perr Rask Sorl Torr Ulm Vosk".split()
HE_END = "ric en orn an und et ick".split()
LAST_FIRST = (
    "Torr Vask Hesk Mell Orrin Pell Skarn Wisk Drall Kest Lumm Brenk Fosk Garr Jass Nerr Ruvv Thorl "
    "Ymm Zell Cald Ister Quorr Ombr Plov Strell Trisk Usk Varn Wenl"
).split()
LAST_END = "end ock ery ain ow itt une essy ard ellan abel imer oake ury ish umble ander ett osk anny".split()
TOWN_FIRST = (
    "Vorl Dask Ombr Threll Gisk Ulv Yarr Plov Krem Zenn Lurr Tosk Harl Brenn Skell Marr Corv Nask Pell Irr"
).split()
TOWN_END = "haven wick mouth ness stow by moor gate combe well".split()
BRAND_FIRST = (
    "Tav Vel Osk Bram Cor Dess Farr Gim Hob Jun Kal Lum Mev Nor Pliss Quem Rov Sund Trev Ull".split()
)
BRAND_END = "olen nor imo ander ick essa ory unt eva ish".split()
DISH_FIRST = "sorr pell brun tamm gell mosk fripp lamm dorr kass vell hopp rusk nett plumm".split()
DISH_MID = "i o a e u".split()
DISH_END = "mel nock bury sta ket dle vin pash rind lo".split()
OIL_FIRST = "brell timm oss karr vinn sulm jeff lodd marr pesk".split()


def join(first: str, end: str) -> str:
    """Two parts as one name; a letter that would stand three times stands twice."""
    return re.sub(r"(.)\1\1", r"\1\1", first + end)


def unique(make: Callable[[], str], count: int, taken: set[str]) -> Iterator[str]:
    """`count` names that are not in `taken`; those that are given out are added to it."""
    while count:
        name = make()
        if name not in taken:
            taken.add(name)
            count -= 1
            yield name


def person_name(pick: Pick, gender: str) -> str:
    first, end = (SHE_FIRST, SHE_END) if gender == "she" else (HE_FIRST, HE_END)
    return f"{join(pick(first), pick(end))} {join(pick(LAST_FIRST), pick(LAST_END))}"


def town_name(pick: Pick) -> str:
    return join(pick(TOWN_FIRST), pick(TOWN_END))


def brand_name(pick: Pick) -> str:
    return join(pick(BRAND_FIRST), pick(BRAND_END))


def dish_name(pick: Pick) -> str:
    return pick(DISH_FIRST) + pick(DISH_MID) + pick(DISH_END)
