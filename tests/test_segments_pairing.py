from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap, id_dtype
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError
from framekit.palette import Palette

CLASSES = Palette({(0, 0, 0): "road", (210, 210, 120): "car", (147, 44, 209): "person"})

#: Instance masks have a color an object, and no classes.
OBJECTS = Palette.indexed({0: "background", 1: "one", 2: "two", 3: "three"})


def label_map(ids: Any, palette: Palette = CLASSES) -> LabelMap:
    """
    A label map of *ids*; -1 is void.
    """
    array: Any = np.array(ids, np.int32).astype(id_dtype(palette))
    return LabelMap(array, palette, DecodeReport(exact=True))


class TestPaired:
    def test_seg_and_seg_instance(self) -> None:
        """
        The page's masks seg and seg_instance make one view of the frame.
        """
        seg = label_map([[0, 1, 1, 2, -1]])
        seg_instance = label_map([[0, 1, 2, 3, 3]], OBJECTS)

        found = sg.paired(seg, seg_instance)

        assert found.channels().tolist() == [[[0, 0], [1, 1], [1, 2], [2, 1], [-1, -1]]]
        assert [one.name for one in sg.instances(found)] == ["car 1", "car 2", "person"]

    def test_array(self) -> None:
        """
        Instances may be an array of numbers, 0 for none, however large.
        """
        found = sg.paired(label_map([[0, 1, 1]]), np.array([[0, 70000, 4464]]))

        assert found.instances.tolist() == [[0, 2, 1]]

    def test_background(self) -> None:
        """
        What means no instance can be said.
        """
        found = sg.paired(label_map([[0, 1]]), [[7, 0]], background=7)

        assert found.channels().tolist() == [[[0, 0], [1, 1]]]

    def test_several_classes(self) -> None:
        """
        An instance that covers two classes is refused, with both.
        """
        with pytest.raises(ArgumentError) as e:
            sg.paired(label_map([[1, 1, 2]]), [[5, 5, 5]])

        reason = (
            "1 instance(s) cover several classes, 5 covers car (2 pixels), "
            "person (1 pixels); choose conflict='majority' or 'split'"
        )
        assert e.value == ArgumentError("instance_map", reason)

    def test_majority(self) -> None:
        """
        By majority, all of an instance is of the class with most pixels.
        """
        found = sg.paired(label_map([[1, 1, 2]]), [[5, 5, 5]], conflict="majority")

        assert found.channels().tolist() == [[[1, 1], [1, 1], [1, 1]]]

    def test_split(self) -> None:
        """
        Split, each class has its own instance.
        """
        found = sg.paired(label_map([[1, 1, 2]]), [[5, 5, 5]], conflict="split")

        assert found.channels().tolist() == [[[1, 1], [1, 1], [2, 1]]]

    @pytest.mark.parametrize(
        ("objects", "options"),
        [
            ([[0, 0]], {}),
            ([[0.5, 0, 0]], {}),
            ([[1 / 255, 2 / 255, 0]], {}),
            ([[0, 1, 1]], {"conflict": "ignore"}),
            ([[0, 1, 1]], {"background": "nothing"}),
        ],
    )
    def test_refused(self, objects: Any, options: dict[str, Any]) -> None:
        """
        Another size, divided values and unknown options are refused.
        """
        with pytest.raises(ArgumentError):
            sg.paired(label_map([[0, 1, 1]]), np.array(objects), **options)


def instance(mask: Any, **fields: Any) -> sg.Instance:
    """
    An instance that covers *mask*.
    """
    region = sg.Region.of_mask(np.array(mask))
    values: dict[str, Any] = {"id": 1, "labels": ("car",), "thing": True, **fields}
    return sg.Instance(region=region, **values)


class TestStacked:
    def test_o10_overlaps_kept(self) -> None:
        """
        O10: objects of several masks keep the pixels that they share.
        """
        below, above = label_map([[1, 1, 1, -1]]), label_map([[-1, -1, 2, 2]])

        found = sg.stacked([below, above])

        assert [(one.name, one.area, one.z) for one in found] == [
            ("car", 3, 0),
            ("person", 2, 1),
        ]
        assert sg.overlaps(found) == [sg.Overlap(0, 1, 1)]
        assert sg.visible(found) == [2, 2]

    def test_classes_by_labels(self) -> None:
        """
        Masks with other palettes agree on classes by their labels.
        """
        other = Palette.indexed({7: "car"})

        found = sg.stacked([label_map([[1, -1]]), label_map([[-1, 0]], other)])

        assert [one.name for one in found] == ["car 1", "car 2"]

    def test_sizes(self) -> None:
        """
        Masks of several sizes are of no one image.
        """
        with pytest.raises(ArgumentError, match=r"mask 1 is \(1, 1\)"):
            sg.stacked([label_map([[1, 1]]), label_map([[1]])])

    def test_unknown_thing(self) -> None:
        """
        A label that no mask has is refused.
        """
        with pytest.raises(ArgumentError, match="dog"):
            sg.stacked([label_map([[1, 1]])], things=["dog", "car"])


class TestFlattened:
    def test_h7_z_index(self) -> None:
        """
        H7: what has the higher z hides what lies below.
        """
        items = [
            instance([[1, 1, 0]], class_id=3, z=2),
            instance([[0, 1, 1]], class_id=4, z=1),
        ]

        found = sg.flattened(items)

        assert found.channels().tolist() == [[[3, 1], [3, 1], [4, 1]]]

    def test_h7_class_type(self) -> None:
        """
        H7: by type, things lie above stuff.
        """
        items = [
            instance([[1, 1, 0]], class_id=3),
            instance([[0, 1, 1]], class_id=4, thing=False, z=9),
        ]

        found = sg.flattened(items, order="class_type")

        assert found.channels().tolist() == [[[3, 1], [3, 1], [4, 0]]]

    def test_h7_class_order(self) -> None:
        """
        H7: by class, later classes lie above.
        """
        items = [
            instance([[1, 1, 0]], class_id=4),
            instance([[0, 1, 1]], class_id=3, z=9),
        ]

        found = sg.flattened(items, order="class_order")

        assert found.channels().tolist() == [[[4, 1], [4, 1], [3, 1]]]

    def test_void(self) -> None:
        """
        Where there is no instance, the map is void.
        """
        found = sg.flattened([instance([[0, 1]], class_id=3)])

        assert found.channels().tolist() == [[[-1, -1], [3, 1]]]

    def test_numbers(self) -> None:
        """
        Numbers count within the class; crowds are still crowds.
        """
        one = instance([[1, 0]], class_id=3)
        other = evolve(instance([[0, 1]], class_id=3), crowd=True)

        found = sg.flattened([one, other])

        assert found.instances.tolist() == [[1, 2]]
        assert found.crowd == {(3, 2)}

    @pytest.mark.parametrize("order", ["area", None])
    def test_refused(self, order: Any) -> None:
        """
        Other orders are refused.
        """
        with pytest.raises(ArgumentError):
            sg.flattened([instance([[1]])], order=order)

    def test_none(self) -> None:
        """
        Without instances there is no size.
        """
        with pytest.raises(ArgumentError):
            sg.flattened([])
