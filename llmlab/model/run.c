/* The program that runs model.bin: a prompt goes in, and what the model writes comes out, token by token.

       cc -O3 -march=native -pthread -o run run.c -lm
       ./run model.bin -p "Maren Holt was born" -t 0.8 --top-p 0.95 -n 200 -s 1

   Together with model.bin this file and the three that it includes are all there is: no network, no library, no Python.

   Read before: tokens.c, load.c, engine.c. */

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "engine.c"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#if defined __has_include && !defined ONE_THREAD && !defined __STDC_NO_ATOMICS__
#if __has_include(<pthread.h>) && __has_include(<sched.h>)
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#define THREADS
#endif
#endif

#define LARGEST_PROMPT (1 << 20) /* bytes; far more than any context holds */
#define MAX_THREADS 64

static const char USAGE[] =
    "usage: run MODEL [-p PROMPT] [-t TEMPERATURE] [--top-p P] [-n TOKENS] [-s SEED]\n"
    "           [--int8] [--threads N] [--ids | --logits]\n"
    "  -p PROMPT       the text to continue; - reads it from the standard input\n"
    "  -t TEMPERATURE  0 always takes the likeliest token; without it 1\n"
    "  --top-p P       keep the likeliest that reach P together; without it 1, which keeps all\n"
    "  -n TOKENS       at most so many; without it 200\n"
    "  -s SEED         the same seed gives the same text; without it 0\n"
    "  --int8          round the weights to 8 bits: nearly the same scores, from a quarter of the bytes\n"
    "  --threads N     share the work among so many, at most one for each core; without it 1\n"
    "  --ids           print the numbers of all tokens, the prompt's too, instead of the text\n"
    "  --logits        print the scores (V) after each token that was read, as float32, instead of the text\n";

typedef struct {
    const char *model, *prompt;
    double temperature, top_p, tokens, seed, threads;
    bool ids, logits, int8;
} Options;

/* Say in one sentence what is wrong, and stop. */
static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("run: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static double number(const char *option, const char *text, double low, double high, bool whole)
{
    char *end;
    double value = text ? strtod(text, &end) : 0;
    if (!text || end == text || *end || !(value >= low && value <= high) || (whole && value != floor(value)))
        fail("%s wants a %snumber from %g to %.16g.", option, whole ? "whole " : "", low, high);
    return value;
}

static Options read_options(char **arguments)
{
    Options o = {.prompt = "", .temperature = 1, .top_p = 1, .tokens = 200, .threads = 1};
    for (char **at = arguments; *at; at++) {
        const char *name = *at;
        if (!strcmp(name, "--help") || !strcmp(name, "-h"))
            fputs(USAGE, stdout), exit(0);
        else if (!strcmp(name, "--ids"))
            o.ids = true;
        else if (!strcmp(name, "--logits"))
            o.logits = true;
        else if (!strcmp(name, "--int8"))
            o.int8 = true;
        else if (name[0] != '-' && !o.model)
            o.model = name;
        else if (!strcmp(name, "-p") && at[1])
            o.prompt = *++at;
        else if (!strcmp(name, "-t"))
            o.temperature = number(name, at[1], 0, 1e6, false), at++;
        else if (!strcmp(name, "--top-p"))
            o.top_p = number(name, at[1], 1e-9, 1, false), at++;
        else if (!strcmp(name, "-n"))
            o.tokens = number(name, at[1], 0, 1e9, true), at++;
        else if (!strcmp(name, "-s"))
            o.seed = number(name, at[1], 0, 9007199254740992.0, true), at++; /* 2^53: whole numbers of a double */
        else if (!strcmp(name, "--threads"))
            o.threads = number(name, at[1], 1, MAX_THREADS, true), at++;
        else
            fail("I don't understand %s. Ask for --help.", name);
    }
    if (!o.model)
        fail("Which model? Give the path of a model.bin, or ask for --help.");
    if (o.ids && o.logits)
        fail("--ids and --logits want the same output. Give one of them.");
    return o;
}


/* ---- The model and the prompt --------------------------------------------------------------------------------- */

/* The whole content of a file, `size` bytes; stops the program where it cannot be read or is larger than `limit`. */
static uint8_t *read_all(FILE *file, const char *name, size_t limit, size_t *size)
{
    size_t room = 1 << 16;
    uint8_t *content = malloc(room);
    *size = 0;
    for (size_t got = 1; content && got; *size += got) {
        if (*size == room) {
            uint8_t *larger = realloc(content, room *= 2);
            if (!larger)
                free(content);
            content = larger;
        }
        got = content ? fread(content + *size, 1, room - *size, file) : 0;
        if (*size + got > limit)
            fail("%s is larger than %zu MB.", name, limit >> 20);
    }
    if (!content)
        fail("There is not enough memory for %s.", name);
    if (ferror(file))
        fail("%s cannot be read.", name);
    return content;
}

static void open_model(Engine *e, const char *path, bool int8)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail("There is no %s that can be read. Write one with `llmlab export --to flat`.", path);
    size_t size;
    uint8_t *content = read_all(file, path, MAX_MEMORY, &size);
    const char *wrong = engine_load(e, content, size);
    if (wrong)
        fail("%s %s. Write it again with `llmlab export --to flat`.", path, wrong);
    if (int8 && !engine_quantise(e))
        fail("There is not enough memory for weights of 8 bits.");
    free(content);
    fclose(file);
}

/* <|bos|> and the tokens of the prompt; ids has room for block_size. Returns how many. */
static int read_prompt(const Engine *e, const char *prompt, int *ids)
{
    size_t size = strlen(prompt);
    uint8_t *typed = NULL;
    if (!strcmp(prompt, "-"))
        typed = read_all(stdin, "The prompt", LARGEST_PROMPT, &size);
    ids[0] = special_token(&e->vocabulary, "<|bos|>");
    if (ids[0] < 0)
        fail("The model has no token <|bos|> to begin with. Write it again with `llmlab export --to flat`.");
    const void *text = typed ? (const void *)typed : prompt;
    int room = e->config.block_size - 1, n = encode(&e->vocabulary, text, size, ids + 1, room);
    if (n < 0)
        fail("There is not enough memory for the prompt.");
    if (n >= room)
        fail("The prompt has %d tokens, and the model reads at most %d at a time. Shorten it.", n, room - 1);
    free(typed);
    return n + 1;
}


/* ---- Threads: each does some rows of every matrix ------------------------------------------------------------- */

#ifdef THREADS
static struct {
    Linear map;              /* what all work on */
    int n_threads;           /* the main one is number 0 */
    atomic_uint round, done; /* maps given out so far; helpers that are through with the last one */
} crew;

static void do_my_rows(int thread)
{
    int rows = crew.map.w->n_out, n = crew.n_threads;
    linear_rows(&crew.map, rows * thread / n, rows * (thread + 1) / n);
}

/* There are dozens of linear maps for each token, some of them done in 2 millionths of a second: too short to sleep
   meanwhile. So who waits looks again and again, and only after a while lets others use the core in between. */
static void wait_until(atomic_uint *counter, unsigned value)
{
    for (unsigned looks = 0; atomic_load_explicit(counter, memory_order_acquire) != value; looks++)
        if (looks > 2000)
            sched_yield();
}

/* A thread that helps for as long as the program runs. */
static void *help(void *number)
{
    for (unsigned round = 1;; round++) {
        wait_until(&crew.round, round);
        do_my_rows((int)(intptr_t)number);
        atomic_fetch_add(&crew.done, 1);
    }
    return NULL;
}

/* In place of linear_rows: each number is computed as with one thread, so the same text comes out. */
static void linear_on_threads(const Linear *l)
{
    crew.map = *l;
    atomic_store(&crew.done, 0);
    atomic_fetch_add(&crew.round, 1);
    do_my_rows(0);
    wait_until(&crew.done, (unsigned)crew.n_threads - 1);
}
#endif

/* Compute with n threads from now on, or with as many as there can be. Returns how many. */
static int start_threads(Engine *e, int n)
{
#ifdef THREADS
    pthread_t thread;
    crew.n_threads = 1;
    while (crew.n_threads < n && !pthread_create(&thread, NULL, help, (void *)(intptr_t)crew.n_threads))
        crew.n_threads++;
    if (crew.n_threads > 1)
        e->linear = linear_on_threads;
    return crew.n_threads;
#else
    (void)e, (void)n;
    return 1;
#endif
}


/* ---- Speaking ------------------------------------------------------------------------------------------------- */

/* What a model writes never commands the terminal: control characters are left out. Those from U+0080 on have two
   bytes, which may come in two tokens, so their first byte (C2) waits for the second. */
static void print_byte(uint8_t byte)
{
    static bool waits;
    bool second = waits && byte >= 0x80 && byte < 0xA0;
    if (waits && !second)
        putchar(0xC2);
    waits = byte == 0xC2;
    if (!waits && !second && ((byte >= 32 && byte != 127) || byte == '\n' || byte == '\t'))
        putchar(byte);
}

/* A token's text, or its number, is on the screen at once. */
static void print_token(const Engine *e, int token, bool as_number)
{
    int length;
    const uint8_t *bytes = token_bytes(&e->vocabulary, token, &length);
    if (as_number)
        printf("%d ", token);
    for (int i = 0; !as_number && i < length; i++)
        print_byte(bytes[i]);
    fflush(stdout);
}

static double seconds(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Read ids, n of them, then choose and read one token after another, until <|bos|>, <|end|>, the number of tokens that
   was asked for, or the end of the context. Returns how many were chosen. */
static int speak(Engine *e, const Options *o, int *ids, int n)
{
    int V = e->config.vocab_size, made = 0, end = special_token(&e->vocabulary, "<|end|>"), fresh = n;
    uint64_t chance = (uint64_t)o->seed;
    float *logits = malloc((o->logits ? (size_t)n : 1) * (size_t)V * sizeof *logits);
    if (!logits)
        fail("There is not enough memory for the scores.");
    for (;;) {
        bool enough = made >= o->tokens || n == e->config.block_size;
        if (enough && !o->logits)
            break; /* nobody asks what would come next */
        engine_forward(e, ids + n - fresh, fresh, logits, !o->logits);
        if (o->logits)
            fwrite(logits, sizeof *logits, (size_t)fresh * (size_t)V, stdout);
        if (enough)
            break;
        const float *last = o->logits ? logits + (size_t)(fresh - 1) * (size_t)V : logits;
        int token = engine_sample(e, last, o->temperature, o->top_p, &chance);
        if (token == ids[0] || token == end)
            break;
        ids[n++] = token, made++, fresh = 1;
        if (!o->logits)
            print_token(e, token, o->ids);
    }
    free(logits);
    return made;
}

int main(int n_arguments, char **arguments)
{
    Options o = read_options(arguments + (n_arguments > 0));
#ifdef _WIN32 /* no translation of line ends */
    _setmode(_fileno(stdin), _O_BINARY), _setmode(_fileno(stdout), _O_BINARY);
#endif
    Engine e;
    open_model(&e, o.model, o.int8);
    int *ids = malloc((size_t)e.config.block_size * sizeof *ids);
    if (!ids)
        fail("There is not enough memory for the text.");
    int n = read_prompt(&e, o.prompt, ids);
    for (int i = o.ids ? 0 : 1; i < n && !o.logits; i++)
        print_token(&e, ids[i], o.ids);
    int threads = start_threads(&e, (int)o.threads);
    double start = seconds();
    int made = speak(&e, &o, ids, n);
    if (!o.ids && !o.logits)
        print_byte('\n');
    double rate = made / (seconds() - start + 1e-9);
    if (fflush(stdout) || ferror(stdout))
        fail("The text could not be written.");
    if (!o.ids && !o.logits)
        fprintf(stderr, threads > 1 ? "%d tokens, %.0f tokens/s, %d threads\n" : "%d tokens, %.0f tokens/s\n", made,
                rate, threads);
    free(ids);
    engine_free(&e);
    return 0;
}
