"""How many events a second are held against 1,000 rules, beside moto's matcher in the same process.

Both get the same patterns, prepared once, and the same events; they agree on which rules each event matches.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moto.events.models import EventPattern

from bench.measure import per_call
from bench.table import Figure, Peer, Row
from passrole.patterns import Rules, compile_pattern

SOURCES, TYPES, STATES = 20, 5, 10
LOOPS = 20

Event = Mapping[str, Any]


def rows() -> Iterator[Row]:
    """The index beside moto, which asks every rule; then asking every rule of ours too."""
    texts = {number: json.dumps(pattern) for number, pattern in enumerate(_patterns())}
    events = list(_events())
    rules: Rules[int] = Rules()
    compiled = {number: compile_pattern(text) for number, text in texts.items()}
    for number, pattern in compiled.items():
        rules.put(number, pattern)
    theirs = {number: EventPattern.load(text) for number, text in texts.items()}

    def scanned(event: Event) -> list[int]:
        return [number for number, pattern in compiled.items() if pattern.matches(event)]

    def scanned_by_moto(event: Any) -> list[int]:  # moto has a type of its own, where it is installed
        return [number for number, pattern in theirs.items() if pattern.matches_event(event)]

    for event in events:
        assert rules.matching(event) == scanned(event) == scanned_by_moto(event)
    peer = Peer("moto", _rate(scanned_by_moto, events, loops=1))
    yield Row(f"events against {len(texts):,} rules", _rate(rules.matching, events), peer)
    yield Row("the same, every rule asked", _rate(scanned, events), peer)


def _rate(match: Any, events: list[Event], loops: int = LOOPS) -> Figure:
    def match_all() -> None:
        for event in events:
            match(event)

    return Figure(len(events) / per_call(loops, match_all), "/s")


def _patterns() -> Iterator[dict[str, Any]]:
    for source in range(SOURCES):
        for kind in range(TYPES):
            for state in range(STATES):
                yield {
                    "source": [f"team.service-{source}"],
                    "detail-type": [f"Change {kind}"],
                    "detail": {"state": [f"STATE_{state}"], "name": [{"prefix": "job-"}]},
                }


def _events() -> Iterator[Event]:
    for number in range(20):
        yield {
            "version": "0",
            "source": f"team.service-{number % SOURCES}",
            "detail-type": f"Change {number % TYPES}",
            "account": "111122223333",
            "region": "us-east-1",
            "resources": [],
            "detail": {"state": f"STATE_{number % STATES}", "name": f"job-{number}", "count": number},
        }
