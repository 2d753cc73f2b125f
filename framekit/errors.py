"""
What framekit raises and warns about.

    FramekitError
    ├── ArgumentError(ValueError)            argument, reason
    ├── DocumentError(ValueError)            at, reason, code
    │   └── SchemaVersionError               at, reason, code
    ├── ValidationError                      problems
    ├── MissingExtraError(ImportError)       feature, extra
    ├── MissingPackageError(ImportError)     feature, package
    ├── PaletteError(ValueError)             reason
    ├── ReadOnlyError(PermissionError)       version
    ├── StorageError(OSError)                uri, reason
    │   ├── MissingFileError(FileNotFoundError)
    │   ├── RefusedUriError
    │   ├── AccessDeniedError(PermissionError)
    │   ├── UnreachableError(ConnectionError)
    │   ├── StorageTimeoutError(TimeoutError)
    │   └── TooLargeError
    └── DecodeError
        ├── MaskNotFoundError(LookupError)   reason
        ├── UnreadableMaskError(ValueError)  uri, reason
        ├── UnknownColorError(LookupError)   uri, colors
        └── TimestampError(LookupError)      uri, timestamp, reason

    FramekitWarning(UserWarning)
    ├── LinkWarning
    ├── PaletteWarning
    └── DecodeWarning

Facts are fields, the sentence is ``str()``. Errors are compared by value and
survive pickling, so they can cross process borders and be asserted whole.
Data that is bad is a :class:`framekit.Problem`; these are for calls that
cannot be carried out. Their URIs are shortened: no error carries credentials.
"""

from __future__ import annotations

from typing import Any, cast

from attrs import astuple, field, frozen

from framekit.uri import shown_uri

__all__ = [
    "AccessDeniedError",
    "ArgumentError",
    "DecodeError",
    "DecodeWarning",
    "DocumentError",
    "FramekitError",
    "FramekitWarning",
    "LinkWarning",
    "MaskNotFoundError",
    "MissingExtraError",
    "MissingFileError",
    "MissingPackageError",
    "PaletteError",
    "PaletteWarning",
    "ReadOnlyError",
    "RefusedUriError",
    "SchemaVersionError",
    "StorageError",
    "StorageTimeoutError",
    "TimestampError",
    "TooLargeError",
    "UnknownColorError",
    "UnreachableError",
    "UnreadableMaskError",
    "ValidationError",
]


class FramekitError(Exception):
    """
    The root of all that framekit raises.
    """

    # attrs lets exceptions compare by identity; here the facts decide.
    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash((type(self), repr(self._facts())))

    # The inherited one restores fields one by one, which frozen ones refuse.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._facts()

    def _facts(self) -> tuple[Any, ...]:
        if hasattr(self, "__attrs_attrs__"):
            return astuple(cast(Any, self), recurse=False)
        return self.args


@frozen(eq=False, slots=False)
class ArgumentError(FramekitError, ValueError):
    """
    A call was given a value it cannot take.
    """

    #: The name of the argument.
    argument: str

    #: What is wrong and what to write instead.
    reason: str

    def __str__(self) -> str:
        return f"{self.argument}: {self.reason}"


@frozen(eq=False, slots=False)
class DocumentError(FramekitError, ValueError):
    """
    JSON that is not what it should be.
    """

    #: JSON path of the offending value, ``$`` for the whole document.
    at: str

    #: What was expected, and what was found.
    reason: str

    #: The problem code under which validation reports the same thing.
    code: str = "invalid-json"

    def __str__(self) -> str:
        return f"{self.at}: {self.reason}"


@frozen(eq=False, slots=False)
class SchemaVersionError(DocumentError):
    """
    A document of a version that there is no schema for.
    """


@frozen(eq=False, slots=False)
class ValidationError(FramekitError):
    """
    Validation found errors; raised only by ``Report.raise_for_problems()``.
    """

    problems: tuple[Any, ...]

    def __str__(self) -> str:
        first = f": {self.problems[0].message}" if self.problems else ""
        return f"{len(self.problems)} problem(s), the first{first}"


@frozen(eq=False, slots=False)
class MissingExtraError(FramekitError, ImportError):
    """
    A feature needs packages that are not installed.
    """

    #: What was asked for.
    feature: str

    #: The name of framekit's extra that brings the packages.
    extra: str

    def __str__(self) -> str:
        return f"{self.feature} needs: pip install 'framekit[{self.extra}]'"


@frozen(eq=False, slots=False)
class MissingPackageError(FramekitError, ImportError):
    """
    A feature is for those who have a package that no extra brings.
    """

    #: What was asked for.
    feature: str

    #: What pip calls the package.
    package: str

    def __str__(self) -> str:
        return f"{self.feature} needs: pip install {self.package}"


@frozen(eq=False, slots=False)
class PaletteError(FramekitError, ValueError):
    """
    Colors that cannot be made into one palette, or cannot be told apart.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


@frozen(eq=False, slots=False)
class ReadOnlyError(FramekitError, PermissionError):
    """
    A change of a dataset version that is published.
    """

    #: The name of the version.
    version: str

    def __str__(self) -> str:
        return (
            f"version {self.version!r} is published and read-only; "
            f"create_version(name, parent={self.version!r}) makes one to change"
        )


@frozen(eq=False, slots=False)
class StorageError(FramekitError, OSError):
    """
    A URI that cannot be opened.
    """

    uri: str = field(converter=shown_uri)
    reason: str

    def __str__(self) -> str:
        return f"{self.uri}: {self.reason}"


@frozen(eq=False, slots=False)
class MissingFileError(StorageError, FileNotFoundError):
    """
    A URI behind which there is no file.
    """


@frozen(eq=False, slots=False)
class RefusedUriError(StorageError):
    """
    A URI that leads where nobody allowed to go.
    """


@frozen(eq=False, slots=False)
class AccessDeniedError(StorageError, PermissionError):
    """
    A remote file whose server wants other credentials, or any.
    """


@frozen(eq=False, slots=False)
class UnreachableError(StorageError, ConnectionError):
    """
    A remote file whose server cannot be reached, or keeps failing.
    """


@frozen(eq=False, slots=False)
class StorageTimeoutError(StorageError, TimeoutError):
    """
    A remote file whose server takes too long.
    """


@frozen(eq=False, slots=False)
class TooLargeError(StorageError):
    """
    A remote file that only comes whole, and is too large for that.
    """


class DecodeError(FramekitError):
    """
    The way from a file to labels went wrong.
    """


@frozen(eq=False, slots=False)
class MaskNotFoundError(DecodeError, LookupError):
    """
    A frame has no such source or mask, or several and none was named.
    """

    reason: str

    def __str__(self) -> str:
        return self.reason


@frozen(eq=False, slots=False)
class UnreadableMaskError(DecodeError, ValueError):
    """
    A file that is no image or video, is damaged, or breaks off.
    """

    uri: str = field(converter=shown_uri)
    reason: str

    def __str__(self) -> str:
        return f"{self.uri}: {self.reason}"


@frozen(eq=False, slots=False)
class UnknownColorError(DecodeError, LookupError):
    """
    A mask has colors that its palette has no label for.
    """

    uri: str = field(converter=shown_uri)

    #: The colors, most frequent first.
    colors: tuple[Any, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, self.colors[:5]))
        more = f" and {len(self.colors) - 5} more" if len(self.colors) > 5 else ""
        return f"{self.uri}: the palette has no label for {shown}{more}"


@frozen(eq=False, slots=False)
class TimestampError(DecodeError, LookupError):
    """
    A moment that a video does not have.
    """

    uri: str = field(converter=shown_uri)

    #: The moment asked for, in ms.
    timestamp: Any

    #: Why not, naming the valid range.
    reason: str

    def __str__(self) -> str:
        return f"{self.uri}: no frame at {self.timestamp} ms: {self.reason}"


class FramekitWarning(UserWarning):
    """
    The root of framekit's warnings.
    """


class LinkWarning(FramekitWarning):
    """
    A frame's ROIs name masks in a way that had to be interpreted.
    """


class PaletteWarning(FramekitWarning):
    """
    Colors that are legal but that a user should look at.
    """


class DecodeWarning(FramekitWarning):
    """
    Labels were decoded, and something about the file deserves a look.
    """
