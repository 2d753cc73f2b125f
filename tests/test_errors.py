from __future__ import annotations

import pickle

import pytest

from framekit import errors

ONE_OF_EACH = [
    errors.ArgumentError("labels", "expected a list"),
    errors.DocumentError("$.rois[0]", "expected an object", "wrong-type"),
    errors.SchemaVersionError("$", "no schema frame-9", "unknown-version"),
    errors.ValidationError(()),
    errors.MissingExtraError("opening s3: URIs", "s3"),
    errors.MissingPackageError("framekit.torch", "torch"),
    errors.PaletteError("two labels on one color"),
    errors.ReadOnlyError("v1"),
    errors.StorageError("a.png", "leads outside"),
    errors.MissingFileError("a.png", "no such file"),
    errors.MaskNotFoundError("no mask 'seg'"),
    errors.UnreadableMaskError("a.png", "breaks off"),
    errors.UnknownColorError("a.png", ((1, 2, 3),)),
    errors.TimestampError("a.mp4", 5000, "the video has 0 to 800 ms"),
]


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda e: type(e).__name__)
class TestErrors:
    def test_pickle(self, error: errors.FramekitError) -> None:
        """
        Errors cross process borders unchanged.
        """
        assert pickle.loads(pickle.dumps(error)) == error  # noqa: S301 - our own

    def test_sentence(self, error: errors.FramekitError) -> None:
        """
        Each says something, on one line.
        """
        assert str(error)
        assert "\n" not in str(error)

    def test_root(self, error: errors.FramekitError) -> None:
        """
        All have the one root.
        """
        assert isinstance(error, errors.FramekitError)


def test_compared_by_value() -> None:
    """
    Two errors with the same facts are equal, and hash alike.
    """
    first = errors.PaletteError("why")

    assert first == errors.PaletteError("why")
    assert first != errors.PaletteError("because")
    assert len({first, errors.PaletteError("why")}) == 1


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ArgumentError, ValueError),
        (errors.DocumentError, ValueError),
        (errors.PaletteError, ValueError),
        (errors.ReadOnlyError, PermissionError),
        (errors.StorageError, OSError),
        (errors.MissingFileError, FileNotFoundError),
        (errors.MissingExtraError, ImportError),
        (errors.MissingPackageError, ImportError),
        (errors.UnknownColorError, LookupError),
        (errors.TimestampError, LookupError),
        (errors.UnreadableMaskError, ValueError),
    ],
)
def test_builtin(error: type[Exception], builtin: type[Exception]) -> None:
    """
    Beside the root stands the built-in that a caller would expect.
    """
    assert issubclass(error, builtin)
