"""
A mask video is one file: whatever it says, no other file is opened for it.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from framekit.decoding.video import _av
from framekit.decoding.video._av import FORMATS
from framekit.decoding.video.mask_video import MaskVideo
from framekit.errors import FramekitError, UnreadableMaskError
from framekit.storage import Storage
from tests.clips import PALETTE, encode, kinds, paint, scene

ROOT = Path(__file__).resolve().parent.parent

PICTURES = [paint(ids) for ids in scene(6)]

#: Text files that FFmpeg would follow to other files.
SCRIPTS = {
    "ffconcat": "ffconcat version 1.0\nfile 'secret.mp4'\n",
    "hls": (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nsecret.mp4\n#EXT-X-ENDLIST\n"
    ),
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
        'type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet '
        'mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>'
        "secret.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist/>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="secret.mp4"/></svg>',
}


class TestOtherFiles:
    @pytest.mark.parametrize("name", SCRIPTS)
    def test_scripts_are_not_followed(self, name: str, tmp_path: Path) -> None:
        """
        Files that name other files are refused, as paths and as file objects.
        """
        (tmp_path / "secret.mp4").write_bytes(encode(PICTURES, options={"qp": "0"}))
        script = tmp_path / "mask.mp4"
        script.write_text(SCRIPTS[name])

        for video in (
            MaskVideo(script, PALETTE),
            MaskVideo("mask.mp4", PALETTE, storage=Storage(tmp_path)),
            MaskVideo(io.BytesIO(script.read_bytes()), PALETTE),
        ):
            with pytest.raises(UnreadableMaskError, match="no video that can be read"):
                video.at(0)

    def test_only_the_file_is_opened(self, tmp_path: Path) -> None:
        """
        While a script is looked at, Python's audit sees one file being opened.
        """
        script = tmp_path / "mask.mp4"
        script.write_text(SCRIPTS["ffconcat"])
        code = (
            "import sys, os\n"
            "from framekit.decoding.video.mask_video import MaskVideo\n"
            "from framekit.errors import UnreadableMaskError\n"
            "from framekit.palette import Palette\n"
            f"video = MaskVideo({str(script)!r}, Palette({{(0, 0, 0): 'a'}}))\n"
            "opened = []\n"
            "def hook(event, arguments):\n"
            "    if event == 'open' and str(arguments[0]).startswith(\n"
            f"            {str(tmp_path)!r}):\n"
            "        opened.append(os.path.basename(arguments[0]))\n"
            "sys.addaudithook(hook)\n"
            "try:\n"
            "    video.at(0)\n"
            "except UnreadableMaskError:\n"
            "    print(opened)\n"
        )

        result = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

        assert result.stdout == "['mask.mp4']\n"


class TestFormats:
    @pytest.mark.parametrize(
        ("kind", "format"),
        [
            ("h264 mp4 b-frames", "mov"),
            ("qtrle mov", "mov"),
            ("h264 mkv", "matroska"),
            ("vp9 webm altref", "matroska"),
            ("h264 ts", "mpegts"),
            ("mjpeg avi", "avi"),
            ("gif", "gif"),
            ("apng", "apng"),
            ("mpeg2 ps", "mpeg"),
            ("flv", "flv"),
            ("vp8 ogg", "ogg"),
            ("vp9 ivf", "ivf"),
            ("nut", "nut"),
        ],
    )
    def test_each_is_read(
        self, kind: str, format: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Each container is read thanks to its name in the list, and only thanks to it.
        """
        clip = kinds(6)[kind]()

        assert MaskVideo(io.BytesIO(clip), PALETTE).at(0).index == 0
        assert format in FORMATS

        others = tuple(name for name in FORMATS if name != format)
        monkeypatch.setattr(_av, "FORMATS", others)
        with pytest.raises(UnreadableMaskError):
            MaskVideo(io.BytesIO(clip), PALETTE).at(0)

    @pytest.mark.parametrize("format", ["h264", "mpjpeg", "yuv4mpegpipe"])
    def test_no_others(self, format: str) -> None:
        """
        What is not on the list is not read.
        """
        codec, pixels = {
            "h264": ("libx264", "yuv420p"),
            "mpjpeg": ("mjpeg", "yuvj420p"),
            "yuv4mpegpipe": ("rawvideo", "yuv420p"),
        }[format]
        clip = encode(PICTURES, codec, pixels, container=format)

        with pytest.raises(FramekitError):
            MaskVideo(io.BytesIO(clip), PALETTE).at(0)


class TestSizes:
    def test_large_frames_are_refused_by_their_header(self) -> None:
        """
        A header that announces too large a picture is refused before decoding.
        """
        avi = bytearray(encode(PICTURES, "huffyuv", "bgra", container="avi"))
        place = avi.find(b"strf")
        avi[place + 12 : place + 16] = (60000).to_bytes(4, "little")

        with pytest.raises(UnreadableMaskError) as caught:
            MaskVideo(io.BytesIO(bytes(avi)), PALETTE, uri="clip").at(0)

        reason = "60000x64 is more than 16384 pixels a side"
        assert caught.value == UnreadableMaskError("clip", reason)

    def test_limits(self) -> None:
        """
        Sides up to 16384 pixels, and half a gigabyte in all, are allowed.
        """
        _av.check_size("clip", 16384, 16384, "gray")
        _av.check_size("clip", 16384, 16384, "yuv420p")
        with pytest.raises(UnreadableMaskError, match="16385x1 is more than 16384"):
            _av.check_size("clip", 16385, 1, "gray")
        with pytest.raises(UnreadableMaskError, match="takes 768 MiB, more than 512"):
            _av.check_size("clip", 16384, 16384, "rgb24")
