from typing import Any

from typing_extensions import Buffer

def lookup_new(keys: Buffer, ids: Buffer, multiplier: int, /) -> object: ...
def rows_new(
    width: int,
    height: int,
    bits: int,
    channels: int,
    out: Buffer,
    label_bytes: int,
    table: object,
    alpha_void: bool,
    void_key: int,
    multiplier: int,
    limit: int,
    /,
) -> object: ...
def rows_feed(rows: object, data: Buffer, /) -> int: ...
def rows_finish(rows: object, /) -> tuple[int, tuple[int, bool, bytes]]: ...
def array_to_ids(
    src: Any,
    out: Buffer,
    lookup: object,
    label_bytes: int,
    alpha_void: bool,
    void_key: int,
    multiplier: int,
    limit: int,
    /,
) -> tuple[int, bool, bytes]: ...
def repair_yuv420(*planes_codebook_labels_mode: Any) -> tuple[bytes, int, int, int]: ...
def snap_yuv(*planes_codebook_labels_mode: Any) -> tuple[bytes, int, int]: ...
def look_up(
    a: Buffer,
    b: Buffer,
    c: Buffer,
    step: int,
    centroids: Buffer,
    labels: Buffer,
    limit: int,
    /,
) -> tuple[int, int]: ...
