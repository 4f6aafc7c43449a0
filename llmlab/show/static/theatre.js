// Theatre: a training run. One slider over its saved moments drives the chart's line, the page, the distribution at
// one token, and the sample. All numbers of all moments are here, so no question leaves the browser.

const TOP = 1.12, PLAY = 1100; // room above the highest level; ms a stop
const BIT = Math.LN2, MOST_BITS = 16; // bars end there; a token that costs more is cut
const surprise = (p) => -Math.log2(Math.max(p, 2 ** -40));
const short = (n) => (n >= 1e6 ? `${+(n / 1e6).toFixed(1)}M` : n >= 1000 ? `${Math.round(n / 1000)}k` : String(n));

function render({ model, el, signal }) {
  const root = mount(el, "theatre", signal), state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  const about = jsonOf(model.get("about"), { page: [], levels: [], behind: [] }), T = about.page.length;
  let stops = [], words = {}, curve = [], numbers = [], K = 0, clock = 0, pressed, named;

  // ---- what stands where ----
  const plot = make("div", { class: "ll-plot" }), stage = make("div", { class: "ll-stage", role: "img" }, plot);
  const move = slider({ name: "Moment of the training", min: 0, max: 0, note: "\u00a0", input: (i) => { stop(); go(i); }, release: () => model.save_changes(), say: (i) => [stops[i] ? `${whole(stops[i].tokens)} tokens read` : "–", told(i)] });
  const play = make("button", { class: "ll-btn ll-main", type: "button" }), toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const text = make("div", { class: "ll-page", role: "listbox", "aria-orientation": "horizontal" }), cost = make("p", { class: "ll-cost" });
  const word = make("h4"), list = make("ol", { class: "ll-dist" }), then = make("ol", { class: "ll-then" });
  const given = make("span"), written = make("span"), sample = make("p", { class: "ll-sample" }, given, written), tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same numbers as a table" });
  const scale = make("span", { class: "ll-scale" }, "unlikely ", ...[...Array(7).keys()].map((n) => make("i", { class: `p${n}` })), " likely; bar: bits of surprise");
  root.append(make("div", { class: "ll-top" }, state.line, toggle), stage, tableBox,
    make("div", { class: "ll-moves" }, move.label, play),
    make("div", { class: "ll-two" },
      make("div", {}, make("h4", {}, "A page it never reads"), cost, text, scale),
      make("div", { class: "ll-token" }, word, list, make("p", { class: "ll-label" }, "what this token cost, at each moment"), then)),
    make("h4", {}, "What it writes"), sample);
  const tokens = about.page.map((token) => {
    const lead = token.match(/^\s*/)[0], rest = token.slice(lead.length);
    // the bar stands beside the ink, not in it: then a new colour of the letters is none of its business
    const bar = make("i"), ink = make("span", { class: "ink" }, rest ? visible(rest) : lead.replace(/\n/g, "↵") || "∅");
    const node = make("span", { class: "tok", role: "option", "aria-selected": "false" }, ink, bar);
    text.append(rest ? lead : "", node, rest || !lead.includes("\n") ? "" : "\n");
    return { node, ink, bar, name: spoken(token), said: "" };
  });

  // ---- the chart: places in shares of the plot, so that its width may change ----
  const unit = about.until / 400; // the axis: even near 0, and by tenfolds from there on
  const across = (x) => Math.asinh(x / unit) / Math.asinh(about.until / unit);
  const highest = TOP * Math.max(1e-9, ...about.levels.map(([, y]) => y)), up = (y) => Math.min(1, y / highest);
  const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${(1000 * across(x)).toFixed(1)},${(1000 * (1 - up(y))).toFixed(1)}`).join("");
  const line = (name) => make("path", { class: name, "vector-effect": "non-scaling-stroke" });
  const pale = line("behind"), bold = line("run"), now = make("div", { class: "now" }), pins = make("div");
  const put = (name, x, y, ...kids) => make("span", { class: name, style: `${x === null ? "" : `left:${100 * x}%;`}${y === null ? "" : `bottom:${100 * y}%`}` }, ...kids);

  function drawFrame() {
    const decades = [0, ...[1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].filter((x) => x > 2 * unit && x < 0.7 * about.until), about.until];
    const nats = [0, 2, 4, 6, 8, 10, 12].filter((y) => y < highest), inBits = [0, 3, 6, 9, 12, 15].filter((b) => b * BIT < highest);
    plot.append(
      ...about.levels.map(([name, y]) => put(up(y) < 0.5 ? "level low" : "level", null, up(y), make("b", {}, `${name}: ${y.toFixed(2)}`))),
      make("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" }, pale, bold), now, pins,
      ...decades.map((x) => put("x", across(x), null, short(x))), put("x name", 0.5, null, "tokens read"),
      ...nats.map((y) => put("y", null, up(y), String(y))), ...inBits.map((b) => put("y bits", null, up(b * BIT), String(b))),
      put("axis", null, 1, "loss, nats a token"), put("axis bits", null, 1, "bits"));
    pale.setAttribute("d", path(about.behind));
    if (about.behind.length) plot.append(put("other", 0.5, up(lossAt(about.behind, about.until * 0.03)), about.behind_name));
  }

  /** The loss of a curve at x, between its points. */
  function lossAt(points, x) {
    const i = points.findIndex(([px]) => px >= x);
    if (!points.length) return NaN;
    if (i <= 0) return (i ? points.at(-1) : points[0])[1];
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
    return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0 || 1);
  }

  function drawRun() {
    bold.setAttribute("d", path(curve));
    pins.replaceChildren(...stops.map((s, i) => {
      const x = across(s.tokens), start = s.written.replace(/\s+/g, " ").trim().slice(0, 30) || "nothing";
      const dot = make("button", { class: "dot", type: "button", tabindex: -1, title: `the model after ${whole(s.tokens)} tokens` });
      dot.addEventListener("click", () => { stop(); go(i); model.save_changes(); });
      return put(`pin${x < 0.12 ? " first" : ""} low${i % 2}`, x, up(s.loss), dot, make("q", {}, start));
    }));
    const last = curve.at(-1);
    stage.setAttribute("aria-label", last ? `Line chart of the loss: from ${curve[0][1].toFixed(2)} to ${last[1].toFixed(2)} nats a token over ${whole(last[0])} tokens. ${about.levels.map(([n, y]) => `${n}: ${y.toFixed(2)}`).join("; ")}.` : "Line chart of the loss. Nothing is learned yet.");
  }

  // ---- numbers ----
  function take() {
    const said = jsonOf(model.get("stops"), { stops: [], words: {}, shown: 0 }), all = floatsOf(model.get("numbers")), flat = floatsOf(model.get("curve"));
    curve = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
    ({ words } = said);
    K = said.shown;
    const size = T * (1 + 2 * K);
    stops = said.stops.map(([read, step, prompt, written]) => ({ tokens: read, step, prompt, written, loss: lossAt(curve, read) }));
    numbers = stops.map((_, i) => {
      const p = all.subarray(i * size, i * size + T), cost = p.map(surprise), total = cost.reduce((sum, b) => sum + b, 0);
      return { p, cost, total, ids: all.subarray(i * size + T, i * size + T * (1 + K)), best: all.subarray(i * size + T * (1 + K), (i + 1) * size) };
    });
    rowsOf(list, stops.length && K + 1);
    rowsOf(then, stops.length);
    move.label.querySelector("input").max = Math.max(0, stops.length - 1);
    drawRun();
    show();
  }

  const at = () => Math.max(0, Math.min(stops.length - 1, model.get("at")));
  const chosen = () => Math.max(0, Math.min(T - 1, model.get("token")));
  const total = (i) => numbers[i].total;
  function told(i) {
    const s = stops[i];
    return s ? `${s.step ? `step ${whole(s.step)}` : "before the first step"}: loss ${s.loss.toFixed(2)} nats = ${(s.loss / BIT).toFixed(2)} bits a token` : "\u00a0";
  }

  function show() {
    const i = at(), s = stops[i];
    root.classList.toggle("ll-nothing", !s);
    move.show(i);
    play.disabled = stops.length < 2;
    move.label.querySelector("input").disabled = stops.length < 2;
    now.hidden = !s;
    reword(cost, s ? `${whole(T)} tokens, ${whole(total(i))} bits: ${whole(total(i) / 8)} bytes would do` : about.empty);
    if (s) {
      now.style.left = `${100 * across(s.tokens)}%`;
      [...pins.children].forEach((pin, j) => pin.classList.toggle("on", j === i));
    }
    reword(given, s ? s.prompt : "\u00a0");
    reword(written, s ? s.written.replace(/\n/g, "↵ ") : "");
    tokens.forEach((t, j) => {
      const p = s ? numbers[i].p[j] : NaN, b = s ? numbers[i].cost[j] : 0, said = s ? `${t.name}, ${bits(b)}` : t.name;
      if (t.said === said) return; // a token is touched only where something changes: the slider waits for each of them
      t.said = said;
      t.ink.className = s ? `ink p${depth(p)}` : "ink";
      t.bar.style.transform = `scaleY(${Math.min(b, MOST_BITS) / MOST_BITS})`; // no layout, as a height would need
      t.node.setAttribute("aria-label", said);
    });
    text.setAttribute("aria-label", s ? `A page of ${T} tokens that cost ${whole(total(i))} bits` : "A page");
    mark();
    if (!tableBox.hidden) fillTable();
  }

  /** As many rows as a list needs, with their three places; they are made once and written many times. */
  function rowsOf(box, n) {
    const row = () => make("li", {}, make("span", { class: "t" }), make("span", { class: "n" }), make("span", { class: "b" }, make("i")));
    if (box.children.length !== n) box.replaceChildren(...Array.from({ length: n }, row));
  }
  function fill(row, name, number, share, mark) {
    const [t, n, b] = row.children, label = tokenLabel(name);
    row.className = mark;
    if (label.nodeType === Node.TEXT_NODE) reword(t, label.data);
    else t.replaceChildren(label);
    reword(n, number);
    b.firstChild.style.transform = `scaleX(${share})`;
  }

  /** The token that was pressed, or the one under the hand: its distribution now, and its cost at each moment. */
  function mark(preview = -1) {
    const j = preview >= 0 ? preview : chosen(), i = at();
    if (tokens[chosen()] !== pressed) {
      for (const [t, on] of [[pressed, false], [tokens[chosen()], true]]) {
        t?.node.classList.toggle("ll-chosen", on);
        t?.node.setAttribute("aria-selected", String(on));
      }
      pressed = tokens[chosen()];
    }
    if (named !== j) word.replaceChildren("In the place of ", make("mark", {}, tokenLabel(about.page[j]?.trim() || about.page[j] || "–")));
    named = j;
    if (!stops.length) return;
    const { p, ids, best } = numbers[i];
    const rows = [...Array(K).keys()].map((k) => [words[ids[j * K + k]] ?? "", best[j * K + k]]);
    const truth = ids.subarray(j * K, (j + 1) * K).indexOf(about.ids[j]), own = truth < 0 ? K - 1 : truth;
    if (truth < 0) rows[own] = [about.page[j], p[j]];
    const left = Math.max(0, 1 - rows.reduce((sum, [, share]) => sum + share, 0));
    rows.forEach(([name, share], k) => fill(list.children[k], name.trim() || name, percent(share), share, k === own ? "came" : ""));
    fill(list.children[K], "all others", percent(left), left, "");
    stops.forEach((s, k) => {
      const cost = numbers[k].cost[j];
      fill(then.children[k], s.tokens ? short(s.tokens) : "0", cost.toFixed(1), Math.min(MOST_BITS, cost) / MOST_BITS, k === i ? "on" : "");
    });
  }

  function fillTable() {
    const j = chosen();
    tableBox.replaceChildren(table("The moments of the training", ["tokens read", "step", "loss, nats", "bits of the page", `bits of “${about.page[j]?.trim()}”`, "a sample begins"],
      stops.map((s, i) => [whole(s.tokens), whole(s.step), s.loss.toFixed(2), whole(total(i)), numbers[i].cost[j].toFixed(2), s.written.trim().replace(/\s+/g, " ").slice(0, 40)])));
  }

  // ---- moving ----
  const still = () => root.dataset.motion === "off" || matchMedia("(prefers-reduced-motion: reduce)").matches;
  const label = (on) => play.replaceChildren(on ? "Pause " : "Play the training ", make("kbd", {}, "Space"));
  function stop() { clearInterval(clock); clock = 0; label(false); }
  function go(i) { model.set("at", Math.max(0, Math.min(stops.length - 1, i))); show(); }
  function run() {
    if (clock) { stop(); model.save_changes(); return; }
    if (stops.length < 2) return;
    if (still()) { go((at() + 1) % stops.length); model.save_changes(); return; }
    if (at() >= stops.length - 1) go(0);
    label(true);
    clock = setInterval(() => { go(at() + 1); if (at() >= stops.length - 1) { stop(); model.save_changes(); } }, PLAY);
  }
  function choose(j) { model.set("token", j); model.save_changes(); roving(() => tokens.map((t) => t.node), j); mark(); if (!tableBox.hidden) fillTable(); }
  function showTable(on) {
    tableBox.hidden = !on;
    stage.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    if (on) { fillTable(); tableBox.focus({ preventScroll: true }); }
  }

  const indexOf = (event) => { const node = event.target.closest?.(".tok"); return node ? tokens.findIndex((t) => t.node === node) : -1; };
  text.addEventListener("pointerover", (event) => mark(indexOf(event)));
  text.addEventListener("pointerleave", () => mark());
  text.addEventListener("click", (event) => { const j = indexOf(event); if (j >= 0) choose(j); });
  play.addEventListener("click", run);
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    const target = event.composedPath()[0], j = tokens.findIndex((t) => t.node === target);
    const to = (k) => { if (k >= 0 && k < T) { choose(k); tokens[k].node.focus({ preventScroll: true }); } };
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); },
      ...(target.matches("button") ? {} : { " ": run }),
      ...(j < 0 ? {} : { ArrowRight: () => to(j + 1), ArrowLeft: () => to(j - 1), Home: () => to(0), End: () => to(T - 1), Enter: () => choose(j) }),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  signal?.addEventListener("abort", stop);

  listen(model, ["stops", "curve"], take, signal);
  listen(model, ["at", "token"], () => show(), signal);
  roving(() => tokens.map((t) => t.node), chosen());
  label(false);
  state.rest();
  drawFrame();
  take();
}

export default { render };
