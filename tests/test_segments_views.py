from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from framekit import segments as sg
from framekit.decoding.label_map import LabelMap, id_dtype
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError
from framekit.palette import Palette, PaletteEntry

SHARED = Path(__file__).parents[2] / "shared" / "data"

#: The segments of the Nucleus page, from its code.
NUCLEUS = Palette.indexed(
    [
        PaletteEntry(index=index, labels=(label,), metadata=metadata)
        for index, (label, metadata) in enumerate(
            [
                ("background", {}),
                ("building", {"confidence": 0.1}),
                ("tree", {"confidence": 0.3}),
                ("wall", {"confidence": 0.3}),
                ("fence", {"confidence": 0.7}),
                ("pavement", {"confidence": 0.42}),
                ("person", {"pose": "sitting", "confidence": 0.6}),
                ("handbag", {"confidence": 0.9}),
                ("bird", {"confidence": 0.8}),
                ("bird", {"confidence": 0.8}),
                ("bird", {"confidence": 0.8}),
            ]
        )
    ]
)

STREET = Palette.indexed(
    [
        PaletteEntry(index=0, labels=("road",), thing=False),
        PaletteEntry(index=1, labels=("person",), thing=True),
        PaletteEntry(index=2, labels=("car",), thing=True),
    ]
)


def label_map(ids: Any, palette: Palette) -> LabelMap:
    """
    A label map of *ids*; -1 is void.
    """
    array: Any = np.array(ids, np.int32).astype(id_dtype(palette))
    return LabelMap(array, palette, DecodeReport(exact=True))


def pages_mask() -> LabelMap:
    """
    One row in which each of the page's 11 segments has two pixels.
    """
    return label_map([np.repeat(np.arange(11), 2)], NUCLEUS)


class TestConsolidate:
    def test_n7_instance(self) -> None:
        """
        N7: for instances, {0..5} are the background, and 6 to 10 are kept.
        """
        found = sg.groups(NUCLEUS, "instance", things=["person", "handbag"])

        assert {group.entry.id: group.ids for group in found} == {
            0: (0, 1, 2, 3, 4, 5),
            6: (6,),
            7: (7,),
            8: (8,),
            9: (9,),
            10: (10,),
        }
        consolidated = sg.consolidate(
            pages_mask(), "instance", things=["person", "handbag"]
        )
        assert consolidated.counts == {0: 12, 6: 2, 7: 2, 8: 2, 9: 2, 10: 2}
        assert sg.display_names(consolidated.palette) == {
            0: "background",
            6: "person",
            7: "handbag",
            8: "bird 1",
            9: "bird 2",
            10: "bird 3",
        }

    def test_n7_semantic(self) -> None:
        """
        N7: for classes, {8, 9, 10} are one bird.
        """
        found = sg.semantic(pages_mask())

        assert found.counts == {**dict.fromkeys(range(8), 2), 8: 6}
        assert [entry.labels[0] for entry in found.palette] == [
            "background",
            "building",
            "tree",
            "wall",
            "fence",
            "pavement",
            "person",
            "handbag",
            "bird",
        ]
        assert found.palette[8].metadata == {"confidence": 0.8}

    def test_n7_panoptic(self) -> None:
        """
        N7: the panoptic form keeps all 11.
        """
        found = sg.consolidate(pages_mask(), "panoptic")

        assert found.ids.tolist() == pages_mask().ids.tolist()
        assert [entry.thing for entry in found.palette] == [None] * 8 + [True] * 3

    def test_n7_default_things(self) -> None:
        """
        N7: without more knowledge a thing is a label with two segments or more.
        """
        things = {one.name for one in sg.classes_of(NUCLEUS) if one.thing}

        assert things == {"bird"}

    def test_differing_metadata(self) -> None:
        """
        What merged entries say differently is said of none.
        """
        entries = [
            PaletteEntry(index=n, labels=("a",), metadata={"n": n, "same": 1})
            for n in range(2)
        ]

        (group,) = sg.groups(Palette.indexed(entries), "semantic")

        assert group.entry.metadata == {"same": 1}
        assert group.ids == (0, 1)

    def test_void(self) -> None:
        """
        Void pixels stay void, also when ids become small enough for uint8.
        """
        palette = Palette.indexed(
            [PaletteEntry(id=id, index=id, labels=("a",)) for id in (3, 1000)]
        )

        found = sg.semantic(label_map([[3, 1000, -1]], palette))

        assert found.ids.dtype == np.uint8
        assert found.ids.tolist() == [[3, 3, 255]]

    def test_background_that_is_none_yet(self) -> None:
        """
        Stuff without a class called background gets that name, at its smallest id.
        """
        found = sg.consolidate(label_map([[0, 1, 2]], STREET), "instance")

        assert found.palette[0].labels == ("background",)
        assert found.ids.tolist() == [[0, 1, 2]]

    @pytest.mark.parametrize(
        ("mode", "options"),
        [
            ("instances", {}),
            ("instance", {"things": ["dog"]}),
            ("instance", {"things": "bird"}),
        ],
    )
    def test_refused(self, mode: Any, options: dict[str, Any]) -> None:
        """
        Unknown modes and labels are refused.
        """
        with pytest.raises(ArgumentError):
            sg.consolidate(pages_mask(), mode, **options)


class TestInstances:
    def test_n7_entries(self) -> None:
        """
        N7: segments with one label are instances, known by index, named in order.
        """
        found = sg.instances(pages_mask(), things=["person", "handbag"])

        assert [(one.id, one.name, one.derived) for one in found] == [
            (6, "person", False),
            (7, "handbag", False),
            (8, "bird 1", False),
            (9, "bird 2", False),
            (10, "bird 3", False),
        ]

    def test_n6_confidence(self) -> None:
        """
        N6: confidence and other metadata of a segment are its instance's.
        """
        person, *_ = sg.instances(pages_mask(), things=["person"])

        assert person.score == 0.6
        assert person.metadata == {"pose": "sitting", "confidence": 0.6}

    def test_n6_confidence_refused(self) -> None:
        """
        N6: a confidence that is none is not passed on.
        """
        palette = Palette.indexed(
            [
                PaletteEntry(index=n, labels=("a",), metadata={"confidence": 80})
                for n in range(2)
            ]
        )

        with pytest.raises(ArgumentError, match="not from 0 to 1: 80"):
            sg.instances(label_map([[0, 1]], palette))

    def test_p4_pdf(self) -> None:
        """
        P4: an instance has a probability for each class.
        """
        pdf = {"cat": 0.8, "dog": 0.1, "bicycle": 0.05, "nothing": 0.05}
        palette = Palette.indexed(
            [
                PaletteEntry(index=n, labels=("cat",), metadata={"pdf": pdf})
                for n in range(2)
            ]
        )

        one, _ = sg.instances(label_map([[0, 1]], palette))

        assert one.pdf == pdf

    def test_h1(self) -> None:
        """
        H1: an instance has a box, a mask and a class.
        """
        found = sg.instances(label_map([[0, 0, 0, 0], [0, 1, 1, 0]], STREET))

        assert [one.to_dict() for one in found] == [
            {
                "id": 1,
                "name": "person",
                "labels": ["person"],
                "class_id": 1,
                "thing": True,
                "derived": True,
                "crowd": False,
                "box_xywh": [1, 1, 2, 1],
                "area": 2,
                "rle": {"size": [2, 4], "counts": "31101"},
                "z": 0,
            }
        ]
        assert found[0].mask.tolist() == [[True, True]]
        assert found[0].full_mask().tolist() == [
            [False] * 4,
            [False, True, True, False],
        ]

    def test_h2(self) -> None:
        """
        H2: instances are counted by class, and called person 1, person 2.
        """
        found = sg.instances(label_map([[1, 0, 1, 0, 2, 0, 1]], STREET))

        assert [one.name for one in found] == [
            "person 1",
            "person 2",
            "person 3",
            "car",
        ]
        assert sg.counts(found) == {"person": 3, "car": 1}

    def test_h4_touching(self) -> None:
        """
        H4: from classes, objects that touch are one, and marked as derived.
        """
        ids = [[1, 0, 2], [0, 1, 2]]

        joined = sg.instances(label_map(ids, STREET))
        apart = sg.instances(label_map(ids, STREET), connectivity=4)

        assert [(one.name, one.area) for one in joined] == [("person", 2), ("car", 2)]
        assert [(one.name, one.area) for one in apart] == [
            ("person 1", 1),
            ("person 2", 1),
            ("car", 2),
        ]
        assert all(one.derived for one in joined + apart)

    def test_h4_min_area(self) -> None:
        """
        H4: small components are left out, and the others numbered.
        """
        ids = [[1, 0, 1, 1, 0, 1, 1]]

        found = sg.instances(label_map(ids, STREET), min_area=2)

        assert [(one.id, one.name, one.area) for one in found] == [
            (1, "person 1", 2),
            (2, "person 2", 2),
        ]

    def test_h4_exact(self) -> None:
        """
        H4: from instances to classes nothing is lost.
        """
        ids = np.random.default_rng(0).integers(0, 11, (20, 30))

        found = sg.semantic(label_map(ids, NUCLEUS))

        assert found.ids.tolist() == np.minimum(ids, 8).tolist()

    def test_d5_stuff(self) -> None:
        """
        D5: instance segmentation leaves the background out.
        """
        found = sg.instances(label_map([[0, 0, 2], [-1, 0, 2]], STREET))

        assert [one.label for one in found] == ["car"]

    def test_nothing_known(self) -> None:
        """
        If no class is known to be a thing, all that are not stuff are listed.
        """
        palette = Palette.indexed({0: "road", 1: "car"})

        found = sg.instances(label_map([[0, 1, 0]], palette))

        assert [one.name for one in found] == ["road 1", "road 2", "car"]
        assert [one.thing for one in found] == [None, None, None]

    def test_p6(self) -> None:
        """
        P6: what is a thing is the user's choice: pavement may be.
        """
        ids = [[5, 0, 5]]

        found = sg.instances(label_map(ids, NUCLEUS), things=["pavement"])

        assert [(one.name, one.area) for one in found] == [("pavement", 2)]
        by_parts = sg.instances(
            label_map(ids, NUCLEUS), things=["pavement"], by="components"
        )
        assert [one.name for one in by_parts] == ["pavement 1", "pavement 2"]

    def test_several_labels(self) -> None:
        """
        Entries with the same labels in another order are one class.
        """
        palette = Palette.indexed({0: ["person", "sitting"], 1: ["sitting", "person"]})

        found = sg.instances(label_map([[0, 1]], palette))

        assert [one.name for one in found] == [
            "person, sitting 1",
            "person, sitting 2",
        ]

    def test_components_across_entries(self) -> None:
        """
        By components, entries of one class that touch are one.
        """
        found = sg.instances(label_map([[8, 9, 0, 10]], NUCLEUS), by="components")

        assert [(one.name, one.area) for one in found] == [("bird 1", 2), ("bird 2", 1)]

    def test_large_ids(self) -> None:
        """
        Ids beyond 16 bits are told apart.
        """
        entries = [PaletteEntry(id=id, index=id, labels=("a",)) for id in (4464, 70000)]

        found = sg.instances(label_map([[70000, 4464, -1]], Palette.indexed(entries)))

        assert [(one.id, one.box.xyxy) for one in found] == [
            (4464, (1, 0, 2, 1)),
            (70000, (0, 0, 1, 1)),
        ]

    @given(
        npst.arrays(
            np.int32,
            npst.array_shapes(min_dims=2, max_dims=2, max_side=9),
            elements=st.integers(-1, 2),
        )
    )
    def test_partition(self, ids: NDArray[np.int32]) -> None:
        """
        Instances cover exactly the pixels of things, each once.
        """
        total = np.zeros(ids.shape, np.int64)
        for one in sg.instances(label_map(ids, STREET)):
            assert set(ids[one.full_mask()].tolist()) == {one.class_id}
            total += one.full_mask()

        assert total.tolist() == (ids > 0).astype(int).tolist()

    @pytest.mark.parametrize(
        "options",
        [
            {"connectivity": 6},
            {"min_area": -1},
            {"min_area": 1.5},
            {"by": "colors"},
            {"things": ["dog"]},
            {"things": [1]},
        ],
    )
    def test_refused(self, options: dict[str, Any]) -> None:
        """
        Options with other values are refused.
        """
        with pytest.raises(ArgumentError):
            sg.instances(label_map([[1]], STREET), **options)

    def test_no_label_map(self) -> None:
        """
        An array is no label map, since nothing says what its values mean.
        """
        with pytest.raises(ArgumentError, match="expected a LabelMap, got ndarray"):
            sg.instances(np.zeros((2, 2)))  # type: ignore[arg-type]

    def test_pickle(self) -> None:
        """
        Instances cross process borders.
        """
        found = sg.instances(pages_mask())

        assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301


class TestPanoptic:
    def test_p1_arrays(self) -> None:
        """
        P1: stuff has Z 0, things 1, 2, …, void -1 for both.
        """
        found = sg.panoptic(label_map([[0, 1, 0, 1, 2, -1]], STREET))

        assert found.channels().tolist() == [
            [[0, 0], [1, 1], [0, 0], [1, 2], [2, 1], [-1, -1]]
        ]
        assert found.labels.dtype == found.instances.dtype == np.int32
        assert found.derived

    def test_p1_objects(self) -> None:
        """
        P1: as objects, stuff has no Z, void nothing.
        """
        found = sg.panoptic(label_map([[0, 1, -1]], STREET))

        assert [found.at(x, 0) for x in range(3)] == [(0, None), (1, 1), (None, None)]

    def test_p1_entries(self) -> None:
        """
        P1: instances that are entries share their class's L.
        """
        found = sg.panoptic(pages_mask())

        assert found.labels[0, ::2].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
        assert found.instances[0, ::2].tolist() == [0] * 8 + [1, 2, 3]
        assert not found.derived

    def test_p2_channels(self) -> None:
        """
        P2: two channels, in whatever type, give the same view.
        """
        one = sg.panoptic(label_map([[0, 1], [2, -1]], STREET))

        again = sg.Panoptic.from_channels(one.channels().astype(np.int64)[None])

        assert again.labels.tolist() == one.labels.tolist()
        assert again.instances.tolist() == one.instances.tolist()

    def test_h3(self) -> None:
        """
        H3: classes and panoptic views cover the whole image.
        """
        ids = [[0, 1, 0, 1], [0, 1, 2, 2]]

        assert sg.semantic(label_map(ids, STREET)).ids.tolist() == ids
        assert sg.panoptic(label_map(ids, STREET)).labels.tolist() == ids

    def test_instances(self) -> None:
        """
        The instances of a panoptic view are those of the label map.
        """
        source = pages_mask()

        found = sg.instances(sg.panoptic(source, things=["person", "handbag"]))

        expected = sg.instances(source, things=["person", "handbag"])
        assert [one.name for one in found] == [one.name for one in expected]
        assert [one.region for one in found] == [one.region for one in expected]

    def test_crowd(self) -> None:
        """
        What stands for several objects says so.
        """
        view = sg.Panoptic.from_channels([[[1, 1], [1, 2]]], crowd=[(1, 2)])

        assert [one.crowd for one in sg.instances(view)] == [False, True]
        assert [one.label for one in sg.instances(view)] == ["1", "1"]

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((2, 2)),
            np.zeros((2, 2, 2)),
            np.zeros((2, 2, 3), int),
            np.full((1, 1, 2), 2**32),
        ],
    )
    def test_refused(self, array: NDArray[Any]) -> None:
        """
        What is not two channels of 32-bit whole numbers is refused.
        """
        with pytest.raises(ArgumentError):
            sg.Panoptic.from_channels(array)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data")
class TestPaired:
    @pytest.mark.parametrize("name", ["2011_000003", "2011_000006", "2011_000025"])
    def test_voc(self, name: str) -> None:
        """
        Class and object masks of VOC pair up; each object has one class.
        """
        classes = np.load(SHARED / "voc/truth" / f"{name}_class.npz")
        objects = np.load(SHARED / "voc/truth" / f"{name}_object.npz")
        ids = classes[classes.files[0]].astype(np.int32)
        values = objects[objects.files[0]].astype(np.int32)
        palette = Palette.indexed({n: f"class {n}" for n in range(21)})

        found = sg.paired(label_map(ids, palette), values)

        items = sg.instances(found)
        assert len(items) == len(np.unique(values[values > 0]))
        assert sum(one.area for one in items) == np.count_nonzero(values > 0)
        assert found.labels.tolist() == ids.tolist()
        assert not any(one.derived for one in items)
