"""The answer to a waiting callback, typed field by field and checked before it is sent.

Knows no terminal: it takes keys, and tells what is asked, typed and wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from passrole.cli.pipelines.keys import CLEAR, ENTER, ERASE, ESCAPE
from passrole.client.callbacks import REASON_CHARACTERS_MAX, TYPES, unusable_output
from passrole.client.progress import Step
from passrole.definition.steps import OutputParameter


@dataclass(frozen=True)
class Answer:
    """A success with these outputs, or a failure with a reason."""

    step: Step
    outputs: Mapping[str, str]
    reason: str | None = None


class Form:
    """Asks for the declared outputs of a step, or for the reason of its rejection."""

    def __init__(self, step: Step, verdict: Literal["approve", "reject"], outputs: Sequence[OutputParameter]):
        self.step = step
        self.text = ""
        self.problem = ""
        self.is_left = False
        self._verdict = verdict
        self._outputs = outputs if verdict == "approve" else ()
        self._given: dict[str, str] = {}

    @property
    def question(self) -> str:
        """What is asked now."""
        title = f"{self._verdict} {self.step.name}"
        if self._verdict == "reject":
            return f"{title}: the reason"
        if not self._outputs:
            return f"{title}: it declares no outputs"
        asked = self._asked
        place = f" ({len(self._given) + 1} of {len(self._outputs)})" if len(self._outputs) > 1 else ""
        return f"{title}: {asked.name}, {TYPES[asked.type_]}{place}"

    @property
    def takes_text(self) -> bool:
        """Whether there is anything to type."""
        return self._verdict == "reject" or bool(self._outputs)

    @property
    def is_last(self) -> bool:
        """Whether Enter sends the answer."""
        return len(self._given) + 1 >= len(self._outputs)

    def press(self, key: str) -> Answer | None:
        """The answer, once the last field is accepted; Escape leaves the form."""
        if key == ESCAPE:
            self.is_left = True
        elif key == ENTER:
            return self._entered()
        elif key in (ERASE, CLEAR):
            self.text = self.text[:-1] if key == ERASE else ""
        elif len(key) == 1 and self.takes_text:
            self.text += key
        return None

    @property
    def _asked(self) -> OutputParameter:
        return self._outputs[len(self._given)]

    def _entered(self) -> Answer | None:
        self.problem = self._why_unusable() or ""
        if self.problem:
            return None
        if self._verdict == "reject":
            return Answer(self.step, {}, self.text)
        if self._outputs:
            self._given[self._asked.name] = self.text
            self.text = ""
        return Answer(self.step, self._given) if len(self._given) == len(self._outputs) else None

    def _why_unusable(self) -> str | None:
        if self._verdict == "approve":
            return unusable_output(self._asked, self.text) if self._outputs else None
        if not self.text.strip():
            return "say why"
        too_long = len(self.text) > REASON_CHARACTERS_MAX
        return f"a reason has at most {REASON_CHARACTERS_MAX} characters" if too_long else None
