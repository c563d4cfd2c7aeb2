"""Logs are JSON lines for programs and text at a terminal."""

import json
import logging

import pytest

from tailer import logs


class FakeStderr:
    """Standard error as a terminal or a file, with its text."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self.text = ""

    def isatty(self) -> bool:
        return self._terminal

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None: ...


def logged(monkeypatch: pytest.MonkeyPatch, form: str, *, terminal: bool, message: str = "waits") -> str:
    """Return the log line of a warning about the stream ``payments``."""
    screen = FakeStderr(terminal=terminal)
    monkeypatch.setattr("sys.stderr", screen)
    before = logging.root.handlers[:]
    logs.configure("INFO", form)
    logging.getLogger("tailer.test").warning("%s", message, extra={"action": "waiting", "stream": "payments"})
    logging.root.handlers[:] = before
    return screen.text


@pytest.mark.parametrize(
    ("form", "terminal", "as_json"),
    [("auto", False, True), ("auto", True, False), ("json", True, True), ("json", False, True), ("text", False, False)],
)
def test_log_is_text_at_a_terminal_and_json_elsewhere(
    monkeypatch: pytest.MonkeyPatch, form: str, terminal: bool, as_json: bool
) -> None:
    """Unless TAILER_LOG_FORMAT decides."""
    text = logged(monkeypatch, form, terminal=terminal)
    if as_json:
        line = json.loads(text)
        assert (line["level"], line["message"], line["stream"]) == ("WARNING", "waits", "payments")
    else:
        assert text.endswith("WARNING  [payments] waits\n")


def test_message_of_several_lines_is_shown_as_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    text = logged(monkeypatch, "text", terminal=True, message="2 settings need attention:\n  one\n  two")
    assert text.splitlines()[1:] == ["  one", "  two"]


@pytest.mark.parametrize("unseen", ["\x1b[2J", "\x9b31m", "\u202e", "\u2028", "\r", "\x07"])
def test_control_characters_are_escaped(monkeypatch: pytest.MonkeyPatch, unseen: str) -> None:
    text = logged(monkeypatch, "text", terminal=True, message=f"collection {unseen}x")
    assert unseen[0] not in text
    assert json.dumps(unseen[0])[1:-1] in text
