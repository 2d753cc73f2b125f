from __future__ import annotations

import io
import sys
import warnings

import pytest

from framekit.decoding.image.decode import decode_image
from framekit.errors import DecodeError, DecodeWarning
from tests.fuzz_images import attempt, fuzz
from tests.image_seeds import PALETTE, seeds

#: 1 GB, in the units of getrusage.
GIGABYTE = (1 << 30) >> (0 if sys.platform == "darwin" else 10)


class TestSeeds:
    @pytest.mark.parametrize("name", seeds())
    def test_sound(self, name: str) -> None:
        """
        A seed is decoded or, where labels are not read from its kind, refused.
        """
        data = seeds()[name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DecodeWarning)
            try:
                decode_image(io.BytesIO(data), PALETTE)
            except DecodeError as error:
                assert "16-bit" in str(error) or "palette" in str(error)  # noqa: PT017
                return

        assert attempt(data) in ("opened", "compared")


@pytest.mark.slow
class TestFuzz:
    @pytest.mark.parametrize("seed", [1, 2])
    def test_damaged(self, seed: int) -> None:
        """
        Damaged files are refused or right, in little memory.
        """
        resource = pytest.importorskip("resource")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        counts = fuzz(15, seed)

        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert set(counts) == {"opened", "compared", "refused"}
        assert after - before < GIGABYTE
