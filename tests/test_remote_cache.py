from __future__ import annotations

import os
from pathlib import Path

import pytest

from framekit.errors import StorageError, UnreachableError
from framekit.storage import Storage, cache, connections, hosts
from tests.web_server import LARGE, WebServer, serving

pytestmark = pytest.mark.usefixtures("fresh_hosts")

BLOCK = 256 << 10


def cached(folder: Path, limit: int = 1 << 30) -> Storage:
    """
    A storage that keeps what it reads in *folder*.
    """
    return Storage(allow=["http"], cache=folder, cache_limit=limit, timeout=5)


def size_of(folder: Path) -> int:
    """
    The bytes of all files in *folder*.
    """
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class TestCache:
    def test_read_twice(self, web: WebServer, tmp_path: Path) -> None:
        """
        What is known is not fetched again; the server is asked whether it changed.
        """
        storage = cached(tmp_path / "cache")
        for _ in range(2):
            with storage.open(web.uri("/large")) as file:
                assert file.read() == LARGE

        assert web.sent == len(LARGE) + 1
        assert [asked for _, asked in web.asked] == [
            "bytes=0-0",
            "bytes=1-2999999",
            "bytes=0-0",
        ]

    def test_parts(self, web: WebServer, tmp_path: Path) -> None:
        """
        Of a file that is read in parts those are kept.
        """
        storage = cached(tmp_path / "cache")
        for _ in range(2):
            with storage.open(web.uri("/large")) as file:
                for offset in (2_900_000, 10, 1_000_000):
                    file.seek(offset)
                    assert file.read(5) == LARGE[offset : offset + 5]

        assert size_of(tmp_path) < len(LARGE)
        assert web.sent < len(LARGE)

    def test_without_ranges(self, web: WebServer, tmp_path: Path) -> None:
        """
        A server that sends files only whole is not asked for them again either.
        """
        web.has_ranges = False
        storage = cached(tmp_path / "cache")
        with storage.open(web.uri("/large")) as file:
            assert file.read() == LARGE

        def fault(handler: object) -> bool:
            handler.answer(200, b"", length=len(LARGE), ETag=web.etag)  # type: ignore[attr-defined]
            return True

        web.fault = fault  # The head alone, no body.
        with storage.open(web.uri("/large")) as file:
            assert file.read() == LARGE

    def test_changed(self, web: WebServer, tmp_path: Path) -> None:
        """
        A file that has changed is fetched anew.
        """
        storage = cached(tmp_path / "cache")
        with storage.open(web.uri("/large")) as file:
            file.read()
        web.files["/large"], web.etag = LARGE[::-1], '"2"'

        with storage.open(web.uri("/large")) as file:
            assert file.read() == LARGE[::-1]

    def test_no_version(self, web: WebServer, tmp_path: Path) -> None:
        """
        A file of which nobody can say whether it changed is not kept.
        """
        web.etag = None
        with cached(tmp_path / "cache").open(web.uri("/large")) as file:
            assert file.read() == LARGE

        assert size_of(tmp_path) == 0

    def test_host_is_down(self, tmp_path: Path) -> None:
        """
        Without its server a file is not taken for what it was.
        """
        storage = cached(tmp_path / "cache")
        with serving(files={"/a": b"mask"}) as web:
            uri = web.uri("/a")
            with storage.open(uri) as file:
                file.read()
        connections.connections.clear()
        hosts.known_hosts.forget()

        with pytest.raises(UnreachableError):
            storage.open(uri)

    def test_limit(self, web: WebServer, tmp_path: Path) -> None:
        """
        The folder never holds more than its limit; what is oldest goes first.
        """
        folder = tmp_path / "cache"
        storage = cached(folder, limit=6 * BLOCK)
        for n in range(20):
            web.files[f"/{n}"] = bytes([n]) * BLOCK
            with storage.open(web.uri(f"/{n}")) as file:
                assert file.read() == web.files[f"/{n}"]
            for path in folder.rglob("*-*"):
                if path.stat().st_mtime_ns > 10**18:  # In the order of being read.
                    os.utime(path, ns=(n, n))
            assert size_of(folder) <= 6 * BLOCK
        sent = web.sent
        with storage.open(web.uri("/19")) as file:
            file.read()

        assert web.sent == sent + 1
        assert size_of(folder) > 0

    def test_limit_with_what_others_left(self, web: WebServer, tmp_path: Path) -> None:
        """
        What another process has written counts, too.
        """
        folder = tmp_path / "cache"
        (folder / "ab").mkdir(parents=True)
        (folder / "ab" / "ab-0").write_bytes(bytes(5 * BLOCK))
        storage = cached(folder, limit=6 * BLOCK)
        with storage.open(web.uri("/large")) as file:
            assert file.read() == LARGE

        assert size_of(folder) <= 6 * BLOCK

    @pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
    def test_damage(self, web: WebServer, tmp_path: Path, damage: str) -> None:
        """
        A block that is not what it was is fetched again.
        """
        storage = cached(tmp_path / "cache")
        with storage.open(web.uri("/large")) as file:
            file.read()
        for path in (tmp_path / "cache").rglob("*-*"):
            data = bytearray(path.read_bytes())
            data[100] ^= 1
            left = {"flip": len(data), "cut": 50, "empty": 0}[damage]
            path.write_bytes(data[:left])

        with storage.open(web.uri("/large")) as file:
            assert file.read() == LARGE

    def test_full_disk(
        self, web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A file is read even if nothing can be kept.
        """

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(cache.tempfile, "mkstemp", full)  # type: ignore[attr-defined]
        with cached(tmp_path / "cache").open(web.uri("/large")) as file:
            assert file.read() == LARGE

    def test_no_folder(self, web: WebServer, tmp_path: Path) -> None:
        """
        A cache that cannot be is an error that names it.
        """
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(StorageError) as e:
            cached(tmp_path / "file" / "cache").open(web.uri("/a.png"))

        reason = "cannot be used as a cache: Not a directory"
        assert e.value == StorageError(str(tmp_path / "file" / "cache"), reason)

    def test_no_credentials(self, web: WebServer, tmp_path: Path) -> None:
        """
        Neither names nor contents of its files say what a signature was.
        """
        with cached(tmp_path / "cache").open(web.uri("/a.png?s=s3cret")) as file:
            file.read()

        found = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(found) == 1
        assert "s3cret" not in str(found[0])
        assert b"s3cret" not in found[0].read_bytes()
