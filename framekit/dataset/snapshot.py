"""
Publishing a version under a new name and going on in a child of it.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from framekit.dataset.lock import writing
from framekit.dataset.manifest import (
    Manifest,
    file_name,
    now,
    version_names,
    write_manifest,
)
from framekit.dataset.store import Store
from framekit.errors import ArgumentError, ReadOnlyError

__all__ = ["child_of", "publish_as"]


def child_of(parent: Manifest, name: str) -> Manifest:
    """
    An empty version that builds on *parent* and takes over what it states.

    Raises:
        ArgumentError: If *parent* is not published.
    """
    if parent.status != "published":
        reason = f"version {parent.name!r} is {parent.status}; publish it first"
        raise ArgumentError("parent", reason)
    return Manifest(
        name=name,
        parent=parent.name,
        mask_labels=parent.mask_labels,
        metadata=parent.metadata,
        created=now(),
    )


def publish_as(
    store: Store,
    name: str,
    publish_name: str | None,
    child_name: str | None,
    commit: Callable[[Manifest], Manifest],
) -> tuple[Manifest, Manifest]:
    """
    Publish the version called *name* as *publish_name*, with a child.

    A crash leaves the version as it was, or beside it the published one.

    Returns:
        The published version and the child.

    Raises:
        ArgumentError: If there is a version of such a name.
        ReadOnlyError: If the version is published.
        StorageError: If somebody else is writing, or a file cannot be written.
    """
    published_name = publish_name or f"snapshot {now()}"
    next_name = child_name or name
    with writing(store.root):
        manifest = store.manifest(name)
        if manifest.status == "published":
            raise ReadOnlyError(name)
        taken = set(version_names(store.root)) - {name}
        for argument, wanted in (
            ("publish_name", published_name),
            ("child_name", next_name),
        ):
            file_name(wanted)
            if wanted in taken:
                reason = f"there is a version {wanted!r} already"
                raise ArgumentError(argument, reason)
        if published_name == next_name:
            reason = f"the child needs another name than {published_name!r}"
            raise ArgumentError("child_name", reason)
        published = evolve(
            commit(manifest),
            name=published_name,
            status="published",
            published=now(),
        )
        write_manifest(store.root, published)
        child = child_of(published, next_name)
        write_manifest(store.root, child)
        if name not in {published_name, next_name}:
            (store.root / "versions" / file_name(name)).unlink()
        store.collect()
    return published, child
