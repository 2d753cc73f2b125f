"""
Networks that learn the sample; skipped where torch is not installed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torch_samples import CROSSING, FRONT, REAR, names_of

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from framekit.torch import FrameDataset, FrameStream  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def rank_names(rank: int, folder: str) -> None:
    """
    Be one of two processes, and write down what it is given.
    """
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    data = FrameStream(CROSSING, mask="seg", shuffle=True)
    loader = DataLoader(data, batch_size=4, num_workers=1, collate_fn=data.collate)
    Path(folder, f"{rank}.txt").write_text("\n".join(names_of(loader)))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
class TestLearning:
    def test_ranks(self, tmp_path: Path) -> None:
        """
        Two processes of torch.distributed share the frames without being told.
        """
        torch.multiprocessing.spawn(rank_names, args=(str(tmp_path),), nprocs=2)

        names = [(tmp_path / f"{rank}.txt").read_text().split() for rank in (0, 1)]
        assert [len(own) for own in names] == [16, 16]
        assert sorted(names[0] + names[1]) == sorted(FRONT + REAR)

    def test_loop(self) -> None:
        """
        A loop of ten lines learns the sample, video and stills.
        """
        nn = torch.nn
        torch.manual_seed(0)
        data = FrameStream(CROSSING, mask="seg", shuffle=True, transform=quartered)
        net = small_net(data.classes)
        losses = []

        optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
        loss_of = nn.CrossEntropyLoss(ignore_index=data.ignore_index)
        for epoch in range(20):
            data.set_epoch(epoch)
            for image, target, _ in DataLoader(data, 4, collate_fn=data.collate):
                loss = loss_of(net(image), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            losses.append(loss.item())

        assert losses[-1] < 0.2 * losses[0]
        right = right_shares(
            net,
            FrameDataset(CROSSING, mask="seg", labels=data.labels, transform=quartered),
        )
        assert right["all"] > 0.93
        for label in ("sky", "road", "building", "sidewalk", "vegetation", "car"):
            assert right[label] > 0.8, right


def quartered(image: Any, target: Any) -> tuple[Any, Any]:
    """
    Every fourth pixel, and where in the image it is.
    """
    image = image[:, ::4, ::4] / 255 - 0.5
    y, x = torch.meshgrid(
        *(torch.linspace(-1, 1, size) for size in image.shape[1:]), indexing="ij"
    )
    return torch.cat([image, y[None], x[None]]), target[::4, ::4]


def small_net(classes: int) -> Any:
    """
    Four convolutions that see 15 x 15 pixels.
    """
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(5, 24, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, 24, 3, padding=2, dilation=2),
        nn.ReLU(),
        nn.Conv2d(24, 24, 3, padding=4, dilation=4),
        nn.ReLU(),
        nn.Conv2d(24, classes, 1),
    )


def right_shares(net: Callable[[Any], Any], data: FrameDataset) -> dict[str, float]:
    """
    Which share of the pixels of each label *net* labels right, and of all.
    """
    pairs = []
    with torch.no_grad():
        for sample in data:
            found = net(sample.image[None]).argmax(1)[0]
            pairs.append(torch.stack([found.reshape(-1), sample.target.reshape(-1)]))
    found, wanted = torch.cat(pairs, dim=1)
    shares = {
        label: float((found == wanted)[wanted == number].float().mean())
        for label, number in data.labels.items()
    }
    return {**shares, "all": float((found == wanted).float().mean())}
