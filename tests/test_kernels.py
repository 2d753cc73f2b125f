"""
The extension by itself: sizes that do not fit, pieces of any size, threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from framekit.decoding import kernels
from framekit.decoding.lookup.tables import SEED, Lookup
from framekit.decoding.lookup.twin import NO_KEY
from tests.png_files import CHANNELS, plain_unfilter, random_stream, row_bytes

native: Any = kernels.NATIVE
pytestmark = pytest.mark.skipif(native is None, reason="no extension")

CODES = np.minimum(np.arange(256, dtype=np.int32), 254)


def new_rows(
    width: int,
    height: int,
    out: Any,
    *,
    bits: int = 8,
    channels: int = 1,
    ls: int = 1,
    table: Any = CODES,
    limit: int = 9,
) -> Any:
    """
    New rows, of 8-bit gray to uint8 labels unless told otherwise.
    """
    return native.rows_new(
        width, height, bits, channels, out, ls, table, 0, NO_KEY, SEED, limit
    )


class TestRows:
    def test_random_pieces(self) -> None:
        """
        Rows may come in pieces of any size.
        """
        rng = np.random.default_rng(1)
        for _ in range(400):
            bits, color = [(1, 0), (4, 0), (8, 0), (16, 0), (8, 2), (8, 6)][
                rng.integers(6)
            ]
            width, height = int(rng.integers(1, 50)), int(rng.integers(1, 8))
            channels = CHANNELS[color]
            pitch = row_bytes(width, bits, color)
            stream = random_stream(rng, height, pitch, runs=float(rng.random()))
            unit = max(1, bits * channels // 8)
            out = np.empty(height * width * channels * (2 if bits == 16 else 1), "u1")
            rows = new_rows(width, height, out, bits=bits, channels=channels, ls=0)
            cuts = np.sort(rng.integers(0, len(stream) + 1, rng.integers(0, 9)))
            edges = [0, *cuts.tolist(), len(stream)]
            for start, stop in pairwise(edges):
                assert native.rows_feed(rows, stream[start:stop]) == 0
            assert native.rows_finish(rows)[0] == height

            plain = plain_unfilter(stream, height, pitch, unit)
            expected = np.frombuffer(plain, "u1")
            if bits == 16:
                expected = expected.view(">u2").astype("u2").view("u1")
            elif bits < 8:
                grid = np.unpackbits(expected.reshape(height, -1), axis=1)
                grid = grid.reshape(height, -1, bits) @ (1 << np.arange(bits)[::-1])
                expected = grid[:, :width].reshape(-1)
            assert np.array_equal(out, expected)

    def test_status(self) -> None:
        """
        A row that cannot be is told, and stays told.
        """
        out = np.empty(2, np.uint8)
        bad = new_rows(2, 1, out)
        assert native.rows_feed(bad, b"\x05ab") == 1
        assert native.rows_feed(bad, b"") == 1
        full = new_rows(2, 1, out)
        assert native.rows_feed(full, b"\0ab") == 0
        assert native.rows_feed(full, b"c") == 3
        index = np.full(256, -3, np.int32)
        assert native.rows_feed(new_rows(2, 1, out, table=index), b"\0ab") == 2

    @pytest.mark.parametrize(
        "change",
        [
            {"width": 0},
            {"width": 3},
            {"width": 2**31},
            {"height": 0},
            {"height": 2**40},
            {"bits": 3},
            {"bits": 16},
            {"channels": 2},
            {"channels": 3},
            {"ls": 2},
            {"ls": 4},
            {"table": None},
            {"table": CODES[:-1]},
            {"table": CODES - 10},
            {"table": CODES + 10},
            {"table": Lookup.by_index({}).native if native else None},
            {"limit": 2**25},
            {"out": b"ab"},
            {"out": np.empty((2, 2), np.uint8)[:, 0]},
        ],
    )
    def test_refused(self, change: dict[str, Any]) -> None:
        """
        Sizes, tables and buffers that do not fit are refused.
        """
        good: dict[str, Any] = {"width": 2, "height": 1, "out": np.empty(2, np.uint8)}
        new_rows(**good)
        with pytest.raises((ValueError, TypeError, BufferError, OverflowError)):
            new_rows(**(good | change))

    def test_finished(self) -> None:
        """
        Finished rows let go of the array and take no more.
        """
        out = bytearray(2)
        rows = new_rows(2, 1, out)
        with pytest.raises(BufferError):
            out.append(0)
        native.rows_finish(rows)
        out.append(0)
        with pytest.raises(RuntimeError):
            native.rows_feed(rows, b"")
        with pytest.raises(RuntimeError):
            native.rows_finish(rows)

    def test_threads(self) -> None:
        """
        Two threads on one object: one works, the other is told.
        """
        height = 4000
        out = np.empty((height, 4000), np.uint8)
        rows = new_rows(4000, height, out)
        data = (b"\3" + bytes(4000)) * (height // 8)

        def feed(_: object) -> object:
            try:
                return native.rows_feed(rows, data)
            except RuntimeError:
                return "busy"

        with ThreadPoolExecutor(4) as pool:
            seen = set(pool.map(feed, range(8)))
        assert seen <= {0, "busy"}

    def test_wrong_objects(self) -> None:
        """
        One object is not taken for another.
        """
        lookup = Lookup.by_index({}).native
        for wrong in (lookup, None, object()):
            with pytest.raises((ValueError, TypeError)):
                native.rows_feed(wrong, b"")
            with pytest.raises((ValueError, TypeError)):
                native.rows_finish(wrong)


class TestLookup:
    def test_crowded(self) -> None:
        """
        Keys that all fall on one place are still found.
        """
        keys = np.arange(3000, dtype=np.uint32)
        table = native.lookup_new(keys, keys.astype(np.int32), 1)
        src = np.arange(4000, dtype=np.int32).reshape(40, 100)
        out = np.empty((40, 100), np.int32)

        found = native.array_to_ids(src, out, table, 4, 0, NO_KEY, 1, 65536)

        assert np.array_equal(out, np.where(src < 3000, src, -1))
        assert found[:2] == (1000, True)

    @pytest.mark.parametrize(
        ("keys", "ids"),
        [
            (b"1234", b""),
            (b"123", b"123"),
            (bytes(8), bytes(8)),
            (b"1234", b"\xff" * 4),
        ],
    )
    def test_refused(self, keys: Any, ids: Any) -> None:
        """
        Keys twice, and half words, are refused.
        """
        if ids == b"\xff" * 4:
            native.lookup_new(keys, ids, 1)
            ids = b"\xfe" + b"\xff" * 3
        with pytest.raises(ValueError, match=r"words|twice|negative"):
            native.lookup_new(keys, ids, 1)


class TestArrayToIds:
    @pytest.mark.parametrize(
        ("shape", "dtype", "out", "ls"),
        [
            ((2, 2, 3), "u1", (2, 3), 1),
            ((2, 2, 3), "u1", (2, 2), 4),
            ((2, 2, 2), "u1", (2, 2), 1),
            ((2, 2), "f8", (2, 2), 1),
            ((4,), "u1", (2, 2), 1),
            ((2, 2, 3), "u2", (2, 2), 1),
            ((2, 2, 3), "u1", (2, 2), 0),
            ((2, 2, 3, 1), "u1", (2, 2), 1),
        ],
    )
    def test_refused(
        self, shape: tuple[int, ...], dtype: str, out: Any, ls: int
    ) -> None:
        """
        Arrays and outputs that do not fit are refused.
        """
        table = Lookup.by_color({}).native
        target = np.empty(out, np.uint8)
        with pytest.raises((ValueError, TypeError, BufferError)):
            native.array_to_ids(
                np.zeros(shape, dtype), target, table, ls, 0, NO_KEY, 1, 9
            )

    def test_last_byte(self) -> None:
        """
        A view of RGBX pixels may end one byte early.
        """
        data = bytearray(range(200, 200 + 4 * 9 - 1))
        view = np.lib.stride_tricks.as_strided(
            np.frombuffer(data, np.uint8), (3, 3, 3), (12, 4, 1)
        )
        out = np.empty((3, 3), np.uint8)
        table = Lookup.by_color({200 << 16 | 201 << 8 | 202: 6}).native

        native.array_to_ids(view, out, table, 1, 1, NO_KEY, 1, 9)

        assert out.tolist() == [[6, 255, 255], [255] * 3, [255] * 3]
