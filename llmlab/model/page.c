/* The engine in the page: engine.c once more, compiled to WebAssembly, for the browser in which the lesson stands.

   A WebAssembly program is a box: it has memory of its own and imports nothing, so it sees no file, no network and no
   page. The page writes bytes into its memory, calls one of the functions below, and reads numbers out of it
   (show/static/engine_worker.js does). One box holds one model.

   Built by `python -m llmlab.model.native`, which needs `pip install ziglang`; zig brings its own C library. */

#include "engine.c"

#define FOR_THE_PAGE(name) __attribute__((export_name(#name))) /* what the page may call, and by which name */

static Engine engine;
static int shape[9];             /* what page_shape tells */
static int *known;               /* the tokens that are in the cache: engine.length of them */
static float *scores;            /* what page_read answers with */
static uint64_t room_for_scores; /* bytes */
static float *inside;            /* what page_look answers with */

/* Memory of n bytes for the page to write into; NULL where there is none. */
FOR_THE_PAGE(page_take) void *page_take(size_t n) { return malloc(n); }

FOR_THE_PAGE(page_give_back) void page_give_back(void *memory) { free(memory); }

/* Open the content of a model.bin in the place of any before. Returns NULL, or what is wrong with it (see engine_load).
   The page gives its memory back itself. */
FOR_THE_PAGE(page_open) const char *page_open(const uint8_t *file, size_t size)
{
    engine_free(&engine), free(known), free(scores), free(inside);
    known = NULL, scores = NULL, inside = NULL, room_for_scores = 0;
    const char *wrong = engine_load(&engine, file, size);
    if (wrong)
        return wrong;
    int bos = special_token(&engine.vocabulary, "<|bos|>");
    known = malloc((size_t)engine.config.block_size * sizeof *known);
    if (known && bos >= 0) {
        shape[0] = engine.config.vocab_size, shape[1] = engine.config.block_size;
        shape[2] = engine.vocabulary.n_ordinary, shape[3] = bos;
        shape[4] = engine.config.n_layer, shape[5] = engine.config.n_head, shape[6] = engine.config.n_kv_head;
        shape[7] = engine.config.n_embd, shape[8] = engine.config.n_hidden;
        return NULL;
    }
    engine_free(&engine), free(known), known = NULL;
    return bos < 0 ? "has no token <|bos|> to begin with" : "needs more memory than there is";
}

/* vocab_size, block_size, how many tokens text can become (special ones follow), the number of <|bos|>, n_layer,
   n_head, n_kv_head, n_embd, n_hidden. */
FOR_THE_PAGE(page_shape) const int *page_shape(void) { return shape; }

/* All tokens' bytes in a row, and (V + 1) places: token t is from place t up to place t + 1. */
FOR_THE_PAGE(page_bytes) const uint8_t *page_bytes(void) { return engine.vocabulary.bytes; }

FOR_THE_PAGE(page_places) const int *page_places(void) { return engine.vocabulary.at; }

/* Text (n bytes of UTF-8) to tokens; the first `room` go to ids. Returns how many there are, -1 if memory is short. No
   text becomes a special token. */
FOR_THE_PAGE(page_encode) int page_encode(const char *text, size_t n, int *ids, int room)
{
    return encode(&engine.vocabulary, text, n, ids, room);
}

/* Room for n rows of scores. False where that is too much, or memory is short. */
static bool make_room(int n)
{
    uint64_t needed = (uint64_t)n * (uint64_t)engine.config.vocab_size * sizeof *scores;
    if (n < 1 || n > engine.config.block_size || needed > MAX_MEMORY)
        return false;
    if (needed > room_for_scores) {
        free(scores);
        scores = malloc((size_t)needed);
        room_for_scores = scores ? needed : 0;
    }
    return scores != NULL;
}

/* Scores for what could follow: after the last of ids (V), or after each of them (n, V). What the ids have in common
   with the last that were read is in the cache and is not read again. NULL where the ids cannot be read. */
FOR_THE_PAGE(page_read) const float *page_read(const int *ids, int n, bool all)
{
    int same = 0;
    if (n < 1 || n > engine.config.block_size || !make_room(all ? n : 1))
        return NULL;
    while (!all && same < n - 1 && same < engine.length && ids[same] == known[same])
        same++;
    engine.length = same;
    if (!engine_forward(&engine, ids + same, n - same, scores, !all))
        return NULL;
    memcpy(known + same, ids + same, (size_t)(n - same) * sizeof *ids);
    return scores;
}

/* All weights, in the order of flat.py's tensor_names. */
FOR_THE_PAGE(page_weights) const float *page_weights(void) { return engine.embed_tokens.w; }

/* The base of the rotary angles, and behind it the epsilon of the norms. */
FOR_THE_PAGE(page_constants) const float *page_constants(void) { return &engine.config.rope_base; }

/* From now on these parts (n_layer, n_head + 1) write nothing: the heads of each layer, then its MLP. NULL: all write.
   What is in the cache was written by others, so it is forgotten. */
FOR_THE_PAGE(page_silence) void page_silence(const uint8_t *parts) { engine.silent = parts, engine.length = 0; }

/* What happens inside while n tokens are read, all of them anew: attention (n_layer, n_head, n, n), how much each looks
   at each; behind it the residual stream (n_layer + 1, n, C) before each layer and after the last one, and what the
   heads found (n_layer, n, C). NULL where the ids cannot be read, or memory is short. */
FOR_THE_PAGE(page_look) const float *page_look(const int *ids, int n)
{
    const Config *c = &engine.config;
    uint64_t T = (uint64_t)n, L = (uint64_t)c->n_layer, C = (uint64_t)c->n_embd;
    uint64_t attention = L * (uint64_t)c->n_head * T * T, stream = (L + 1) * T * C, found = L * T * C;
    free(inside), inside = NULL;
    if (n < 1 || n > c->block_size || attention + stream + found > MAX_MEMORY / sizeof *inside)
        return NULL;
    if (!(inside = malloc((size_t)(attention + stream + found) * sizeof *inside)))
        return NULL;
    engine.attention = inside, engine.residual = inside + attention, engine.found = engine.residual + stream;
    bool read = page_read(ids, n, true) != NULL;
    engine.attention = engine.residual = engine.found = NULL;
    return read ? inside : NULL;
}

/* What the residual streams (n, C) of n tokens would say if the network ended there: scores (n, V). NULL where that is
   too much, or memory is short. */
FOR_THE_PAGE(page_lens) const float *page_lens(const float *streams, int n)
{
    if (!make_room(n))
        return NULL;
    engine_score(&engine, streams, n, scores);
    return scores;
}

/* The log of the sum of exp of scores (V): a score less this is the log of its token's probability. */
FOR_THE_PAGE(page_log_sum) float page_log_sum(const float *logits)
{
    float most = logits[0], sum = 0;
    for (int i = 1; i < engine.config.vocab_size; i++)
        most = logits[i] > most ? logits[i] : most;
    for (int i = 0; i < engine.config.vocab_size; i++)
        sum += expf(logits[i] - most);
    return most + logf(sum);
}
