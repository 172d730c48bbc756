"""Another closed port beside 443 is nobody's business."""

from tests.vpc.scenario import SSM, Rule, healthy

SCENARIO = healthy(
    rules=(Rule(port=22), Rule(port=80, addresses=SSM)),
)
