"""The course's stylesheet: the design tokens, marimo in their colours, and a lesson's page.

marimo copies the text of one `css_file` and does not follow @import, so the parts in static/ are joined
into assets/llmlab.css. After changing a part:

    python -m llmlab.show.stylesheet assets/llmlab.css
"""

from __future__ import annotations

import sys
from pathlib import Path

from llmlab.show.bundle import read

PARTS = ("tokens.css", "marimo.css", "lesson.css")


def stylesheet() -> str:
    """The text of assets/llmlab.css."""
    return "\n".join(read(name) for name in PARTS)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(stylesheet(), encoding="utf-8")
