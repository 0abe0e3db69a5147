import pytest

from passrole.definition.steps import OutputParameter
from passrole.engine.outputs import VALUE_MAX, UnusableResult, as_metadata, of_payload

DECLARED = (OutputParameter("o", "String"),)
READ = [  # the function's result -> the value of output o
    ('{"o": "text"}', "text"),
    ('{"o": ""}', ""),
    ('{"o": 200}', "200"),
    ('{"o": 1.5}', "1.5"),
    ('{"o": true}', "true"),
    ('{"o": null}', "null"),
    ('{"o": 1180591620717411303424}', "1180591620717411303424"),
    ('{"o": [-1180591620717411303424, 1.0]}', "[-1180591620717411303424,1.0]"),
    ('{"o": {"a": [1, "b"]}}', '{"a":[1,"b"]}'),
    ('{"o": "x", "undeclared": "' + "y" * 5000 + '"}', "x"),
    ('{"o": "' + "x" * VALUE_MAX + '"}', "x" * VALUE_MAX),
]
WITHOUT = ["null", "[]", '"{}"', "", "not json", "{}", '{"body": {"o": 1}}']
REFUSED = [
    ('{"o": "' + "x" * 1025 + '"}', "ClientError: Output 'o' has 1025 characters, the maximum is 1024."),
    ('{"o": [' + "1," * 600 + "1]}", "ClientError: Output 'o' has 1203 characters, the maximum is 1024."),
]


@pytest.mark.parametrize(("payload", "value"), READ, ids=[payload[:30] for payload, _ in READ])
def test_a_declared_output_is_taken_as_text(payload: str, value: str) -> None:
    assert as_metadata(of_payload(payload, DECLARED)) == [{"Name": "o", "Value": value}]


@pytest.mark.parametrize("payload", WITHOUT)
def test_a_declared_output_that_the_result_lacks_is_absent(payload: str) -> None:
    assert of_payload(payload, DECLARED) == ()
    assert as_metadata(of_payload('{"p": 1}', (*DECLARED, OutputParameter("p", "Integer")))) == [
        {"Name": "p", "Value": "1"}
    ]


@pytest.mark.parametrize(("payload", "reason"), REFUSED, ids=[payload[:30] for payload, _ in REFUSED])
def test_a_value_that_the_api_cannot_carry_is_unusable(payload: str, reason: str) -> None:
    with pytest.raises(UnusableResult) as caught:
        of_payload(payload, DECLARED)
    assert caught.value.reason == reason


@pytest.mark.parametrize("payload", ["null", "[]", "", "not json"])
def test_without_declared_outputs_any_result_will_do(payload: str) -> None:
    assert of_payload(payload, ()) == ()
