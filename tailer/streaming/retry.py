"""Retries of a call to a server that fails: with growing waits, shown in the log and in the health state."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_when_event_set,
    wait_exponential_jitter,
)

from tailer.errors import Unavailable
from tailer.health.health import Health

T = TypeVar("T")

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds after a failure that followed some progress
_WAIT = wait_exponential_jitter(multiplier=0.2, max=30.0)  # seconds, while a server keeps failing


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Retries until ``stopping`` is set. The health state and the log name the reason of each wait."""

    stopping: threading.Event
    health: Health

    def keep_trying(self, action: Callable[..., T], *args: object) -> T:
        """
        Call ``action`` until it does not raise ``Unavailable``, and return its result. Raise the last error once ``stopping``
        is set.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=_WAIT,
            stop=stop_when_event_set(self.stopping),
            sleep=sleep_using_event(self.stopping),
            before_sleep=self._before_sleep,
            reraise=True,
        )
        return retrying(action, *args)

    def pause(self, error: Unavailable) -> None:
        """Wait for ``PAUSE`` seconds, without growth: there was progress before this error."""
        self._log(error, PAUSE)
        self.stopping.wait(PAUSE)

    def _before_sleep(self, state: RetryCallState) -> None:
        if state.outcome is not None and state.next_action is not None:
            self._log(state.outcome.exception(), state.next_action.sleep)

    def _log(self, error: BaseException | None, seconds: float) -> None:
        self.health.waiting(str(error))
        log.warning("%s. The task tries again in %.1f s", error, seconds, extra={"action": "waiting"})
