"""
Register frames with the real ClearML client, and read them back.

    python tests/clearml_client.py TASK.json RESULT.json

The environment names the server; it must be on loopback, nothing else is connected
to.  `tests/test_clearml_end_to_end.py` runs this in a process of its own, since the
client keeps threads and settings for as long as its process lives.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

#: What the client tried to connect to.
CONNECTED: list[str] = []

Json = dict[str, Any]


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """
    Let nothing be connected to but the loopback.

    Raises:
        ConnectionRefusedError: For anything else.
    """
    if event == "socket.connect":
        host = str(arguments[1][0])
    elif event == "socket.getaddrinfo":
        host = str(arguments[0])
    else:
        return
    CONNECTED.append(host)
    if host not in ("127.0.0.1", "localhost"):
        raise ConnectionRefusedError(host)


def as_json(value: Any) -> Any:
    """
    What the client's own objects stand for: `Roi` objects among plain values.
    """
    return {k: v for k, v in value.to_dict().items() if v is not None}


def read_back(dataset: Any) -> list[Json]:
    """
    The entries of a version as the client iterates over them, as it would save them.
    """
    return [entry.to_api_object() for entry in dataset.get_iterator()]


def as_given(frames: list[Json], labels: Json) -> Json:
    """
    Register frames as they are, publish them, read them and try to change them.
    """
    from clearml.backend_interface.datasets.hyper_dataset import (
        HyperDatasetManagementBackend,
    )
    from clearml.hyperdatasets import HyperDataset

    dataset: Any = HyperDataset("framekit", "crossing", "as given")
    answer = HyperDatasetManagementBackend.save_data_entries(dataset.version_id, frames)
    is_set = dataset.set_metadata({"mask_labels": labels})
    dataset.commit_version()
    dataset.publish_version()
    found = {
        "saved": answer.saved,
        "metadata": [is_set, dataset.get_metadata()],
        "entries": read_back(dataset),
        "late metadata": dataset.set_metadata({}),
    }
    try:
        HyperDatasetManagementBackend.save_data_entries(dataset.version_id, frames[:1])
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it
        found["late"] = [type(error).__name__, str(error)]
    return found


def through_entries(frames: list[Json]) -> Json:
    """
    Make entries of frames, and register these: what the client drops is gone.
    """
    from clearml.hyperdatasets import DataEntryImage, HyperDataset

    dataset = HyperDataset("framekit", "crossing", "through entries")
    entries = [DataEntryImage.from_api_object(frame) for frame in frames]
    errors = dataset.add_data_entries(entries, max_workers=1)
    return {"errors": errors, "entries": read_back(dataset)}


def by_client(uris: Json) -> Json:
    """
    Build frames as the client's documentation does, and register them.
    """
    from clearml.hyperdatasets import DataEntryImage, DataSubEntryImage, HyperDataset

    dataset = HyperDataset("framekit", "crossing", "by client")
    entries = []
    masks: Any
    for id, masks in ("list", [uris["mask"]]), ("named", {"seg": uris["mask"]}):
        part = DataSubEntryImage(
            name="front", source=uris["source"], masks_source=masks, metadata={}
        )
        part.add_annotation(mask_rgb=uris["color"], labels=["road"], id="road 1")
        part.add_annotation(box2d_xywh=(1, 2, 3, 4, 0.5), labels=["car"], id="car 1")
        entry = DataEntryImage(data_entry_id=id)
        entry.add_sub_entries([part])
        entries.append(entry)
    return {"errors": dataset.add_data_entries(entries, max_workers=1)}


def main(task: str, result: str) -> None:
    """
    Do what the file *task* says.
    """
    wanted = json.loads(Path(task).read_text(encoding="utf-8"))
    found: Json = {
        "as given": as_given(wanted["frames"], wanted["mask_labels"]),
        "through entries": through_entries(wanted["frames"]),
        "by client": by_client(wanted["uris"]),
        "connected": sorted(set(CONNECTED)),
    }
    text = json.dumps(found, default=as_json)
    Path(result).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.addaudithook(watch)
    main(*sys.argv[1:])
    sys.stdout.flush()
    # The client's threads would keep the process from ending.
    os._exit(0)
