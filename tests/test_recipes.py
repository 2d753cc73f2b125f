"""
The README's recipes for other people's tools; skipped where those are missing.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import framekit as fk
from framekit import formats
from framekit import segments as sg
from framekit.dataset.compression import Compression
from framekit.dataset.dataset import Dataset

# What those tools warn of is theirs.
pytestmark = pytest.mark.filterwarnings("ignore")

CROSSING = Path(__file__).parents[1] / "samples" / "crossing"
STORAGE = fk.Storage(CROSSING)


def needed(name: str) -> Any:
    """
    The module of that name; the test is skipped if it cannot be imported.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            pytest.skip(f"{name} is not installed")
        except (OSError, RuntimeError) as error:
            pytest.skip(f"{name} does not work here: {error}")


def truth(name: str) -> NDArray[Any]:
    """
    The indices that were drawn.
    """
    return np.asarray(Image.open(CROSSING / "truth" / name))


class TestSupervision:
    def test_detections(self) -> None:
        """
        Instances become Detections, with masks, classes and names.
        """
        sv = needed("supervision")
        target = fk.open_target(CROSSING)
        frame: Any = next(target.frames())

        label_map = fk.decode(
            frame, "front", "seg_instance", version=target.version, storage=STORAGE
        )
        found = sg.instances(label_map, things=["car", "person", "bicyclist"])
        detections = sv.Detections(
            xyxy=np.array([one.box.xyxy for one in found], np.float32),
            mask=np.array([one.full_mask() for one in found]),
            class_id=np.array([one.class_id for one in found]),
            data={"class_name": np.array([one.label for one in found])},
        )

        assert len(detections) == 11
        assert detections.area.tolist() == [one.area for one in found]
        cars = detections[detections.data["class_name"] == "car"]
        assert len(cars) == 5
        boxes = sv.mask_to_xyxy(detections.mask)
        # supervision's own boxes name the last pixel; ours end after it.
        assert np.array_equal(boxes + np.array([0, 0, 1, 1]), detections.xyxy)


class TestHuggingFace:
    @pytest.fixture(autouse=True)
    def _offline(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        for name in ("HF_DATASETS_OFFLINE", "HF_HUB_OFFLINE"):
            monkeypatch.setenv(name, "1")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))

    def test_frames_folder(self, tmp_path: Path) -> None:
        """
        Rows of frames.jsonl are frames, and become the same again.
        """
        datasets = needed("datasets")
        path = CROSSING / "frames.jsonl"

        rows = datasets.load_dataset(
            "json", data_files=str(path), split="train", cache_dir=str(tmp_path)
        )

        frames = [fk.SingleFrame.from_dict(row) for row in rows]
        assert frames == list(fk.open_target(path).frames())
        label_map = fk.decode(frames[7], "front", "seg", storage=STORAGE)
        assert np.array_equal(label_map.ids, truth("front_seg/007.png"))

    @pytest.mark.parametrize("compression", [None, "gz", "zst"])
    def test_shards(self, tmp_path: Path, compression: Compression) -> None:
        """
        So are those of a version's shards, compressed or not.
        """
        datasets = needed("datasets")
        if compression == "zst":
            needed("zstandard")
        dataset = Dataset.create(tmp_path / "set", compression=compression)
        version = dataset.create_version("v1")
        assert version.add_frames(fk.open_target(CROSSING).frames()) == []
        version.publish()

        root = version.store.root
        files = [str(root / shard.file) for shard in version.frames.shards]
        rows = datasets.load_dataset(
            "json", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
        )

        assert [fk.SingleFrame.from_dict(row) for row in rows] == list(version)


class TestFiftyOne:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """
        The sample as FiftyOne's ImageSegmentationDirectory.
        """
        folder = tmp_path / "fiftyone"
        formats.write(CROSSING, folder, "folder")
        return folder

    def test_layout(self, folder: Path) -> None:
        """
        A picture and a mask have one name, and the palette tells the colors.
        """
        pictures = sorted(path.stem for path in (folder / "images").iterdir())
        masks = sorted(path.stem for path in (folder / "masks").iterdir())

        assert len(pictures) == 32
        assert pictures == masks
        palette = fk.Palette.load(folder / "palette.json")
        again = fk.decode_image(folder / "masks" / "crossing_1_007.front.png", palette)
        assert np.array_equal(again.ids, truth("front_seg/007.png"))

    def test_import(self, folder: Path) -> None:
        """
        FiftyOne's importer finds all pairs, and takes the colors as mask targets.
        """
        importers = needed("fiftyone.utils.data.importers")
        fields = needed("fiftyone.core.fields")
        palette = fk.Palette.load(folder / "palette.json")

        # What fo.Dataset.from_dir does before it writes to its database.
        importer = importers.ImageSegmentationDirectoryImporter(
            data_path=str(folder / "images"),
            labels_path=str(folder / "masks"),
            load_masks=True,
        )
        importer.setup()
        targets = {entry.marker: entry.name for entry in palette if entry.color}

        assert len(importer) == 32
        fields.MaskTargetsField().validate(targets)
        for picture, _, segmentation in importer:
            assert Path(picture).exists()
            colors = np.unique(segmentation.mask.reshape(-1, 3), axis=0)
            assert {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in colors} <= set(targets)

    def test_ids(self, tmp_path: Path) -> None:
        """
        What FiftyOne exports, gray masks of ids, an indexed palette decodes.
        """
        ids = np.array([[0, 1], [1, 0]], np.uint8)
        Image.fromarray(ids).save(tmp_path / "a.png")
        palette = fk.Palette.indexed({0: [], 1: "road"})

        label_map = fk.decode_image(tmp_path / "a.png", palette)

        assert label_map.mask("road").tolist() == [[False, True], [True, False]]
        assert label_map.report.unknown_pixels == 0


class TestTorchvision:
    def test_masks(self) -> None:
        """
        A target that says it is a mask is turned as its image is.
        """
        torch = needed("torch")
        tv_tensors = needed("torchvision.tv_tensors")
        v2 = needed("torchvision.transforms.v2")
        from framekit.torch import FrameDataset

        turned = v2.Compose([v2.RandomHorizontalFlip(p=1), v2.CenterCrop((200, 300))])

        def transform(image: Any, target: Any) -> Any:
            return turned(tv_tensors.Image(image), tv_tensors.Mask(target))

        plain = FrameDataset(CROSSING, mask="seg")
        data = FrameDataset(CROSSING, mask="seg", transform=transform)

        image, target, name = data[0]
        loader = torch.utils.data.DataLoader(
            data, batch_size=4, collate_fn=data.collate
        )
        batch = next(iter(loader))

        assert (type(image), type(target)) == (tv_tensors.Image, tv_tensors.Mask)
        assert name == plain[0].name
        middle = slice(80, 280), slice(170, 470)
        assert torch.equal(
            target.as_subclass(torch.Tensor), plain[0].target.flip(-1)[middle]
        )
        assert torch.equal(
            image.as_subclass(torch.Tensor), plain[0].image.flip(-1)[:, *middle]
        )
        assert batch.image.shape == (4, 3, 200, 300)
        assert batch.target.shape == (4, 200, 300)

    def test_label_map(self) -> None:
        """
        A label map becomes a Mask without being copied.
        """
        torch = needed("torch")
        tv_tensors = needed("torchvision.tv_tensors")
        palette = fk.Palette({(0, 0, 0): "ego vehicle"})
        label_map = fk.decode_image(CROSSING / "media" / "rear_000_seg.png", palette)

        mask = tv_tensors.Mask(torch.from_dlpack(label_map))

        assert mask.data_ptr() == label_map.ids.ctypes.data
        assert mask.shape == (270, 480)
