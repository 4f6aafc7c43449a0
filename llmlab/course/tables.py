"""Small pictures that are only HTML: a table, distributions side by side, a line that answers.

The rules travel with the markup (tables.css), because marimo may put it into a shadow root. All words are escaped:
a model's tokens are text here, never markup.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from llmlab.show.number_format import percent


class Column(NamedTuple):
    """One distribution: whose it is, a line about it, and (token, probability), best first. No rows: not there yet."""

    name: str
    about: str
    rows: Sequence[tuple[str, float]]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column names the rows; other columns of words begin on the left, too, numbers end right."""
    marks = [
        ' class="words"' if rows and all(row[k][:1].isalpha() for row in rows) else ""
        for k in range(len(heads))
    ]
    top = "".join(
        f'<th scope="col"{mark}>{escape(head)}</th>' for head, mark in zip(heads, marks, strict=True)
    )
    body = ""
    for row in rows:
        cells = "".join(
            f"<td{mark}>{escape(cell)}</td>" for cell, mark in zip(row[1:], marks[1:], strict=True)
        )
        body += f'<tr><th scope="row">{escape(row[0])}</th>{cells}</tr>'
    return f'{_style()}<div class="ll-small"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


class Length(NamedTuple):
    """A number in words, and its share of the longest bar. Above 1 the bar is broken off at the edge."""

    words: str
    share: float


def lengths(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Length]]]) -> str:
    """A table whose cells are bars with their numbers; all bars have the same scale."""

    def cell(one: Length) -> str:
        broken = ' class="broken"' if one.share > 1 else ""
        bar = f'<i{broken} style="width:{100 * min(1.0, one.share):.2f}%"></i>'
        return f"<td><span>{escape(one.words)}</span>{bar}</td>"

    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(map(cell, cells))}</tr>' for name, cells in rows
    )
    return (
        f'{_style()}<div class="ll-small"><table class="ll-lengths" style="min-width: {8 + 5 * len(heads[1:])}rem">'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def side_by_side(columns: Sequence[Column], shown: int, alt: str) -> str:
    """Distributions beside each other, each with the same number of rows, so that nothing jumps when one changes."""
    return (
        f'{_style()}<div class="ll-small ll-beside" role="group" aria-label="{escape(alt)}">'
        f"{''.join(_column(column, shown) for column in columns)}</div>"
    )


def _column(column: Column, shown: int) -> str:
    rows = list(column.rows[:shown])
    if rows:
        rows.append(("all others", max(0.0, 1 - sum(p for _, p in rows))))
    lines = "".join(
        f'<li><span class="t">{escape(token)}</span><span class="n">{percent(p)}</span>'
        f'<span class="b"><i style="width:{100 * p:.2f}%"></i></span></li>'
        for token, p in rows
    )
    lines += "<li></li>" * (shown + 1 - len(rows))
    return f"<div><h4>{escape(column.name)}</h4><p>{escape(column.about)}</p><ol>{lines}</ol></div>"


def columns(names: Sequence[str], parts: Sequence[object]) -> str:
    """Parts under their names, beside each other where there is room. A part is HTML, or a marimo element."""
    both = zip(names, parts, strict=True)
    inside = "".join(
        f"<div><h4>{escape(name)}</h4>{getattr(part, 'text', part)}</div>" for name, part in both
    )
    return f'{_style()}<div class="ll-small ll-beside wide">{inside}</div>'


def note(inside: str, kind: str = "waiting") -> str:
    """A line that answers, with room for two: `inside` is HTML of ours. kind: waiting, or said."""
    return f'{_style()}<div class="ll-small ll-said {kind}" role="status">{inside}</div>'


def _style() -> str:
    return f"<style>{Path(__file__).with_name('tables.css').read_text(encoding='utf-8')}</style>"
