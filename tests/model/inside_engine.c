/* What the engine shows of its inside, for a test to hold beside torch's: inside_engine MODEL OUT SILENT FIRST ID...

   SILENT has a 0 or a 1 for each part of each layer: its heads, then its MLP; those with a 1 write nothing. Reads the
   first FIRST tokens at once, then the others one by one. For each reading of T tokens, S being in the cache by then, it
   writes float32 to OUT: logits (T, V), the residual stream (n_layer + 1, T, C), attention (n_layer, n_head, T, S), what
   the heads found (n_layer, T, C), and what the residual stream would say after each layer (n_layer + 1, T, V). */

#include <stdio.h>

#include "../../llmlab/model/engine.c"

static float *room(size_t n)
{
    float *made = malloc(n * sizeof *made);
    for (size_t i = 0; made && i < n; i++)
        made[i] = -77; /* what is not filled must be seen */
    return made ? made : (exit(3), NULL);
}

int main(int n_arguments, char **arguments)
{
    static uint8_t file[1 << 20];
    FILE *from = n_arguments > 5 ? fopen(arguments[1], "rb") : NULL, *to = from ? fopen(arguments[2], "wb") : NULL;
    size_t size = from ? fread(file, 1, sizeof file, from) : 0;
    Engine e;
    const char *wrong = engine_load(&e, file, size);
    if (wrong || !to)
        return 2;
    size_t L = (size_t)e.config.n_layer, H = (size_t)e.config.n_head, C = (size_t)e.config.n_embd;
    size_t V = (size_t)e.config.vocab_size;
    uint8_t *silent = (uint8_t *)arguments[3];
    for (size_t i = 0; i < L * (H + 1); i++)
        silent[i] -= '0';
    e.silent = silent;
    int n = n_arguments - 5, *ids = malloc((size_t)n * sizeof *ids);
    for (int i = 0; i < n; i++)
        ids[i] = atoi(arguments[5 + i]);
    for (int read = 0, now = atoi(arguments[4]); read < n; read += now, now = 1) {
        size_t T = (size_t)now, S = (size_t)(read + now);
        float *logits = room((L + 1) * T * V);
        e.residual = room((L + 1) * T * C), e.attention = room(L * H * T * S), e.found = room(L * T * C);
        if (!engine_forward(&e, ids + read, now, logits, false))
            return 3;
        fwrite(logits, sizeof(float), T * V, to);
        fwrite(e.residual, sizeof(float), (L + 1) * T * C, to);
        fwrite(e.attention, sizeof(float), L * H * T * S, to);
        fwrite(e.found, sizeof(float), L * T * C, to);
        for (size_t layer = 0; layer <= L; layer++)
            engine_score(&e, e.residual + layer * T * C, now, logits + layer * T * V);
        fwrite(logits, sizeof(float), (L + 1) * T * V, to);
        free(logits), free(e.residual), free(e.attention), free(e.found);
    }
    free(ids), fclose(from), engine_free(&e);
    return fclose(to) ? 3 : 0;
}
