// The asking, apart from the drawing. A widget knows one function:
//
//     engine.ask({ kind: "logits", ids | text }) -> Promise<{ ids, buffers, ... }>
//
// and not who answers. Here Python does, through the widget's messages (asking.py holds the other end); engine.js
// decides between Python and the engine in the page.

const PATIENCE = 60_000; // ms; a page without its Python has to say so at some time

function pythonEngine(model, signal) {
  const waiting = new Map(), view = Math.random().toString(36).slice(2);
  let asked = 0;
  const heard = (message, buffers) => {
    const asker = waiting.get(message?.answer);
    if (!asker) return;
    waiting.delete(message.answer);
    if (message.error) asker.reject(new Error(message.error));
    else asker.resolve({ ...message.reply, buffers: buffers ?? [] });
  };
  model.on("msg:custom", heard);
  signal?.addEventListener("abort", () => model.off("msg:custom", heard));
  return {
    ask(request) {
      const ask = `${view}-${++asked}`;
      return new Promise((resolve, reject) => {
        const silent = () => {
          waiting.delete(ask);
          reject(new Error("Python does not answer. Reload the page; if that does not help, start the course again."));
        };
        const late = setTimeout(silent, PATIENCE), then = (settle) => (value) => { clearTimeout(late); settle(value); };
        waiting.set(ask, { resolve: then(resolve), reject: then(reject) });
        Promise.resolve(model.send({ ask, request })).catch(silent);
      });
    },
  };
}

/** A line that says who answers and what is going on: live, recorded, reading, or what went wrong. */
function stateLine(root, { live, source }) {
  const words = make("span", { class: "ll-words" }), stop = make("button", { class: "ll-stop", type: "button", hidden: true }, "Stop");
  const line = make("p", { class: "ll-state", role: "status" }, words, stop);
  let clock = 0, stopped = () => {}, where = "", remark = "", resting = false;
  stop.addEventListener("click", () => stopped());
  const set = (state, text) => {
    clearInterval(clock);
    resting = false;
    stop.hidden = true;
    root.dataset.state = state;
    words.textContent = text;
  };
  const rest = () => {
    const said = [live ? "live" : "recorded", where, source].filter(Boolean).join(", ");
    set(live ? "live" : "recorded", remark ? `${said}. ${remark}` : said);
    resting = true;
  };
  return {
    line, rest,
    /** Somebody else answers from now on; a remark says why. */
    answers(place, why = "") {
      where = place;
      remark = why;
      if (resting) rest();
    },
    empty: (text) => set("empty", text),
    error: (text) => set("error", text),
    /** The old picture turns pale only when the answer is not there at once. */
    reading(text, onStop) {
      clearInterval(clock);
      resting = false;
      stopped = onStop;
      const since = performance.now();
      clock = setInterval(() => {
        const seconds = Math.floor((performance.now() - since) / 1000);
        root.dataset.state = "loading";
        words.textContent = seconds ? `${text} ${seconds} s` : text;
        stop.hidden = seconds < 1;
      }, 250);
    },
  };
}

/** One question at a time. Gives the reply; null when it failed or was stopped; undefined when a newer one was asked. */
function reader(engine, state) {
  let latest = 0;
  return async (request, words, wait = 0) => {
    const turn = ++latest;
    return new Promise((done) => {
      state.reading(words, () => { latest++; state.rest(); done(null); });
      Promise.all([engine.ask(request), new Promise((r) => setTimeout(r, wait))]).then(
        ([reply]) => { if (turn === latest) { state.rest(); done(reply); } else done(undefined); },
        (problem) => { if (turn === latest) { state.error(problem.message); done(null); } else done(undefined); },
      );
    });
  };
}
