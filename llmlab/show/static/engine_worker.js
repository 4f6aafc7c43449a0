// The engine in the page: the same C that `run.c` is made of, as WebAssembly, with a model's weights. It runs in a
// Worker, beside the page, so however long it reads, no frame is late. engine.js starts it and passes the questions
// on. Python joins to this one: roads.js, which grows a tree out of many readings; writing_worker.js, which continues a
// text by the rules of policy.js; inside_worker.js, what happens in a single reading. Read next: model/page.c.

let c = null; // what page.c exports
let model = null; // its shape, and the bytes of its tokens

const bytesAt = (at, n) => new Uint8Array(c.memory.buffer, at, n); // made anew each time: memory that grows moves
const numbersAt = (at, n) => new Int32Array(c.memory.buffer, at, n);
const floatsAt = (at, n) => new Float32Array(c.memory.buffer, at, n);

/** Calls f(address) with these bytes in the engine's memory, which are given back afterwards. */
function lend(bytes, f) {
  const at = c.page_take(bytes.byteLength || 1);
  if (!at) throw new Error("There is not enough memory.");
  try {
    bytesAt(at, bytes.byteLength).set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return f(at);
  } finally {
    c.page_give_back(at);
  }
}

async function start(program) {
  try {
    c = (await WebAssembly.instantiate(program)).instance.exports;
    c._initialize();
  } catch {
    throw new Error("This browser cannot run the engine in the page.");
  }
}

/** Opens the content of a model.bin. Throws a sentence that says what is wrong with it. */
function openModel(file) {
  model = null;
  const wrong = lend(file, (at) => c.page_open(at, file.byteLength));
  if (wrong) throw new Error(`The model of this page ${cText(wrong)}.`);
  const [V, room, nOrdinary, bos, nLayer, nHead, nKvHead, C, nHidden] = numbersAt(c.page_shape(), 9);
  const places = numbersAt(c.page_places(), V + 1), letters = bytesAt(c.page_bytes(), places[V]);
  model = { V, room, nOrdinary, bos, nLayer, nHead, nKvHead, C, nHidden, tokens: Array.from({ length: V }, (_, id) => letters.slice(places[id], places[id + 1])) };
}

function cText(at) {
  const rest = new Uint8Array(c.memory.buffer, at);
  return new TextDecoder().decode(rest.slice(0, rest.indexOf(0)));
}

/** Tokens to text, as tokenizer.py does; half a letter becomes the replacement character. */
function decode(ids) {
  const parts = ids.map((id) => model.tokens[id]), all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  parts.reduce((at, part) => { all.set(part, at); return at + part.length; }, 0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(all);
}

/** The tokens that the model reads first: <|bos|>, then the text, in which nothing is ever special. */
function promptIds(request) {
  const ids = request.ids ? [...request.ids] : [model.bos, ...encode(request.text ?? "")];
  if (ids.length >= model.room) {
    throw new Error(`This text has more than ${model.room - 2} tokens, and the model reads no more at a time. Shorten it.`);
  }
  return ids;
}

function encode(text) {
  const typed = new TextEncoder().encode(text), ids = new Int32Array(model.room);
  return lend(ids, (to) => {
    const n = lend(typed, (at) => c.page_encode(at, typed.length, to, model.room));
    if (n < 0) throw new Error("There is not enough memory for this text.");
    return [...numbersAt(to, Math.min(n, model.room))];
  });
}

/** Logits (V) for the token after `ids`; with `all`, after each of them (T * V). They are overwritten by the next reading. */
function read(ids, all = false) {
  const at = lend(Int32Array.from(ids), (from) => c.page_read(from, ids.length, all));
  if (!at) throw new Error("The model cannot read these tokens.");
  return floatsAt(at, (all ? ids.length : 1) * model.V);
}

/** The likeliest token, of equals the first. A loop: it runs for every place of every layer of a text. */
function likeliest(logits) {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}

/** Whether a text ends with this token. */
const isEnd = (token) => token >= model.nOrdinary && ["<|bos|>", "<|end|>"].includes(decode([token]));

/** What can be asked. Each answer is [reply, buffers]. */
const ANSWERS = {
  logits(request) {
    const ids = promptIds(request);
    return [{ ids, dtype: "float32", corpus: "", text: decode(ids.slice(1)) }, [read(ids, request.all).slice().buffer]];
  },
  tree(request) {
    return treeReply(request, promptIds(request));
  },
  write(request) {
    return writeReply(request, promptIds(request));
  },
  /** The likeliest token after another: at most `tokens` of them. */
  greedy(request) {
    const ids = promptIds(request), from = ids.length;
    while (ids.length < Math.min(from + request.tokens, model.room)) {
      const token = likeliest(read(ids));
      if (isEnd(token)) break;
      ids.push(token);
    }
    return [{ ids, text: decode(ids.slice(from)) }, []];
  },
  ...INSIDE,
};

async function fetched(url) {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Error("The model of this page could not be fetched.");
  return new Uint8Array(await answer.arrayBuffer());
}

async function heard({ data: { ask, request, program, weights } }) {
  try {
    if (program) {
      const files = await Promise.all([fetched(program), fetched(weights)]);
      await start(files[0]);
      openModel(files[1]);
      postMessage({ ready: true });
      return;
    }
    const [reply, buffers] = ANSWERS[request.kind](request);
    postMessage({ ask, reply, buffers }, buffers);
  } catch (problem) {
    const trap = problem instanceof WebAssembly.RuntimeError; // it leaves memory behind that nobody should trust
    postMessage({ ask, error: trap ? "The engine in the page broke down." : problem.message, broken: trap || !ask });
  }
}

if (globalThis.WorkerGlobalScope) addEventListener("message", heard);
