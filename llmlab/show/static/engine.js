// Who answers: the engine in the page where there is one, Python otherwise. A widget says engineFor(model, signal,
// state).ask(request) and does not know which. Python tells the page where the engine's program and a model's weights
// lie (the traitlet `engine`); they are fetched once for all widgets of a page that show the same model, into one Worker.
// WORKER is the script of that Worker: Python puts it in front of this file (bundle.py). Read next: engine_worker.js.

/** The engines of this page by the address of their weights; shared by the scripts of all widgets. */
const engines = (globalThis.llmlabEngines ??= new Map());

/** The engine for these weights: a promise of { ask }, which fails with a sentence. */
function pageEngine({ program, weights }) {
  if (!engines.has(weights)) engines.set(weights, startEngine(program, weights));
  return engines.get(weights);
}

/** The address of a file of this very server; nothing is fetched from anywhere else. */
function ours(url) {
  const full = new URL(url, location.href);
  if (full.origin !== location.origin && full.protocol !== "data:") throw new Error("The model of this page lies on another machine.");
  return full.href;
}

function startWorker() {
  const script = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
  try {
    return new Worker(script);
  } catch {
    throw new Error("This browser cannot run the engine in the page.");
  } finally {
    setTimeout(() => URL.revokeObjectURL(script), 10_000); // some browsers read it after the constructor has returned
  }
}

async function startEngine(program, weights) {
  const files = { program: ours(program), weights: ours(weights) }, worker = startWorker(), waiting = new Map();
  let asked = 0, broken = "";
  const engine = {
    isBroken: () => Boolean(broken),
    ask: (request) => new Promise((resolve, reject) => {
      if (broken) { reject(new Error(broken)); return; }
      waiting.set(++asked, { resolve, reject });
      worker.postMessage({ ask: asked, request });
    }),
  };
  return new Promise((ready, failed) => {
    const end = (sentence) => {
      broken = sentence;
      worker.terminate();
      failed(new Error(sentence));
      for (const asker of waiting.values()) asker.reject(new Error(sentence));
      waiting.clear();
    };
    worker.addEventListener("error", () => end("The engine in the page broke down."));
    worker.addEventListener("message", ({ data }) => {
      const asker = waiting.get(data.ask);
      waiting.delete(data.ask);
      if (data.ready) ready(engine);
      else if (data.error) { asker?.reject(new Error(data.error)); if (data.broken) end(data.error); }
      else asker.resolve({ ...data.reply, buffers: data.buffers });
    });
    worker.postMessage(files);
  });
}

/** For a widget: ask(request), answered by whoever can; `where` are the files of its engine. The state line says who. An
 *  answer of the page knows no corpus: its `askCounts()` asks Python for { corpus, buffers: [ids, counts] }, or null. Not
 *  every picture shows counts, so nobody is asked before. */
function engineFor(model, signal, state, where = model.get("engine") ?? {}) {
  const python = pythonEngine(model, signal);
  let page = null, remark = "";
  const tell = () => state.answers(page ? "in this page" : "", remark);
  const leave = (sentence) => { page = null; remark = `${sentence} Python answers.`; tell(); };
  if (where.weights) pageEngine(where).then((engine) => { page = engine; tell(); }, (problem) => leave(problem.message));
  return {
    async ask(request) {
      const engine = page;
      tell();
      if (!engine) return python.ask(request);
      try {
        const reply = await engine.ask(request);
        if (request.kind === "logits") reply.askCounts = () => python.ask({ kind: "counts", ids: reply.ids }).catch(() => null);
        return reply;
      } catch (problem) {
        if (!engine.isBroken()) throw problem; // a sentence about the question
        leave(problem.message);
        return python.ask(request);
      }
    },
  };
}
