// What the widgets share: making elements, writing numbers, reading bytes, following the page's theme.
// Python puts this file in front of each widget's own (bundle.py): one plain ES module, no imports.
// A model's words reach the page as text nodes only; nothing here sets innerHTML.

const SVG_TAGS = new Set(["svg", "path", "line"]);

function make(tag, attributes = {}, ...kids) {
  const node = SVG_TAGS.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...kids);
  return node;
}

/** Other words into an element that holds words only. Nodes that come and go make a page compute its styles anew. */
function reword(node, words) {
  const [first, more] = node.childNodes;
  if (first?.nodeType !== Node.TEXT_NODE || more) node.replaceChildren(words);
  else if (first.data !== words) first.data = words;
}

// ---- numbers, as the visual language writes them ----

/** A probability: 46%, 8.6%, <0.1%, 0; 100% only if it is. number_format.py says the same in Python. */
function percent(p) {
  if (p <= 0) return "0";
  if (p >= 1 - 1e-9) return "100%";
  if (p > 0.9995) return ">99.9%";
  if (p >= 0.995) return `${(100 * p).toFixed(1)}%`;
  if (p >= 0.0995) return `${(100 * p).toFixed(0)}%`;
  return p >= 0.00095 ? `${(100 * p).toFixed(1)}%` : "<0.1%";
}

const grouped = new Intl.NumberFormat("en-US"); // kept: toLocaleString takes five times as long
const whole = (n) => grouped.format(Math.round(n));
const bits = (b) => `${Math.abs(b).toFixed(2)} bits`; // Math.abs: a sum of -p log p can come out as -0

// ---- a share as a depth of blue ----

const DEPTHS = [0.001, 0.01, 0.05, 0.2, 0.5, 0.9]; // edges between the seven depths
const depth = (p) => DEPTHS.filter((edge) => p >= edge).length;

/** What the depths mean, in one line: "unlikely ▒▓ likely". */
function depthKey(low, high) {
  const steps = [...DEPTHS, 1].map((edge, n) => make("i", { class: `ll-p-${n}`, title: `${n ? percent(DEPTHS[n - 1]) : "0"} to ${percent(edge)}` }));
  return make("span", { class: "ll-scale" }, `${low} `, ...steps, ` ${high}`);
}

// ---- arrays travel as bytes ----

/** A traitlet or message buffer, aligned for a typed array. */
function bytesOf(view) {
  if (!view) return new ArrayBuffer(0);
  return view instanceof ArrayBuffer ? view : view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

function halfToFloat(h) {
  const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

function floatsOf(view, dtype = "float32") {
  const bytes = bytesOf(view);
  return dtype === "float16" ? Float64Array.from(new Uint16Array(bytes), halfToFloat) : Float64Array.from(new Float32Array(bytes));
}

const jsonOf = (view, empty) => (view && view.byteLength ? JSON.parse(new TextDecoder().decode(bytesOf(view))) : empty);

// ---- tokens as people read them ----

const CONTROL = { "\n": "↵", "\r": "↵", "\t": "⇥" };
const visible = (text) => text.replace(/[\n\r\t]/g, (c) => CONTROL[c]);

/** The node for one token on one line: special words and bare white space are boxes in mono. */
function tokenLabel(text, special) {
  if (special) return make("span", { class: "ll-box" }, text);
  if (!text.trim()) return make("span", { class: "ll-box" }, text ? visible(text).replaceAll(" ", "␣") : "nothing");
  if (text.includes("\ufffd") || /^<0x[0-9A-F]{2}>/.test(text)) return make("span", { class: "ll-box" }, text);
  return document.createTextNode(visible(text));
}

/** A token inside a text: the white space before it as it is written, and the ink that carries its colour. */
function inked(token, boxed = false) {
  const space = boxed ? "" : token.match(/^\s*/)[0], word = token.slice(space.length), lead = space.replace(/\n/g, "↵\n");
  const written = boxed || /\ufffd|^<0x[0-9A-F]{2}>/.test(word) ? tokenLabel(word, boxed) : word.replace(/\n/g, "↵\n");
  return { lead: word ? lead : "", ink: make("span", { class: "ll-ink" }, word ? written : lead || "∅") };
}

/** What a screen reader says for one token. */
function spoken(text) {
  return text.trim() || { "\n": "new line", "\t": "tab" }[text] || (text.includes("\n") ? "new lines" : "space");
}

// ---- the page around the widget ----

/** The closest value of a data attribute, looking out of shadow roots, too. */
function around(node, name) {
  for (let at = node.parentNode; at; at = at.parentNode ?? at.host) {
    const value = at.dataset?.[name];
    if (value) return value;
  }
  return undefined;
}

function themeAround(node) {
  const said = around(node, "theme");
  if (said === "light" || said === "dark") return said;
  const jupyter = document.body?.dataset.jpThemeLight; // JupyterLab: "true" or "false"
  if (jupyter) return jupyter === "true" ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Keeps the root's theme, size and motion equal to those of the page, for as long as it is shown. */
function follow(root, signal, changed = () => {}) {
  const copy = () => {
    root.dataset.theme = themeAround(root);
    for (const name of ["size", "motion"]) {
      const value = around(root, name);
      if (value) root.dataset[name] = value;
      else delete root.dataset[name];
    }
  };
  const update = () => { copy(); changed(root.dataset.theme); };
  const watch = new MutationObserver(update);
  const what = { attributes: true, attributeFilter: ["data-theme", "data-size", "data-motion", "data-jp-theme-light"] };
  watch.observe(document.documentElement, what);
  watch.observe(document.body, what);
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", update);
  signal?.addEventListener("abort", () => { watch.disconnect(); system.removeEventListener("change", update); });
  copy();
  requestAnimationFrame(update); // marimo attaches the element after render has returned
}

/** The widget's root element. Its size is watched: `resized` is called when its width changes. */
function mount(el, name, signal, resized = () => {}) {
  const root = make("div", { class: `ll ll-${name}` });
  el.append(root);
  follow(root, signal, resized);
  let width = -1;
  const watch = new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) < 1) return;
    width = entry.contentRect.width;
    resized();
  });
  watch.observe(root);
  signal?.addEventListener("abort", () => watch.disconnect());
  return root;
}

/** Calls `heard` on changes of these traitlets until the view goes away: once a message, after all of it. (marimo
    tells of each change before it sets the next, in any order: a listener would see half of the news.) */
function listen(model, names, heard, signal) {
  let due = false;
  const soon = () => {
    if (due) return;
    due = true;
    queueMicrotask(() => { due = false; if (!signal?.aborted) heard(); });
  };
  for (const name of names) {
    model.on(`change:${name}`, soon);
    signal?.addEventListener("abort", () => model.off(`change:${name}`, soon));
  }
}

/** A function that calls `act` at once, or, while the widget is more than a screen away, when somebody comes near. */
function whenNear(root, signal, act) {
  let near = false, missed = false;
  const ask = () => { missed = !near; if (near) act(); };
  const watch = new IntersectionObserver((entries) => { near = entries.at(-1).isIntersecting; if (near && missed) ask(); }, { rootMargin: "100% 0px" });
  watch.observe(root);
  signal?.addEventListener("abort", () => watch.disconnect());
  return ask;
}

// ---- controls ----

/** One stop for Tab; the arrows move inside. Returns a function that puts the focus on item i. */
function roving(items, at = 0) {
  items().forEach((item, i) => { item.tabIndex = i === at ? 0 : -1; });
  return (i, focus = true) => {
    const all = items();
    if (!all.length) return;
    const to = Math.max(0, Math.min(all.length - 1, i));
    all.forEach((item, j) => { item.tabIndex = j === to ? 0 : -1; });
    if (focus) all[to].focus({ preventScroll: false });
  };
}

/** Of the tokens on the line below token i (step 1) or above it (-1), the one that is nearest to it. */
function lineAway(spans, i, step) {
  const here = spans[i].getClientRects()[0], middle = here.left + here.width / 2;
  let best = i, bestGap = Infinity, line = null;
  for (let j = i + step; j >= 0 && j < spans.length; j += step) {
    const box = spans[j].getClientRects()[0];
    if (!box || Math.abs(box.top - here.top) < here.height / 2) continue;
    line ??= box.top;
    if (Math.abs(box.top - line) > here.height / 2) break;
    const gap = Math.abs(box.left + box.width / 2 - middle);
    if (gap < bestGap) { bestGap = gap; best = j; }
  }
  return best;
}

/** A slider with its name, its value in words and a line of explanation. */
function slider({ name, note = "", min, max, step = 1, say, input, release }) {
  const output = make("span", { class: "ll-value", "aria-hidden": "true" }), control = make("input", { type: "range", min, max, step, "aria-label": name });
  const line = make("span", { class: "ll-note" }, note);
  const label = make("label", { class: "ll-slider" }, make("span", {}, name), output, control, line);
  const show = (value) => {
    control.value = value;
    const [text, explained] = say(Number(control.value));
    reword(output, text);
    control.setAttribute("aria-valuetext", text);
    if (explained) reword(line, explained);
  };
  control.addEventListener("input", () => input(Number(control.value)));
  control.addEventListener("change", () => release());
  return { label, show };
}

/** A table with the same numbers as the picture; cells are text. */
function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((c, i) => make(i ? "td" : "th", i ? {} : { scope: "row" }, c))));
  return make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
}

const typing = (event) => event.composedPath()[0].matches?.("input:not([type=range]), textarea, select");
const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;
