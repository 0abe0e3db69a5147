"""An answer that is typed on the terminal, checked before it is sent."""

from passrole.cli.pipelines.answering import Answer, Form
from passrole.client.progress import Step
from passrole.definition.steps import OutputParameter

STEP = Step("Review", "Executing", token="abcdefghij")
OUTPUTS = (OutputParameter("threshold", "Float"), OutputParameter("by", "String"))


def press(form: Form, *keys: str) -> Answer | None:
    answers = [form.press(key) for key in keys]
    assert not any(answers[:-1])
    return answers[-1]


def test_each_declared_output_is_asked_for_with_its_type() -> None:
    form = Form(STEP, "approve", OUTPUTS)
    assert (form.question, form.is_last) == ("approve Review: threshold, a number (1 of 2)", False)
    assert press(form, *"0.8", "enter") is None
    assert (form.question, form.is_last) == ("approve Review: by, a text (2 of 2)", True)
    assert press(form, *"ada", "enter") == Answer(STEP, {"threshold": "0.8", "by": "ada"})


def test_a_value_of_another_type_is_refused_and_stays_to_be_corrected() -> None:
    form = Form(STEP, "approve", OUTPUTS[:1])
    assert press(form, *"much", "enter") is None
    assert (form.problem, form.text) == ("`much` is not a number", "much")
    press(form, "erase", "clear")
    assert press(form, "1", "enter") == Answer(STEP, {"threshold": "1"})


def test_a_callback_without_outputs_is_confirmed() -> None:
    form = Form(STEP, "approve", ())
    assert (form.question, form.takes_text) == ("approve Review: it declares no outputs", False)
    assert press(form, "x", "enter") == Answer(STEP, {})


def test_a_rejection_needs_a_reason_of_at_most_256_characters() -> None:
    form = Form(STEP, "reject", OUTPUTS)
    assert press(form, "enter") is None and form.problem == "say why"
    assert press(form, *("x" * 257), "enter") is None
    assert form.problem == "a reason has at most 256 characters"
    assert press(form, "erase", "enter") == Answer(STEP, {}, "x" * 256)


def test_escape_leaves_without_an_answer() -> None:
    form = Form(STEP, "approve", OUTPUTS)
    assert press(form, "1", "escape") is None
    assert form.is_left
