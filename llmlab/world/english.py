"""The little grammar that slots need: articles, plurals, numbers in words, pronouns."""

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
SAME_PLURAL = ("fish", "sheep", "salt", "honey", "slate", "soap", "glass")
IRREGULAR = {
    "mouse": "mice",
    "man": "men",
    "woman": "women",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
}
SOUNDS_LIKE_A_CONSONANT = ("uni", "use", "eu", "one", "u-")
SOUNDS_LIKE_A_VOWEL = ("hour", "honest", "heir", "8", "11 ", "11-", "18")
PRONOUNS = {
    "she": {"they": "she", "them": "her", "their": "her", "theirs": "hers", "themself": "herself"},
    "he": {"they": "he", "them": "him", "their": "his", "theirs": "his", "themself": "himself"},
}


def with_article(text: str) -> str:
    lower = text.lower() + " "
    vowel = lower[0] in "aeiou" and not lower.startswith(SOUNDS_LIKE_A_CONSONANT)
    return ("an " if vowel or lower.startswith(SOUNDS_LIKE_A_VOWEL) else "a ") + text


def plural(text: str) -> str:
    head, _, noun = text.rpartition(" ")
    if noun in SAME_PLURAL:
        return text
    if noun in IRREGULAR:
        noun = IRREGULAR[noun]
    elif noun.endswith("man"):
        noun = noun[:-2] + "en"
    elif noun.endswith(("s", "x", "z", "ch", "sh")):
        noun += "es"
    elif noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        noun = noun[:-1] + "ies"
    else:
        noun += "s"
    return f"{head} {noun}" if head else noun


def in_words(text: str) -> str:
    """'25' as 'twenty-five', up to 9,999; anything that is no number stays as it is."""
    digits = text.replace(",", "")
    return _words(int(digits)) if digits.isdigit() and len(digits) <= 4 else text


def _words(n: int) -> str:
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + (f"-{ONES[n % 10]}" if n % 10 else "")
    if n < 1000:
        rest = f" and {_words(n % 100)}" if n % 100 else ""
        return f"{ONES[n // 100]} hundred{rest}"
    rest = n % 1000
    return f"{_words(n // 1000)} thousand" + (
        f"{' and' if rest < 100 else ''} {_words(rest)}" if rest else ""
    )


def ordinal(text: str) -> str:
    if not text.isdigit():
        return text
    last = "th" if text[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(text[-1], "th")
    return text + last


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


APPLY = {"a": with_article, "s": plural, "cap": capital, "words": in_words, "ordinal": ordinal}
