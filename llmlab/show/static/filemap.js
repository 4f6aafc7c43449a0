// File map: the bytes of a file, in order, to scale. A row is a part of the network; pointing at a piece, or walking
// there with the arrows, tells its name, its shape, where it lies, and its first numbers.

function render({ model, el, signal }) {
  const root = mount(el, "filemap", signal), { name, rows } = jsonOf(model.get("data"), { name: "", rows: [] });
  const parts = rows.flatMap((row) => row.parts), size = (row) => row.parts.reduce((n, part) => n + part.n_bytes, 0);
  const total = parts.reduce((n, part) => n + part.n_bytes, 0), longest = Math.max(...rows.map(size));
  const bytes = (n) => (n >= 1e6 ? `${(n / 1e6).toFixed(2)} MB` : n >= 1e4 ? `${(n / 1e3).toFixed(1)} KB` : `${whole(n)} bytes`);
  const detail = make("div", { class: "ll-detail", "aria-live": "polite" });
  const tableBox = make("div", { class: "ll-table", hidden: true, tabindex: 0, role: "region", "aria-label": "The same as a table" });
  const toggle = make("button", { class: "ll-btn ll-quiet", type: "button", "aria-pressed": "false" }, "Table ", make("kbd", {}, "T"));
  const key = make("div", { class: "ll-key", "aria-hidden": "true" }, ...[["text", "letters"], ["table", "vectors of the tokens"], ["attention", "attention"], ["mlp", "MLP"], ["norm", "norms"]].map(([kind, words]) => make("span", {}, make("i", { class: `k-${kind}` }), words)));
  const map = make("div", { class: "ll-map", role: "listbox", "aria-label": `${name}, ${whole(total)} bytes in ${parts.length} parts, in the order of the file` });
  const pieces = parts.map((part) => make("span", {
    class: `ll-part k-${part.kind}`, role: "option", "aria-selected": "false", style: `flex-basis: ${(100 * part.n_bytes) / longest}%`,
    "aria-label": `${part.name}, ${part.shape}, ${bytes(part.n_bytes)}`,
  }, make("span", {}, part.short)));
  let n = 0;
  for (const row of rows) {
    map.append(make("div", { class: "ll-row" }, make("span", { class: "ll-label", "aria-hidden": "true" }, row.label),
      make("span", { class: "ll-bar" }, ...pieces.slice(n, n + row.parts.length)), make("span", { class: "ll-size", "aria-hidden": "true" }, bytes(size(row)))));
    n += row.parts.length;
  }
  root.append(make("div", { class: "ll-head" }, key, toggle), map, tableBox, detail);

  function mark(preview = -1) {
    const selected = model.get("selected"), i = preview >= 0 ? preview : selected, part = parts[i];
    pieces.forEach((piece, j) => { piece.classList.toggle("ll-chosen", j === selected); piece.setAttribute("aria-selected", String(j === selected)); });
    if (!part) {
      detail.replaceChildren(make("p", { class: "ll-hint" }, `${whole(total)} bytes. Point at a piece, or press it, to see what it is.`));
      return;
    }
    const facts = [["shape", part.shape], ["bytes", whole(part.n_bytes)], ["of the file", percent(part.n_bytes / total)], ["from byte", whole(part.at)], ...(part.first ? [["begins with", part.first]] : [])];
    detail.replaceChildren(make("p", {}, make("b", {}, part.name), ` ${part.about}`),
      make("dl", {}, ...facts.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value)))));
  }

  function choose(i) {
    model.set("selected", i === model.get("selected") ? -1 : i);
    model.save_changes();
  }

  function showTable(on) {
    if (on) tableBox.replaceChildren(table(name, ["part", "shape", "from byte", "bytes"], parts.map((part) => [part.name, part.shape, whole(part.at), whole(part.n_bytes)])));
    tableBox.style.height = `${map.offsetHeight}px`;
    tableBox.hidden = !on;
    map.hidden = on;
    toggle.setAttribute("aria-pressed", String(on));
    if (on) tableBox.focus({ preventScroll: true });
  }

  const indexOf = (event) => pieces.indexOf(event.target.closest?.(".ll-part"));
  /** From the row above or below, the piece that begins nearest. */
  function rowAway(i, step) {
    const row = pieces[i].closest(".ll-row"), other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return i;
    const left = pieces[i].offsetLeft;
    return pieces.indexOf([...other.querySelectorAll(".ll-part")].reduce((a, b) => (Math.abs(b.offsetLeft - left) < Math.abs(a.offsetLeft - left) ? b : a)));
  }
  map.addEventListener("pointerover", (event) => mark(indexOf(event)));
  map.addEventListener("pointerleave", () => mark());
  map.addEventListener("focusin", (event) => mark(indexOf(event)));
  map.addEventListener("focusout", () => mark());
  map.addEventListener("click", (event) => { const i = indexOf(event); if (i >= 0) { choose(i); roving(() => pieces, i)(i); } });
  toggle.addEventListener("click", () => showTable(tableBox.hidden));
  root.addEventListener("keydown", (event) => {
    if (!plain(event)) return;
    const i = pieces.indexOf(event.composedPath()[0]), go = (to) => roving(() => pieces, i)(to);
    const keys = {
      t: () => showTable(tableBox.hidden),
      Escape: () => { if (!tableBox.hidden) showTable(false); else if (model.get("selected") >= 0) choose(model.get("selected")); },
      ...(i < 0 ? {} : { ArrowLeft: () => go(i - 1), ArrowRight: () => go(i + 1), ArrowUp: () => go(rowAway(i, -1)), ArrowDown: () => go(rowAway(i, 1)), Enter: () => choose(i), Home: () => go(0), End: () => go(pieces.length - 1) }),
    };
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  listen(model, ["selected"], () => mark(), signal);
  roving(() => pieces, 0);
  mark();
}

export default { render };
