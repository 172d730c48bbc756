"""One HTTP request to the metadata service, with what went wrong told apart."""

from __future__ import annotations

import errno
import http.client
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from agentcheck import __version__
from agentcheck.probes import bounded_http

# Above 3.05 s, so that a failing ARP shows as no-route and not as a time-out; link-local, so
# nothing slower is healthy. Leaves a silent service's round within 6 s.
TIMEOUT = 3.5
# The service throttles by the second (EC2 user guide, "Query throttling").
BUSY_PAUSE = 0.5
PORT = 80

_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES, errno.EINVAL, errno.EPERM)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. `status` 0 when there was none (`reason` and `error` say why), -1 when it is
    none that the service gives (`error` says what it is)."""

    status: int
    body: str = ""
    clock_offset_s: Optional[float] = None
    reason: str = ""
    error: str = ""

    @property
    def is_busy(self) -> bool:
        """Throttled or failing for the moment: says nothing of what was asked."""
        return self.status == 429 or self.status >= 500


def request(host: str, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    """One request, tried again once where the service was busy; by no proxy, whatever is set.

    Never raises for what the other side does; redirects are not followed.
    """
    answer = _once(host, method, path, headers)
    if answer.is_busy:
        time.sleep(BUSY_PAUSE)
        answer = _once(host, method, path, headers)
    return answer


def _once(host: str, method: str, path: str, headers: Mapping[str, str]) -> Answer:
    end = time.monotonic() + TIMEOUT
    try:
        stream = socket.create_connection((host, PORT), TIMEOUT)
    except OSError as error:
        return _no_answer(error, connected=False)
    own = {
        "Host": f"[{host}]" if ":" in host else host,
        "User-Agent": f"agentcheck/{__version__}",
        "Accept": "*/*",
        "Connection": "close",
        "Content-Length": "0",
    }
    with stream:
        try:
            left = end - time.monotonic()
            answer = bounded_http.ask(stream, method, path, {**own, **headers}, seconds=left)
        except (OSError, http.client.IncompleteRead) as error:
            return _no_answer(error, connected=True)
        except bounded_http.TooLong as error:
            return Answer(-1, error=f"an answer {error}")
        except http.client.HTTPException:
            return Answer(-1, error="not HTTP")
    text = answer.body.decode("utf-8", "replace")
    return Answer(answer.status, text, answer.clock_offset_s)


def _no_answer(error: Exception, connected: bool) -> Answer:
    number = error.errno if isinstance(error, OSError) else None
    late = isinstance(error, (socket.timeout, TimeoutError))
    if number == errno.ECONNREFUSED:
        reason, text = "refused", "connection refused"
    elif late and not connected:
        reason, text = "timeout", f"connect not answered within {TIMEOUT:g} s"
    elif number in _NO_ROUTE or not connected:
        name = errno.errorcode.get(number or 0, type(error).__name__)
        reason, text = "no-route", f"connect failed: {name}"
    else:
        what = f"no whole answer within {TIMEOUT:g} s" if late else "the answer broke off"
        reason, text = "silent", f"connected, then {what}"
    return Answer(0, reason=reason, error=text)
