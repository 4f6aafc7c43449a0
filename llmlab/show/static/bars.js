// Bars: the distribution of the next token. Blue is the probability a token is drawn with, the outline its
// share of the pages' counts, the black line the cut; the last row sums the tail, and all rows make 100%.

const K_STEPS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 40, 50, 100, 200, 500, 1000, 2000];
const POLICY = ["temperature", "top_k", "top_p", "min_p"];
const DRAWS = 200;

/** A reply of the engine as the widget uses it: the ranking, and the corpus' share of every ranked token. */
function understand(reply, vocabulary, penalty) {
  const [logits, ...counts] = reply.buffers;
  const { order, scores } = rank(floatsOf(logits, reply.dtype), reply.ids, penalty);
  if (order.length !== vocabulary.length) {
    throw new Error(`The answer has ${order.length} scores for ${vocabulary.length} tokens: another model's vocabulary?`);
  }
  return { ids: reply.ids, order, scores, ...counted(order, counts, reply.corpus) };
}

/** What the corpus says about the ranked tokens; nothing where no counts came (yet). */
function counted(order, [countIds, counts], corpus = "") {
  const share = new Float64Array(order.length), seen = new Float64Array(order.length);
  const ids = new Uint32Array(bytesOf(countIds)), numbers = new Uint32Array(bytesOf(counts));
  ids.forEach((id, i) => { seen[id] = numbers[i]; });
  const total = numbers.reduce((a, b) => a + b, 0);
  order.forEach((id, i) => { share[i] = total ? seen[id] / total : 0; });
  return { share, counts: Array.from(order, (id) => seen[id]), total, corpus };
}

/** The four rules as sliders: their names in plain words, and where a value stands on each. */
function policySliders(V, set, release) {
  const sliders = {
    temperature: slider({ name: "Temperature", min: 0, max: 200, input: (v) => set("temperature", v / 100), release,
      say: (v) => [(v / 100).toFixed(2), v === 0 ? "always the best token" : v < 100 ? "more certain than the model is" : v === 100 ? "as the model is" : "less certain than the model is"] }),
    top_k: slider({ name: "Keep the best k", min: 0, max: K_STEPS.length, note: `k, of ${whole(V)}`, input: (v) => set("top_k", K_STEPS[v] ?? 0), release,
      say: (v) => [v < K_STEPS.length ? whole(K_STEPS[v]) : "all"] }),
    top_p: slider({ name: "Keep the top p", min: 1, max: 100, note: "top p, or nucleus", input: (v) => set("top_p", v / 100), release,
      say: (v) => [v < 100 ? `${v}%` : "all"] }),
    min_p: slider({ name: "Keep near the best", min: 0, max: 50, note: "min p: at least this share of the best", input: (v) => set("min_p", v / 100), release,
      say: (v) => [v ? `${v}%` : "off"] }),
  };
  const atSlider = {
    temperature: (t) => Math.round(100 * t), top_p: (p) => Math.round(100 * p), min_p: (m) => Math.round(100 * m),
    top_k: (k) => (k > 0 && k <= K_STEPS.at(-1) ? K_STEPS.findIndex((step) => step >= k) : K_STEPS.length),
  };
  return { sliders, atSlider };
}

/** A row's marks: token, number, and on the axis the model's bar, the corpus' outline and the dot of the draws. */
function emptyRow(names) {
  const label = make("span", { class: "t" }), number = make("span", { class: "n" });
  const model = make("i", { class: "m" }), corpus = make("i", { class: "c" }), dot = make("i", { class: "d" });
  const row = make("div", { class: names, role: "option", "aria-selected": "false" }, label, number, make("span", { class: "pl" }, model, corpus, dot));
  return { row, label, number, model, corpus, dot };
}

/** The row of one token; a hyphen shows that it continues the word before. */
function candidateRow(word, special, before) {
  const parts = emptyRow("ll-row"), joined = /^[\p{L}\p{N}]/u.test(word) && /[\p{L}\p{N}]$/u.test(before);
  if (joined) parts.label.append(make("span", { class: "ll-join" }, "-"));
  parts.label.append(tokenLabel(special || !word.trim() ? word : word.trim(), special));
  parts.row.title = `take ${spoken(word)}${joined ? ", joined to the word before" : ""}`;
  return parts;
}

const HEADS = ["token", "id", "the model", "at this temperature", "drawn with", "count in its pages", "share", "draws"];

/** Every number that is drawn, row by row; the last line sums the tail. */
function tableLines(view, rows, vocabulary, drawn, draws) {
  const { p, q, kept } = view.cut, shown = rows.length - 1, plainP = softmax(view.scores, 1);
  const left = (all) => Math.max(0, 1 - all.slice(0, shown).reduce((a, b) => a + b, 0));
  const corpus = (count, share) => (view.total ? [whole(count), percent(share)] : ["–", "–"]);
  const times = (i) => (draws ? String(drawn.get(i) ?? 0) : "–");
  const lines = rows.slice(0, shown).map((r, i) => [visible(vocabulary[r.id]), String(r.id), percent(plainP[i]), percent(p[i]),
    i < kept ? percent(q[i]) : "cut", ...corpus(view.counts[i], r.share), times(i)]);
  const tail = rows[shown];
  return [...lines, [`${whole(view.order.length - shown)} more`, "", percent(left(plainP)), percent(left(p)),
    kept > shown ? percent(left(q)) : "cut", ...corpus(view.total * tail.share, tail.share), times(shown)]];
}

function render({ model, el, signal }) {
  const vocabulary = jsonOf(model.get("vocabulary"), []), special = new Set(model.get("special"));
  const known = new Map();
  let view = null, choice = null, typed = 0, rng = dice(model.get("seed")), drawn = new Map(), draws = 0, at = 0;

  const root = mount(el, "bars", signal, () => place());
  const state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  const read = reader(engineFor(model, signal, state), state);

  // ---- what stands where ----
  const field = make("input", { class: "ll-field", value: model.get("prompt"), maxlength: 4000, spellcheck: "false", autocomplete: "off", "aria-label": "Text the model reads" });
  const ask = make("form", { class: "ll-ask" }, field, make("button", { class: "ll-btn", type: "submit" }, "Read it ", make("kbd", {}, "Enter")));
  const text = make("p", { class: "ll-text", role: "group", "aria-label": "The text so far, a token at a time" });
  const nameModel = make("span", { class: "ll-say" }), nameCorpus = make("span", { class: "ll-say ll-tie" });
  const list = make("div", { class: "ll-list", role: "listbox", "aria-label": "Candidates for the next token" });
  const cutName = make("b"), cutLine = make("div", { class: "ll-cut", "aria-hidden": "true" }, cutName);
  const axis = make("div", { class: "ll-axis", "aria-hidden": "true" }, ...[0, 25, 50, 75, 100].map((x) => make("i", { style: `left:${x}%`, "data-x": x ? `${x}%` : "" })));
  const figure = make("div", { class: "ll-figure" }, nameModel, nameCorpus, axis, list, cutLine);
  const empty = make("p", { class: "ll-empty" }, "Write a few words above and press Enter. The model answers with a number for every token it knows.");
  const sumText = make("p"), sum = make("div", { class: "ll-sum" }, make("span", { class: "n" }, "100%"), sumText);
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const spokenLine = make("p", { class: "ll-sr", "aria-live": "polite" });
  const rows = [];

  const { sliders, atSlider } = policySliders(vocabulary.length, set, () => model.save_changes());
  const button = (label, key, action, kind = "") => {
    const b = make("button", { class: `ll-btn ${kind}`, type: "button" }, label, ...(key ? [make("kbd", {}, key)] : []));
    b.addEventListener("click", action);
    return b;
  };
  const drawOne = button("Draw one ", "Space", () => draw(), "ll-main");
  const tableButton = button("Table ", "T", () => showTable(tableBox.hidden));
  const backButton = button("Back ", "←", () => back());
  const side = make("div", { class: "ll-side", role: "group", "aria-label": "How a token is picked" },
    ...Object.values(sliders).map((s) => s.label),
    make("div", { class: "ll-acts" }, drawOne, button(`Draw ${DRAWS}`, "", drawMany), backButton, tableButton),
    make("p", { class: "ll-keys" }, make("kbd", {}, "↑"), " ", make("kbd", {}, "↓"), " choose, ", make("kbd", {}, "→"), " take it, ", make("kbd", {}, "←"), " go back"));
  const picture = make("div", { class: "ll-picture" }, figure, tableBox, empty, sum);
  root.append(make("div", { class: "ll-top" }, ask, state.line), text, make("div", { class: "ll-grid" }, picture, side), spokenLine);

  // ---- from numbers to marks ----

  /** Builds the rows for this width; they keep their elements until the width or the text changes. */
  function place() {
    if (!view) return;
    const shown = Math.min(root.clientWidth < 620 ? 8 : root.dataset.size === "hall" ? 10 : 12, view.order.length);
    const before = view.ids.length ? vocabulary[view.ids.at(-1)] : "";
    rows.length = 0;
    for (let i = 0; i <= shown; i++) {
      const tail = i === shown, id = view.order[i];
      const row = tail ? emptyRow("ll-row ll-tail") : candidateRow(vocabulary[id], special.has(id), before);
      if (!tail) row.row.addEventListener("click", () => take(i));
      rows.push({ ...row, tail, id });
    }
    list.replaceChildren(...rows.map((r) => r.row));
    roving(candidates, Math.min(at, shown - 1));
    root.style.setProperty("--rows", rows.length);
    outline();
    update();
  }

  /** The corpus' part of the picture; the counts may come after it. */
  function outline() {
    let left = 1;
    rows.forEach((r, i) => {
      r.share = Math.max(0, r.tail ? left : view.share[i]);
      left -= r.share;
      r.corpus.style.width = `${100 * r.share}%`;
      r.corpus.hidden = !view.total || r.share <= 0;
    });
    nameMarks();
  }

  /** Labels stand at the thing: blue at its bar, the outline at its end, unless they would collide. */
  function nameMarks() {
    const width = rows[0].row.lastChild.clientWidth, narrow = width < 320, left = rows[0].row.lastChild.offsetLeft;
    nameModel.textContent = narrow ? "blue: model" : "blue: the model";
    nameCorpus.textContent = view.corpus && (narrow ? (view.total ? "outline: its pages" : "no counts yet") : view.total ? `outline: ${view.corpus}` : view.corpus);
    nameModel.style.left = axis.style.left = `${left}px`;
    axis.style.width = `${width}px`;
    const wish = rows[0].share * width, least = nameModel.offsetWidth + 24, most = width - nameCorpus.offsetWidth;
    const x = Math.min(Math.max(wish, least), Math.max(most, least));
    nameCorpus.style.left = `${left + x - 7}px`;
    nameCorpus.classList.toggle("ll-tie", Boolean(view.total && rows[0].share) && Math.abs(x - wish) < 1);
  }

  const candidates = () => [...list.querySelectorAll(".ll-row:not(.ll-tail)")];
  const policy = () => Object.fromEntries(POLICY.map((name) => [name, model.get(name)]));
  const rowOf = (i) => Math.min(i, rows.length - 1);

  /** Everything that depends on the policy. A slider's move ends here, in one frame. */
  function update() {
    if (!view) return;
    const from = performance.now(), shown = rows.length - 1, V = view.order.length;
    const { p, q, kept, mass, rule, entropy } = view.cut = cut(view.scores, policy());
    let restP = 1, restQ = kept > shown ? 1 : 0;
    rows.forEach((r, i) => {
      const gone = i >= kept;
      if (!r.tail) { restP -= p[i]; if (kept > shown) restQ -= q[i]; }
      const value = r.tail ? Math.max(0, gone ? restP : restQ) : gone ? p[i] : q[i];
      r.value = value;
      r.row.classList.toggle("ll-gone", gone);
      r.row.classList.toggle("ll-chosen", choice !== null && rowOf(choice) === i);
      r.row.setAttribute("aria-selected", String(choice !== null && rowOf(choice) === i));
      r.model.style.width = `${100 * value}%`;
      reword(r.number, percent(value));
      if (r.tail) reword(r.label, kept > shown && kept < V ? `${whole(kept - shown)} of ${whole(V - shown)} more` : `${whole(V - shown)} more`);
      const times = drawn.get(i) ?? 0;
      r.dot.hidden = !draws || (gone && !times);
      r.dot.style.left = `${(100 * times) / Math.max(1, draws)}%`;
      r.row.setAttribute("aria-label", `${r.tail ? r.label.textContent : spoken(vocabulary[r.id])}, ${percent(value)}${gone ? ", cut" : ""}${draws ? `, drawn ${times} times` : ""}`);
    });
    cutLine.style.setProperty("--at", kept <= shown ? kept : shown + 1);
    cutName.textContent = kept === V ? "nothing is cut" : rule === "temperature 0" ? "temperature 0: only the best" : `${rule}: ${whole(kept)} kept, ${percent(mass)}`;
    sumText.replaceChildren("Uncertainty ", make("b", { class: "ll-bits" }, bits(entropy)), ": as unsure as a choice among ", make("b", { class: "ll-choices" }, (2 ** entropy).toFixed(1)), " equal tokens",
      ...(draws ? [make("span", { class: "ll-draws" }, `● share of ${whole(draws)} draws, seed ${model.get("seed")}`)] : []));
    for (const [name, control] of Object.entries(sliders)) control.show(atSlider[name](model.get(name)));
    if (!tableBox.hidden) fillTable();
    root.dataset.ms = (performance.now() - from).toFixed(2);
  }

  const fillTable = () => tableBox.replaceChildren(table("Candidates for the next token", HEADS, tableLines(view, rows, vocabulary, drawn, draws)));

  function showTable(on) {
    if (!view) return;
    tableBox.hidden = !on;
    root.classList.toggle("ll-as-table", on);
    tableButton.setAttribute("aria-pressed", String(on));
    update();
    if (on) tableBox.focus({ preventScroll: true });
    else candidates()[at]?.focus({ preventScroll: true });
  }

  /** The text: every token can be pressed to go back to it; what was taken last is inverse; a gap waits. */
  function writeText(pending) {
    const word = (id) => make("span", {}, tokenLabel(vocabulary[id], special.has(id)));
    const ids = view?.ids ?? [], last = ids.length - 1;
    const tokens = ids.map((id, i) => {
      const token = make("button", { class: "ll-tok", type: "button", title: i < last ? "go back to here" : "" , "aria-label": spoken(vocabulary[id]) }, word(id));
      if (i === last && i >= typed && pending === undefined) token.classList.add("ll-chosen");
      token.addEventListener("click", () => goTo(ids.slice(0, i + 1)));
      return token;
    });
    if (pending !== undefined) tokens.push(make("span", { class: "ll-tok ll-chosen" }, word(pending)));
    text.replaceChildren(...tokens, make("span", { class: "ll-gap", title: "the next token goes here" }));
    roving(() => [...text.querySelectorAll("button")], Math.max(0, last));
    text.scrollTop = text.scrollHeight;
  }

  // ---- what a press does ----

  function set(name, value) {
    forget();
    model.set(name, value);
  }

  function forget() {
    drawn = new Map();
    draws = 0;
    choice = null;
  }

  function show(reply) {
    try {
      view = understand(reply, vocabulary, model.get("repetition_penalty"));
    } catch (problem) {
      state.error(problem.message);
      writeText();
      return;
    }
    known.set(reply.ids.join(), reply);
    count(reply);
    if (known.size > 64) known.delete(known.keys().next().value);
    const focused = list.contains(list.getRootNode().activeElement);
    forget();
    root.classList.remove("ll-nothing");
    at = 0;
    writeText();
    place();
    backButton.disabled = view.ids.length <= typed;
    if (focused) candidates()[0]?.focus({ preventScroll: true });
    const { q, kept, entropy } = view.cut;
    list.setAttribute("aria-label", `Candidates for the next token: ${rows.length - 1} shown, ${whole(view.order.length - rows.length + 1)} others summed in the last row`);
    spokenLine.textContent = `Most likely: ${spoken(vocabulary[view.order[0]])}, ${percent(q[0])}. ${whole(kept)} tokens can be drawn. Uncertainty ${bits(entropy)}.`;
    if (view.ids.join() === model.get("ids").join()) return; // the first picture: Python knows it
    model.set("ids", [...view.ids]);
    model.set("chosen", view.ids.length > typed ? view.ids.at(-1) : -1);
    model.set("text", reply.text ?? view.ids.map((id) => vocabulary[id]).join(""));
    model.save_changes();
  }

  /** Asks once for the counts of a reply that came without; when they come, the picture may be another one. */
  async function count(reply) {
    const { askCounts } = reply;
    reply.askCounts = undefined;
    const counts = await askCounts?.();
    if (!counts) return;
    const { corpus, buffers } = counts;
    Object.assign(reply, { corpus, buffers: [reply.buffers[0], ...buffers] });
    if (view.ids.join() !== reply.ids.join()) return;
    Object.assign(view, counted(view.order, buffers, corpus));
    outline();
    if (!tableBox.hidden) fillTable();
  }

  async function readPrompt() {
    const prompt = model.get("prompt");
    field.value = prompt;
    if (!prompt.trim()) { state.empty("nothing to read yet"); return; }
    const reply = await read({ kind: "logits", text: prompt }, "reading …");
    if (!reply) return;
    typed = reply.ids.length;
    rng = dice(model.get("seed"));
    show(reply);
  }

  async function goTo(ids, wait = 0) {
    if (!ids.length) return;
    const old = known.get(ids.join());
    if (old && !wait) { show(old); return; }
    const reply = await read({ kind: "logits", ids }, `reading ${ids.length} tokens …`, wait);
    if (reply) show(reply);
    else if (reply === null) { forget(); update(); writeText(); }
  }

  function take(i, wait = 0) {
    if (!view) return;
    choice = i;
    update();
    const id = view.order[i];
    writeText(id);
    goTo([...view.ids, id], wait);
  }

  const back = () => { if (view && view.ids.length > typed) goTo(view.ids.slice(0, -1)); };

  /** The drawn row stays inverse long enough to be seen; the model reads meanwhile. */
  function draw() {
    if (!view || root.dataset.state === "loading") return;
    const hold = parseFloat(getComputedStyle(root).getPropertyValue("--ll-time-3")) || 0;
    take(pick(view.cut.q, view.cut.kept, rng()), hold);
  }

  function drawMany() {
    if (!view) return;
    for (let n = 0; n < DRAWS; n++) {
      const i = rowOf(pick(view.cut.q, view.cut.kept, rng()));
      drawn.set(i, (drawn.get(i) ?? 0) + 1);
    }
    draws += DRAWS;
    update();
    spokenLine.textContent = `${whole(draws)} draws: ${rows.slice(0, 3).map((r, i) => `${spoken(vocabulary[r.id])} ${drawn.get(i) ?? 0} times`).join(", ")}.`;
  }

  ask.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value === model.get("prompt")) readPrompt();
    else { model.set("prompt", field.value); model.save_changes(); }
  });

  root.addEventListener("keydown", (event) => {
    if (!plain(event) || typing(event)) return;
    const from = event.composedPath()[0], ranged = from.matches("input"), pressed = from.closest("button") !== null;
    const inText = text.contains(from), words = [...text.querySelectorAll("button")], here = words.indexOf(from);
    const move = (to) => { at = Math.max(0, Math.min(rows.length - 2, to)); roving(candidates, at)(at); };
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else { forget(); update(); } },
      ...(ranged ? {} : inText
        ? { ArrowLeft: () => roving(() => words, here)(here - 1), ArrowRight: () => roving(() => words, here)(here + 1) }
        : { ArrowUp: () => move(at - 1), ArrowDown: () => move(at + 1), ArrowRight: () => take(at), ArrowLeft: back }),
      ...(pressed ? {} : { " ": draw }),
      ...(pressed || ranged ? {} : { Enter: () => take(at) }),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || !view) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  list.addEventListener("focusin", (event) => { const i = candidates().indexOf(event.target); if (i >= 0) at = i; });

  listen(model, POLICY, update, signal);
  listen(model, ["prompt"], readPrompt, signal);
  listen(model, ["edition"], () => { known.clear(); if (view) goTo(view.ids); }, signal);

  for (const [name, control] of Object.entries(sliders)) control.show(atSlider[name](model.get(name)));
  root.classList.add("ll-nothing");
  const first = model.get("first"), ids = model.get("ids");
  if (first.ids && ids.join() !== first.ids.join()) { // shown again after a walk
    typed = first.ids.every((id, i) => id === ids[i]) ? first.ids.length : ids.length;
    goTo(ids);
  } else if (first.ids) {
    typed = first.ids.length;
    show({ ...first, buffers: [model.get("first_logits"), model.get("first_count_ids"), model.get("first_counts")] });
    if (view) state.rest();
  } else {
    writeText();
    readPrompt();
  }
}

export default { render };
