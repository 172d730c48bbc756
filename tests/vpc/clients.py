"""Small clients on the instance, for the tests of the lab itself."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.vpc.lab import Vpc

AGENT = """
import json, os, psutil, time
found = []
for process in psutil.process_iter():
    try:
        exe = os.readlink(f"/proc/{process.pid}/exe")
    except OSError:
        continue
    if "ssm-agent" in exe:
        ask = getattr(process, "net_connections", None) or process.connections  # psutil before 6
        peers = [c.raddr[:2] for c in ask() if c.status == "ESTABLISHED"]
        age = time.time() - process.create_time()
        found.append({"exe": exe, "parent": process.ppid(), "age": age, "peers": peers})
print(json.dumps(found))
"""

# Arguments: host of the proxy, its port, "tls" or "", place to reach, "user:password" or "".
THROUGH_PROXY = """
import base64, json, socket, ssl, sys
proxy, port, tls, place, secret = sys.argv[1:]
connection = socket.create_connection((proxy, int(port)), 2)
if tls:
    connection = ssl.create_default_context().wrap_socket(connection, server_hostname=proxy)
head = f"CONNECT {place} HTTP/1.1\\r\\nHost: {place}\\r\\n"
if secret:
    head += "Proxy-Authorization: Basic " + base64.b64encode(secret.encode()).decode() + "\\r\\n"
connection.sendall((head + "\\r\\n").encode())
answer = b""
while b"\\r\\n\\r\\n" not in answer:
    part = connection.recv(1)
    if not part:
        break
    answer += part
found = {"head": answer.decode("latin-1")}
if b" 200 " in answer:
    inner, outer = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    wrapped = context.wrap_bio(inner, outer, server_hostname=place.partition(":")[0])
    def do(what):
        while True:
            try:
                return what()
            except ssl.SSLWantReadError:
                connection.sendall(outer.read())
                inner.write(connection.recv(65536))
    try:
        do(wrapped.do_handshake)
    except ssl.SSLCertVerificationError as error:
        found["error"] = error.verify_message
    else:
        found["issuer"] = dict(x[0] for x in wrapped.getpeercert()["issuer"])["commonName"]
        wrapped.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
        found["answer"] = do(lambda: wrapped.read(65536)).decode()
else:
    found["body"] = connection.recv(65536).decode("latin-1")
print(json.dumps(found))
"""

RESOLVE = """
import socket, sys
found = {e[4][0] for e in socket.getaddrinfo(sys.argv[1], 443, type=socket.SOCK_STREAM)}
print(*sorted(found))
"""

CONNECT = """
import socket, ssl, sys
name, port = sys.argv[1], int(sys.argv[2])
with socket.create_connection((name, port), 2) as plain:
    with ssl.create_default_context().wrap_socket(plain, server_hostname=name) as secure:
        print(secure.getpeername()[0])
"""

IMDS = """
import sys, urllib.request
base = f"http://{sys.argv[1]}/latest/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ttl = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
request = urllib.request.Request(base + "api/token", method="PUT", headers=ttl)
token = opener.open(request, timeout=2).read().decode()
for path in sys.argv[2:]:
    headers = {"X-aws-ec2-metadata-token": token}
    request = urllib.request.Request(base + path, headers=headers)
    try:
        print(path, opener.open(request, timeout=2).read().decode().replace("\\n", " "))
    except urllib.error.HTTPError as error:
        print(path, error.code)
"""


def python(vpc: Vpc, code: str, *arguments: str) -> str:
    """What a piece of Python prints on the instance."""
    outcome = vpc.run([sys.executable, "-c", code, *arguments], timeout=20)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def agents(vpc: Vpc) -> list[dict[str, Any]]:
    """The agent's processes as the instance's kernel shows them: exe, parent, age, peers."""
    found: list[dict[str, Any]] = json.loads(python(vpc, AGENT))
    return found


def peers(vpc: Vpc) -> list[str]:
    """Where the agent has connections, as ADDRESS:PORT."""
    return [f"{host}:{port}" for agent in agents(vpc) for host, port in agent["peers"]]


def through(
    vpc: Vpc, place: str, secret: str = "", proxy: str = "10.0.0.99", tls: str = ""
) -> dict[str, str]:
    """What came of a TLS request through a proxy: head, and issuer and answer, or error."""
    found: dict[str, str] = json.loads(
        python(vpc, THROUGH_PROXY, proxy, "3128", tls, place, secret)
    )
    return found


def served(vpc: Vpc, server: str) -> list[dict[str, Any]]:
    """What the record has of one kind of server."""
    return [e for e in map(json.loads, vpc.served) if e["server"] == server]
