// Merges: one text under a growing vocabulary. Each border between two bytes has the number of the merge at
// which it falls; the slider compares. A letter stays where it is: its token is the ground behind it, and the
// line below it, which is cut into bytes where a letter has several of them.

const NEVER = 0xffffffff;
const SIZES = [2, 3, 5, 8]; // bytes: edges between the five strengths of the ground
const PLAY_MS = 9000, LEAST_MS = 40, MOST_MS = 320;
const strength = (bytes) => SIZES.filter((edge) => bytes >= edge).length;
const plainWord = (token) => visible(token).replaceAll(" ", "␣");

/** The letters as one sees them; an emoji of several characters stays whole. */
const lettersOf = (text) => (Intl.Segmenter ? Array.from(new Intl.Segmenter().segment(text), (s) => s.segment) : Array.from(text));

/** A reply as the widget uses it: bytes, borders, and the merges that change this text. */
function understandMerges({ text = "", total = 0, buffers = [] }) {
  const bytes = new TextEncoder().encode(text), falls = new Uint32Array(bytesOf(buffers[0])), counts = new Uint32Array(bytesOf(buffers[1]));
  const steps = [...new Set(falls)].filter((m) => m !== NEVER).sort((a, b) => a - b);
  return { text, total, bytes, falls, steps, counts: new Map(steps.map((m, i) => [m, counts[i] ?? 0])) };
}

/** The tokens after m merges: where each starts and ends in bytes, and the merge that made it (0: it is a byte). */
function tokensAfter({ bytes, falls }, m) {
  const tokens = [];
  for (let from = 0, made = 0, b = 1; b <= bytes.length; b++) {
    const fall = b < bytes.length ? falls[b - 1] : NEVER;
    if (fall <= m) { made = Math.max(made, fall); continue; }
    tokens.push({ from, to: b, made });
    from = b;
    made = 0;
  }
  return tokens;
}

const idOf = ({ bytes }, t) => (t.made ? 255 + t.made : bytes[t.from]);

function bytesAsText(bytes, from, to) {
  try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(from, to)); }
  catch { return [...bytes.subarray(from, to)].map((b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`).join(""); }
}

/** The two tokens that the merge of this token joined. */
function partsOf(view, t) {
  if (!t.made) return null;
  let at = t.from + 1;
  while (view.falls[at - 1] !== t.made) at++;
  return [bytesAsText(view.bytes, t.from, at), bytesAsText(view.bytes, at, t.to)];
}

function render({ model, el, signal }) {
  const engine = pythonEngine(model, signal), root = mount(el, "merges", signal);
  const state = stateLine(root, { live: model.get("live"), source: model.get("source") }), read = reader(engine, state);
  let view = understandMerges({}), place = 0, tokens = [], letters = [], chosen = -1, clock = 0;

  // ---- what stands where ----
  const names = Object.entries(model.get("vocabularies"));
  const field = make("input", { class: "ll-field", maxlength: model.get("longest"), spellcheck: "false", autocomplete: "off", "aria-label": "Your text" });
  const ask = make("form", { class: "ll-ask" }, field, make("button", { class: "ll-btn", type: "submit" }, "Read it ", make("kbd", {}, "Enter")));
  const choice = names.map(([key, name], i) => {
    const b = make("button", { class: "ll-btn", type: "button", "data-key": key }, name, " ", make("kbd", {}, String(i + 1)));
    b.addEventListener("click", () => { model.set("vocabulary", key); model.save_changes(); });
    return b;
  });
  const text = make("div", { class: "ll-text", role: "group", tabindex: 0 });
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same tokens as a table" });
  const sizes = make("p", { class: "ll-sizes", "aria-hidden": "true" }, "bytes in a token ",
    ...["1", "2", "3–4", "5–7", "8 or more"].map((words, i) => make("span", { class: `g${i}` }, words)), make("span", { class: "new start end" }, "just merged"));
  const move = slider({ name: "Merges", min: 0, max: 0, note: "\u00a0", input: (k) => { stop(); go(k); }, release: () => model.save_changes(),
    say: (k) => [k ? `${whole(view.steps[k - 1])} of ${whole(view.total)}` : `0 of ${whole(view.total)}`, told(k)] });
  const range = move.label.querySelector("input");
  const play = make("button", { class: "ll-btn ll-main", type: "button" }), toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const numbers = { bytes: make("dd"), tokens: make("dd"), "bytes per token": make("dd") };
  const sums = make("dl", { class: "ll-sums" }, ...Object.entries(numbers).map(([name, dd]) => make("div", {}, make("dt", {}, name), dd)));
  const detail = make("div", { class: "ll-detail", "aria-live": "polite" });
  const learned = names.length > 1 ? [make("div", { class: "ll-choice", role: "group", "aria-label": "Merges learned from" }, make("span", {}, "Merges learned from"), ...choice)] : [];
  const moves = make("div", { class: "ll-grid" }, make("div", { class: "ll-moves" }, move.label, sums), make("div", { class: "ll-acts" }, play, toggle));
  root.append(make("div", { class: "ll-top" }, ask, state.line), ...learned, moves, make("div", { class: "ll-picture" }, text, tableBox), sizes, detail);

  // ---- from numbers to marks ----
  const merges = () => (place ? view.steps[place - 1] : 0);
  const still = () => root.dataset.motion === "off" || matchMedia("(prefers-reduced-motion: reduce)").matches;
  const word = (t) => bytesAsText(view.bytes, t.from, t.to);

  /** What the merge at this place of the slider did. */
  function told(k) {
    if (!view.bytes.length) return "\u00a0";
    if (!k) return "each byte is a token of its own";
    const m = view.steps[k - 1], t = tokensAfter(view, m).find((one) => one.made === m), [a, b] = partsOf(view, t).map(plainWord), count = view.counts.get(m);
    return `“${a}” + “${b}” is now one token${count ? `: they stood side by side ${whole(count)} times` : ""}`;
  }

  /** The letters of a new text; one of several bytes has a small line for each. They stay until the next text. */
  function write(reply, at) {
    view = understandMerges(reply);
    let from = 0;
    letters = lettersOf(view.text).map((letter) => {
      const n = new TextEncoder().encode(letter).length, ticks = Array.from({ length: n > 1 ? n : 0 }, (_, k) => make("i", { style: `left:${(100 * k) / n}%;width:${100 / n}%` }));
      const node = make("span", { class: "c" }, letter.replace(/\r?\n/g, "↵\n"), ...ticks);
      from += n;
      return { node, ticks, from: from - n, to: from };
    });
    text.replaceChildren(...letters.map((l) => l.node));
    range.max = view.steps.length;
    range.disabled = play.disabled = !view.steps.length;
    chosen = -1;
    go(at ?? view.steps.length);
  }

  /** Moves the slider: grounds and lines change, no letter does. */
  function go(k) {
    const kept = tokens[chosen]?.from;
    place = Math.max(0, Math.min(view.steps.length, k));
    tokens = tokensAfter(view, merges());
    chosen = kept === undefined ? -1 : tokens.findIndex((t) => t.from <= kept && kept < t.to);
    move.show(place);
    model.set("merges", merges());
    numbers.bytes.textContent = whole(view.bytes.length);
    numbers.tokens.textContent = whole(tokens.length);
    numbers["bytes per token"].textContent = tokens.length ? (view.bytes.length / tokens.length).toFixed(2) : "–";
    text.setAttribute("aria-label", `The text in ${whole(tokens.length)} tokens, ${numbers["bytes per token"].textContent} bytes each, after ${whole(merges())} of ${whole(view.total)} merges. Arrow keys move from token to token.`);
    paint();
    mark();
  }

  function paint() {
    const newest = merges();
    let t = 0;
    for (const { node, ticks, from, to } of letters) {
      while (tokens[t].to <= from) t++;
      const own = tokens[t], names = [ticks.length ? "c many" : "c", `g${strength(own.to - own.from)}`];
      if (own.from === from) names.push("start");
      if (own.to <= to) names.push("end");
      if (newest && own.made === newest) names.push("new");
      if (t === chosen) names.push("ll-chosen");
      node.className = names.join(" ");
      for (let k = 0, u = t; k < ticks.length; k++) {
        while (tokens[u].to <= from + k) u++;
        ticks[k].className = `${tokens[u].from === from + k ? "start" : ""} ${u === chosen && u !== t ? "own" : ""}`;
      }
    }
  }

  /** The line below tells about the chosen token, or about the one under the hand. */
  function mark(preview = -1) {
    const t = tokens[preview >= 0 ? preview : chosen];
    if (!view.bytes.length) detail.replaceChildren(make("p", { class: "ll-hint" }, "Write a few words above and press Enter. They fall apart into bytes, and flow together again."));
    else if (!t) detail.replaceChildren(make("p", { class: "ll-hint" }, "Point at a token, or press it, to see what it is made of."));
    else detail.replaceChildren(make("span", { class: "ll-word" }, plainWord(word(t))),
      make("dl", {}, ...facts(t).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))));
    if (!tableBox.hidden) fillTable();
  }

  function facts(t) {
    const parts = partsOf(view, t);
    return [["token", `${whole(tokens.indexOf(t) + 1)} of ${whole(tokens.length)}`], ["its number", whole(idOf(view, t))], ["bytes", whole(t.to - t.from)],
      ...(parts ? [["made at merge", whole(t.made)], ["of", parts.map((p) => `“${plainWord(p)}”`).join(" + ")]] : [["made at merge", "none: a byte"]])];
  }

  function fillTable() {
    const rows = tokens.map((t, i) => [plainWord(word(t)), String(i + 1), whole(idOf(view, t)), String(t.to - t.from), t.made ? whole(t.made) : "–", partsOf(view, t)?.map(plainWord).join(" + ") ?? "–"]);
    tableBox.replaceChildren(table("The tokens of the text", ["token", "place", "its number", "bytes", "made at merge", "of"], rows));
  }

  function showTable(on) {
    tableBox.hidden = !on;
    text.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    mark();
    if (on) tableBox.focus({ preventScroll: true });
  }

  // ---- moving ----
  function label(playing) {
    play.replaceChildren(playing ? "Pause " : "Play the merges ", make("kbd", {}, "Space"));
  }

  function stop() {
    clearInterval(clock);
    clock = 0;
    label(false);
  }

  function run() {
    if (clock) { stop(); return; }
    if (!view.steps.length) return;
    if (still()) { go(place < view.steps.length ? view.steps.length : 0); return; }
    if (place >= view.steps.length) go(0);
    label(true);
    clock = setInterval(() => { go(place + 1); if (place >= view.steps.length) { stop(); model.save_changes(); } },
      Math.max(LEAST_MS, Math.min(MOST_MS, PLAY_MS / view.steps.length)));
  }

  function choose(i) {
    chosen = i === chosen ? -1 : Math.min(i, tokens.length - 1);
    paint();
    mark();
  }

  /** Asks for a text with the vocabulary that is chosen. The slider stays at its end if it is there. */
  async function request(words) {
    stop();
    const atEnd = place >= view.steps.length, before = merges();
    const reply = await read({ kind: "merges", text: words, vocabulary: model.get("vocabulary") }, "Learning and merging …");
    if (!reply) return;
    write(reply);
    if (!atEnd && words === model.get("text")) go(view.steps.filter((m) => m <= before).length);
    model.set("text", view.text);
    model.save_changes();
  }

  function showChoice() {
    choice.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.key === model.get("vocabulary"))));
  }

  const tokenOf = (event) => {
    const at = letters.findIndex((l) => l.node === event.target.closest?.(".c"));
    if (at < 0) return -1;
    const { ticks, node, from } = letters[at], box = node.getBoundingClientRect();
    const byte = from + Math.max(0, Math.min(ticks.length - 1, Math.floor(((event.clientX - box.left) / box.width) * ticks.length)));
    return tokens.findIndex((t) => t.from <= byte && byte < t.to);
  };
  text.addEventListener("pointermove", (event) => mark(tokenOf(event)));
  text.addEventListener("pointerleave", () => mark());
  text.addEventListener("click", (event) => { const i = tokenOf(event); if (i >= 0) choose(i); });
  play.addEventListener("click", run);
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  ask.addEventListener("submit", (event) => { event.preventDefault(); request(field.value); });
  root.addEventListener("keydown", (event) => {
    if (typing(event) || !plain(event)) return;
    const at = event.composedPath()[0], to = (i) => { if (i >= 0 && i < tokens.length && i !== chosen) choose(i); };
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else if (chosen >= 0) choose(chosen); },
      ...Object.fromEntries(choice.map((b, i) => [String(i + 1), () => b.click()])),
      ...(at.matches("button") ? {} : { " ": run }),
      ...(at !== text ? {} : { ArrowRight: () => to(chosen + 1), ArrowLeft: () => to(chosen - 1), Home: () => to(0), End: () => to(tokens.length - 1) }),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  signal?.addEventListener("abort", stop);

  listen(model, ["prompt"], () => { field.value = model.get("prompt").replace(/\s*\n\s*/g, " "); request(model.get("prompt")); }, signal);
  listen(model, ["vocabulary"], () => { showChoice(); request(model.get("text")); }, signal);
  listen(model, ["edition"], () => request(model.get("text")), signal);
  field.value = model.get("prompt").replace(/\s*\n\s*/g, " ");
  showChoice();
  label(false);
  state.rest();
  write({ ...model.get("first"), buffers: [model.get("first_falls"), model.get("first_counts")] });
}

export default { render };
