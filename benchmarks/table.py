"""The results as text, readable without colour."""

from collections.abc import Callable, Iterator, Sequence

from benchmarks.results import Round, Run, Spread, percentile, rates, ratios

COLUMNS = ("", "changes per second", "ratio to the floor", "ratio to the naive way")
WIDTHS = (10, 28, 28, 0)  # characters
CONTENDERS: dict[str, Callable[[Round], Run]] = {
    "floor": lambda each: each.floor,
    "tailer": lambda each: each.tailer,
    "naive": lambda each: each.naive,
}
MEANINGS = """\
  floor   a bare getMore loop: the same watch as raw BSON, thrown away
  tailer  the real loop, source, sink, lease and checkpoints, into a responder that accepts everything
  naive   watch(), and for each change one send_message to the same responder and one update_one that saves the token;
          its clock leaves out the reading"""
COSTS: dict[str, Callable[[Run], float]] = {
    "CPU seconds per 10,000 changes": lambda run: run.cpu / run.changes * 10_000,
    "changes per message": lambda run: run.changes / run.messages,
    "messages per call": lambda run: run.messages / run.calls,
    "calls per 10,000 changes": lambda run: run.calls / run.changes * 10_000,
    "message bytes per change": lambda run: run.sent / run.changes,
    "peak memory of the process, MB": lambda run: run.peak / 1e6,
}


def speed(rounds: Sequence[Round]) -> Iterator[str]:
    """Return a row for each contender: its rate, and the ratios to the floor and to the naive loop."""
    yield _row(COLUMNS)
    for name, of in CONTENDERS.items():
        to_floor, to_naive = (_ratio(rounds, of, CONTENDERS[other]) for other in ("floor", "naive"))
        yield _row([name, _text(rates(rounds, of)), to_floor, to_naive])
    yield f"the median (least to most) over {len(rounds)} round(s); a ratio compares runs of one round"
    yield MEANINGS


def cost(rounds: Sequence[Round]) -> Iterator[str]:
    """Return the CPU time and memory of the tailer and of the naive loop, as medians."""
    yield f"{'':32}{'tailer':>10}{'naive':>10}"
    for name, cost_of in COSTS.items():
        medians = [Spread.of([cost_of(CONTENDERS[one](each)) for each in rounds]).median for one in ("tailer", "naive")]
        yield f"{name:32}{medians[0]:>10,.1f}{medians[1]:>10,.1f}"


def latency(seconds: Sequence[float]) -> str:
    """One line."""
    median, nearly_all = (percentile(seconds, share) * 1_000 for share in (0.5, 0.99))
    return (
        f"idle latency of the tailer, a write's acknowledgement to its message's acceptance: median {median:.1f} ms, "
        f"p99 {nearly_all:.1f} ms over {len(seconds)} single writes"
    )


def _ratio(rounds: Sequence[Round], of: Callable[[Round], Run], to: Callable[[Round], Run]) -> str:
    return "1" if of is to else _text(ratios(rounds, of, to))


def _row(cells: Sequence[str]) -> str:
    return "".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _text(spread: Spread) -> str:
    return f"{_number(spread.median)} ({_number(spread.least)} to {_number(spread.most)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"
