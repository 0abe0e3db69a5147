"""DeleteMessage and ChangeMessageVisibility, alone and in batches."""

from typing import Any

import pytest

NOT_IN_FLIGHT = ("MessageNotInflight", "The specified message isn't in flight.")


def test_a_deleted_message_does_not_come_back(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (message,) = sqs.receive(url)
    sqs.delete(url, message)
    sqs.later(1_000)
    assert sqs.bodies(url) == []
    sqs.delete(url, message)  # twice is fine


def test_a_standard_queue_deletes_after_the_timeout_but_not_after_another_receive(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (old,) = sqs.receive(url)
    sqs.later(31)
    (new,) = sqs.receive(url)
    assert old["ReceiptHandle"] != new["ReceiptHandle"]
    sqs.delete(url, old)
    assert sqs.counts(url) == (0, 1, 0)
    sqs.later(31)
    sqs.delete(url, new)
    assert sqs.counts(url) == (0, 0, 0)


def test_a_fifo_queue_does_not_delete_after_the_timeout(sqs: Any) -> None:
    url = sqs.fifo()
    sqs.send(url, "a", "g")
    (message,) = sqs.receive(url)
    sqs.later(30)
    handle = message["ReceiptHandle"]
    assert sqs.refusal(lambda: sqs.delete(url, message)) == (
        "InvalidParameterValue",
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
    )
    (again,) = sqs.receive(url)
    sqs.delete(url, again)
    sqs.delete(url, again)


@pytest.mark.parametrize("handle", ["garbage", "", "ü"])
def test_garbage_is_no_handle(sqs: Any, handle: str) -> None:
    url = sqs.queue()
    refusal = (
        "ReceiptHandleIsInvalid",
        f'The input receipt handle "{handle}" is not a valid receipt handle.',
    )
    message = {"ReceiptHandle": handle}
    assert sqs.refusal(lambda: sqs.delete(url, message)) == refusal
    assert sqs.refusal(lambda: sqs.hide(url, message, 1)) == refusal


def test_a_handle_of_another_queue_deletes_nothing(sqs: Any) -> None:
    one, two = sqs.queue("one"), sqs.queue("two")
    sqs.send(one, "a")
    (message,) = sqs.receive(one)
    assert sqs.refusal(lambda: sqs.delete(two, message))[0] == "ReceiptHandleIsInvalid"
    assert sqs.counts(one) == (0, 1, 0)


def test_visibility_counts_from_the_call(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (message,) = sqs.receive(url)
    sqs.later(20)
    sqs.hide(url, message, 60)
    sqs.later(59)
    assert sqs.bodies(url) == []
    sqs.later(1)
    assert sqs.bodies(url) == ["a"]


def test_a_changed_visibility_is_not_remembered_for_the_next_receive(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    sqs.hide(url, sqs.receive(url)[0], 0)
    assert sqs.bodies(url) == ["a"]
    sqs.later(29)
    assert sqs.bodies(url) == []


@pytest.mark.parametrize("kind", ["queue", "fifo"])
def test_a_message_is_hidden_anew_after_its_timeout_until_it_is_received_again(sqs: Any, kind: str) -> None:
    url = getattr(sqs, kind)()
    sqs.send(url, "a", "g")
    (old,) = sqs.receive(url)
    sqs.later(30)
    sqs.hide(url, old, 60)
    assert sqs.counts(url) == (0, 1, 0)
    assert sqs.bodies(url) == []
    sqs.later(60)
    (new,) = sqs.receive(url)
    assert sqs.refusal(lambda: sqs.hide(url, old, 60)) == NOT_IN_FLIGHT
    sqs.delete(url, new)


def test_visibility_of_a_message_that_is_gone_is_refused(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (message,) = sqs.receive(url)
    sqs.delete(url, message)
    code, words = sqs.refusal(lambda: sqs.hide(url, message, 60))
    assert code == "InvalidParameterValue"
    assert words.endswith("Reason: Message does not exist or is not available for visibility timeout change.")


def test_a_message_is_hidden_for_twelve_hours_in_all(sqs: Any) -> None:
    url = sqs.queue()
    sqs.send(url, "a")
    (message,) = sqs.receive(url)
    assert sqs.refusal(lambda: sqs.hide(url, message, 43_201)) == (
        "InvalidParameterValue",
        "Value 43201 for parameter VisibilityTimeout is invalid."
        " Reason: Must be between 0 and 43200, if provided.",
    )
    sqs.later(20)
    assert sqs.refusal(lambda: sqs.hide(url, message, 43_181)) == (
        "InvalidParameterValue",
        "Value 43181 for parameter VisibilityTimeout is invalid."
        " Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
    )
    sqs.hide(url, message, 43_180)


def test_a_batch_deletes_what_it_can(sqs: Any) -> None:
    url = sqs.queue()
    for body in "ab":
        sqs.send(url, body)
    entries = [
        {"Id": message["Body"], "ReceiptHandle": message["ReceiptHandle"]} for message in sqs.receive(url)
    ]
    answer = sqs.delete_message_batch(
        queue_url=url, entries=[*entries, {"Id": "x", "ReceiptHandle": "garbage"}]
    )
    assert answer == {
        "Successful": [{"Id": "a"}, {"Id": "b"}],
        "Failed": [
            {
                "Id": "x",
                "SenderFault": True,
                "Code": "ReceiptHandleIsInvalid",
                "Message": 'The input receipt handle "garbage" is not a valid receipt handle.',
            }
        ],
    }
    assert sqs.counts(url) == (0, 0, 0)


def test_a_batch_changes_what_it_can(sqs: Any) -> None:
    url = sqs.queue()
    for body in "ab":
        sqs.send(url, body)
    first, second = (message["ReceiptHandle"] for message in sqs.receive(url))
    answer = sqs.change_message_visibility_batch(
        queue_url=url,
        entries=[
            {"Id": "a", "ReceiptHandle": first, "VisibilityTimeout": 0},
            {"Id": "b", "ReceiptHandle": second, "VisibilityTimeout": 43_201},
        ],
    )
    assert answer["Successful"] == [{"Id": "a"}]
    assert [failed["Id"] for failed in answer["Failed"]] == ["b"]
    assert sqs.bodies(url) == ["a"]
