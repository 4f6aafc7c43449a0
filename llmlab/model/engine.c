/* The engine: everything that a language model needs in order to speak, once more, in C and nothing else.

   model.bin goes in; tokens become scores for what could come next, scores become a choice. No file is opened here and
   nothing is printed: run.c does that in a terminal. The names are those of gpt.py, and tests hold every number to
   torch's and every token to tiktoken's.

   Shapes are said in the field's letters: V vocabulary, C channels, H hidden channels, T time, D channels of a head.
   In C a matrix (rows, columns) is one long row of numbers: element (r, c) stands at r * columns + c.

   Read before: tokens.c, text to tokens. Read next: run.c. */

#include <math.h>

#include "tokens.c"

#define HEADER 68             /* bytes at the beginning of model.bin that say what follows */
#define MAX_MEMORY (1u << 30) /* bytes, more than any model of the course; below it no size here overflows an int */

typedef struct {
    int vocab_size, block_size, n_layer, n_head, n_kv_head, n_embd, n_hidden;
    float rope_base, norm_eps;
    int head_dim, kv_dim; /* n_embd / n_head; n_kv_head * head_dim */
} Config;

typedef struct { /* the weights of one block, each matrix (n_out, n_in) */
    const float *input_layernorm, *q_proj, *k_proj, *v_proj, *o_proj;
    const float *post_attention_layernorm, *gate_proj, *up_proj, *down_proj;
} Block;

typedef struct {
    Config config;
    Vocabulary vocabulary;
    const float *embed_tokens, *norm; /* (V, C): reads a token and, read backwards, scores it; (C) */
    Block *blocks;
    float *cos, *sin;                                          /* of position * frequency (block_size, D / 2) */
    float *keys, *values;                                      /* the cache (n_layer, n_kv_head, block_size, D) */
    int length;                                                /* how many tokens are in it */
    float *x, *normed, *q, *k, *v, *heads, *added, *gate, *up; /* T rows of what flows through a block */
    float *scores, *probs;
    uint64_t *heap;
    void *memory; /* where all of this lies, in one piece */
} Engine;


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

/* A linear map: out (T, n_out) = x (T, n_in) times w (n_out, n_in). A row of w serves all T tokens while it is near. */
static void linear(float *restrict out, const float *restrict x, const float *restrict w, int T, int n_in, int n_out)
{
    for (int o = 0; o < n_out; o++)
        for (int t = 0; t < T; t++)
            out[(size_t)t * n_out + o] = dot(w + (size_t)o * n_in, x + (size_t)t * n_in, n_in);
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

/* e->added (T, C): what each of T new tokens, e->normed (T, C), finds at the places up to its own. */
static void self_attn(Engine *e, int layer, int T)
{
    const Config *c = &e->config;
    const Block *w = &e->blocks[layer];
    int C = c->n_embd, D = c->head_dim, room = c->block_size * D; /* room: one head's part of the cache */
    float *keys = e->keys + layer * c->n_kv_head * room, *values = e->values + layer * c->n_kv_head * room;
    linear(e->q, e->normed, w->q_proj, T, C, C);
    linear(e->k, e->normed, w->k_proj, T, C, c->kv_dim);
    linear(e->v, e->normed, w->v_proj, T, C, c->kv_dim);
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
            int at = t * C + h * D;
            attend(e->heads + at, e->q + at, keys + shared, values + shared, e->scores, e->length + t + 1, D);
        }
    linear(e->added, e->heads, w->o_proj, T, C, C);
}

/* e->added (T, C): SwiGLU of e->normed (T, C). One half of the hidden channels opens and closes the other. */
static void mlp(Engine *e, int layer, int T)
{
    const Config *c = &e->config;
    const Block *w = &e->blocks[layer];
    linear(e->gate, e->normed, w->gate_proj, T, c->n_embd, c->n_hidden);
    linear(e->up, e->normed, w->up_proj, T, c->n_embd, c->n_hidden);
    for (int i = 0; i < T * c->n_hidden; i++)
        e->gate[i] = e->gate[i] / (1 + expf(-e->gate[i])) * e->up[i];
    linear(e->added, e->gate, w->down_proj, T, c->n_hidden, c->n_embd);
}

/* Read T more tokens and score what could come next: after each of them, logits (T, V), or `last_only`, logits (V).
   Earlier tokens are in the cache; to start another text, set e->length to 0. False, with nothing read, where a
   token does not exist or T tokens do not fit into the context. */
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
        memcpy(e->x + t * C, e->embed_tokens + ids[t] * C, C * sizeof(float));
    for (int layer = 0; layer < c->n_layer; layer++) {
        rms_norm(e->normed, e->x, e->blocks[layer].input_layernorm, T, C, c->norm_eps);
        self_attn(e, layer, T);
        add(e->x, e->added, T * C);
        rms_norm(e->normed, e->x, e->blocks[layer].post_attention_layernorm, T, C, c->norm_eps);
        mlp(e, layer, T);
        add(e->x, e->added, T * C);
    }
    e->length += T;
    rms_norm(e->normed, e->x + first * C, e->norm, T - first, C, c->norm_eps);
    linear(logits, e->normed, e->embed_tokens, T - first, C, c->vocab_size);
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


/* ---- Opening model.bin: nothing in the file is believed before it is checked ----------------------------------- */

static float f32(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A number of 16 bits: 1 for the sign, 5 for the exponent, 10 for the fraction. */
static float f16(uint32_t h)
{
    uint32_t sign = (h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 0)
        return (sign ? -1.0f : 1.0f) * (float)fraction * 0x1p-24f;
    return f32(sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13);
}

static uint32_t crc32(const uint8_t *bytes, size_t n)
{
    uint32_t table[256], crc = ~0u;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320u : 0);
    }
    for (size_t i = 0; i < n; i++)
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
    return ~crc;
}

static uint64_t count_weights(const Config *c)
{
    uint64_t C = (uint64_t)c->n_embd, KV = (uint64_t)c->kv_dim, H = (uint64_t)c->n_hidden;
    return (uint64_t)c->vocab_size * C + (uint64_t)c->n_layer * (2 * C + 2 * C * C + 2 * KV * C + 3 * H * C) + C;
}

/* The next `count` things of `size` bytes of our memory, at an address that suits a processor's cache. With base NULL
   they are only counted. */
static void *take(uint8_t *base, uint64_t *used, uint64_t count, uint64_t size)
{
    void *here = base ? base + *used : NULL;
    *used += (count * size + 63) / 64 * 64;
    return here;
}

/* Give everything its place, `weights` for all tensors in a row; returns how many bytes that takes in all. */
static uint64_t lay_out(Engine *e, uint8_t *base, float **weights, uint64_t n_token_bytes)
{
    const Config *c = &e->config;
    Vocabulary *v = &e->vocabulary;
    uint64_t used = 0, T = (uint64_t)c->block_size, V = (uint64_t)c->vocab_size, f = sizeof(float);
    uint64_t C = (uint64_t)c->n_embd, KV = (uint64_t)c->kv_dim, H = (uint64_t)c->n_hidden, L = (uint64_t)c->n_layer;
    *weights = take(base, &used, count_weights(c), f);
    e->blocks = take(base, &used, L, sizeof(Block));
    e->cos = take(base, &used, T * (uint64_t)(c->head_dim / 2), f);
    e->sin = take(base, &used, T * (uint64_t)(c->head_dim / 2), f);
    e->keys = take(base, &used, L * KV * T, f), e->values = take(base, &used, L * KV * T, f);
    e->x = take(base, &used, T * C, f), e->normed = take(base, &used, T * C, f);
    e->q = take(base, &used, T * C, f), e->heads = take(base, &used, T * C, f);
    e->k = take(base, &used, T * KV, f), e->v = take(base, &used, T * KV, f);
    e->added = take(base, &used, T * C, f);
    e->gate = take(base, &used, T * H, f), e->up = take(base, &used, T * H, f);
    e->scores = take(base, &used, T, f), e->probs = take(base, &used, V, f);
    e->heap = take(base, &used, V, sizeof(uint64_t));
    v->kinds = take(base, &used, (uint64_t)v->n_kinds, sizeof(uint32_t));
    v->bytes = take(base, &used, n_token_bytes, 1);
    v->at = take(base, &used, V + 1, sizeof(int));
    v->table = take(base, &used, (uint64_t)v->table_size, sizeof(int));
    return used;
}

/* Say where each tensor begins: in memory they stand as in the file, in the order of flat.py's tensor_names. */
static void name_weights(Engine *e, const float *w)
{
    const Config *c = &e->config;
    int C = c->n_embd, KV = c->kv_dim, H = c->n_hidden;
    e->embed_tokens = w, w += c->vocab_size * C;
    for (Block *b = e->blocks; b < e->blocks + c->n_layer; b++) {
        b->input_layernorm = w, w += C;
        b->q_proj = w, w += C * C;
        b->k_proj = w, w += KV * C;
        b->v_proj = w, w += KV * C;
        b->o_proj = w, w += C * C;
        b->post_attention_layernorm = w, w += C;
        b->gate_proj = w, w += H * C;
        b->up_proj = w, w += H * C;
        b->down_proj = w, w += C * H;
    }
    e->norm = w;
}

/* The network's shape, from the header. False where there is no such network. The limits are far above any of ours and
   keep every product of three of them below 2^63. */
static bool read_config(Config *c, const uint8_t *header)
{
    static const uint32_t limit[] = {1 << 20, 1 << 16, 1 << 10, 1 << 10, 1 << 10, 1 << 16, 1 << 16};
    int *field[] = {&c->vocab_size, &c->block_size, &c->n_layer, &c->n_head, &c->n_kv_head, &c->n_embd, &c->n_hidden};
    for (int i = 0; i < 7; i++) {
        uint32_t number = u32(header + 16 + 4 * i);
        if (number < 1 || number > limit[i])
            return false;
        *field[i] = (int)number;
    }
    c->rope_base = f32(u32(header + 44)), c->norm_eps = f32(u32(header + 48));
    if (c->n_embd % (2 * c->n_head) || c->n_head % c->n_kv_head)
        return false;
    c->head_dim = c->n_embd / c->n_head, c->kv_dim = c->n_kv_head * c->head_dim;
    return c->rope_base >= 1 && c->rope_base <= 1e9f && c->norm_eps > 0 && c->norm_eps < 1; /* NaN fails too */
}

/* The weights, at `p` in the file, become floats. False if one of them is no finite number. */
static bool read_weights(float *weights, const uint8_t *p, int n, int bits)
{
    bool finite = true;
    for (int i = 0; i < n; i++) {
        weights[i] = bits == 16 ? f16((uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8) : f32(u32(p + (size_t)4 * i));
        finite &= isfinite(weights[i]) != 0;
    }
    return finite;
}

void engine_free(Engine *e)
{
    free(e->memory);
    memset(e, 0, sizeof *e);
}

/* Everything behind the header, once its sizes fit the file; `part` is where kinds, vocabulary and weights begin.
   Returns what is wrong, or NULL. */
static const char *read_parts(Engine *e, float *weights, const uint8_t *part[3], uint32_t n_token_bytes, int bits)
{
    int half = e->config.head_dim / 2;
    if (!read_kinds(&e->vocabulary, part[0]))
        return "has a table of letters that cannot be";
    if (!read_vocabulary(&e->vocabulary, part[1], n_token_bytes))
        return "has a vocabulary that cannot be";
    if (!read_weights(weights, part[2], (int)count_weights(&e->config), bits))
        return "holds weights that are not finite";
    for (int i = 0; i < e->config.block_size * half; i++) {
        double angle = i / half * pow(e->config.rope_base, -(double)(i % half) / half);
        e->cos[i] = (float)cos(angle), e->sin[i] = (float)sin(angle);
    }
    return NULL;
}

/* Open the content of a model.bin; its memory may be freed afterwards. Returns NULL, or what is wrong with the file, as
   the rest of a sentence that begins with its name; there is nothing to free then. */
const char *engine_load(Engine *e, const uint8_t *file, size_t size)
{
    Vocabulary *v = &e->vocabulary;
    memset(e, 0, sizeof *e);
    if (size < HEADER || memcmp(file, "LLMLAB\r\n", 8))
        return "is not a model.bin of this course";
    if (u32(file + 8) != 1)
        return "is a model.bin of another version";
    uint32_t bits = u32(file + 52), n_special = u32(file + 56), n_kinds = u32(file + 60), n_bytes = u32(file + 64);
    if (!read_config(&e->config, file) || (bits != 16 && bits != 32))
        return "describes a network that cannot be";
    uint64_t V = (uint64_t)e->config.vocab_size, lengths = HEADER + (uint64_t)4 * n_kinds;
    uint64_t weights = lengths + 4 * V + n_bytes, end = weights + count_weights(&e->config) * (bits / 8);
    if (size != end)
        return size < end ? "is cut short" : "has something behind its end";
    if (crc32(file + 16, size - 16) != u32(file + 12))
        return "is damaged";
    if (n_special > V || V - n_special < 256 || n_kinds < 1)
        return "has a vocabulary that cannot be";
    v->size = (int)V, v->n_ordinary = (int)(V - n_special), v->n_kinds = (int)n_kinds;
    for (v->table_size = 1; v->table_size < 2 * v->size;)
        v->table_size *= 2;
    float *floats;
    uint64_t needed = lay_out(e, NULL, &floats, n_bytes) + 64; /* 64 to begin at a round address */
    if (size > MAX_MEMORY || needed > MAX_MEMORY)
        return "needs more than 1 GiB of memory";
    if (!(e->memory = malloc((size_t)needed)))
        return "needs more memory than there is";
    lay_out(e, (uint8_t *)e->memory + (64 - (uintptr_t)e->memory % 64), &floats, n_bytes);
    name_weights(e, floats);
    const uint8_t *part[3] = {file + HEADER, file + lengths, file + weights};
    const char *wrong = read_parts(e, floats, part, n_bytes, (int)bits);
    if (wrong)
        engine_free(e);
    return wrong;
}
