"""What is in a package and what it depends on, as CycloneDX 1.5 (bill of materials, JSON).

No list of its own: what is bundled is read from the metadata that came with it, what is depended
on from nfpm.yaml.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from email.parser import BytesParser
from pathlib import Path
from typing import Any

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, "agentcheck")


def bundled(metadata: bytes) -> dict[str, Any]:
    """A Python distribution by its METADATA."""
    told = BytesParser().parsebytes(metadata, headersonly=True)
    name, version = told["Name"], told["Version"]
    plain = re.sub(r"[-_.]+", "-", name).lower()
    licence = told["License-Expression"] or told["License"]
    if not licence:
        kinds = [one.split(" :: ")[-1] for one in told.get_all("Classifier", ())]
        licence = next((one for one in kinds if "License" in one), "")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{plain}@{version}",
        "name": name,
        "version": version,
        "scope": "required",
        "purl": f"pkg:pypi/{plain}@{version}",
    }
    if licence:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def depended_on(kind: str, description: str) -> list[dict[str, Any]]:
    """What the .deb or .rpm needs or recommends of its distribution, by nfpm.yaml."""
    (part,) = re.findall(rf"(?ms)^  {kind}:\n(    .*?)(?=^ {{0,2}}\S)", description)
    components = []
    for key, scope in {"depends": "required", "recommends": "optional"}.items():
        for entry in re.findall(rf"(?m)^    {key}:\n((?:      - .*\n)+)", part):
            for line in re.findall(r"- (.*)\n", entry):
                name, _, condition = line.partition(" ")
                component = {"type": "library", "bom-ref": f"{kind}:{name}", "name": name}
                found = {"name": "agentcheck:version", "value": condition.strip("()")}
                components.append(
                    {**component, "scope": scope, "properties": [found] if condition else []}
                )
    return [{k: v for k, v in component.items() if v} for component in components]


def write(package: Path, version: str, built: int, components: list[dict[str, Any]]) -> None:
    """Beside the package, about exactly that file. The same package gives the same bytes."""
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    # Of what comes twice, for two machines or with two conditions, one is enough.
    known = {component["bom-ref"]: component for component in components}
    main = {
        "type": "application",
        "bom-ref": f"pkg:generic/agentcheck@{version}",
        "name": "agentcheck",
        "version": version,
        "purl": f"pkg:generic/agentcheck@{version}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "properties": [{"name": "agentcheck:file", "value": package.name}],
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, digest)}",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(built)),
            "component": main,
        },
        "components": [known[ref] for ref in sorted(known)],
        "dependencies": [
            {"ref": main["bom-ref"], "dependsOn": sorted(known)},
            *({"ref": ref, "dependsOn": []} for ref in sorted(known)),
        ],
    }
    text = json.dumps(document, indent=2) + "\n"
    package.with_name(f"{package.name}.cdx.json").write_text(text, "utf-8")
