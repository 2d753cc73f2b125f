from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest

from framekit.errors import MissingFileError
from framekit.storage import Storage
from tests.web_server import LARGE, WebServer, serving

gcsfs = pytest.importorskip("gcsfs", reason="needs gcsfs, which framekit[gcs] brings")

pytestmark = [
    pytest.mark.usefixtures("fresh_hosts"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

GS = Storage(allow=["gs"])

_OBJECT = re.compile(r"(?:/download)?/storage/v1/b/[^/]+/o/(.+)")


def emulated(handler: Any) -> bool:
    """
    The part of Google's protocol that reading takes.
    """
    path, _, query = handler.path.partition("?")
    match = _OBJECT.fullmatch(path)
    key = unquote(match[1]) if match else None
    data = handler.web.files.get(key)
    if data is None:
        handler.answer(404, b'{"error": {"code": 404, "message": "none"}}')
    elif "alt=media" in query:
        handler.send_file(data)
    else:
        facts = {"name": key, "bucket": "masks", "size": str(len(data))}
        body = json.dumps({**facts, "generation": "1", "etag": "x"}).encode()
        handler.answer(200, body, Content_Type="application/json")
    return True


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """
    A bucket with one file, on loopback.
    """
    gcsfs.GCSFileSystem.clear_instance_cache()
    with serving(files={"large": LARGE}, fault=emulated) as web:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", web.uri(""))
        yield web
    gcsfs.GCSFileSystem.clear_instance_cache()


@pytest.mark.usefixtures("bucket")
class TestGoogle:
    def test_read(self) -> None:
        """
        A file is read whole or in parts.
        """
        with GS.open("gs://masks/large") as file:
            file.seek(2_000_000)
            assert file.read(10) == LARGE[2_000_000:2_000_010]
            file.seek(0)
            assert file.read() == LARGE

    def test_missing(self) -> None:
        """
        No such object is a missing file.
        """
        with pytest.raises(MissingFileError, match="nothing is there"):
            GS.open("gs://masks/none")
