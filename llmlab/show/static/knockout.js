// Knocking out: heads and MLPs as switches, and what the text, its surprise and its continuation become without them.
// Other pages are read after the picture, one by one: all of them take longer than a switch may.

const NOTHING = { heads: [], mlps: [] }; // is knocked out

function knockoutView({ model, engine, tokens, spans, ask, plain }) {
  const L = model.get("layers"), H = model.get("heads"), out = new Set();
  const known = new Map([[JSON.stringify({ who: "model", ...NOTHING }), model.get("page_bits")]]); // by question
  let surprise = new Float64Array(0), T = 0, view = {}, turn = 0;

  const key = (l, part) => `${l}.${part}`, partsOf = (l) => [...Array.from({ length: H }, (_, h) => key(l, h)), key(l, "mlp")];
  const nameOf = (k) => { const [l, part] = k.split("."); return `layer ${Number(l) + 1}, ${part === "mlp" ? "MLP" : `head ${Number(part) + 1}`}`; };
  const switches = new Map();
  const rows = Array.from({ length: L }, (_, l) => {
    const all = make("button", { class: "ll-layer", type: "button", "aria-label": `all of layer ${l + 1}` }, `layer ${l + 1}`);
    all.addEventListener("click", () => { const whole = partsOf(l).every((k) => out.has(k)); partsOf(l).forEach((k) => (whole ? out.delete(k) : out.add(k))); changed(); });
    return [all, ...partsOf(l).map((k) => {
      const b = make("button", { class: "ll-switch", type: "button", role: "switch", "aria-label": nameOf(k) }, k.endsWith("mlp") ? "MLP" : `head ${Number(k.split(".")[1]) + 1}`);
      b.addEventListener("click", () => { if (out.has(k)) out.delete(k); else out.add(k); changed(); });
      switches.set(k, b);
      return b;
    })];
  });
  const reset = make("button", { class: "ll-btn", type: "button" }, "All in again");
  reset.addEventListener("click", () => { out.clear(); changed(); });
  const grid = make("div", { class: "ll-switches", role: "group", "aria-label": "Heads and MLPs, by layer", style: `--n:${H + 2}` }, ...rows.flat());
  const own = [make("dd"), make("dd")], pages = [make("dd"), make("dd")], texts = [make("p", { class: "ll-writes" }), make("p", { class: "ll-writes" })];
  const wholeTitle = make("h4", {}, "Whole"), outTitle = make("h4", { "aria-live": "polite" });
  const column = (i, title) => make("div", {}, title, make("dl", {}, make("div", {}, make("dt", {}, "surprise of your text"), own[i]), make("div", {}, make("dt", {}, i ? "of other pages" : `of ${model.get("pages").length} pages it never read`), pages[i])),
    make("p", { class: "ll-lead" }, "it goes on with"), texts[i]);
  const element = make("div", { class: "ll-knockout" }, make("div", {}, grid, reset), make("div", { class: "ll-two" }, column(0, wholeTitle), column(1, outTitle)));

  function knockedOut() {
    const sorted = [...out].sort(), isMlp = (k) => k.endsWith("mlp");
    return { heads: sorted.filter((k) => !isMlp(k)).map((k) => k.split(".").map(Number)), mlps: sorted.filter(isMlp).map((k) => Number(k.split(".")[0])) };
  }

  function changed() {
    showSwitches();
    ask();
  }

  function showSwitches() {
    switches.forEach((b, k) => b.setAttribute("aria-checked", String(!out.has(k))));
    reset.disabled = !out.size;
  }

  const mean = (list) => (list.length ? list.reduce((a, b) => a + b, 0) / list.length : 0);

  function write(reply) {
    view = reply;
    T = reply.tokens?.length ?? 0;
    surprise = floatsOf(reply.buffers[0]);
    showSwitches();
    const names = [...out].sort().map(nameOf);
    outTitle.textContent = names.length ? (names.length > 2 ? `Without ${names.length} parts` : `Without ${names.join(" and ")}`) : "Without anything knocked out";
    [0, 1].forEach((i) => {
      own[i].textContent = T > 1 ? `${mean([...surprise.subarray(i * (T - 1), (i + 1) * (T - 1))]).toFixed(2)} bits a token` : "–";
      texts[i].replaceChildren(...(view.texts?.[i] ?? []).map((token) => make("span", {}, visible(token))));
    });
    const words = view.texts ?? [[], []], first = words[1].findIndex((token, i) => token !== words[0][i]);
    texts[1].querySelectorAll("span").forEach((span, i) => span.classList.toggle("ll-new", first >= 0 && i >= first));
    readPages();
  }

  /** What the other pages cost without some parts, bits a token; NaN if that is not wanted any more. */
  async function costOfPages(request, wanted) {
    const key = JSON.stringify(request), each = [];
    if (known.has(key)) return known.get(key);
    for (const ids of model.get("pages")) {
      if (!wanted()) return NaN;
      const { buffers: [bits] } = await engine.ask({ kind: "surprise", ids, ...request });
      each.push(mean([...floatsOf(bits)]));
    }
    known.set(key, mean(each));
    return mean(each);
  }

  async function readPages() {
    const mine = ++turn, who = model.get("who");
    for (const [i, without] of [NOTHING, knockedOut()].entries()) {
      pages[i].textContent = "reading …";
      const bits = await costOfPages({ who, ...without }, () => mine === turn).catch(() => NaN);
      if (mine !== turn) return;
      pages[i].textContent = Number.isNaN(bits) ? "–" : `${bits.toFixed(2)} bits a token`;
    }
  }

  /** Below each token of the text: how much more (or less) it surprises now. */
  function mark() {
    spans().forEach((span, i) => {
      const more = i ? surprise[T - 1 + i - 1] - surprise[i - 1] : 0;
      span.classList.toggle("ll-more", more > 0.5);
      span.classList.toggle("ll-much", more > 3);
    });
  }

  return {
    element, write, mark,
    request: knockedOut,
    rows: () => ["The surprise of each token, in bits", ["token", "whole", outTitle.textContent.toLowerCase()],
      tokens().slice(1).map((token, i) => [plain(token), surprise[i].toFixed(2), surprise[T - 1 + i].toFixed(2)])],
    keys: (focus) => {
      const all = rows.flat(), i = all.indexOf(focus), n = H + 2, go = (to) => all[to]?.focus();
      return i < 0 ? {} : { ArrowRight: () => go(i + 1), ArrowLeft: () => go(i - 1), ArrowDown: () => go(i + n), ArrowUp: () => go(i - n) };
    },
  };
}
