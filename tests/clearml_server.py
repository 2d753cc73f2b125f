"""
A ClearML server on loopback for tests: as much as registering a version needs.

It keeps what it is sent and gives it back.  It refuses to change what is published;
it checks nothing else, unlike a real one.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import Factory, define

#: What the server says it can; 2.23 is the newest request model of the client.
API_VERSION = "2.23"

Json = dict[str, Any]


class RefusedError(Exception):
    """
    A request that the server answers with an error.
    """


@define(eq=False)
class Version:
    """
    A version of a dataset, as the server keeps it.
    """

    id: str
    name: str
    dataset: str
    status: str = "draft"
    metadata: Json = Factory(dict)

    #: The frames as they came over the wire, by id, in the order they came.
    frames: dict[str, Json] = Factory(dict)

    def document(self) -> Json:
        """
        What the server tells of the version.
        """
        names = ("id", "name", "dataset", "status", "metadata")
        return {name: getattr(self, name) for name in names}


@define(eq=False)
class ClearmlServer:
    """
    What a server has, and what it was asked for.
    """

    #: By id.
    versions: dict[str, Version] = Factory(dict)

    #: Project and dataset ids by name.
    projects: dict[str, str] = Factory(dict)
    datasets: dict[str, str] = Factory(dict)

    #: The endpoint of each request, in order.
    asked: list[str] = Factory(list)
    port: int = 0

    @property
    def uri(self) -> str:
        """
        Where the server listens.
        """
        return f"http://127.0.0.1:{self.port}"

    def version(self, name: str) -> Version:
        """
        The version of that name.
        """
        return next(each for each in self.versions.values() if each.name == name)

    def answer(self, endpoint: str, body: Json) -> Json:
        """
        The data of the answer to a request.

        Raises:
            RefusedError: If it is refused, or there is no such endpoint.
        """
        self.asked.append(endpoint)
        if endpoint not in _ENDPOINTS:
            raise RefusedError(f"no such endpoint: {endpoint}")
        return _ENDPOINTS[endpoint](self, body)


def _login(_: ClearmlServer, __: Json) -> Json:
    facts = {
        "exp": int(time.time()) + 3600,
        "api_version": API_VERSION,
        "server_version": "3.24.0",
        "feature_set": "advanced",
    }
    parts = ({"alg": "HS256", "typ": "JWT"}, facts)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()) for p in parts]
    return {"token": b".".join([*(e.rstrip(b"=") for e in encoded), b"c2ln"]).decode()}


def _known(names: dict[str, str], body: Json) -> list[Json]:
    """
    What a search by the pattern of one exact name, or by ids, finds.
    """
    wanted = (body.get("name") or "").strip("^$").replace("\\", "")
    ids = body.get("id") or []
    return [
        {"id": id, "name": name}
        for name, id in names.items()
        if name == wanted or id in ids
    ]


def _project(server: ClearmlServer, body: Json) -> Json:
    return {"id": server.projects.setdefault(body["name"], f"p{len(server.projects)}")}


def _dataset(server: ClearmlServer, body: Json) -> Json:
    if body["name"] in server.datasets:
        raise RefusedError("there is such a dataset already")
    id = server.datasets[body["name"]] = f"d{len(server.datasets)}"
    return {"id": id}


def _dataset_by_id(server: ClearmlServer, body: Json) -> Json:
    found = _known(server.datasets, {"id": [body["dataset"]]})
    return {"dataset": found[0] if found else None}


def _new_version(server: ClearmlServer, body: Json) -> Json:
    id = f"v{len(server.versions)}"
    server.versions[id] = Version(id, body["name"], body["dataset"])
    return {"id": id}


def _versions(server: ClearmlServer, body: Json) -> Json:
    wanted = body.get("versions") or list(server.versions)
    found = [
        each.document()
        for each in server.versions.values()
        if each.dataset == body["dataset"] and each.id in wanted
    ]
    return {"versions": found}


def _writable(server: ClearmlServer, body: Json) -> Version:
    version = server.versions[body["version"]]
    if version.status == "published":
        raise RefusedError("version is published and cannot be changed")
    return version


def _save(server: ClearmlServer, body: Json) -> Json:
    version = _writable(server, body)
    for frame in body["frames"]:
        version.frames[frame["id"]] = frame
    return {"saved": len(body["frames"]), "errors": []}


def _update(server: ClearmlServer, body: Json) -> Json:
    _writable(server, body).metadata = body["metadata"]
    return {"updated": 1, "fields": {"metadata": body["metadata"]}}


def _commit(server: ClearmlServer, body: Json) -> Json:
    version = _writable(server, body)
    version.status = "published" if body.get("publish") else "committed"
    return {"version": version.id, "committed_frames": len(version.frames)}


def _publish(server: ClearmlServer, body: Json) -> Json:
    _writable(server, body).status = "published"
    return {"published": 1}


def _viewed(server: ClearmlServer, body: Json) -> list[Json]:
    """
    The frames of the versions of a data view, as a server orders them.
    """
    frames = [
        frame
        for each in body["dataview"]["versions"]
        for frame in server.versions[each["version"]].frames.values()
    ]
    return sorted(
        frames, key=lambda f: (f.get("context_id") or "", f.get("timestamp") or 0)
    )


def _next(server: ClearmlServer, body: Json) -> Json:
    frames = _viewed(server, body)
    start = int(body.get("scroll_id") or 0)
    end = start + min(int(body.get("batch_size") or 500), 7)  # needs several requests
    return {
        "frames": frames[start:end],
        "frames_returned": len(frames[start:end]),
        "scroll_id": str(end),
        "eof": end >= len(frames),
    }


def _count(server: ClearmlServer, body: Json) -> Json:
    return {"total": len(_viewed(server, body)), "rules": []}


_ENDPOINTS: dict[str, Callable[[ClearmlServer, Json], Json]] = {
    "auth.login": _login,
    "users.get_vaults": lambda _, __: {"vaults": []},
    "projects.get_all": lambda s, body: {"projects": _known(s.projects, body)},
    "projects.get_all_ex": lambda s, body: {"projects": _known(s.projects, body)},
    "projects.create": _project,
    "datasets.create": _dataset,
    "datasets.get_all": lambda s, body: {"datasets": _known(s.datasets, body)},
    "datasets.get_by_id": _dataset_by_id,
    "datasets.create_version": _new_version,
    "datasets.get_versions": _versions,
    "datasets.save_frames": _save,
    "datasets.update_version": _update,
    "datasets.commit_version": _commit,
    "datasets.publish_version": _publish,
    "frames.get_next_for_dataview": _next,
    "frames.get_count_for_dataview": _count,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    clearml: ClearmlServer

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        endpoint = self.path.partition("?")[0].strip("/")
        if endpoint.startswith("v2"):
            endpoint = endpoint.partition("/")[2]
        endpoint_facts = {"name": endpoint, "requested_version": 2.23}
        meta: Json = {
            "id": "1",
            "trx": "1",
            "endpoint": endpoint_facts | {"actual_version": 2.23},
            "result_code": 200,
            "result_subcode": 0,
            "result_msg": "OK",
            "error_stack": "",
        }
        try:
            data = self.clearml.answer(endpoint, body)
        except RefusedError as refusal:
            meta |= {"result_code": 400, "result_msg": str(refusal)}
            data = {}
        content = json.dumps({"meta": meta, "data": data}).encode()
        self.send_response(meta["result_code"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - the name that is looked for

    def log_message(self, format: str, *args: Any) -> None:
        """
        Say nothing.
        """


@contextmanager
def serving() -> Iterator[ClearmlServer]:
    """
    A server that answers while the context is open.
    """
    clearml = ClearmlServer()
    handler = type("Handler", (_Handler,), {"clearml": clearml})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        clearml.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield clearml
        finally:
            server.shutdown()
            thread.join()


def environment(server: ClearmlServer, home: Path) -> dict[str, str]:
    """
    Variables with which the client knows this server and no other, and no settings.
    """
    kept = {
        name: os.environ[name]
        for name in ("PATH", "SYSTEMROOT", "TMPDIR")
        if name in os.environ
    }
    hosts = {f"CLEARML_{name}_HOST": server.uri for name in ("API", "WEB", "FILES")}
    return (
        kept
        | hosts
        | {
            "CLEARML_CONFIG_FILE": os.devnull,
            "CLEARML_API_ACCESS_KEY": "key",
            "CLEARML_API_SECRET_KEY": "secret",
            "HOME": str(home),
            "NO_PROXY": "*",
        }
    )
