"""The test CA, and a certificate of every kind that an endpoint may show."""

from __future__ import annotations

import time
from pathlib import Path

from tests.vpc.artefacts import call, kept
from tests.vpc.scenario import PROXY_NAME

_ZONES = (
    "us-east-1.amazonaws.com",
    "eu-central-1.amazonaws.com",
    "cn-north-1.amazonaws.com.cn",
    "us-gov-west-1.amazonaws.com",
    "us-iso-east-1.c2s.ic.gov",
    "us-isob-east-1.sc2s.sgov.gov",
    "eusc-de-east-1.amazonaws.eu",
    "us-east-1.api.aws",
    "ssm.us-east-1.vpce.amazonaws.com",
    "ssmmessages.us-east-1.vpce.amazonaws.com",
    "corp.example",
    "us-east-1.corp.example",
    "us-east-1.corp.example",
)
_NAMES = ",".join(f"DNS:*.{zone}" for zone in _ZONES)
_DAY = 86400
_AUTHORITIES = {
    "test": "/O=agentcheck/CN=agentcheck test CA",
    "corp": "/O=Corp/CN=Corp Inspection CA",
    "unrelated": "/O=Somebody/CN=Unrelated Root CA",
}
# kind: authority ("" is itself), names, first and last day from today
_KINDS = {
    "ok": ("test", _NAMES, -30, 90),
    "expired": ("test", _NAMES, -90, -3),
    "not-yet-valid": ("test", _NAMES, 30, 90),
    "wrong-name": ("test", "DNS:www.example.com,DNS:example.com", -30, 90),
    "foreign-ca": ("corp", _NAMES, -30, 90),
    "self-signed": ("", _NAMES, -30, 90),
    "proxy": ("test", f"DNS:{PROXY_NAME},IP:10.0.0.99", -30, 90),
}
_CONFIGURATION = """
[ca]
default_ca = ours
[ours]
database = index
rand_serial = yes
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = any
"""


def folder() -> Path:
    """Where `AUTHORITY.crt`, `AUTHORITY.hash` and `KIND.pem` (certificate and key) are.

    A new set every week: they are dated from the day they were made.
    """
    week = int(time.time()) // (7 * _DAY)
    return kept("certificates", f"{week}{_CONFIGURATION}{_AUTHORITIES}{_KINDS}", _make)


def _make(place: Path) -> None:
    configuration = place / "openssl.cnf"
    configuration.write_text(_CONFIGURATION.replace(" = index", f" = {place}/index"))
    (place / "index").touch()
    for name, subject in _AUTHORITIES.items():
        call(
            "openssl", "req", "-x509", *_new_key(place / f"{name}.key"), "-days", "120",
            "-config", str(configuration), "-subj", subject, "-out", str(place / f"{name}.crt"),
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectKeyIdentifier=hash",
            "-addext", "keyUsage=critical,keyCertSign",
        )  # fmt: skip
    for kind, (authority, names, start, end) in _KINDS.items():
        key, request = place / f"{kind}.key", place / f"{kind}.csr"
        certificate = place / f"{kind}.crt"
        subject = "/CN=" + names.split(",")[0].partition(":")[2]
        call(
            "openssl", "req", "-new", *_new_key(key), "-config", str(configuration),
            "-subj", subject, "-addext", f"subjectAltName={names}", "-out", str(request),
        )  # fmt: skip
        signer = (
            ["-cert", str(place / f"{authority}.crt"), "-keyfile", str(place / f"{authority}.key")]
            if authority
            else ["-selfsign", "-keyfile", str(key)]
        )
        call(
            "openssl", "ca", "-batch", "-notext", "-config", str(configuration), *signer,
            "-in", str(request), "-out", str(certificate), "-outdir", str(place),
            "-startdate", _moment(start), "-enddate", _moment(end),
        )  # fmt: skip
        (place / f"{kind}.pem").write_text(certificate.read_text() + key.read_text())
    # The name under which OpenSSL looks an authority up in a folder of certificates.
    for name in _AUTHORITIES:
        digest = call("openssl", "x509", "-hash", "-noout", "-in", str(place / f"{name}.crt"))
        (place / f"{name}.hash").write_text(digest.strip())


def _new_key(path: Path) -> list[str]:
    curve = "ec_paramgen_curve:P-256"
    return ["-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout", str(path)]


def _moment(days: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * _DAY))
