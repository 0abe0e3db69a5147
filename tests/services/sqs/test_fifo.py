"""Order within groups and five minutes of memory."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passrole.services.sqs.fifo import Turn, turn
from passrole.services.sqs.rows import BEHIND, Message

NOW = 1_000.0


def row(name: str, visible: float, *, sent: float = NOW - 10, received: int = 0) -> Message:
    return Message(ord(name), name, name, b"", sent, visible, received, None, "g")


@pytest.mark.parametrize(
    "front, delay, expired, due",
    [
        ([], 0, "", ""),
        ([row("a", NOW), row("b", BEHIND)], 0, "", "ab"),
        ([row("a", NOW + 1, received=1), row("b", BEHIND)], 0, "", ""),
        ([row("a", NOW, received=1), row("b", NOW + 1, received=1)], 0, "", ""),
        ([row("a", BEHIND, received=1), row("b", NOW, received=1)], 0, "", "ab"),
        ([row("a", NOW), row("b", BEHIND, sent=NOW - 4)], 5, "", "a"),
        ([row("a", BEHIND, sent=NOW - 4), row("b", NOW)], 5, "", ""),
        ([row("a", BEHIND, sent=NOW - 4, received=1)], 5, "", "a"),
        ([row("a", NOW, sent=NOW - 60), row("b", BEHIND)], 0, "a", "b"),
        ([row("a", NOW + 9, sent=NOW - 60, received=1), row("b", BEHIND)], 0, "a", "b"),
    ],
)
def test_a_groups_turn(front: list[Message], delay: float, expired: str, due: str) -> None:
    assert turn(front, NOW, delay, retention=60) == Turn(
        tuple(message for message in front if message.id in expired),
        tuple(message for message in front if message.id in due),
    )


def test_a_group_is_given_in_order_and_not_while_it_is_in_flight(sqs: Any) -> None:
    url = sqs.fifo()
    for body in ("a1", "b1", "a2", "a3", "b2"):
        sqs.send(url, body, body[0])
    first = sqs.receive(url, 1)
    assert [message["Body"] for message in first] == ["a1"]
    assert sqs.bodies(url) == ["b1", "b2"]
    assert sqs.bodies(url) == []
    sqs.delete(url, first[0])
    assert sqs.bodies(url) == ["a2", "a3"]


def test_a_group_waits_for_each_of_its_messages_in_flight(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "abc":
        sqs.send(url, body, "g")
    first, second = sqs.receive(url, 2)
    sqs.hide(url, first, 0)
    assert sqs.bodies(url) == []
    sqs.delete(url, second)
    assert sqs.bodies(url) == ["a", "c"]


def test_messages_that_come_back_come_first(sqs: Any) -> None:
    url = sqs.fifo()
    for body in "abc":
        sqs.send(url, body, "g")
    sqs.receive(url, 2)
    sqs.later(30)
    assert sqs.bodies(url) == ["a", "b", "c"]


def test_a_queues_delay_holds_for_each_message_and_keeps_the_order(sqs: Any) -> None:
    url = sqs.fifo(DelaySeconds="10")
    sqs.send(url, "a", "g")
    sqs.later(5)
    sqs.send(url, "b", "g")
    assert sqs.bodies(url) == []
    sqs.later(5)
    (first,) = sqs.receive(url)
    sqs.delete(url, first)
    assert sqs.bodies(url) == []
    sqs.later(5)
    assert (first["Body"], sqs.bodies(url)) == ("a", ["b"])


def test_a_large_blocked_group_does_not_hide_another(sqs: Any) -> None:
    url = sqs.fifo()
    for number in range(120):
        sqs.send(url, f"a{number}", "a")
    sqs.receive(url, 1)
    sqs.send(url, "b", "b")
    assert sqs.bodies(url) == ["b"]


def test_a_duplicate_within_five_minutes_is_taken_for_the_first(sqs: Any) -> None:
    url = sqs.fifo()
    first = sqs.send(url, "a", "g")
    (message,) = sqs.receive(url)
    sqs.delete(url, message)
    sqs.later(299)
    assert sqs.send(url, "a", "other") == first
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.send(url, "a", "g")["MessageId"] != first["MessageId"]
    assert sqs.bodies(url) == ["a"]


def test_a_given_id_goes_before_the_content(sqs: Any) -> None:
    url = sqs.fifo()
    sqs.send(url, "a", "g", message_deduplication_id="1")
    sqs.send(url, "a", "g", message_deduplication_id="2")
    sqs.send(url, "b", "g", message_deduplication_id="1")
    assert sqs.bodies(url) == ["a", "a"]


def test_ids_can_count_by_group(sqs: Any) -> None:
    url = sqs.fifo(DeduplicationScope="messageGroup")
    for group in ("g", "h", "g"):
        sqs.send(url, "a", group)
    assert sqs.bodies(url) == ["a", "a"]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from("gh")),
        st.tuples(st.just("receive"), st.integers(1, 10)),
        st.tuples(st.just("delete"), st.integers(0, 20)),
        st.tuples(st.just("hide"), st.integers(0, 20)),
        st.tuples(st.just("later"), st.integers(1, 20)),
    ),
    min_size=5,
    max_size=40,
)


class Groups:
    """What is in each group, and what is in flight: the rules said as plainly as can be."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[str]] = {"g": [], "h": []}
        self.until: dict[str, float] = {}

    def is_free(self, group: str, now: float) -> bool:
        return all(self.until.get(body, 0) <= now for body in self.bodies[group])

    def check(self, received: list[str], limit: int, now: float, until: float) -> None:
        for group, bodies in self.bodies.items():
            got = [body for body in received if body[0] == group]
            assert got == bodies[: len(got)]
            assert not got or self.is_free(group, now)
        due = sum(len(bodies) for group, bodies in self.bodies.items() if self.is_free(group, now))
        assert len(received) == min(due, limit)
        self.until.update(dict.fromkeys(received, until))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_order_holds(sqs: Any, steps: list[tuple[str, Any]]) -> None:
    url, groups, held, sent = sqs.fifo(f"q{next(sqs.numbers)}.fifo"), Groups(), [], 0
    for step, argument in steps:
        if step == "send":
            body, sent = f"{argument}{sent}", sent + 1
            sqs.send(url, body, argument)
            groups.bodies[argument].append(body)
        elif step == "receive":
            messages = sqs.receive(url, argument)
            groups.check([m["Body"] for m in messages], argument, sqs.now, sqs.now + 30)
            held += messages
        elif step == "later":
            sqs.later(argument)
        elif held:
            message = held.pop(argument % len(held))
            in_flight = groups.until[message["Body"]] > sqs.now
            if in_flight and step == "delete":
                sqs.delete(url, message)
                groups.bodies[message["Body"][0]].remove(message["Body"])
            elif in_flight:
                sqs.hide(url, message, 0)
                groups.until[message["Body"]] = sqs.now
