from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framekit.decoding import kernels
from framekit.decoding.png.inflate import (
    FEED,
    INFLATER,
    LIBRARIES,
    PIECE,
    InflateError,
    Inflater,
    find_inflater,
    inflate,
)


def read(parts: list[bytes], size: int, inflater: Inflater) -> bytes:
    """
    Inflate *parts* to *size* bytes.
    """
    return b"".join(inflate(parts, size, inflater=inflater))


class TestInflate:
    @pytest.mark.parametrize("level", [0, 1, 6, 9])
    @pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
    @pytest.mark.parametrize("noisy", [False, True])
    def test_sizes(self, level: int, size: int, noisy: Any, inflater: Inflater) -> None:
        """
        All bytes come, in pieces that are not too long.
        """
        data = np.random.default_rng(1).bytes(size) if noisy else bytes(size)
        packed = zlib.compress(data, level)

        pieces = list(inflate([packed], size, inflater=inflater))

        assert b"".join(pieces) == data
        assert all(0 < len(piece) <= PIECE for piece in pieces)

    def test_parts(self, inflater: Inflater) -> None:
        """
        Parts may be of any size, and empty.
        """
        data = np.random.default_rng(2).integers(0, 4, 5 * FEED, np.uint8).tobytes()
        packed = zlib.compress(data)
        for step in (1, 7, FEED - 1, FEED, FEED + 1):
            parts = [packed[i : i + step] for i in range(0, len(packed), step)]

            assert read([b"", *parts, b""], len(data), inflater) == data

    def test_size(self, inflater: Inflater) -> None:
        """
        More or fewer bytes than expected are refused.
        """
        packed = zlib.compress(bytes(100))
        with pytest.raises(InflateError, match="more than the 99 bytes"):
            read([packed], 99, inflater)
        with pytest.raises(InflateError, match="100 of 101 bytes"):
            read([packed], 101, inflater)

    def test_bomb(self, inflater: Inflater) -> None:
        """
        A stream that goes on and on is left soon.
        """
        packed = zlib.compress(bytes(200 << 20))
        pieces = inflate([packed], 1000, inflater=inflater)
        with pytest.raises(InflateError, match="more than the 1000 bytes"):
            next(pieces)

    def test_cut(self, inflater: Inflater) -> None:
        """
        A stream cut anywhere is refused.
        """
        data = np.random.default_rng(3).integers(0, 9, 500, np.uint8).tobytes()
        packed = zlib.compress(data)
        for end in range(len(packed)):
            with pytest.raises(InflateError):
                read([packed[:end]], len(data), inflater)

    def test_after(self, inflater: Inflater) -> None:
        """
        Bytes after the end are refused, wherever they are.
        """
        packed = zlib.compress(bytes(10))
        long = zlib.compress(np.random.default_rng(1).bytes(FEED), 0)[: FEED - 6]
        for parts in ([packed + b"x"], [packed, b"x"], [packed + bytes(2 * FEED)]):
            with pytest.raises(InflateError, match="after the end"):
                read(parts, 10, inflater)
        assert len(long) < FEED

    @pytest.mark.parametrize("spare", [0, 1])
    def test_end_at_feed(self, spare: int, inflater: Inflater) -> None:
        """
        A stream that ends where a slice ends is told from one with a byte more.
        """
        data = np.random.default_rng(1).bytes(FEED - 11)
        packed = zlib.compress(data, 0)
        assert len(packed) == FEED
        if spare:
            with pytest.raises(InflateError, match="after the end"):
                read([packed + b"x"], len(data), inflater)
        else:
            assert read([packed], len(data), inflater) == data

    def test_dictionary(self, inflater: Inflater) -> None:
        """
        A stream that needs a dictionary is refused.
        """
        maker = zlib.compressobj(zdict=b"abc")
        packed = maker.compress(b"abcabc") + maker.flush()
        with pytest.raises(InflateError):
            read([packed], 6, inflater)

    def test_every_bit(self, inflater: Inflater) -> None:
        """
        A change is refused, or is one the stream's own checksum does not see.
        """
        data = bytes(np.random.default_rng(5).integers(0, 5, 300, np.uint8))
        packed = zlib.compress(data)
        for bit in range(len(packed) * 8):
            damaged = bytearray(packed)
            damaged[bit // 8] ^= 1 << bit % 8
            try:
                found = read([bytes(damaged)], len(data), inflater)
                assert zlib.adler32(found).to_bytes(4, "big") == damaged[-4:]
            except InflateError:
                continue


class TestFindInflater:
    def test_first(self) -> None:
        """
        The first that is installed is used.
        """
        assert find_inflater().name == next(
            name for name in LIBRARIES if installed(name)
        )
        assert INFLATER.name in LIBRARIES

    def test_named(self) -> None:
        """
        The standard library's is always there.
        """
        assert find_inflater("zlib").decompressobj is zlib.decompressobj

    def test_misspelled(self) -> None:
        """
        A wrong name is an error that lists the right ones.
        """
        with pytest.raises(ValueError, match="one of zlib-ng, isal, zlib, not 'gzip'"):
            find_inflater("gzip")


def installed(name: str) -> bool:
    """
    Whether an inflater is there.
    """
    try:
        find_inflater(name)
    except ImportError:
        return False
    return True


class TestEnvironment:
    @pytest.mark.parametrize("name", [name for name in LIBRARIES if installed(name)])
    def test_inflater(self, name: str) -> None:
        """
        FRAMEKIT_INFLATER picks the inflater of a process.
        """
        code = "from framekit.decoding.png import inflate; print(inflate.INFLATER.name)"

        assert run(code, FRAMEKIT_INFLATER=name) == name

    @pytest.mark.parametrize("name", ["native", "numpy"])
    def test_kernels(self, name: str) -> None:
        """
        FRAMEKIT_KERNELS picks the kernels of a process.
        """
        code = "from framekit.decoding import kernels; print(kernels.NAME)"

        if name == "native" and kernels.NATIVE is None:
            pytest.skip("no extension")

        assert run(code, FRAMEKIT_KERNELS=name) == name


def run(code: str, **environment: str) -> str:
    """
    What *code* prints in a new process.
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
