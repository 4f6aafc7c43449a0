"""Hand-outs: each lesson as an .ipynb, for Jupyter or a hosted notebook with a free GPU.

marimo writes the notebook; two things are added on the way. marimo's frames do not live in Jupyter, so the first cell
lets Jupyter show the widget inside (an anywidget works in both), and an exercise is answered in a cell of its own.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from llmlab.course.lessons import Lesson
from llmlab.errors import LabError
from llmlab.paths import atomic_write

ASKED = re.compile(r"^(\w+) = sheet\.(ask|quiz)\(", re.MULTILINE)
INTRODUCTION = """This is lesson {number}, *{title}*, as a notebook. Run the cells from top to bottom.

It needs the course beside it: clone the repository and, in its folder, `pip install -e .`; then open this file with \
the same Python. In the browser course (`make course`) the same lesson also answers while you type."""


PREPARE = "from llmlab.course.handout import in_jupyter\n\nin_jupyter()"


def in_jupyter() -> None:
    """Show a widget that is wrapped for marimo as the widget that it is. Does nothing outside of Jupyter."""
    import marimo as mo
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        show = shell.display_formatter.mimebundle_formatter
        show.for_type(mo.ui.anywidget, lambda wrapped, **options: wrapped.widget._repr_mimebundle_(**options))


def write(lesson: Lesson, folder: Path) -> Path:
    """Export one lesson into `folder` and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{lesson.slug}.ipynb"
    command = [sys.executable, "-m", "marimo", "export", "ipynb", str(lesson.file), "--sort", "topological"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise LabError(
            f"{lesson.file.name} could not be exported: {done.stderr.strip()} Is nbformat installed?"
        )
    notebook = json.loads(done.stdout)
    first = [_markdown(INTRODUCTION.format(number=lesson.number, title=lesson.title)), _code(PREPARE)]
    notebook["cells"] = first + [new for cell in notebook["cells"] for new in _for_jupyter(cell)]
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"cell-{number:03d}"
    notebook["metadata"]["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    atomic_write(file, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))
    return file


def _for_jupyter(cell: dict) -> Iterator[dict]:
    if cell["cell_type"] != "code":
        yield cell
        return
    source = "".join(cell["source"])
    yield cell
    if asked := ASKED.search(source):
        name, what = asked.groups()
        blank = "{}  # {question: the words of your option}" if what == "quiz" else "None  # your answer"
        yield _code(f"# Answer here, run this cell, then the next one.\n{name} = {blank}")


def _markdown(text: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": text}
