// Inside: one text on its way through a model. This is the frame that the four views share: the student's text, the
// twin one press away, the chosen token, the table. A view gets the frame and gives
//
//     { element, request(), write(reply), mark(place), rows(), keys }
//
// write: a new answer came; mark: another token is chosen (or, for a moment, pointed at); rows: for the table.

const VIEWS_INSIDE = { attention: attentionView, stream: streamView, knockout: knockoutView, path: pathView };

function render({ model, el, signal }) {
  const root = mount(el, "inside", signal, () => view.resized?.());
  const state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  // the twin has weights of its own, and most students never fetch them
  const engines = { model: engineFor(model, signal, state) };
  const engineOf = (who) => engines[who] ??= engineFor(model, signal, state, model.get("twin_engine") ?? {});
  const engine = { ask: (request) => engineOf(request.who).ask(request) }, read = reader(engine, state);
  let tokens = [], spans = [], chosen = 0;

  // ---- what stands where ----
  const field = make("input", { class: "ll-field", maxlength: model.get("longest"), spellcheck: "false", autocomplete: "off", "aria-label": "Your text" });
  const ask = make("form", { class: "ll-ask" }, field, make("button", { class: "ll-btn", type: "submit" }, "Read it ", make("kbd", {}, "Enter")));
  const whom = Object.entries(model.get("names")).map(([who, name], i) => {
    const b = make("button", { class: "ll-btn", type: "button", "data-who": who }, name, " ", make("kbd", {}, String(i + 1)));
    b.addEventListener("click", () => { model.set("who", who); model.save_changes(); });
    return b;
  });
  const toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const text = make("div", { class: "ll-text", role: "listbox", "aria-orientation": "horizontal", "aria-label": "The text, a token at a time" });
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const picture = make("div", { class: "ll-picture" });

  const frame = {
    model, root, signal, engine,
    tokens: () => tokens,
    spans: () => spans,
    place: () => chosen,
    choose: (i) => choose(i),
    ask: () => request(),
    /** A word of the model's on one line. */
    word: (token, special) => tokenLabel(special || !token.trim() ? token : token.trim(), special),
    plain: (token) => visible(token).trim() || spoken(token),
  };
  const view = VIEWS_INSIDE[model.get("view")](frame);
  picture.append(view.element, tableBox);
  root.classList.add(`ll-view-${model.get("view")}`);
  root.append(make("div", { class: "ll-top" }, ask, state.line),
    make("div", { class: "ll-who", role: "group", "aria-label": "Who reads" }, ...whom, toggle), text, picture);

  // ---- answers ----
  function write(reply) {
    tokens = reply.tokens ?? [];
    const special = new Set(reply.special ?? []);
    spans = tokens.map((token, i) => {
      const span = make("span", { class: "ll-tok", role: "option", "aria-selected": "false", "aria-label": spoken(token) },
        special.has(i) || !token.trim() ? tokenLabel(token, special.has(i)) : visible(token));
      span.addEventListener("click", () => choose(i));
      span.addEventListener("pointerenter", () => view.mark(i));
      return span;
    });
    text.replaceChildren(...spans);
    const wanted = reply.place ?? (model.get("place") < 0 ? tokens.length - 1 : model.get("place"));
    chosen = Math.max(0, Math.min(tokens.length - 1, wanted));
    view.write(reply);
    mark();
  }

  function mark() {
    spans.forEach((span, i) => { span.classList.toggle("ll-chosen", i === chosen); span.setAttribute("aria-selected", String(i === chosen)); });
    roving(() => spans, chosen);
    view.mark(chosen);
    if (!tableBox.hidden) fillTable();
  }

  /** Chooses a token. A view that has only one token's numbers asks for them. */
  function choose(i) {
    if (!(i >= 0 && i < tokens.length)) return;
    chosen = i;
    model.set("place", i === tokens.length - 1 ? -1 : i);
    model.save_changes();
    mark();
    if (view.asksForPlace) request();
  }

  async function request(words = model.get("text")) {
    if (!words.trim()) { state.empty("Write a few words above, and press Enter."); return; }
    if (words !== model.get("text")) model.set("place", -1);
    const reply = await read({ kind: model.get("view"), text: words, who: model.get("who"), most: model.get("most"), ...view.request() }, "Reading …");
    if (!reply) return;
    const at = root.getRootNode().activeElement, focus = spans.includes(at) ? spans.indexOf(at) : -1;
    model.set("text", words);
    model.save_changes();
    write(reply);
    if (focus >= 0) spans[Math.min(focus, spans.length - 1)]?.focus({ preventScroll: true });
  }

  function fillTable() {
    tableBox.replaceChildren(table(...view.rows()));
  }

  function showTable(on) {
    tableBox.hidden = !on;
    view.element.classList.toggle("ll-away", on);
    toggle.setAttribute("aria-pressed", String(on));
    if (on) { fillTable(); tableBox.focus({ preventScroll: true }); }
  }

  function showWho() {
    whom.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.who === model.get("who"))));
  }

  // ---- moving ----
  ask.addEventListener("submit", (event) => { event.preventDefault(); request(field.value); });
  text.addEventListener("pointerleave", () => view.mark(chosen));
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (typing(event) || !plain(event)) return;
    const at = event.composedPath()[0], walk = (i) => { choose(Math.max(0, Math.min(tokens.length - 1, i))); spans[chosen]?.focus({ preventScroll: true }); };
    const keys = {
      t: () => showTable(tableBox.hidden),
      ...(tableBox.hidden ? {} : { Escape: () => showTable(false) }),
      ...Object.fromEntries(whom.map((b, i) => [String(i + 1), () => b.click()])),
      ...(spans.includes(at) ? { ArrowRight: () => walk(chosen + 1), ArrowLeft: () => walk(chosen - 1), Home: () => walk(0), End: () => walk(tokens.length - 1), Enter: () => choose(spans.indexOf(at)) } : {}),
      ...(view.keys?.(at) ?? {}),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  // a text that comes from another view is read when somebody comes near: the worker is free for what is looked at
  const readPrompt = whenNear(root, signal, () => request(model.get("prompt")));

  listen(model, ["prompt"], () => { field.value = model.get("prompt"); readPrompt(); }, signal);
  listen(model, ["who"], () => { showWho(); request(); }, signal);
  field.value = model.get("prompt");
  showWho();
  state.rest();
  write({ ...model.get("first"), buffers: [model.get("first_0"), model.get("first_1"), model.get("first_2")] });
}

export default { render };
