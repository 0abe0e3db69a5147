"""Checks of a message's characters, attributes and size.

It knows no queue: `send_message.py` checks the limits that a queue sets.
"""

import re
from collections.abc import Mapping

from passrole.faults import Fault
from passrole.services.sqs.digests import AttributeValue
from passrole.services.sqs.refusals import LEGAL_CHARACTERS, invalid, invalid_value, missing

ATTRIBUTES_MAX = 10
NAME_LENGTH_MAX = 256

# The API reference of SendMessage: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[\w.-]+")  # letters and digits of every script, as AWS takes them
_GROUP_OR_DEDUPLICATION = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,80}")
_RESERVED = ("aws.", "amazon.")
_KINDS = ("String", "Number", "Binary")


def check_body(body: str) -> None:
    """Raises MissingParameter for an empty body, InvalidMessageContents for characters XML cannot carry."""
    if not body:
        raise missing("MessageBody")
    _check_characters(body)


def check_id(value: str | None, parameter: str) -> None:
    """Refuse a MessageGroupId or MessageDeduplicationId of the wrong form. Raises InvalidParameterValue."""
    if value is not None and not _GROUP_OR_DEDUPLICATION.fullmatch(value):
        reason = f"{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(value, parameter, reason)


def check_label(label: str) -> None:
    """Refuse a label of AddPermission of the wrong form. Raises InvalidParameterValue."""
    if not _LABEL.fullmatch(label):
        reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise invalid_value(label, "Label", reason)


def check_attributes(attributes: Mapping[str, AttributeValue]) -> None:
    """Refuse message attributes that break the rules of the guide. Raises InvalidParameterValue."""
    if len(attributes) > ATTRIBUTES_MAX:
        raise invalid(
            f"Number of message attributes [{len(attributes)}] exceeds the allowed maximum"
            f" [{ATTRIBUTES_MAX}]."
        )
    for name, value in attributes.items():
        _check_name(name)
        _check_value(name, value)


def check_system_attributes(attributes: Mapping[str, AttributeValue]) -> None:
    """Only AWSTraceHeader exists, a string. Raises InvalidParameterValue."""
    for name, value in attributes.items():
        if name != "AWSTraceHeader":
            message = f"Message system attribute name '{name}' is invalid."
            raise invalid(message)
        if value.get("DataType") != "String":
            raise invalid("Message system attribute 'AWSTraceHeader' must be of type String.")
        _check_value(name, value)


def size(body: str, attributes: Mapping[str, AttributeValue]) -> int:
    """Bytes that count against the limits: the body, and names, types and values of the attributes."""
    return len(body.encode(errors="surrogatepass")) + sum(
        len(name.encode())
        + len(value.get("DataType", "").encode())
        + len(value.get("StringValue", "").encode())
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )


def _check_characters(text: str) -> None:
    if not (text.isascii() and text.isprintable()) and _ILLEGAL.search(text):
        raise Fault("InvalidMessageContents", LEGAL_CHARACTERS)


def _check_name(name: str) -> None:
    if not name:
        raise invalid("The request must contain non-empty message (user) attribute names.")
    if len(name) > NAME_LENGTH_MAX:
        raise invalid(f"Message (user) attribute name must be shorter than {NAME_LENGTH_MAX} bytes.")
    if not _NAME.fullmatch(name):
        raise invalid(f"Invalid non-alphanumeric character was found in the message attribute name '{name}'.")
    if name.lower().startswith(_RESERVED):
        raise invalid(f"Message (user) attribute name '{name}' cannot start with 'AWS.' or 'Amazon.'.")
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise invalid("Message (user) attribute name must not start or end with '.' or have successive '.'.")


def _check_value(name: str, value: AttributeValue) -> None:
    data_type = value.get("DataType")
    if not data_type:
        raise invalid(f"The message attribute '{name}' must contain a non-empty message attribute type.")
    kind = data_type.partition(".")[0]
    if kind not in _KINDS or len(data_type) > NAME_LENGTH_MAX:
        raise invalid(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported"
            " type prefixes is Binary, Number, and String."
        )
    if not (value.get("BinaryValue") if kind == "Binary" else value.get("StringValue")):
        raise invalid(
            f"The message attribute '{name}' must contain a non-empty message attribute value"
            f" for message attribute type '{kind}'."
        )
    if kind != "Binary":
        _check_characters(value["StringValue"])
    if kind == "Number" and not _is_number(value["StringValue"]):
        raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")


def _is_number(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return number == number and abs(number) <= 1e128 and "_" not in text
