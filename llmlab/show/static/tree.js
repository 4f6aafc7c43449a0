// Tree: all roads at once. Height is the probability of the road, colour the verdict, the ink frame the
// truth. Python sends scores, and for the tokens that are not shown one log-sum at each temperature of
// the slider, so the blocks are exact at every step without asking the model again.

const MARKS = { true: "✓", false: "×", nothing: "∅" };
const COLUMNS = 3;

/** The blocks of a tree: flat arrays from Python into nodes with kids; `start` is the node they hang from.
 *  What a checker decided stays decided further along. `whole`: asked for itself, so all columns are there. */
function graft(start, reply, temperatures) {
  const [scores, rest] = reply.buffers.map((b) => floatsOf(b)), nodes = [start];
  Object.assign(start, { kids: [], rest: null, whole: true });
  reply.parents.forEach((parent, i) => {
    const node = { id: reply.ids[i], text: reply.tokens[i], special: reply.special.includes(i), verdict: reply.verdicts[i] || nodes[parent].verdict, truth: reply.truth.includes(i), score: scores[i], kids: [], rest: null, whole: false, up: nodes[parent] };
    nodes[parent].kids.push(node);
    nodes.push(node);
  });
  reply.asked.forEach((index, i) => { nodes[index].rest = rest.subarray(i * temperatures, (i + 1) * temperatures); });
  return start;
}

/** Shares of the kids at a temperature, and of all tokens that are not shown. */
function shares(node, temperature, step) {
  const logs = [...node.kids.map((kid) => kid.score / temperature), node.rest[step]], top = Math.max(...logs);
  const parts = logs.map((z) => Math.exp(z - top)), sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((part) => part / sum);
}

function render({ model, el, signal }) {
  const temperatures = [...floatsOf(model.get("temperatures"))].map((t) => Math.round(t * 1e4) / 1e4);
  const pool = new Map(), prompt = { text: model.get("prompt"), verdict: "", truth: true, ids: model.get("ids") };
  let trail = [], at = 0, shown = [], high = 0, line = 0, narrow = false, glide = 0;

  const root = mount(el, "tree", signal, measure);
  const state = stateLine(root, { live: model.get("live"), source: model.get("source") }), read = reader(engineFor(model, signal, state), state);
  const path = make("p", { class: "ll-path", role: "group", "aria-label": "The road so far" });
  const blocks = make("div", { class: "ll-blocks", role: "tree", "aria-label": model.get("alt") || "The probability of the next three tokens" });
  const road = make("div", { class: "ll-road", "aria-hidden": "true", hidden: true });
  const heads = make("div", { class: "ll-heads", "aria-hidden": "true" }, ...["next token", "the one after", "and after"].map((h) => make("span", {}, h)));
  const far = make("div", { class: "ll-far", hidden: true }, make("p", {}, "The model has not been asked further."));
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const sums = make("div", { class: "ll-sums", role: "group", "aria-label": "All roads together" }), ties = make("svg", { viewBox: "0 0 10 100", preserveAspectRatio: "none", "aria-hidden": "true" });
  const sumParts = [["true", "✓ true"], ["false", "× false"], ["nothing", "∅ no such thing"], ["open", "not decided yet"]].map(([verdict, name]) => {
    const bar = make("div", { class: `ll-f-${verdict}`, "aria-hidden": "true" }), number = make("b"), label = make("p", { class: verdict === "open" ? "ll-open" : `ll-vi-${verdict}` }, number, make("span", {}, name)), tie = make("path");
    ties.append(tie);
    sums.append(bar, label);
    return { verdict, bar, number, label, tie, name };
  });
  sums.append(ties);
  const spokenLine = make("p", { class: "ll-sr", "aria-live": "polite" });
  const heat = slider({ name: "Temperature", min: 0, max: temperatures.length - 1, note: "redrawn here, in the page; the model is not asked again",
    input: (v) => model.set("temperature", temperatures[v]), release: () => model.save_changes(), say: (v) => [temperatures[v].toFixed(2)] });
  const button = (label, key, action) => { const b = make("button", { class: "ll-btn", type: "button" }, label, ...(key ? [make("kbd", {}, key)] : [])); b.addEventListener("click", action); return b; };
  const backButton = button("Back ", "←", () => back()), tableButton = button("Table ", "T", () => showTable(tableBox.hidden)), askButton = button("Ask the model ", "Enter", ask);
  far.append(askButton);
  blocks.append(road, far);
  const side = make("div", { class: "ll-side" }, heat.label, make("div", { class: "ll-acts" }, backButton, tableButton));
  root.append(state.line, path, make("div", { class: "ll-grid" }, make("div", { class: "ll-picture" }, heads, blocks, tableBox), make("div", { class: "ll-all" }, make("div", { class: "ll-heads", "aria-hidden": "true" }, make("span", {}, "all roads together")), sums), side), spokenLine);

  const here = () => trail.at(-1) ?? prompt;
  const stepOf = () => temperatures.reduce((best, t, i) => (Math.abs(t - model.get("temperature")) < Math.abs(temperatures[best] - model.get("temperature")) ? i : best), 0);
  const words = (nodes) => nodes.map((n) => n.text).join("");

  /** Where every visible block stands: depth, top and height as shares, probability of its road. */
  function lay(node, step, depth = 0, top = 0, height = 1, into = []) {
    const q = shares(node, temperatures[step], step);
    let y = top;
    [...node.kids, null].forEach((kid, i) => {
      const h = height * q[i];
      if (kid || h > 0) {
        into.push({ node: kid, key: kid ?? node.rest, verdict: (kid ?? node).verdict, depth, top: y, height: h, leaf: !kid || depth === COLUMNS - 1 || !kid.rest });
        if (kid?.rest && depth < COLUMNS - 1) lay(kid, step, depth + 1, y, h, into);
      }
      y += h;
    });
    return into;
  }

  function blockFor(item) {
    let block = pool.get(item.key);
    if (block) return block;
    const sign = make("b"), word = make("i"), number = make("small");
    block = { el: make("div", { role: "treeitem", tabindex: -1 }, make("span", {}, sign, word, number)), sign, word, number };
    if (item.node) word.append(tokenLabel(item.node.special || !item.node.text.trim() ? item.node.text : item.node.text.trim(), item.node.special));
    else word.append("others");
    sign.textContent = MARKS[item.verdict] ?? "";
    sign.hidden = !sign.textContent;
    block.el.className = ["ll-block", item.verdict && `ll-is-${item.verdict}`, !item.node && "ll-others"].filter(Boolean).join(" ");
    block.el.style.left = `${item.depth * 33.3333}%`;
    if (item.node) block.el.addEventListener("click", () => walk(item.node));
    pool.set(item.key, block);
    blocks.append(block.el);
    return block;
  }

  /** Everything that depends on the temperature; a slider's move ends here, in one frame. */
  function update() {
    const from = performance.now(), step = stepOf(), node = here();
    heat.show(step);
    shown = node.rest ? lay(node, step) : [];
    const seen = new Set(shown.map((item) => item.key)), total = { true: 0, false: 0, nothing: 0, open: 0 };
    let framed = null;
    for (const [key, block] of pool) if (!seen.has(key)) { block.el.remove(); pool.delete(key); }
    for (const item of shown) {
      const { el: box, number } = blockFor(item), { node: kid, verdict, depth, top, height, leaf } = item;
      const px = height * high, gap = px > 5 ? 2 : px > 2 ? 1 : 0, small = px < line;
      box.style.top = `${(top * high).toFixed(2)}px`;
      box.style.height = `${Math.max(px - gap, 0.6).toFixed(2)}px`;
      box.style.left = `${depth * 33.3333}%`; // as its level, this changes with a step along the road, or back
      box.setAttribute("aria-level", String(depth + 1));
      box.classList.toggle("ll-small", small);
      if (!small) number.textContent = percent(height);
      if (depth === 0) box.setAttribute("aria-label", describe(item));
      else box.removeAttribute("aria-label");
      if (leaf) total[verdict || "open"] += height;
      if (kid?.truth && (!framed || depth > framed.depth)) framed = item;
    }
    road.hidden = !framed;
    if (framed) road.style.cssText = `left:${framed.depth * 33.3333}%;top:${framed.top * high}px;height:${framed.height * high - 2}px`;
    writeSums(total);
    root.dataset.ms = (performance.now() - from).toFixed(2);
  }

  const describe = ({ node, verdict, height }) => `${node ? spoken(node.text) : "others"}, ${percent(height)}${verdict ? `, ${verdict}` : ""}`;

  /** What the arithmetic of a frame needs from the page, read once for a size. */
  function measure() {
    high = blocks.clientHeight;
    line = 1.36 * parseFloat(getComputedStyle(blocks).fontSize);
    narrow = root.clientWidth <= 860;
    update();
  }

  /** The numbers keep their place; only the lines that tie them to the column move. */
  function writeSums(total) {
    let y = 0;
    sumParts.forEach(({ verdict, bar, number, label, tie, name }, i) => {
      const p = total[verdict], middle = 100 * (y + p / 2), place = 12.5 + 25 * i;
      number.textContent = percent(p);
      label.lastChild.textContent = narrow ? { nothing: "∅ nothing", open: "open" }[verdict] ?? name : name;
      bar.style.cssText = narrow ? `left:${100 * y}%;width:max(0px, calc(${100 * p}% - 2px))` : `top:${100 * y}%;height:max(0px, calc(${100 * p}% - 2px))`;
      label.style.cssText = narrow ? `left:${25 * i}%` : `top:${place}%`;
      tie.setAttribute("d", p > 0.002 ? `M0 ${middle}C6 ${middle} 4 ${place} 10 ${place}` : "");
      y += p;
    });
  }

  /** The road so far, with the bits that each choice decides at this temperature. */
  function writePath() {
    const step = stepOf(), parts = [];
    const add = (node, label, chosen) => { const b = make("button", { type: "button", class: chosen ? "ll-chosen" : "", title: "go back to here" }, label); b.addEventListener("click", () => { trail = node ? trail.slice(0, trail.indexOf(node) + 1) : []; moved(); }); parts.push(b); };
    add(null, prompt.text, false);
    let up = prompt;
    for (const node of trail) {
      add(node, tokenLabel(node.text.trim() || node.text, node.special), node === here());
      const all = shares(up, temperatures[step], step);
      parts.push(make("span", { class: "ll-gain" }, bits(-Math.log2(all[up.kids.indexOf(node)]))));
      up = node;
    }
    path.replaceChildren(...parts);
    path.scrollTop = path.scrollHeight;
  }

  /** After a step along the road. */
  function moved(byKey = false) {
    at = 0;
    root.classList.add("ll-moving"); // blocks glide to their new place after a step, never under a slider
    clearTimeout(glide);
    glide = setTimeout(() => root.classList.remove("ll-moving"), 400);
    writePath();
    update();
    far.hidden = Boolean(here().rest);
    askButton.hidden = !model.get("live");
    backButton.disabled = !trail.length;
    const first = roving(firstColumn, 0);
    if (byKey && here().rest) first(0);
    else if (byKey) (askButton.hidden ? backButton : askButton).focus({ preventScroll: true });
    if (!tableBox.hidden) fillTable();
    const text = prompt.text + words(trail);
    spokenLine.textContent = trail.length ? `${text}. ${sumParts.filter((s) => s.number.textContent !== "0").map((s) => `${s.number.textContent} ${s.verdict}`).join(", ")}.` : "";
    if (model.get("live") && !here().whole) ask();
    if (model.get("text") === text) return;
    model.set("path", trail.map((n) => n.id));
    model.set("text", text);
    model.save_changes();
  }

  const firstColumn = () => shown.filter((item) => item.depth === 0 && item.node).map((item) => pool.get(item.key).el);

  const focus = () => root.getRootNode().activeElement;

  function walk(node, byKey = false) {
    const way = [];
    for (let n = node; n !== here() && n; n = n.up) way.unshift(n);
    trail = [...trail, ...way];
    moved(byKey || blocks.contains(focus()));
  }

  function back(byKey = false) {
    if (!trail.length) return;
    trail = trail.slice(0, -1);
    moved(byKey);
  }

  /** Asks for the roads from here, so that a step always shows all columns. */
  async function ask() {
    const node = here(), focused = blocks.contains(focus()), ids = [...prompt.ids, ...trail.map((n) => n.id)];
    const reply = await read({ kind: "tree", ids, temperatures, judging: model.get("judging") }, `reading ${ids.length} tokens …`);
    if (!reply) return;
    graft(node, reply, temperatures.length);
    if (node === here()) moved(focused);
  }

  function fillTable() {
    const rows = shown.map(({ node, depth, height, leaf }) => [`${"\u2003".repeat(depth)}${node ? visible(node.text.trim() || node.text) : "others"}`, String(depth + 1), percent(height), height > 0 ? bits(-Math.log2(height)) : "–", node?.verdict ? `${MARKS[node.verdict]} ${node.verdict}` : leaf ? "not decided" : "", node?.truth ? "yes" : ""]);
    tableBox.replaceChildren(table(`Roads after: ${prompt.text}${words(trail)}`, ["token", "column", "probability of the road", "bits", "verdict", "the true road"], rows));
  }

  function showTable(on) {
    tableBox.hidden = !on;
    root.classList.toggle("ll-as-table", on);
    tableButton.setAttribute("aria-pressed", String(on));
    if (on) { fillTable(); tableBox.focus({ preventScroll: true }); } else update();
  }

  root.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    const from = event.composedPath()[0], ranged = from.matches("input"), inBlocks = from.matches(".ll-block");
    const move = (to) => { const all = firstColumn(); at = Math.max(0, Math.min(all.length - 1, to)); roving(firstColumn, at)(at); };
    const enter = () => { const item = shown.filter((i) => i.depth === 0 && i.node)[at]; if (item) walk(item.node, true); };
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else { trail = []; moved(true); } },
      ...(ranged ? {} : { ArrowLeft: () => back(true) }),
      ...(inBlocks ? { ArrowUp: () => move(at - 1), ArrowDown: () => move(at + 1), ArrowRight: enter, Enter: enter } : {}),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  blocks.addEventListener("focusin", (event) => { const i = firstColumn().indexOf(event.target); if (i >= 0) at = i; });
  blocks.addEventListener("pointerover", (event) => { // a name for the block that is too low to hold one
    const item = shown.find((i) => pool.get(i.key)?.el === event.target.closest?.(".ll-block"));
    if (item) event.target.closest(".ll-block").title = describe(item);
  });

  function start() {
    const first = model.get("first");
    Object.assign(prompt, { text: model.get("prompt"), ids: model.get("ids") });
    trail = [];
    if (first.parents) graft(prompt, { ...first, buffers: [model.get("first_scores"), model.get("first_rest")] }, temperatures.length);
    moved();
    state.rest();
  }
  listen(model, ["temperature"], () => { if (trail.length) writePath(); update(); if (!tableBox.hidden) fillTable(); }, signal);
  listen(model, ["first"], start, signal);
  start();
}

export default { render };
