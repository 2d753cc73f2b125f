from __future__ import annotations

import io
import random

import pytest

from framekit.errors import (
    StorageError,
)
from framekit.storage import Storage
from tests.web_server import (
    LARGE,
    WebServer,
)

pytestmark = pytest.mark.usefixtures("fresh_hosts")

WEB = Storage(allow=["http"], timeout=5)


def read(web: WebServer, path: str, storage: Storage = WEB) -> bytes:
    """
    The whole file at *path*.
    """
    with storage.open(web.uri(path)) as file:
        return file.read()


class TestReading:
    @pytest.mark.parametrize("path", ["/a.png", "/large", "/empty"])
    @pytest.mark.parametrize("has_ranges", [True, False])
    def test_whole(self, web: WebServer, path: str, *, has_ranges: bool) -> None:
        """
        A file is read as it is, from servers with ranges and without.
        """
        web.has_ranges = has_ranges

        assert read(web, path) == web.files[path]

    def test_small_image_is_one_request(self, web: WebServer) -> None:
        """
        A small file comes with the first request.
        """
        read(web, "/a.png")

        assert web.asked == [("/a.png", "bytes=0-262143")]

    def test_large_image_is_two_requests(self, web: WebServer) -> None:
        """
        Of a file that is read at once the rest comes whole, over one connection.
        """
        read(web, "/large")

        assert [asked for _, asked in web.asked] == [
            "bytes=0-262143",
            "bytes=262144-2999999",
        ]
        assert (web.sent, web.connections) == (len(LARGE), 1)

    def test_like_a_local_file(self, web: WebServer) -> None:
        """
        Any seeks and reads give what they give on a file in memory.
        """
        choose = random.Random(3)  # noqa: S311 - no secret
        local = io.BytesIO(LARGE)
        with WEB.open(web.uri("/large")) as file:
            for _ in range(300):
                offset = choose.randrange(len(LARGE) + 1000)
                assert file.seek(offset) == local.seek(offset)
                size = choose.choice([0, 1, 100, 70_000, 400_000])
                assert file.read(size) == local.read(size)
                assert file.tell() == local.tell()
            assert file.seek(-5, io.SEEK_END) == local.seek(-5, io.SEEK_END)
            assert file.seek(-5, io.SEEK_CUR) == local.seek(-5, io.SEEK_CUR)
            assert file.read() == local.read()
            with pytest.raises(ValueError, match="negative"):
                file.seek(-1)

    def test_seek_fetches_a_part(self, web: WebServer) -> None:
        """
        What is not read is not fetched.
        """
        with WEB.open(web.uri("/large")) as file:
            file.seek(2_500_000)
            assert file.read(1000) == LARGE[2_500_000:2_501_000]

        assert web.sent <= 2 * (256 << 10)

    def test_in_order_fetches_growing_parts(self, web: WebServer) -> None:
        """
        A file that is read in small steps takes few requests.
        """
        with WEB.open(web.uri("/large")) as file:
            parts = list(iter(lambda: file.read(32 << 10), b""))

        assert b"".join(parts) == LARGE
        assert len(web.asked) == 4
        assert web.sent == len(LARGE)

    def test_changed_in_between(self, web: WebServer) -> None:
        """
        Parts of two states of a file are never put together.
        """
        with WEB.open(web.uri("/large")) as file:
            file.read(10)
            web.etag = '"2"'
            file.seek(2_000_000)
            with pytest.raises(StorageError, match="changed while it was read"):
                file.read(10)

    def test_odd_paths(self, web: WebServer) -> None:
        """
        Spaces and letters beyond ASCII are quoted, quoted ones are left alone.
        """
        web.files["/a%20b%C3%A4.png"] = b"odd"

        assert read(web, "/a bä.png") == b"odd"
        assert read(web, "/a%20b%C3%A4.png") == b"odd"

    def test_user_and_password(self, web: WebServer) -> None:
        """
        User and password go into a header.
        """
        with WEB.open(web.uri("/a.png", user="me:pass%20word@")) as file:
            assert file.read() == b"mask"

        assert web.headers["Authorization"] == "Basic bWU6cGFzcyB3b3Jk"
        assert web.headers["Host"] == f"127.0.0.1:{web.port}"

    def test_closed(self, web: WebServer) -> None:
        """
        A closed file reads nothing, and is closed twice without harm.
        """
        file = WEB.open(web.uri("/a.png"))
        file.close()
        file.close()

        with pytest.raises(ValueError, match="closed"):
            file.read()
