// From scores to a choice, the same arithmetic as llmlab/generate/policy.py, over all V tokens:
// repetition penalty, temperature, top-k, top-p, min-p, draw. Each cut removes the end of the ranking,
// so a policy is one number: how many of the best tokens are kept.

/** Ranks the vocabulary once per text: `order` (token ids, best first; ties by id) and their `scores`. */
function rank(logits, ids = [], penalty = 1) {
  const z = Float64Array.from(logits);
  if (penalty !== 1) for (const id of new Set(ids)) z[id] = z[id] > 0 ? z[id] / penalty : z[id] * penalty;
  const order = Uint32Array.from(z.keys()).sort((a, b) => z[b] - z[a] || a - b);
  return { order, scores: Float64Array.from(order, (id) => z[id]) };
}

/** Probabilities of the ranked scores at a temperature; 0 puts everything on the best. */
function softmax(scores, temperature) {
  const p = new Float64Array(scores.length);
  if (temperature === 0) { p[0] = 1; return p; }
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += p[i] = Math.exp((scores[i] - scores[0]) / temperature);
  for (let i = 0; i < p.length; i++) p[i] /= sum;
  return p;
}

/** What the policy keeps: p before the cut, q after it, how many stay, their mass, and which rule cut last. */
function cut(scores, { temperature, top_k, top_p, min_p }) {
  const p = softmax(scores, temperature);
  let kept = p.length, rule = "";
  const shorten = (to, name) => { if (to < kept) { kept = to; rule = name; } };
  if (temperature === 0) shorten(1, "temperature 0");
  if (top_k > 0) {
    let n = Math.min(top_k, kept);
    while (n < kept && scores[n] === scores[n - 1]) n++; // equals of the k-th stay, too
    shorten(n, "top k");
  }
  if (top_p < 1) {
    let all = 0, before = 0, n = 0;
    for (let i = 0; i < kept; i++) all += p[i];
    while (n < kept && (n === 0 || before / all < top_p)) before += p[n++];
    shorten(n, "top p");
  }
  if (min_p > 0) {
    let n = 1;
    while (n < kept && p[n] >= min_p * p[0]) n++;
    shorten(n, "min p");
  }
  let mass = 0, entropy = 0;
  for (let i = 0; i < kept; i++) mass += p[i];
  const q = new Float64Array(p.length);
  for (let i = 0; i < kept; i++) {
    q[i] = p[i] / mass;
    if (q[i] > 0) entropy -= q[i] * Math.log2(q[i]);
  }
  return { p, q, kept, mass, rule, entropy };
}

/** The rank that a number u in [0, 1) falls on. */
function pick(q, kept, u) {
  let before = 0;
  for (let i = 0; i < kept; i++) if (u < (before += q[i])) return i;
  return kept - 1;
}

/** A small seeded generator of numbers in [0, 1) (mulberry32): the same seed gives the same dream. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
