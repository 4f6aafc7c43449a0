/* model.bin, opened: what a model is in memory, and how it gets there. Nothing in the file is believed before it is
   checked: a damaged file, or one of another kind, ends in half a sentence that says what is wrong with it.

   The names are those of gpt.py; flat.py says what stands where in the file. Shapes are said in the field's letters:
   V vocabulary, C channels, H hidden channels, T time, D channels of a head, L layers. In C a matrix (rows, columns) is
   one long row of numbers: element (r, c) stands at r * columns + c.

   Read before: tokens.c, text to tokens. Read next: engine.c, which computes with it. */

#include <math.h>

#include "tokens.c"

#define HEADER 68             /* bytes at the beginning of model.bin that say what follows */
#define MAX_MEMORY (1u << 30) /* bytes, more than any model of the course; below it no size here overflows an int */

typedef struct {
    int vocab_size, block_size, n_layer, n_head, n_kv_head, n_embd, n_hidden;
    float rope_base, norm_eps;
    int head_dim, kv_dim; /* n_embd / n_head; n_kv_head * head_dim */
} Config;

typedef struct { /* a matrix of weights (n_out, n_in) */
    int n_out, n_in;
    const float *w;
    int8_t *w8;   /* the same in 8 bits, after engine_quantise; NULL before */
    float *scale; /* one for each row (n_out): w is about w8 * scale */
} Matrix;

typedef struct { /* a linear map to do: out (T, n_out) = x (T, n_in) times w (n_out, n_in) */
    float *out;
    const float *x;
    const int16_t *x16;   /* the same in 16 bits, if w has 8 */
    const float *x_scale; /* one for each row (T): x is about x16 * x_scale */
    const Matrix *w;
    int T;
} Linear;

typedef struct { /* the weights of one block */
    const float *input_layernorm, *post_attention_layernorm; /* (C) each */
    Matrix q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj;
} Block;

typedef struct {
    Config config;
    Vocabulary vocabulary;
    Matrix embed_tokens; /* (V, C): reads a token and, read backwards, scores it */
    const float *norm;   /* (C) */
    Block *blocks;
    float *cos, *sin;                                          /* of position * frequency (block_size, D / 2) */
    float *keys, *values;                                      /* the cache (n_layer, n_kv_head, block_size, D) */
    int length;                                                /* how many tokens are in it */
    float *x, *normed, *q, *k, *v, *heads, *added, *gate, *up; /* T rows of what flows through a block */
    float *scores, *probs;
    uint64_t *heap;
    int16_t *x16; /* T rows of what is multiplied with weights of 8 bits, and their scales */
    float *x_scale;
    void *memory, *memory8; /* where all of this lies, in one piece, and what engine_quantise adds in another */

    /* For the program around the engine to set, after engine_load; NULL means no, thank you. */
    float *residual;                 /* room for the residual stream that engine_forward saw: see there */
    float *attention;                /* room for its attention */
    float *found;                    /* room for what its heads found */
    const uint8_t *silent;           /* which heads and MLPs write nothing (n_layer, n_head + 1) */
    void (*linear)(const Linear *l); /* does all rows of linear_rows, in its own way */
} Engine;


/* ---- Numbers in the file -------------------------------------------------------------------------------------- */

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

/* The first address from here on that a row of a processor's cache begins with: at most 64 bytes on. */
static uint8_t *round_address(void *memory) { return (uint8_t *)memory + (64 - (uintptr_t)memory % 64); }

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

/* The next matrix of the weights at *w. */
static Matrix next_matrix(const float **w, int n_out, int n_in)
{
    Matrix next = {.n_out = n_out, .n_in = n_in, .w = *w};
    *w += n_out * n_in;
    return next;
}

/* Say where each tensor begins: in memory they stand as in the file, in the order of flat.py's tensor_names. */
static void name_weights(Engine *e, const float *w)
{
    const Config *c = &e->config;
    int C = c->n_embd, KV = c->kv_dim, H = c->n_hidden;
    e->embed_tokens = next_matrix(&w, c->vocab_size, C);
    for (Block *b = e->blocks; b < e->blocks + c->n_layer; b++) {
        b->input_layernorm = w, w += C;
        b->q_proj = next_matrix(&w, C, C);
        b->k_proj = next_matrix(&w, KV, C);
        b->v_proj = next_matrix(&w, KV, C);
        b->o_proj = next_matrix(&w, C, C);
        b->post_attention_layernorm = w, w += C;
        b->gate_proj = next_matrix(&w, H, C);
        b->up_proj = next_matrix(&w, H, C);
        b->down_proj = next_matrix(&w, C, H);
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
    free(e->memory), free(e->memory8);
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
    lay_out(e, round_address(e->memory), &floats, n_bytes);
    name_weights(e, floats);
    const uint8_t *part[3] = {file + HEADER, file + lengths, file + weights};
    const char *wrong = read_parts(e, floats, part, n_bytes, (int)bits);
    if (wrong)
        engine_free(e);
    return wrong;
}


/* ---- Weights of 8 bits: a quarter of the bytes to read for each token ----------------------------------------- */

/* Give the 8 bits of a matrix their place and, unless base is NULL, fill it: each row is divided by a scale that makes
   its largest weight 127, and rounded. */
static void to_8_bits(Matrix *m, uint8_t *base, uint64_t *used)
{
    m->w8 = take(base, used, (uint64_t)m->n_out * (uint64_t)m->n_in, sizeof *m->w8);
    m->scale = take(base, used, (uint64_t)m->n_out, sizeof *m->scale);
    for (int o = 0; base && o < m->n_out; o++) {
        const float *row = m->w + (size_t)o * m->n_in;
        float most = 0;
        for (int i = 0; i < m->n_in; i++)
            most = fabsf(row[i]) > most ? fabsf(row[i]) : most;
        m->scale[o] = most / 127;
        for (int i = 0; i < m->n_in; i++) {
            float steps = most > 0 ? row[i] / most * 127 : 0;
            m->w8[(size_t)o * m->n_in + i] = (int8_t)(steps + (steps < 0 ? -0.5f : 0.5f));
        }
    }
}

/* All matrices, and room for what is multiplied with them; returns how many bytes that takes. */
static uint64_t all_to_8_bits(Engine *e, uint8_t *base)
{
    const Config *c = &e->config;
    uint64_t used = 0, T = (uint64_t)c->block_size;
    e->x16 = take(base, &used, T * (uint64_t)(c->n_hidden > c->n_embd ? c->n_hidden : c->n_embd), sizeof *e->x16);
    e->x_scale = take(base, &used, T, sizeof *e->x_scale);
    to_8_bits(&e->embed_tokens, base, &used);
    for (Block *b = e->blocks; b < e->blocks + c->n_layer; b++) {
        Matrix *all[] = {&b->q_proj, &b->k_proj, &b->v_proj, &b->o_proj, &b->gate_proj, &b->up_proj, &b->down_proj};
        for (int i = 0; i < 7; i++)
            to_8_bits(all[i], base, &used);
    }
    return used;
}

/* From now on multiply with weights rounded to 8 bits. Nearly the same scores come out, from a quarter of the bytes and
   with whole numbers, of which a processor multiplies more at once. The norms stay as they are, and a token's own row
   is still read as floats. False where memory is short; the engine then goes on with floats. Call it once. */
bool engine_quantise(Engine *e)
{
    e->memory8 = malloc((size_t)all_to_8_bits(e, NULL) + 64);
    if (e->memory8)
        all_to_8_bits(e, round_address(e->memory8));
    return e->memory8 != NULL;
}
