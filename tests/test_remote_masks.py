"""
What frames name on servers: videos, images, and the page's own example.
"""

from __future__ import annotations

import io
import json
import socket
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import numpy as np
import pytest

import framekit as fk
from framekit.cli import run
from framekit.decoding.video import reader
from framekit.decoding.video.index import index_video
from framekit.decoding.video.media import media_of
from framekit.storage import Storage, hosts
from tests.clips import COLORS, PALETTE, encode, paint, scene
from tests.web_server import WebServer, failing, free_port, serving

pytestmark = pytest.mark.usefixtures("fresh_hosts")

WEB = Storage(allow=["http"], timeout=5)

EXAMPLE = Path(__file__).parents[1] / "samples" / "valid" / "page-example-1.json"


def noise(frames: int, seed: int = 0) -> list[Any]:
    """
    Pictures that do not compress.
    """
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 255, (240, 320, 3), dtype=np.uint8) for _ in range(frames)]


class TestVideo:
    def test_seek(self, web: WebServer) -> None:
        """
        A moment of a video is decoded from its GOP; the rest is not fetched.
        """
        pytest.importorskip("av", "16", reason="PyAV before shows no table of frames")
        options = {"crf": "0", "g": "5", "sc_threshold": "0"}
        web.files["/v.mp4"] = encode(noise(60), options=options)

        with fk.MaskVideo(web.uri("/v.mp4"), PALETTE, storage=WEB) as video:
            found = video.at(1000)
        with fk.MaskVideo(io.BytesIO(web.files["/v.mp4"]), PALETTE) as video:
            expected = video.at(1000)

        assert np.array_equal(found.label_map.ids, expected.label_map.ids)
        assert len(web.files["/v.mp4"]) > 12_000_000
        assert web.sent < 2_500_000

    @pytest.mark.parametrize(
        ("codec", "options", "container"),
        [
            ("libx264", {"bf": "3", "g": "12"}, "mp4"),
            ("libx264", {"bf": "3", "g": "12", "x264-params": "open-gop=1"}, "mp4"),
            ("libx264", {"g": "8"}, "mov"),
            ("libx264", {"g": "8"}, "fragmented"),
            ("libx264", {"g": "8"}, "matroska"),
            ("libx265", {"x265-params": "log-level=error:keyint=9"}, "mp4"),
            ("mpeg4", {"bf": "2"}, "mp4"),
        ],
    )
    def test_index(
        self,
        web: WebServer,
        monkeypatch: pytest.MonkeyPatch,
        codec: str,
        options: dict[str, str],
        container: str,
    ) -> None:
        """
        The times of a remote video are those of the same file here.
        """
        monkeypatch.setattr(reader, "_WORTH", 0)
        monkeypatch.setattr(reader, "_WORTH_A_KEYFRAME", 0)
        in_parts = {"movflags": "frag_keyframe+empty_moov"}
        data = encode(
            noise(30),
            codec,
            "yuv420p",
            options=options,
            container="mp4" if container == "fragmented" else container,
            container_options=in_parts if container == "fragmented" else {},
        )
        web.files["/v"] = data

        found = index_video(media_of(web.uri("/v"), storage=WEB))

        assert found == index_video(media_of(io.BytesIO(data)))

    def test_table_that_is_wrong(
        self, web: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Frames that a table calls keyframes, and that are none, are not taken for any.
        """
        monkeypatch.setattr(reader, "_WORTH", 0)
        monkeypatch.setattr(reader, "_WORTH_A_KEYFRAME", 0)
        options = {"bf": "0", "g": "10", "sc_threshold": "0"}
        data = encode(noise(30), "libx264", "yuv420p", options=options)
        assert data.count(b"stss") == 1
        web.files["/v"] = data = data.replace(b"stss", b"free")

        found = index_video(media_of(web.uri("/v"), storage=WEB))

        assert len(found.keys) == 3
        assert found == index_video(media_of(io.BytesIO(data)))

    def test_breaks_off(self, web: WebServer) -> None:
        """
        A server that fails in the middle is told from a file that breaks off.
        """
        web.files["/v.mp4"] = encode(noise(60), options={"crf": "0", "g": "5"})
        with fk.MaskVideo(web.uri("/v.mp4"), PALETTE, storage=WEB) as video:
            assert len(video.index) == 60
            web.fault = failing(1000, 500)
            with pytest.raises(fk.errors.UnreachableError, match="answers 500"):
                video.at(1000)


def frame_of(*uris: str) -> dict[str, Any]:
    """
    A frame of which each of *uris* is a mask.
    """
    masks = [
        {"id": str(n), "uri": uri, "content_type": "image/png"}
        for n, uri in enumerate(uris)
    ]
    source = {"id": "a", "uri": uris[0], "content_type": "image/png", "masks": masks}
    return {"sources": [source], "rois": []}


class TestValidation:
    def test_host_is_down(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Each file of a host that is down is a problem; the host is tried once.
        """
        tried: list[Any] = []
        connect = socket.socket.connect

        def counted(self: socket.socket, address: Any) -> None:
            tried.append(address)
            connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", counted)
        base = f"http://127.0.0.1:{free_port()}"
        uris = [f"{base}/{n}.png?X-Amz-Signature=s3cret" for n in range(40)]
        frames = [frame_of(uri) for uri in uris]
        path = tmp_path / "frames.jsonl"
        path.write_text("\n".join(map(json.dumps, frames)))

        report = fk.validate(path, level="media", storage=WEB)

        found = [one for one in report.problems if one.code == "unreachable-media"]
        assert {one.document for one in found} == {
            f"frames.jsonl:{n}" for n in range(1, 41)
        }
        assert found[0].message == (
            f"{base}/0.png: {base.removeprefix('http://')} refuses connections"
        )
        assert "s3cret" not in "".join(one.message for one in report.problems)
        assert len(tried) <= 4 * 8  # Threads that begin at the same time.

    def test_codes(self, web: WebServer) -> None:
        """
        What is missing, refused, denied and unreachable has different codes.
        """
        web.moved["/moved"] = "file:///etc/passwd"
        web.fault = lambda handler: (
            handler.path == "/denied" and handler.answer(403, b"") is None
        )
        frame = frame_of(
            web.uri("/none"),
            web.uri("/moved"),
            web.uri("/denied"),
            f"http://127.0.0.1:{free_port()}/a",
            "https://127.0.0.1/a",
        )

        report = fk.validate(frame, level="media", storage=WEB)

        found = {
            one.mask: one.code for one in report.problems if one.severity == "error"
        }
        assert found == {
            None: "missing-media",  # The source, which is told once with its mask.
            "1": "refused-uri",
            "2": "unreadable-media",
            "3": "unreachable-media",
            "4": "refused-uri",
        }

    def test_command(self, web: WebServer, tmp_path: Path) -> None:
        """
        The command opens what is allowed, and keeps it.
        """
        file = io.BytesIO()
        from PIL import Image

        Image.new("RGB", (8, 8), COLORS[1]).save(file, "PNG")
        web.files["/m.png"] = file.getvalue()
        target = tmp_path / "frame.json"
        target.write_text(json.dumps(frame_of(web.uri("/m.png"))))
        command = ["validate", str(target), "--level", "media"]

        for extra in ([], ["--allow", "http", "--cache", str(tmp_path / "cache")]):
            hosts.known_hosts.forget()
            output = io.StringIO()
            code = run([*command, *extra], output, io.StringIO())
            assert code == (0 if extra else 1), output.getvalue()

        assert any((tmp_path / "cache").rglob("*-0"))


class TestPage:
    def test_example_1(self) -> None:
        """
        The page's first example decodes, with its host here.
        """
        frame = json.loads(EXAMPLE.read_text(encoding="utf-8"))
        # Its timestamps, to the letter: 123456789 ms is 34 hours into the video.
        ids = scene(3, width=800, height=600)
        for item in ids:
            item[item > 5] = 0
        mask = encode(
            [paint(one) for one in ids],
            times=[0, 123_456_789, 123_456_822],
            time_base=Fraction(1, 1000),
            options={"crf": "0"},
        )
        files = {
            "/seg_masks/car_1/front_seg.mp4": mask,
            "/seg_masks/car_1/front_instance_seg.mp4": mask,
            "/my_cars/car_1/front.mp4": mask,
        }
        with serving(files=files) as web:

            def opener(uri: str) -> BinaryIO:
                parts = urlsplit(uri)
                assert (parts.scheme, parts.hostname) == ("https", "s3.amazonaws.com")
                return WEB.open(web.uri(parts.path))

            storage = Storage(allow=["https"], opener=opener)
            with pytest.warns(fk.errors.LinkWarning):
                label_map = fk.decode(
                    fk.SingleFrame.from_dict(frame), "front", "seg", storage=storage
                )

        expected = {
            name: int((ids[1] == n).sum())
            for n, name in enumerate(
                ["car", "person", "road", "street", "building"], start=1
            )
        }
        assert {k: v for k, v in label_map.areas.items() if k in expected} == {
            name: area for name, area in expected.items() if area
        }
        assert label_map.report.exact
