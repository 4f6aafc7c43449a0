// The residual stream, read at every layer: the logit lens as a table, and below it which parts speak for one token.
// Blue is probability; of the bars, blue speaks for the token and brown against it.

const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);

function streamView({ model, tokens, place, root, ask, plain }) {
  const L = model.get("layers"), H = model.get("heads");
  let shares = new Float64Array(0), ids = new Uint32Array(0), parts = new Float64Array(0), view = {}, T = 0, cells = [], wanted = -1, asked = null;

  const levels = ["the embedding", ...Array.from({ length: L }, (_, l) => `layer ${l + 1}`)];
  const body = make("tbody"), heads = make("tr"), lens = make("div", { class: "ll-lens", role: "region", tabindex: 0, "aria-label": "The likeliest next token after each layer, for each token of the text" },
    make("table", {}, make("thead", {}, heads), body));
  const names = ["the embedding", ...Array.from({ length: L }, (_, l) => [...Array.from({ length: H }, (_, h) => `layer ${l + 1}, head ${h + 1}`), `layer ${l + 1}, MLP`]).flat()];
  const lines = names.map((name) => {
    const bar = make("i"), number = make("span", { class: "n" });
    return { bar, number, line: make("li", {}, make("span", { class: "t" }, name), number, make("span", { class: "b", "aria-hidden": "true" }, bar)) };
  });
  const title = make("p", { class: "ll-title", "aria-live": "polite" }), sum = make("p", { class: "ll-sum" });
  const element = make("div", { class: "ll-stream" }, lens, make("p", { class: "ll-legend", "aria-hidden": "true" }, depthKey("unlikely", "likely")),
    title, make("ol", { class: "ll-parts" }, ...lines.map(({ line }) => line)), sum);

  function write(reply) {
    view = reply;
    T = reply.tokens?.length ?? 0;
    [shares, ids, parts] = [floatsOf(reply.buffers[0]), new Uint32Array(bytesOf(reply.buffers[1])), floatsOf(reply.buffers[2])];
    const focus = cells.flat().findIndex((b) => b === root.getRootNode().activeElement), left = lens.scrollLeft;
    heads.replaceChildren(make("th", { scope: "col" }, "after"), ...tokens().map((token, i) => make("th", { scope: "col" }, tokenLabel(token.trim() ? token.trim() : token, view.special?.includes(i)))));
    cells = levels.map((_, l) => tokens().map((_, t) => {
      const p = shares[l * T + t], word = view.words[l][t];
      const b = make("button", { type: "button", class: `ll-cell ll-p-${depth(p)}`, tabindex: -1, "aria-label": `after ${levels[l]}, at “${plain(tokens()[t])}”: “${plain(word)}” ${percent(p)}` }, tokenLabel(word.trim() ? word.trim() : word, false));
      b.title = `${plain(word)} ${percent(p)}`;
      b.addEventListener("click", () => take(l, t));
      return b;
    }));
    body.replaceChildren(...cells.map((row, l) => make("tr", {}, make("th", { scope: "row" }, levels[l]), ...row.map((b) => make("td", {}, b)))));
    lens.scrollLeft = asked ? left : lens.scrollWidth;
    const [l, t] = asked ?? [L, view.place ?? T - 1];
    asked = null;
    if (!T) return;
    roving(() => cells.flat(), l * T + t)(l * T + t, focus >= 0);
    drawParts(l, t);
  }

  /** The cell's own token becomes the one that is taken apart. */
  function take(l, t) {
    asked = [l, t];
    wanted = ids[l * T + t];
    model.set("place", t === T - 1 ? -1 : t);
    model.save_changes();
    ask();
  }

  function drawParts(l, t) {
    cells.flat().forEach((b, i) => b.classList.toggle("ll-taken", i === l * T + t));
    const most = Math.max(...parts.map(Math.abs), 1e-9);
    lines.forEach(({ bar, number }, i) => {
      const x = parts[i], width = (50 * Math.abs(x)) / most;
      number.textContent = signed(x);
      bar.className = x < 0 ? "less" : "more";
      bar.style.cssText = `left:${x < 0 ? 50 - width : 50}%;width:${width}%`;
    });
    title.replaceChildren("What each part adds to the score of “", tokenLabel(view.word.trim() || view.word, false), "” after “", tokenLabel(plain(tokens()[t]), false), "”");
    sum.textContent = `All together ${signed(parts.reduce((a, b) => a + b, 0))}; the model’s own score for it is ${signed(view.score)} above the average token.`;
  }

  function mark(i) {
    cells.forEach((row) => row.forEach((b, t) => b.classList.toggle("ll-column", t === i)));
  }

  return {
    element, write, mark, asksForPlace: true,
    request: () => { const token = asked ? wanted : -1; return { place: asked ? asked[1] : place(), token }; },
    rows: () => [`What each part adds to the score of “${plain(view.word ?? "")}”`, ["part", "adds"], names.map((name, i) => [name, signed(parts[i])])],
    keys: (focus) => {
      const i = cells.flat().indexOf(focus), go = (to) => { const b = cells.flat()[to]; if (b) { cells.flat().forEach((c) => { c.tabIndex = c === b ? 0 : -1; }); b.focus(); } };
      return i < 0 ? {} : { ArrowRight: () => go(i + 1), ArrowLeft: () => go(i - 1), ArrowDown: () => go(i + T), ArrowUp: () => go(i - T), Enter: () => focus.click() };
    },
  };
}
