from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from framekit.decoding import kernels
from framekit.decoding.png import inflate
from framekit.storage import connections, hosts
from tests.web_server import LARGE, WebServer, serving

# How long a machine takes decides no test; in CI the examples are always the same.
settings.register_profile(
    "framekit",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("framekit")


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


@pytest.fixture
def fresh_hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    No host is known, and nobody waits long before trying again.
    """
    monkeypatch.setattr("framekit.storage.web_request._FIRST_PAUSE", 0.01)
    hosts.known_hosts.forget()
    yield
    hosts.known_hosts.forget()
    connections.connections.clear()


@pytest.fixture
def web(fresh_hosts: None) -> Iterator[WebServer]:  # noqa: ARG001 - comes first
    """
    A server with a small file and a large one.
    """
    files = {"/a.png": b"mask", "/large": LARGE, "/empty": b""}
    with serving(files=files) as server:
        yield server
