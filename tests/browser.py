"""
Headless Chromium, driven over the pipe of its DevTools with the standard library.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["Page", "find_chromium", "opened"]

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")

#: How long an answer is waited for, in seconds.
_PATIENCE: Final = 60.0


def find_chromium() -> str:
    """
    The path of Chromium; where there is none the test is skipped.
    """
    if os.name != "posix" or shutil.which("bash") is None:
        pytest.skip("needs bash to hand Chromium its pipes")
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    pytest.skip("needs chromium (apt-get install chromium)")


class Page:
    """
    A page that is open in the browser.

    The reason for this being a class is the connection, and what the page has
    complained about since it was opened.
    """

    def __init__(self, reading: int, writing: int) -> None:
        """
        Talk to the browser at the other ends of two pipes.
        """
        self._reading, self._writing = reading, writing
        self._session: str | None = None
        self._number = 0
        self._rest = b""

        #: What went wrong in the page: console errors, exceptions, refusals.
        self.complaints: list[str] = []

        #: What the page asked to be loaded.
        self.requests: list[str] = []

        #: Why what it asked for was refused.
        self.refused: list[str] = []
        found = self.call("Target.createTarget", url="about:blank")
        attached = self.call(
            "Target.attachToTarget", targetId=found["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """
        Call a method of the DevTools and return its result.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writing, data) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def go(self, path: Path, fragment: str = "") -> None:
        """
        Open a file and wait until it is loaded.
        """
        self.call("Page.navigate", url=path.absolute().as_uri() + fragment)
        self.wait("document.readyState === 'complete' && location.protocol === 'file:'")

    def evaluate(self, script: str) -> Any:
        """
        The value of an expression in the page.
        """
        found = self.call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """
        Wait until an expression is true.
        """
        end = time.monotonic() + _PATIENCE
        while not self.evaluate(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """
        Press and release a key by its name.
        """
        codes = {"Tab": 9, "Enter": 13, "Space": 32}
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        name = " " if key == "Space" else key
        facts = {"key": name, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
        self.call("Input.dispatchKeyEvent", type="keyUp", **facts)

    def shoot(self) -> bytes:
        """
        A picture of what is seen, a PNG file.
        """
        found = self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(found["data"])

    def _note(self, event: dict[str, Any]) -> None:
        method, facts = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(facts["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and facts["type"] != "log":
            self.complaints.append(json.dumps(facts["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(facts["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"].partition(",")[0])
        elif method == "Network.loadingFailed":
            self.refused.append(facts.get("blockedReason", facts["errorText"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reading], [], [], _PATIENCE)
            assert ready, "Chromium does not answer"
            data = os.read(self._reading, 1 << 20)
            assert data, "Chromium has ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextlib.contextmanager
def opened(profile: Path) -> Iterator[Page]:
    """
    A page in a browser of its own, which ends with it.

    Args:
        profile: An empty folder for what the browser keeps.
    """
    theirs, writing = os.pipe()
    reading, theirs_too = os.pipe()
    # Chromium reads from descriptor 3 and writes to 4.
    command = f'exec "$@" 3<&{theirs} 4>&{theirs_too}'
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        "--disable-dev-shm-usage",
        *("--disable-background-networking", "--window-size=1180,900"),
        *("--remote-debugging-pipe", f"--user-data-dir={profile}"),
    )
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", find_chromium(), *options],  # noqa: S607
        pass_fds=(theirs, theirs_too),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(theirs_too)
    try:
        page = Page(reading, writing)
        yield page
        page._session = None
        with contextlib.suppress(AssertionError, OSError):
            page.call("Browser.close")
        process.wait(20)
    finally:
        os.close(writing)
        os.close(reading)
        if process.poll() is None:
            process.kill()
            process.wait()
