"""A page as a browser would show it: real HTML, with links from every name to that name's own page.

Text of a page is never markup: it is escaped, except on home pages, which are HTML by trade and are meant for
a sandboxed frame.
"""

import html
import re
from functools import lru_cache

from llmlab.world.crawl import Page
from llmlab.world.facts import Entity, World

LINKED = ("person", "town", "company", "book", "festival", "product", "island")


def address(page: Page) -> str:
    """The path of a page on the Pocket Web's server."""
    return f"/{page.kind}/{page.id}"


def about(entity: Entity) -> str:
    """The path that leads to the pages about an entity."""
    return f"/about/{slug(entity.name)}"


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@lru_cache(maxsize=4)
def names_of(seed: int, size: str, names: tuple[str, ...]) -> re.Pattern:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, longest_first)) + r")\b")


def render(page: Page, world: World) -> str:
    """A whole HTML document. Names that the world knows become links to /about/NAME."""
    if page.kind == "home":
        return page.text
    linked = tuple(e.name for kind in LINKED for e in world.of_kind(kind))
    pattern = names_of(world.seed, world.size, linked)
    paragraphs = []
    for block in page.text.strip().split("\n\n"):
        text = html.escape(block, quote=False)
        text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
        text = re.sub(r"(?<!\*)\*([^*\n]+)\*", r"<em>\1</em>", text)
        text = pattern.sub(lambda m: f'<a href="{about(world.by_name[m[0]])}">{m[0]}</a>', text)
        paragraphs.append(f"<p>{text.replace(chr(10), '<br>')}</p>")
    title = html.escape(page.title)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f'<body class="{page.kind}">\n<h1>{title}</h1>\n{"".join(paragraphs)}\n'
        f"<footer>{page.kind}, {page.year}</footer>\n</body></html>\n"
    )
