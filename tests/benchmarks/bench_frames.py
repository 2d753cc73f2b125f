"""
Building and writing frames, in one process: CPU time for each.

    python -m tests.benchmarks.bench_frames [--frames 100000]
"""

from __future__ import annotations

import argparse
import time

import framekit as fk


def built(number: int) -> fk.SingleFrame:
    """
    A frame like Example 1 of ClearML's page: one source, one mask, five ROIs.
    """
    frame = fk.SingleFrame(
        id=f"car_1_{number}",
        context_id="car_1",
        timestamp=33,
        metadata={"velocity": "60"},
        sources=[
            fk.Source(
                id="front",
                uri="s3://my_cars/car_1/front.mp4",
                content_type="video/mp4",
                width=800,
                height=600,
                timestamp=33,
                masks=[
                    fk.Mask(
                        id="seg",
                        uri="s3://my_cars/car_1/front_seg.mp4",
                        content_type="video/mp4",
                        timestamp=33,
                    )
                ],
            )
        ],
    )
    for n, label in enumerate(("car", "person", "road", "street", "building")):
        frame.add_annotation(mask_rgb=(n, 2, 3), mask_id="seg", labels=[label])
    return frame


def main() -> None:
    """
    Print a line for each kind of work.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=100_000)
    number = parser.parse_args().frames
    started = time.process_time()
    for n in range(number):
        written = built(n).to_json()
    _tell("build and write", number, started)
    started = time.process_time()
    for _ in range(number):
        fk.SingleFrame.from_json(written)
    _tell("read", number, started)


def _tell(what: str, number: int, started: float) -> None:
    seconds = time.process_time() - started
    each = seconds / number * 1e6
    print(f"{what:<16} {number:,} frames  {seconds:.1f} s  {each:.0f} us each")


if __name__ == "__main__":
    main()
