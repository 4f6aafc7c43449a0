/* The engine: everything that a language model needs in order to speak, once more, in C and nothing else.

   model.bin goes in; tokens become scores for what could come next, scores become a choice. No file is opened here and
   nothing is printed: run.c does that in a terminal. The names are those of gpt.py, and tests hold every number to
   torch's and every token to tiktoken's.

   Read before: tokens.c, text to tokens; load.c, what a model is in memory. Read next: run.c. */

#include "load.c"


/* ---- The network ---------------------------------------------------------------------------------------------- */

/* The sum of a[i] * b[i]. Sixteen sums side by side: a processor multiplies eight or sixteen pairs at once, but a
   compiler may not change the order of a sum. This function is nearly all of the time that the engine takes. */
static float dot(const float *restrict a, const float *restrict b, int n)
{
    float lane[16] = {0}, sum = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 16; j++)
            lane[j] += a[i + j] * b[i + j];
    for (; i < n; i++)
        sum += a[i] * b[i];
    for (int width = 8; width; width /= 2)
        for (int j = 0; j < width; j++)
            lane[j] += lane[j + width];
    return sum + lane[0];
}

/* The same with whole numbers, whose sum is the same in any order: a compiler may do as many at once as it likes. */
static int dot8(const int8_t *restrict a, const int16_t *restrict b, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Divide each row of x (T, n) by a scale, and round: x16 (T, n). The largest becomes what 16 bits can hold, or less in
   a row so long that the sum of dot8 could overflow. */
static void to_16_bits(int16_t *restrict x16, float *restrict scale, const float *restrict x, int T, int n)
{
    float room = (float)(INT32_MAX / 127 / n < INT16_MAX ? INT32_MAX / 127 / n : INT16_MAX);
    for (int t = 0; t < T; t++, x += n, x16 += n) {
        float most = 1e-30f; /* so that a row of zeros stays one */
        for (int i = 0; i < n; i++)
            most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
        scale[t] = most / room;
        for (int i = 0; i < n; i++) {
            float steps = x[i] / scale[t];
            steps = steps < room ? steps : room; /* also where x has overflowed, and is no number any more */
            steps = steps > -room ? steps : -room;
            x16[i] = (int16_t)(steps + (steps < 0 ? -0.5f : 0.5f));
        }
    }
}

/* Rows `first` up to `last` of w, all T tokens. A row of w serves all tokens while it is near. */
static void linear_rows(const Linear *l, int first, int last)
{
    const Matrix *w = l->w;
    size_t n = (size_t)w->n_in;
    for (size_t o = (size_t)first; o < (size_t)last; o++)
        for (size_t t = 0; t < (size_t)l->T; t++)
            l->out[t * (size_t)w->n_out + o] =
                w->w8 ? w->scale[o] * l->x_scale[t] * (float)dot8(w->w8 + o * n, l->x16 + t * n, w->n_in)
                      : dot(w->w + o * n, l->x + t * n, w->n_in);
}

/* A linear map: out (T, n_out) = x (T, n_in) times w (n_out, n_in). */
static void linear(Engine *e, float *out, const float *x, const Matrix *w, int T)
{
    Linear l = {out, x, e->x16, e->x_scale, w, T};
    if (w->w8)
        to_16_bits(e->x16, e->x_scale, x, T, w->n_in);
    if (e->linear)
        e->linear(&l);
    else
        linear_rows(&l, 0, w->n_out);
}

/* Scale each row of x (T, C) to a root mean square of 1, then each channel by its weight (C). */
static void rms_norm(float *restrict out, const float *restrict x, const float *restrict weight, int T, int C,
                     float eps)
{
    for (int t = 0; t < T; t++, out += C, x += C) {
        float scale = 1 / sqrtf(dot(x, x, C) / C + eps);
        for (int i = 0; i < C; i++)
            out[i] = x[i] * scale * weight[i];
    }
}

static void add(float *restrict x, const float *restrict more, int n)
{
    for (int i = 0; i < n; i++)
        x[i] += more[i];
}

/* Scores to probabilities. The largest is taken off first, so that no exponential overflows. */
static void softmax(float *x, int n)
{
    float most = x[0], sum = 0;
    for (int i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int i = 0; i < n; i++)
        sum += x[i] = expf(x[i] - most);
    for (int i = 0; i < n; i++)
        x[i] /= sum;
}

/* Turn each pair of channels of one head (D) by its angle at this position. Channel i is paired with i + D / 2. */
static void rotate(float *restrict head, const float *restrict cos, const float *restrict sin, int half)
{
    for (int i = 0; i < half; i++) {
        float first = head[i], second = head[i + half];
        head[i] = first * cos[i] - second * sin[i];
        head[i + half] = second * cos[i] + first * sin[i];
    }
}

/* One query (D) looks at the first n of its head's keys (block_size, D): out (D) is what they say, by weight. */
static void attend(float *restrict out, const float *restrict q, const float *restrict keys,
                   const float *restrict values, float *restrict scores, int n, int D)
{
    float scale = 1 / sqrtf((float)D);
    for (int s = 0; s < n; s++)
        scores[s] = dot(q, keys + s * D, D) * scale;
    softmax(scores, n);
    memset(out, 0, D * sizeof *out);
    for (int s = 0; s < n; s++)
        for (int i = 0; i < D; i++)
            out[i] += scores[s] * values[s * D + i];
}

/* Copy how much the t-th of T new tokens looks, with head h, at the first n of all tokens so far; at later ones 0. */
static void show_attention(Engine *e, int layer, int h, int t, int T, int n)
{
    size_t S = (size_t)(e->length + T), head = (size_t)(layer * e->config.n_head + h);
    float *row = e->attention + (head * (size_t)T + (size_t)t) * S;
    memset(row, 0, S * sizeof *row);
    memcpy(row, e->scores, (size_t)n * sizeof *row);
}

/* Whether a part of a layer is knocked out: one of its heads, or after them (n_head) its MLP. */
static bool is_silent(const Engine *e, int layer, int part)
{
    return e->silent && e->silent[layer * (e->config.n_head + 1) + part];
}

/* e->added (T, C): what each of T new tokens, e->normed (T, C), finds at the places up to its own. */
static void self_attn(Engine *e, int layer, int T)
{
    const Config *c = &e->config;
    const Block *w = &e->blocks[layer];
    int C = c->n_embd, D = c->head_dim, room = c->block_size * D; /* room: one head's part of the cache */
    float *keys = e->keys + layer * c->n_kv_head * room, *values = e->values + layer * c->n_kv_head * room;
    linear(e, e->q, e->normed, &w->q_proj, T);
    linear(e, e->k, e->normed, &w->k_proj, T);
    linear(e, e->v, e->normed, &w->v_proj, T);
    for (int t = 0; t < T; t++) {
        int place = e->length + t;
        const float *cos = e->cos + place * (D / 2), *sin = e->sin + place * (D / 2);
        for (int h = 0; h < c->n_head; h++)
            rotate(e->q + t * C + h * D, cos, sin, D / 2);
        for (int h = 0; h < c->n_kv_head; h++) {
            rotate(e->k + t * c->kv_dim + h * D, cos, sin, D / 2);
            memcpy(keys + h * room + place * D, e->k + t * c->kv_dim + h * D, D * sizeof(float));
            memcpy(values + h * room + place * D, e->v + t * c->kv_dim + h * D, D * sizeof(float));
        }
    }
    for (int t = 0; t < T; t++)
        for (int h = 0; h < c->n_head; h++) {
            int shared = h / (c->n_head / c->n_kv_head) * room; /* several heads may share keys and values */
            int at = t * C + h * D, n = e->length + t + 1;
            attend(e->heads + at, e->q + at, keys + shared, values + shared, e->scores, n, D);
            if (e->attention)
                show_attention(e, layer, h, t, T, n);
            if (is_silent(e, layer, h)) /* it has looked, and is not heard */
                memset(e->heads + at, 0, D * sizeof(float));
        }
    if (e->found)
        memcpy(e->found + layer * T * C, e->heads, T * C * sizeof(float));
    linear(e, e->added, e->heads, &w->o_proj, T);
}

/* e->added (T, C): SwiGLU of e->normed (T, C). One half of the hidden channels opens and closes the other. */
static void mlp(Engine *e, int layer, int T)
{
    const Config *c = &e->config;
    const Block *w = &e->blocks[layer];
    if (is_silent(e, layer, c->n_head)) {
        memset(e->added, 0, T * c->n_embd * sizeof(float));
        return;
    }
    linear(e, e->gate, e->normed, &w->gate_proj, T);
    linear(e, e->up, e->normed, &w->up_proj, T);
    for (int i = 0; i < T * c->n_hidden; i++)
        e->gate[i] = e->gate[i] / (1 + expf(-e->gate[i])) * e->up[i];
    linear(e, e->added, e->gate, &w->down_proj, T);
}

/* What a residual stream x (T, C) would say if the network ended there: logits (T, V). T is at most block_size. */
void engine_score(Engine *e, const float *x, int T, float *logits)
{
    rms_norm(e->normed, x, e->norm, T, e->config.n_embd, e->config.norm_eps);
    linear(e, logits, e->normed, &e->embed_tokens, T);
}

/* Keep the residual stream x (T, C) as it is before a layer, or after the last one, for whoever wants to see it. */
static void show_residual(Engine *e, int layer, int T)
{
    size_t n = (size_t)T * (size_t)e->config.n_embd;
    if (e->residual)
        memcpy(e->residual + (size_t)layer * n, e->x, n * sizeof *e->x);
}

/* Read T more tokens and score what could come next: after each of them, logits (T, V), or `last_only`, logits (V).
   Earlier tokens are in the cache; to start another text, set e->length to 0. False, with nothing read, where a
   token does not exist or T tokens do not fit into the context.

   With S tokens in the cache afterwards, these are filled where they are not NULL:
   e->residual (n_layer + 1, T, C), the stream before each layer and after the last; engine_score makes scores of it;
   e->attention (n_layer, n_head, T, S), how much each new token looks at each token; a row sums to 1;
   e->found (n_layer, T, C), what each head found there, side by side, before o_proj makes the layer's part of it. */
bool engine_forward(Engine *e, const int *ids, int T, float *logits, bool last_only)
{
    const Config *c = &e->config;
    int C = c->n_embd, first = last_only ? T - 1 : 0;
    if (T < 1 || T > c->block_size - e->length)
        return false;
    for (int t = 0; t < T; t++)
        if (ids[t] < 0 || ids[t] >= c->vocab_size)
            return false;
    for (int t = 0; t < T; t++)
        memcpy(e->x + t * C, e->embed_tokens.w + ids[t] * C, C * sizeof(float));
    for (int layer = 0; layer < c->n_layer; layer++) {
        show_residual(e, layer, T);
        rms_norm(e->normed, e->x, e->blocks[layer].input_layernorm, T, C, c->norm_eps);
        self_attn(e, layer, T);
        add(e->x, e->added, T * C);
        rms_norm(e->normed, e->x, e->blocks[layer].post_attention_layernorm, T, C, c->norm_eps);
        mlp(e, layer, T);
        add(e->x, e->added, T * C);
    }
    show_residual(e, c->n_layer, T);
    e->length += T;
    engine_score(e, e->x + first * C, T - first, logits);
    return true;
}


/* ---- Choosing a token ----------------------------------------------------------------------------------------- */

/* A number from 0 up to 1, and the next state of chance (splitmix64, Steele et al. 2014). */
static double uniform(uint64_t *chance)
{
    uint64_t z = *chance += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Set to 0 all but the smallest set of tokens whose probabilities (V) reach p. The likeliest always stays, and of
   equals the one with the smaller number. The bits of a positive float grow with it, so bits and number together
   are one number to sort by. */
static void keep_top_p(Engine *e, double p)
{
    int V = e->config.vocab_size, n = 0;
    double sum = 0;
    for (int i = 0; i < V; i++) {
        uint32_t bits;
        memcpy(&bits, &e->probs[i], sizeof bits);
        heap_push(e->heap, &n, (uint64_t)~bits << 32 | (uint32_t)i);
    }
    while (n && sum < p)
        sum += e->probs[(uint32_t)heap_pop(e->heap, &n)];
    while (n)
        e->probs[(uint32_t)e->heap[--n]] = 0;
}

/* Draw one token from logits (V). Temperature 0 takes the likeliest; top_p 1 cuts nothing. `chance` is a seed the first
   time and moves on with each draw: the same seed gives the same tokens. */
int engine_sample(Engine *e, const float *logits, double temperature, double top_p, uint64_t *chance)
{
    int V = e->config.vocab_size, best = 0;
    for (int i = 1; i < V; i++)
        best = logits[i] > logits[best] ? i : best;
    if (temperature <= 0)
        return best;
    for (int i = 0; i < V; i++)  /* the best gets 0, so that no small temperature overflows */
        e->probs[i] = (float)((logits[i] - logits[best]) / temperature);
    softmax(e->probs, V);
    if (top_p < 1)
        keep_top_p(e, top_p);
    double sum = 0, reached = 0;
    for (int i = 0; i < V; i++)
        sum += e->probs[i];
    double mark = uniform(chance) * sum;
    for (int i = 0; i < V; i++)
        if (e->probs[i] > 0 && (reached += e->probs[i]) > mark)
            return i;
    return best; /* only where rounding left the mark at the very end */
}
