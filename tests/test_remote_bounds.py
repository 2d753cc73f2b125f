from __future__ import annotations

import pickle
import socket
from typing import Any

import pytest

from framekit.errors import (
    RefusedUriError,
    StorageError,
    UnreachableError,
)
from framekit.storage import Storage, connections
from tests.web_server import (
    LARGE,
    WebServer,
    serving,
)

pytestmark = pytest.mark.usefixtures("fresh_hosts")

WEB = Storage(allow=["http"], timeout=5)


def read(web: WebServer, path: str, storage: Storage = WEB) -> bytes:
    """
    The whole file at *path*.
    """
    with storage.open(web.uri(path)) as file:
        return file.read()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """
    Addresses of names; connections to public ones come out on loopback.
    """
    known: dict[str, list[str]] = {}
    lookup, connect = socket.getaddrinfo, socket.socket.connect

    def fake_lookup(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        return [
            entry
            for address in known.get(host, [host])
            for entry in lookup(address, port, *args, **options)
        ]

    def fake_connect(self: socket.socket, address: Any) -> None:
        assert address[0] in {"93.184.215.14", "127.0.0.1", "10.1.2.3"}
        connect(self, ("127.0.0.1", address[1]))

    monkeypatch.setattr(socket, "getaddrinfo", fake_lookup)
    monkeypatch.setattr(socket.socket, "connect", fake_connect)
    monkeypatch.setattr("framekit.storage.address._public", set())
    return known


class TestBounds:
    @pytest.mark.parametrize(
        "location",
        [
            "file:///etc/passwd",
            "ftp://127.0.0.1/a",
            "https://127.0.0.1/a",
            "s3://bucket/a",
            "data:,x",
        ],
    )
    def test_redirect_to_another_scheme(self, web: WebServer, location: str) -> None:
        """
        A redirect leads to schemes that are allowed, of those only to the web.
        """
        web.moved["/a"] = location

        with pytest.raises(RefusedUriError, match="is not allowed"):
            read(web, "/a", Storage(allow=["http", "s3"]))

    def test_redirect(self, web: WebServer) -> None:
        """
        Others are followed, once: later parts are asked for where it led.
        """
        web.moved["/a"] = "/b?signature=s3cret"
        web.moved["/b"] = "large"

        assert read(web, "/a") == LARGE
        assert [path for path, _ in web.asked] == [
            "/a",
            "/b?signature=s3cret",
            "/large",
            "/large",
        ]

    def test_redirect_that_expires(self, web: WebServer) -> None:
        """
        When it leads there no more, the beginning is asked again.
        """
        web.moved["/a"] = "/large"
        with WEB.open(web.uri("/a")) as file:
            file.read(10)
            web.files["/new"] = web.files.pop("/large")
            web.moved["/a"] = "/new"
            file.seek(2_000_000)

            assert file.read(10) == LARGE[2_000_000:2_000_010]

    def test_redirects_without_end(self, web: WebServer) -> None:
        """
        A circle is left.
        """
        web.moved = {"/a": "/b", "/b": "/a"}

        with pytest.raises(StorageError, match="redirected more than 10 times"):
            read(web, "/a")

    def test_redirect_from_loopback_to_loopback(self, web: WebServer) -> None:
        """
        What is here already may lead to another port here.
        """
        with serving(files={"/b": b"other"}) as other:
            web.moved["/a"] = other.uri("/b")

            assert read(web, "/a") == b"other"

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"],
    )
    @pytest.mark.parametrize("origin", ["93.184.215.14", "10.1.2.3"])
    def test_redirect_to_this_machine(
        self, web: WebServer, names: dict[str, list[str]], host: str, origin: str
    ) -> None:
        """
        No other machine leads to this one, however it is spelled.
        """
        names["media.example"] = [origin]
        with serving(files={"/b": b"internal"}) as other:
            web.moved["/a"] = other.uri("/b", host=host)

            with pytest.raises(RefusedUriError, match="this machine"):
                WEB.open(web.uri("/a", host="media.example"))

            assert other.asked == []

    def test_redirect_to_a_private_address(
        self, web: WebServer, names: dict[str, list[str]]
    ) -> None:
        """
        A public host leads to no private address, by name or by number.
        """
        names.update({"media.example": ["93.184.215.14"], "nas.example": ["10.1.2.3"]})
        for host in ("10.1.2.3", "nas.example"):
            web.moved["/a"] = web.uri("/large", host=host)

            with pytest.raises(RefusedUriError, match="a private address"):
                WEB.open(web.uri("/a", host="media.example"))

        assert {path for path, _ in web.asked} == {"/a"}

    def test_connection_that_is_open_already(
        self, web: WebServer, names: dict[str, list[str]]
    ) -> None:
        """
        Nor over a connection that is there for another file.
        """
        names["media.example"] = ["93.184.215.14"]
        web.moved["/a"] = web.uri("/large", host="10.1.2.3")
        with WEB.open(web.uri("/a.png", host="10.1.2.3")) as file:
            file.read()

        with pytest.raises(RefusedUriError, match="a private address"):
            WEB.open(web.uri("/a", host="media.example"))

    def test_private_host(self, web: WebServer, names: dict[str, list[str]]) -> None:
        """
        A private server that the document names is opened.
        """
        names["nas.example"] = ["10.1.2.3"]
        with WEB.open(web.uri("/a.png", host="nas.example")) as file:
            assert file.read() == b"mask"

    def test_name_of_this_machine(
        self, web: WebServer, names: dict[str, list[str]]
    ) -> None:
        """
        A name of the outside world does not lead to this machine.
        """
        names["media.example"] = ["127.0.0.1"]

        with pytest.raises(RefusedUriError, match="leads to this machine"):
            WEB.open(web.uri("/a.png", host="media.example"))

        assert web.asked == []

    def test_name_that_changes(
        self, web: WebServer, names: dict[str, list[str]]
    ) -> None:
        """
        A name that was public does not become private.
        """
        names["media.example"] = ["93.184.215.14"]
        with WEB.open(web.uri("/large", host="media.example")) as file:
            file.read(10)
            connections.connections.clear()
            names["media.example"] = ["10.1.2.3"]
            file.seek(2_000_000)

            with pytest.raises(RefusedUriError, match="now leads to a private"):
                file.read(10)

    def test_name_with_several_addresses(
        self, web: WebServer, names: dict[str, list[str]]
    ) -> None:
        """
        Of a public name only the public addresses are used.
        """
        names["media.example"] = ["127.0.0.1", "93.184.215.14"]
        web.moved["/a"] = web.uri("/a.png", host="127.0.0.1")
        with pytest.raises(RefusedUriError, match="this machine"):
            WEB.open(web.uri("/a", host="media.example"))

    @pytest.mark.parametrize(
        "host",
        [
            "169.254.169.254",
            "[fe80::1]",
            "0.0.0.0",  # noqa: S104 - nobody binds it
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[fd00:ec2::254]",
            "[64:ff9b::a9fe:a9fe]",
            "100.100.100.200",
        ],
    )
    def test_no_place_for_files(self, host: str) -> None:
        """
        Where clouds hand out credentials, and nowhere else, there are no files.
        """
        with pytest.raises((RefusedUriError, UnreachableError)) as e:
            WEB.open(f"http://{host}/latest/meta-data/")

        assert isinstance(e.value, RefusedUriError) or ":" in host

    def test_password_stays_with_its_host(self, web: WebServer) -> None:
        """
        A redirect to another server does not take user and password along.
        """
        with serving(files={"/b": b"other"}) as other:
            web.moved["/a"] = other.uri("/b")
            with WEB.open(web.uri("/a", user="me:secret@")) as file:
                assert file.read() == b"other"

            assert "Authorization" in web.headers
            assert "Authorization" not in other.headers


class TestCredentials:
    @pytest.mark.parametrize(
        "path", ["/none", "/denied", "/moved", "/none#token=s3cret"]
    )
    def test_never_in_messages(self, web: WebServer, path: str) -> None:
        """
        No error shows a signature, a user or a password.
        """
        web.moved["/moved"] = "ftp://me:s3cret@host/a?sig=s3cret"
        web.fault = lambda handler: (
            handler.path.startswith("/denied")
            and handler.answer(403, b"s3cret") is None
        )
        uri = web.uri(f"{path}?X-Amz-Signature=s3cret", user="me:s3cret@")

        with pytest.raises(StorageError) as e:
            WEB.open(uri)

        assert "s3cret" not in f"{e.value} {e.value!r} {e.value.args}"
        assert pickle.loads(pickle.dumps(e.value)) == e.value  # noqa: S301 - our own
