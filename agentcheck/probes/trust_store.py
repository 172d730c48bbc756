"""The system's CA certificates, found as the agent finds them.

Go reads the first file of a list that it can read, and every file of some folders
(crypto/x509/root_linux.go, root_unix.go); SSL_CERT_FILE and SSL_CERT_DIR of the agent's own
environment stand in their place. For the calls that go through the AWS SDK, which the channel to
ssmmessages does not, AWS_CA_BUNDLE stands in the place of all of them (aws-sdk-go,
aws/session). Never certifi's bundle: the agent does not use it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from agentcheck.files import entries_of, read_bounded
from agentcheck.observations import TrustStore

FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux, RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")
# The web's 140 roots are 220 kB, and Debian's folder holds them once more. Ten times as many still
# fit in the memory of a round; what is larger is read in part, and said to be.
MAX_FILE = 2 << 20
MAX_FILES = 2000
MAX_STORE = 4 << 20
# Go takes any certificate of the store as an anchor, an intermediate too. ssl.VERIFY_X509_PARTIAL_
# CHAIN has a name from Python 3.10 on only; the value is OpenSSL's X509_V_FLAG_PARTIAL_CHAIN.
PARTIAL_CHAIN = 0x80000

_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


def load(environ: Mapping[str, str], bundle: str = "") -> tuple[ssl.SSLContext, TrustStore]:
    """A verifying client context with the system's certificates, and what was found.

    `environ` is the agent's environment, `bundle` a file that stands in the place of all. A store
    without any usable certificate is no error.
    """
    store = _Store()
    if bundle:
        store.add_file(Path(bundle))
        return store.context, store.found(bundle)
    source = ""
    own_file, own_folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    for file in (own_file,) if own_file else FILES:
        if store.add_file(Path(file)):  # Go stops at the first that it can read, be it empty
            source = file
            break
    for folder in own_folders.split(":")[:10] if own_folders else FOLDERS:
        for path in store.files_in(Path(folder)):
            store.add_file(path)
        source = source or (folder if store.certificates else "")
    return store.context, store.found(source)


class _Store:
    """A context that is filled file by file, within bounds."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # As the agent (agent/network/tlsconfig.go).
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.verify_flags |= PARTIAL_CHAIN
        self._left = MAX_STORE
        self._seen: set[Path] = set()
        self._partial = False

    @property
    def certificates(self) -> int:
        return int(self.context.cert_store_stats()["x509"])

    def found(self, source: str) -> TrustStore:
        return TrustStore(source, self.certificates, self._partial)

    def files_in(self, folder: Path) -> Iterator[Path]:
        """The files of the folder; `MAX_FILES` of them."""
        try:
            names = entries_of(folder, MAX_FILES + 1)
        except (OSError, ValueError):
            return
        self._partial = self._partial or len(names) > MAX_FILES
        yield from (folder / name for name in names[:MAX_FILES])

    def add_file(self, path: Path) -> bool:
        """Adds a file's certificates, once however many links lead to it. False: unreadable."""
        limit = min(MAX_FILE, self._left)
        try:
            real = path.resolve()
            if real in self._seen:
                return True
            raw = read_bounded(real, limit + 1)
        except (OSError, ValueError, RuntimeError):
            return False
        self._partial = self._partial or len(raw) > limit
        raw = raw[:limit]
        self._seen.add(real)
        self._left -= len(raw)
        blocks = list(_blocks(raw))
        # One that is broken, or there twice, does not spoil the others.
        if blocks and not self._add(b"\n".join(blocks)):
            for block in blocks:
                self._add(block)
        return True

    def _add(self, pem: bytes) -> bool:
        try:
            self.context.load_verify_locations(cadata=pem.decode("ascii"))
        except (ssl.SSLError, ValueError):
            return False
        return True


def _blocks(raw: bytes) -> Iterator[bytes]:
    """The PEM certificates, in one pass whatever it is that stands there."""
    end = 0
    while (begin := raw.find(_BEGIN, end)) >= 0 and (end := raw.find(_END, begin)) >= 0:
        end += len(_END)
        yield raw[begin:end]
