/*
 * Pixels to label ids.
 *
 * Three kinds of object, each a capsule, no other state:
 *
 *   lookup   an immutable open-addressing hash: 32-bit key -> id
 *   rows     filtered PNG rows, fed in pieces, to labels or to raw pixels
 *   (arrays  one call, no object)
 *
 * No function here sees a file.  Every size comes from Python and is checked
 * here again against the buffers it is used on; no loop takes its bounds from
 * pixel data.  The GIL is released around all work on pixels.
 *
 * Codes: an id is 0 .. 2^31-1; VOID, UNKNOWN and BAD are negative.  Labels are
 * uint8 (everything negative is 255) or int32 (everything negative is -1).
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#if defined(_MSC_VER)
#include <intrin.h>
#endif
#define FK_SSE2 1
#endif

#if defined(_MSC_VER)
#define FK_INLINE static __forceinline
#elif defined(__GNUC__) || defined(__clang__)
#define FK_INLINE static inline __attribute__((always_inline))
#else
#define FK_INLINE static inline
#endif

#define CODE_VOID (-1)
#define CODE_UNKNOWN (-2)
#define CODE_BAD (-3)
#define SLOT_EMPTY INT32_MIN
#define NO_KEY UINT64_MAX

/* ------------------------------------------------------------- words of 8 */

FK_INLINE uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* Index of the first byte of a word in memory that is not 0; v is not 0. */
FK_INLINE size_t first_byte(uint64_t v)
{
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(v) >> 3;
#else
    uint8_t bytes[8];
    size_t k = 0;
    memcpy(bytes, &v, 8);
    while (!bytes[k])
        k++;
    return k;
#endif
}

#ifdef FK_SSE2
/* A bit for each of 64 bytes that is not 255 in a, b, c, d. */
FK_INLINE uint64_t not_ones(__m128i a, __m128i b, __m128i c, __m128i d)
{
    return ~((uint64_t)(uint32_t)_mm_movemask_epi8(a) | (uint64_t)(uint32_t)_mm_movemask_epi8(b) << 16
             | (uint64_t)(uint32_t)_mm_movemask_epi8(c) << 32 | (uint64_t)(uint32_t)_mm_movemask_epi8(d) << 48);
}

FK_INLINE size_t first_bit(uint64_t v)
{
#if defined(_MSC_VER)
    unsigned long k;
    _BitScanForward64(&k, v);
    return k;
#else
    return (size_t)__builtin_ctzll(v);
#endif
}
#endif

/* Index of the first byte at or after i that differs from 0, else n. */
FK_INLINE size_t skip_zero(const uint8_t *f, size_t i, size_t n)
{
#ifdef FK_SSE2
    const __m128i zero = _mm_setzero_si128();
    while (n - i >= 64) {
        const __m128i *p = (const __m128i *)(f + i);
        __m128i a = _mm_loadu_si128(p), b = _mm_loadu_si128(p + 1);
        __m128i c = _mm_loadu_si128(p + 2), d = _mm_loadu_si128(p + 3);
        __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(any, zero)) != 0xffff)
            return i + first_bit(not_ones(_mm_cmpeq_epi8(a, zero), _mm_cmpeq_epi8(b, zero),
                                          _mm_cmpeq_epi8(c, zero), _mm_cmpeq_epi8(d, zero)));
        i += 64;
    }
#endif
    while (n - i >= 8) {
        uint64_t v = load64(f + i);
        if (v)
            return i + first_byte(v);
        i += 8;
    }
    while (i < n && f[i] == 0)
        i++;
    return i;
}

/* Index of the first byte at or after i in which f and g differ, else n. */
FK_INLINE size_t skip_equal(const uint8_t *f, const uint8_t *g, size_t i, size_t n)
{
#ifdef FK_SSE2
    while (n - i >= 64) {
        const __m128i *p = (const __m128i *)(f + i), *q = (const __m128i *)(g + i);
        __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(p), _mm_loadu_si128(q));
        __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(p + 1), _mm_loadu_si128(q + 1));
        __m128i c = _mm_cmpeq_epi8(_mm_loadu_si128(p + 2), _mm_loadu_si128(q + 2));
        __m128i d = _mm_cmpeq_epi8(_mm_loadu_si128(p + 3), _mm_loadu_si128(q + 3));
        if (_mm_movemask_epi8(_mm_and_si128(_mm_and_si128(a, b), _mm_and_si128(c, d))) != 0xffff)
            return i + first_bit(not_ones(a, b, c, d));
        i += 64;
    }
#endif
    while (n - i >= 8) {
        uint64_t v = load64(f + i) ^ load64(g + i);
        if (v)
            return i + first_byte(v);
        i += 8;
    }
    while (i < n && f[i] == g[i])
        i++;
    return i;
}

/* ------------------------------------------------------------ labels rows */

FK_INLINE void label_set(uint8_t *lab, size_t x, int32_t code, int ls)
{
    if (ls == 1) {
        lab[x] = code < 0 ? 255 : (uint8_t)code;
    } else {
        int32_t v = code < 0 ? -1 : code;
        memcpy(lab + 4 * x, &v, 4);
    }
}

FK_INLINE void label_fill(uint8_t *lab, size_t x, size_t n, int32_t code, int ls)
{
    if (ls == 1) {
        memset(lab + x, code < 0 ? 255 : code, n);
    } else {
        uint32_t v = (uint32_t)(code < 0 ? -1 : code);
        uint64_t two = (uint64_t)v << 32 | v;
        uint8_t *p = lab + 4 * x;
        for (; n >= 2; n -= 2, p += 8)
            memcpy(p, &two, 8);
        if (n)
            memcpy(p, &v, 4);
    }
}

/* First x at or after x whose label is void, else n. */
FK_INLINE size_t label_find_void(const uint8_t *lab, size_t x, size_t n, int ls)
{
    if (ls == 1) {
        const uint8_t *p = x < n ? memchr(lab + x, 255, n - x) : NULL;
        return p ? (size_t)(p - lab) : n;
    }
    for (; x < n; x++) {
        int32_t v;
        memcpy(&v, lab + 4 * x, 4);
        if (v < 0)
            break;
    }
    return x;
}

/* ------------------------------------------------------ lookup: key -> id */

typedef struct {
    uint32_t key;
    int32_t id;
} Slot;

typedef struct {
    Slot *slots;
    uint32_t mask;
    int shift;
    uint64_t mult;
    int32_t largest;
    uint32_t same; /* the ids of the keys 0 .. same-1 are 0 .. same-1 */
} Lookup;

static const char LOOKUP_NAME[] = "framekit.decoding._kernels.lookup";

FK_INLINE int32_t lookup_find(const Lookup *t, uint32_t key)
{
    uint32_t i = (uint32_t)((key * t->mult) >> t->shift), n;
    for (n = 0; n <= t->mask; n++) {
        Slot s = t->slots[i];
        if (s.id == SLOT_EMPTY)
            return CODE_UNKNOWN;
        if (s.key == key)
            return s.id;
        i = (i + 1) & t->mask;
    }
    return CODE_UNKNOWN;
}

static void lookup_free(PyObject *capsule)
{
    Lookup *t = PyCapsule_GetPointer(capsule, LOOKUP_NAME);
    if (t) {
        free(t->slots);
        free(t);
    }
}

/* Fill t from n keys and ids; 0 fine, 1 out of memory, 2 twice, 3 bad id. */
static int lookup_fill(Lookup *t, const uint8_t *keys, const uint8_t *ids, size_t n)
{
    uint32_t size = 8;
    size_t k;
    int bits = 3;
    while (size / 2 < n) {
        size *= 2;
        bits++;
    }
    t->slots = malloc((size_t)size * sizeof(Slot));
    if (!t->slots)
        return 1;
    for (k = 0; k < size; k++) {
        t->slots[k].key = 0;
        t->slots[k].id = SLOT_EMPTY;
    }
    t->mask = size - 1;
    t->shift = 64 - bits;
    t->largest = -1;
    for (k = 0; k < n; k++) {
        uint32_t key, i;
        int32_t id;
        memcpy(&key, keys + 4 * k, 4);
        memcpy(&id, ids + 4 * k, 4);
        if (id < CODE_VOID)
            return 3;
        i = (uint32_t)((key * t->mult) >> t->shift);
        while (t->slots[i].id != SLOT_EMPTY) {
            if (t->slots[i].key == key)
                return 2;
            i = (i + 1) & t->mask;
        }
        t->slots[i].key = key;
        t->slots[i].id = id;
        if (id > t->largest)
            t->largest = id;
        if (key == t->same && id == (int32_t)key)
            t->same++;
    }
    return 0;
}

static PyObject *lookup_new(PyObject *self, PyObject *args)
{
    Py_buffer keys, ids;
    unsigned long long mult;
    Lookup *t = NULL;
    PyObject *made = NULL;
    int status = 1;
    (void)self;
    if (!PyArg_ParseTuple(args, "y*y*K", &keys, &ids, &mult))
        return NULL;
    if (keys.len != ids.len || keys.len % 4 || keys.len / 4 > (1 << 26)) {
        PyErr_SetString(PyExc_ValueError, "keys and ids must be equally many 32-bit words");
        goto done;
    }
    t = calloc(1, sizeof *t);
    if (t) {
        t->mult = mult | 1;
        status = lookup_fill(t, keys.buf, ids.buf, (size_t)keys.len / 4);
    }
    if (status == 1)
        PyErr_NoMemory();
    else if (status == 2)
        PyErr_SetString(PyExc_ValueError, "a key occurs twice");
    else if (status == 3)
        PyErr_SetString(PyExc_ValueError, "an id is negative");
    else
        made = PyCapsule_New(t, LOOKUP_NAME, lookup_free);
    if (!made && t) {
        free(t->slots);
        free(t);
    }
done:
    PyBuffer_Release(&keys);
    PyBuffer_Release(&ids);
    return made;
}

/* -------------------------------------------- strays: what no id exists for */

typedef struct {
    uint64_t count;
    uint32_t key, x0, y0, x1, y1, order;
} Stray;

typedef struct {
    uint32_t key;
    uint32_t place; /* in the list, from 1 on; 0: slot is empty */
} StraySlot;

typedef struct {
    Stray *list; /* in order of first sight */
    StraySlot *slots;
    uint32_t size, used, limit;
    int bits, partial, failed;
    uint64_t mult, total;
} Strays;

/* Make the hash twice as large, and the list with it: at most half is in use. */
static int strays_grow(Strays *s)
{
    uint32_t size = s->size ? s->size * 2 : 64, mask = size - 1, k;
    int bits = s->size ? s->bits + 1 : 6;
    Stray *list = realloc(s->list, (size_t)size / 2 * sizeof(Stray));
    StraySlot *slots;
    if (!list)
        return 0;
    s->list = list;
    slots = calloc(size, sizeof(StraySlot));
    if (!slots)
        return 0;
    for (k = 0; k < s->size; k++) {
        if (s->slots[k].place) {
            uint32_t i = (uint32_t)((s->slots[k].key * s->mult) >> (64 - bits));
            while (slots[i].place)
                i = (i + 1) & mask;
            slots[i] = s->slots[k];
        }
    }
    free(s->slots);
    s->slots = slots;
    s->size = size;
    s->bits = bits;
    return 1;
}

/* A run of n pixels of one unknown key at (x, y), in reading order. */
static void strays_add(Strays *s, uint32_t key, uint32_t x, uint32_t y, uint32_t n)
{
    uint32_t i, mask;
    Stray *t;
    s->total += n;
    if (s->used * 2 >= s->size && s->used < s->limit && !strays_grow(s)) {
        s->failed = 1;
        return;
    }
    if (!s->size) {
        s->partial = 1;
        return;
    }
    mask = s->size - 1;
    i = (uint32_t)((key * s->mult) >> (64 - s->bits));
    for (; s->slots[i].place; i = (i + 1) & mask) {
        if (s->slots[i].key == key) {
            t = s->list + (s->slots[i].place - 1);
            t->count += n;
            if (x < t->x0)
                t->x0 = x;
            if (x + n > t->x1)
                t->x1 = x + n;
            t->y1 = y + 1;
            return;
        }
    }
    if (s->used >= s->limit) {
        s->partial = 1;
        return;
    }
    t = s->list + s->used;
    t->count = n;
    t->key = key;
    t->x0 = x;
    t->x1 = x + n;
    t->y0 = y;
    t->y1 = y + 1;
    t->order = s->used++;
    s->slots[i].key = key;
    s->slots[i].place = s->used;
}

static void strays_free(Strays *s)
{
    free(s->list);
    free(s->slots);
}

/* (total, all distinct keys seen?, 32-byte records in order of first sight) */
static PyObject *strays_result(const Strays *s)
{
    PyObject *bytes, *complete;
    if (s->failed)
        return PyErr_NoMemory();
    bytes = PyBytes_FromStringAndSize((const char *)s->list, (Py_ssize_t)s->used * (Py_ssize_t)sizeof(Stray));
    if (!bytes)
        return NULL;
    complete = PyBool_FromLong(!s->partial);
    return Py_BuildValue("KNN", (unsigned long long)s->total, complete, bytes);
}

/* ------------------------------------- ids: pixels of one kind to labels */

/* One byte; 16 bits, PNG's order or native; 32 native; R G B; R G B and a byte. */
enum { KIND_8, KIND_16_PNG, KIND_16, KIND_32, KIND_RGB, KIND_RGBX };

typedef struct {
    const Lookup *lookup; /* for all kinds but KIND_8 */
    int32_t codes[256];   /* for KIND_8 */
    int alpha_void;
    int dirty; /* the labels of this row may hide an unknown or bad pixel */
    int bad;
    int has_last;
    int rest;      /* rows to go until values are tried as labels again */
    uint32_t same; /* values below are their own labels */
    int same_void; /* 255 is void, and its own label */
    uint32_t last_key;
    int32_t last_code;
    uint64_t void_key;
    Strays strays;
} Ids;

FK_INLINE size_t kind_size(int kind)
{
    return kind == KIND_8 ? 1 : kind == KIND_16_PNG || kind == KIND_16 ? 2 : kind == KIND_RGB ? 3 : 4;
}

FK_INLINE uint32_t pixel_key(const uint8_t *p, int kind)
{
    if (kind == KIND_8)
        return p[0];
    if (kind == KIND_16_PNG)
        return (uint32_t)p[0] << 8 | p[1];
    if (kind == KIND_16) {
        uint16_t v;
        memcpy(&v, p, 2);
        return v;
    }
    if (kind == KIND_32) {
        uint32_t v;
        memcpy(&v, p, 4);
        return v;
    }
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

FK_INLINE int32_t pixel_code(Ids *d, const uint8_t *p, int kind)
{
    uint32_t key;
    if (kind == KIND_8)
        return d->codes[p[0]];
    if (kind == KIND_RGBX && d->alpha_void && p[3] == 0)
        return CODE_VOID;
    key = pixel_key(p, kind);
    if (key == d->last_key && d->has_last)
        return d->last_code;
    d->last_code = key == d->void_key ? CODE_VOID : lookup_find(d->lookup, key);
    d->last_key = key;
    d->has_last = 1;
    return d->last_code;
}

FK_INLINE void pixel_put(Ids *d, uint8_t *lab, size_t x, const uint8_t *p, int kind, int ls)
{
    int32_t code = pixel_code(d, p, kind);
    d->dirty |= code < CODE_VOID;
    label_set(lab, x, code, ls);
}

/* Whether p, known to have q's key or not, is of the same unknown run as q. */
FK_INLINE int same_unknown(const Ids *d, const uint8_t *p, uint32_t key, int kind)
{
    return pixel_key(p, kind) == key && !(kind == KIND_RGBX && d->alpha_void && p[3] == 0);
}

/* Count the unknown pixels of a row that may have some, and see damage. */
FK_INLINE void ids_account(Ids *d, const uint8_t *row, const uint8_t *lab, size_t w, size_t y, int kind, int ls)
{
    const size_t size = kind_size(kind);
    size_t x = 0;
    int found = 0;
    while ((x = label_find_void(lab, x, w, ls)) < w) {
        const uint8_t *p = row + x * size;
        const int32_t code = pixel_code(d, p, kind);
        const size_t x0 = x++;
        if (code == CODE_UNKNOWN) {
            const uint32_t key = pixel_key(p, kind);
            while (x < w && same_unknown(d, row + x * size, key, kind))
                x++;
            found = 1;
            strays_add(&d->strays, key, (uint32_t)x0, (uint32_t)y, (uint32_t)(x - x0));
        } else if (code == CODE_BAD) {
            d->bad = 1;
            return;
        }
    }
    d->dirty = found;
}

/* Take 256 codes from a buffer: ids that fit the labels, or codes. */
static int ids_set_codes(Ids *d, PyObject *table, int values, int ls)
{
    Py_buffer codes;
    int v, fine;
    if (PyObject_GetBuffer(table, &codes, PyBUF_C_CONTIGUOUS) < 0)
        return 0;
    fine = codes.len == (Py_ssize_t)sizeof d->codes;
    if (fine)
        memcpy(d->codes, codes.buf, sizeof d->codes);
    PyBuffer_Release(&codes);
    for (v = 0; v < values && fine; v++)
        fine = d->codes[v] >= CODE_BAD && (ls == 4 || d->codes[v] <= 254);
    if (!fine)
        PyErr_SetString(PyExc_ValueError, "codes must be 256 int32 that fit the labels");
    while (d->same < 255 && d->codes[d->same] == (int32_t)d->same)
        d->same++;
    d->same_void = ls == 1 && d->codes[255] == CODE_VOID;
    return fine;
}

/* Take a lookup from its capsule. */
static int ids_set_lookup(Ids *d, PyObject *table, int ls)
{
    d->lookup = PyCapsule_GetPointer(table, LOOKUP_NAME);
    if (d->lookup && ls == 1 && d->lookup->largest > 254) {
        PyErr_SetString(PyExc_ValueError, "ids above 254 need int32 labels");
        return 0;
    }
    if (d->lookup)
        d->same = d->void_key < d->lookup->same ? (uint32_t)d->void_key : d->lookup->same;
    return d->lookup != NULL;
}

/* ------------------------------------------------- rows: filtered PNG rows */

typedef struct {
    Py_buffer out;
    PyObject *lookup_ref;
    uint32_t width, height, y;
    int unit; /* bytes a filter unit: 1, 2, 3, 4 */
    int per;  /* pixels a unit: 1, or 8 / 4 / 2 when they are 1 / 2 / 4 bits */
    int bits; /* bits a sample */
    int ls;   /* bytes a label: 1 or 4; 0: raw pixels are wanted */
    int status, busy;
    size_t row_bytes, have;
    uint8_t *row;  /* the last row, unfiltered, changed in place */
    uint8_t *pend; /* the start of a row that is not all here yet */
    Ids ids;
    uint8_t suspect[256]; /* for packed pixels: codes, expanded by byte */
    uint8_t lab8[256 * 8];
    int32_t lab32[256 * 8];
} Rows;

enum { ROWS_FINE = 0, ROWS_FILTER = 1, ROWS_BAD_INDEX = 2, ROWS_TOO_MANY = 3, ROWS_MEMORY = 4 };

static const char ROWS_NAME[] = "framekit.decoding._kernels.rows";

FK_INLINE int unit_kind(int unit)
{
    return unit == 1 ? KIND_8 : unit == 2 ? KIND_16_PNG : unit == 3 ? KIND_RGB : KIND_RGBX;
}

FK_INLINE size_t packed_end(const Rows *r, size_t u)
{
    size_t end = (u + 1) * (size_t)r->per;
    return end < r->width ? end : r->width;
}

/* Write the labels of unit u, whose bytes are p. */
FK_INLINE void put(Rows *r, uint8_t *lab, size_t u, const uint8_t *p, int unit, int packed, int ls)
{
    if (ls == 0)
        return;
    if (packed) {
        size_t x = u * (size_t)r->per, end = packed_end(r, u), k = (size_t)p[0] * 8;
        r->ids.dirty |= r->suspect[p[0]];
        for (; x < end; x++, k++) {
            if (ls == 1)
                lab[x] = r->lab8[k];
            else
                memcpy(lab + 4 * x, r->lab32 + k, 4);
        }
    } else if (unit == 1) {
        r->ids.dirty |= r->suspect[p[0]];
        if (ls == 1)
            lab[u] = r->lab8[p[0] * 8];
        else
            memcpy(lab + 4 * u, r->lab32 + p[0] * 8, 4);
    } else {
        pixel_put(&r->ids, lab, u, p, unit_kind(unit), ls);
    }
}

/* Units u .. e-1 of the row are all p: bytes and labels. */
FK_INLINE void put_run(Rows *r, uint8_t *lab, size_t u, size_t e, const uint8_t *p, int unit, int packed, int ls)
{
    uint8_t *dst = r->row + u * unit;
    size_t n = (e - u) * unit;
    if (unit == 1) {
        memset(dst, p[0], n);
    } else {
        size_t done = (size_t)unit;
        memcpy(dst, p, (size_t)unit);
        while (done < n) {
            size_t step = done < n - done ? done : n - done;
            memcpy(dst + done, dst, step);
            done += step;
        }
    }
    if (ls == 0)
        return;
    if (packed) {
        for (; u < e; u++)
            put(r, lab, u, p, unit, packed, ls);
    } else {
        int32_t code = pixel_code(&r->ids, p, unit_kind(unit));
        r->ids.dirty |= code < CODE_VOID;
        label_fill(lab, u, e - u, code, ls);
    }
}

FK_INLINE int unit_is_zero(const uint8_t *q, int unit)
{
    int k, any = 0;
    for (k = 0; k < unit; k++)
        any |= q[k];
    return !any;
}

FK_INLINE void row_none(Rows *r, const uint8_t *f, uint8_t *lab, int unit, int packed, int ls)
{
    uint8_t *row = r->row;
    size_t n = r->row_bytes, i = 0;
    while ((i = skip_equal(f, row, i, n)) < n) {
        size_t u = i / unit;
        do {
            uint8_t *p = row + u * unit;
            const uint8_t *q = f + u * unit;
            int k, any = 0;
            for (k = 0; k < unit; k++) {
                any |= p[k] ^ q[k];
                p[k] = q[k];
            }
            if (!any)
                break;
            put(r, lab, u, p, unit, packed, ls);
            u++;
        } while (u * unit < n);
        i = u * unit;
    }
}

FK_INLINE void row_sub(Rows *r, const uint8_t *f, uint8_t *lab, int unit, int packed, int ls)
{
    uint8_t *row = r->row, a[4] = {0, 0, 0, 0};
    size_t n = r->row_bytes, units = n / unit, u = 0;
    r->ids.dirty = 0;
    while (u < units) {
        size_t i = skip_zero(f, u * unit, n), e = i < n ? i / unit : units;
        if (e > u) {
            put_run(r, lab, u, e, a, unit, packed, ls);
            u = e;
            if (u >= units)
                break;
        }
        do {
            uint8_t *p = row + u * unit;
            const uint8_t *q = f + u * unit;
            int k;
            for (k = 0; k < unit; k++)
                p[k] = a[k] = (uint8_t)(a[k] + q[k]);
            put(r, lab, u, p, unit, packed, ls);
            u++;
        } while (u < units && !unit_is_zero(f + u * unit, unit));
    }
}

FK_INLINE void row_up(Rows *r, const uint8_t *f, uint8_t *lab, int unit, int packed, int ls)
{
    uint8_t *row = r->row;
    size_t n = r->row_bytes, i = 0;
    while ((i = skip_zero(f, i, n)) < n) {
        size_t u = i / unit;
        do {
            uint8_t *p = row + u * unit;
            const uint8_t *q = f + u * unit;
            int k;
            if (unit_is_zero(q, unit))
                break;
            for (k = 0; k < unit; k++)
                p[k] = (uint8_t)(p[k] + q[k]);
            put(r, lab, u, p, unit, packed, ls);
            u++;
        } while (u * unit < n);
        i = u * unit;
    }
}

FK_INLINE void row_average(Rows *r, const uint8_t *f, uint8_t *lab, int unit, int packed, int ls)
{
    uint8_t *row = r->row, a[4] = {0, 0, 0, 0};
    size_t units = r->row_bytes / unit, u;
    r->ids.dirty = 0;
    for (u = 0; u < units; u++) {
        uint8_t *p = row + u * unit;
        const uint8_t *q = f + u * unit;
        int k;
        for (k = 0; k < unit; k++)
            p[k] = a[k] = (uint8_t)(q[k] + ((a[k] + p[k]) >> 1));
        put(r, lab, u, p, unit, packed, ls);
    }
}

FK_INLINE uint8_t paeth(int a, int b, int c)
{
    int pa = b - c, pb = a - c, pc = pa + pb;
    pa = pa < 0 ? -pa : pa;
    pb = pb < 0 ? -pb : pb;
    pc = pc < 0 ? -pc : pc;
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

/* Where left equals upper left, Paeth predicts up: a zero run changes nothing. */
FK_INLINE void row_paeth(Rows *r, const uint8_t *f, uint8_t *lab, int unit, int packed, int ls)
{
    uint8_t *row = r->row, a[4] = {0, 0, 0, 0}, c[4] = {0, 0, 0, 0};
    size_t n = r->row_bytes, units = n / unit, u = 0;
    int same = 1, k;
    while (u < units) {
        uint8_t *p = row + u * unit;
        const uint8_t *q = f + u * unit;
        if (same) {
            size_t i = skip_zero(f, u * unit, n);
            if (i >= n)
                return;
            u = i / unit;
            p = row + u * unit;
            q = f + u * unit;
            for (k = 0; k < unit; k++) {
                c[k] = p[k];
                p[k] = a[k] = (uint8_t)(p[k] + q[k]);
            }
            same = 0;
        } else {
            int diff = 0;
            for (k = 0; k < unit; k++) {
                uint8_t b = p[k], x = (uint8_t)(q[k] + paeth(a[k], b, c[k]));
                c[k] = b;
                p[k] = a[k] = x;
                diff |= x ^ b;
            }
            same = !diff;
        }
        if (!same)
            put(r, lab, u, p, unit, packed, ls);
        u++;
    }
}

/* As ids_account, for packed pixels. */
static void packed_account(Rows *r, const uint8_t *lab, int ls)
{
    const size_t w = r->width, per = (size_t)r->per, mask = ((size_t)1 << r->bits) - 1;
    size_t x = 0;
    int found = 0;
    while ((x = label_find_void(lab, x, w, ls)) < w) {
        size_t shift = 8 - (size_t)r->bits * (x % per + 1);
        uint32_t key = (uint32_t)(r->row[x / per] >> shift & mask);
        if (r->ids.codes[key] == CODE_UNKNOWN) {
            found = 1;
            strays_add(&r->ids.strays, key, (uint32_t)x, r->y, 1);
        } else if (r->ids.codes[key] == CODE_BAD) {
            r->ids.bad = 1;
            return;
        }
        x++;
    }
    r->ids.dirty = found;
}

/* Raw pixels of the row: bytes, unpacked samples, or 16-bit native. */
static void row_raw(Rows *r)
{
    uint8_t *out = (uint8_t *)r->out.buf;
    size_t w = r->width, x;
    if (r->per > 1) {
        size_t per = (size_t)r->per, mask = ((size_t)1 << r->bits) - 1;
        out += w * r->y;
        for (x = 0; x < w; x++)
            out[x] = (uint8_t)(r->row[x / per] >> (8 - (size_t)r->bits * (x % per + 1)) & mask);
    } else if (r->bits == 16) {
        out += 2 * w * r->y;
        for (x = 0; x < w; x++) {
            uint16_t v = (uint16_t)(r->row[2 * x] << 8 | r->row[2 * x + 1]);
            memcpy(out + 2 * x, &v, 2);
        }
    } else {
        memcpy(out + r->row_bytes * r->y, r->row, r->row_bytes);
    }
}

FK_INLINE void row_any(Rows *r, const uint8_t *f, int unit, int packed, int ls)
{
    size_t pitch = (size_t)r->width * (size_t)ls;
    uint8_t *lab = (uint8_t *)r->out.buf + pitch * r->y;
    int filter = *f++;
    if (filter > 4) {
        r->status = ROWS_FILTER;
        return;
    }
    if (ls && filter != 1 && filter != 3) {
        if (r->y)
            memcpy(lab, lab - pitch, pitch);
        else
            put_run(r, lab, 0, r->row_bytes / unit, r->row, unit, packed, ls);
    }
    if (filter == 0)
        row_none(r, f, lab, unit, packed, ls);
    else if (filter == 1)
        row_sub(r, f, lab, unit, packed, ls);
    else if (filter == 2)
        row_up(r, f, lab, unit, packed, ls);
    else if (filter == 3)
        row_average(r, f, lab, unit, packed, ls);
    else
        row_paeth(r, f, lab, unit, packed, ls);
    if (ls == 0)
        row_raw(r);
    else if (r->ids.dirty && packed)
        packed_account(r, lab, ls);
    else if (r->ids.dirty)
        ids_account(&r->ids, r->row, lab, r->width, r->y, unit_kind(unit), ls);
    if (r->ids.bad)
        r->status = ROWS_BAD_INDEX;
    else if (r->ids.strays.failed)
        r->status = ROWS_MEMORY;
    r->y++;
}

static void row_1_raw(Rows *r, const uint8_t *f) { row_any(r, f, 1, 0, 0); }
static void row_2_raw(Rows *r, const uint8_t *f) { row_any(r, f, 2, 0, 0); }
static void row_3_raw(Rows *r, const uint8_t *f) { row_any(r, f, 3, 0, 0); }
static void row_4_raw(Rows *r, const uint8_t *f) { row_any(r, f, 4, 0, 0); }
static void row_p_8(Rows *r, const uint8_t *f) { row_any(r, f, 1, 1, 1); }
static void row_1_8(Rows *r, const uint8_t *f) { row_any(r, f, 1, 0, 1); }
static void row_2_8(Rows *r, const uint8_t *f) { row_any(r, f, 2, 0, 1); }
static void row_3_8(Rows *r, const uint8_t *f) { row_any(r, f, 3, 0, 1); }
static void row_4_8(Rows *r, const uint8_t *f) { row_any(r, f, 4, 0, 1); }
static void row_p_32(Rows *r, const uint8_t *f) { row_any(r, f, 1, 1, 4); }
static void row_1_32(Rows *r, const uint8_t *f) { row_any(r, f, 1, 0, 4); }
static void row_2_32(Rows *r, const uint8_t *f) { row_any(r, f, 2, 0, 4); }
static void row_3_32(Rows *r, const uint8_t *f) { row_any(r, f, 3, 0, 4); }
static void row_4_32(Rows *r, const uint8_t *f) { row_any(r, f, 4, 0, 4); }

typedef void (*RowFunction)(Rows *, const uint8_t *);

static RowFunction row_function(const Rows *r)
{
    if (r->ls == 0)
        return r->unit == 1 ? row_1_raw : r->unit == 2 ? row_2_raw : r->unit == 3 ? row_3_raw : row_4_raw;
    if (r->ls == 1) {
        if (r->per > 1)
            return row_p_8;
        return r->unit == 1 ? row_1_8 : r->unit == 2 ? row_2_8 : r->unit == 3 ? row_3_8 : row_4_8;
    }
    if (r->per > 1)
        return row_p_32;
    return r->unit == 1 ? row_1_32 : r->unit == 2 ? row_2_32 : r->unit == 3 ? row_3_32 : row_4_32;
}

static void rows_push(Rows *r, const uint8_t *data, size_t n)
{
    const size_t full = r->row_bytes + 1;
    const RowFunction decode = row_function(r);
    while (n && !r->status) {
        if (r->y >= r->height) {
            r->status = ROWS_TOO_MANY;
        } else if (r->have == 0 && n >= full) {
            decode(r, data);
            data += full;
            n -= full;
        } else {
            size_t step = full - r->have < n ? full - r->have : n;
            memcpy(r->pend + r->have, data, step);
            r->have += step;
            data += step;
            n -= step;
            if (r->have == full) {
                r->have = 0;
                decode(r, r->pend);
            }
        }
    }
}

static void rows_delete(Rows *r)
{
    if (r->out.obj)
        PyBuffer_Release(&r->out);
    Py_XDECREF(r->lookup_ref);
    free(r->row);
    free(r->pend);
    strays_free(&r->ids.strays);
    free(r);
}

static void rows_free(PyObject *capsule)
{
    Rows *r = PyCapsule_GetPointer(capsule, ROWS_NAME);
    if (r)
        rows_delete(r);
}

/* Expand the codes of samples to the 1, 2, 4 or 8 labels of a byte. */
static void rows_expand(Rows *r)
{
    int v, k, values = r->bits < 8 ? 1 << r->bits : 256;
    for (v = 0; v < 256; v++) {
        for (k = 0; k < r->per; k++) {
            int32_t code = r->ids.codes[v >> (8 - r->bits * (k + 1)) & (values - 1)];
            r->lab8[v * 8 + k] = code < 0 ? 255 : (uint8_t)code;
            r->lab32[v * 8 + k] = code < 0 ? -1 : code;
            r->suspect[v] |= code < CODE_VOID;
        }
    }
}

/*
 * rows_new(width, height, bits, channels, out, label_bytes, table, alpha_void,
 *          void_key, multiplier, limit)
 *
 * table: 256 int32 codes for samples of up to 8 bits, a lookup otherwise, None
 * for raw pixels (label_bytes 0).
 */
static PyObject *rows_new(PyObject *self, PyObject *args)
{
    unsigned long width, height, limit;
    unsigned long long void_key, mult;
    int bits, channels, ls, alpha_void;
    uint64_t row_bits, area, need;
    PyObject *out, *table, *capsule;
    Rows *r;
    (void)self;
    if (!PyArg_ParseTuple(args, "kkiiOiOpKKk", &width, &height, &bits, &channels, &out,
                          &ls, &table, &alpha_void, &void_key, &mult, &limit))
        return NULL;
    if (width < 1 || height < 1 || width > 0x7fffffff || height > 0x7fffffff
        || (ls != 0 && ls != 1 && ls != 4) || limit > (1 << 24)
        || !((channels == 1 && (bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16))
             || ((channels == 3 || channels == 4) && bits == 8))) {
        PyErr_SetString(PyExc_ValueError, "not a layout this kernel knows");
        return NULL;
    }
    row_bits = (uint64_t)width * (uint64_t)(bits * channels);
    area = (uint64_t)width * height;
    need = ls ? area * (uint64_t)ls : area * (uint64_t)(channels * (bits == 16 ? 2 : 1));
    if (row_bits / 8 + 16 > (uint64_t)PY_SSIZE_T_MAX / 2) {
        PyErr_SetString(PyExc_ValueError, "rows are too long");
        return NULL;
    }
    r = calloc(1, sizeof *r);
    if (!r)
        return PyErr_NoMemory();
    r->width = (uint32_t)width;
    r->height = (uint32_t)height;
    r->bits = bits;
    r->unit = channels == 1 ? (bits == 16 ? 2 : 1) : channels;
    r->per = bits < 8 ? 8 / bits : 1;
    r->ls = ls;
    r->ids.alpha_void = alpha_void;
    r->ids.void_key = void_key;
    r->row_bytes = (size_t)((row_bits + 7) / 8);
    r->ids.strays.mult = mult | 1;
    r->ids.strays.limit = (uint32_t)limit;
    if (PyObject_GetBuffer(out, &r->out, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) < 0) {
        r->out.obj = NULL;
        goto fail;
    }
    if ((uint64_t)r->out.len != need) {
        PyErr_SetString(PyExc_ValueError, "out has not the size of the image");
        goto fail;
    }
    if (ls && r->unit == 1) {
        if (!ids_set_codes(&r->ids, table, bits < 8 ? 1 << bits : 256, ls))
            goto fail;
        rows_expand(r);
    } else if (ls) {
        if (!ids_set_lookup(&r->ids, table, ls))
            goto fail;
        r->lookup_ref = table;
        Py_INCREF(table);
    }
    r->row = calloc(r->row_bytes + 8, 1);
    r->pend = malloc(r->row_bytes + 1);
    if (!r->row || !r->pend) {
        PyErr_NoMemory();
        goto fail;
    }
    capsule = PyCapsule_New(r, ROWS_NAME, rows_free);
    if (capsule)
        return capsule;
fail:
    rows_delete(r);
    return NULL;
}

/* Under the GIL, so that two threads never work on one object. */
static Rows *rows_take(PyObject *capsule)
{
    Rows *r = PyCapsule_GetPointer(capsule, ROWS_NAME);
    if (r && (r->busy || !r->out.obj)) {
        PyErr_SetString(PyExc_RuntimeError, "rows are in use by another thread, or finished");
        return NULL;
    }
    return r;
}

/* rows_feed(rows, data) -> status */
static PyObject *rows_feed(PyObject *self, PyObject *args)
{
    PyObject *capsule;
    Py_buffer data;
    Rows *r;
    int status;
    (void)self;
    if (!PyArg_ParseTuple(args, "Oy*", &capsule, &data))
        return NULL;
    r = rows_take(capsule);
    if (!r) {
        PyBuffer_Release(&data);
        return NULL;
    }
    r->busy = 1;
    Py_BEGIN_ALLOW_THREADS
    rows_push(r, data.buf, (size_t)data.len);
    Py_END_ALLOW_THREADS
    status = r->status;
    r->busy = 0;
    PyBuffer_Release(&data);
    return PyLong_FromLong(status);
}

/* rows_finish(rows) -> (rows done, unknown pixels, complete, records); lets out go */
static PyObject *rows_finish(PyObject *self, PyObject *args)
{
    PyObject *capsule, *strays;
    Rows *r;
    (void)self;
    if (!PyArg_ParseTuple(args, "O", &capsule))
        return NULL;
    r = rows_take(capsule);
    if (!r)
        return NULL;
    PyBuffer_Release(&r->out);
    r->out.obj = NULL;
    strays = strays_result(&r->ids.strays);
    if (!strays)
        return NULL;
    return Py_BuildValue("kN", (unsigned long)r->y, strays);
}

/* --------------------------------------------------- arrays: one call each */

typedef struct {
    const uint8_t *src;
    uint8_t *out;
    ptrdiff_t src_pitch;
    size_t width, height;
    size_t tail; /* bytes of the last pixel that are there */
    Ids ids;
} Job;

/*
 * Copy a row of single values that are their own labels; 0 where some are not.
 * Plain loops without branches, which compilers make wide.
 */
FK_INLINE int copy_same(const Ids *d, const uint8_t *row, uint8_t *lab, size_t w, int kind, int ls)
{
    const size_t size = kind_size(kind);
    size_t x;
    if (kind == KIND_8) {
        /* One more, so that void, which is 255, is the smallest. */
        const uint8_t more = (uint8_t)d->same_void;
        uint8_t most = 0;
        for (x = 0; x < w; x++) {
            uint8_t v = (uint8_t)(row[x] + more);
            most = v > most ? v : most;
        }
        if (most >= d->same + more)
            return 0;
    } else if (kind == KIND_16) {
        /* The top bit says whether some value is not below a limit without it. */
        const uint16_t limit = d->same < 0x8000 ? (uint16_t)d->same : 0x8000;
        uint16_t any = 0;
        for (x = 0; x < w; x++) {
            uint16_t v;
            memcpy(&v, row + 2 * x, 2);
            any |= (uint16_t)(~(v - limit) | v);
        }
        if (any & 0x8000)
            return 0;
    } else {
        uint32_t any = 0;
        for (x = 0; x < w; x++) {
            uint32_t v;
            memcpy(&v, row + 4 * x, 4);
            any |= ~(v - d->same) | v;
        }
        if (any & 0x80000000)
            return 0;
    }
    if (size == (size_t)ls) {
        memcpy(lab, row, w * size);
    } else if (ls == 1) {
        for (x = 0; x < w; x++)
            lab[x] = (uint8_t)pixel_key(row + x * size, kind);
    } else {
        for (x = 0; x < w; x++) {
            uint32_t v = pixel_key(row + x * size, kind);
            memcpy(lab + 4 * x, &v, 4);
        }
    }
    return 1;
}

/* Labels come from the row above where pixels are the same. */
FK_INLINE void job_row(Job *j, Ids *d, size_t y, int kind, int ls)
{
    const size_t size = kind_size(kind), w = j->width, n = (w - 1) * size + j->tail;
    const uint8_t *row = j->src + (ptrdiff_t)y * j->src_pitch, *above = row - j->src_pitch;
    uint8_t *lab = j->out + y * w * (size_t)ls;
    size_t i = 0;
    if ((kind == KIND_8 || kind == KIND_16 || kind == KIND_32) && d->same) {
        if (d->rest) {
            d->rest--;
        } else if (copy_same(d, row, lab, w, kind, ls)) {
            d->dirty = 0;
            return;
        } else {
            d->rest = 15;
        }
    }
    if (y)
        memcpy(lab, lab - w * (size_t)ls, w * (size_t)ls);
    else
        above = NULL;
    while (i < n && (!above || (i = skip_equal(row, above, i, n)) < n)) {
        size_t x = i / size;
        do {
            pixel_put(d, lab, x, row + x * size, kind, ls);
            x++;
            if (x >= w)
                break;
        } while (!above || pixel_key(row + x * size, kind) != pixel_key(above + x * size, kind)
                 || (kind == KIND_RGBX && d->alpha_void && row[x * size + 3] != above[x * size + 3]));
        i = x * size;
    }
    if (d->dirty)
        ids_account(d, row, lab, w, y, kind, ls);
}

FK_INLINE void job_rows(Job *j, int kind, int ls)
{
    size_t y;
    if (!j->width)
        return;
    for (y = 0; y < j->height && !j->ids.strays.failed && !j->ids.bad; y++)
        job_row(j, &j->ids, y, kind, ls);
}

static void job_run(Job *j, int kind, int ls)
{
    if (kind == KIND_8)
        ls == 1 ? job_rows(j, KIND_8, 1) : job_rows(j, KIND_8, 4);
    else if (kind == KIND_16)
        ls == 1 ? job_rows(j, KIND_16, 1) : job_rows(j, KIND_16, 4);
    else if (kind == KIND_32)
        ls == 1 ? job_rows(j, KIND_32, 1) : job_rows(j, KIND_32, 4);
    else if (kind == KIND_RGB)
        ls == 1 ? job_rows(j, KIND_RGB, 1) : job_rows(j, KIND_RGB, 4);
    else
        ls == 1 ? job_rows(j, KIND_RGBX, 1) : job_rows(j, KIND_RGBX, 4);
}

/* What the buffer is, -1 if nothing this kernel knows. */
static int job_kind(Job *j, const Py_buffer *src)
{
    int kind = -1;
    if (src->ndim == 2 && src->strides[1] == src->itemsize) {
        kind = src->itemsize == 1 ? KIND_8 : src->itemsize == 2 ? KIND_16 : src->itemsize == 4 ? KIND_32 : -1;
        j->tail = (size_t)src->itemsize;
    } else if (src->ndim == 3 && src->itemsize == 1 && src->strides[2] == 1
               && (src->shape[2] == 3 || src->shape[2] == 4)) {
        kind = src->strides[1] == 4 ? KIND_RGBX : src->strides[1] == 3 && src->shape[2] == 3 ? KIND_RGB : -1;
        j->tail = (size_t)src->shape[2];
        if (src->shape[2] == 3)
            j->ids.alpha_void = 0;
    }
    if (kind < 0)
        return -1;
    j->src = src->buf;
    j->src_pitch = src->strides[0];
    j->height = (size_t)src->shape[0];
    j->width = (size_t)src->shape[1];
    return j->height > 0x7fffffff || j->width > 0x7fffffff ? -1 : kind;
}

/*
 * array_to_ids(src, out, table, label_bytes, alpha_void, void_key, multiplier,
 *              limit) -> (unknown pixels, complete, records)
 *
 * src: (H, W) of 1, 2 or 4 bytes, or (H, W, 3 | 4) of bytes; strided rows.
 * table: 256 int32 codes for one-byte pixels, a lookup for others.
 */
static PyObject *array_to_ids(PyObject *self, PyObject *args)
{
    PyObject *src_object, *out_object, *table, *made = NULL;
    Py_buffer src, out;
    unsigned long long void_key, mult;
    unsigned long limit;
    int ls, alpha_void, kind;
    Job job;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOipKKk", &src_object, &out_object, &table, &ls, &alpha_void,
                          &void_key, &mult, &limit))
        return NULL;
    memset(&job, 0, sizeof job);
    if ((ls != 1 && ls != 4) || limit > (1 << 24)) {
        PyErr_SetString(PyExc_ValueError, "labels are of 1 or 4 bytes");
        return NULL;
    }
    if (PyObject_GetBuffer(src_object, &src, PyBUF_STRIDED_RO) < 0)
        return NULL;
    if (PyObject_GetBuffer(out_object, &out, PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS) < 0) {
        PyBuffer_Release(&src);
        return NULL;
    }
    job.ids.alpha_void = alpha_void;
    job.ids.void_key = void_key;
    job.ids.strays.mult = mult | 1;
    job.ids.strays.limit = (uint32_t)limit;
    kind = job_kind(&job, &src);
    if (kind < 0) {
        PyErr_SetString(PyExc_ValueError, "not an array layout this kernel knows");
    } else if ((uint64_t)out.len != (uint64_t)job.width * job.height * (uint64_t)ls) {
        PyErr_SetString(PyExc_ValueError, "out has not the size of the array");
    } else if (kind == KIND_8 ? ids_set_codes(&job.ids, table, 256, ls) : ids_set_lookup(&job.ids, table, ls)) {
        job.out = out.buf;
        Py_BEGIN_ALLOW_THREADS
        job_run(&job, kind, ls);
        Py_END_ALLOW_THREADS
        if (job.ids.bad)
            PyErr_SetString(PyExc_ValueError, "a palette index past the end of the palette");
        else
            made = strays_result(&job.ids.strays);
    }
    strays_free(&job.ids.strays);
    PyBuffer_Release(&out);
    PyBuffer_Release(&src);
    return made;
}

/* ----------------------------------------------------------------- module */

static PyMethodDef kernel_methods[] = {
    {"lookup_new", lookup_new, METH_VARARGS, NULL},
    {"rows_new", rows_new, METH_VARARGS, NULL},
    {"rows_feed", rows_feed, METH_VARARGS, NULL},
    {"rows_finish", rows_finish, METH_VARARGS, NULL},
    {"array_to_ids", array_to_ids, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot kernel_slots[] = {{0, NULL}};

static struct PyModuleDef kernel_module = {
    PyModuleDef_HEAD_INIT, "framekit.decoding._kernels", NULL, 0, kernel_methods, kernel_slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&kernel_module);
}
