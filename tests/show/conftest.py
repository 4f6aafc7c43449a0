"""A widget in a plain page: the same traitlets, script and stylesheet, with a small stand-in for the notebook."""

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# What anywidget promises a module: get, set, save_changes, on, off, send. Bytes are DataViews.
NOTEBOOK = """
const view = (b64) => new DataView(Uint8Array.from(atob(b64), (c) => c.charCodeAt(0)).buffer);
window.mountWidget = async (script, traits, bytes) => {
  for (const [name, b64] of Object.entries(bytes)) traits[name] = view(b64);
  const heard = {}, emit = (name, ...what) => [...(heard[name] ?? [])].forEach((f) => f(...what));
  window.saved = [];
  window.model = {
    get: (name) => traits[name],
    set(name, value) { if (traits[name] !== value) { traits[name] = value; emit(`change:${name}`, value); } },
    save_changes() { window.saved.push({ ...traits }); },
    on(name, f) { (heard[name] ??= new Set()).add(f); },
    off(name, f) { heard[name]?.delete(f); },
    async send(message) {
      await new Promise((done) => setTimeout(done, window.pause ?? 0)); // a slow answer
      const { reply, error, buffers } = await window.answerInPython(message.request);
      emit("msg:custom", { answer: message.ask, reply, error }, buffers.map(view));
    },
  };
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const { signal } = new AbortController();
  module.default.render({ model: window.model, el: document.querySelector("#here"), signal });
};
"""
PRIVATE = ("_", "comm", "layout", "tabbable", "tooltip")


def _traits(widget: Any) -> tuple[dict[str, Any], dict[str, str]]:
    plain, raw = {}, {}
    for name in widget.traits(sync=True):
        if not name.startswith(PRIVATE):
            value = getattr(widget, name)
            if isinstance(value, bytes):
                raw[name] = base64.b64encode(value).decode()
            else:
                plain[name] = value
    return plain, raw


@pytest.fixture
def mount(browser) -> Iterator[Callable[..., Any]]:
    """mount(widget, width, height, dark, touch, still) -> the page, with `page.problems` filled as they come."""
    contexts = []

    def mounted(widget: Any, width=1280, height=800, *, dark=False, touch=False, still=False):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=touch,
            is_mobile=touch,
            reduced_motion="reduce" if still else "no-preference",
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("request", lambda r: None if r.url.startswith("blob:") else page.problems.append(r.url))
        page.set_content(
            '<!doctype html><meta name="viewport" content="width=device-width">'
            '<body style="margin:0"><div id="here" style="padding:0 16px"></div>'
        )
        page.add_style_tag(content=widget._css)
        page.add_script_tag(content=NOTEBOOK)

        def answer(request: dict) -> dict:
            reply, buffers, error = widget._reply(request)
            return {
                "reply": reply,
                "error": error,
                "buffers": [base64.b64encode(b).decode() for b in buffers],
            }

        page.expose_function("answerInPython", answer)
        page.evaluate(
            "([script, traits, bytes]) => mountWidget(script, traits, bytes)", [widget._esm, *_traits(widget)]
        )
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return page

    yield mounted
    for context in contexts:
        context.close()
