from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError
from framekit.palette import Palette

#: D1: the values of the page's mask.
TRIMAP = np.array([[2, 2, 3, 2], [2, 3, 1, 3], [2, 1, 1, 1]], np.uint8)

PETS = Palette.indexed({1: "object", 2: "background", 3: "unclassified"})


def pets() -> LabelMap:
    """
    The page's mask as a label map, whose ids are positions.
    """
    return LabelMap(TRIMAP - np.uint8(1), PETS, DecodeReport(exact=True))


class TestBinaryMask:
    def test_d3(self) -> None:
        """
        D3: 1 where the mask says object, 0 elsewhere, unclassified too.
        """
        expected = [[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]]

        assert sg.binary_mask(TRIMAP, 1).tolist() == expected
        assert sg.binary_mask(pets(), "object").tolist() == expected
        assert sg.binary_mask(TRIMAP[None], 1).tolist() == expected

    def test_d3_void(self) -> None:
        """
        D3: unclassified can be void instead.
        """
        expected = [[0, 0, 255, 0], [0, 255, 1, 255], [0, 1, 1, 1]]

        found = sg.binary_mask(TRIMAP, 1, unclassified=[3], void="keep")

        assert found.tolist() == expected
        again = sg.binary_mask(
            pets(), "object", unclassified=["unclassified"], void="keep"
        )
        assert again.tolist() == expected

    def test_void_of_the_map(self) -> None:
        """
        What is void in the map can stay void.
        """
        lm = LabelMap(np.array([[0, 255]], np.uint8), PETS, DecodeReport(exact=True))

        assert sg.binary_mask(lm, "object").tolist() == [[1, 0]]
        assert sg.binary_mask(lm, "object", void="keep").tolist() == [[1, 255]]

    def test_d2_divided(self) -> None:
        """
        D2: values that were divided by 255 are refused with the reason.
        """
        divided = TRIMAP.astype(np.float32) / np.float32(255)

        with pytest.raises(ArgumentError, match=r"divided by 255.*denormalize=True"):
            sg.binary_mask(divided, 1)

    def test_d2_whole_floats(self) -> None:
        """
        D2: floats that are whole numbers above 1 are taken as they are.
        """
        found = sg.binary_mask(TRIMAP.astype(np.float32), 1)

        assert found.tolist() == sg.binary_mask(TRIMAP, 1).tolist()

    @pytest.mark.parametrize(
        ("source", "label", "options"),
        [
            (TRIMAP, "object", {}),
            (TRIMAP, 1.0, {}),
            (TRIMAP, 1, {"void": "ignore"}),
            (TRIMAP, 1, {"unclassified": "3"}),
            (TRIMAP[:, :, None].repeat(3, 2), 1, {}),
            (pets(), "dog", {}),
            (pets(), 9, {}),
            (pets(), "object", {"unclassified": ["dog"]}),
        ],
    )
    def test_refused(self, source: Any, label: Any, options: dict[str, Any]) -> None:
        """
        Labels that are not there, and arrays that are no masks, are refused.
        """
        with pytest.raises(ArgumentError):
            sg.binary_mask(source, label, **options)


class TestCutOut:
    @given(
        npst.arrays(np.uint8, (4, 5, 3)),
        npst.arrays(np.bool_, (4, 5)),
    )
    def test_d4(self, image: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
        """
        D4: the image times the mask, over all channels.
        """
        found = sg.cut_out(image, mask)

        assert found.dtype == np.uint8
        assert found.tolist() == (image * mask[:, :, None]).tolist()

    def test_d4_transparent(self) -> None:
        """
        D4: as RGBA, it is opaque where the mask is 1.
        """
        image = np.full((1, 2, 3), 9, np.uint8)

        found = sg.cut_out(image, [[1, 0]], background="transparent")

        assert found.tolist() == [[[9, 9, 9, 255], [0, 0, 0, 0]]]

    def test_d4_alpha(self) -> None:
        """
        D4: an image that has alpha keeps it within the mask.
        """
        image = np.full((1, 2, 4), 9, np.uint8)

        found = sg.cut_out(image, [[1, 0]], background="transparent")

        assert found.tolist() == [[[9, 9, 9, 9], [0, 0, 0, 0]]]

    def test_d4_gray(self) -> None:
        """
        D4: gray images work, floats too.
        """
        image = np.array([[0.5, 0.25]])

        assert sg.cut_out(image, [[1, 0]]).tolist() == [[0.5, 0]]
        assert sg.cut_out(image, [[1, 0]], background="transparent").tolist() == [
            [[0.5, 0.5, 0.5, 1], [0, 0, 0, 0]]
        ]

    def test_d4_crop(self) -> None:
        """
        D4: a crop is the smallest box around the mask.
        """
        image = np.arange(12, dtype=np.uint8).reshape(3, 4)
        mask = np.array([[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]])

        assert sg.cut_out(image, mask, crop=True).tolist() == [[0, 6], [9, 0]]

    def test_d1_size(self) -> None:
        """
        D1: image and mask have one size; nothing is resampled.
        """
        with pytest.raises(ArgumentError) as e:
            sg.cut_out(np.zeros((333, 500, 3)), np.ones((500, 333), np.uint8))

        reason = "is 500 x 333 pixels, the mask is 333 x 500"
        assert e.value == ArgumentError("image", reason)

    def test_d1_channels_first(self) -> None:
        """
        D1: a tensor of 3 x 333 x 500 is told what to do.
        """
        with pytest.raises(ArgumentError, match="channels first"):
            sg.cut_out(np.zeros((3, 33, 50)), np.ones((33, 50), np.uint8))

    @pytest.mark.parametrize(
        ("image", "mask", "options"),
        [
            (np.zeros((1, 2)), [[0, 255]], {}),
            (np.zeros((1, 2)), [[0, 1 / 255]], {}),
            (np.zeros((1, 2)), [[0, 0]], {"crop": True}),
            (np.zeros((1, 2), np.int32), [[0, 1]], {"background": "transparent"}),
            (np.zeros((1, 2, 2)), [[0, 1]], {"background": "transparent"}),
            (np.zeros((1, 2)), [[0, 1]], {"background": "white"}),
            (np.array([["a", "b"]]), [[0, 1]], {}),
        ],
    )
    def test_refused(self, image: Any, mask: Any, options: dict[str, Any]) -> None:
        """
        Masks that are not 0 and 1, and images that cannot have alpha, are refused.
        """
        with pytest.raises(ArgumentError):
            sg.cut_out(image, np.array(mask), **options)
