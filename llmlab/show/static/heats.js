// Heats: one beginning, one seed, and a text at each of several temperatures. The texts take turns, some tokens at a
// time, so they grow side by side. Depth of blue is the model's own probability, before any rule. A model's words are
// text nodes, never markup.

const TURN = 5; // tokens of a turn

const named = (text) => visible(text).trim() || spoken(text);

/** The tokens that stood before a chosen one, the likeliest first. */
function likelierThan({ before, likelier }) {
  const more = before - likelier.length, said = likelier.map(({ text, p }) => `${named(text)} ${percent(p)}`);
  return before ? [...said, ...(more ? [`${whole(more)} more`] : [])].join(", ") : "nothing";
}

/** What there is to say about one token. */
const numbers = (step) => [["probability", percent(step.p)], ["surprise", bits(-Math.log2(step.p))], ["drawn with", percent(step.drawn)], ["likelier", likelierThan(step)]];

/** The mark of one token. */
function tokenOf(step) {
  const { lead, ink } = inked(step.text, step.special);
  return make("span", { class: `ll-tok ll-p-${depth(step.p)}`, role: "option", tabindex: -1, "aria-selected": "false",
    "aria-label": [spoken(step.text), ...numbers(step).map(([name, value]) => `${name} ${value}`)].join(", ") }, lead, ink);
}

/** One text: a name, a sheet of fixed height, and a line that sums it up. */
function sheet(temperature) {
  const name = `Temperature ${temperature.toFixed(1)}`, sum = make("p", { class: "ll-sum" }, "\u00a0");
  const run = make("div", { class: "ll-run", role: "listbox", "aria-orientation": "horizontal", "aria-label": name });
  const text = { temperature, box: make("section", {}, make("h4", {}, name), run, sum), ids: null, steps: [], spans: [], ended: false, begin, add };

  /** A new text is asked for; the old one stays until its first tokens are here. */
  function begin() {
    text.ids = null;
    text.ended = false;
    run.classList.add("ll-old");
  }

  function add(reply, prompt) {
    if (!text.ids) {
      text.steps = [];
      text.spans = [];
      run.classList.remove("ll-old");
      run.replaceChildren(make("span", { class: "ll-prompt" }, prompt));
      run.scrollTop = 0;
    }
    const spans = reply.steps.map(tokenOf);
    text.steps.push(...reply.steps);
    text.spans.push(...spans);
    run.append(...spans);
    if (spans.length && spans[0] === text.spans[0]) spans[0].tabIndex = 0;
    text.ids = reply.ids;
    text.ended = reply.ended;
    const surprise = text.steps.reduce((all, step) => all - Math.log2(step.p), 0) / text.steps.length;
    sum.textContent = `${whole(text.steps.length)} tokens, ${bits(surprise)} of surprise a token`;
    run.setAttribute("aria-label", `${name}: ${sum.textContent}`);
  }

  return text;
}

/** A menu for a traitlet: the names of `choices`. */
function menu(model, trait, words, choices) {
  const select = make("select", { class: "ll-field" }, ...Object.keys(choices).map((name) => make("option", { value: name }, name)));
  select.addEventListener("change", () => { model.set(trait, select.value); model.save_changes(); });
  return { label: make("label", {}, make("span", {}, words), select), show: () => { select.value = model.get(trait); } };
}

/** The seed, and the one after it. */
function seedField(model) {
  const field = make("input", { class: "ll-field", type: "number", min: 0, max: 999, step: 1 }), next = make("button", { class: "ll-btn", type: "button" }, "Next seed");
  const set = (seed) => { model.set("seed", Math.max(0, Math.min(999, Math.round(seed) || 0))); model.save_changes(); show(); };
  const show = () => { field.value = model.get("seed"); };
  field.addEventListener("change", () => set(Number(field.value)));
  next.addEventListener("click", () => set((model.get("seed") + 1) % 1000));
  return { label: make("label", {}, make("span", {}, "Seed"), field), next, show };
}

function render({ model, el, signal }) {
  const root = mount(el, "heats", signal), state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  root.classList.add("ll-tokens"); // its tokens look as they do in token_text.css
  const read = reader(engineFor(model, signal, state), state), texts = model.get("temperatures").map(sheet);
  const beginning = menu(model, "beginning", "Begin with", model.get("beginnings")), rule = menu(model, "rule", "Rule", model.get("rules")), seed = seedField(model);
  const toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const columns = make("div", { class: "ll-columns" }, ...texts.map((text) => text.box));
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const detail = make("div", { class: "ll-detail", "aria-live": "polite" });
  let chosen = null;

  columns.style.setProperty("--texts", texts.length);
  root.append(make("div", { class: "ll-controls" }, beginning.label, rule.label, seed.label, seed.next),
    make("div", { class: "ll-head" }, make("div", { class: "ll-key", "aria-hidden": "true" }, depthKey("unlikely", "likely")), state.line, toggle),
    columns, tableBox, detail);

  const still = () => root.dataset.motion === "off" || matchMedia("(prefers-reduced-motion: reduce)").matches;

  /** Write all texts anew. A newer call ends this one at its next answer, and so does a question that failed. */
  async function write() {
    for (const control of [beginning, rule, seed]) control.show();
    const prompt = model.get("beginnings")[model.get("beginning")], cuts = model.get("rules")[model.get("rule")];
    const chances = Array.from({ length: model.get("tokens") }, dice(model.get("seed"))); // the same for each text
    const turn = still() ? chances.length : TURN; // nothing moves where nothing should: a text is there or not
    columns.setAttribute("aria-busy", "true");
    texts.forEach((text) => text.begin());
    for (let open = texts; open.length && !signal?.aborted; open = open.filter((text) => !text.ended && text.steps.length < chances.length)) {
      for (const text of open) {
        const from = text.ids ? text.steps.length : 0, policy = { temperature: text.temperature, ...cuts };
        const reply = await read({ kind: "write", ...(text.ids ? { ids: text.ids } : { text: prompt }), policy, chances: chances.slice(from, from + turn) }, "writing …");
        if (reply === null) columns.setAttribute("aria-busy", "false");
        if (!reply) return;
        if (!text.ids && chosen?.text === text) choose(null);
        text.add(reply, prompt);
        if (!tableBox.hidden) fillTable();
      }
    }
    columns.setAttribute("aria-busy", "false");
  }

  /** The token that an element stands for: its text and its place. */
  function placeOf(node) {
    const span = node.closest?.(".ll-tok"), text = texts.find(({ spans }) => spans.includes(span));
    return text ? { text, i: text.spans.indexOf(span) } : null;
  }

  /** The line below tells about the token under the hand, or else about the chosen one. */
  function tell(place = chosen) {
    if (!place) {
      detail.replaceChildren(make("p", { class: "ll-hint" }, "Point at a token, or press it, to see its numbers."));
      return;
    }
    const { text, i } = place, step = text.steps[i], facts = [["token", `${whole(i + 1)} of ${whole(text.steps.length)}`], ...numbers(step)];
    detail.replaceChildren(make("span", { class: "ll-word" }, tokenLabel(step.special ? step.text : step.text.trim() || step.text, step.special)),
      make("dl", {}, ...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
  }

  /** Chooses a token; null for none. */
  function choose(place) {
    const mark = (on) => { const span = chosen?.text.spans[chosen.i]; span?.classList.toggle("ll-chosen", on); span?.setAttribute("aria-selected", String(on)); };
    mark(false);
    chosen = place;
    mark(true);
    tell();
  }

  const press = (place) => choose(place.text === chosen?.text && place.i === chosen.i ? null : place);

  function fillTable() {
    const rows = texts.flatMap(({ temperature, steps }) => steps.map((step, i) => [visible(step.text), temperature.toFixed(1), String(i + 1), String(step.id), ...numbers(step).map(([, value]) => value)]));
    tableBox.replaceChildren(table("The tokens of the texts", ["token", "temperature", "place", "id", "probability", "surprise", "drawn with", "likelier"], rows));
  }

  function showTable(on) {
    tableBox.style.height = `${columns.offsetHeight || tableBox.offsetHeight}px`;
    tableBox.hidden = !on;
    columns.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    if (on) { fillTable(); tableBox.focus({ preventScroll: true }); }
  }

  columns.addEventListener("pointerover", (event) => tell(placeOf(event.target) ?? chosen));
  columns.addEventListener("pointerleave", () => tell());
  columns.addEventListener("focusin", (event) => tell(placeOf(event.target) ?? chosen));
  columns.addEventListener("focusout", () => tell());
  columns.addEventListener("click", (event) => { const place = placeOf(event.target); if (place) { press(place); roving(() => place.text.spans, place.i)(place.i); } });
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (!plain(event) || typing(event)) return;
    const at = placeOf(event.composedPath()[0]), spans = at?.text.spans, go = (i) => roving(() => spans, at.i)(i);
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else choose(null); },
      ...(at ? { ArrowLeft: () => go(at.i - 1), ArrowRight: () => go(at.i + 1), ArrowUp: () => go(lineAway(spans, at.i, -1)), ArrowDown: () => go(lineAway(spans, at.i, 1)), Enter: () => press(at), Home: () => go(0), End: () => go(spans.length - 1) } : {}),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  const begin = whenNear(root, signal, write);
  listen(model, ["beginning", "rule", "seed"], begin, signal);
  for (const control of [beginning, rule, seed]) control.show();
  state.rest();
  tell();
  begin();
}

export default { render };
