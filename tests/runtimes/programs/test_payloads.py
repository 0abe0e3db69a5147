"""What a model is asked, and what is read of its answer, as AWS's pages show it; how explanations drift."""

import json
from typing import Any

import pytest

from passrole.runtimes.programs.analysers.explanations import drifted
from passrole.runtimes.programs.analysers.payloads import Payloads, Prediction, label_of, scores_of
from passrole.runtimes.programs.analysers.results import Refused

CSV, LINES, JSON = "text/csv", "application/jsonlines", "application/json"
ROWS: Any = [[1, "a b"], [2.5, None]]
KVP = {"content_template": "$records", "record_template": "$features_kvp"}


@pytest.mark.parametrize(
    ("form", "members", "body"),
    [
        (CSV, {}, "1,a b\n2.5,"),
        (LINES, {"content_template": '{"in": $features}'}, '{"in": [1, "a b"]}\n{"in": [2.5, null]}'),
        (JSON, KVP, '[{"x": 1, "y": "a b"}, {"x": 2.5, "y": null}]'),
        (
            JSON,
            {"content_template": '{"rows": $records}', "record_template": '{"y": "${y}", "x": ${x}}'},
            '{"rows": [{"y": "a b", "x": 1}, {"y": "null", "x": 2.5}]}',
        ),
    ],
)
def test_records_are_written_as_the_predictor_says(form: str, members: Any, body: str) -> None:
    assert Payloads({"content_type": form, **members}, CSV, ["x", "y"]).encoded(ROWS).decode() == body


def test_a_template_of_one_record_is_filled_for_each() -> None:
    payloads = Payloads({"content_type": JSON, **KVP, "content_template": "$record"}, CSV, ["x", "y"])
    assert payloads.takes_one and payloads.encoded(ROWS[:1]) == b'{"x": 1, "y": "a b"}'


SCORES = [0.1, 0.7, 0.2]


@pytest.mark.parametrize(
    ("form", "members", "body", "expected"),
    [
        (CSV, {}, "0.6\n", Prediction(None, [0.6])),
        (CSV, {}, "0.1,0.7,0.2", Prediction(None, SCORES)),
        (CSV, {"label": 0, "probability": 1}, 'Current,"[0.1, 0.7, 0.2]"', Prediction("Current", SCORES)),
        (CSV, {"label": 1}, "0.6,1", Prediction(1, None)),
        (LINES, {"label": "l", "probability": "s"}, '{"l": "A", "s": 0.6}', Prediction("A", [0.6])),
        (LINES, {"probability": "s"}, '{"s": "[0.1, 0.7, 0.2]"}', Prediction(None, SCORES)),
        (JSON, {"label": "p[*].l"}, '{"p": [{"l": "A"}]}', Prediction("A", None)),
        (JSON, {"probability": "p[].s"}, '{"p": [{"s": 0.6}]}', Prediction(None, [0.6])),
        (JSON, {}, "[0.6]", Prediction(None, [0.6])),
    ],
)
def test_predictions_are_where_the_predictor_says(
    form: str, members: Any, body: str, expected: Prediction
) -> None:
    assert Payloads({"accept_type": form, **members}, CSV, ["x"]).decoded(body.encode(), 1) == [expected]


@pytest.mark.parametrize(
    ("form", "members", "body", "says"),
    [
        (CSV, {}, "0.6\n0.7", "The model gave 2 predictions for 1 records"),
        (CSV, {"label": 3}, "0.6", "The model's answer is not the text/csv that is expected: IndexError"),
        (CSV, {"label": "a"}, "0.6", "give the number of a column, and not a"),
        (LINES, {"label": "a"}, "no", "The model's answer is not the application/jsonlines"),
        (LINES, {"label": "a"}, "{}", "There is nothing at a"),
        (LINES, {"label": "a["}, "{}", "a[ is no JMESPath expression"),
    ],
)
def test_an_answer_that_is_another_one_is_refused_in_words(
    form: str, members: Any, body: str, says: str
) -> None:
    with pytest.raises(Refused, match="^" + ".*" + says.replace("[", r"\[")):
        Payloads({"accept_type": form, **members}, CSV, ["x"]).decoded(body.encode(), 1)


@pytest.mark.parametrize(
    ("prediction", "headers", "label"),
    [
        (Prediction(None, [0.5]), [], 0),
        (Prediction(None, [0.51]), [], 1),
        (Prediction("A", [0.9]), [], "A"),
        (Prediction(None, SCORES), ["a", "b", "c"], "b"),
        (Prediction(["c", "b", "a"], SCORES), [], "b"),
        (Prediction("A", None), [], "A"),
    ],
)
def test_the_label_is_given_or_the_one_with_the_greatest_score(
    prediction: Prediction, headers: list[str], label: Any
) -> None:
    assert label_of(prediction, headers, 0.5) == label


def test_scores_without_labels_need_their_names() -> None:
    with pytest.raises(Refused, match="name 3 labels in label_headers"):
        label_of(Prediction(None, SCORES), ["a"], 0.5)


def test_what_is_explained_is_a_number() -> None:
    assert scores_of(Prediction(2, None)) == [2.0]
    with pytest.raises(Refused, match="say in `probability` where one is"):
        scores_of(Prediction("A", None))


def explained(**values: float) -> Any:
    label = {"global_shap_values": values, "expected_value": 0.5}
    return {"explanations": {"kernel_shap": {"label0": label}}}


def test_explanations_drift_where_the_order_of_features_does() -> None:
    """The hypothetical scenario of AWS's page on drift of feature attributions."""
    before = explained(sat=0.70, gpa=0.50, rank=0.05)
    (violation,) = drifted(explained(sat=0.10, gpa=0.20, rank=0.70), before)
    told = violation["description"].split()
    assert float(told[3]) == pytest.approx(0.6876, abs=1e-4)
    assert told[4:] == ["exceeds", "threshold", "0.9"]
    assert json.dumps(violation).count("feature_attribution_drift_check") == 1
    assert not list(drifted(explained(sat=0.6, gpa=0.4, rank=0.1), before))
    assert not list(drifted({"version": "1.0"}, before))
