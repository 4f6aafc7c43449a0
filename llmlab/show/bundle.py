"""One ES module and one stylesheet for each widget, joined from a few small files.

A browser takes an anywidget's module as a single text and cannot follow relative imports from it, so
what the widgets share (static/core.js, policy.js, asking.js, engine.js) is put in front of each. There is
no build step: what is joined here is what the browser runs and what a reader reads.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

STATIC = Path(__file__).resolve().parent / "static"


def read(name: str) -> str:
    """The text of a file in static/."""
    return (STATIC / name).read_text(encoding="utf-8")


def script(*names: str) -> str:
    """The ES module made of these files; the last one exports `default { render }`."""
    return "\n".join(engine() if name == "engine.js" else read(name) for name in names)


def engine() -> str:
    """engine.js, and before it the script of its Worker as a string: a Worker needs a text of its own."""
    return f"const WORKER = {json.dumps(worker())};\n{read('engine.js')}"


def worker() -> str:
    """The script that the engine's Worker runs."""
    parts = ("roads.js", "policy.js", "writing_worker.js", "inside_worker.js", "engine_worker.js")
    return "\n".join(map(read, parts))


def style(*names: str) -> str:
    """The design tokens and these stylesheets, for a page or a shadow root that has neither.

    In a shadow root `:root` matches nothing, so the tokens are declared on the widget itself (`.ll`)
    as well; core.js copies the page's data-theme and data-size to it.
    """
    tokens = re.sub(r":root(?=\s*[,{])", ":root, .ll", read("tokens.css"))
    return "\n".join([tokens, *(read(name) for name in names)])
