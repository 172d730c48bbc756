"""Which server listens where, in a given world."""

from __future__ import annotations

import socket
from typing import Callable

from tests.vpc import endpoints, imds, nameserver
from tests.vpc.plan import Plan
from tests.vpc.scenario import IMDS_ADDRESS, Scenario
from tests.vpc.serving import Listeners, Place, World


class Servers:
    def __init__(self, plan: Plan) -> None:
        self.world = World(plan.scenario, plan.record, plan.certificates)
        self.listeners = Listeners()
        self._imds = imds.Imds(self.world)
        self.change(plan.scenario)

    def change(self, scenario: Scenario) -> None:
        """Follows the scenario: what it answers at once, and where it listens."""
        self.world.scenario = scenario
        places: dict[tuple[Place, str], Callable[[socket.socket], None]] = {}
        if scenario.imds.mode != "refuse":
            places[("imds", IMDS_ADDRESS, imds.PORT), "tcp"] = self._imds.serve
        for resolver in scenario.dns:
            if resolver.mode != "refuse":
                server = nameserver.Nameserver(self.world, resolver.address)
                place = ("dns", resolver.address, nameserver.PORT)
                places[place, "udp"] = server.datagram
                places[place, "tcp"] = server.stream
        for endpoint in scenario.endpoints:
            for address in endpoint.addresses if endpoint.exists else ():
                if endpoint.tls_mode(address) != "refuse":
                    place = ("endpoint", address, endpoints.PORT)
                    one = endpoints.EndpointServer(self.world, address)
                    places[place, "tcp"] = one.serve
        self.listeners.keep(places, self._ttl)

    def _ttl(self, place: Place) -> int:
        return self.world.scenario.imds.hop_limit if place[0] == "imds" else 64
