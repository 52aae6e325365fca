"""Rounds: what is compared runs in turn, several times, so that what slows the machine down slows
all of it; of each figure the median is shown, and its range."""
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable

PART = float(os.environ.get('PARATOPE_BENCH_PART', '1'))
QUIET = 0.3       # load of others (processes that want a core) at which a round may begin
PATIENCE = 5.0 * PART  # seconds to wait for that
ROUNDS = int(os.environ.get('PARATOPE_BENCH_ROUNDS', '3'))

Figures = dict[str, float]


def part(amount: int) -> int:
    """So many seconds or jobs; less where only whether it runs is looked at, which tests/run/test_bench.py does."""
    return max(1, round(amount * PART))


def busy(seconds: float = 0.5) -> float:
    """How many cores were busy meanwhile, with us asleep."""
    def ticks() -> tuple[int, int]:
        fields = [int(word) for word in open('/proc/stat').readline().split()[1:]]
        return sum(fields) - fields[3] - fields[4], sum(fields)
    before = ticks()
    time.sleep(seconds)
    after = ticks()
    return (after[0] - before[0]) / max(1, after[1] - before[1]) * (os.cpu_count() or 1)


class Quiet:
    """Notes how busy the machine was before each round."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def wait(self) -> None:
        limit = time.monotonic() + PATIENCE
        while (now := busy()) > QUIET and time.monotonic() < limit:
            pass
        self.seen.append(now)

    def __str__(self) -> str:
        if not self.seen:
            return 'measured once, without rounds'
        noisy = sum(now > QUIET for now in self.seen)
        return f'{noisy} of {len(self.seen)} rounds began beside other work' if noisy else \
            f'nothing else was running before any of the {len(self.seen)} rounds'


quiet = Quiet()


def interleave(measures: dict[str, Callable[[], Figures]], rounds: int = ROUNDS) -> dict[str, 'Median']:
    """Runs each in turn, `rounds` times."""
    seen: dict[str, list[Figures]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            quiet.wait()
            figures = measure()
            seen[name].append(figures)
            print(f'  {name}: ' + ', '.join(f'{key} {value:.4g}' for key, value in figures.items()),
                  file=sys.stderr, flush=True)
    return {name: Median(all_of_it) for name, all_of_it in seen.items()}


class Median:
    def __init__(self, rounds: Iterable[Figures]) -> None:
        self.rounds = list(rounds)

    def __getitem__(self, key: str) -> float:
        return statistics.median(figures[key] for figures in self.rounds)

    def range(self, key: str) -> str:
        values = [figures[key] for figures in self.rounds]
        return f'{number(min(values))} – {number(max(values))}'


def ratio(a: Median, b: Median, key: str) -> float:
    """The median of the rounds' own ratios: each pair ran side by side."""
    return statistics.median(one[key] / other[key] for one, other in zip(a.rounds, b.rounds))


def number(value: float) -> str:
    if value >= 100:
        return f'{value:,.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}'
