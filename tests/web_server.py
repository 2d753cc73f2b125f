"""
A web server on loopback for tests: with ranges, and with every fault on request.
"""

from __future__ import annotations

import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import Factory, define

#: 3 MB that do not repeat.
LARGE = random.Random(7).randbytes(3_000_000)  # noqa: S311 - no secret


@define(eq=False)
class WebServer:
    """
    What a server has, what is wrong with it, and what it was asked for.
    """

    #: The files, by path without query.
    files: dict[str, bytes] = Factory(dict)

    #: Where paths are redirected to.
    moved: dict[str, str] = Factory(dict)

    #: Called before an answer is made; with True it has made one itself.
    fault: Callable[[Any], bool] | None = None

    has_ranges: bool = True

    etag: str | None = '"1"'

    #: The path and the Range header of each request, in order.
    asked: list[tuple[str, str | None]] = Factory(list)

    #: The headers of the last request.
    headers: dict[str, str] = Factory(dict)

    #: How many connections were made, and how many bytes of bodies were sent.
    connections: int = 0
    sent: int = 0
    port: int = 0

    def uri(self, path: str, *, host: str = "127.0.0.1", user: str = "") -> str:
        """
        The URI of *path* here.
        """
        return f"http://{user}{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: WebServer

    def setup(self) -> None:
        super().setup()
        self.web.connections += 1

    def do_GET(self) -> None:
        web, path = self.web, self.path.partition("?")[0]
        web.asked.append((self.path, self.headers.get("Range")))
        web.headers = dict(self.headers.items())
        if web.fault is not None and web.fault(self):
            return
        if path in web.moved:
            self.answer(302, b"elsewhere", Location=web.moved[path])
        elif path not in web.files:
            self.answer(404, b"no such file")
        else:
            self.send_file(web.files[path])

    def do_HEAD(self) -> None:
        """
        As above, without the body.
        """
        self.do_GET()

    def send_file(self, data: bytes) -> None:
        """
        The range of *data* that is asked for.
        """
        headers: dict[str, Any] = {}
        if self.web.etag is not None:
            headers["ETag"] = self.web.etag
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match is None or not self.web.has_ranges:
            self.answer(200, data, **headers)
            return
        start, last = int(match[1]), min(int(match[2]), len(data) - 1)
        if start >= len(data):
            headers["Content-Range"] = f"bytes */{len(data)}"
            self.answer(416, b"", **headers)
            return
        headers["Content-Range"] = f"bytes {start}-{last}/{len(data)}"
        self.answer(206, data[start : last + 1], **headers)

    def answer(
        self, status: int, body: bytes, *, length: int | None = None, **headers: str
    ) -> None:
        """
        Send an answer, of another *length* than it says if that is given.
        """
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command == "HEAD":
            return
        # Counted first: who has read the body may look at the count at once.
        self.web.sent += len(body)
        self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        """
        Nothing.
        """


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """
        A client that goes away is no news.
        """


@contextmanager
def serving(
    *, context: ssl.SSLContext | None = None, **options: Any
) -> Iterator[WebServer]:
    """
    A server that is there for a while, of https with a *context*.
    """
    web = WebServer(**options)
    handler = type("Handler", (_Handler,), {"web": web})
    with _Server(("127.0.0.1", 0), handler) as server:
        web.port = server.server_address[1]
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    """
    A port that nobody listens on.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def failing(times: int, status: int = 503, **headers: str) -> Callable[[Any], bool]:
    """
    A fault that lasts for some requests.
    """
    left = [times]

    def fault(handler: Any) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        handler.answer(status, b"busy", **headers)
        return True

    return fault


def cut_off(size: int, times: int = 1) -> Callable[[Any], bool]:
    """
    A fault: answers end after *size* bytes, though more were promised.
    """
    left = [times]

    def fault(handler: Any) -> bool:
        left[0] -= 1
        if left[0] < 0:
            return False
        data = handler.web.files[handler.path]
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", handler.headers["Range"])
        assert match is not None
        start, last = int(match[1]), min(int(match[2]), len(data) - 1)
        handler.answer(
            206,
            data[start : min(start + size, last)],
            length=last + 1 - start,
            ETag=handler.web.etag,
            Content_Range=f"bytes {start}-{last}/{len(data)}",
        )
        return True

    return fault


def dripping(handler: Any) -> bool:
    """
    A fault: a byte now and then, for ever.
    """
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    try:
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        pass
    return True


def silent(handler: Any) -> bool:
    """
    A fault: no answer, for longer than anybody waits here.
    """
    handler.close_connection = True
    time.sleep(2)
    return True
