// The two buttons of the top line, and the step that is being read. Both choices stay in this browser.
(() => {
  const root = document.documentElement;
  root.dataset.llCourse = "";
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } };
  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  let theme = recall("ll-theme"); // null: as the system has it

  function apply() {
    const body = document.body;
    if (!theme || !body || body.dataset.theme === theme) return;
    body.dataset.theme = theme;
    body.classList.remove("light", "dark", "light-theme", "dark-theme");
    body.classList.add(theme, `${theme}-theme`);
  }
  const size = (value) => value === "hall" ? (root.dataset.size = "hall") : delete root.dataset.size;
  size(recall("ll-size"));

  addEventListener("DOMContentLoaded", () => {
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  });

  addEventListener("click", (event) => {
    const act = event.composedPath().find((node) => node.dataset?.llAct)?.dataset.llAct;
    if (act === "theme") {
      theme = getComputedStyle(document.body).colorScheme.includes("dark") || document.body.dataset.theme === "dark" ? "light" : "dark";
      remember("ll-theme", theme);
      apply();
    }
    if (act === "size") {
      const value = root.dataset.size === "hall" ? "" : "hall";
      remember("ll-size", value);
      size(value);
    }
  });

  let waiting = false;
  function mark() {
    waiting = false;
    const steps = [...document.querySelectorAll(".ll-steps li")];
    if (!steps.length) return;
    const at = steps.map((li) => document.getElementById(li.firstElementChild.hash.slice(1)));
    const now = at.findLastIndex((section) => section && section.getBoundingClientRect().top < innerHeight / 2);
    steps.forEach((li, k) => {
      li.className = k === now ? "now" : k < now ? "done" : "";
      if (k === now) li.setAttribute("aria-current", "step"); else li.removeAttribute("aria-current");
    });
  }
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, true);
  setInterval(mark, 2000); // cells arrive one by one
})();
