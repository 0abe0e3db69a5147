"""A deletion that was acknowledged promises nothing where a receipt after that of its handle was lost."""

import time

from tests.chaos.told import Receipt, Told

QUEUE, NUMBER, BODY = "q", "m-1", "text"


def received(told: Told, count: int, asked: float) -> None:
    told.message(QUEUE, NUMBER, Receipt(f"h{count}", count), BODY, asked)


def test_a_message_that_comes_after_its_deletion_is_a_surprise() -> None:
    told = Told()
    received(told, 1, time.monotonic())
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, 2, time.monotonic())
    assert told.surprises() == ["message text of q came again after it was deleted"]


def test_it_is_one_whatever_answers_were_lost_where_the_handle_was_the_last() -> None:
    told, asked = Told(), time.monotonic()
    told.lost_receipt(QUEUE, asked)
    received(told, 2, asked)
    told.deletion(QUEUE, NUMBER, "h2")
    told.lost_receipt(QUEUE, time.monotonic())
    received(told, 3, time.monotonic())
    assert len(told.surprises()) == 1


def test_a_handle_that_is_not_the_last_one_deletes_nothing() -> None:
    for first, last in ((1, 2), (2, 1)):  # answers may overtake each other
        told, asked = Told(), time.monotonic()
        received(told, first, asked)
        received(told, last, asked)
        told.deletion(QUEUE, NUMBER, "h1")
        received(told, 3, time.monotonic())
        assert told.surprises() == []


def test_a_receipt_that_was_asked_for_before_the_deletion_had_the_last_handle() -> None:
    told, asked = Told(), time.monotonic()
    received(told, 1, asked)
    told.deletion(QUEUE, NUMBER, "h1")
    received(told, 2, asked)
    received(told, 3, time.monotonic())
    assert told.surprises() == []


def test_a_lost_answer_had_the_last_handle_where_the_queue_counts_one_more() -> None:
    for is_known_first in (True, False):
        told, asked = Told(), time.monotonic()
        if is_known_first:  # what its server did of it later, nobody was told
            told.lost_receipt(QUEUE, asked)
        received(told, 1, asked)
        told.deletion(QUEUE, NUMBER, "h1")
        received(told, 3, time.monotonic())
        if not is_known_first:
            told.lost_receipt(QUEUE, asked)
        assert told.surprises() == []


def test_an_answer_that_was_lost_explains_nothing_of_another_queue_or_a_later_time() -> None:
    told, asked = Told(), time.monotonic()
    told.lost_receipt("another", asked)
    received(told, 1, asked)
    told.deletion(QUEUE, NUMBER, "h1")
    told.lost_receipt(QUEUE, time.monotonic())
    received(told, 3, time.monotonic())
    assert len(told.surprises()) == 1
