from __future__ import annotations

import pytest

from framekit.uri import shown_text, shown_uri


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://host/a.png?X-Amz-Signature=s3cret#x", "https://host/a.png"),
        ("https://me:s3cret@host:8080/a", "https://host:8080/a"),
        ("https://me:s3@cret@host/a", "https://host/a"),
        ("https://me:s3/cret@host/a", "https://…"),
        ("  HTTPS://me:s3cret@host/a?s3cret", "  HTTPS://host/a"),
        ("http://[::1]:80/a@b?s3cret", "http://[::1]:80/a@b"),
        ("s3://bucket/a#1.png?versionId=3", "s3://bucket/a#1.png"),
        ("data:image/png;base64,iVBORw0KGgo", "data:image/png;base64,…"),
        ("file:///a?b@c", "file:///a?b@c"),
        ("/a?b@c", "/a?b@c"),
        ("C:\\masks\\a.png", "C:\\masks\\a.png"),
        ("a.png", "a.png"),
    ],
)
def test_shown(uri: str, shown: str) -> None:
    """
    Remote URIs are shown without query, user and password, local ones in full.
    """
    assert shown_uri(uri) == shown
    assert shown_uri(shown) == shown


def test_text() -> None:
    """
    So are the URIs within a text.
    """
    text = "cannot connect to 'https://me:s3cret@host/a?b' or s3://b/c?d, sorry"

    assert shown_text(text) == "cannot connect to 'https://host/a' or s3://b/c sorry"
