// Speaking: what a program writes, token by token, as it comes. Left the program (Python passes on what it prints),
// right, where there is an engine in the page, the same model in this very tab. Words are text nodes, never markup.

const PACES = [["full", "at its own speed", Infinity], ["slow", "10 tokens a second", 10]];
const NEWS = 40; // ms between two questions for what is new
const ENDS = ["<|bos|>", "<|end|>"];

/** A command's argument as a terminal (bash, zsh) reads it: $'…' where it has line ends or control signs. */
function quoted(text) {
  if (!/[^\w./:=+-]/.test(text)) return text || "''";
  if (!/[\x00-\x1f\x7f]/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const signs = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\", "'": "\\'" };
  return `$'${text.replace(/[\x00-\x1f\x7f\\']/g, (c) => signs[c] ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`)}'`;
}

/** One who writes: a name, a line about it, a sheet of fixed height. `show` paints tokens at the chosen pace. */
function sheet(name, note) {
  const said = make("p", { class: "ll-said", role: "status" }, note), text = make("div", { class: "ll-sheet", tabindex: 0, role: "log", "aria-label": `What ${name} writes` });
  const box = make("section", { class: "ll-column" }, make("h4", {}, name), text, said);
  let pieces = [], painted = 0, since = 0, frame = 0, pace = Infinity, over = () => {};
  const token = (piece) => make("span", { class: "ll-tok" }, piece);
  function paint() {
    frame = 0;
    const may = Math.min(pieces.length, Math.floor(((performance.now() - since) / 1000) * pace) + 1);
    while (painted < may) text.append(token(pieces[painted++]));
    text.scrollTop = text.scrollHeight;
    if (painted < pieces.length) frame = requestAnimationFrame(paint);
    else over();
  }
  return {
    box, say: (words) => { said.textContent = words; },
    begin(prompt, at) {
      cancelAnimationFrame(frame);
      pieces = []; painted = frame = 0; since = performance.now(); pace = at;
      text.replaceChildren(make("span", { class: "ll-prompt" }, prompt));
    },
    add(more) {
      if (!more.length) return;
      if (painted === pieces.length && pace < Infinity) since = performance.now() - (1000 * painted) / pace;
      pieces.push(...more);
      frame ||= requestAnimationFrame(paint);
    },
    end() { painted = Math.min(painted, pieces.length); cancelAnimationFrame(frame); pieces.length = painted; frame = 0; },
    all() { pace = Infinity; if (pieces.length > painted) frame ||= requestAnimationFrame(paint); },
  };
}

const speed = (n, seconds) => `${whole(n)} tokens, ${seconds > 0 ? whole(n / seconds) : "–"} tokens/s`;

function render({ model, el, signal }) {
  const root = mount(el, "speaking", signal), state = stateLine(root, { live: model.get("live"), source: model.get("source") });
  const python = pythonEngine(model, signal), where = model.get("engine") ?? {};
  const field = make("textarea", { class: "ll-field", rows: 2, "aria-label": "Text to continue", spellcheck: "false" });
  const write = make("button", { class: "ll-btn ll-main", type: "button" }, "Write ", make("kbd", {}, "Enter"));
  const stop = make("button", { class: "ll-btn", type: "button", disabled: true }, "Stop ", make("kbd", {}, "Esc"));
  const seed = make("input", { class: "ll-field", type: "number", min: 0, max: 999999, step: 1, "aria-label": "Seed" });
  const next = make("button", { class: "ll-btn", type: "button" }, "Next seed");
  const heat = slider({ name: "Temperature", min: 0, max: 100 * model.get("hottest"), step: 5,
    say: (v) => [(v / 100).toFixed(2), v ? "higher is wilder" : "always the likeliest: no chance at all"],
    input: (v) => { model.set("temperature", v / 100); callLine(); }, release: () => model.save_changes() });
  const paces = make("div", { class: "ll-paces", role: "group", "aria-label": "How fast the text is shown" }, make("span", {}, "Show it"));
  const call = make("code", { class: "ll-call", tabindex: 0, role: "region", "aria-label": "The command" });
  const columns = make("div", { class: "ll-columns" }), program = sheet("The C program, run.c", "It has written nothing yet.");
  const tab = where.weights ? sheet("This browser tab", "The same model, the same C, in this page. Nothing written yet.") : null;
  let pace = "full", turn = 0, counted = 0;

  root.append(make("form", { class: "ll-ask" }, field, make("div", { class: "ll-buttons" }, write, stop)),
    make("div", { class: "ll-controls" }, heat.label, make("label", { class: "ll-seed" }, make("span", {}, "Seed"), seed, next), paces),
    call, columns, state.line);
  columns.append(program.box, ...(tab ? [tab.box] : []));
  columns.classList.toggle("two", Boolean(tab));
  const buttons = PACES.map(([name, words]) => make("button", { class: "ll-btn", type: "button", "data-pace": name }, words));
  paces.append(...buttons);

  const request = () => ({ text: model.get("prompt"), temperature: model.get("temperature"), seed: model.get("seed"), tokens: model.get("tokens") });
  const perSecond = () => PACES.find(([name]) => name === pace)[2];

  function callLine() {
    const { text, temperature, seed: s, tokens } = request();
    call.textContent = `${model.get("call")} -p ${quoted(text)} -t ${+temperature.toFixed(2)} --top-p ${model.get("top_p")} -n ${tokens} -s ${s}`;
  }

  function controls() {
    if (field.value !== model.get("prompt")) field.value = model.get("prompt");
    if (Number(seed.value) !== model.get("seed")) seed.value = model.get("seed");
    heat.show(Math.round(100 * model.get("temperature")));
    buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.pace === pace)));
    callLine();
  }

  /** Ask the program for a text, and then for what is new, until it has ended or `still()` is false. */
  async function speak(wanted, still) {
    program.begin(wanted.text, perSecond());
    counted = 0;
    const ids = [];
    let news = await python.ask({ kind: "speak", ...wanted }), text = "";
    while (still()) {
      program.add(news.pieces);
      ids.push(...news.ids);
      text += news.pieces.join("");
      counted = ids.length;
      program.say(news.state === "compiling" ? "Compiling run.c, once …" : speed(counted, news.seconds));
      if (news.state === "failed") throw new Error(news.error);
      if (["done", "stopped"].includes(news.state) && !news.pieces.length) break;
      await new Promise((done) => setTimeout(done, NEWS));
      if (!still()) break;
      news = await python.ask({ kind: "more", seen: ids.length });
    }
    return { ids, text, rate: news.seconds > 0 ? ids.length / news.seconds : 0 };
  }

  /** The same in this tab: one question to the engine in the page for each token. */
  async function speakHere(wanted, still) {
    tab.begin(wanted.text, perSecond());
    tab.say("Fetching the model into this page …");
    const engine = await pageEngine(where).catch((problem) => { tab.say(problem.message); }), chance = dice(wanted.seed), read = (what) => engine.ask({ kind: "logits", ...what });
    if (!engine) return null;
    let reply = await read({ text: wanted.text }), shown = performance.now();
    const start = reply.ids.length, began = shown, ids = [...reply.ids], taken = () => (performance.now() - began) / 1000;
    while (still() && ids.length - start < wanted.tokens) {
      const logits = floatsOf(reply.buffers[0]), best = logits.reduce((a, b) => Math.max(a, b));
      const near = [...logits.keys()].filter((id) => logits[id] >= best - 25 * wanted.temperature); // the others: e^-25 of the best
      const { order, scores } = rank(near.map((id) => logits[id]));
      const { q, kept } = cut(scores, { temperature: wanted.temperature, top_k: 0, top_p: model.get("top_p"), min_p: 0 });
      const before = reply.text.replace(/\ufffd+$/, ""), token = near[order[pick(q, kept, chance())]];
      reply = await read({ ids: [...ids, token] }).catch(() => null);
      if (!reply) break; // the context is full
      const piece = reply.text.slice(before.length).replace(/\ufffd+$/, ""); // half a letter waits for its other half
      if (ENDS.includes(piece)) break;
      ids.push(token);
      tab.add([piece]);
      if (performance.now() - shown > 100) { shown = performance.now(); tab.say(speed(ids.length - start, taken())); }
    }
    tab.say(speed(ids.length - start, taken()));
    return { ids: ids.slice(start) };
  }

  async function go() {
    const mine = ++turn, still = () => mine === turn, wanted = request();
    stop.disabled = false;
    state.rest();
    try {
      const said = await speak(wanted, still), here = tab && still() ? await speakHere(wanted, still) : null;
      if (!still()) return;
      for (const name of ["text", "ids", "rate"]) model.set(name, said[name]);
      model.save_changes();
      if (here && wanted.temperature === 0) {
        const same = said.ids.findIndex((id, i) => id !== here.ids[i]);
        tab.say(same < 0 && said.ids.length === here.ids.length ? `All ${whole(said.ids.length)} tokens are the same as the program's.` : `The two differ from token ${whole((same < 0 ? Math.min(said.ids.length, here.ids.length) : same) + 1)} on.`);
      }
    } catch (problem) {
      if (still()) { state.error(problem.message); program.say("It has written nothing."); }
    }
    if (still()) stop.disabled = true;
  }

  function halt() {
    turn++;
    stop.disabled = true;
    program.end();
    tab?.end();
    program.say(`Stopped after ${whole(counted)} tokens.`);
    python.ask({ kind: "stop" }).catch(() => {});
  }

  const keep = () => { model.set("prompt", field.value); model.save_changes(); callLine(); };
  field.addEventListener("input", () => { model.set("prompt", field.value); callLine(); });
  field.addEventListener("change", keep);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    keep();
    go();
  });
  seed.addEventListener("change", () => { model.set("seed", Math.max(0, Math.min(999999, Math.round(Number(seed.value)) || 0))); model.save_changes(); controls(); });
  next.addEventListener("click", () => { model.set("seed", model.get("seed") + 1); model.save_changes(); go(); });
  write.addEventListener("click", () => { keep(); go(); });
  stop.addEventListener("click", halt);
  root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  root.addEventListener("keydown", (event) => { if (event.key === "Escape" && !stop.disabled) { event.preventDefault(); halt(); } });
  paces.addEventListener("click", (event) => {
    pace = event.target.closest("[data-pace]")?.dataset.pace ?? pace;
    if (pace === "full") { program.all(); tab?.all(); }
    controls();
  });
  listen(model, ["prompt", "temperature", "seed", "tokens"], controls, signal);
  controls();
  state.rest();
  const first = model.get("first");
  if (first.error) state.error(first.error);
  else if (first.pieces) {
    program.begin(model.get("prompt"), Infinity);
    program.add(first.pieces);
    program.say(`When this page was opened: ${speed(first.ids.length, first.seconds)}`);
  }
}

export default { render };
