"""Failed writes of a stream's record: logged once when they begin, and once when a write succeeds again."""

import logging

log = logging.getLogger(__name__)


class SaveFailures:
    """Of one owner of one stream. ``reason`` is why the store did not take the last write; empty when it did."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.reason = ""

    def failed(self, error: Exception, left: float) -> None:
        """A write failed; the lease lasts for so many more seconds."""
        if not self.reason:
            log.warning(
                "the checkpoint of stream %r could not be saved: %s. The next successful write saves it. Without one, the "
                "lease expires in %.0f s",
                *(self._stream, error, max(0.0, left)),
                extra={"action": "not_saved", "stream": self._stream},
            )
        self.reason = str(error) or type(error).__name__

    def over(self) -> None:
        """A write worked."""
        if self.reason:
            self.reason = ""
            extra = {"action": "saved_again", "stream": self._stream}
            log.warning("the checkpoint of stream %r is saved again", self._stream, extra=extra)
