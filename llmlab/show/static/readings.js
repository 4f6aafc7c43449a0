// Readings: the same letters read twice, as the tokens that the model learned with, and with one token for each byte.
// A column of bars says what comes next, with all others in its last row, so each adds up to 100%. A token's blank is
// seen (␣): the sentence below sums the tokens that begin with one.

const SHOWN = 8; // tokens in a column
const BLANK = 0x20;
const WAYS = ["As its tokens", "Letter by letter"];

/** A reply as the picture uses it: how many tokens were read, the best next ones, and two sums over all of them. */
function understand(reply, initials) {
  const { order, scores } = rank(floatsOf(reply.buffers[0], reply.dtype)), p = softmax(scores, 1);
  const best = Array.from(order.subarray(0, SHOWN), (id, i) => ({ id, p: p[i] }));
  let newWord = 0;
  order.forEach((id, i) => { if (initials[id] === BLANK) newWord += p[i]; });
  return { n: reply.ids.length - 1, best, others: best.reduce((left, row) => left - row.p, 1), newWord };
}

/** A token as nodes on one line, its leading blanks as marks; white space alone is a box, as everywhere. */
function spelled(word, special) {
  const [blanks] = word.match(/^ */);
  if (special || !blanks || !word.trim()) return [tokenLabel(word, special)];
  return [make("span", { class: "ll-blank" }, "␣".repeat(blanks.length)), tokenLabel(word.slice(blanks.length))];
}

/** One reading's column: its rows stay, and `write` changes what they say. */
function column(name, labelOf) {
  const about = make("p", { class: "ll-about" }, "\u00a0");
  const rows = Array.from({ length: SHOWN + 1 }, (_, i) => {
    const label = make("span", { class: "t" }, i === SHOWN ? "all others" : ""), number = make("span", { class: "n" }), bar = make("i");
    return { label, number, bar, row: make("div", { class: "ll-row" }, label, number, make("span", { class: "b" }, bar)) };
  });
  const axis = make("div", { class: "ll-axis" }, ...[0, 50, 100].map((x) => make("i", { style: `left:${x}%`, "data-x": `${x}%` })));
  const element = make("div", {}, make("h4", {}, name), about, make("div", { class: "ll-rows" }, axis, ...rows.map((r) => r.row)));
  function write({ n, best, others }) {
    reword(about, `${whole(n)} ${n === 1 ? "token" : "tokens"}`);
    rows.forEach(({ label, number, bar }, i) => {
      const p = best[i]?.p ?? others;
      if (best[i]) label.replaceChildren(...labelOf(best[i].id));
      reword(number, percent(p));
      bar.style.width = `${100 * Math.max(0, p)}%`;
    });
  }
  return { element, write };
}

/** Every number that is drawn, and those of the sentence. */
function tableLines(readings, nameOf, V) {
  const line = (name, cells) => [name, ...readings.flatMap(cells)];
  return [
    ...Array.from({ length: SHOWN }, (_, i) => line(String(i + 1), ({ best }) => [nameOf(best[i].id), percent(best[i].p)])),
    line("all others", ({ others }) => [whole(V - SHOWN), percent(others)]),
    line("a new word", ({ newWord }) => ["", percent(newWord)]),
    line("tokens read", ({ n }) => [whole(n), ""]),
  ];
}

function render({ model, el, signal }) {
  const vocabulary = jsonOf(model.get("vocabulary"), []), initials = new Uint8Array(bytesOf(model.get("initials")));
  const special = new Set(model.get("special")), room = model.get("room"), letters = new TextEncoder();
  const root = mount(el, "readings", signal), state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  const engine = engineFor(model, signal, state);
  const questions = (text) => [{ kind: "logits", text }, { kind: "logits", ids: [model.get("bos"), ...letters.encode(text)] }];
  const read = reader({ ask: (text) => Promise.all(questions(text).map((question) => engine.ask(question))) }, state);
  let said = null, readings = [];

  // ---- what stands where ----
  const field = make("input", { class: "ll-field", spellcheck: "false", autocomplete: "off", "aria-label": "Text that is read twice" });
  const ask = make("form", { class: "ll-ask" }, field, make("button", { class: "ll-btn", type: "submit" }, "Read it ", make("kbd", {}, "Enter")));
  const toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const columns = WAYS.map((name) => column(name, (id) => spelled(vocabulary[id], special.has(id))));
  const figure = make("div", { class: "ll-columns", role: "img", "aria-label": "Bar charts, empty yet" }, ...columns.map((c) => c.element));
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const sentence = make("p", { class: "ll-sentence", "aria-live": "polite" });
  root.append(make("div", { class: "ll-top" }, ask, state.line, toggle),
    make("div", { class: "ll-picture" }, make("div", { class: "ll-either" }, figure, tableBox), sentence));

  function write(text, replies) {
    said = text;
    readings = replies.map((reply) => understand(reply, initials));
    readings.forEach((reading, i) => columns[i].write(reading));
    const [afterTokens, afterLetters] = readings.map(({ newWord }) => percent(newWord));
    const tops = readings.map(({ best: [top] }, i) => `${WAYS[i]}: ${spoken(vocabulary[top.id])}, ${percent(top.p)}`);
    sentence.textContent = `After the tokens it expects a new word, a token that begins with a blank (␣), with ${afterTokens}; after the single letters with ${afterLetters}.`;
    figure.setAttribute("aria-label", `Bar charts of the token after “${text}”, 0 to 100%. Most likely: ${tops.join("; ")}.`);
    if (!tableBox.hidden) fillTable();
    if (model.get("prompt") === text) return;
    model.set("prompt", text);
    model.save_changes();
  }

  /** Where the letters fit, their tokens do: there are never more of them. */
  async function request(text) {
    const n = letters.encode(text).length;
    if (!text.trim()) state.empty("Write a few words above, and press Enter.");
    else if (n > room) state.error(`Letter by letter at most ${whole(room)} bytes fit; this text has ${whole(n)}. Shorten it.`);
    else {
      const replies = await read(text, "reading …");
      if (replies) write(text, replies);
    }
  }

  function fillTable() {
    const nameOf = (id) => visible(vocabulary[id]).replaceAll(" ", "␣"), heads = WAYS.flatMap((way) => [way.toLowerCase(), "probability"]);
    tableBox.replaceChildren(table(`The next token after: ${said ?? ""}`, ["", ...heads], readings.length ? tableLines(readings, nameOf, vocabulary.length) : []));
  }

  function showTable(on) {
    if (on) fillTable();
    tableBox.hidden = !on;
    figure.classList.toggle("ll-away", on);
    toggle.setAttribute("aria-pressed", String(on));
    (on ? tableBox : toggle).focus({ preventScroll: true });
  }

  ask.addEventListener("submit", (event) => { event.preventDefault(); request(field.value); });
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (typing(event) || !plain(event)) return;
    const keys = { t: () => showTable(tableBox.hidden), ...(tableBox.hidden ? {} : { Escape: () => showTable(false) }) };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  function readPrompt() {
    const text = model.get("prompt"), first = model.get("first");
    if (text === said) return; // the student's own text, on its way to Python
    field.value = text;
    if (said !== null || first[0]?.text !== text) { request(text); return; }
    write(text, first.map((reply, i) => ({ ...reply, buffers: [model.get(`first_${i}`)] })));
    state.rest();
  }
  listen(model, ["prompt"], readPrompt, signal);
  readPrompt();
}

export default { render };
