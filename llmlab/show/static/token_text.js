// Token text: words as written, coloured by a number (depth of blue), under-lined by a verdict, on the
// ground of their author. Hover or focus shows a token's numbers below; a press selects it. A strip under the
// text may draw one more number a token, in the order of the text.

const VERDICTS = { copied: "=", true: "✓", false: "×", nothing: "∅" };
const SHIFTS = { unshifted: "", marginal: "≈", shifted: "≠" };
const AUTHORS = { system: "§", user: "›", assistant: "¶", tool: "ƒ" };

function render({ model, el, signal }) {
  const root = mount(el, "tokens", signal);
  const key = make("div", { class: "ll-key", "aria-hidden": "true" });
  const text = make("div", { class: "ll-run", role: "listbox", "aria-orientation": "horizontal" });
  const detail = make("div", { class: "ll-detail", "aria-live": "polite" });
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const toggle = make("button", { class: "ll-btn ll-quiet", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const strip = make("div", { class: "ll-strip", hidden: true, "aria-hidden": "true" }); // the table and each token's label say its numbers
  root.append(make("div", { class: "ll-head" }, key, toggle), text, tableBox, strip, detail);
  let data = {}, p = [], heights = [], spans = [], bars = [];

  const numbers = (i) => [
    ...(Number.isFinite(p[i]) ? [["probability", percent(p[i])], ["surprise", bits(-Math.log2(p[i]))]] : []),
    ...(data.verdict?.[i] ? [["verdict", `${VERDICTS[data.verdict[i]]} ${data.verdict[i]}`]] : []),
    ...(data.shift?.[i] ? [["here", `${SHIFTS[data.shift[i]]} ${data.shift[i]}`.trim()]] : []),
    ...(data.author?.[i] ? [["author", `${AUTHORS[data.author[i]]} ${data.author[i]}`]] : []),
    ...(Number.isFinite(heights[i]) ? [[data.about || "number", height(heights[i])]] : []),
    ...Object.entries(data.details?.[i] ?? {}),
  ];

  const height = (v) => (data.digits ? v.toFixed(data.digits) : whole(v));

  function write() {
    data = jsonOf(model.get("data"), { tokens: [] });
    p = floatsOf(model.get("probability"));
    heights = floatsOf(model.get("strip"));
    root.classList.toggle("ll-code", Boolean(data.code));
    text.style.setProperty("--lines", data.lines || 0);
    const special = new Set(data.special);
    spans = data.tokens.map((token, i) => {
      const verdict = data.verdict?.[i], author = data.author?.[i], starts = (list) => list?.[i] !== list?.[i - 1];
      const names = ["ll-tok"], boxed = special.has(i);
      if (Number.isFinite(p[i])) names.push(`ll-p-${depth(p[i])}`);
      if (author) names.push(`ll-a-${author}`, ...(starts(data.author) ? ["ll-a-start"] : []));
      if (verdict) names.push("ll-marked");
      if (data.shift?.[i]) names.push(`ll-s-${data.shift[i]}`);
      const span = make("span", { class: names.join(" "), role: "option", "aria-selected": "false",
        "aria-label": [spoken(token), ...numbers(i).map(([name, value]) => `${name} ${value}`)].join(", ") });
      const { lead, ink } = inked(token, boxed), line = verdict ? make("span", { class: `ll-v ll-v-${verdict}` }) : span;
      (verdict && starts(data.verdict) ? span : line).append(lead); // a run's line starts at its first letter
      line.append(ink);
      if (line !== span) span.append(line);
      return span;
    });
    text.replaceChildren(...spans, ...(data.gap ? [make("span", { class: "ll-gap", title: "the next token goes here" })] : []));
    text.setAttribute("aria-label", data.alt || `${whole(data.tokens.length)} tokens`);
    roving(() => spans, Math.max(0, model.get("selected")));
    writeKey();
    writeStrip();
    mark();
  }

  /** One bar a token; the dashed line and its number stand over them. */
  function writeStrip() {
    strip.hidden = !heights.length;
    const n = heights.length, top = data.top || 1, high = (v) => 100 * Math.min(1, v / top);
    bars = [...heights].map((v, i) => {
      const bar = make("i", { class: (data.verdict?.[i] && `ll-f-${data.verdict[i]}`) || (data.shift?.[i] && `ll-f-${data.shift[i]}`) || "" });
      bar.style.cssText = `left:${100 * i / n}%;width:${100 / n}%;height:${high(v)}%`;
      return bar;
    });
    const across = make("div", { class: "ll-across" }, make("span", {}, height(data.line ?? 0)));
    across.style.bottom = `${high(data.line ?? 0)}%`;
    strip.replaceChildren(make("p", {}, data.about || ""), make("div", { class: "ll-hills" }, ...bars, ...(data.line ? [across] : [])));
  }

  /** The token whose bar stands under the pointer. */
  function under(event) {
    const box = strip.querySelector(".ll-hills").getBoundingClientRect();
    return Math.max(0, Math.min(spans.length - 1, Math.floor(spans.length * (event.clientX - box.left) / box.width)));
  }

  function writeKey() {
    const seen = (list, all) => Object.entries(all).filter(([name]) => list?.includes(name));
    const scale = [...p].some(Number.isFinite) ? [depthKey("unlikely", "likely")] : [];
    key.replaceChildren(...scale,
      ...seen(data.verdict, VERDICTS).map(([v, sign]) => make("span", {}, make("b", { class: `ll-vi-${v}` }, sign), " ", make("span", { class: `ll-v ll-v-${v}` }, v))),
      ...seen(data.shift, SHIFTS).map(([name]) => make("span", { class: `ll-tok ll-s-${name}` }, make("span", { class: "ll-ink" }, name))),
      ...seen(data.author, AUTHORS).map(([a, sign]) => make("span", { class: `ll-a-${a} ll-a-start ll-name` }, `${sign} ${a}`)));
  }

  /** The chosen token is inverse; the line below tells about it, or about the one under the hand. */
  function mark(preview = -1) {
    const selected = model.get("selected"), i = preview >= 0 ? preview : selected;
    spans.forEach((span, j) => {
      span.classList.toggle("ll-chosen", j === selected);
      span.setAttribute("aria-selected", String(j === selected));
    });
    bars.forEach((bar, j) => bar.classList.toggle("ll-on", j === i));
    if (!data.tokens?.length) detail.replaceChildren(make("p", { class: "ll-hint" }, data.empty || "Nothing is written yet."));
    else if (i < 0 || i >= spans.length) detail.replaceChildren(make("p", { class: "ll-hint" }, "Point at a token, or press it, to see its numbers."));
    else {
      const word = make("span", { class: "ll-word" }, tokenLabel(data.tokens[i].trim() || data.tokens[i], data.special?.includes(i)));
      detail.replaceChildren(word, make("dl", {}, ...[["token", `${whole(i + 1)} of ${whole(spans.length)}`], ...numbers(i)].map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value))))));
    }
    if (!tableBox.hidden) fillTable();
  }

  function fillTable() {
    const named = new Set(spans.flatMap((_, i) => numbers(i).map(([name]) => name)));
    const heads = [...new Set(["probability", "surprise", "verdict", "author", ...named])].filter((name) => named.has(name));
    const rows = spans.map((_, i) => { const has = Object.fromEntries(numbers(i)); return [visible(data.tokens[i]), String(i + 1), ...heads.map((h) => String(has[h] ?? "–"))]; });
    tableBox.replaceChildren(table("The tokens of the text", ["token", "place", ...heads], rows));
  }

  function select(i) {
    model.set("selected", i === model.get("selected") ? -1 : i);
    model.save_changes();
  }

  function showTable(on) {
    tableBox.style.height = `${text.offsetHeight}px`;
    tableBox.hidden = !on;
    text.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    mark();
    if (on) tableBox.focus({ preventScroll: true });
  }

  strip.addEventListener("pointermove", (event) => mark(under(event)));
  strip.addEventListener("pointerleave", () => mark());
  strip.addEventListener("click", (event) => select(under(event)));
  const indexOf = (event) => spans.indexOf(event.target.closest?.(".ll-tok"));
  text.addEventListener("pointerover", (event) => mark(indexOf(event)));
  text.addEventListener("pointerleave", () => mark());
  text.addEventListener("focusin", (event) => mark(indexOf(event)));
  text.addEventListener("focusout", () => mark());
  text.addEventListener("click", (event) => { const i = indexOf(event); if (i >= 0) { select(i); roving(() => spans, i)(i); } });
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    const i = spans.indexOf(event.composedPath()[0]);
    if (!plain(event)) return;
    const go = (to) => roving(() => spans, i)(to);
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else if (model.get("selected") >= 0) select(model.get("selected")); },
      ...(i < 0 ? {} : { ArrowLeft: () => go(i - 1), ArrowRight: () => go(i + 1), ArrowUp: () => go(lineAway(spans, i, -1)), ArrowDown: () => go(lineAway(spans, i, 1)), Enter: () => select(i), Home: () => go(0), End: () => go(spans.length - 1) }),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  listen(model, ["data", "probability", "strip"], write, signal);
  listen(model, ["selected"], () => mark(), signal);
  write();
}

export default { render };
