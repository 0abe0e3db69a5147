"""Where statements stand: AWS's own examples, and every way in which JSON can be written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.policy.positions import statement_spans

STATEMENT = {"Effect": "Allow", "Action": "*", "Resource": "*"}
CASES = [
    # AdministratorAccess as AWS's simulator answers about it: 3:17 to 8:6.
    (json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}, indent=2), [((3, 17), (8, 6))]),
    # The CLI's example, indented by four: 3:19 on.
    (json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]}, indent=4), [((3, 19), (8, 10))]),
    ('{"Statement":{"a":1}}', [((1, 14), (1, 21))]),
    ('{"Statement":[{},{"a":"]}"}]}', [((1, 15), (1, 17)), ((1, 18), (1, 28))]),
    ('\n{"Id":"{","Statement" : [\n{} ,\n{}\n] , "Version":"x"}', [((2, 26), (3, 3)), ((3, 5), (4, 3))]),
    ('{"Statement":[]}', []),
    ("{}", []),
    ('{"Statement":[{}],"Statement":{}}', [((1, 31), (1, 33))]),
]


@pytest.mark.parametrize("text, spans", CASES, ids=[case[0][:40] for case in CASES])
def test_spans_are_as_aws_counts_them(text: str, spans: list[object]) -> None:
    assert statement_spans(text) == spans


@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2), max_size=4),
    st.sampled_from([None, 1, 4]),
)
def test_the_text_of_a_span_is_the_statement(statements: list[dict[str, str]], indent: int | None) -> None:
    text = json.dumps({"Version": "x", "Statement": statements}, indent=indent)
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    cut = [
        text[starts[start.line - 1] + start.column - 1 : starts[end.line - 1] + end.column - 1]
        for start, end in statement_spans(text)
    ]
    assert [json.loads(one) for one in cut] == statements
