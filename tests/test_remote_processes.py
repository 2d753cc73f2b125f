from __future__ import annotations

import os
import pickle
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from framekit.errors import (
    MissingFileError,
    UnreachableError,
)
from framekit.storage import Storage, connections, hosts
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


def in_child(function: Any) -> Any:
    """
    What *function* returns in a forked process.
    """
    source, target = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        try:
            result = pickle.dumps(function())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            result = pickle.dumps(repr(error))
        os.close(source)
        with os.fdopen(target, "wb") as file:
            file.write(result)
        os._exit(0)
    os.close(target)
    with os.fdopen(source, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    return pickle.loads(data)  # noqa: S301 - our own


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
class TestProcesses:
    def test_fork(self, web: WebServer) -> None:
        """
        After a fork both go on with an open file, on connections of their own.
        """
        with WEB.open(web.uri("/large")) as file:
            assert file.read(10) == LARGE[:10]

            def rest() -> bool:
                return file.read() == LARGE[10:]

            before = web.connections
            assert in_child(rest) is True
            assert file.read() == LARGE[10:]

        assert web.connections == before + 1

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_pool(self, web: WebServer, method: str) -> None:
        """
        Workers that are forked or spawned open what the storage may open.
        """
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        read(web, "/a.png")
        uris = [web.uri(path) for path in ("/a.png", "/large", "/none")] * 2
        with ProcessPoolExecutor(2, get_context(method)) as executor:
            found = list(executor.map(size_of, [WEB] * 6, uris))

        assert found == [4, 3_000_000, -1] * 2


def test_threads(web: WebServer) -> None:
    """
    Threads share the connections, one each at a time, and leave few behind.
    """
    from concurrent.futures import ThreadPoolExecutor

    before = open_files()
    uris = [web.uri(path) for path in ("/a.png", "/large", "/none")] * 40
    with ThreadPoolExecutor(8) as executor:
        found = list(executor.map(size_of, [WEB] * len(uris), uris))

    assert found == [4, 3_000_000, -1] * 40
    assert web.connections <= 8
    connections.connections.clear()
    assert open_files() <= before + 8  # The server's side of them.


def open_files() -> int:
    """
    How many files this process has open; 0 where nobody says.
    """
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def size_of(storage: Storage, uri: str) -> int:
    """
    The size of a remote file; -1 if it is missing.
    """
    try:
        with storage.open(uri) as file:
            return len(file.read())
    except MissingFileError:
        return -1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the keys")
class TestEncrypted:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        """
        A key and a certificate of 127.0.0.1 that nobody else has signed.
        """
        path = tmp_path / "both.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
                *("-keyout", str(path), "-out", str(tmp_path / "crt.pem")),
                *("-days", "2", "-subj", "/CN=127.0.0.1"),
                *("-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        with path.open("a") as file:
            file.write((tmp_path / "crt.pem").read_text())
        return path

    def test_certificate(
        self, web: WebServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A certificate that nobody vouches for is refused, one that is known taken.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        storage = Storage(allow=["https"], timeout=5)
        with serving(files=web.files, context=context) as server:
            uri = server.uri("/large").replace("http:", "https:")
            with pytest.raises(UnreachableError, match=r"certificate .* is refused"):
                storage.open(uri)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            connections._tls.cache_clear()
            hosts.known_hosts.forget()
            with storage.open(uri) as file:
                found = file.read()
        connections._tls.cache_clear()

        assert found == LARGE
