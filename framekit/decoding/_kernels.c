/*
 * Pixels to label ids.
 *
 * Pictures whose values are exact, three kinds of object, each a capsule, no other
 * state:
 *
 *   lookup   an immutable open-addressing hash: 32-bit key -> id
 *   rows     filtered PNG rows, fed in pieces, to labels or to raw pixels
 *   (arrays  one call, no object)
 *
 * Codes: an id is 0 .. 2^31-1; VOID, UNKNOWN and BAD are negative.  Labels are
 * uint8 (everything negative is 255) or int32 (everything negative is -1).
 *
 * Planes of lossy video, one call a picture, no object: integer arithmetic throughout,
 * so that labels equal those of the NumPy twins in repair/ to the bit on every
 * compiler.  The twins say why each rule is there.  For these the file includes
 * itself twice: for labels of 8 and of 16 bits.
 *
 * No function here sees a file.  Every size comes from Python and is checked
 * here again against the buffers it is used on; no loop takes its bounds from
 * pixel data.  The GIL is released around all work on pixels.
 */
#ifndef LABEL_BITS

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <limits.h>
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

/* ------------------------------------------- planes: what all labels share */

enum {
    SCALE = 8,             /* a code, in units of centroids */
    LARGEST = 255 * SCALE, /* largest coordinate and luma difference */
    CELLS = 32 * 32 * 32,
    FOREIGN = 24 * 24 * SCALE * SCALE,
    FLAT = 2, /* how much codes of a flat region vary at most */
    MOST_LABELS = 65534,
    EDGE = 224,
    DIAGONAL = 96,
    ABSENT = 1024,
    PLAIN_LUMA = 512,
    PLAIN_CHROMA = 512,
    CANDIDATES = 4,
    SWEEPS = 3,
    UNREST = 2 * 256,
    MARGIN = 24 * 64,
    DOUBT = 4,
    SMALLEST_NOISE = 128,
    LARGEST_NOISE = 14 * 256,
    LARGEST_SIDE = 1 << 16,
    LANES = 8,
    NEVER = 1 << 28
};

enum { MODE_FULL = 0, MODE_FAST = 1, MODE_NEAREST = 2 };

typedef struct {
    const uint8_t *data;
    ptrdiff_t stride;
    int height, width;
} Plane;

typedef struct {
    int count;
    const int32_t *centroids, *tight, *wide;
    const void *grid;
    const int32_t *starts, *items;
} Codebook;

/* Energies of one frame; see energy.Energies. Tables of labels are padded to a multiple
 * of LANES and share one allocation. */
typedef struct {
    int16_t luma[LARGEST + 1];
    int16_t seen[256];
    int padded;
    int16_t *center;             /* luma of each label, 1/8 code */
    int16_t *whole_u, *whole_v;
    int16_t *own, *near_;        /* pairs u, v */
    int32_t *penalty;            /* of labels that are absent; NEVER beyond the last */
    int32_t *tint;               /* scratch: chroma energies */
} Energies;

/* Ranges of 2^bits codes that lie within a label's tight ball. */
typedef struct {
    uint8_t y, u, v;  /* lowest codes */
    uint8_t mask;     /* ~(2^bits - 1), or 0: no such range */
} Box;

/* An ambiguous block. */
typedef struct {
    int32_t by, bx;
    uint8_t luma[4];
    uint8_t u, v;
    uint8_t doubt;     /* bit per pixel */
    uint8_t kept;      /* labels to try */
    uint8_t choice[4]; /* current labels, as indices into candidate */
    uint16_t candidate[CANDIDATES];
    int16_t unary[4][CANDIDATES];
    int32_t listed;  /* number of labels present, 0: all */
    size_t list;     /* where they start */
} Block;

/* Nearest labels found so far, by color. */
enum { NEAREST_BITS = 12 };
typedef struct {
    int32_t color, label, square;
} Nearest;

typedef struct {
    Plane y, u, v;
    Codebook book;
    void *labels;      /* even size, contiguous */
    int mode;
    int high, across;  /* in blocks */
    /* results */
    int64_t ambiguous, foreign;
    int noise;
    uint32_t *doubtful;  /* places of uncertain pixels, in reading order of blocks */
    size_t doubts;
    /* scratch */
    ptrdiff_t pitch;   /* of the lines below, in labels */
    void *sure;        /* the last 8 lines: label of a sure block */
    void *pairs;       /* two labels that pixels of an ambiguous block agree on */
    Box *boxes;
    uint64_t bits[256]; /* a bit for each label below 64 */
    int step_x, step_y; /* shifts from pixels to chroma samples */
    uint32_t *places;   /* ambiguous pixels */
    size_t places_room;
    Nearest *nearest;   /* cache of searches, or NULL */
    int64_t inexact;
    Block *blocks;
    size_t room;
    uint16_t *lists;
    size_t listed, lists_room;
    uint32_t residuals[LARGEST + 1];
    Energies energies;
} Picture;

static int64_t
square_root(int64_t number)
{
    int64_t root = 0, bit;

    for (bit = (int64_t)1 << 30; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= number)
            root += bit;
    return root;
}

static int
noise_of(const uint32_t *histogram)
{
    int64_t total = 0, sum = 0, noise;
    int value, low = -1;

    for (value = 0; value <= LARGEST; value++)
        total += histogram[value];
    if (!total)
        return SMALLEST_NOISE;
    for (value = 0; value <= LARGEST; value++) {
        sum += histogram[value];
        if (low < 0 && sum > (total - 1) / 2)
            low = value;
        if (sum > total / 2)
            break;
    }
    noise = (2368 * (int64_t)(low + value) + 7680 + 50) / 100;
    return noise < SMALLEST_NOISE ? SMALLEST_NOISE
         : noise > LARGEST_NOISE  ? LARGEST_NOISE
                                  : (int)noise;
}

static void
fill_energies(Energies *energies, const Codebook *book, int noise)
{
    int64_t square = (int64_t)noise * noise;
    int gain = (int)square_root(((int64_t)192 << 40) / (square + (49 << 16)));
    int i, k;

    for (i = 0; i <= LARGEST; i++) {
        int64_t energy = 32 * i < 2 * noise
                             ? (65536 * (int64_t)i * i + square / 2) / square
                             : (8192 * (int64_t)i + noise / 2) / noise - 256;
        energies->luma[i] = (int16_t)(energy < 80 * 64 ? energy : 80 * 64);
    }
    for (i = 0; i < 256; i++)
        energies->seen[i] = (int16_t)((128 * i * gain + (1 << 13)) >> 14);
    for (k = 0; k < book->count; k++) {
        energies->center[k] = (int16_t)book->centroids[3 * k];
        energies->penalty[k] = ABSENT;
        for (i = 0; i < 2; i++) {
            int chroma = book->centroids[3 * k + 1 + i];
            int16_t *whole = i ? energies->whole_v : energies->whole_u;
            whole[k] = (int16_t)((16 * chroma * gain + (1 << 13)) >> 14);
            energies->own[2 * k + i] = (int16_t)((3 * chroma * gain + (1 << 13)) >> 14);
            energies->near_[2 * k + i] = (int16_t)((chroma * gain + (1 << 13)) >> 14);
        }
    }
    for (; k < energies->padded; k++) {
        energies->center[k] = energies->whole_u[k] = energies->whole_v[k] = 0;
        energies->penalty[k] = NEVER;
    }
}

static int
allocate_energies(Energies *energies, int count)
{
    size_t padded = ((size_t)count + LANES - 1) / LANES * LANES;
    int32_t *tables = malloc(padded * (2 * sizeof(int32_t) + 7 * sizeof(int16_t)));

    if (!tables)
        return 0;
    energies->padded = (int)padded;
    energies->penalty = tables;
    energies->tint = tables + padded;
    energies->center = (int16_t *)(tables + 2 * padded);
    energies->whole_u = energies->center + padded;
    energies->whole_v = energies->center + 2 * padded;
    energies->own = energies->center + 3 * padded;
    energies->near_ = energies->center + 5 * padded;
    return 1;
}

static inline int
chroma_energy(int du, int dv)
{
    return (du * du + dv * dv) >> 10;
}

/* How far the ends of a range of codes lie from a centroid's coordinate, 1/8 code. */
static int
reach_of(int center, int bits, uint8_t *lowest)
{
    int size = 1 << bits, low = (center + SCALE / 2) / SCALE - size / 2, high;

    low = low < 0 ? 0 : low > 256 - size ? 256 - size : low;
    high = (low + size - 1) * SCALE;
    *lowest = (uint8_t)low;
    return abs(low * SCALE - center) > abs(high - center) ? abs(low * SCALE - center)
                                                          : abs(high - center);
}

static void
fill_box(Box *box, const Codebook *book, int label)
{
    const int32_t *center = book->centroids + 3 * label;
    int bits;

    for (bits = 3; bits >= 0; bits--) {
        int y = reach_of(center[0], bits, &box->y), u = reach_of(center[1], bits, &box->u);
        int v = reach_of(center[2], bits, &box->v);
        box->mask = (uint8_t)~((1 << bits) - 1);
        if (4 * y * y + u * u + v * v <= book->tight[label])
            return;
    }
    box->mask = 0;
}

/* A byte with a bit set for each that differs between any code and *low*, less carry. */
static inline unsigned
spread(const uint8_t *codes, uint8_t low, int count)
{
    uint8_t bits = 0;
    int i;

    for (i = 0; i < count; i++)
        bits |= (uint8_t)(codes[i] - low);
    return bits;
}

/* Whether 32 x 2 pixels and their 16 chroma samples lie within a box. */
static inline int
is_in_box(const uint8_t *y0, const uint8_t *y1, const uint8_t *u, const uint8_t *v, Box box)
{
#ifdef FK_SSE2
    const __m128i y = _mm_set1_epi8((char)box.y), zero = _mm_setzero_si128();
    __m128i a = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)y0), y);
    __m128i b = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(y0 + 16)), y);
    __m128i c = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)y1), y);
    __m128i d = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(y1 + 16)), y);
    __m128i e = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)u), _mm_set1_epi8((char)box.u));
    __m128i f = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)v), _mm_set1_epi8((char)box.v));
    a = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    a = _mm_and_si128(_mm_or_si128(a, _mm_or_si128(e, f)), _mm_set1_epi8((char)box.mask));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, zero)) == 0xffff;
#else
    return !((spread(y0, box.y, 32) | spread(y1, box.y, 32) | spread(u, box.u, 16) |
              spread(v, box.v, 16)) & box.mask);
#endif
}

/* Whether 8 x 2 pixels and their 4 chroma samples do. */
static inline int
is_in_small_box(const uint8_t *y0, const uint8_t *y1, const uint8_t *u, const uint8_t *v, Box box)
{
#ifdef FK_SSE2
    uint32_t us, vs;
    __m128i a, b;
    memcpy(&us, u, 4);
    memcpy(&vs, v, 4);
    a = _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)y0), _mm_loadl_epi64((const __m128i *)y1));
    b = _mm_unpacklo_epi32(_mm_cvtsi32_si128((int)us), _mm_cvtsi32_si128((int)vs));
    a = _mm_sub_epi8(a, _mm_set1_epi8((char)box.y));
    b = _mm_sub_epi8(b, _mm_unpacklo_epi32(_mm_set1_epi8((char)box.u), _mm_set1_epi8((char)box.v)));
    a = _mm_or_si128(a, _mm_move_epi64(b));
    a = _mm_and_si128(a, _mm_set1_epi8((char)box.mask));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128())) == 0xffff;
#else
    return !((spread(y0, box.y, 8) | spread(y1, box.y, 8) | spread(u, box.u, 4) |
              spread(v, box.v, 4)) & box.mask);
#endif
}

/* Whether a color is far from every centroid. */
static int
is_foreign(const Codebook *book, int y, int u, int v)
{
    int k;

    for (k = 0; k < book->count; k++) {
        int dy = y * SCALE - book->centroids[3 * k];
        int du = u * SCALE - book->centroids[3 * k + 1];
        int dv = v * SCALE - book->centroids[3 * k + 2];
        if (dy * dy + du * du + dv * dv <= FOREIGN)
            return 0;
    }
    return 1;
}

/* Room for one more block, and for *listed* more labels: 0 if there is none. */
static int
make_room(Picture *job, size_t listed)
{
    if ((size_t)job->ambiguous >= job->room) {
        size_t room = job->room ? job->room * 2 : 4096;
        Block *blocks = realloc(job->blocks, room * sizeof(Block));
        if (!blocks)
            return 0;
        job->blocks = blocks;
        job->room = room;
    }
    if (job->listed + listed > job->lists_room) {
        size_t room = (job->lists_room ? job->lists_room * 2 : 16384) + listed;
        uint16_t *lists = realloc(job->lists, room * sizeof(uint16_t));
        if (!lists)
            return 0;
        job->lists = lists;
        job->lists_room = room;
    }
    return 1;
}

static inline int
lowest_bit(uint64_t word)
{
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(word);
#elif defined(_MSC_VER) && defined(_M_X64)
    unsigned long place;
    _BitScanForward64(&place, word);
    return (int)place;
#else
    int place = 0;
    while (!(word >> place & 1))
        place++;
    return place;
#endif
}

/* Count each pixel's luma residual under the present label that explains it best. */
static void
count_residuals(Picture *job, const Block *block)
{
    const uint16_t *list = job->lists + block->list;
    const int32_t *centroids = job->book.centroids;
    int listed = block->listed, i, n;

    for (i = 0; i < 4; i++) {
        int least = INT_MAX, luma = block->luma[i] * SCALE;
        if (listed)
            for (n = 0; n < listed; n++) {
                int away = abs(luma - centroids[3 * list[n]]);
                least = away < least ? away : least;
            }
        else
            for (n = 0; n < job->book.count; n++) {
                int away = abs(luma - centroids[3 * n]);
                least = away < least ? away : least;
            }
        job->residuals[least]++;
    }
}

/* The four smallest keys so far, ascending. */
static inline void
keep_best(int64_t *best, int64_t key)
{
    int i;

    for (i = 0; i < CANDIDATES; i++) { /* without branches */
        int64_t less = key < best[i] ? key : best[i];
        key = key < best[i] ? best[i] : key;
        best[i] = less;
    }
}

static inline int
ranking(int luma, int tint, int penalty)
{
    return luma + (tint * 41 >> 10) + penalty;
}

/* Rank the labels present by score into *best; whether they explain the block. */
static int
rank_present(const Picture *job, const Block *block, int64_t *best)
{
    const Energies *energies = &job->energies;
    const int16_t *luma = energies->luma;
    const uint16_t *list = job->lists + block->list;
    const int u = energies->seen[block->u], v = energies->seen[block->v];
    int64_t least[4] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    int worst = 0, mean_u = 0, mean_v = 0, i, n;

    for (n = 0; n < block->listed; n++) {
        int k = list[n], center = energies->center[k], closest = INT_MAX;
        int tint = chroma_energy(u - energies->whole_u[k], v - energies->whole_v[k]);
        int fixed = tint * 102 >> 10;
        energies->tint[k] = tint;
        for (i = 0; i < 4; i++) {
            int cost = luma[abs(block->luma[i] * SCALE - center)];
            int64_t key = ((int64_t)(cost + fixed) << 32) | ((int64_t)k << 16) | cost;
            closest = cost < closest ? cost : closest;
            least[i] = key < least[i] ? key : least[i];
        }
        keep_best(best, (int64_t)ranking(closest, tint, 0) << 16 | k);
    }
    for (i = 0; i < 4; i++) {
        int cost = (int)(least[i] & 0xFFFF), k = (int)(least[i] >> 16 & 0xFFFF);
        worst = cost > worst ? cost : worst;
        mean_u += energies->whole_u[k];
        mean_v += energies->whole_v[k];
    }
    return worst < PLAIN_LUMA && chroma_energy(u - (mean_u >> 2), v - (mean_v >> 2)) < PLAIN_CHROMA;
}

/* Rank all labels by score into *best. */
static void
rank_all(const Picture *job, const Block *block, int64_t *best)
{
    const Energies *energies = &job->energies;
    const int16_t *luma = energies->luma;
    const uint16_t *list = job->lists + block->list;
    const int16_t y0 = (int16_t)(block->luma[0] * SCALE), y1 = (int16_t)(block->luma[1] * SCALE);
    const int16_t y2 = (int16_t)(block->luma[2] * SCALE), y3 = (int16_t)(block->luma[3] * SCALE);
    const int16_t u = energies->seen[block->u], v = energies->seen[block->v];
    int32_t *penalty = energies->penalty;
    int many = energies->padded > 4 * LANES, j, k, n;

    for (n = 0; n < block->listed; n++)
        penalty[list[n]] = 0;
    for (k = 0; k < energies->padded; k += LANES) {
        int16_t away[LANES];
        int32_t tint[LANES];
        for (j = 0; j < LANES; j++) {
            int16_t c = energies->center[k + j];
            int16_t a = (int16_t)(y0 - c), b = (int16_t)(y1 - c);
            int16_t d = (int16_t)(y2 - c), e = (int16_t)(y3 - c);
            a = a < 0 ? (int16_t)-a : a;
            b = b < 0 ? (int16_t)-b : b;
            d = d < 0 ? (int16_t)-d : d;
            e = e < 0 ? (int16_t)-e : e;
            a = a < b ? a : b;
            d = d < e ? d : e;
            away[j] = a < d ? a : d;
        }
        for (j = 0; j < LANES; j++) {
            int16_t du = (int16_t)(u - energies->whole_u[k + j]);
            int16_t dv = (int16_t)(v - energies->whole_v[k + j]);
            tint[j] = (du * du + dv * dv) >> 10;
        }
        for (j = 0; j < LANES; j++) {
            int64_t key = (int64_t)ranking(luma[away[j]], tint[j], penalty[k + j]) << 16 | (k + j);
            if (!many || key < best[CANDIDATES - 1])
                keep_best(best, key);
        }
        memcpy(energies->tint + k, tint, sizeof(tint));
    }
    for (n = 0; n < block->listed; n++)
        penalty[list[n]] = ABSENT;
}

/* Choose the labels to try in a block and each pixel's first one, count its residual. */
static void
choose_candidates(const Picture *job, Block *block, uint32_t *residuals)
{
    const Energies *energies = &job->energies;
    const uint16_t *list = job->lists + block->list;
    int least[4] = {INT_MAX, INT_MAX, INT_MAX, INT_MAX}, residual[4] = {0, 0, 0, 0};
    int64_t best[CANDIDATES] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    int plain = block->listed && rank_present(job, block, best);
    int kept = plain ? block->listed : job->book.count, i, m, n;

    block->kept = (uint8_t)(kept < CANDIDATES ? kept : CANDIDATES);
    if (!plain) {
        for (i = 0; i < CANDIDATES; i++)
            best[i] = INT64_MAX;
        rank_all(job, block, best);
    }
    for (n = 0; n < block->kept; n++) {
        int label = (int)(best[n] & 0xFFFF), center = energies->center[label];
        int absent = block->listed ? ABSENT : 0, fixed;
        for (m = 0; m < block->listed; m++)
            absent = list[m] == label ? 0 : absent;
        fixed = absent + (energies->tint[label] * 102 >> 10);
        block->candidate[n] = (uint16_t)label;
        block->unary[0][n] = (int16_t)absent;
        for (i = 0; i < 4; i++) {
            int away = abs(block->luma[i] * SCALE - center), now = energies->luma[away] + fixed;
            int less = now < least[i];
            least[i] = less ? now : least[i];
            residual[i] = less ? away : residual[i];
            block->choice[i] = less ? (uint8_t)n : block->choice[i];
        }
    }
    for (i = 0; i < 4; i++)
        residuals[residual[i]]++;
}

/* Energies of each pixel's labels on their own; unary[0] holds the absence penalty. */
static void
fill_unary(const Picture *job, Block *block)
{
    const int16_t *luma = job->energies.luma;
    int i, n;

    for (n = 0; n < block->kept; n++) {
        int center = job->book.centroids[3 * block->candidate[n]];
        int absent = block->unary[0][n];
        for (i = 0; i < 4; i++)
            block->unary[i][n] =
                (int16_t)(absent + luma[abs(block->luma[i] * SCALE - center)]);
    }
}

/* What a block sees of its surroundings, for minimize(). */
typedef struct {
    int cost[4][CANDIDATES];            /* of each pixel's label, with the ring */
    int upper[CANDIDATES][2], lower[CANDIDATES][2]; /* chroma of a pixel above, below */
    int around[2];                      /* fixed chroma of the block itself */
    int near_[CANDIDATES][2];           /* chroma in the blocks above and below */
    int above[2], below[2];             /* their fixed chroma */
    int has_above, has_below;           /* all bits, or none */
} Scene;

/* Labels of two pixels side by side: energy and place (8 bits), and their chroma. */
typedef struct {
    int key, u, v;
} Pair;

enum { PLACES = 8 };

static inline int
differ(int a, int b)
{
    return a != b;
}

static inline int
upper_energy(const Scene *s, int a, int b)
{
    return s->cost[0][a] + s->cost[1][b] + EDGE * differ(a, b) +
           (chroma_energy(s->above[0] + s->near_[a][0] + s->near_[b][0],
                          s->above[1] + s->near_[a][1] + s->near_[b][1]) &
            s->has_above);
}

static inline int
lower_energy(const Scene *s, int c, int d)
{
    return s->cost[2][c] + s->cost[3][d] + EDGE * differ(c, d) +
           (chroma_energy(s->below[0] + s->near_[c][0] + s->near_[d][0],
                          s->below[1] + s->near_[c][1] + s->near_[d][1]) &
            s->has_below);
}

static inline int
joint_energy(int a, int b, int c, int d)
{
    return EDGE * (differ(a, c) + differ(b, d)) + DIAGONAL * (differ(a, d) + differ(b, c));
}

static inline int
least_of(int a, int b)
{
    return a < b ? a : b;
}

/* The labeling of least energy (the first of equals), by branch and bound from the
 * current one, into choice; returns a bit for each pixel that could differ for less
 * than MARGIN more. Labels beyond the last candidate cost NEVER. Branches that would
 * be taken at random are avoided. */
static int
minimize(const Scene *s, uint8_t *choice)
{
    Pair uppers[CANDIDATES * CANDIDATES], lowers[CANDIDATES * CANDIDATES];
    int columns[CANDIDATES * CANDIDATES], least[4], others[4][CANDIDATES];
    int alive[4][CANDIDATES], living[4];
    int count_upper = 0, count_lower = 0, least_upper = INT_MAX, least_lower = INT_MAX;
    int limit, rest, spare, i, j, doubt = 0, best = INT_MAX;
    int c0 = choice[0], c1 = choice[1], c2 = choice[2], c3 = choice[3];

    limit = upper_energy(s, c0, c1) + lower_energy(s, c2, c3) + joint_energy(c0, c1, c2, c3) +
            chroma_energy(s->upper[c0][0] + s->upper[c1][0] + s->lower[c2][0] + s->lower[c3][0] + s->around[0],
                          s->upper[c0][1] + s->upper[c1][1] + s->lower[c2][1] + s->lower[c3][1] + s->around[1]) +
            MARGIN;
    for (i = 0; i < 4; i++) {
        least[i] = s->cost[i][0];
        for (j = 1; j < CANDIDATES; j++)
            least[i] = least_of(least[i], s->cost[i][j]);
    }
    spare = limit - (least[0] + least[1] + least[2] + least[3]);
    for (i = 0; i < 4; i++) {
        living[i] = 0;
        for (j = 0; j < CANDIDATES; j++) {
            alive[i][living[i]] = j;
            living[i] += s->cost[i][j] - least[i] < spare;
            others[i][j] = INT_MAX;
        }
    }
    if (living[0] + living[1] + living[2] + living[3] == 4)
        return 0; /* the current labeling is the only one */
    rest = least[2] + least[3];
    for (i = 0; i < living[0]; i++)
        for (j = 0; j < living[1]; j++) {
            int a = alive[0][i], b = alive[1][j], energy = upper_energy(s, a, b);
            Pair *pair = &uppers[count_upper];
            pair->key = energy << PLACES | a << 6 | b << 4;
            pair->u = s->upper[a][0] + s->upper[b][0] + s->around[0];
            pair->v = s->upper[a][1] + s->upper[b][1] + s->around[1];
            least_upper = least_of(least_upper, energy);
            count_upper += energy + rest < limit;
        }
    for (i = 0; i < living[2]; i++)
        for (j = 0; j < living[3]; j++) {
            int a = alive[2][i], b = alive[3][j], energy = lower_energy(s, a, b);
            Pair *pair = &lowers[count_lower];
            columns[count_lower] = INT_MAX;
            pair->key = energy << PLACES | a << 2 | b;
            pair->u = s->lower[a][0] + s->lower[b][0];
            pair->v = s->lower[a][1] + s->lower[b][1];
            least_lower = least_of(least_lower, energy);
            count_lower += energy + least_upper < limit;
        }
    for (i = 0; i < count_upper; i++) {
        const Pair *top = &uppers[i];
        int a = top->key >> 6 & 3, b = top->key >> 4 & 3, row = INT_MAX;
        int third[CANDIDATES], fourth[CANDIDATES];
        if ((top->key >> PLACES) + least_lower >= limit)
            continue;
        for (j = 0; j < CANDIDATES; j++) {
            third[j] = (EDGE * differ(a, j) + DIAGONAL * differ(b, j)) << PLACES;
            fourth[j] = (EDGE * differ(b, j) + DIAGONAL * differ(a, j)) << PLACES;
        }
        for (j = 0; j < count_lower; j++) {
            const Pair *low = &lowers[j];
            int key = top->key + low->key + third[low->key >> 2 & 3] + fourth[low->key & 3] +
                      (chroma_energy(top->u + low->u, top->v + low->v) << PLACES);
            row = least_of(row, key);
            columns[j] = least_of(columns[j], key);
        }
        best = least_of(best, row);
        others[0][a] = least_of(others[0][a], row);
        others[1][b] = least_of(others[1][b], row);
    }
    for (j = 0; j < count_lower; j++) {
        int c = lowers[j].key >> 2 & 3, d = lowers[j].key & 3;
        others[2][c] = least_of(others[2][c], columns[j]);
        others[3][d] = least_of(others[3][d], columns[j]);
    }
    limit = (best >> PLACES) + MARGIN;
    for (i = 0; i < 4; i++) {
        int chosen = best >> (6 - 2 * i) & 3;
        choice[i] = (uint8_t)chosen;
        for (j = 0; j < CANDIDATES; j++)
            doubt |= ((j != chosen) & (others[i][j] >> PLACES < limit)) << i;
    }
    return doubt;
}

/* The nearest centroid (the first of equals) and its squared distance, 1/64 code. */
static const Nearest *
find_nearest(Picture *job, int y, int u, int v)
{
    const int32_t *center = job->book.centroids;
    int32_t color = y << 16 | u << 8 | v;
    Nearest *entry =
        &job->nearest[((uint32_t)color * 2654435761u) >> (32 - NEAREST_BITS)];
    int k;

    if (entry->color == color)
        return entry;
    entry->color = color;
    entry->square = INT_MAX;
    for (k = 0; k < job->book.count; k++, center += 3) {
        int dy = y * SCALE - center[0], du = u * SCALE - center[1], dv = v * SCALE - center[2];
        int square = dy * dy + du * du + dv * dv;
        if (square < entry->square) {
            entry->square = square;
            entry->label = k;
        }
    }
    return entry;
}

static int
start_nearest(Picture *job)
{
    size_t i;

    job->nearest = malloc(sizeof(Nearest) << NEAREST_BITS);
    for (i = 0; job->nearest && i < (size_t)1 << NEAREST_BITS; i++)
        job->nearest[i].color = -1;
    return job->nearest != NULL;
}

static int
add_place(Picture *job, uint32_t place)
{
    if ((size_t)job->ambiguous >= job->places_room) {
        size_t room = job->places_room ? job->places_room * 2 : 16384;
        uint32_t *places = realloc(job->places, room * sizeof(uint32_t));
        if (!places)
            return 0;
        job->places = places;
        job->places_room = room;
    }
    job->places[job->ambiguous++] = place;
    return 1;
}

/* Whether *count* (a multiple of 8) pixels from x on equal the pixel before them. Packed
 * planes of 3 bytes a pixel are read once, between the first and the last byte. */
static inline int
is_run(const uint8_t *a, const uint8_t *b, const uint8_t *c, int x, int step, int count)
{
    ptrdiff_t at = (ptrdiff_t)x * step;
    uint64_t change = 0, now, then;
    int i;

    if (step == 1) {
        for (i = 0; i < count; i += 8) {
            memcpy(&now, a + at + i, 8);
            memcpy(&then, a + at + i - 1, 8);
            change |= now ^ then;
            memcpy(&now, b + at + i, 8);
            memcpy(&then, b + at + i - 1, 8);
            change |= now ^ then;
            memcpy(&now, c + at + i, 8);
            memcpy(&then, c + at + i - 1, 8);
            change |= now ^ then;
        }
        return !change;
    }
    if (step == 3 && ((b == a + 1 && c == a + 2) || (b == c + 1 && a == c + 2))) {
        const uint8_t *p = (a < c ? a : c) + at;
        for (i = 0; i < 3 * count; i += 8) {
            memcpy(&now, p + i, 8);
            memcpy(&then, p + i - 3, 8);
            change |= now ^ then;
        }
        return !change;
    }
    for (i = 0; i < count; i++, at += step)
        if (a[at] != a[at - step] || b[at] != b[at - step] || c[at] != c[at - step])
            return 0;
    return 1;
}

/* Whether the values of a plane from (y, x) on vary little; their middle. */
static int
is_flat(const Plane *plane, int y, int x, int rows, int columns, int *middle)
{
    int low = 255, high = 0, i, j;

    for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) {
            int code = plane->data[plane->stride * (y + i) + x + j];
            low = code < low ? code : low;
            high = code > high ? code : high;
        }
    *middle = (low + high) / 2;
    return high - low <= FLAT;
}

/* Whether the chroma sample that starts at pixel (y, x) is of a flat foreign color:
 * flat with the eight around it. */
static int
is_foreign_sample(const Picture *job, int y, int x)
{
    int rows = 1 << job->step_y, columns = 1 << job->step_x;
    int high = job->y.height >> job->step_y, wide = job->y.width >> job->step_x;
    int top, left, down, across, u, v, middle;

    if ((y & (rows - 1)) || (x & (columns - 1)) || y + rows > job->y.height ||
        x + columns > job->y.width || !is_flat(&job->y, y, x, rows, columns, &middle))
        return 0;
    y >>= job->step_y;
    x >>= job->step_x;
    top = y ? y - 1 : 0;
    left = x ? x - 1 : 0;
    down = (y + 2 < high ? y + 2 : high) - top;
    across = (x + 2 < wide ? x + 2 : wide) - left;
    if (!is_flat(&job->u, top, left, down, across, &u) ||
        !is_flat(&job->v, top, left, down, across, &v) ||
        !is_flat(&job->y, top * rows, left * columns, down * rows, across * columns, &u))
        return 0;
    u = job->u.data[job->u.stride * y + x];
    v = job->v.data[job->v.stride * y + x];
    return is_foreign(&job->book, middle, u, v);
}

/* Add a block's uncertain pixels, of those inside the picture. */
static void
list_doubts(Picture *job, const Block *block)
{
    int i;

    for (i = 0; i < 4; i++) {
        int y = 2 * block->by + i / 2, x = 2 * block->bx + i % 2;
        if ((block->doubt >> i & 1) && y < job->y.height && x < job->y.width)
            job->doubtful[job->doubts++] = (uint32_t)y * (uint32_t)job->y.width + (uint32_t)x;
    }
}

#define LABEL_BITS 8
#include "_kernels.c"
#undef LABEL_BITS
#define LABEL_BITS 16
#include "_kernels.c"

/* ------------------------------------------------- planes: what Python calls */

typedef struct {
    Py_buffer views[16];
    int count;
} Views;

static void
release(Views *views)
{
    while (views->count)
        PyBuffer_Release(&views->views[--views->count]);
}

static Py_buffer *
get_view(Views *views, PyObject *object, int flags)
{
    Py_buffer *view = &views->views[views->count];

    if (PyObject_GetBuffer(object, view, flags) < 0)
        return NULL;
    views->count++;
    return view;
}

/* A plane of bytes; lines may lie any distance apart, pixels *step* bytes. */
static int
get_spread_plane(Views *views, PyObject *object, Plane *plane, int step)
{
    Py_buffer *view = get_view(views, object, PyBUF_STRIDES);

    if (!view)
        return 0;
    if (view->ndim != 2 || view->itemsize != 1 || view->shape[0] < 1 ||
        view->shape[1] < 1 || view->shape[0] > LARGEST_SIDE ||
        view->shape[1] > LARGEST_SIDE ||
        (view->shape[1] > 1 && view->strides[1] != step)) {
        PyErr_SetString(PyExc_ValueError,
                        "a plane must be 2-D uint8, not empty, its pixels evenly spread");
        return 0;
    }
    plane->data = view->buf;
    plane->stride = view->strides[0];
    plane->height = (int)view->shape[0];
    plane->width = (int)view->shape[1];
    return 1;
}

static int
get_plane(Views *views, PyObject *object, Plane *plane)
{
    return get_spread_plane(views, object, plane, 1);
}

/* A contiguous array of *count* items (any number if negative) of *size* bytes. */
static void *
get_array(Views *views, PyObject *object, Py_ssize_t size, Py_ssize_t count, int writable,
          Py_ssize_t *found)
{
    Py_buffer *view =
        get_view(views, object, PyBUF_ND | (writable ? PyBUF_WRITABLE : 0));

    if (!view)
        return NULL;
    if (view->itemsize != size || (count >= 0 && view->len != count * size)) {
        PyErr_SetString(PyExc_ValueError, "a buffer has the wrong size or item size");
        return NULL;
    }
    if (found)
        *found = view->len / size;
    return view->buf;
}

/* Centroids, (K, 3), each within 0..LARGEST. */
static int
get_centroids(Views *views, PyObject *object, Codebook *book)
{
    Py_ssize_t found;
    int i, bad = 0;

    if (!(book->centroids = get_array(views, object, 4, -1, 0, &found)))
        return 0;
    if (found % 3 || found < 3 || found / 3 > MOST_LABELS) {
        PyErr_SetString(PyExc_ValueError, "centroids must be (K, 3)");
        return 0;
    }
    book->count = (int)(found / 3);
    for (i = 0; i < 3 * book->count; i++)
        bad |= book->centroids[i] < 0 || book->centroids[i] > LARGEST;
    if (bad)
        PyErr_SetString(PyExc_ValueError, "centroids must lie within 0..2040");
    return !bad;
}

/* A codebook: centroids, tight, wide, grid, starts, items. Checked, so that no lookup
 * in it leads outside. */
static int
get_codebook(Views *views, PyObject *const *arguments, Codebook *book)
{
    Py_ssize_t found, label_size;
    int i, bad = 0;

    if (!get_centroids(views, arguments[0], book))
        return 0;
    label_size = book->count <= 254 ? 1 : 2;
    if (!(book->tight = get_array(views, arguments[1], 4, book->count, 0, NULL)) ||
        !(book->wide = get_array(views, arguments[2], 4, book->count, 0, NULL)) ||
        !(book->grid = get_array(views, arguments[3], label_size, CELLS, 0, NULL)) ||
        !(book->starts = get_array(views, arguments[4], 4, CELLS + 1, 0, NULL)) ||
        !(book->items = get_array(views, arguments[5], 4, -1, 0, &found)))
        return 0;
    for (i = 0; i < CELLS; i++) /* without early exits: vectorized */
        bad |= book->starts[i] > book->starts[i + 1];
    bad |= book->starts[0] != 0 || book->starts[CELLS] != found;
    for (i = 0; i < (int)found; i++)
        bad |= book->items[i] < 0 || book->items[i] >= book->count;
    if (label_size == 1) {
        const uint8_t *grid = book->grid;
        uint8_t count = (uint8_t)book->count, wrong = 0;
        for (i = 0; i < CELLS; i++)
            wrong |= (uint8_t)((grid[i] >= count) & (grid[i] < 254));
        bad |= wrong;
    }
    else {
        const uint16_t *grid = book->grid;
        for (i = 0; i < CELLS; i++)
            bad |= grid[i] >= book->count && grid[i] < 65534;
    }
    if (bad) {
        PyErr_SetString(PyExc_ValueError, "the codebook is damaged");
        return 0;
    }
    return 1;
}

static void
release_picture(Picture *job)
{
    free(job->sure);
    free(job->pairs);
    free(job->boxes);
    free(job->blocks);
    free(job->lists);
    free(job->places);
    free(job->nearest);
    free(job->doubtful);
    free(job->energies.penalty);
}

PyDoc_STRVAR(repair_yuv420_doc,
"repair_yuv420(y, u, v, centroids, tight, wide, grid, starts, items, labels, mode)\n\n"
"Classify a 4:2:0 picture into labels, of even size; mode 0 is full, 1 fast.\n"
"Returns (places of uncertain pixels as uint32 bytes, ambiguous blocks, foreign\n"
"blocks, noise).");

static PyObject *
repair_yuv420(PyObject *module, PyObject *arguments)
{
    PyObject *o[10], *result = NULL;
    Views views = {.count = 0};
    Picture *job;
    int done = 0;

    (void)module;
    job = calloc(1, sizeof(Picture));
    if (!job)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(arguments, "OOOOOOOOOOi:repair_yuv420", &o[0], &o[1], &o[2], &o[3],
                          &o[4], &o[5], &o[6], &o[7], &o[8], &o[9], &job->mode))
        goto end;
    if (!get_plane(&views, o[0], &job->y) || !get_plane(&views, o[1], &job->u) ||
        !get_plane(&views, o[2], &job->v) || !get_codebook(&views, o + 3, &job->book))
        goto end;
    job->high = (job->y.height + 1) / 2;
    job->across = (job->y.width + 1) / 2;
    job->step_x = job->step_y = 1;
    if (job->u.height != job->high || job->u.width != job->across ||
        job->v.height != job->high || job->v.width != job->across) {
        PyErr_SetString(PyExc_ValueError, "chroma planes must have half the size, rounded up");
        goto end;
    }
    if (!(job->labels = get_array(&views, o[9], job->book.count <= 254 ? 1 : 2,
                                  4 * (Py_ssize_t)job->high * job->across, 1, NULL)))
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = job->book.count <= 254 ? repair_8(job) : repair_16(job);
    Py_END_ALLOW_THREADS
    if (!done)
        PyErr_NoMemory();
    else
        result = Py_BuildValue("y#LLi", job->doubts ? (const char *)job->doubtful : "",
                               (Py_ssize_t)(job->doubts * sizeof(uint32_t)),
                               (long long)job->ambiguous, (long long)job->foreign, job->noise);
end:
    release_picture(job);
    release(&views);
    free(job);
    return result;
}

/* How far to shift a pixel's place for its chroma sample's, or -1. */
static int
step_of(int pixels, int samples)
{
    int shift;

    for (shift = 0; shift <= 2; shift++)
        if ((pixels + (1 << shift) - 1) >> shift == samples)
            return shift;
    return -1;
}

PyDoc_STRVAR(snap_yuv_doc,
"snap_yuv(y, u, v, centroids, tight, wide, grid, starts, items, labels, mode)\n\n"
"Classify a picture pixel by pixel; mode 0 snaps ambiguous pixels to labels nearby, 2\n"
"takes the nearest centroid. Returns (places of uncertain pixels as uint32 bytes,\n"
"ambiguous pixels, foreign chroma samples).");

static PyObject *
snap_yuv(PyObject *module, PyObject *arguments)
{
    PyObject *o[10], *result = NULL;
    Views views = {.count = 0};
    Picture *job;
    int done = 0;

    (void)module;
    job = calloc(1, sizeof(Picture));
    if (!job)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(arguments, "OOOOOOOOOOi:snap_yuv", &o[0], &o[1], &o[2], &o[3], &o[4],
                          &o[5], &o[6], &o[7], &o[8], &o[9], &job->mode))
        goto end;
    if (!get_plane(&views, o[0], &job->y) || !get_plane(&views, o[1], &job->u) ||
        !get_plane(&views, o[2], &job->v) || !get_codebook(&views, o + 3, &job->book))
        goto end;
    job->step_x = step_of(job->y.width, job->u.width);
    job->step_y = step_of(job->y.height, job->u.height);
    if (job->step_x < 0 || job->step_y < 0 || job->u.height != job->v.height ||
        job->u.width != job->v.width) {
        PyErr_SetString(PyExc_ValueError, "chroma planes do not fit the luma plane");
        goto end;
    }
    if (!(job->labels = get_array(&views, o[9], job->book.count <= 254 ? 1 : 2,
                                  (Py_ssize_t)job->y.height * job->y.width, 1, NULL)))
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = job->book.count <= 254 ? snap_all_8(job) : snap_all_16(job);
    Py_END_ALLOW_THREADS
    if (!done)
        PyErr_NoMemory();
    else
        result = Py_BuildValue("y#LL", job->doubts ? (const char *)job->doubtful : "",
                               (Py_ssize_t)(job->doubts * sizeof(uint32_t)),
                               (long long)job->ambiguous, (long long)job->foreign);
end:
    release_picture(job);
    release(&views);
    free(job);
    return result;
}

PyDoc_STRVAR(look_up_doc,
"look_up(a, b, c, step, centroids, labels, limit)\n\n"
"The nearest label of each pixel of three planes of one size, pixels *step* bytes\n"
"apart; all ones beyond the squared distance limit (1/64 code; none if negative).\n"
"Returns (pixels off every centroid by more than rounding, pixels beyond the limit).");

static PyObject *
look_up(PyObject *module, PyObject *arguments)
{
    PyObject *o[5], *result = NULL;
    Views views = {.count = 0};
    Plane *planes[3];
    Picture *job;
    long long limit;
    int step, done = 0, i;

    (void)module;
    job = calloc(1, sizeof(Picture));
    if (!job)
        return PyErr_NoMemory();
    if (!PyArg_ParseTuple(arguments, "OOOiOOL:look_up", &o[0], &o[1], &o[2], &step, &o[3],
                          &o[4], &limit))
        goto end;
    planes[0] = &job->y;
    planes[1] = &job->u;
    planes[2] = &job->v;
    for (i = 0; i < 3; i++)
        if (!get_spread_plane(&views, o[i], planes[i], step))
            goto end;
    if (!get_centroids(&views, o[3], &job->book))
        goto end;
    if (job->u.height != job->y.height || job->u.width != job->y.width ||
        job->v.height != job->y.height || job->v.width != job->y.width) {
        PyErr_SetString(PyExc_ValueError, "the planes must have one size");
        goto end;
    }
    if (!(job->labels = get_array(&views, o[4], job->book.count <= 254 ? 1 : 2,
                                  (Py_ssize_t)job->y.height * job->y.width, 1, NULL)))
        goto end;
    Py_BEGIN_ALLOW_THREADS
    done = job->book.count <= 254 ? look_up_8(job, step, limit) : look_up_16(job, step, limit);
    Py_END_ALLOW_THREADS
    if (!done)
        PyErr_NoMemory();
    else
        result = Py_BuildValue("LL", (long long)job->inexact, (long long)job->foreign);
end:
    release_picture(job);
    release(&views);
    free(job);
    return result;
}

/* ----------------------------------------------------------------- module */

static PyMethodDef kernel_methods[] = {
    {"lookup_new", lookup_new, METH_VARARGS, NULL},
    {"rows_new", rows_new, METH_VARARGS, NULL},
    {"rows_feed", rows_feed, METH_VARARGS, NULL},
    {"rows_finish", rows_finish, METH_VARARGS, NULL},
    {"array_to_ids", array_to_ids, METH_VARARGS, NULL},
    {"repair_yuv420", repair_yuv420, METH_VARARGS, repair_yuv420_doc},
    {"snap_yuv", snap_yuv, METH_VARARGS, snap_yuv_doc},
    {"look_up", look_up, METH_VARARGS, look_up_doc},
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

#else /* LABEL_BITS: the parts that depend on how wide a label is */

#if LABEL_BITS == 8
#define LABEL uint8_t
#define NAME(name) name##_8
#define ONES 0x0101010101010101u
#else
#define LABEL uint16_t
#define NAME(name) name##_16
#define ONES 0x0001000100010001u
#endif

#define NO_LABEL ((LABEL)~0)          /* an ambiguous block; no second pair */
#define OUTSIDE ((LABEL)(NO_LABEL - 1)) /* of the picture; in the grid: several balls */
#define PER_WORD ((int)(8 / sizeof(LABEL)))

/* Whether a label's wide ball holds a color; *tight: whether the tight one does. */
static inline int
NAME(holds)(const Codebook *book, int label, int y, int u, int v, int *tight)
{
    const int32_t *center = book->centroids + 3 * label;
    int dy = y * SCALE - center[0], du = u * SCALE - center[1], dv = v * SCALE - center[2];
    int chroma = du * du + dv * dv;

    *tight = 4 * dy * dy + chroma <= book->tight[label];
    return 2 * dy * dy + chroma <= book->wide[label];
}

/* The label whose wide ball holds a color, or -1; *tight: whether the tight one does. */
static inline int
NAME(classify)(const Codebook *book, int y, int u, int v, int *tight)
{
    int cell = (y >> 3) << 10 | (u >> 3) << 5 | v >> 3;
    int label = ((const LABEL *)book->grid)[cell], place;

    *tight = 0;
    if (label == NO_LABEL)
        return -1;
    if (label != OUTSIDE) {
        if (NAME(holds)(book, label, y, u, v, tight))
            return label;
        *tight = 0;
        return -1;
    }
    for (place = book->starts[cell]; place < book->starts[cell + 1]; place++)
        if (NAME(holds)(book, book->items[place], y, u, v, tight))
            return book->items[place];
    *tight = 0;
    return -1;
}

/* Whether a label's tight ball holds a whole block. */
static inline int
NAME(holds_block)(const Codebook *book, int label, const uint8_t *luma, int u, int v)
{
    const int32_t *center = book->centroids + 3 * label;
    int du = u * SCALE - center[1], dv = v * SCALE - center[2];
    int top = luma[0] > luma[1] ? luma[0] : luma[1], low = luma[0] + luma[1] - top;
    int top2 = luma[2] > luma[3] ? luma[2] : luma[3], low2 = luma[2] + luma[3] - top2;
    int above = (top > top2 ? top : top2) * SCALE - center[0];
    int below = center[0] - (low < low2 ? low : low2) * SCALE;
    int far = above > below ? above : below;

    return 4 * far * far + du * du + dv * dv <= book->tight[label];
}

/* The label of a sure block, or -1. */
static int
NAME(classify_block)(Picture *job, const uint8_t *luma, int u, int v, LABEL *pairs)
{
    const Codebook *book = &job->book;
    int label[4], tight = 1, one, i;

    label[0] = NAME(classify)(book, luma[0], u, v, &tight);
    for (i = 1; i < 4; i++) {
        if (luma[i] == luma[i - 1]) {
            label[i] = label[i - 1];
            continue;
        }
        label[i] = NAME(classify)(book, luma[i], u, v, &one);
        tight &= one;
    }
    if (tight && label[0] == label[1] && label[0] == label[2] && label[0] == label[3])
        return label[0];
    pairs[0] = pairs[1] = NO_LABEL;
    if (label[0] >= 0 && (label[0] == label[1] || label[0] == label[2] || label[0] == label[3]))
        pairs[0] = (LABEL)label[0];
    if (label[1] >= 0 && label[1] != label[0] && (label[1] == label[2] || label[1] == label[3]))
        pairs[1] = (LABEL)label[1];
    else if (label[2] >= 0 && label[2] != label[0] && label[2] == label[3])
        pairs[1] = (LABEL)label[2];
    return -1;
}

static inline void
NAME(fill)(LABEL *out, int label, int count)
{
#if LABEL_BITS == 8
    memset(out, label, (size_t)count);
#else
    int i;
    for (i = 0; i < count; i++)
        out[i] = (LABEL)label;
#endif
}

static inline uint64_t
NAME(load)(const void *from)
{
    uint64_t word;

    memcpy(&word, from, 8);
    return word;
}

/* Lines of block labels are kept for as long as their neighbors need them. */
static inline LABEL *
NAME(sure_line)(const Picture *job, int by)
{
    return (LABEL *)job->sure + job->pitch * (by & 7) + 2;
}

static inline LABEL *
NAME(pairs_line)(const Picture *job, int by)
{
    return (LABEL *)job->pairs + 2 * (job->pitch * (by & 7) + 2);
}

/* Classify a line of blocks; the labels of ambiguous ones come later. */
static void
NAME(classify_line)(Picture *job, int by)
{
    const uint8_t *y0 = job->y.data + job->y.stride * (2 * by);
    const uint8_t *y1 = 2 * by + 1 < job->y.height ? y0 + job->y.stride : y0;
    const uint8_t *us = job->u.data + job->u.stride * by;
    const uint8_t *vs = job->v.data + job->v.stride * by;
    LABEL *out0 = (LABEL *)job->labels + (size_t)(2 * by) * (2 * (size_t)job->across);
    LABEL *out1 = out0 + 2 * job->across;
    LABEL *sure = NAME(sure_line)(job, by);
    LABEL *pairs = NAME(pairs_line)(job, by);
    int whole = job->y.width / 2, x = 0, last = -1, n;
    Box box = {0, 0, 0, 0};

    while (x < whole) {
        n = x + 4 <= whole ? 4 : whole - x;
        if (box.mask && n == 4 && is_in_small_box(y0 + 2 * x, y1 + 2 * x, us + x, vs + x, box)) {
            NAME(fill)(out0 + 2 * x, last, 8);
            NAME(fill)(out1 + 2 * x, last, 8);
            NAME(fill)(sure + x, last, 4);
            x += 4;
            while (x + 16 <= whole && is_in_box(y0 + 2 * x, y1 + 2 * x, us + x, vs + x, box)) {
                NAME(fill)(out0 + 2 * x, last, 32);
                NAME(fill)(out1 + 2 * x, last, 32);
                NAME(fill)(sure + x, last, 16);
                x += 16;
            }
            continue;
        }
        for (; n; n--, x++) {
            uint8_t luma[4] = {y0[2 * x], y0[2 * x + 1], y1[2 * x], y1[2 * x + 1]};
            int label = last;
            if (last < 0 || !NAME(holds_block)(&job->book, last, luma, us[x], vs[x]))
                label = NAME(classify_block)(job, luma, us[x], vs[x], pairs + 2 * x);
            sure[x] = (LABEL)label;
            if (label >= 0) {
                out0[2 * x] = out0[2 * x + 1] = out1[2 * x] = out1[2 * x + 1] = (LABEL)label;
                if (label != last)
                    box = job->boxes[label];
                last = label;
            }
        }
    }
    if (x < job->across) {
        uint8_t luma[4] = {y0[2 * x], y0[2 * x], y1[2 * x], y1[2 * x]};
        int label = NAME(classify_block)(job, luma, us[x], vs[x], pairs + 2 * x);
        sure[x] = (LABEL)label;
        if (label >= 0)
            out0[2 * x] = out0[2 * x + 1] = out1[2 * x] = out1[2 * x + 1] = (LABEL)label;
    }
}

/* Mark the blocks of a line that too few neighbors support; returns how many. */
static int
NAME(find_unsupported)(const Picture *job, int by, int32_t *found)
{
    const LABEL *line = NAME(sure_line)(job, by);
    const LABEL *above = NAME(sure_line)(job, by - 1), *below = NAME(sure_line)(job, by + 1);
    int count = 0, start, x;

    for (start = 0; start < job->across; start += PER_WORD) {
        int end = start + PER_WORD < job->across ? start + PER_WORD : job->across;
        uint64_t here = NAME(load)(line + start);
        if (here == NAME(load)(line + start - 1) && here == NAME(load)(line + start + 1))
            continue;
        for (x = start; x < end; x++) {
            LABEL k = line[x];
            int support;
            if (k == NO_LABEL || (line[x - 1] == k && line[x + 1] == k) ||
                (above[x] == k && below[x] == k))
                continue;
#define SUPPORTS(other) ((other) == k || (other) == OUTSIDE)
            support = SUPPORTS(line[x - 1]) + SUPPORTS(line[x + 1]) + SUPPORTS(above[x - 1]) +
                      SUPPORTS(above[x]) + SUPPORTS(above[x + 1]) + SUPPORTS(below[x - 1]) +
                      SUPPORTS(below[x]) + SUPPORTS(below[x + 1]);
#undef SUPPORTS
            if (support < 2)
                found[count++] = x;
        }
    }
    return count;
}

static void
NAME(drop_unsupported)(Picture *job, int by, const int32_t *found, int count)
{
    LABEL *line = NAME(sure_line)(job, by), *pairs = NAME(pairs_line)(job, by);
    int i;

    for (i = 0; i < count; i++) {
        line[found[i]] = NO_LABEL;
        pairs[2 * found[i]] = pairs[2 * found[i] + 1] = NO_LABEL;
    }
}

/* Record the ambiguous blocks of a line with the labels present around them. */
static int
NAME(gather)(Picture *job, int by)
{
    const LABEL *line = NAME(sure_line)(job, by);
    const uint8_t *y0 = job->y.data + job->y.stride * (2 * by);
    const uint8_t *y1 = 2 * by + 1 < job->y.height ? y0 + job->y.stride : y0;
    int start, x, dy, dx;

    for (start = 0; start < job->across; start += PER_WORD) {
        int end = start + PER_WORD < job->across ? start + PER_WORD : job->across;
        uint64_t flipped = ~NAME(load)(line + start);
        if (!((flipped - ONES) & ~flipped & (ONES << (LABEL_BITS - 1))))
            continue;
        for (x = start; x < end; x++) {
            LABEL list[64], previous = OUTSIDE;
            int listed = 0, n, right;
            Block *block;
            if (line[x] != NO_LABEL)
                continue;
#if LABEL_BITS == 8
            if (job->book.count <= 64) {
                uint64_t found = 0;
                for (dy = -2; dy <= 2; dy++) {
                    const LABEL *window = NAME(sure_line)(job, by + dy) + x - 2;
                    const LABEL *pair = NAME(pairs_line)(job, by + dy) + 2 * (x - 2);
                    for (dx = 0; dx < 5; dx++) {
                        uint64_t two = job->bits[pair[2 * dx]] | job->bits[pair[2 * dx + 1]];
                        found |= job->bits[window[dx]];
                        found |= two & (0 - (uint64_t)(window[dx] == NO_LABEL));
                    }
                }
                for (; found; found &= found - 1)
                    list[listed++] = (LABEL)lowest_bit(found);
            }
            else
#endif
            for (dy = -2; dy <= 2; dy++) {
                const LABEL *window = NAME(sure_line)(job, by + dy) + x;
                for (dx = -2; dx <= 2; dx++) {
                    LABEL two[2] = {window[dx], NO_LABEL};
                    if (two[0] == OUTSIDE || two[0] == previous)
                        continue;
                    if (two[0] == NO_LABEL) {
                        const LABEL *pair = NAME(pairs_line)(job, by + dy) + 2 * (x + dx);
                        two[0] = pair[0];
                        two[1] = pair[1];
                    }
                    for (n = 0; n < 2; n++) {
                        int m;
                        if (two[n] == NO_LABEL)
                            continue;
                        previous = two[n];
                        for (m = 0; m < listed && list[m] != two[n]; m++)
                            ;
                        if (m == listed)
                            list[listed++] = two[n];
                    }
                }
            }
            if (!make_room(job, (size_t)listed))
                return 0;
            block = &job->blocks[job->ambiguous++];
            right = 2 * x + 1 < job->y.width ? 2 * x + 1 : 2 * x;
            block->by = by;
            block->bx = x;
            block->luma[0] = y0[2 * x];
            block->luma[1] = y0[right];
            block->luma[2] = y1[2 * x];
            block->luma[3] = y1[right];
            block->u = job->u.data[job->u.stride * by + x];
            block->v = job->v.data[job->v.stride * by + x];
            block->list = job->listed;
            block->listed = listed;
            for (n = 0; n < listed; n++)
                job->lists[job->listed++] = list[n];
            count_residuals(job, block);
            job->foreign += is_foreign_sample(job, 2 * by, 2 * x);
        }
    }
    return 1;
}

static void
NAME(store)(Picture *job, const Block *block)
{
    size_t width = 2 * (size_t)job->across;
    LABEL *out = (LABEL *)job->labels + 2 * (size_t)block->by * width + 2 * block->bx;

    out[0] = (LABEL)block->candidate[block->choice[0]];
    out[1] = (LABEL)block->candidate[block->choice[1]];
    out[width] = (LABEL)block->candidate[block->choice[2]];
    out[width + 1] = (LABEL)block->candidate[block->choice[3]];
}

/* Find a block's best labels with its surroundings as they are; 1 if they change. */
static int
NAME(decide)(const Picture *job, Block *block, uint8_t *choice)
{
    const Energies *energies = &job->energies;
    ptrdiff_t width = 2 * (ptrdiff_t)job->across;
    int by = block->by, bx = block->bx, last = job->high - 1, x = 2 * bx;
    int kept = block->kept, n, i;
    const LABEL *line = (const LABEL *)job->labels + 2 * by * width + x;
    int has_left = bx > 0, has_right = bx < job->across - 1;
    int t[4] = {-1, -1, -1, -1}, b[4] = {-1, -1, -1, -1}, l[2] = {-1, -1}, r[2] = {-1, -1};
    const int16_t *own = energies->own, *near_ = energies->near_;
    Scene s;

    memset(s.above, 0, sizeof(s.above));
    memset(s.below, 0, sizeof(s.below));
    s.has_above = by > 0 ? -1 : 0;
    s.has_below = by < last ? -1 : 0;
    if (has_left) {
        l[0] = line[-1];
        l[1] = line[width - 1];
    }
    if (has_right) {
        r[0] = line[2];
        r[1] = line[width + 2];
    }
    for (i = 0; i < 2; i++)
        s.around[i] = -energies->seen[i ? block->v : block->u];
    if (s.has_above) {
        const LABEL *p = line - width, *q = p - width, *far = by > 1 ? q - width : q;
        t[1] = p[0];
        t[2] = p[1];
        if (has_left)
            t[0] = p[-1];
        if (has_right)
            t[3] = p[2];
        for (i = 0; i < 2; i++) {
            const Plane *plane = i ? &job->v : &job->u;
            s.around[i] += near_[2 * t[1] + i] + near_[2 * t[2] + i];
            s.above[i] = own[2 * t[1] + i] + own[2 * t[2] + i] + own[2 * q[0] + i] +
                         own[2 * q[1] + i] + near_[2 * far[0] + i] + near_[2 * far[1] + i] -
                         energies->seen[plane->data[plane->stride * (by - 1) + bx]];
        }
    }
    if (s.has_below) {
        const LABEL *p = line + 2 * width, *q = p + width, *far = by < last - 1 ? q + width : q;
        b[1] = p[0];
        b[2] = p[1];
        if (has_left)
            b[0] = p[-1];
        if (has_right)
            b[3] = p[2];
        for (i = 0; i < 2; i++) {
            const Plane *plane = i ? &job->v : &job->u;
            s.around[i] += near_[2 * b[1] + i] + near_[2 * b[2] + i];
            s.below[i] = own[2 * b[1] + i] + own[2 * b[2] + i] + own[2 * q[0] + i] +
                         own[2 * q[1] + i] + near_[2 * far[0] + i] + near_[2 * far[1] + i] -
                         energies->seen[plane->data[plane->stride * (by + 1) + bx]];
        }
    }
    for (n = 0; n < kept; n++) {
        int k = block->candidate[n];
        s.cost[0][n] = block->unary[0][n] + EDGE * ((t[1] != k) + (l[0] != k)) +
                       DIAGONAL * ((t[0] != k) + (t[2] != k) + (l[1] != k));
        s.cost[1][n] = block->unary[1][n] + EDGE * ((t[2] != k) + (r[0] != k)) +
                       DIAGONAL * ((t[1] != k) + (t[3] != k) + (r[1] != k));
        s.cost[2][n] = block->unary[2][n] + EDGE * ((l[1] != k) + (b[1] != k)) +
                       DIAGONAL * ((l[0] != k) + (b[0] != k) + (b[2] != k));
        s.cost[3][n] = block->unary[3][n] + EDGE * ((r[1] != k) + (b[2] != k)) +
                       DIAGONAL * ((r[0] != k) + (b[1] != k) + (b[3] != k));
        for (i = 0; i < 2; i++) {
            s.near_[n][i] = near_[2 * k + i];
            s.upper[n][i] = own[2 * k + i] + (s.has_above ? 0 : near_[2 * k + i]);
            s.lower[n][i] = own[2 * k + i] + (s.has_below ? 0 : near_[2 * k + i]);
        }
    }
    for (; n < CANDIDATES; n++)
        for (i = 0; i < 4; i++)
            s.cost[i][n] = NEVER;
    memcpy(choice, block->choice, 4);
    block->doubt = (uint8_t)minimize(&s, choice);
    return memcmp(choice, block->choice, 4) != 0;
}

/* Sweep over all blocks, later only over those whose surroundings changed; under noise
 * then over every other one, and over the rest. */
static int
NAME(sweep)(Picture *job)
{
    /* A bit for each block, in a frame two blocks wide. */
    size_t pitch = ((size_t)job->across + 4) / 8 + 2, room = ((size_t)job->high + 4) * pitch;
    size_t total = (size_t)job->ambiguous, i;
    uint8_t *changed = calloc(room, 1);
    uint8_t(*choices)[4] = malloc((total ? total : 1) * 4);
    uint32_t *order = malloc((total ? total : 1) * sizeof(uint32_t));
    static const unsigned around[5] = {2, 7, 5, 7, 2};
    int round, rounds;

    if (!changed || !choices || !order) {
        free(changed);
        free(choices);
        free(order);
        return 0;
    }
    rounds = SWEEPS + (job->noise < UNREST ? 0 : 2); /* of even blocks, of odd ones */
    for (round = 0; round < rounds; round++) {
        size_t found = 0;
        for (i = 0; i < total; i++) {
            Block *block = &job->blocks[i];
            if (round >= SWEEPS && ((block->by + block->bx) & 1) != round - SWEEPS)
                continue;
            if (round) {
                size_t bit = (size_t)block->bx + 1; /* of the block to the left */
                const uint8_t *line = changed + pitch * (size_t)block->by + bit / 8;
                unsigned shift = bit % 8, seen = 0;
                int n;
                for (n = 0; n < 5; n++, line += pitch)
                    seen |= ((line[0] | (unsigned)line[1] << 8) >> shift) & around[n];
                if (!seen)
                    continue;
            }
            if (NAME(decide)(job, block, choices[found])) {
                order[found] = (uint32_t)i;
                found++;
            }
        }
        if (round && round != SWEEPS) /* odd blocks see what changed twice */
            memset(changed, 0, room);
        for (i = 0; i < found; i++) {
            Block *block = &job->blocks[order[i]];
            memcpy(block->choice, choices[i], 4);
            NAME(store)(job, block);
            changed[pitch * (size_t)(block->by + 2) + (size_t)(block->bx + 2) / 8] |=
                (uint8_t)(1 << ((block->bx + 2) % 8));
        }
        if (!found && round < SWEEPS)
            break;
    }
    free(changed);
    free(choices);
    free(order);
    return 1;
}

static int
NAME(repair_blocks)(Picture *job)
{
    size_t total = (size_t)job->ambiguous, i;
    uint32_t *residuals = calloc(LARGEST + 1, sizeof(uint32_t));
    int done = residuals && allocate_energies(&job->energies, job->book.count);

    if (done) {
        fill_energies(&job->energies, &job->book, noise_of(job->residuals));
        for (i = 0; i < total; i++) {
            choose_candidates(job, &job->blocks[i], residuals);
            NAME(store)(job, &job->blocks[i]);
        }
        job->noise = noise_of(residuals);
        if (job->mode == MODE_FULL) {
            fill_energies(&job->energies, &job->book, job->noise);
            for (i = 0; i < total; i++)
                fill_unary(job, &job->blocks[i]);
            done = NAME(sweep)(job);
        }
    }
    free(residuals);
    if (done && job->mode == MODE_FULL) {
        job->doubtful = malloc((4 * total + 1) * sizeof(uint32_t));
        done = job->doubtful != NULL;
        for (i = 0; done && i < total; i++)
            if (job->blocks[i].doubt)
                list_doubts(job, &job->blocks[i]);
    }
    return done;
}

/* Everything; 0 if memory runs out. Later stages follow the first line by line while
 * the lines they look at are still in the cache. */
static int
NAME(repair)(Picture *job)
{
    int32_t *found[2];
    int counts[2] = {0, 0}, line, i, done = 1;

    job->pitch = (job->across + 4 + 15) / 8 * 8;
    job->sure = malloc(8 * (size_t)job->pitch * sizeof(LABEL));
    job->pairs = calloc(16 * (size_t)job->pitch, sizeof(LABEL));
    job->boxes = malloc((size_t)job->book.count * sizeof(Box));
    found[0] = malloc((size_t)job->across * sizeof(int32_t));
    found[1] = malloc((size_t)job->across * sizeof(int32_t));
    if (!job->sure || !job->pairs || !job->boxes || !found[0] || !found[1])
        done = 0;
    if (done) {
        NAME(fill)(job->sure, OUTSIDE, (int)(8 * job->pitch));
        for (i = 0; i < job->book.count; i++)
            fill_box(&job->boxes[i], &job->book, i);
        for (i = 0; i < 64; i++)
            job->bits[i] = (uint64_t)1 << i;
    }
    for (line = 0; done && line < job->high + 4; line++) {
        int check = line - 1, drop = line - 2, take = line - 4;
        if (line < job->high)
            NAME(classify_line)(job, line);
        else
            NAME(fill)(NAME(sure_line)(job, line), OUTSIDE, job->across);
        if (check >= 0 && check < job->high)
            counts[check & 1] = NAME(find_unsupported)(job, check, found[check & 1]);
        if (drop >= 0 && drop < job->high)
            NAME(drop_unsupported)(job, drop, found[drop & 1], counts[drop & 1]);
        if (take >= 0 && take < job->high)
            done = NAME(gather)(job, take);
    }
    free(found[0]);
    free(found[1]);
    if (done && job->ambiguous)
        done = NAME(repair_blocks)(job);
    return done;
}

/* Classify a line pixel by pixel; ambiguous ones are searched (nearest) or recorded. */
static int
NAME(classify_pixels)(Picture *job, int y)
{
    const uint8_t *ys = job->y.data + job->y.stride * y;
    const uint8_t *us = job->u.data + job->u.stride * (y >> job->step_y);
    const uint8_t *vs = job->v.data + job->v.stride * (y >> job->step_y);
    LABEL *out = (LABEL *)job->labels + (size_t)y * (size_t)job->y.width;
    int width = job->y.width, shift = job->step_x, last = -1, x = 0, end, tight;
    Box box = {0, 0, 0, 0};

    while (x < width) {
        end = x + 8;
        if (box.mask && end <= width &&
            !((spread(ys + x, box.y, 8) | spread(us + (x >> shift), box.u, 8 >> shift) |
               spread(vs + (x >> shift), box.v, 8 >> shift)) & box.mask)) {
            NAME(fill)(out + x, last, 8);
            for (x = end; x + 32 <= width; x += 32) {
                if ((spread(ys + x, box.y, 32) | spread(us + (x >> shift), box.u, 32 >> shift) |
                     spread(vs + (x >> shift), box.v, 32 >> shift)) & box.mask)
                    break;
                NAME(fill)(out + x, last, 32);
            }
            continue;
        }
        for (end = end < width ? end : width; x < end; x++) {
            int u = us[x >> shift], v = vs[x >> shift];
            int label = NAME(classify)(&job->book, ys[x], u, v, &tight);
            if (label < 0) {
                job->foreign += is_foreign_sample(job, y, x);
                if (job->nearest)
                    label = find_nearest(job, ys[x], u, v)->label;
                else if (!add_place(job, (uint32_t)y * (uint32_t)width + (uint32_t)x))
                    return 0;
            }
            else if (tight) {
                if (label != last)
                    box = job->boxes[label];
                last = label;
            }
            out[x] = (LABEL)label;
        }
    }
    return 1;
}

/* The label for an ambiguous pixel: of those present within 3 pixels the most similar
 * one; *doubt: whether another is nearly as similar. */
static int
NAME(snap)(const Picture *job, int y, int x, int *doubt)
{
    const LABEL *labels = job->labels;
    const int32_t *centroids = job->book.centroids;
    int width = job->y.width, code = job->y.data[job->y.stride * y + x] * SCALE;
    int u = job->u.data[job->u.stride * (y >> job->step_y) + (x >> job->step_x)] * SCALE;
    int v = job->v.data[job->v.stride * (y >> job->step_y) + (x >> job->step_x)] * SCALE;
    int top = y < 3 ? 0 : y - 3, bottom = y + 3 < job->y.height ? y + 3 : job->y.height - 1;
    int left = x < 3 ? 0 : x - 3, right = x + 3 < width ? x + 3 : width - 1;
    int list[49], listed = 0, best = -1, n, row, column;
    int64_t least = INT64_MAX, second = INT64_MAX;

#if LABEL_BITS == 8
    if (job->book.count <= 64) {
        uint64_t found = 0;
        for (row = top; row <= bottom; row++)
            for (column = left; column <= right; column++)
                found |= job->bits[labels[(size_t)row * (size_t)width + (size_t)column]];
        for (; found; found &= found - 1)
            list[listed++] = lowest_bit(found);
    }
    else
#endif
    {
        for (row = top; row <= bottom; row++)
            for (column = left; column <= right; column++) {
                int label = labels[(size_t)row * (size_t)width + (size_t)column];
                if (label == NO_LABEL)
                    continue;
                for (n = 0; n < listed && list[n] != label; n++)
                    ;
                if (n == listed)
                    list[listed++] = label;
            }
    }
    for (n = 0; n < (listed ? listed : job->book.count); n++) {
        int label = listed ? list[n] : n;
        const int32_t *center = centroids + 3 * label;
        int64_t square = 10 * (int64_t)((code - center[0]) * (code - center[0])) +
                         3 * (int64_t)((u - center[1]) * (u - center[1])) +
                         3 * (int64_t)((v - center[2]) * (v - center[2]));
        if (square < least || (square == least && label < best)) {
            second = least;
            least = square;
            best = label;
        }
        else if (square < second)
            second = square;
    }
    *doubt = second != INT64_MAX && DOUBT * least > second;
    return best;
}

/* Classify pixel by pixel, any subsampling; 0 if memory runs out. */
static int
NAME(snap_all)(Picture *job)
{
    LABEL *labels = job->labels, *chosen;
    int y, i, doubt;
    size_t n, total;

    job->boxes = malloc((size_t)job->book.count * sizeof(Box));
    if (!job->boxes || (job->mode == MODE_NEAREST && !start_nearest(job)))
        return 0;
    for (i = 0; i < job->book.count; i++)
        fill_box(&job->boxes[i], &job->book, i);
    for (i = 0; i < 64; i++)
        job->bits[i] = (uint64_t)1 << i;
    for (y = 0; y < job->y.height; y++)
        if (!NAME(classify_pixels)(job, y))
            return 0;
    total = (size_t)job->ambiguous;
    chosen = malloc((total ? total : 1) * sizeof(LABEL));
    job->doubtful = malloc((total ? total : 1) * sizeof(uint32_t));
    if (!chosen || !job->doubtful) {
        free(chosen);
        return 0;
    }
    for (n = 0; n < total; n++) {
        uint32_t place = job->places[n], width = (uint32_t)job->y.width;
        chosen[n] = (LABEL)NAME(snap)(job, (int)(place / width), (int)(place % width), &doubt);
        if (doubt)
            job->doubtful[job->doubts++] = place;
    }
    for (n = 0; n < total; n++)
        labels[job->places[n]] = chosen[n];
    free(chosen);
    return 1;
}

/* Nearest labels of three planes with *step* bytes from pixel to pixel; NO_LABEL beyond
 * *limit* (squared, 1/64 code; none if negative). 0 if memory runs out. */
static int
NAME(look_up)(Picture *job, int step, int64_t limit)
{
    int width = job->y.width, y, x, end;

    if (!start_nearest(job))
        return 0;
    for (y = 0; y < job->y.height; y++) {
        const uint8_t *a = job->y.data + job->y.stride * y;
        const uint8_t *b = job->u.data + job->u.stride * y;
        const uint8_t *c = job->v.data + job->v.stride * y;
        LABEL *out = (LABEL *)job->labels + (size_t)y * (size_t)width;
        int color = -1, inexact = 0, far = 0;
        LABEL label = 0;
        for (x = 0; x < width;) {
            int many = x == 0 || x + 8 > width ? 0
                       : x + 32 <= width && is_run(a, b, c, x, step, 32) ? 32
                       : is_run(a, b, c, x, step, 8)                     ? 8
                                                                         : 0;
            if (many) { /* pixels as the one before */
                NAME(fill)(out + x, label, many);
                job->inexact += inexact ? many : 0;
                job->foreign += far ? many : 0;
                x += many;
                continue;
            }
            for (end = x + 8 < width ? x + 8 : width; x < end; x++) {
                ptrdiff_t at = (ptrdiff_t)x * step;
                if (color != (a[at] << 16 | b[at] << 8 | c[at])) {
                    const Nearest *found = find_nearest(job, a[at], b[at], c[at]);
                    color = found->color;
                    far = limit >= 0 && found->square > limit;
                    label = far ? NO_LABEL : (LABEL)found->label;
                    inexact = found->square > 3 * (SCALE / 2) * (SCALE / 2);
                }
                out[x] = label;
                job->inexact += inexact;
                job->foreign += far;
            }
        }
    }
    return 1;
}

#undef LABEL
#undef NAME
#undef ONES
#undef NO_LABEL
#undef OUTSIDE
#undef PER_WORD

#endif
