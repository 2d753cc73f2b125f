from __future__ import annotations

from typing import Any

import pytest

from framekit.decoding import inflate, kernels


@pytest.fixture(params=["native", "numpy"])
def kernel(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    Each of the two sets of kernels in turn.
    """
    if request.param == "native" and kernels.NATIVE is None:
        pytest.skip("no extension")
    if request.param == "numpy":
        monkeypatch.setattr(kernels, "NATIVE", None)
    return str(request.param)


@pytest.fixture(params=list(inflate.LIBRARIES))
def inflater(request: Any, monkeypatch: pytest.MonkeyPatch) -> inflate.Inflater:
    """
    Each inflater that is installed.
    """
    try:
        found = inflate.find_inflater(request.param)
    except ImportError:
        pytest.skip("not installed")
    monkeypatch.setattr(inflate, "INFLATER", found)
    return found
