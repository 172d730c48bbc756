"""What comes from others: the recorded hashes, and the bill of materials of each package."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.packaging.test_packages import build
from tests.vpc import host

REQUIREMENTS = host.ROOT / "tests/requirements"
PINS = host.ROOT / "packaging/requirements.txt"
# Of the specification's bom-1.5.schema.json what is used here, and nothing else is allowed.
_TEXT = {"type": "string", "minLength": 1}
_COMPONENT: dict[str, Any] = {
    "type": "object",
    "required": ["type", "bom-ref", "name"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["application", "library"]},
        "bom-ref": _TEXT,
        "name": _TEXT,
        "version": _TEXT,
        "scope": {"enum": ["required", "optional"]},
        "purl": {"type": "string", "pattern": r"^pkg:(pypi|generic)/[a-z0-9-]+@[^@/]+$"},
        "hashes": {
            "items": {"properties": {"alg": {"const": "SHA-256"}}, "required": ["alg", "content"]}
        },
        "licenses": {
            "items": {
                "required": ["license"],
                "properties": {
                    "license": {"properties": {"id": _TEXT, "name": _TEXT}, "minProperties": 1}
                },
            }
        },
        "properties": {"items": {"required": ["name", "value"]}},
    },
}
BOM: dict[str, Any] = {
    "type": "object",
    "required": ["bomFormat", "specVersion", "version", "metadata", "components", "dependencies"],
    "additionalProperties": False,
    "properties": {
        "bomFormat": {"const": "CycloneDX"},
        "specVersion": {"const": "1.5"},
        "serialNumber": {
            "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
        },
        "version": {"const": 1},
        "metadata": {
            "required": ["timestamp", "component"],
            "properties": {
                "timestamp": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "component": _COMPONENT,
            },
        },
        "components": {"items": _COMPONENT, "uniqueItems": True},
        "dependencies": {"items": {"required": ["ref", "dependsOn"]}},
    },
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Each package by kind, and its bill of materials."""
    found = {}
    for path in build(tmp_path_factory.mktemp("built"), "all"):
        bom = json.loads(Path(f"{path}.cdx.json").read_text("utf-8"))
        found[path.suffix[1:]] = path, bom
    return found


@pytest.mark.packages
def test_each_package_has_a_bill_of_materials_of_the_form_that_cyclonedx_wants(
    made: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    assert set(made) == {"deb", "rpm", "pyz"}
    for path, bom in made.values():
        jsonschema.Draft202012Validator(BOM).validate(bom)
        main = bom["metadata"]["component"]
        assert main["hashes"][0]["content"] == hashlib.sha256(path.read_bytes()).hexdigest()
        known = {component["bom-ref"] for component in bom["components"]} | {main["bom-ref"]}
        assert {entry["ref"] for entry in bom["dependencies"]} == known
        assert all(set(entry["dependsOn"]) <= known for entry in bom["dependencies"])


@pytest.mark.packages
def test_the_bills_name_all_that_is_bundled_and_all_that_is_depended_on(
    made: dict[str, tuple[Path, dict[str, Any]]],
) -> None:
    named = {kind: {c["name"]: c for c in bom["components"]} for kind, (_, bom) in made.items()}
    pyz = {name.lower().replace("_", "-"): c["version"] for name, c in named["pyz"].items()}
    pins = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", PINS.read_text("utf-8")))
    assert pyz == {name: version for name, version in pins.items() if name != "nfpm"}
    with zipfile.ZipFile(made["pyz"][0]) as archive:
        brought = {n.split("/")[1] for n in archive.namelist() if ".dist-info/" in n}
    assert len(brought) == len(pyz)
    for kind, dns in (("deb", "python3-dnspython"), ("rpm", "python3-dns")):
        assert {"requests-aws4auth", "python3-requests", dns, "systemd"} <= set(named[kind])
        assert named[kind]["python3-waitress"]["scope"] == "optional"
        assert named[kind][dns]["properties"][0]["value"] == ">= 2.1.0"


@pytest.mark.packages
def test_the_same_commit_gives_the_same_bill(
    made: dict[str, tuple[Path, dict[str, Any]]], tmp_path: Path
) -> None:
    (again,) = build(tmp_path, "deb")
    text = Path(f"{again}.cdx.json").read_bytes()
    assert text == Path(f"{made['deb'][0]}.cdx.json").read_bytes()


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Any:
    """environment.py, as `dev` runs it; its neighbour is in its `requirements`."""
    monkeypatch.syspath_prepend(str(REQUIREMENTS))
    return importlib.import_module("environment")


def test_all_that_is_installed_is_recorded_with_its_hashes(modules: Any) -> None:
    assert modules.requirements.check() == []


def _bare(path: Path, name: str) -> str:
    pattern = rf"(?m)^({name}==\S+)(?: \\\n +--hash=\S+)+"
    return re.sub(pattern, r"\1", path.read_text("utf-8"))


def test_a_pin_without_a_hash_is_complained_of(
    modules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in REQUIREMENTS.glob("*.txt"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    (tmp_path / "requirements.txt").write_text(_bare(PINS, "waitress"), "utf-8")
    (tmp_path / "lock-3.9.txt").write_text(_bare(REQUIREMENTS / "lock-3.9.txt", "idna"), "utf-8")
    monkeypatch.setattr(modules.requirements, "HERE", tmp_path)
    monkeypatch.setattr(modules.requirements, "PACKAGING", tmp_path / "requirements.txt")
    assert modules.requirements.check() == [
        "lock-3.9.txt lacks the hashes of idna",
        "requirements.txt lacks the hashes of waitress",
    ]


def test_only_what_is_wanted_and_what_that_needs_is_taken_from_a_lock(modules: Any) -> None:
    text = (REQUIREMENTS / "lock-3.9.txt").read_text("utf-8")
    some = modules.requirements.pinned(text, ["requests>=2"])
    assert set(modules.requirements.recorded(some)) == {
        *("certifi", "charset-normalizer", "idna", "requests", "urllib3")
    }


def test_a_file_with_another_hash_than_the_recorded_one_is_not_installed(
    modules: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right hash it is, so it is the hash that makes the difference."""
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("thing.py", "")
        about = "thing-1.0.dist-info"
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "TARGET": "t"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.chdir(tmp_path)
    lock = tmp_path / "lock.txt"
    monkeypatch.setattr(modules, "versions_file", lambda flavour: lock)
    lock.write_text(f"thing==1.0 \\\n    --hash=sha256:{'0' * 64}\n", "utf-8")
    assert "DO NOT MATCH THE HASHES" in modules.install(tmp_path, "run", ["thing>=1"])
    assert not (tmp_path / "t/thing.py").exists()
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"thing==1.0 \\\n    --hash=sha256:{right}\n", "utf-8")
    assert modules.install(tmp_path, "run", ["thing>=1"]) == ""
    assert (tmp_path / "t/thing.py").exists()
