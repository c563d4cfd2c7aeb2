"""Parts that start and end together."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import Self


class Started(ABC):
    """A context manager whose parts are started in order. If one fails to start, those before it are ended."""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._start(undo)
            self._exit = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @abstractmethod
    def _start(self, undo: ExitStack) -> None:
        """Start each part, and register with ``undo`` how to end it."""
