// Blend: one slider between two models. Each share's answer is asked for once, the ends first and then what lies
// between them; the slider shows what is already here. Words are text nodes, never markup.

/** The order in which shares are asked for: both ends, the middle, the middles between, … */
function halving(n) {
  const order = [0, n - 1];
  for (let step = n - 1; step > 1; step = Math.ceil(step / 2))
    for (let i = step / 2; i < n - 1; i += step / 2) if (!order.includes(Math.round(i))) order.push(Math.round(i));
  for (let i = 0; i < n; i++) if (!order.includes(i)) order.push(i);
  return order;
}

function render({ model, el, signal }) {
  const root = mount(el, "blend", signal), state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  const python = pythonEngine(model, signal), n = model.get("stops"), [first, second] = model.get("names");
  const text = make("div", { class: "ll-sheet", tabindex: 0, role: "log", "aria-label": "What the blended model writes" });
  const marks = make("div", { class: "ll-ends", "aria-hidden": "true" }), dots = Array.from({ length: n }, () => make("i"));
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The texts as a table" });
  const toggle = make("button", { class: "ll-btn", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const share = (i) => i / (n - 1), named = (i) => (i === 0 ? first : i === n - 1 ? second : `${whole(100 * share(i))}% of the way`);
  let said = [], turn = 0;
  const move = slider({ name: `From the ${first} to the ${second}`, min: 0, max: n - 1, note: "\u00a0",
    say: (i) => [named(i), said[i] ? (said[i].ended ? "● it ended by itself" : "○ it did not end by itself; the text is cut here") : "\u00a0"],
    input: (i) => { model.set("at", i); show(); }, release: () => model.save_changes() });
  marks.append(...dots);
  text.style.setProperty("--lines", model.get("lines"));
  root.append(make("div", { class: "ll-top" }, state.line, toggle), move.label, marks, text, tableBox);

  function show() {
    const i = Math.max(0, Math.min(n - 1, model.get("at")));
    move.show(i);
    const near = said[i] ?? said.reduce((best, one, j) => (one && (!best || Math.abs(j - i) < Math.abs(best.j - i)) ? { ...one, j } : best), null);
    text.classList.toggle("ll-pale", !said[i]);
    text.replaceChildren(near ? near.said || "(nothing)" : "…");
    dots.forEach((dot, j) => { dot.className = `${said[j] ? (said[j].ended ? "ended" : "cut") : ""} ${j === i ? "on" : ""}`; });
    if (!tableBox.hidden) fillTable();
  }

  function fillTable() {
    tableBox.replaceChildren(table("What is written at each share", ["share", "ended by itself", "text"],
      Array.from({ length: n }, (_, i) => [named(i), said[i] ? (said[i].ended ? "yes" : "no") : "–", said[i]?.said ?? "–"])));
  }

  async function ask() {
    const mine = ++turn, wanted = model.get("prompt");
    said = [];
    show();
    const left = halving(n);
    while (left.length && mine === turn && !signal?.aborted) {
      const own = left.indexOf(model.get("at")), i = left.splice(own >= 0 ? own : 0, 1)[0]; // the one looked at goes first
      state.reading(`blending: ${n - left.length} of ${n}`, () => { turn++; state.rest(); });
      try {
        const reply = await python.ask({ kind: "blend", text: wanted, share: share(i) });
        if (mine !== turn) return;
        said[i] = reply;
        show();
      } catch (problem) {
        if (mine === turn) state.error(problem.message);
        return;
      }
    }
    if (mine === turn) state.rest();
  }

  function showTable(on) {
    tableBox.hidden = !on;
    text.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    if (on) { fillTable(); tableBox.focus({ preventScroll: true }); }
  }

  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (!plain(event) || typing(event) || event.key.toLowerCase() !== "t") return;
    event.preventDefault();
    event.stopPropagation();
    showTable(tableBox.hidden);
  });
  listen(model, ["prompt"], ask, signal);
  listen(model, ["at"], show, signal);
  signal?.addEventListener("abort", () => { turn++; });
  state.rest();
  ask();
}

export default { render };
