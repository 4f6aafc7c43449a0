"""What a lesson shows: widgets, figures, and the frame around them.

Everything here takes plain data (numbers, strings, bytes, callables) and knows no model, so the same
picture can show our GPT, a count table or a recording. A widget is Python for the traitlets, one ES
module and one stylesheet, without a build step; it lives in marimo (`mo.ui.anywidget`) and in Jupyter.

Read next: asking.py, how a widget gets its numbers; bars.py, the picture of one choice.
"""

from llmlab.show.bars import Bars
from llmlab.show.blend import Blend
from llmlab.show.filemap import FileMap
from llmlab.show.heats import Heats
from llmlab.show.inside import Inside
from llmlab.show.merges import Merges
from llmlab.show.readings import Readings
from llmlab.show.speaking import Speaking
from llmlab.show.theatre import Stop, Theatre
from llmlab.show.theme import Theme
from llmlab.show.token_text import TokenText
from llmlab.show.tree import Tree

__all__ = [
    "Bars",
    "Blend",
    "FileMap",
    "Heats",
    "Inside",
    "Merges",
    "Readings",
    "Speaking",
    "Stop",
    "Theatre",
    "Theme",
    "TokenText",
    "Tree",
]
