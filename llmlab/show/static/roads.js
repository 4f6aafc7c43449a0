// All roads at once, as show/tree.py grows them in Python: a test holds the two together. The likely continuations of
// a text, read in the order of their probability; for tokens that are not shown, one log-sum a temperature.

const DEPTH = 3, WIDTH = 6, LEAST = 0.02, MOST = 60;

function treeReply({ temperatures, judging }, ids) {
  const judged = judging?.value !== undefined;
  const said = judged ? ids.slice(judging.question.length) : [], truth = judged ? judging.truth : [];
  const onTheWay = said.every((id, i) => id === truth[i]);
  const { found, rest } = roads(ids, {
    temperatures,
    verdict: judged ? (way) => verdictOn(decode([...said, ...way]), judging) : () => "",
    truth: onTheWay ? truth.slice(said.length) : [],
  });
  const asked = [...rest.keys()].sort((a, b) => a - b), where = (name) => found.flatMap((road, i) => (road[name] ? [i] : []));
  const reply = {
    ids: found.map((r) => r.id), tokens: found.map((r) => r.text), parents: found.map((r) => r.parent),
    verdicts: found.map((r) => r.verdict), truth: where("truth"), special: where("special"), asked,
  };
  const sums = Float32Array.from(asked.flatMap((place) => rest.get(place)));
  return [reply, [Float32Array.from(found, (r) => r.score).buffer, sums.buffer]];
}

function roads(ids, { temperatures, verdict, truth }) {
  const found = [], rest = new Map(), waiting = [{ p: 1, place: 0, way: [] }];
  while (waiting.length && rest.size < MOST) {
    const { p, place, way } = takeLikeliest(waiting), z = read([...ids, ...way]), best = bestOf(z, WIDTH);
    const trueHere = way.length < truth.length && way.every((id, i) => id === truth[i]), trueId = truth[way.length];
    if (trueHere && !best.includes(trueId)) best[best.length - 1] = trueId;
    const hidden = Float64Array.from(z).filter((_, id) => !best.includes(id));
    rest.set(place, temperatures.map((t) => logSum(hidden, t)));
    const whole = logSum(z, 1);
    for (const id of best) {
      const longer = [...way, id], decided = verdict(longer) || (place ? found[place - 1].verdict : "");
      found.push({ id, text: readable(id), score: z[id], parent: place, verdict: decided, truth: trueHere && id === trueId, special: id >= model.nOrdinary });
      const share = p * Math.exp(z[id] - whole);
      if (longer.length < DEPTH && share >= LEAST) waiting.push({ p: share, place: found.length, way: longer });
    }
  }
  return { found, rest };
}

/** Takes the likeliest of the waiting roads out of their list; of equals the one that was found first. */
function takeLikeliest(waiting) {
  let best = 0;
  waiting.forEach((road, i) => { if (road.p > waiting[best].p || (road.p === waiting[best].p && road.place < waiting[best].place)) best = i; });
  return waiting.splice(best, 1)[0];
}

/** The ids of the n largest scores, largest first; of equals the first. */
function bestOf(z, n) {
  const best = [];
  for (let id = 0; id < z.length; id++) {
    if (best.length === n && z[id] <= z[best[n - 1]]) continue;
    let at = best.length;
    while (at && z[id] > z[best[at - 1]]) at--;
    best.splice(at, 0, id);
    best.length = Math.min(best.length, n);
  }
  return best;
}

/** log of the sum of exp(z / t), without overflow; -1e30 for none. */
function logSum(z, t) {
  if (!z.length) return -1e30;
  let top = z[0], sum = 0;
  for (let i = 1; i < z.length; i++) if (z[i] > top) top = z[i];
  for (let i = 0; i < z.length; i++) sum += Math.exp((z[i] - top) / t);
  return top / t + Math.log(sum);
}

/** A token as text, or as <0x..> when it is a part of a letter. */
function readable(id) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(model.tokens[id]);
  } catch {
    return [...model.tokens[id]].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
  }
}

/** What a checker says about a continuation that should name `value`: see judge in course/answers.py. */
function verdictOn(continuation, { value, values }) {
  let said = continuation.trimStart();
  for (const article of ["a ", "an ", "the "]) if (said.startsWith(article)) said = said.slice(article.length);
  if (said.startsWith(value)) return "true";
  const begun = (name) => name !== said && name.startsWith(said), upper = /^\p{Uppercase}/u;
  if (["a", "an", "the"].includes(said) || [...values, "a", "an", "the"].some(begun)) return "";
  if (upper.test(value) && !upper.test(said)) return "";
  return values.some((name) => said.startsWith(name)) ? "false" : "nothing";
}
