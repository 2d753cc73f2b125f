from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCHEMAS = {file.name for file in (ROOT / "schemas").glob("*.json")}

#: Where framekit is, where its schemas are, and whether one can be read.
PROBE = """
import json, sys
from framekit import schema
found = schema.schema(*sys.argv[1:])
print(json.dumps([schema.__file__, str(schema._folder()), found["$id"]]))
"""


#: Which kernels an installed framekit has.
KERNELS_PROBE = "from framekit.decoding import kernels; print(kernels.NAME)"


def has_compiler() -> bool:
    """
    Whether C can be compiled here.
    """
    command = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    return shutil.which(command) is not None and headers.exists()


def copy_of_project(folder: Path) -> Path:
    """
    Copy what packaging needs, so that building leaves nothing in the checkout.
    """
    for name in ("framekit", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(*command: str | Path, **environment: str) -> None:
    """
    Run a command that gets packages; skip the test where there are none to get.
    """
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode and "No matching distribution" in done.stdout:
        pytest.skip("needs an index of packages")
    assert done.returncode == 0, done.stdout


#: This Python without its site: a framekit that is installed in editable mode,
#: as it is for those who work on it, is out of sight.
BARE_PYTHON = (sys.executable, "-S")


#: The packages that framekit needs, to be searched as plain folders.
NEEDS = tuple(Path(sysconfig.get_path(name)) for name in ("purelib", "platlib"))


def probe(
    python: tuple[str, ...],
    *path: Path,
    cwd: Path,
    schema: tuple[str, ...] = ("frame",),
) -> tuple[Path, Path, str]:
    """
    Import framekit in a new process, in which *path* is searched first.
    """
    searched = os.pathsep.join(map(str, path))
    done = subprocess.run(
        [*python, "-P", "-c", PROBE, *schema],
        env={**os.environ, "PYTHONPATH": searched},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    module, folder, schema_id = json.loads(done.stdout)
    return Path(module), Path(folder), schema_id


def kernels_of(site: Path, *, cwd: Path) -> str:
    """
    Which kernels the framekit in *site* has, unless told to do without.
    """
    environment = dict(os.environ)
    environment.pop("FRAMEKIT_KERNELS", None)
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (site, *NEEDS)))
    done = subprocess.run(
        [*BARE_PYTHON, "-P", "-c", KERNELS_PROBE],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A copy of the project.
    """
    return copy_of_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def built(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    A folder with the sdist, and the wheel that was built from it.
    """
    if find_spec("build") is None:
        pytest.skip("needs build")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, project)
    return folder


def names_in_wheel(folder: Path) -> set[str]:
    """
    The names of the files in the one wheel of *folder*.
    """
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


class TestProject:
    def test_packages(self) -> None:
        """
        All packages are installed, and none is named that is not there.
        """
        text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        named = tomllib.loads(text)["tool"]["setuptools"]["packages"]
        found = {
            ".".join(file.parent.relative_to(ROOT).parts)
            for file in (ROOT / "framekit").rglob("__init__.py")
        }

        assert set(named) == found | {"framekit.schemas"}
        assert named == sorted(named)

    def test_no_lone_module(self) -> None:
        """
        Every folder with modules is a package, or it would not be installed.
        """
        folders = {file.parent for file in (ROOT / "framekit").rglob("*.py")}

        assert [f for f in folders if not (f / "__init__.py").exists()] == []


@pytest.mark.slow
class TestBuilt:
    def test_sdist(self, built: Path) -> None:
        """
        The sdist has the schemas, the marker for types and the C sources.
        """
        (sdist,) = built.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}

        sources = {
            file.relative_to(ROOT).as_posix()
            for pattern in ("*.py", "*.c", "py.typed")
            for file in (ROOT / "framekit").rglob(pattern)
        }
        assert {f"schemas/{name}" for name in SCHEMAS} <= names
        assert {"schemas/__init__.py", "pyproject.toml"} <= names
        assert sources <= names

    def test_wheel(self, built: Path) -> None:
        """
        The wheel has exactly the schemas of the folder, and the command.
        """
        names = names_in_wheel(built)

        packaged = {name for name in names if name.startswith("framekit/schemas/")}
        expected = SCHEMAS | {"__init__.py"}
        assert packaged == {f"framekit/schemas/{name}" for name in expected}
        assert "framekit/py.typed" in names
        page = {f"framekit/report/page.{kind}" for kind in ("css", "html", "js")}
        assert page <= names
        assert any(name.endswith("/entry_points.txt") for name in names)
        assert not any(name.startswith(("tests/", "samples/")) for name in names)

    def test_wheel_without_sdist(self, built: Path, tmp_path: Path) -> None:
        """
        The sdist loses nothing: a wheel of the checkout has the same files.
        """
        project, folder = tmp_path / "project", tmp_path / "dist"
        project.mkdir()
        copy_of_project(project)

        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, project)

        assert names_in_wheel(folder) == names_in_wheel(built)

    def test_installed_wheel(self, built: Path, tmp_path: Path) -> None:
        """
        What the wheel installs finds its schemas beside it.
        """
        (wheel,) = built.glob("*.whl")
        target = tmp_path / "site"
        pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps")
        run(*pip, "--target", target, wheel)

        module, folder, schema_id = probe(BARE_PYTHON, target, *NEEDS, cwd=tmp_path)

        assert module == target / "framekit/schema.py"
        assert folder == target / "framekit/schemas"
        assert schema_id == "urn:framekit:schemas:frame-1.0"

    def test_kernels(self, built: Path, tmp_path: Path) -> None:
        """
        The wheel has the compiled kernels, which any later Python can load.
        """
        if not has_compiler():
            pytest.skip("needs a C compiler")
        (wheel,) = built.glob("*.whl")
        names = names_in_wheel(built)
        target = tmp_path / "site"
        pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps")
        run(*pip, "--target", target, wheel)

        found = {name for name in names if Path(name).stem.startswith("_kernels")}
        compiled = {name for name in found if not name.endswith((".c", ".pyi"))}
        assert compiled in (
            {"framekit/decoding/_kernels.abi3.so"},
            {"framekit/decoding/_kernels.pyd"},
        )
        assert kernels_of(target, cwd=tmp_path) == "native"

    def test_no_compiler(self, built: Path, tmp_path: Path) -> None:
        """
        Where nothing compiles it installs all the same, and NumPy does the work.
        """
        (sdist,) = built.glob("*.tar.gz")
        target = tmp_path / "site"
        pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps")

        run(*pip, "--target", target, sdist, CC="/bin/false")

        assert not list(target.rglob("_kernels*.so"))
        assert kernels_of(target, cwd=tmp_path) == "numpy"

    def test_editable(self, tmp_path: Path) -> None:
        """
        An editable install finds the checkout's schemas, a new one at once.
        """
        project = tmp_path / "project"
        project.mkdir()
        copy_of_project(project)
        env = tmp_path / "env"
        venv.create(env, with_pip=True, symlinks=os.name != "nt")
        base = {"base": str(env), "platbase": str(env)}
        python = Path(sysconfig.get_path("scripts", "venv", base)) / "python"
        site = Path(sysconfig.get_path("purelib", "venv", base))
        (site / "needs.pth").write_text("\n".join(map(str, NEEDS)))
        run(python, "-m", "pip", "install", "-q", "--no-deps", "-e", project)
        new = project / "schemas/frame-99.0.schema.json"
        new.write_text(json.dumps({"$id": "new"}))

        module, folder, schema_id = probe(
            (str(python),), cwd=tmp_path, schema=("frame", "99.0")
        )

        assert module == project / "framekit/schema.py"
        assert folder == project / "schemas"
        assert schema_id == "new"


class TestBareCheckout:
    def test_schemas(self, project: Path, tmp_path: Path) -> None:
        """
        A checkout that is not installed finds its schemas.
        """
        module, folder, schema_id = probe(
            BARE_PYTHON, project, *NEEDS, cwd=tmp_path, schema=("dataset",)
        )

        assert module == project / "framekit/schema.py"
        assert folder == project / "schemas"
        assert schema_id == "urn:framekit:schemas:dataset-1.0"
