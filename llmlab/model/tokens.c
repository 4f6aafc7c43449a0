/* Text to tokens: what tiktoken does with the vocabulary that bpe.py learned, in C.

   A text is cut into pieces (words, digits, signs, blanks), and within a piece neighbours are merged, as long as two of
   them together are a token. Bytes that are no UTF-8 are read as U+FFFD, so that every input has tokens.

   Read next: load.c, the rest of model.bin; engine.c, which computes with tokens. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_RUN 50000 /* letters that are split at once, as in tokenizer.py */

enum { OTHER, LETTER, NUMBER, BLANK, END }; /* kinds of letters, as in flat.py */

typedef struct {
    int size, n_ordinary; /* the first n_ordinary tokens are what text can become; the special ones follow */
    uint8_t *bytes;
    int *at;                         /* token t is bytes[at[t]] up to bytes[at[t + 1]] */
    int *table, table_size, longest; /* from bytes to token: see table_place */
    uint32_t *kinds;                 /* from code point (low 24 bits) on, letters are of this kind (high 8 bits) */
    int n_kinds;
} Vocabulary;


/* ---- A heap: always knows the smallest of its numbers. Merging uses it, and so does choosing. ------------------ */

static void heap_push(uint64_t *heap, int *n, uint64_t number)
{
    int i = (*n)++;
    for (; i && heap[(i - 1) / 2] > number; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = number;
}

static uint64_t heap_pop(uint64_t *heap, int *n)
{
    uint64_t least = heap[0], last = heap[--*n];
    int i = 0;
    for (int child; (child = 2 * i + 1) < *n; i = child) {
        if (child + 1 < *n && heap[child + 1] < heap[child])
            child++;
        if (last <= heap[child])
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return least;
}


/* ---- Text to tokens ------------------------------------------------------------------------------------------- */

/* The bytes that a token stands for, `length` of them; for a special token its name. NULL if there is no such token. */
const uint8_t *token_bytes(const Vocabulary *v, int token, int *length)
{
    *length = 0;
    if (token < 0 || token >= v->size)
        return NULL;
    *length = v->at[token + 1] - v->at[token];
    return v->bytes + v->at[token];
}

/* The special token of this name, or -1. Only a program can ask; no text becomes one (see find_token). */
int special_token(const Vocabulary *v, const char *name)
{
    for (int token = v->n_ordinary, length; token < v->size; token++) {
        const uint8_t *bytes = token_bytes(v, token, &length);
        if (length == (int)strlen(name) && !memcmp(bytes, name, length))
            return token;
    }
    return -1;
}

/* The place of these bytes in the table: where their token stands, or the empty place (-1) where it would. The table
   is at least half empty, so that a few steps from where the hash (FNV-1a) points, one or the other is met. */
static int *table_place(const Vocabulary *v, const uint8_t *bytes, int n)
{
    uint32_t hash = 2166136261u;
    for (int i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    for (uint32_t at = hash;; at++) {
        int *place = &v->table[at & (uint32_t)(v->table_size - 1)], length;
        if (*place < 0)
            return place;
        const uint8_t *known = token_bytes(v, *place, &length);
        if (length == n && !memcmp(known, bytes, n))
            return place;
    }
}

/* The token of exactly these bytes, or -1. Special tokens are not in the table: nobody can type them. */
static int find_token(const Vocabulary *v, const uint8_t *bytes, int n)
{
    return n > v->longest ? -1 : *table_place(v, bytes, n);
}

typedef struct { /* room for the merges of one piece; the parts of the piece are a list with gaps */
    int *token, *next, *previous; /* of the part that begins at byte i; token -1: no part begins here any more */
    uint64_t *heap;
} Parts;

/* Byte pair encoding of s (n bytes): of all neighbours that together are a token, the lowest token first, of equals
   the leftmost. Afterwards p->token[i], i below the returned number, is the token that begins at byte i, or -1. */
static int to_parts(const Vocabulary *v, const uint8_t *s, int n, Parts *p)
{
    int waiting = 0;
    if ((p->token[0] = find_token(v, s, n)) >= 0)
        return 1; /* what is one token whole is never taken apart */
    for (int i = 0; i < n; i++) {
        p->token[i] = s[i];
        p->next[i] = i + 1;
        p->previous[i] = i - 1;
        int pair = i + 1 < n ? find_token(v, s + i, 2) : -1;
        if (pair >= 0)
            heap_push(p->heap, &waiting, (uint64_t)pair << 32 | (uint32_t)i);
    }
    while (waiting) {
        uint64_t least = heap_pop(p->heap, &waiting);
        int i = (int)(uint32_t)least, right = p->next[i];
        if (p->token[i] < 0 || right >= n || find_token(v, s + i, p->next[right] - i) != (int)(least >> 32))
            continue; /* an earlier merge has taken a part of this pair */
        p->token[i] = (int)(least >> 32);
        p->token[right] = -1;
        p->next[i] = p->next[right];
        if (p->next[i] < n)
            p->previous[p->next[i]] = i;
        for (int side = 0; side < 2; side++) { /* the new part with its right, then its left neighbour */
            int from = side ? p->previous[i] : i, middle = from < 0 ? n : p->next[from];
            int pair = middle < n ? find_token(v, s + from, p->next[middle] - from) : -1;
            if (pair >= 0)
                heap_push(p->heap, &waiting, (uint64_t)pair << 32 | (uint32_t)from);
        }
    }
    return n;
}

typedef struct { /* one letter of the text: its first byte, its number in Unicode, its kind */
    int at;
    uint32_t code;
    int kind;
} Letter;

static bool is_newline(const Letter *l) { return l->code == '\n' || l->code == '\r'; }

static int kind_at(const Letter *l, int i, int end) { return i < end ? l[i].kind : END; }

static int run_end(const Letter *l, int i, int end, int kind)
{
    while (kind_at(l, i, end) == kind)
        i++;
    return i;
}

/* How many letters of 's 'd 'm 't 'll 've 're stand at i, behind the apostrophe; else 0. */
static int short_form(const Letter *l, int i, int end)
{
    uint32_t c[2] = {0, 0};
    for (int j = 0; j < 2 && i + j < end; j++)  /* lower case; ſ, the long s of old print, is an s too */
        c[j] = l[i + j].code == 0x17F ? 's' : l[i + j].code < 128 ? l[i + j].code | 32 : 0;
    if (c[0] == 's' || c[0] == 'd' || c[0] == 'm' || c[0] == 't')
        return 1;
    return 2 * ((c[0] == 'l' && c[1] == 'l') || (c[0] == 'v' && c[1] == 'e') || (c[0] == 'r' && c[1] == 'e'));
}

/* Where the piece that begins at letter i ends: the pattern SPLIT of text/bpe.py by hand, its lines as comments. */
static int piece_end(const Letter *l, int i, int end)
{
    int kind = l[i].kind, n;
    if (l[i].code == '\'' && (n = short_form(l, i + 1, end)))  /* '(?i:[sdmt]|ll|ve|re) */
        return i + 1 + n;
    int word = i + (kind != LETTER && kind != NUMBER && !is_newline(&l[i]));
    if (kind_at(l, word, end) == LETTER)  /* [^\r\n\p{L}\p{N}]?+\p{L}++ */
        return run_end(l, word, end, LETTER);
    if (kind == NUMBER)  /* \p{N} */
        return i + 1;
    int sign = i + (l[i].code == ' ');
    if (kind_at(l, sign, end) == OTHER) { /*  ?[^\s\p{L}\p{N}]++[\r\n]*+ */
        sign = run_end(l, sign, end, OTHER);
        while (sign < end && is_newline(&l[sign]))
            sign++;
        return sign;
    }
    int blanks = run_end(l, i, end, BLANK);
    if (blanks == end)  /* \s++$ */
        return end;
    for (int j = blanks; j > i; j--)  /* \s*[\r\n]: up to the last line end among the blanks */
        if (is_newline(&l[j - 1]))
            return j;
    return blanks - i > 1 ? blanks - 1 : blanks; /* \s+(?!\S), which leaves one blank to the word; \s */
}

/* How many bytes the letter at s has (n are left, at least one). Bytes that are no UTF-8 count as one broken letter as
   far as they could have begun a whole one, which is also how Python replaces them; `code` is then U+FFFD. */
static int read_letter(const uint8_t *s, size_t n, uint32_t *code)
{
    static const uint8_t mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    int need = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    uint8_t low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;   /* no letter in more bytes than it needs, */
    uint8_t high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF; /* no half of a pair, none above U+10FFFF */
    uint32_t letter = s[0] & mask[need];
    for (int i = 1; i < need; i++) {
        if ((size_t)i >= n || s[i] < low || s[i] > high) {
            *code = 0xFFFD;
            return i;
        }
        letter = letter << 6 | (s[i] & 0x3F);
        low = 0x80, high = 0xBF;
    }
    *code = need ? letter : 0xFFFD;
    return need ? need : 1;
}

/* The kind of a letter: that of the last place at or before it where the kind changes (binary search). */
static int kind_of(const Vocabulary *v, uint32_t code)
{
    int low = 0, high = v->n_kinds;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if ((v->kinds[middle] & 0xFFFFFF) <= code)
            low = middle;
        else
            high = middle;
    }
    return (int)(v->kinds[low] >> 24);
}

/* The letters of a text of n bytes, and the text in `clean` with U+FFFD for what is no UTF-8; returns how many. */
static int read_letters(const Vocabulary *v, const uint8_t *text, int n, uint8_t *clean, Letter *letters)
{
    int count = 0, written = 0;
    for (int i = 0; i < n; count++) {
        uint32_t code;
        int length = read_letter(text + i, (size_t)(n - i), &code);
        bool broken = code == 0xFFFD;
        letters[count] = (Letter){written, code, kind_of(v, code)};
        memcpy(clean + written, broken ? (const uint8_t *)"\xEF\xBF\xBD" : text + i, broken ? 3 : length);
        written += broken ? 3 : length;
        i += length;
    }
    letters[count] = (Letter){written, 0, END};
    return count;
}

/* Where to stop splitting a text that is very long: at a line's end where there is one in the second half. */
static int run_limit(const Letter *l, int start, int n_letters)
{
    if (n_letters - start <= LONGEST_RUN)
        return n_letters;
    for (int end = start + LONGEST_RUN; end > start + LONGEST_RUN / 2; end--)
        if (l[end - 1].code == '\n')
            return end;
    return start + LONGEST_RUN;
}

/* Text (n bytes, UTF-8 or not) to tokens, as tokenizer.py encodes text.decode("utf-8", "replace"). Writes the first
   `room` tokens to ids and returns how many there are; -1 if memory is short or the text longer than 64 MB. */
int encode(const Vocabulary *v, const void *text, size_t n, int *ids, int room)
{
    if (n > 1 << 26)
        return -1;
    int count = 0, bytes = 3 * (int)n;                             /* each broken byte may become three */
    int most = bytes < 4 * LONGEST_RUN ? bytes : 4 * LONGEST_RUN; /* bytes in one piece */
    uint8_t *clean = malloc((size_t)bytes + 1);
    Letter *l = malloc((n + 1) * sizeof *l);
    int *list = malloc(((size_t)most + 1) * 3 * sizeof *list);
    uint64_t *heap = malloc(((size_t)most + 1) * 3 * sizeof *heap); /* each merge makes at most two new pairs */
    if (clean && l && list && heap) {
        Parts p = {list, list + most, list + 2 * most, heap};
        int n_letters = read_letters(v, text, (int)n, clean, l);
        for (int i = 0, next, end = 0; i < n_letters; i = next) {
            if (i == end)
                end = run_limit(l, i, n_letters);
            next = piece_end(l, i, end);
            int parts = to_parts(v, clean + l[i].at, l[next].at - l[i].at, &p);
            for (int j = 0; j < parts; j++)
                if (p.token[j] >= 0 && count++ < room)
                    ids[count - 1] = p.token[j];
        }
    } else {
        count = -1;
    }
    free(clean), free(l), free(list), free(heap);
    return count;
}


/* ---- The vocabulary's part of model.bin ----------------------------------------------------------------------- */

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The kinds of letters, at `p` in the file: sorted places that begin with code point 0. */
static bool read_kinds(Vocabulary *v, const uint8_t *p)
{
    for (int i = 0; i < v->n_kinds; i++) {
        v->kinds[i] = u32(p + 4 * i);
        bool follows = i ? (v->kinds[i] & 0xFFFFFF) > (v->kinds[i - 1] & 0xFFFFFF) : (v->kinds[i] & 0xFFFFFF) == 0;
        if (!follows || v->kinds[i] >> 24 > BLANK)
            return false;
    }
    return true;
}

/* The vocabulary, at `p` in the file: all lengths, then all bytes. Tokens 0 to 255 must be the bytes, or some text
   could not be encoded; no two may be equal, or a text would have two encodings. */
static bool read_vocabulary(Vocabulary *v, const uint8_t *p, uint32_t n_token_bytes)
{
    int V = v->size;
    uint32_t total = 0;
    for (int i = 0; i < V; i++) {
        uint32_t length = u32(p + 4 * i);
        if (length < 1 || length > n_token_bytes - total || (i < 256 && length != 1))
            return false;
        v->at[i] = (int)total;
        total += length;
        if (i < v->n_ordinary && (int)length > v->longest)
            v->longest = (int)length;
    }
    v->at[V] = (int)total;
    memcpy(v->bytes, p + 4 * V, n_token_bytes);
    memset(v->table, -1, (size_t)v->table_size * sizeof *v->table);
    for (int i = 0, length; i < v->n_ordinary; i++) {
        const uint8_t *bytes = token_bytes(v, i, &length);
        int *place = table_place(v, bytes, length);
        if (*place >= 0 || (i < 256 && bytes[0] != i))
            return false;
        *place = i;
    }
    return total == n_token_bytes;
}

