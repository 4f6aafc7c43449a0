// A text that is continued by a rule, as `Answers.write` of course/answers.py continues it: a test holds the two
// together. The widget throws the dice (heats.js), and the tokens lie in the order of policy.js: so a seed is the same
// text whoever writes it, and however few tokens are asked for at a time.

const LIKELIER = 3; // of the tokens that the model would rather have seen, so many are named

function writeReply({ policy, chances }, ids) {
  const steps = [];
  let ended = false;
  for (const chance of chances) {
    const step = chosen(read(ids), policy, chance);
    steps.push(step);
    ids.push(step.id);
    ended = isEnd(step.id) || ids.length === model.room;
    if (ended) break;
  }
  return [{ ids, steps, ended }, []];
}

/** One token: `p` by the model itself, the probability that it was `drawn` with, and how many stood `before` it. */
function chosen(logits, policy, chance) {
  const { order, scores } = rank(logits), { q, kept } = cut(scores, { top_k: 0, top_p: 1, min_p: 0, ...policy });
  const p = softmax(scores, 1), before = pick(q, kept, chance), named = (i) => ({ text: readable(order[i]), p: p[i] });
  const likelier = Array.from({ length: Math.min(before, LIKELIER) }, (_, i) => named(i));
  return { id: order[before], special: order[before] >= model.nOrdinary, ...named(before), drawn: q[before], before, likelier };
}
