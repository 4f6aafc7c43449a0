/* Thousands of broken model.bin, in one process under AddressSanitizer: fuzz_engine MODEL COUNT SEED

   Each is cut short, or has some bytes changed, or fields of its header set to numbers that hurt. Three of four
   get a right checksum afterwards, so that what lies behind the checksum is reached. A file that the engine takes must
   also be usable, every second one with weights of 8 bits: it encodes, reads, shows its inside and chooses. Prints how
   many were taken, and the number of each complaint. The same numbers of files and seed give the same files, to
   fuzz_page.c too, which gives them to the engine in the page. */

#include <stdio.h>

#include "../../llmlab/model/engine.c"

static uint32_t below(uint64_t *chance, uint32_t n) { return (uint32_t)(uniform(chance) * n); }

static void put(uint8_t *p, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(number >> 8 * i);
}

static size_t spoil(uint8_t *file, size_t size, uint64_t *chance)
{
    static const uint32_t nasty[] = {0, 1, 2, 3, 16, 32, 255, 256, 65536, 1 << 20, 0x7F800000, 0x7FC00000, 0x7FFFFFFF,
                                     0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};
    const uint32_t front = 9000; /* header, kinds, lengths: where most of what is believed stands */
    uint32_t how = below(chance, 6), times = 1 + below(chance, 3);
    if (how == 0)
        size = below(chance, (uint32_t)size);
    for (uint32_t i = 0; how && i < times; i++) {
        uint8_t *field = file + 8 + 4 * below(chance, 15), *word = file + 68 + below(chance, front - 72);
        if (how == 1)
            put(field, nasty[below(chance, 16)]);
        else if (how == 2)
            put(field, u32(field) + below(chance, 5) - 2);
        else if (how == 3)
            put(word, nasty[below(chance, 16)]);
        else if (how == 4)
            file[below(chance, (uint32_t)size)] ^= (uint8_t)(1 << below(chance, 8));
        else
            word[0] += (uint8_t)(1 + below(chance, 2));
    }
    if (size > 16 && below(chance, 4))
        put(file + 12, crc32(file + 16, size - 16));
    return size;
}

static void use(Engine *e, bool int8)
{
    uint64_t chance = 1; /* its own: what is spoiled next must not depend on it */
    int ids[64], n = encode(&e->vocabulary, "It's 1984,\xFF \xE2\x82\xAC\n \t so!", 23, ids, 64), length;
    const Config *c = &e->config;
    int room = n < c->block_size ? n : c->block_size;
    size_t T = (size_t)room;
    float *logits = malloc(sizeof(float) * (size_t)c->vocab_size);
    e->residual = malloc(sizeof(float) * T * (size_t)c->n_embd * (size_t)(c->n_layer + 1));
    e->attention = malloc(sizeof(float) * T * (T + 1) * (size_t)(c->n_layer * c->n_head));
    if (int8 && !engine_quantise(e))
        abort();
    for (int i = 0; logits && i < n && i < 64; i++)
        if (!token_bytes(&e->vocabulary, ids[i], &length) || length < 1)
            abort();
    if (logits && engine_forward(e, ids, room, logits, true)) {
        int token = engine_sample(e, logits, 0.8, 0.9, &chance);
        if (token < 0 || token >= c->vocab_size)
            abort();
        engine_forward(e, &token, 1, logits, false);
    }
    free(logits), free(e->residual), free(e->attention);
}

int main(int n_arguments, char **arguments)
{
    static uint8_t whole[1 << 18];
    FILE *from = n_arguments == 4 ? fopen(arguments[1], "rb") : NULL;
    size_t size = from ? fread(whole, 1, sizeof whole, from) : 0;
    if (size < 9000)
        return 2;
    fclose(from);
    uint64_t chance = strtoull(arguments[3], NULL, 10);
    const char *said[16] = {0};
    int times[16] = {0}, taken = 0;
    for (int round = atoi(arguments[2]); round > 0; round--) {
        uint8_t *file = malloc(size); /* of its very size, so that one byte too far is seen */
        memcpy(file, whole, size);
        size_t left = spoil(file, size, &chance);
        uint8_t *exact = malloc(left ? left : 1);
        memcpy(exact, file, left);
        free(file);
        Engine e;
        const char *wrong = engine_load(&e, exact, left);
        free(exact);
        for (int i = 0; wrong && i < 16; i++)
            if (!said[i] || said[i] == wrong) {
                said[i] = wrong, times[i]++;
                break;
            }
        if (!wrong)
            use(&e, taken % 2), engine_free(&e), taken++;
    }
    printf("%d taken\n", taken);
    for (int i = 0; i < 16 && said[i]; i++)
        printf("%d %s\n", times[i], said[i]);
    return 0;
}
