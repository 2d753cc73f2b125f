from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from framekit.errors import (
    AccessDeniedError,
    MissingExtraError,
    MissingFileError,
    RefusedUriError,
    StorageError,
    StorageTimeoutError,
    UnreachableError,
)
from framekit.storage import Storage
from tests.web_server import LARGE, free_port, serving, silent

pytest.importorskip("fsspec")

S3 = Storage(allow=["s3"])

pytestmark = pytest.mark.usefixtures("fresh_hosts")


@pytest.fixture
def no_file_systems() -> Iterator[None]:
    """
    Fsspec makes its file systems again, as the variables say now.
    """
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs, which framekit[s3] brings")
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, no_file_systems: None) -> Iterator[str]:  # noqa: ARG001 - comes first
    """
    An S3 server on loopback, with credentials.
    """
    reason = "needs moto[server], which .ci/run installs"
    server = pytest.importorskip("moto.server", reason=reason)
    threaded = server.ThreadedMotoServer("127.0.0.1", 0)
    threaded.start()
    try:
        host, port = threaded.get_host_and_port()
        _use(monkeypatch, f"http://{host}:{port}")
        yield f"http://{host}:{port}"
    finally:
        threaded.stop()


@pytest.fixture
def bucket(endpoint: str) -> Any:
    """
    A bucket with a small file and a large one.
    """
    client = _client(endpoint)
    client.create_bucket(Bucket="masks")
    client.put_object(Bucket="masks", Key="a b.png", Body=b"mask")
    client.put_object(Bucket="masks", Key="large", Body=LARGE)
    return client


def _client(endpoint: str) -> Any:
    import boto3  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")


def _use(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "us",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.usefixtures("bucket")
class TestS3:
    def test_read(self) -> None:
        """
        A file is read whole or in parts.
        """
        with S3.open("s3://masks/a b.png") as file:
            assert file.read() == b"mask"
        with S3.open("s3://masks/large") as file:
            file.seek(2_000_000)
            assert file.read(10) == LARGE[2_000_000:2_000_010]
            file.seek(0)
            assert file.read() == LARGE

    def test_missing(self) -> None:
        """
        No such key, and no such bucket, are missing files.
        """
        for uri in ("s3://masks/none", "s3://none/a.png"):
            with pytest.raises(MissingFileError, match="nothing is there"):
                S3.open(uri)

    def test_changed(self, bucket: Any) -> None:
        """
        Parts of two states of a file are never put together.
        """
        with S3.open("s3://masks/large") as file:
            file.read(10)
            bucket.put_object(Bucket="masks", Key="large", Body=LARGE[::-1])
            file.seek(2_000_000)
            with pytest.raises(StorageError):
                file.read(10)

    def test_cache(self, tmp_path: Path, bucket: Any) -> None:
        """
        A file that is known is not fetched again, and one that changed is.
        """
        storage = Storage(allow=["s3"], cache=tmp_path / "cache")
        for _ in range(2):
            with storage.open("s3://masks/large") as file:
                assert file.read() == LARGE
        bucket.put_object(Bucket="masks", Key="large", Body=LARGE[::-1])
        with storage.open("s3://masks/large") as file:
            assert file.read() == LARGE[::-1]

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_workers(self, method: str) -> None:
        """
        Workers open their own connections, forked or spawned.
        """
        with S3.open("s3://masks/a b.png") as file:
            file.read()
        with ProcessPoolExecutor(2, get_context(method)) as executor:
            found = list(executor.map(_size, ["a b.png", "large"] * 2))

        assert found == [4, 3_000_000] * 2


def _size(key: str) -> int:
    with S3.open(f"s3://masks/{key}") as file:
        return len(file.read())


@pytest.mark.usefixtures("no_file_systems")
class TestS3Failures:
    def test_unreachable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        An endpoint that is down is no missing file, and is not tried for each.
        """
        _use(monkeypatch, f"http://127.0.0.1:{free_port()}")
        reasons = set()
        for n in range(100):
            with pytest.raises(UnreachableError) as e:
                S3.open(f"s3://masks/{n}.png")
            reasons.add(e.value.reason)
            assert e.value.uri == f"s3://masks/{n}.png"

        assert reasons == {"its server cannot be reached"}

    def test_denied(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        An endpoint that refuses access is told apart, and no credentials are shown.
        """
        with serving(fault=lambda handler: handler.answer(403, b"") is None) as web:
            _use(monkeypatch, web.uri(""))
            with pytest.raises(AccessDeniedError, match="refuses access") as e:
                S3.open("s3://masks/a.png?X-Amz-Signature=s3cret")

        assert "s3cret" not in f"{e.value!r} {e.value}"

    def test_bucket(self) -> None:
        """
        What cannot be a bucket is an error of ours, without user and password.
        """
        with pytest.raises(StorageError) as e:
            S3.open("s3://me:s3cret@masks/a.png")

        assert e.value.uri == "s3://masks/a.png"
        assert "s3cret" not in f"{e.value!r} {e.value}"

    @pytest.mark.slow
    def test_slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        So is one that does not answer.
        """
        storage = Storage(allow=["s3"], timeout=0.3)
        with serving(fault=silent) as web:
            _use(monkeypatch, web.uri(""))
            with pytest.raises(StorageTimeoutError, match="takes too long"):
                storage.open("s3://masks/a.png")


class TestOthers:
    def test_memory(self) -> None:
        """
        Whatever fsspec has can be allowed.
        """
        import fsspec  # type: ignore[import-untyped,unused-ignore]

        data = random.Random(1).randbytes(700_000)  # noqa: S311 - no secret
        system = fsspec.filesystem("memory")
        system.pipe_file("/masks/a.png", data)
        with Storage(allow=["memory"]).open("memory://masks/a.png") as file:
            assert file.read() == data
        system.rm_file("/masks/a.png")

        with pytest.raises(MissingFileError):
            Storage(allow=["memory"]).open("memory://masks/a.png")

    @pytest.mark.parametrize("scheme", ["local", "dir", "reference"])
    def test_this_machine(self, scheme: str, tmp_path: Path) -> None:
        """
        No scheme leads around the bounds of local files.
        """
        (tmp_path / "a").write_bytes(b"secret")
        with pytest.raises((RefusedUriError, StorageError)):
            Storage(tmp_path / "in", allow=[scheme]).open(f"{scheme}://{tmp_path}/a")

    def test_chain(self, tmp_path: Path) -> None:
        """
        Nor does one file system that is put behind another.
        """
        (tmp_path / "a").write_bytes(b"secret")
        for uri in (
            f"memory://x::file://{tmp_path}/a",
            f"simplecache::file://{tmp_path}/a",
        ):
            with pytest.raises(StorageError):
                Storage(allow=["memory", "simplecache"]).open(uri)

    def test_unknown(self) -> None:
        """
        A scheme that nobody opens is an error that says so.
        """
        with pytest.raises(StorageError, match="nothing that opens nope: URIs"):
            Storage(allow=["nope"]).open("nope://a/b")

    def test_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Where the packages are missing, the error names the extra that brings them.
        """
        import fsspec

        def missing(_: str) -> None:
            raise ImportError("Please install gcsfs")

        monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
        with pytest.raises(MissingExtraError) as e:
            Storage(allow=["gs"]).open("gs://bucket/a")

        assert e.value == MissingExtraError("opening gs: URIs", "gcs")
