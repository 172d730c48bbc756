"""The system's CA certificates, found as the agent finds them.

Go reads the first file of a list that it can read, and every file of some folders
(crypto/x509/root_linux.go, root_unix.go); SSL_CERT_FILE and SSL_CERT_DIR of the agent's own
environment stand in their place. For the calls that go through the AWS SDK, which the channel to
ssmmessages does not, AWS_CA_BUNDLE stands in the place of all of them (aws-sdk-go,
aws/session). Never certifi's bundle: the agent does not use it.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Optional

from agentcheck.observations import TrustStore
from agentcheck.probes.files import read_bounded

FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")
MAX_FILE = 8 << 20
MAX_FILES = 2000
# Go takes any certificate of the store as an anchor, an intermediate too. ssl.VERIFY_X509_PARTIAL_
# CHAIN has a name from Python 3.10 on only; the value is OpenSSL's X509_V_FLAG_PARTIAL_CHAIN.
PARTIAL_CHAIN = 0x80000

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)


def load(environ: Mapping[str, str], bundle: str = "") -> tuple[ssl.SSLContext, TrustStore]:
    """A verifying client context with the system's certificates, and what was found.

    `environ` is the agent's environment, `bundle` a file that stands in the place of all. A store
    without any usable certificate is no error.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # as the agent (agent/network/tlsconfig.go)
    context.verify_flags |= PARTIAL_CHAIN
    if bundle:
        return context, TrustStore(bundle, _add(context, _blocks(Path(bundle)) or []))
    blocks: dict[bytes, None] = {}
    source = ""
    own_file, own_folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    for file in (own_file,) if own_file else FILES:
        found = _blocks(Path(file))
        if found is not None:  # Go stops at the first that it can read, be it empty
            blocks.update(dict.fromkeys(found))
            source = file
            break
    for folder in own_folders.split(":") if own_folders else FOLDERS:
        for path in _files_in(Path(folder)):
            blocks.update(dict.fromkeys(_blocks(path) or ()))
        source = source or (folder if blocks else "")
    return context, TrustStore(source, _add(context, list(blocks)))


def _files_in(folder: Path) -> Iterator[Path]:
    """Every file of the folder once, however many links lead to it."""
    seen = set()
    try:
        entries = sorted(folder.iterdir())[:MAX_FILES]
    except OSError:
        return
    for entry in entries:
        try:
            real = entry.resolve()
        except (OSError, RuntimeError):
            continue
        if real not in seen:
            seen.add(real)
            yield real


def _blocks(path: Path) -> Optional[list[bytes]]:
    """The PEM certificates of a file, None when it cannot be read."""
    try:
        return _PEM.findall(read_bounded(path, MAX_FILE))
    except OSError:
        return None


def _add(context: ssl.SSLContext, blocks: list[bytes]) -> int:
    """Adds the certificates and counts them; one that is broken does not spoil the others."""
    try:
        context.load_verify_locations(cadata=b"\n".join(blocks).decode("ascii"))
        return int(context.cert_store_stats()["x509"])
    except (ssl.SSLError, ValueError):
        pass
    for block in blocks:
        try:
            context.load_verify_locations(cadata=block.decode("ascii"))
        except (ssl.SSLError, ValueError):
            continue
    return int(context.cert_store_stats()["x509"])
