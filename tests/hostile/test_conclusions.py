"""What the probes let through may still be absurd: nothing that is concluded from it breaks."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from agentcheck.diagnosis import diagnose
from agentcheck.diagnosis.notes import notes
from agentcheck.model import printable
from agentcheck.observations import (
    TOO_LONG,
    Certificate,
    Comparison,
    Imds,
    Name,
    Observed,
    Path,
    Permission,
    Role,
    ServerAnswer,
)
from agentcheck.probes.connection import scope_of
from tests.hostile.rubbish import TEXT, examples
from tests.hostile.test_words import NETWORKS, STATES
from tests.worlds import INSTANCE, connection, healthy, host

WORD = TEXT.map(printable)
# All that can come of a date in a header or a document.
MOMENT = st.floats(-6.3e10, 2.6e11, allow_nan=False)
PLACE = st.ip_addresses().map(str)
TLS = st.sampled_from(
    ("ok", "untrusted", "wrong-name", "expired", "not-yet-valid", "not-tls", "hangs", TOO_LONG)
)
CERTIFICATE = st.none() | st.builds(
    Certificate, WORD, WORD, st.lists(WORD, max_size=3).map(tuple), MOMENT, MOMENT
)
PERMISSION = st.builds(
    Permission,
    st.sampled_from(("ok", "denied", "expired", "clock", "rejected", "foreign", "no-answer")),
    st.integers(100, 999),
    WORD,
    WORD,
    WORD,
    st.sampled_from(("", "scp", "endpoint-policy", "explicit-deny", "identity-policy")),
    st.none() | MOMENT,
)


@st.composite
def absurd(draw: st.DrawFn) -> Observed:
    cidrs = tuple(draw(st.lists(NETWORKS.map(str), max_size=3)))
    instance = replace(INSTANCE, vpc_cidrs=cidrs, domain=draw(st.just("") | st.just("x.y")))
    offsets = st.dictionaries(st.sampled_from(("imds", "ssm", "ssmmessages", "signature")), MOMENT)
    role = Role(
        draw(st.sampled_from(("present", "refused", "unreadable", "no-role", "no-profile"))),
        draw(WORD),
        draw(WORD),
        draw(WORD),
        expiration=draw(st.none() | MOMENT),
        last_updated=draw(st.none() | MOMENT),
    )
    world = healthy(
        imds=Imds("ok", instance=instance, clock_offset_s=draw(st.none() | MOMENT)),
        role=role,
        permission=draw(PERMISSION),
        clock_offsets=draw(offsets),
    )
    names, paths, compared = dict(world.names), dict(world.paths), {}
    for service in draw(st.sets(st.sampled_from(("ssm", "ssmmessages")))):
        places = draw(st.lists(PLACE, max_size=4, unique=True))
        servers = draw(
            st.lists(st.builds(ServerAnswer, PLACE, st.sampled_from(STATES), st.lists(PLACE)))
        )
        state = "ok" if places else draw(st.sampled_from(("nxdomain", "unreachable", "failed")))
        names[service] = Name(host(service), state, tuple(places), state, tuple(servers))
        seen = tuple(
            connection(
                place,
                scope_of(place, cidrs),
                tls=draw(TLS),
                certificate=draw(CERTIFICATE),
                error=draw(WORD),
            )
            for place in places
        )
        paths[service] = Path(seen, draw(st.integers(0, 999)))
        if servers and draw(st.booleans()):
            compared[service] = Comparison(servers[0], Path(seen))
    return replace(world, names=names, paths=paths, comparisons=compared)


@examples(50)
@given(absurd())
def test_any_world_has_a_conclusion_that_can_be_printed(world: Observed) -> None:
    texts = [note.text for note in notes(world)]
    verdict, causes = diagnose(world)
    for cause in (verdict, *causes):
        texts += [cause.summary, *cause.evidence, *cause.remedy]
    assert all(text.isprintable() for text in texts)
