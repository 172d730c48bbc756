"""The DNS servers of the VPC, over UDP and TCP."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
import time
from typing import Optional

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.vpc.scenario import Resolver
from tests.vpc.serving import World

PORT = 53
_RCODES = {"servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}
_FAMILIES = {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 6}


class Nameserver:
    """One server's address; answers by its `Resolver`, looked at anew for every question."""

    def __init__(self, world: World, address: str) -> None:
        self._world = world
        self._address = address

    def datagram(self, server: socket.socket) -> None:
        raw, client = server.recvfrom(65535)

        def answer() -> None:
            answered = self._answer(raw)
            if answered is not None:
                try:
                    server.sendto(answered, client)
                except OSError:  # the way back is filtered
                    pass

        # A delayed answer must not delay the others.
        threading.Thread(target=answer, daemon=True).start()

    def stream(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        while True:
            size = reader.read(2)
            if len(size) < 2:
                return
            answered = self._answer(reader.read(struct.unpack("!H", size)[0]))
            if answered is not None:
                connection.sendall(struct.pack("!H", len(answered)) + answered)

    def _answer(self, raw: bytes) -> Optional[bytes]:
        resolver = next(r for r in self._world.scenario.dns if r.address == self._address)
        try:
            query = dns.message.from_wire(raw)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        time.sleep(resolver.delay)
        if resolver.mode == "drop":  # for a stub; no packet gets to the others
            return None
        response = self._response(query, resolver)
        question = query.question[0]
        self._world.log(
            "dns",
            address=self._address,
            name=question.name.to_text(omit_final_dot=True).lower(),
            type=dns.rdatatype.to_text(question.rdtype),
            rcode=dns.rcode.to_text(response.rcode()),
        )
        return response.to_wire()

    def _response(self, query: dns.message.Message, resolver: Resolver) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if resolver.mode in _RCODES:
            response.set_rcode(_RCODES[resolver.mode])
            return response
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        addresses = {**self._world.scenario.records, **resolver.records}.get(name)
        if addresses is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return response
        family = _FAMILIES.get(question.rdtype)
        texts = [text for text in addresses if ipaddress.ip_address(text).version == family]
        if texts:
            kind = dns.rdatatype.to_text(question.rdtype)
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *texts))
        return response
