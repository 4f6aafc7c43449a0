// Attention: one head's map, whole; a small map of each head to choose from. A row is a token that reads, a column
// a token that it takes from. Colours are depths of blue, so a map and the text beside it say the same. An answer holds
// the maps of all heads, so choosing another one asks nobody.

const SMALL = 12; // rows and columns of a small map, at most
const LEGIBLE = 13; // px that a row needs for its name

/** The colours of the seven depths, as the page has them now. */
function blues(node) {
  const style = getComputedStyle(node);
  return [...DEPTHS, 1].map((_, n) => style.getPropertyValue(`--ll-p-${n}`).trim());
}

/** Paints shares (n, n) into a canvas; above the diagonal is the future, and nothing. */
function paintMap(canvas, shares, n, colours) {
  const side = canvas.width, pen = canvas.getContext("2d"), edge = (i) => Math.round((i * side) / n);
  const gap = side / n >= 12 ? 1 : 0;
  pen.clearRect(0, 0, side, side);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      pen.fillStyle = colours[depth(shares[row * n + column])];
      pen.fillRect(edge(column), edge(row), edge(column + 1) - edge(column) - gap, edge(row + 1) - edge(row) - gap);
    }
  }
}

/** A map (n, n) in few squares, each the largest share of its block, so that no bright place is lost. */
function shrink(shares, n) {
  const side = Math.min(SMALL, n), block = (i) => Math.floor(((i + 1) * side - 1) / n), small = new Float64Array(side * side);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const at = block(row) * side + block(column);
      small[at] = Math.max(small[at], shares[row * n + column]);
    }
  }
  return [small, side];
}

function attentionView({ model, root, signal, tokens, spans, place, choose, word, plain }) {
  const L = model.get("layers"), H = model.get("heads");
  let maps = [], shares = new Float64Array(0), T = 0;

  const thumbs = Array.from({ length: L * H }, (_, i) => {
    const canvas = make("canvas", { width: 44, height: 44, "aria-hidden": "true" });
    const b = make("button", { class: "ll-thumb", type: "button", role: "radio", "aria-label": `layer ${Math.floor(i / H) + 1}, head ${(i % H) + 1}` }, canvas);
    b.addEventListener("click", () => take(i));
    return { b, canvas };
  });
  const grid = make("div", { class: "ll-thumbs", role: "radiogroup", "aria-label": "Heads, by layer", style: `--l:${L};--h:${H}` },
    make("span", { class: "ll-corner", "aria-hidden": "true" }),
    ...Array.from({ length: H }, (_, h) => make("span", { class: "ll-hn", style: `--i:${h + 2}`, "aria-hidden": "true" }, `head ${h + 1}`)),
    ...Array.from({ length: L }, (_, l) => make("span", { class: "ll-ln", style: `--i:${l + 2}`, "aria-hidden": "true" }, `layer ${l + 1}`)),
    ...thumbs.map(({ b }, i) => { b.style.setProperty("--r", Math.floor(i / H) + 2); b.style.setProperty("--c", (i % H) + 2); return b; }));
  const map = make("canvas", { class: "ll-map", role: "img" });
  const rowNames = make("div", { class: "ll-rn", "aria-hidden": "true" }), columnNames = make("div", { class: "ll-cn", "aria-hidden": "true" });
  const bar = make("div", { class: "ll-row-mark", "aria-hidden": "true" });
  const title = make("p", { class: "ll-title", "aria-live": "polite" }), detail = make("ol", { class: "ll-takes" }), said = make("p", { class: "ll-says", "aria-live": "polite" });
  const square = make("div", { class: "ll-square" }, columnNames, rowNames, make("div", { class: "ll-canvas" }, map, bar));
  const element = make("div", { class: "ll-attention" }, grid,
    square,
    make("div", { class: "ll-beside-map" }, title, said, detail, make("p", { class: "ll-legend", "aria-hidden": "true" }, depthKey("none", "all"))));

  const at = () => model.get("layer") * H + model.get("head");
  const move = roving(() => thumbs.map(({ b }) => b), at());

  function take(i) {
    model.set("layer", Math.floor(i / H));
    model.set("head", i % H);
    model.save_changes();
  }

  function write(reply) {
    const all = floatsOf(reply.buffers[0], reply.dtype);
    T = reply.tokens?.length ?? 0;
    maps = T ? thumbs.map((_, i) => all.subarray(i * T * T, (i + 1) * T * T)) : [];
    draw();
  }

  function draw() {
    const colours = blues(root), box = map.getBoundingClientRect(), density = Math.min(3, window.devicePixelRatio || 1);
    map.width = map.height = Math.max(64, Math.round((box.width || 400) * density));
    if (!T) return;
    thumbs.forEach(({ canvas }, i) => paintMap(canvas, ...shrink(maps[i], T), colours));
    const special = (i) => spans()[i].querySelector(".ll-box") !== null;
    square.classList.toggle("ll-dense", (box.width || 400) / T < LEGIBLE); // only the names that are looked at
    for (const names of [rowNames, columnNames]) names.replaceChildren(...tokens().map((token, i) => make("span", {}, word(token, special(i)))));
    showHead();
  }

  /** The chosen head, whole. */
  function showHead() {
    if (!T) return;
    shares = maps[at()];
    paintMap(map, shares, T, blues(root));
    thumbs.forEach(({ b }, i) => b.setAttribute("aria-checked", String(i === at())));
    move(at(), false);
    title.textContent = `Layer ${model.get("layer") + 1}, head ${model.get("head") + 1}`;
    map.setAttribute("aria-label", `Attention map of layer ${model.get("layer") + 1}, head ${model.get("head") + 1}: ${T} tokens. ${strongest()}`);
  }

  const row = (i) => [...shares.subarray(i * T, i * T + i + 1)];

  function strongest() {
    const best = tokens().map((_, i) => row(i)).flatMap((r, i) => r.map((p, j) => ({ p, i, j }))).filter(({ i }) => i > 0).sort((a, b) => b.p - a.p)[0];
    return best ? `The strongest place: “${plain(tokens()[best.i])}” takes ${percent(best.p)} from “${plain(tokens()[best.j])}”.` : "";
  }

  /** The row of one token: marked in the map, as shades in the text, and in words. */
  function mark(i) {
    if (!T) return;
    const takes = row(i), best = takes.map((p, j) => ({ p, j })).sort((a, b) => b.p - a.p).slice(0, 5);
    spans().forEach((span, j) => {
      span.className = span.className.replace(/ ?ll-p-\d/g, "");
      if (j <= i) span.classList.add(`ll-p-${depth(takes[j])}`);
      span.classList.toggle("ll-later", j > i);
      span.classList.toggle("ll-reads", j === i);
    });
    bar.style.cssText = `top:${(100 * i) / T}%;height:${100 / T}%;width:${(100 * (i + 1)) / T}%`;
    [...rowNames.children].forEach((span, j) => span.classList.toggle("ll-chosen", j === i));
    [...columnNames.children].forEach((span, j) => span.classList.toggle("ll-most", j === best[0].j));
    said.replaceChildren("“", word(tokens()[i], spans()[i].querySelector(".ll-box") !== null), "” takes from");
    detail.replaceChildren(...best.map(({ p, j }) => make("li", {}, make("span", { class: "t" }, word(tokens()[j], spans()[j].querySelector(".ll-box") !== null)),
      make("span", { class: "n" }, percent(p)), make("span", { class: "b" }, make("i", { style: `width:${(100 * p).toFixed(2)}%` })))));
  }

  const placeOf = (event) => {
    const box = map.getBoundingClientRect();
    return Math.max(0, Math.min(T - 1, Math.floor(((event.clientY - box.top) / box.height) * T)));
  };
  map.addEventListener("pointermove", (event) => mark(placeOf(event)));
  map.addEventListener("pointerleave", () => mark(place()));
  map.addEventListener("click", (event) => choose(placeOf(event)));

  listen(model, ["layer", "head"], () => { showHead(); if (T) mark(place()); }, signal);

  return {
    element, write, mark,
    request: () => ({}),
    resized: () => { draw(); if (T) mark(place()); },
    rows: () => [`What “${plain(tokens()[place()])}” takes from each token, layer ${model.get("layer") + 1}, head ${model.get("head") + 1}`, ["token", "place", "share"],
      row(place()).map((p, j) => [plain(tokens()[j]), String(j + 1), percent(p)])],
    keys: (focus) => {
      const i = thumbs.findIndex(({ b }) => b === focus), go = (to) => { if (to >= 0 && to < L * H) { move(to); take(to); } };
      return i < 0 ? {} : { ArrowRight: () => go(i + 1), ArrowLeft: () => go(i - 1), ArrowDown: () => go(i + H), ArrowUp: () => go(i - H) };
    },
  };
}
