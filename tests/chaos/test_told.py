"""A deletion that was acknowledged promises nothing where a receipt after that of its handle was lost."""

import time

from tests.chaos.told import Told

QUEUE, NUMBER, BODY = "q", "m-1", "text"


def received(told: Told, handle: str, asked: float) -> None:
    told.message(QUEUE, NUMBER, handle, BODY, asked)


def test_a_message_that_comes_after_its_deletion_is_a_surprise() -> None:
    told = Told()
    received(told, "h1", time.monotonic())
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, "h2", time.monotonic())
    assert told.surprises() == ["message text of q came again after it was deleted"]


def test_a_handle_that_is_not_the_last_one_deletes_nothing() -> None:
    told, asked = Told(), time.monotonic()
    received(told, "h1", asked)
    received(told, "h2", asked)
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, "h3", time.monotonic())
    assert told.surprises() == []


def test_a_receipt_that_was_asked_for_before_the_deletion_had_the_last_handle() -> None:
    told, asked = Told(), time.monotonic()
    received(told, "h1", asked)
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, "h2", asked)
    received(told, "h3", time.monotonic())
    assert told.surprises() == []


def test_a_lost_answer_may_have_had_the_last_handle() -> None:
    for is_lost_first in (True, False):
        told, asked = Told(), time.monotonic()
        received(told, "h1", asked)
        if is_lost_first:
            told.lost_receipt(QUEUE, asked)
        told.deletion(QUEUE, NUMBER, "h1")
        if not is_lost_first:
            told.lost_receipt(QUEUE, asked)
        received(told, "h3", time.monotonic())
        assert told.surprises() == []
    told.lost_receipt("another", asked)
    received(told, "h4", time.monotonic())
    told.deletion(QUEUE, NUMBER, "h4")
    received(told, "h5", time.monotonic())
    assert len(told.surprises()) == 1


def test_that_an_answer_was_lost_may_be_known_after_its_message_came_again() -> None:
    told, asked = Told(), time.monotonic()
    received(told, "h1", asked)
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, "h3", time.monotonic())
    told.lost_receipt(QUEUE, asked)
    assert told.surprises() == []
