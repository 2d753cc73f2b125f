from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from framekit.decoding.image.decode import decode_image
from framekit.decoding.image.writing import encode_label_map
from framekit.decoding.label_map import LabelMap, id_dtype, void_of
from framekit.decoding.report import DecodeReport
from framekit.errors import ArgumentError, PaletteError, StorageError
from framekit.palette import Palette, PaletteEntry

RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)
PALETTE = Palette({RED: "red", GREEN: "green", BLACK: ["black", "dark"]})
SIZES = [(1, 1), (1, 7), (7, 1), (1, 9), (9, 1), (3, 5), (16, 17)]


def label_map(ids: Any, palette: Palette) -> LabelMap:
    """
    A label map of *ids*.
    """
    array: Any = np.asarray(ids).astype(id_dtype(palette))
    return LabelMap(ids=array, palette=palette, report=DecodeReport(exact=True))


def read_back(data: bytes, palette: Palette, **options: Any) -> NDArray[Any]:
    """
    The ids in a file.
    """
    return decode_image(io.BytesIO(data), palette, **options).ids


@st.composite
def maps(draw: st.DrawFn, *, kind: str) -> LabelMap:
    """
    Label maps over palettes of colors, of values, or of both.
    """
    count = draw(st.integers(1, 40))
    large = draw(st.booleans())
    limit = 60000 if large else 254
    unique: Any = {"min_size": count, "max_size": count, "unique": True}
    ids = draw(st.lists(st.integers(0, limit), **unique))
    byte = st.integers(0, 255)
    colors = draw(st.lists(st.tuples(byte, byte, byte), **unique))
    values = draw(st.lists(st.integers(0, 250), **unique))
    entries = [
        PaletteEntry(
            id=id,
            color=color if kind in ("color", "both") else None,
            index=value if kind in ("index", "both") else None,
            labels=f"label {id}",
        )
        for id, color, value in zip(ids, colors, values, strict=True)
    ]
    if draw(st.booleans()):
        spare = next((n, n, n) for n in range(256) if (n, n, n) not in colors)
        entries.append(
            PaletteEntry(
                color=spare if kind in ("color", "both") else None,
                index=255 if kind in ("index", "both") else None,
                void=True,
            )
        )
    palette = Palette(entries)
    shape = draw(st.sampled_from(SIZES))
    choices = [*ids, void_of(palette)] if draw(st.booleans()) else ids
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    few = choices[: draw(st.integers(1, len(choices)))]
    return label_map(rng.choice(np.array(few), shape), palette)


class TestRoundTrip:
    @given(maps(kind="color"))
    @settings(deadline=None)
    def test_colors(self, labels: LabelMap) -> None:
        """
        An RGB file gives every id and void back.
        """
        data = encode_label_map(labels, values="color")

        found = read_back(data, labels.palette)

        assert np.array_equal(found, labels.ids)
        assert found.dtype == labels.ids.dtype

    @given(st.one_of(maps(kind="color"), maps(kind="index"), maps(kind="both")))
    @settings(deadline=None)
    def test_indices(self, labels: LabelMap) -> None:
        """
        So does a palette image, for palettes of colors and of values.
        """
        if not labels.palette.is_indexed and max(labels.counts) > 255:
            with pytest.raises(PaletteError):
                encode_label_map(labels, values="index")
            return
        data = encode_label_map(labels, values="index")

        found = read_back(data, labels.palette)

        assert np.array_equal(found, labels.ids)

    @given(st.one_of(maps(kind="color"), maps(kind="index")))
    @settings(deadline=None)
    def test_ids(self, labels: LabelMap) -> None:
        """
        A gray file has the ids themselves, void 255 or 65535.
        """
        data = encode_label_map(labels, values="id")

        with Image.open(io.BytesIO(data)) as image:
            stored = np.asarray(image)

        void = 255 if labels.ids.dtype == np.uint8 else 65535
        assert np.array_equal(
            np.where(labels.ids == labels.void, void, labels.ids), stored
        )
        entries = [entry for entry in labels.palette if entry.id is not None]
        by_id = Palette.indexed(
            [PaletteEntry(id=e.id, index=e.id, labels=e.labels) for e in entries]
        )
        assert np.array_equal(read_back(data, by_id), labels.ids)

    @given(st.one_of(maps(kind="color"), maps(kind="both")))
    @settings(deadline=None, max_examples=30)
    def test_by_pillow(self, labels: LabelMap) -> None:
        """
        Others see the same colors in the palette image as in the RGB file.
        """
        if not labels.palette.is_indexed and max(labels.counts) > 255:
            return
        files = [encode_label_map(labels, values=v) for v in ("color", "index")]
        seen = [np.asarray(Image.open(io.BytesIO(f)).convert("RGB")) for f in files]
        known = labels.ids != labels.void

        assert np.array_equal(seen[0][known], seen[1][known])

    @pytest.mark.parametrize("count", [2, 3, 4, 5, 16, 17, 200, 256])
    def test_depth(self, count: int) -> None:
        """
        The indices take as few bits as they need.
        """
        palette = Palette.indexed({n: f"{n}" for n in range(count)})
        labels = label_map([list(range(count))], palette)

        data = encode_label_map(labels, values="index")

        assert data[24] == next(d for d in (1, 2, 4, 8) if count <= 1 << d)
        assert read_back(data, palette).tolist() == [list(range(count))]

    def test_void_is_transparent(self) -> None:
        """
        Void pixels are void on reading, with nothing unknown if alpha counts.
        """
        labels = label_map([[0, 255, 2]], PALETTE)

        for values in ("color", "index"):
            data = encode_label_map(labels, values=values)
            found = decode_image(io.BytesIO(data), PALETTE, alpha="void")

            assert found.ids.tolist() == [[0, 255, 2]]
            assert found.report.unknown_pixels == 0

    def test_void_entry(self) -> None:
        """
        The color of a void entry is what void pixels are written in.
        """
        void = PaletteEntry(color=(224, 224, 192), void=True)
        palette = Palette([PaletteEntry(color=RED, labels="red"), void])
        labels = label_map([[0, 255]], palette)

        for values in ("color", "index"):
            found = decode_image(
                io.BytesIO(encode_label_map(labels, values=values)), palette
            )

            assert found.ids.tolist() == [[0, 255]]
            assert found.report.unknown_pixels == 0
            assert found.to_rgb().tolist() == [[list(RED), [224, 224, 192]]]

    def test_smallest(self) -> None:
        """
        A palette image is smaller than the RGB image that Pillow writes.
        """
        few = np.random.default_rng(1).integers(0, 3, (12, 16))
        labels = label_map(np.kron(few, np.ones((40, 40), int)), PALETTE)
        file = io.BytesIO()
        Image.fromarray(labels.to_rgb()).save(file, "PNG", optimize=True)

        data = encode_label_map(labels, values="index")

        assert len(data) < len(file.getvalue()) / 2


class TestRefusals:
    def test_large_ids(self) -> None:
        """
        Ids beyond 65535 fit no gray file; the message names what does.
        """
        palette = Palette([PaletteEntry(id=70000, color=RED, labels="a")])
        labels = label_map([[70000]], palette)

        with pytest.raises(PaletteError) as caught:
            encode_label_map(labels, values="id")

        assert caught.value == PaletteError(
            "id 70000 does not fit 16 bits; save with values='color'"
        )
        data = encode_label_map(labels, values="color")
        assert read_back(data, palette).tolist() == [[70000]]

    def test_void_is_an_id(self) -> None:
        """
        Where 65535 is an id, it cannot be void as well.
        """
        palette = Palette([PaletteEntry(id=65535, color=RED, labels="a")])

        assert encode_label_map(label_map([[65535]], palette), values="id")
        with pytest.raises(PaletteError):
            encode_label_map(label_map([[65535, -1]], palette), values="id")

    def test_large_indices(self) -> None:
        """
        A palette image holds 256 values.
        """
        palette = Palette.indexed({256: "a"})

        with pytest.raises(PaletteError):
            encode_label_map(label_map([[0]], palette), values="index")

    def test_no_index_left(self) -> None:
        """
        Void needs a value of its own.
        """
        palette = Palette.indexed({n: f"{n}" for n in range(256)})

        with pytest.raises(PaletteError):
            encode_label_map(label_map([[0, -1]], palette), values="index")

    def test_no_color(self) -> None:
        """
        What has no color cannot be painted; its value and its id can be written.
        """
        palette = Palette.indexed({3: "a"})

        with pytest.raises(PaletteError):
            encode_label_map(label_map([[0]], palette), values="color")
        assert encode_label_map(label_map([[0]], palette), values="index")

    def test_shared_color(self) -> None:
        """
        Two ids of one color would come back as one, so they are refused.
        """
        entries = [
            PaletteEntry(id=1, color=RED, labels="car"),
            PaletteEntry(id=2, color=RED, labels="car"),
        ]
        palette = Palette(entries, shared="first")

        for values in ("color", "index"):
            assert encode_label_map(label_map([[1]], palette), values=values)
            with pytest.raises(PaletteError):
                encode_label_map(label_map([[2]], palette), values=values)

    def test_foreign_ids(self) -> None:
        """
        An id that the palette does not have cannot be written.
        """
        with pytest.raises(PaletteError):
            encode_label_map(label_map([[9]], PALETTE))

    def test_no_pixels(self) -> None:
        """
        PNG has no images without pixels.
        """
        with pytest.raises(ArgumentError):
            encode_label_map(label_map(np.zeros((0, 3)), PALETTE))


class TestSave:
    @pytest.mark.parametrize("values", ["color", "index"])
    def test_file(self, tmp_path: Path, values: Any) -> None:
        """
        What is saved decodes to the same map.
        """
        labels = label_map([[0, 1], [2, 255]], PALETTE)

        labels.save(tmp_path / "x.png", values=values)

        found = decode_image(tmp_path / "x.png", PALETTE)
        assert np.array_equal(found.ids, labels.ids)

    def test_bad_values(self, tmp_path: Path) -> None:
        """
        A kind of file that there is not is refused by name.
        """
        kind: Any = "rgb"

        with pytest.raises(ArgumentError) as caught:
            label_map([[0]], PALETTE).save(tmp_path / "x.png", values=kind)

        assert caught.value.argument == "values"

    def test_no_folder(self, tmp_path: Path) -> None:
        """
        A file that cannot be written is a StorageError.
        """
        with pytest.raises(StorageError):
            label_map([[0]], PALETTE).save(tmp_path / "no" / "x.png")


class TestLabelMap:
    labels = label_map([[0, 0, 2], [2, 2, 255]], PALETTE)

    def test_areas(self) -> None:
        """
        Labels that occur, with their pixels; void is none of them.
        """
        assert self.labels.areas == {"red": 2, "black": 3, "dark": 3}
        assert self.labels.labels == ("red", "black", "dark")
        assert self.labels.shape == (2, 3)
        assert self.labels.void == 255

    def test_mask(self) -> None:
        """
        Where a label is; a label that the palette does not have is an error.
        """
        assert self.labels.mask("dark").tolist() == [
            [False, False, True],
            [True, True, False],
        ]
        with pytest.raises(ArgumentError):
            self.labels.mask("blue")

    def test_to_rgb(self) -> None:
        """
        Void takes a color that no label has.
        """
        found = self.labels.to_rgb(void=(1, 1, 1))

        assert found[1].tolist() == [list(BLACK), list(BLACK), [1, 1, 1]]
        with pytest.raises(PaletteError):
            self.labels.to_rgb()

    def test_arrays(self) -> None:
        """
        NumPy and others take the ids as they are.
        """
        assert np.array_equal(np.asarray(self.labels), self.labels.ids)
        assert np.array_equal(np.from_dlpack(self.labels), self.labels.ids)

    def test_wide(self) -> None:
        """
        With an id of 255 the map is int32, and void -1.
        """
        palette = Palette([PaletteEntry(id=255, color=RED, labels="a")])
        labels = label_map([[255, -1]], palette)

        assert labels.ids.dtype == np.int32
        assert labels.areas == {"a": 1}
        assert labels.to_rgb(void=(1, 2, 3)).tolist() == [[list(RED), [1, 2, 3]]]
