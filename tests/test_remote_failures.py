from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from framekit.errors import (
    AccessDeniedError,
    MissingFileError,
    StorageError,
    StorageTimeoutError,
    TooLargeError,
    UnreachableError,
)
from framekit.storage import Storage, hosts
from tests.web_server import (
    LARGE,
    WebServer,
    cut_off,
    dripping,
    failing,
    free_port,
    silent,
)

pytestmark = pytest.mark.usefixtures("fresh_hosts")

WEB = Storage(allow=["http"], timeout=5)


def read(web: WebServer, path: str, storage: Storage = WEB) -> bytes:
    """
    The whole file at *path*.
    """
    with storage.open(web.uri(path)) as file:
        return file.read()


class TestFailures:
    def test_missing(self, web: WebServer) -> None:
        """
        404 is a missing file, and is not asked for again.
        """
        with pytest.raises(MissingFileError) as e:
            read(web, "/none")

        reason = f"nothing is there: 127.0.0.1:{web.port} answers 404 Not Found"
        assert e.value == MissingFileError(web.uri("/none"), reason)
        assert len(web.asked) == 1

    @pytest.mark.parametrize("status", [401, 403])
    def test_denied(self, web: WebServer, status: int) -> None:
        """
        A server that wants other credentials is told apart.
        """
        web.fault = failing(100, status)

        with pytest.raises(AccessDeniedError, match=f"answers {status}"):
            read(web, "/a.png")

    def test_refused_connection(self) -> None:
        """
        A host that refuses connections is no missing file.
        """
        uri = f"http://127.0.0.1:{free_port()}/a.png"
        with pytest.raises(UnreachableError, match="refuses connections") as e:
            WEB.open(uri)

        assert not isinstance(e.value, FileNotFoundError)

    def test_unknown_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Nor is one that nobody knows.
        """

        def unknown(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        with pytest.raises(UnreachableError, match=r"host nowhere\.invalid is not"):
            WEB.open("http://nowhere.invalid/a.png")

    @pytest.mark.parametrize("fault", [silent, dripping])
    def test_slow(self, web: WebServer, fault: Any) -> None:
        """
        A server that does not answer, or not fast enough, takes too long.
        """
        web.fault = fault
        storage = Storage(allow=["http"], timeout=0.2, download_limit=1 << 30)
        started = time.monotonic()

        with pytest.raises(StorageTimeoutError, match="takes too long"):
            storage.open(web.uri("/large" if fault is silent else "/x"))

        assert time.monotonic() - started < 20

    def test_too_large(self, web: WebServer) -> None:
        """
        Without ranges a file comes whole, up to a limit.
        """
        web.has_ranges = False
        storage = Storage(allow=["http"], download_limit=1_000_000)

        with pytest.raises(TooLargeError, match="more than 1000000 bytes"):
            read(web, "/large", storage)

        assert read(web, "/a.png", storage) == b"mask"

    def test_failing_for_good(self, web: WebServer) -> None:
        """
        A server that keeps failing is asked four times.
        """
        web.fault = failing(100, 500)

        with pytest.raises(UnreachableError, match="500 Internal Server Error"):
            read(web, "/a.png")

        assert len(web.asked) == 4

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_failing_for_a_while(self, web: WebServer, status: int) -> None:
        """
        It may work when tried again.
        """
        web.fault = failing(2, status, Retry_After="0")

        assert read(web, "/a.png") == b"mask"
        assert len(web.asked) == 3

    def test_cut_off(self, web: WebServer) -> None:
        """
        An answer that breaks off is continued where it did.
        """
        web.fault = cut_off(100_000, times=3)

        assert read(web, "/large") == LARGE
        assert [asked for _, asked in web.asked][:3] == [
            "bytes=0-262143",
            "bytes=100000-262143",
            "bytes=200000-262143",
        ]

    def test_cut_off_for_good(self, web: WebServer) -> None:
        """
        One that always breaks off is given up.
        """
        web.fault = cut_off(10, times=1000)

        with pytest.raises(UnreachableError, match="breaks the connection off"):
            read(web, "/large")

        assert len(web.asked) == 4

    @pytest.mark.parametrize("chunked", [True, False])
    def test_whole_file_cut_off(self, web: WebServer, *, chunked: bool) -> None:
        """
        So is a file without ranges, whose parts are never taken for the whole.
        """

        def fault(handler: Any) -> bool:
            handler.send_response(200)
            if chunked:
                handler.send_header("Transfer-Encoding", "chunked")
            else:
                handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"5\r\nhello\r\n" if chunked else b"hello")
            handler.close_connection = True
            return True

        web.fault = fault

        with pytest.raises(UnreachableError, match="breaks the connection off"):
            read(web, "/a.png")

    def test_no_length(self, web: WebServer) -> None:
        """
        An answer whose end cannot be told from a cut is refused.
        """

        def fault(handler: Any) -> bool:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b"hello")
            handler.close_connection = True
            return True

        web.fault = fault

        with pytest.raises(StorageError, match="a cut would not show"):
            read(web, "/a.png")

    @pytest.mark.parametrize(
        ("headers", "reason"),
        [
            ({}, "does not say which part"),
            ({"Content_Range": "bytes 5-8/100"}, "other bytes"),
            ({"Content_Range": "bytes 0-3/*"}, "does not say which part"),
            (
                {"Content_Range": "bytes 0-3/4", "Content_Encoding": "gzip"},
                "sent compressed",
            ),
        ],
    )
    def test_wrong_part(
        self, web: WebServer, headers: dict[str, str], reason: str
    ) -> None:
        """
        A part other than the one asked for is not taken for it.
        """

        def fault(handler: Any) -> bool:
            handler.answer(206, b"mask", **headers)
            return True

        web.fault = fault

        with pytest.raises(StorageError, match=reason):
            read(web, "/a.png")

    def test_no_http(self) -> None:
        """
        What is no HTTP is an error of ours.
        """
        with socket.create_server(("127.0.0.1", 0)) as server:

            def talk() -> None:
                for _ in range(4):
                    peer, _ = server.accept()
                    with peer:
                        peer.recv(1000)
                        peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

            thread = threading.Thread(target=talk)
            thread.start()
            with pytest.raises(StorageError, match="no HTTP"):
                WEB.open(f"http://127.0.0.1:{server.getsockname()[1]}/a")
            thread.join()

    @pytest.mark.parametrize(
        "uri",
        [
            "http://",
            "http:///a",
            "http://h:x/a",
            "http://[::1/a",
            "http://a b/c",
            "http://h/\ud800",
        ],
    )
    def test_no_url(self, uri: str) -> None:
        """
        What is no URL is refused at once.
        """
        with pytest.raises(StorageError, match="no URL"):
            WEB.open(uri)

    def test_no_name(self) -> None:
        """
        What cannot be a name is a host that nobody knows.
        """
        with pytest.raises(UnreachableError, match="is not known"):
            WEB.open(f"http://{'x' * 100}.example/a")


class TestDownHost:
    def test_tried_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        A host that is down is tried for one file, and every file has an error.
        """
        tried: list[Any] = []
        connect = socket.socket.connect

        def counted(self: socket.socket, address: Any) -> None:
            tried.append(address)
            connect(self, address)

        monkeypatch.setattr(socket.socket, "connect", counted)
        base = f"http://127.0.0.1:{free_port()}"

        errors = []
        for n in range(1000):
            with pytest.raises(UnreachableError) as e:
                WEB.open(f"{base}/{n}.png")
            errors.append(e.value)

        assert len(tried) == 4
        assert [error.uri for error in errors] == [
            f"{base}/{n}.png" for n in range(1000)
        ]
        assert len({error.reason for error in errors}) == 1

    def test_comes_back(self, web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        After a while it is tried again.
        """
        web.fault = failing(32)
        for _ in range(9):
            with pytest.raises(UnreachableError):
                read(web, "/a.png")
        assert len(web.asked) == 32

        now = time.monotonic() + hosts.LIFETIME + 1
        monkeypatch.setattr(time, "monotonic", lambda: now)

        assert read(web, "/a.png") == b"mask"

    def test_missing_files_say_nothing(self, web: WebServer) -> None:
        """
        A host whose files are missing is not down.
        """
        for n in range(10):
            with pytest.raises(MissingFileError):
                read(web, f"/{n}")

        assert read(web, "/a.png") == b"mask"
