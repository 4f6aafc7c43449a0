// Inside, answered in the page: attention, the stream, knock-outs and the path of one number, as course/inside.py
// answers them with torch; a test holds the two together. The engine reads, and what its layers wrote stays in its
// memory; here are the sums that each view makes of it. Python joins this file to engine_worker.js, and its names are
// those of measure/inside.py.

const WRITES = 16; // tokens that are written after a text, as in course/inside.py

const INSIDE = {
  attention(request) {
    const ids = fewIds(request);
    return [{ ...shown(ids), dtype: "float32" }, [look(ids).attention().slice().buffer]];
  },

  stream(request) {
    const ids = fewIds(request), seen = look(ids), place = placeOf(request, ids), lens = best(seen), last = model.nLayer * ids.length + place;
    const token = request.token >= 0 ? request.token : lens.ids[last], found = parts(seen, place, token);
    const words = Array.from({ length: model.nLayer + 1 }, (_, l) => [...lens.ids.subarray(l * ids.length, (l + 1) * ids.length)].map(readable));
    return [{ ...shown(ids), words, place, word: readable(token), token, score: found.score },
      [lens.shares.buffer, lens.ids.buffer, Float32Array.from(found.parts).buffer]];
  },

  knockout(request) {
    const ids = fewIds(request), both = [whole(ids), without(request, () => worth(ids))];
    return [{ ...shown(ids), texts: both.map(({ text }) => text) }, [Float32Array.from(both.flatMap((one) => one.bits)).buffer]];
  },

  /** Bits of each token but the first, with parts knocked out. */
  surprise(request) {
    return [{}, [Float32Array.from(without(request, () => surprise(promptIds(request)))).buffer]];
  },

  path(request) {
    const ids = fewIds(request), place = placeOf(request, ids);
    return [{ ...shown(ids), place, values: path(look(ids), place, ids) }, []];
  },
};

// ---- what all of them need ----

/** The tokens of a text, if there are as many as a picture can show. */
function fewIds({ text, most }) {
  const ids = [model.bos, ...encode([...text].slice(0, 40 * most).join(""))];
  if (ids.length >= 2 && ids.length <= most) return ids;
  throw new Error(`This text has ${ids.length < 2 ? "no" : `more than ${most - 1}`} tokens. Use between 1 and ${most - 1}, so that each can be seen.`);
}

const shown = (ids) => ({ tokens: ids.map(readable), special: ids.flatMap((id, i) => (id >= model.nOrdinary ? [i] : [])) });
const placeOf = ({ place }, ids) => (place >= 0 && place < ids.length ? place : ids.length - 1);

/** The weights, as they lie in the engine's memory: in the order of flat.py. */
function weights() {
  const { V, C, nLayer, nHead, nKvHead, nHidden } = model, KV = (nKvHead * C) / nHead;
  let at = c.page_weights();
  const next = (n) => { at += 4 * n; return floatsAt(at - 4 * n, n); };
  const words = next(V * C);
  const layers = Array.from({ length: nLayer }, () => ({ norm: next(C), q: next(C * C), k: next(KV * C), v: next(KV * C), o: next(C * C), mlp: next(C + 3 * nHidden * C) }));
  return { words, layers, norm: next(C) };
}

/** Reads a text, unless it is the last that was looked at: attention (L, H, T, T); for a layer and a place the stream
 *  (C) before it and what its heads found (C); the scores (V) of n places if the network ended there. */
function look(ids) {
  const { nLayer: L, nHead: H, C, V } = model, T = ids.length, key = ids.join();
  if (model.looked?.key !== key) {
    model.looked = null;
    const at = lend(Int32Array.from(ids), (from) => c.page_look(from, T));
    if (!at) throw new Error("The model cannot read these tokens.");
    model.looked = { key, at };
  }
  const { at } = model.looked, stream = at + 4 * L * H * T * T, found = stream + 4 * (L + 1) * T * C;
  return {
    T,
    attention: () => floatsAt(at, L * H * T * T),
    stream: (l, t) => floatsAt(stream + 4 * (l * T + t) * C, C),
    found: (l, t) => floatsAt(found + 4 * (l * T + t) * C, C),
    lens: (l, t, n = 1) => floatsAt(c.page_lens(stream + 4 * (l * T + t) * C, n), n * V),
  };
}

/** The log of a token's probability by its row of scores, which must still lie in the engine's memory: C sums faster. */
const logProbability = (row, id) => row[id] - c.page_log_sum(row.byteOffset);

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The root mean square of x, and x scaled to 1 and weighted, as RMSNorm does. */
const size = (x) => Math.sqrt(dot(x, x) / x.length + floatsAt(c.page_constants(), 2)[1]);
const normed = (x, weight) => { const rms = size(x); return x.map((v, i) => (v / rms) * weight[i]); };

// ---- the stream ----

/** The likeliest next token after each layer at each place (L + 1, T), and its probability. */
function best(seen) {
  const { V, nLayer } = model, n = (nLayer + 1) * seen.T, ids = new Uint32Array(n), shares = new Float32Array(n);
  for (let l = 0; l <= nLayer; l++) {
    const z = seen.lens(l, 0, seen.T);
    for (let t = 0; t < seen.T; t++) {
      const row = z.subarray(t * V, (t + 1) * V), at = l * seen.T + t;
      ids[at] = likeliest(row);
      shares[at] = Math.exp(logProbability(row, ids[at]));
    }
  }
  return { ids, shares };
}

/** What each part adds to a token's score at a place, over the average token's: the embedding, then for each layer its
 *  heads and its MLP. The size by which the last norm divides is held fixed, so the parts add up. */
function parts(seen, place, token) {
  const { C, V, nLayer: L, nHead: H } = model, z = seen.lens(L, place), { words, layers, norm } = weights();
  const rms = size(seen.stream(L, place)), mean = model.mean ??= meanWord(words);
  const direction = Float64Array.from(norm, (weight, i) => ((words[token * C + i] - mean[i]) * weight) / rms);
  const found = [dot(seen.stream(0, place), direction)];
  for (let l = 0; l < L; l++) {
    const heads = Array.from({ length: H }, (_, h) => written(seen.found(l, place), layers[l].o, h).reduce((sum, x, i) => sum + x * direction[i], 0));
    const all = dot(seen.stream(l + 1, place), direction) - dot(seen.stream(l, place), direction);
    found.push(...heads, all - heads.reduce((a, b) => a + b));
  }
  return { parts: found, score: z[token] - z.reduce((a, b) => a + b) / V };
}

/** What one head writes (C): what it found, through its own columns of the layer's last matrix. */
function written(found, o, head) {
  const { C, nHead } = model, D = C / nHead, from = head * D, own = found.subarray(from, from + D);
  return Array.from({ length: C }, (_, i) => dot(own, o.subarray(i * C + from, i * C + from + D)));
}

/** The average of all tokens' vectors. */
function meanWord(words) {
  const { C, V } = model, mean = new Float64Array(C);
  for (let at = 0; at < words.length; at++) mean[at % C] += words[at] / V;
  return mean;
}

// ---- knocking out ----

/** Does something while heads [[layer, head]] and MLPs [layer] write nothing. */
function without({ heads, mlps }, f) {
  if (!heads.length && !mlps.length) return f();
  const { nLayer, nHead } = model, silent = new Uint8Array(nLayer * (nHead + 1));
  for (const [layer, head] of heads) silent[layer * (nHead + 1) + head] = 1;
  for (const layer of mlps) silent[layer * (nHead + 1) + nHead] = 1;
  return lend(silent, (at) => {
    c.page_silence(at);
    try { return f(); } finally { c.page_silence(0); }
  });
}

/** The surprise of a text, and how the model goes on with it at temperature 0. */
function worth(ids) {
  return { bits: surprise(ids), text: goesOn(ids).map(readable) };
}

/** The same with nothing knocked out, kept for the next switch. */
function whole(ids) {
  const key = ids.join();
  if (model.whole?.key !== key) model.whole = { key, worth: worth(ids) };
  return model.whole.worth;
}

function surprise(ids) {
  const z = read(ids.slice(0, -1), true), { V } = model;
  return ids.slice(1).map((id, t) => -logProbability(z.subarray(t * V, (t + 1) * V), id) / Math.LN2);
}

function goesOn(ids) {
  const all = [...ids];
  while (all.length < Math.min(ids.length + WRITES, model.room)) {
    const token = likeliest(read(all));
    if (token >= model.nOrdinary) break;
    all.push(token);
  }
  return all.slice(ids.length);
}

// ---- one number ----

/** The numbers of inside_path.py's steps: one channel of the stream at a place, the one that adds most to the
 *  likeliest token's score; in layer 1 its first head. */
function path(seen, place, ids) {
  const { C, nLayer: L, nHead: H } = model, D = C / H, z = seen.lens(L, place), { words, layers, norm } = weights();
  const token = likeliest(z), word = words.subarray(token * C, (token + 1) * C), end = normed(seen.stream(L, place), norm);
  const n = likeliest(end.map((x, i) => x * word[i])), first = layers[0], shares = seen.attention().subarray(place * seen.T, place * seen.T + place + 1);
  const ranked = [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b), looked = ranked[0];
  const here = normed(seen.stream(0, place), first.norm), there = normed(seen.stream(0, looked), first.norm);
  const project = (matrix, x) => Array.from({ length: D }, (_, i) => dot(x, matrix.subarray(i * C, (i + 1) * C)));
  const query = rotated(project(first.q, here), place), key = rotated(project(first.k, there), looked), found = seen.found(0, place);
  const heads = Array.from({ length: H }, (_, h) => written(found, first.o, h)[n]), wrote = heads.reduce((a, b) => a + b);
  const x = seen.stream(0, place), after = Array.from({ length: L }, (_, l) => seen.stream(l + 1, place)[n]);
  return {
    here: readable(ids[place]), id: ids[place], next: readable(token), channel: n + 1,
    x: x[n], neighbours: [...x.subarray(Math.max(0, n - 1), n + 3)], size: size(x), weight: first.norm[n], normed: here[n],
    query: query.slice(0, 3), key: key.slice(0, 3), score: dot(query, key) / Math.sqrt(D),
    looked: readable(ids[looked]), share: shares[looked], most: ranked.slice(0, 3).map((j) => [readable(ids[j]), shares[j]]),
    value: project(first.v, there)[0], found: found[0], heads, wrote, middle: x[n] + wrote, mlp: after[0] - x[n] - wrote, after,
    last_size: size(seen.stream(L, place)), last_weight: norm[n], end: end[n], partner: word[n], gives: end[n] * word[n],
    logit: z[token], p: Math.exp(logProbability(z, token)),
  };
}

/** Turns each pair of channels of a head by its angle at this position, as gpt.py's rotate. */
function rotated(x, position) {
  const half = x.length / 2, [base] = floatsAt(c.page_constants(), 2);
  const turn = (i) => position * base ** -((i % half) / half);
  return x.map((v, i) => v * Math.cos(turn(i)) + (i < half ? -x[i + half] : x[i - half]) * Math.sin(turn(i)));
}
