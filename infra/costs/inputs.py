"""What the model is fed with: prices and assumptions, from one TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).with_name("inputs.toml")


class MissingInput(Exception):
    """The model needs a price or an assumption that the file does not have; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars for ``per`` units."""

    usd: float
    per: int
    unit: str
    source: str
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """A figure that only your own system can tell."""

    value: float
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All of them, of one region and one day."""

    region: str
    date: date
    prices: Mapping[str, Price]
    assumptions: Mapping[str, Assumption]

    def usd(self, price: str, units: float) -> float:
        """
        What so many units cost.

        Raises:
            MissingInput: there is no such price.
        """
        if price not in self.prices:
            raise MissingInput(f'no price for {price}: add a table [prices."{price}"] to the inputs, see {SHIPPED.name}')
        return units / self.prices[price].per * self.prices[price].usd

    def assumed(self, name: str) -> float:
        """
        Raises:
            MissingInput: there is no such assumption.
        """
        if name not in self.assumptions:
            raise MissingInput(f"nothing is assumed of {name}: add a table [assumptions.{name}] to the inputs")
        return self.assumptions[name].value


def load(file: Path = SHIPPED) -> Inputs:
    """The inputs of a file of the form of ``inputs.toml``."""
    tables: dict[str, Any] = tomllib.loads(file.read_text())
    return Inputs(
        region=tables["region"],
        date=tables["date"],
        prices={name: Price(**table) for name, table in tables["prices"].items()},
        assumptions={name: Assumption(**table) for name, table in tables["assumptions"].items()},
    )
