"""The lines of a bill."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infra.costs.inputs import Inputs


@dataclass(frozen=True, kw_only=True)
class Line:
    """So many units of something, and what they cost in US dollars."""

    service: str
    what: str
    price: str
    units: float
    usd: float

    @classmethod
    def maker(cls, inputs: Inputs) -> "Callable[[str, str, str, float], Line]":
        """Makes lines at these prices: of a service, what it is, the price's name, the units."""

        def line(service: str, what: str, price: str, units: float) -> Line:
            return cls(service=service, what=what, price=price, units=units, usd=inputs.usd(price, units))

        return line


def total(lines: Iterable[Line]) -> float:
    """US dollars of all of them together."""
    return sum(line.usd for line in lines)
