"""Which server listens where, in a given world."""

from __future__ import annotations

import socket
from typing import Callable

from tests.vpc import endpoints, imds, nameserver, proxies
from tests.vpc.plan import Plan
from tests.vpc.scenario import Scenario
from tests.vpc.serving import Listeners, Place, World


class Servers:
    def __init__(self, plan: Plan, instance: int) -> None:
        self.world = World(plan.scenario, plan.record, plan.certificates)
        self.listeners = Listeners(instance)
        self._imds = imds.Imds(self.world)
        self.change(plan.scenario)

    def change(self, scenario: Scenario) -> None:
        """Follows the scenario: what it answers at once, and where it listens."""
        self.world.scenario = scenario
        places: dict[tuple[Place, str], Callable[[socket.socket], None]] = {}
        if scenario.imds.mode != "refuse":
            for address in scenario.imds_addresses:
                places[("imds", address, imds.PORT), "tcp"] = self._imds.serve
        for resolver in scenario.dns:
            if resolver.mode != "refuse":
                server = nameserver.Nameserver(self.world, resolver.address)
                place = ("dns", resolver.address, nameserver.PORT)
                places[place, "udp"] = server.datagram
                places[place, "tcp"] = server.stream
        for endpoint in scenario.endpoints:
            for address in endpoint.addresses if endpoint.exists else ():
                if endpoint.tls_mode(address) != "refuse":
                    place = ("endpoint", address, endpoint.port)
                    one = endpoints.EndpointServer(self.world, address, endpoint.port)
                    places[place, "tcp"] = one.serve
        for proxy in scenario.proxies:
            if proxy.mode != "refuse":
                place = ("proxy", proxy.address, proxy.port)
                other = proxies.ProxyServer(self.world, proxy.address, proxy.port)
                places[place, "tcp"] = other.serve
        known = {(*place[1:], protocol): (place, protocol) for place, protocol in places}
        for there, stranger in scenario.strangers.items():
            places.pop(known.get(there, (("", "", 0), "")), None)
            address, port, protocol = there
            places[("stranger", address, port), protocol] = stranger
        self.listeners.keep(places, self._ttl)

    def _ttl(self, place: Place) -> int:
        return self.world.scenario.imds.hop_limit if place[0] == "imds" else 64
