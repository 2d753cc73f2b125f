from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from framekit.shards import map_in_order


@pytest.mark.parametrize("threads", [None, 2])
def test_order(threads: int | None) -> None:
    """
    Results come in the order of the items, wherever they are made.
    """
    if threads is None:
        assert list(map_in_order(str, range(50))) == [str(n) for n in range(50)]
        return
    with ThreadPoolExecutor(threads) as executor:
        made = list(map_in_order(str, range(50), executor=executor, ahead=4))

    assert made == [str(n) for n in range(50)]


def test_window() -> None:
    """
    Lazy items are taken only a little ahead of the results.
    """
    taken = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    with ThreadPoolExecutor(2) as executor:
        results = map_in_order(str, items(), executor=executor, ahead=4)
        next(results)
        assert len(taken) <= 5
        results.close()  # type: ignore[attr-defined]


def test_failure() -> None:
    """
    An exception of the function reaches the caller.
    """
    with ThreadPoolExecutor(2) as executor, pytest.raises(ValueError, match="invalid"):
        list(map_in_order(int, ["1", "x"], executor=executor))
