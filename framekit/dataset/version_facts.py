"""
What is known about a version beside its frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import evolve

from framekit.dataset.manifest import Manifest, as_version_metadata
from framekit.dataset.mask_labels import (
    colors_of,
    mask_ids_of,
    mask_labels_in,
    with_colors,
)
from framekit.dataset.store import Store
from framekit.frame.values import as_names, as_text
from framekit.palette.version_labels import ALL_MASKS

__all__ = ["VersionFacts"]


class VersionFacts:
    """
    The part of :class:`DatasetVersion` that its manifest holds.
    """

    def __init__(self, store: Store, manifest: Manifest) -> None:
        """
        For ``Dataset.get_version`` and ``create_version``.
        """
        self.store = store
        self._manifest = manifest

    @property
    def manifest(self) -> Manifest:
        """
        All that is known about the version but its frames.
        """
        return self._manifest

    @property
    def name(self) -> str:
        """
        Unique in the dataset.
        """
        return self._manifest.name

    @property
    def parent(self) -> str | None:
        """
        The name of the version that this one builds on.
        """
        return self._manifest.parent

    @property
    def status(self) -> str:
        """
        ``"draft"``, ``"committed"`` or ``"published"``.
        """
        return self._manifest.status

    @property
    def tags(self) -> tuple[str, ...]:
        """
        Words to find the version by.
        """
        return self._manifest.tags

    @property
    def comment(self) -> str:
        """
        What a person says about the version.
        """
        return self._manifest.comment

    @property
    def created(self) -> str | None:
        """
        When the version was made: ISO 8601, UTC.
        """
        return self._manifest.created

    @property
    def committed(self) -> str | None:
        """
        When it was committed; None if its frames have changed since.
        """
        return self._manifest.committed

    @property
    def published(self) -> str | None:
        """
        When it was published.
        """
        return self._manifest.published

    @property
    def metadata(self) -> dict[str, Any]:
        """
        A copy of the version's metadata.
        """
        return as_version_metadata(self._manifest.metadata)

    @property
    def mask_labels(self) -> Any:
        """
        The labels of colors as the manifest has them; a Palette takes them.
        """
        return self._manifest.document().get("mask_labels") or self.metadata.get(
            "mask_labels"
        )

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """
        Replace the metadata.

        Raises:
            ArgumentError: If it is no mapping, or a key has ``$`` or ``.``.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or it cannot be written.
        """
        checked = as_version_metadata(metadata)
        self._change(lambda manifest: evolve(manifest, metadata=checked))

    def set_tags(self, tags: Iterable[str]) -> None:
        """
        Replace the tags.

        Raises:
            ArgumentError: If they are no list of text.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or it cannot be written.
        """
        names = as_names(tags, argument="tags", what="tags", example="night")
        unique = tuple(dict.fromkeys(names))
        self._change(lambda manifest: evolve(manifest, tags=unique))

    def set_comment(self, comment: str) -> None:
        """
        Replace the comment.

        Raises:
            ArgumentError: If it is no text.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or it cannot be written.
        """
        text = as_text(comment, argument="comment") or ""
        self._change(lambda manifest: evolve(manifest, comment=text))

    def get_masks_labels(
        self, mask: str = ALL_MASKS
    ) -> dict[tuple[int, int, int], list[str]]:
        """
        The labels of colors that are stated for *mask*, by default for all masks.

        Raises:
            ArgumentError: If the manifest's ``mask_labels`` are none.
            PaletteError: If it gives a color two label sets.
        """
        return colors_of(self._manifest.document(), mask)

    def set_masks_labels(
        self, colors: Mapping[Any, Iterable[str]], mask: str = ALL_MASKS
    ) -> None:
        """
        State the labels of colors for *mask*, in place of those stated before.

        Args:
            colors: ``{(r, g, b): [labels]}``; ``"#rrggbb"`` is a color too.
            mask: The id of a mask; by default what holds for all.

        Raises:
            ArgumentError: If a color or a label is none.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or it cannot be written.
        """

        def change(manifest: Manifest) -> Manifest:
            document = manifest.document()
            metadata = {
                key: value
                for key, value in manifest.metadata.items()
                if key != "mask_labels"
            }
            labels = with_colors(document, mask, colors)
            return evolve(manifest, mask_labels=labels, metadata=metadata)

        self._change(change)

    def take_masks_labels(self, document: Mapping[str, Any]) -> None:
        """
        State the labels of colors that *document*, another version's, states.

        They are taken as they stand there, with values beyond 0 to 255 too.

        Raises:
            ArgumentError: If its ``mask_labels`` are none.
            PaletteError: If they give a color two label sets.
            ReadOnlyError: If the version is published.
            StorageError: If somebody else is writing, or it cannot be written.
        """
        for mask in mask_ids_of(document):
            colors_of(document, mask)
        written = mask_labels_in(document)
        if written:
            self._change(lambda manifest: evolve(manifest, mask_labels=written))

    @property
    def labeled_masks(self) -> list[str]:
        """
        What labels of colors are stated for: mask ids, ``"_all_"`` for all masks.
        """
        return mask_ids_of(self._manifest.document())

    def refresh(self) -> None:
        """
        Look at what others have made of the version meanwhile.

        Raises:
            StorageError: If its manifest cannot be read.
        """
        self._set(self.store.manifest(self.name))

    def _change(self, change: Callable[[Manifest], Manifest]) -> None:
        self._set(self.store.change(self.name, change))

    def _set(self, manifest: Manifest) -> None:
        self._manifest = manifest
