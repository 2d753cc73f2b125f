from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from framekit.decoding import kernels
from framekit.decoding.lookup import twin as lookup_numpy
from framekit.decoding.lookup import unknown
from framekit.decoding.lookup.tables import (
    Lookup,
    array_to_ids,
    gray_samples,
    palette_samples,
)
from framekit.decoding.lookup.unknown import NONE, Unknown, UnknownValue
from tests.plain_labels import packed, plain_labels

several = settings(max_examples=200, deadline=None)


def both(
    array: NDArray[Any], lookup: Lookup, **options: Any
) -> tuple[NDArray[Any], Unknown]:
    """
    Return the result, which is that of both kernels.
    """
    native = kernels.NATIVE
    results = []
    for kernel in (native, None):
        kernels.NATIVE = kernel
        try:
            results.append(array_to_ids(array, lookup, top=None, **options))
        finally:
            kernels.NATIVE = native
    (a, found_a), (b, found_b) = results
    assert a.dtype == b.dtype
    assert np.array_equal(a, b)
    assert found_a == found_b
    return a, found_a


@st.composite
def arrays(draw: Any) -> NDArray[Any]:
    """
    Arrays of every type and layout, and the key of each pixel.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(0, 12)), draw(st.integers(0, 90))
    name = draw(st.sampled_from(["rgb", "rgba", "uint8", "uint16", "int32", "uint32"]))
    values = draw(st.sampled_from([2, 5, 256]))
    coarse = draw(st.booleans())

    def grid(channels: int) -> NDArray[Any]:
        shape = (height, width, channels)
        if not coarse:
            return rng.integers(0, values, shape).astype(np.uint8)
        small = rng.integers(0, values, (height // 3 + 1, width // 20 + 1, channels))
        grown = small.repeat(3, 0).repeat(20, 1).astype(np.uint8)
        return np.ascontiguousarray(grown[:height, :width])

    if name in ("rgb", "rgba"):
        array = grid(4)
        if name == "rgb" and draw(st.booleans()):
            array = np.ascontiguousarray(array[..., :3])
        array = array if name == "rgba" else array[..., :3]
    else:
        wide = grid(4)
        if name in ("int32", "uint32"):
            array = wide.view(name)[..., 0]
        else:
            array = wide[..., 0].astype(name)
            array *= 257 if name == "uint16" else 1
    view = draw(st.sampled_from(["plain", "flip", "mirror", "step", "padded"]))
    if view == "flip":
        array = array[::-1]
    elif view == "mirror":
        array = array[:, ::-1]
    elif view == "step":
        array = array[::2, ::2]
    elif view == "padded":
        array = np.pad(array, [(0, 0), (0, 3)] + [(0, 0)] * (array.ndim - 2))[:, :-3]
    return array


class TestArrays:
    @several
    @given(arrays(), st.data())
    def test_plain(self, array: NDArray[Any], data: Any) -> None:
        """
        Both kernels give what a loop over pixels gives.
        """
        alpha = data.draw(st.sampled_from(["ignore", "void"]))
        kind = data.draw(st.sampled_from(["color", "index"]))
        if array.ndim == 3:
            places = [1 << 16, 1 << 8, 1] if kind == "color" else [1, 1 << 8, 1 << 16]
            keys: Any = array[..., :3].astype(int) @ places
            if alpha == "void" and array.shape[2] == 4:
                keys = np.where(array[..., 3] == 0, -1, keys)
        elif array.dtype == np.uint16 and kind == "color":
            return
        elif array.dtype == np.uint8 and kind == "color":
            keys = array.astype(int) * 0x010101
        else:
            keys = array.astype(np.int64) & 0xFFFFFFFF
        limit = 0xFFFFFF if kind == "color" else 0xFFFFFFFF
        pool = [int(k) for k in np.unique(keys)[:100] if 0 <= k <= limit] + [7]
        some = data.draw(st.lists(st.sampled_from(pool), unique=True, max_size=30))
        top = data.draw(st.sampled_from([254, 255, 2**31 - 1]))
        ids = {key: data.draw(st.integers(-1, top)) for key in some}

        labels, found = both(array, Lookup(*table(kind, ids)), alpha=alpha)

        small = max(ids.values(), default=0) <= 254
        expected, unknown_values = plain_labels(keys, ids, small=small)
        assert np.array_equal(labels, expected)
        assert found == unknown_values

    def test_noise(self) -> None:
        """
        Noise, too, is the same by both.
        """
        rng = np.random.default_rng(1)
        array = rng.integers(0, 256, (600, 700, 3)).astype(np.uint8)
        keys = np.unique(packed(array))
        lookup = Lookup.of("color", keys[::2], np.arange(len(keys[::2])))

        labels, found = both(array, lookup)

        spot = np.searchsorted(keys, packed(array))
        assert np.array_equal(labels, np.where(spot % 2, -1, spot // 2))
        assert found.pixels == (spot % 2).sum()
        assert not found.complete
        assert found.distinct == unknown.LIMIT

    def test_limit_is_in_reading_order(self) -> None:
        """
        Values past the limit are counted, not listed: those seen first are.
        """
        array = np.arange(unknown.LIMIT + 1000, dtype=np.int32)[::-1].reshape(-1, 8)

        _, found = both(array.copy(), Lookup.by_index({}))

        assert found.pixels == unknown.LIMIT + 1000
        assert not found.complete
        assert min(v.value for v in found.values) == 1000

    def test_transparent_key(self) -> None:
        """
        One color can be void whatever the palette says.
        """
        array = np.array([[[1, 2, 3], [0, 0, 1]]], np.uint8)

        labels, found = both(array, Lookup.by_color({1: 7}), transparent=0x010203)

        assert labels.tolist() == [[255, 7]]
        assert found == NONE

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint32])
    @pytest.mark.parametrize("known", [1, 20, 255, 300, 40_000])
    def test_values_that_are_ids(self, dtype: Any, known: int) -> None:
        """
        Rows whose values are their ids are told from those where some are not.
        """
        rng = np.random.default_rng(known)
        known = min(known, np.iinfo(dtype).max)
        others = [known - 1, known, 255, 256, 65535, 2**31 - 1]
        array = rng.integers(0, known, (60, 70)).astype(dtype)
        for row in rng.integers(0, 60, 12):
            value = others[rng.integers(len(others))] & np.iinfo(dtype).max
            array[row, rng.integers(70)] = value
        ids = {value: value for value in range(known)}
        voids = {} if known > 255 else {255: -1}

        for lookup in (Lookup.by_index(ids), Lookup.by_index(voids | ids)):
            labels, found = both(array, lookup)

            right = np.where(array < known, array.astype(np.int64), lookup.void)
            unknown = array >= known
            if len(lookup.keys) > known:
                unknown &= array != 255
            assert np.array_equal(labels, right)
            assert found.pixels == unknown.sum()

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
    def test_transparent_value(self, dtype: Any) -> None:
        """
        So can one value of a single channel.
        """
        lookup = Lookup.by_index({3: 0, 4: 7})

        labels, found = both(np.array([[3, 4]], dtype), lookup, transparent=3)

        assert labels.tolist() == [[255, 7]]
        assert found == NONE

    def test_palette(self) -> None:
        """
        Indices can stand for the colors of a palette.
        """
        colors = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
        lookup = Lookup.by_color({0x010203: 3})
        samples = palette_samples(lookup, colors)

        labels, found = both(np.array([[0, 1]], np.uint8), lookup, samples=samples)

        assert labels.tolist() == [[3, 255]]
        assert found.values == (UnknownValue(0x040506, 1, (1, 0, 2, 1)),)

    def test_past_palette(self, kernel: str) -> None:
        """
        An index past the palette is damage.
        """
        lookup = Lookup.by_index({0: 0})
        samples = palette_samples(lookup, np.zeros((2, 3), np.uint8))
        assert kernel

        with pytest.raises(ValueError, match="past the end of the palette"):
            array_to_ids(np.array([[0, 2]], np.uint8), lookup, samples=samples)

    def test_bool(self, kernel: str) -> None:
        """
        True is 1, whatever byte it is stored as.
        """
        array = np.array([[0, 255, 1]], np.uint8).view(bool)
        assert kernel

        labels, _ = array_to_ids(array, Lookup.by_index({0: 5, 1: 6}))

        assert labels.tolist() == [[5, 6, 6]]

    def test_big_endian(self, kernel: str) -> None:
        """
        The byte order of the array does not matter.
        """
        assert kernel
        labels, _ = array_to_ids(np.array([[258]], ">u2"), Lookup.by_index({258: 9}))

        assert labels.tolist() == [[9]]

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((2, 2), np.float32),
            np.zeros((2, 2, 3), np.float32),
            np.zeros((2, 2, 3), np.uint16),
            np.zeros((2, 2, 2), np.uint8),
            np.zeros((2,), np.uint8),
            np.zeros((2, 2), np.int64),
            [[0]],
        ],
    )
    def test_refused(self, array: NDArray[Any]) -> None:
        """
        Floats, and shapes that are no mask, are refused.
        """
        with pytest.raises(TypeError):
            array_to_ids(array, Lookup.by_index({0: 0}))

    def test_gray16_by_color(self) -> None:
        """
        16-bit gray has no 8-bit colors.
        """
        with pytest.raises(ValueError, match="16-bit gray"):
            array_to_ids(np.zeros((1, 1), np.uint16), Lookup.by_color({}))


def table(kind: Any, ids: Any) -> Any:
    """
    The fields of a lookup of *ids*.
    """
    made = Lookup.of(kind, list(ids), list(ids.values()))
    return made.kind, made.keys, made.ids


class TestLookup:
    def test_dtype(self) -> None:
        """
        uint8 while every id leaves room for void.
        """
        assert Lookup.by_index({0: 254}).dtype == np.uint8
        assert Lookup.by_index({0: 254}).void == 255
        assert Lookup.by_index({0: 255}).dtype == np.int32
        assert Lookup.by_index({0: 2**31 - 1}).void == -1

    @pytest.mark.parametrize(
        ("keys", "ids", "message"),
        [
            ([1, 1], [0, 1], "key 1 occurs twice"),
            ([1], [2**31], "ids are -1..2147483647"),
            ([1], [-2], "ids are -1"),
            ([1 << 24], [0], "keys are 0..16777215"),
            ([-1], [0], "keys are 0"),
            ([1], [], "1 keys, 0 ids"),
        ],
    )
    def test_refused(self, keys: Any, ids: Any, message: str) -> None:
        """
        Nothing wraps.
        """
        with pytest.raises(ValueError, match=message):
            Lookup.of("color", keys, ids)

    def test_pickle(self) -> None:
        """
        A lookup goes to another process, without what was made of it.
        """
        lookup = Lookup.by_color({5: 1})
        array_to_ids(np.zeros((1, 1, 3), np.uint8), lookup)

        again = pickle.loads(pickle.dumps(lookup))  # noqa: S301 (our own)

        assert repr(again) == "<Lookup of 1 by color>"
        assert again.codes(np.array([5, 6], np.uint32)).tolist() == [1, -2]

    def test_gray_samples(self) -> None:
        """
        Gray of few bits is the gray color it shows.
        """
        samples = gray_samples(Lookup.by_color({0xAAAAAA: 4}), 2)

        assert samples.codes[:5].tolist() == [-2, -2, 4, -2, lookup_numpy.CODE_BAD]

    def test_palette_by_index_of_colors(self) -> None:
        """
        Colors have no ids for indices.
        """
        with pytest.raises(ValueError, match="no ids for palette indices"):
            palette_samples(Lookup.by_color({}), np.zeros((1, 3), np.uint8), by="index")


class TestKernelChoice:
    def test_numpy(self) -> None:
        """
        The extension can be left alone.
        """
        assert kernels.load("numpy") is None

    def test_misspelled(self) -> None:
        """
        A wrong name is an error.
        """
        with pytest.raises(ValueError, match="one of native, numpy, not 'c'"):
            kernels.load("c")
