// Reports the page's theme to Python; draws nothing.

function render({ model, el, signal }) {
  const root = make("div", { class: "ll-theme", hidden: true });
  el.append(root);
  follow(root, signal, (theme) => {
    if (model.get("theme") === theme) return;
    model.set("theme", theme);
    model.save_changes();
  });
}

export default { render };
