"""The digests, against answers that AWS gave."""

from collections.abc import Mapping

import pytest

from passrole.services.sqs.digests import AttributeValue, attributes_digest, body_digest

HELLO: AttributeValue = {"DataType": "String", "StringValue": "There"}
GENERAL: AttributeValue = {"DataType": "String", "StringValue": "Kenobi"}
HELP: AttributeValue = {"DataType": "String", "StringValue": "Me"}
TRACE: AttributeValue = {
    "DataType": "Binary",
    "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
}


@pytest.mark.parametrize(
    "body, digest",
    [
        ("msg", "6e2baaf3b97dbeef01c0043275f9a0e7"),
        ("message-body-1", "19c9e282d65f9733bc6b35d50062c7ee"),
        ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("ä", "8419b71c87a225a2c70b50486fbee545"),
    ],
)
def test_a_body_is_digested_as_utf_8(body: str, digest: str) -> None:
    assert body_digest(body) == digest


@pytest.mark.parametrize(
    "attributes, digest",
    [
        ({"Hello": HELLO}, "a311262e065454b75da111d535b8dacd"),
        ({"Hello": HELLO, "General": GENERAL}, "fca026605781cb4126a1e9044df24232"),
        ({"Hello": HELLO, "Help.Me": HELP}, "83fee93c1bcd8b9a5a923ffacdc636c7"),
        ({"Hello": HELLO, "Help.Me": HELP, "General": GENERAL}, "4c360f3fdafd970e05fae2f149d997f5"),
        ({"Foo": {"DataType": "String", "StringValue": "Bar"}}, "ae7155c6026991b6d54b11589678bf9c"),
        ({"attr1": TRACE}, "8cbe4db156db8a94db8b801b7addb984"),
    ],
)
def test_attributes_are_digested_by_name_as_aws_does(
    attributes: Mapping[str, AttributeValue], digest: str
) -> None:
    assert attributes_digest(attributes) == digest
    assert attributes_digest(dict(reversed(list(attributes.items())))) == digest
