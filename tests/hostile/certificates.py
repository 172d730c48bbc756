"""Certificates as no authority should make them; those of the simulated VPC's own CA verify."""

from __future__ import annotations

from pathlib import Path

from tests.vpc import certificates
from tests.vpc.artefacts import call, kept

_NAMES = "DNS:*.us-east-1.amazonaws.com"
_ODD = "\x1b[31m\x07<b>\r %s ${x}"
# kind: subject, names, signed by the CA that the instance trusts
_KINDS = {
    # Three bytes each: 64 bytes and more of memory for each of them.
    "many-names": ("/CN=many", ",".join([_NAMES, *["DNS:x"] * 30000]), True),
    "many-names-untrusted": ("/CN=many", ",".join([_NAMES, *["DNS:x"] * 30000]), False),
    "long-names": (
        "/CN=long",
        ",".join([_NAMES, *(f"DNS:{'x' * 9000}{n}" for n in range(9))]),
        True,
    ),
    "no-unicode": ("/CN=no unicode", f"{_NAMES},DNS:\udcff\udcfe\udc80.example", True),
    "odd": (f"/O=Evil{_ODD}/CN=odd{_ODD}", f"DNS:odd{_ODD}.example", False),
    "odd-trusted": (f"/O=Evil{_ODD}/CN=odd{_ODD}", f"DNS:odd{_ODD}.example", True),
    "odd-no-unicode": ("/O=Evil\udcff/CN=odd\udcff", "DNS:\udcff.example", False),
    "nameless": ("/", "DNS:.", False),
}
LONG_CHAIN = 400


def folder() -> Path:
    """Where KIND.pem (certificate, chain and key) are, and `long-chain.pem`."""
    theirs = certificates.folder()
    return kept("hostile-certificates", f"{theirs}{_KINDS}{LONG_CHAIN}", _make)


def _make(place: Path) -> None:
    theirs = certificates.folder()
    for kind, (subject, names, trusted) in _KINDS.items():
        key, request, certificate = (place / f"{kind}.{end}" for end in ("key", "csr", "crt"))
        extensions = place / f"{kind}.ext"
        extensions.write_bytes(b"subjectAltName=@names\n[names]\n")
        with extensions.open("ab") as file:
            for number, name in enumerate(names.split(",")):
                text = name.partition(":")[2]
                file.write(f'DNS.{number}="{text}"\n'.encode("utf-8", "surrogateescape"))
        call(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", str(key), "-subj", subject, "-out", str(request),
        )  # fmt: skip
        signer = (
            ["-CA", str(theirs / "test.crt"), "-CAkey", str(theirs / "test.key")]
            if trusted
            else ["-signkey", str(key)]
        )
        call(
            "openssl", "x509", "-req", "-in", str(request), *signer, "-set_serial", "7",
            "-days", "2900000" if kind == "nameless" else "30", "-extfile", str(extensions),
            "-out", str(certificate),
        )  # fmt: skip
        (place / f"{kind}.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    good = (theirs / "ok.pem").read_bytes()
    (place / "long-chain.pem").write_bytes(good + (theirs / "test.crt").read_bytes() * LONG_CHAIN)
