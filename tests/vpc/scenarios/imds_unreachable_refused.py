"""Connections to the metadata service are refused, as by a host firewall that rejects."""

from tests.vpc.scenario import Expect, Imds, healthy

SCENARIO = healthy(
    imds=Imds("refuse"), expect=Expect("imds-unreachable", "fail", 2, reason="refused")
)
