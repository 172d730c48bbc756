"""One HTTP request to the metadata service, with what went wrong told apart."""

from __future__ import annotations

import email.utils
import errno
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from typing import Any, Optional

import requests
import requests.adapters

# Above 3.05 s, so that a failing ARP shows as no-route and not as a time-out; link-local, so
# nothing slower is healthy. Leaves a silent service's round within 6 s.
TIMEOUT = 3.5
# The service throttles by the second (EC2 user guide, "Query throttling").
BUSY_PAUSE = 0.5
# The largest genuine answer (an identity document) is under 2 KiB.
MAX_BODY = 65536


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `status` 0 when there was none (`reason` and `error` say why)."""

    status: int
    body: str = ""
    date: str = ""
    received: float = 0.0
    reason: str = ""
    error: str = ""

    @property
    def is_busy(self) -> bool:
        """Throttled or failing for the moment: says nothing of what was asked."""
        return self.status == 429 or self.status >= 500


def new_session(size: int) -> requests.Session:
    """A session for up to `size` requests at once."""
    session = requests.Session()
    session.trust_env = False  # no proxy and no .netrc may ever see these requests
    session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=2, pool_maxsize=size))
    return session


def request(
    session: requests.Session, method: str, url: str, headers: Optional[Mapping[str, str]] = None
) -> Answer:
    """One request, tried again once where the service was busy.

    Never raises for what the other side does; redirects are not followed.
    """
    answer = _once(session, method, url, headers)
    if answer.is_busy:
        time.sleep(BUSY_PAUSE)
        answer = _once(session, method, url, headers)
    return answer


def _once(
    session: requests.Session, method: str, url: str, headers: Optional[Mapping[str, str]]
) -> Answer:
    end = time.monotonic() + TIMEOUT
    try:
        with session.request(
            method, url, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False
        ) as response:
            received = time.time()
            body = b""
            # The time-out of requests is per read: a drip of bytes needs a bound of its own.
            for chunk in response.iter_content(4096):
                body += chunk
                if len(body) > MAX_BODY:
                    return Answer(response.status_code, "\0 longer than any genuine answer")
                if time.monotonic() > end:
                    return Answer(0, reason="silent", error=f"no whole answer in {TIMEOUT:g} s")
            text = body.decode("utf-8", "replace")
            return Answer(response.status_code, text, response.headers.get("Date", ""), received)
    except (requests.RequestException, OSError, ValueError) as error:
        return _no_answer(error)


def _no_answer(error: Exception) -> Answer:
    number = _errno(error)
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.EPERM):
        reason = "no-route"
    elif number == errno.ECONNREFUSED:
        reason = "refused"
    elif isinstance(error, requests.ConnectTimeout):
        reason = "timeout"
    elif isinstance(error, requests.ConnectionError) and number is None and _is_garbage(error):
        return Answer(-1, error="not HTTP")
    else:
        reason = "silent"
    text = {
        "no-route": f"connect failed: {errno.errorcode.get(number or 0, '?')}",
        "refused": "connection refused",
        "timeout": f"connect not answered within {TIMEOUT:g} s",
        "silent": f"connected, then no answer within {TIMEOUT:g} s",
    }[reason]
    return Answer(0, reason=reason, error=text)


def _is_garbage(error: BaseException) -> bool:
    """Whether the other side sent something that is not HTTP (http.client.BadStatusLine)."""
    text = repr(error)
    return "BadStatusLine" in text or "LineTooLong" in text or "InvalidHeader" in text


def _errno(error: Optional[BaseException]) -> Optional[int]:
    """The errno somewhere in the chain that requests and urllib3 wrap around it."""
    seen = 0
    queue: list[Any] = [error]
    while queue and seen < 20:
        seen += 1
        item = queue.pop(0)
        if (
            isinstance(item, OSError)
            and item.errno
            and not isinstance(item, requests.RequestException)
        ):
            return item.errno
        if isinstance(item, BaseException):
            queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return None


def clock_offset(date: str, received: float) -> Optional[float]:
    """Seconds that the sender of an HTTP `Date` is ahead of this host; resolution one second."""
    try:
        sent = email.utils.parsedate_to_datetime(date)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if sent.tzinfo is None:
        sent = sent.replace(tzinfo=timezone.utc)
    # The date was cut to the second: half a second on average.
    return sent.timestamp() + 0.5 - received
