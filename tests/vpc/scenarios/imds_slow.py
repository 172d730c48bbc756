"""The metadata service takes 1.5 s for every answer, which is no fault."""

from tests.vpc.scenario import Imds, healthy

SCENARIO = healthy(imds=Imds(delay=1.5))
