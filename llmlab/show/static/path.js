// One number followed all the way: a list of steps, and for the one that is looked at the line of code, the number
// before and after it, and what stands beside it. The sentences are Python's (the traitlet `steps`), with gaps for the
// numbers of an answer: {x} is a number or a token, {x%} a share, {x,} a whole number; {most.0} is the first of a list.

/** A sentence with its gaps filled from an answer; "" where it has nothing for a sentence that is one gap. */
function filled(sentence, values) {
  return sentence.replace(/\{([\w.]+)([%,]?)\}/g, (_, name, as) => gap(name.split(".").reduce((value, key) => value?.[key], values), as));
}

function gap(value, as) {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((one) => gap(one, as)).join(", ");
  if (typeof value === "string") return visible(value).trim() || spoken(value);
  if (as) return as === "%" ? percent(value) : whole(value);
  return value.toFixed(3).replace("-", "−");
}

function pathView({ model, plain, tokens, place }) {
  let steps = [], at = 0, buttons = [];

  const list = make("ol", { class: "ll-step-list" });
  const back = make("button", { class: "ll-btn", type: "button" }, "Back"), next = make("button", { class: "ll-btn ll-main", type: "button" }, "Next step");
  const count = make("span", { class: "ll-count" });
  const name = make("h4"), code = make("code"), before = make("b"), after = make("b"), said = make("p", { class: "ll-says" }), rows = make("dl", { class: "ll-numbers" });
  const panel = make("div", { class: "ll-step-panel", "aria-live": "polite" }, name, make("pre", {}, code),
    make("p", { class: "ll-change" }, before, make("span", { "aria-hidden": "true" }, " → "), after), said, rows,
    make("div", { class: "ll-acts" }, back, next, count));
  const element = make("div", { class: "ll-path-view" }, list, panel);

  function go(i) {
    at = Math.max(0, Math.min(steps.length - 1, i));
    const step = steps[at];
    if (!step) return;
    name.textContent = step.name;
    code.textContent = step.code;
    before.textContent = step.before;
    after.textContent = step.after;
    before.hidden = before.nextSibling.hidden = !step.before;
    said.textContent = step.said;
    rows.replaceChildren(...step.rows.map(([what, value]) => make("div", {}, make("dt", {}, what), make("dd", {}, value))));
    count.textContent = `${at + 1} of ${steps.length}`;
    back.setAttribute("aria-disabled", String(at === 0)); // not disabled: the focus would be lost
    next.setAttribute("aria-disabled", String(at === steps.length - 1));
    buttons.forEach((b, k) => b.setAttribute("aria-current", k === at ? "step" : "false"));
  }

  back.addEventListener("click", () => go(at - 1));
  next.addEventListener("click", () => go(at + 1));

  function write(reply) {
    const values = reply.values ?? {}, fill = (sentence) => filled(sentence, values);
    steps = model.get("steps").map((step) => ({
      ...step, before: fill(step.before), after: fill(step.after), said: fill(step.said),
      rows: step.rows.map((row) => row.map(fill)).filter(([, value]) => value),
    }));
    buttons = steps.map((step, i) => {
      const b = make("button", { type: "button" }, make("span", { class: "t" }, step.name), make("span", { class: "n" }, step.after));
      b.addEventListener("click", () => go(i));
      return b;
    });
    list.replaceChildren(...buttons.map((b) => make("li", {}, b)));
    go(at);
  }

  return {
    element, write, mark: () => {}, asksForPlace: true,
    request: () => ({ place: place() }),
    rows: () => [`One number, after “${plain(tokens()[place()] ?? "")}”`, ["step", "before", "after"], steps.map((step) => [step.name, step.before, step.after])],
    keys: (focus) => (element.contains(focus) ? { ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1) } : {}),
  };
}
