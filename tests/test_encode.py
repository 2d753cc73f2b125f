"""
Writing mask videos that decode to what was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from framekit.decoding.label_map import LabelMap
from framekit.decoding.report import DecodeReport
from framekit.decoding.video import encode
from framekit.decoding.video.encode import encode_mask_video
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import (
    ArgumentError,
    PaletteError,
    StorageError,
    UnreadableMaskError,
)
from framekit.palette import Palette, PaletteEntry
from tests.clips import COLORS, PALETTE, scene

SCENE = scene(6)
INDEXED = Palette.indexed({n: f"label {n}" for n in range(9)})


def read(path: Path, palette: Palette) -> list[NDArray[Any]]:
    """
    All ids of the video at *path*.
    """
    with MaskVideo(path, palette) as video:
        return [item.label_map.ids for item in video]


class TestRoundTrip:
    @pytest.mark.parametrize("extension", ["mp4", "m4v", "mov", "mkv"])
    @pytest.mark.parametrize("size", [(64, 96), (63, 95), (1, 1), (1, 17), (5, 2)])
    @pytest.mark.parametrize(
        ("values", "palette"), [("color", PALETTE), ("id", INDEXED), ("index", INDEXED)]
    )
    def test_sizes(
        self,
        tmp_path: Path,
        extension: str,
        size: tuple[int, int],
        values: Any,
        palette: Palette,
    ) -> None:
        """
        Any size is exact, in color and in gray.
        """
        maps = [ids[: size[0], : size[1]] for ids in SCENE]
        path = tmp_path / f"mask.{extension}"

        encode_mask_video(path, maps, palette=palette, values=values)

        assert np.array_equal(read(path, palette), maps)
        assert [file.name for file in tmp_path.iterdir()] == [path.name]

    @given(data=st.data())
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_anything(self, tmp_path: Path, data: st.DataObject) -> None:
        """
        Any palette, size and number of frames survives.
        """
        colors = data.draw(
            st.lists(
                st.tuples(*[st.integers(0, 255)] * 3),
                min_size=1,
                max_size=300,
                unique=True,
            )
        )
        palette = Palette({color: str(n) for n, color in enumerate(colors)})
        height, width = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
        seed = data.draw(st.integers(0, 99))
        rng = np.random.default_rng(seed)
        count = data.draw(st.integers(1, 4))
        maps = [rng.integers(0, len(colors), (height, width)) for _ in range(count)]

        encode_mask_video(tmp_path / "mask.mp4", maps, palette=palette)

        assert np.array_equal(read(tmp_path / "mask.mp4", palette), maps)

    def test_300_labels(self, tmp_path: Path) -> None:
        """
        More labels than gray has values fit in color, and only there.
        """
        palette = Palette({(n % 256, n // 256, 7): str(n) for n in range(300)})
        maps = [np.arange(300).reshape(15, 20)]

        encode_mask_video(tmp_path / "mask.mp4", maps, palette=palette)

        assert np.array_equal(read(tmp_path / "mask.mp4", palette), maps)
        with pytest.raises(PaletteError, match="gray video holds 0 to 255"):
            encode_mask_video(tmp_path / "a.mp4", maps, palette=palette, values="id")

    def test_label_maps(self, tmp_path: Path) -> None:
        """
        Label maps bring their palette; what is void stays void.
        """
        palette = Palette({(9, 9, 9): "a", (200, 0, 0): "b"})
        ids = np.array([[0, 1, 255], [255, 1, 0]], np.uint8)
        maps = [LabelMap(ids, palette, DecodeReport(exact=True))] * 3

        encode_mask_video(tmp_path / "mask.mp4", maps)

        assert np.array_equal(read(tmp_path / "mask.mp4", palette), [ids] * 3)

    def test_generator(self, tmp_path: Path) -> None:
        """
        Label maps are taken one at a time.
        """

        def produced() -> Iterator[NDArray[np.uint8]]:
            yield from SCENE

        encode_mask_video(tmp_path / "mask.mp4", produced(), palette=PALETTE)

        assert np.array_equal(read(tmp_path / "mask.mp4", PALETTE), SCENE)

    def test_indices(self, tmp_path: Path) -> None:
        """
        Gray video holds the entries' own pixel values.
        """
        palette = Palette(
            [
                PaletteEntry(index=200, labels="a"),
                PaletteEntry(index=7, labels="b"),
            ]
        )
        maps = [ids % 2 for ids in SCENE]

        encode_mask_video(tmp_path / "m.mp4", maps, palette=palette, values="index")

        values = Palette.indexed({7: "b", 200: "a"})
        assert np.array_equal(read(tmp_path / "m.mp4", palette), maps)
        assert np.array_equal(read(tmp_path / "m.mp4", values), [1 - m for m in maps])


class TestTimes:
    @pytest.mark.parametrize(
        ("fps", "rate"),
        [
            (30, Fraction(30)),
            (29.97, Fraction(30000, 1001)),
            (23.976, Fraction(24000, 1001)),
            (12.5, Fraction(25, 2)),
            (Fraction(60000, 1001), Fraction(60000, 1001)),
            (1, Fraction(1)),
            (240, Fraction(240)),
        ],
    )
    @pytest.mark.parametrize("extension", ["mp4", "mkv"])
    def test_rates(
        self, tmp_path: Path, fps: Any, rate: Fraction, extension: str
    ) -> None:
        """
        Each frame is found at its time, as exact as the container has it.
        """
        path = tmp_path / f"mask.{extension}"

        encode_mask_video(path, SCENE, palette=PALETTE, fps=fps)

        with MaskVideo(path, PALETTE) as video:
            for n in range(len(SCENE)):
                moment = n * 1000 / rate
                assert abs(video.index.timestamp(n) - moment) <= Fraction(1, 2)
                assert video.index.find(int(moment)) == n

    def test_timestamps(self, tmp_path: Path) -> None:
        """
        Times of one's own come back.
        """
        times = [0, 40, 100, 101, 500, 733.3]

        encode_mask_video(tmp_path / "m.mp4", SCENE, palette=PALETTE, timestamps=times)

        with MaskVideo(tmp_path / "m.mp4", PALETTE) as video:
            found = [float(item.timestamp) for item in video]
            assert found == pytest.approx(times, abs=0.01)
            assert [item.index for item in video.at_many(times)] == list(range(6))


class TestRefused:
    @pytest.mark.parametrize(
        ("argument", "arguments"),
        [
            ("path", {"path": "mask.avi"}),
            ("values", {"values": "rgb"}),
            ("fps", {"fps": 0}),
            ("fps", {"fps": "30"}),
            ("palette", {"palette": None}),
            ("label_maps", {"label_maps": []}),
            ("label_maps", {"label_maps": [SCENE[0], SCENE[0][:-1]]}),
            ("label_maps", {"label_maps": [SCENE[0] + 100]}),
            ("label_maps", {"label_maps": [SCENE[0] / 255]}),
            ("label_maps", {"label_maps": [np.zeros((2, 2, 3), int)]}),
            ("timestamps", {"timestamps": [0, 33]}),
            ("timestamps", {"timestamps": [*range(7)]}),
            ("timestamps", {"timestamps": [5, 6, 7, 8, 9, 10]}),
            ("timestamps", {"timestamps": [0, 33, 33, 34, 35, 36]}),
            ("void", {"values": "id", "void": 300}),
        ],
    )
    def test_arguments(
        self, tmp_path: Path, argument: str, arguments: dict[str, Any]
    ) -> None:
        """
        What cannot be meant is refused by the argument's name, and leaves no file.
        """
        usual = {"path": "mask.mp4", "label_maps": SCENE, "palette": PALETTE}
        call = {**usual, **arguments}
        path = tmp_path / call.pop("path")

        with pytest.raises(ArgumentError) as caught:
            encode_mask_video(path, call.pop("label_maps"), **call)

        assert caught.value.argument == argument
        assert list(tmp_path.iterdir()) == []

    def test_void_that_would_be_a_label(self, tmp_path: Path) -> None:
        """
        Void needs a value that no entry has.
        """
        ids = np.array([[0, 255]], np.uint8)
        black = Palette({(0, 0, 0): "a"})

        with pytest.raises(PaletteError, match="void"):
            encode_mask_video(tmp_path / "m.mp4", [ids], palette=black)
        encode_mask_video(tmp_path / "m.mp4", [ids], palette=black, void=(9, 9, 9))

        assert np.array_equal(read(tmp_path / "m.mp4", black), [ids])

    def test_folder_that_is_not_there(self, tmp_path: Path) -> None:
        """
        A file that cannot be written is a storage error.
        """
        with pytest.raises(StorageError, match="No such file or directory"):
            encode_mask_video(tmp_path / "no" / "m.mp4", SCENE, palette=PALETTE)

    def test_what_does_not_read_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A file that does not read back as it was written is not left behind.
        """
        monkeypatch.setattr(encode, "_OPTIONS", {"crf": "45", "bf": "0"})

        with pytest.raises(UnreadableMaskError, match="frame 0 does not read back"):
            encode_mask_video(tmp_path / "m.mp4", SCENE, palette=PALETTE)

        assert list(tmp_path.iterdir()) == []

    def test_an_older_file_survives_failure(self, tmp_path: Path) -> None:
        """
        What was there before is replaced only by what is right.
        """
        path = tmp_path / "m.mp4"
        path.write_bytes(b"before")

        with pytest.raises(ArgumentError):
            encode_mask_video(path, [SCENE[0], SCENE[0][:-1]], palette=PALETTE)

        assert path.read_bytes() == b"before"
        assert COLORS[0] == (0, 0, 0)
