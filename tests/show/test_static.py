"""What the browser is given: one joined stylesheet, scripts that stand alone, nothing from outside."""

import re
from pathlib import Path

import pytest

from llmlab.show import Bars, Inside, Merges, Readings, Theme, TokenText, Tree
from llmlab.show.bundle import STATIC
from llmlab.show.stylesheet import PARTS, stylesheet

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in STATIC.glob("*.js"))
SHEETS = sorted(path.name for path in STATIC.glob("*.css"))


def text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_the_stylesheet_is_its_parts_joined():
    assert (ROOT / "assets" / "llmlab.css").read_text(encoding="utf-8") == stylesheet()
    assert all(text(part) in stylesheet() for part in PARTS)


@pytest.mark.parametrize("name", SHEETS)
def test_every_token_that_is_used_exists(name):
    known = set(re.findall(r"(--[\w-]+)\s*:", "\n".join(text(sheet) for sheet in SHEETS)))
    by_script = set(re.findall(r"[\"'`;](--[\w-]+)", "\n".join(text(script) for script in SCRIPTS)))
    used = set(re.findall(r"var\((--[\w-]+)", text(name)))
    assert used <= known | by_script


@pytest.mark.parametrize("name", [s for s in SHEETS if s != "tokens.css"])
def test_colours_come_from_the_tokens(name):
    rules = re.sub(r"/\*.*?\*/", "", text(name), flags=re.S)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", rules) == []


@pytest.mark.parametrize("name", SHEETS + SCRIPTS)
def test_nothing_is_fetched(name):
    code = re.sub(r"/\*.*?\*/", "", text(name), flags=re.S).replace("http://www.w3.org/2000/svg", "")
    if name == "engine_worker.js":
        code = code.replace("await fetch(url)", "")
    assert (
        re.findall(r"https?://|@import|url\(|\bfetch\(|XMLHttpRequest|^\s*import\b", code, flags=re.M) == []
    )


def test_the_engine_fetches_from_its_own_server_only():
    """The one `fetch` there is: engine.js has looked at each address before the Worker hears of it."""
    assert text("engine_worker.js").count("fetch(") == 1 and "importScripts" not in text("engine_worker.js")
    assert "program: ours(program), weights: ours(weights)" in text("engine.js")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_models_words_never_become_markup(name):
    code = re.sub(r"//.*", "", text(name))
    assert (
        re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code)
        == []
    )


@pytest.mark.parametrize("widget", [Bars, Inside, Merges, Readings, Theme, TokenText, Tree])
def test_a_module_is_one_text_with_one_export(widget):
    assert len(re.findall(r"^export ", widget._esm, flags=re.M)) == 1
    assert "require(" not in widget._esm
