from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import BinaryIO

import pytest

from framekit.errors import MissingFileError, StorageError
from framekit.storage import Storage, scheme_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """
    A document's folder with one file, and a secret beside it.
    """
    (tmp_path / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "media").mkdir(parents=True)
    (root / "media" / "a b.png").write_bytes(b"mask")
    return root


class TestScheme:
    @pytest.mark.parametrize(
        ("uri", "scheme"),
        [
            ("a.png", ""),
            ("/a/b.png", ""),
            ("C:\\masks\\a.png", ""),
            ("file:///a.png", ""),
            ("s3://bucket/a", "s3"),
            ("HTTPS://host/a", "https"),
            ("data:image/png;base64,AA", "data"),
            ("concat:a|b", "concat"),
        ],
    )
    def test_scheme(self, uri: str, scheme: str) -> None:
        """
        Local paths have none; everything with a colon that is no drive has one.
        """
        assert scheme_of(uri) == scheme


class TestLocal:
    @pytest.mark.parametrize(
        "uri",
        ["media/a b.png", "./media/../media/a b.png", "file:{root}/media/a%20b.png"],
    )
    def test_inside(self, folder: Path, uri: str) -> None:
        """
        Relative URIs and file: URIs inside the root are opened.
        """
        with Storage(folder).open(uri.format(root=folder)) as file:
            assert file.read() == b"mask"

    @pytest.mark.parametrize(
        "uri", ["../secret", "{root}/../secret", "file:{root}/../secret"]
    )
    def test_outside(self, folder: Path, uri: str) -> None:
        """
        Nothing outside the root is opened, and the message says what to do.
        """
        with pytest.raises(StorageError, match="--folder"):
            Storage(folder).open(uri.format(root=folder))

    def test_link_outside(self, folder: Path) -> None:
        """
        A symbolic link out of the root counts as outside.
        """
        (folder / "link").symlink_to(folder.parent / "secret")

        with pytest.raises(StorageError, match="leads outside"):
            Storage(folder).open("link")

    def test_named_folder(self, folder: Path) -> None:
        """
        A folder that the user names may be led into.
        """
        storage = Storage(folder, folders=[folder.parent])

        with storage.open("../secret") as file:
            assert file.read() == b"secret"

    def test_no_root(self, folder: Path) -> None:
        """
        A frame built in code has no root and opens absolute paths.
        """
        with Storage().open(str(folder / "media" / "a b.png")) as file:
            assert file.read() == b"mask"

    def test_missing(self, folder: Path) -> None:
        """
        A missing file is a StorageError that is a FileNotFoundError too.
        """
        with pytest.raises(MissingFileError) as e:
            Storage(folder).open("media/b.png")

        assert isinstance(e.value, FileNotFoundError)
        assert e.value.uri == "media/b.png"

    def test_no_regular_file(self, folder: Path) -> None:
        """
        Folders and named pipes are refused at once.
        """
        os.mkfifo(folder / "pipe")
        for name in ("media", "pipe"):
            with pytest.raises(StorageError, match="not a regular file"):
                Storage(folder).open(name)

    @pytest.mark.parametrize("uri", ["", "a\0b"])
    def test_no_path(self, folder: Path, uri: str) -> None:
        """
        What cannot be a path is refused.
        """
        with pytest.raises(StorageError, match="expected a path"):
            Storage(folder).open(uri)


class TestRemote:
    def test_not_allowed(self) -> None:
        """
        A scheme is refused unless allowed; the signature stays out of the message.
        """
        with pytest.raises(StorageError) as e:
            Storage().open("https://host/a.png?signature=s3cret")

        assert "--allow https" in str(e.value)
        assert "s3cret" not in str(e.value)

    def test_opener(self) -> None:
        """
        An opener gets the allowed schemes, and only those.
        """
        asked: list[str] = []

        def opener(uri: str) -> BinaryIO:
            asked.append(uri)
            return io.BytesIO(b"remote")

        storage = Storage(allow="s3, https", opener=opener)

        assert storage.open("s3://bucket/a").read() == b"remote"
        with pytest.raises(StorageError):
            storage.open("gs://bucket/a")
        assert asked == ["s3://bucket/a"]


def test_pickle(folder: Path) -> None:
    """
    A storage travels to worker processes.
    """
    storage = Storage(folder, allow=["s3"], folders=[folder])

    assert pickle.loads(pickle.dumps(storage)) == storage  # noqa: S301 - our own
