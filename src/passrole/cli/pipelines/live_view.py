"""The live view of an execution: redrawn in place, with the keys in its footer.

It draws what `layout` lays out, and keeps what a person chose and typed between two looks at the execution.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Final, Self

from rich.console import Group
from rich.live import Live
from rich.text import Text

from passrole.cli import colour
from passrole.cli.pipelines.answering import Answer, Form
from passrole.cli.pipelines.keys import ESCAPE, NEXT, PREVIOUS, Keys
from passrole.cli.pipelines.layout import Picture, frame, whole
from passrole.client.plan import Plan
from passrole.client.progress import Progress, Step
from passrole.log_format import escaped

_TYPED_LINES_MAX = 3


class LiveView:
    """A `Screen`; single keys are read where standard input is the terminal too."""

    def __init__(self, title: str, plan: Plan) -> None:
        self._plan = plan
        self._picture = Picture(title, "Executing", (), 0.0)
        self._console = colour.console()
        self._size = self._console.size
        self._keys = Keys() if sys.stdin.isatty() else None
        self._stack = ExitStack()
        self._form: Form | None = None
        self._chosen = ""
        self._problem = ""
        self._has_ended = False

    def __enter__(self) -> Self:
        self._live = self._started()
        self._stack.callback(self._finish)
        if self._keys:
            self._stack.enter_context(self._keys)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def show(self, progress: Progress, seconds: float) -> None:
        steps = self._plan.steps(progress.steps)
        self._picture = replace(self._picture, status=progress.status, steps=steps, seconds=seconds)
        self._has_ended = progress.has_ended
        self._keep_choice()
        self._draw()

    def wait(self, seconds: float) -> Answer | None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._keys is None:
                time.sleep(left)
                break
            for key in self._keys.pressed(left):
                answer = self._press(key)
                if answer is not None:
                    return answer
            self._draw()
        return None

    def refused(self, problem: str) -> None:
        self._problem = problem

    def _keep_choice(self) -> None:
        """A callback that was answered elsewhere is neither chosen nor asked about any more."""
        names = [step.name for step in self._waiting]
        if self._chosen not in names:
            self._chosen = names[0] if names else ""
        if self._form and self._form.step.name not in names:
            self._problem = f"{self._form.step.name} no longer waits for an answer"
            self._form = None

    @property
    def _waiting(self) -> list[Step]:
        return [step for step in self._picture.steps if step.waits]

    def _press(self, key: str) -> Answer | None:
        self._problem = ""
        if self._form is None:
            act = _KEYS.get(key.lower())
            if act is not None:
                act(self)
            return None
        answer = self._form.press(key)
        if answer is not None or self._form.is_left:
            self._form = None
        return answer

    def _leave(self) -> None:
        raise KeyboardInterrupt

    def _approve(self) -> None:
        for step in self._waiting:
            if step.name == self._chosen:
                self._form = Form(step, "approve", self._plan.outputs(step.name))

    def _reject(self) -> None:
        for step in self._waiting:
            if step.name == self._chosen:
                self._form = Form(step, "reject", ())

    def _choose(self, distance: int) -> None:
        names = [step.name for step in self._waiting]
        if names:
            self._chosen = names[(names.index(self._chosen) + distance) % len(names)]

    def _draw(self) -> None:
        if self._console.size != self._size:  # the lines have moved, and nobody knows to where
            self._live.stop()
            self._console.clear()
            self._size = self._console.size
            self._live = self._started()
        picture = replace(self._picture, chosen=self._chosen if self._reads_choice else "")
        lines = frame(picture, list(self._footer()), self._console, max(1, self._size.height - 1))
        self._live.update(Group(*lines), refresh=True)

    @property
    def _reads_choice(self) -> bool:
        return self._keys is not None and (self._form is not None or len(self._waiting) > 1)

    def _footer(self) -> Iterator[Text]:
        width = self._console.width
        line = "\u2500" if self._console.encoding.lower().startswith("utf") else "-"
        yield Text(line * width, "dim")
        if self._form:
            yield from self._form_lines(self._form, width)
        elif self._keys is None:
            yield Text("Ctrl-C leave", "dim")
        elif not self._waiting:
            yield Text("Esc leave", "dim")
        else:
            yield from self._offer()
        if problem := self._problem or (self._form.problem if self._form else ""):
            yield Text(escaped(problem), "red")

    def _form_lines(self, form: Form, width: int) -> Iterator[Text]:
        yield Text(escaped(form.question), "bold yellow")
        if form.takes_text:
            yield Text.assemble("> ", form.text[-_TYPED_LINES_MAX * (width - 4) :], ("_", "bold"))
        yield Text(f"Enter {'send' if form.is_last else 'next'}  Esc back", "dim")

    def _offer(self) -> Iterator[Text]:
        count = len(self._waiting)
        if count > 1:
            yield Text(f"{count} callbacks wait, {self._chosen} is chosen", "bold yellow")
        else:
            yield Text(f"{self._chosen} waits for an answer", "bold yellow")
        choose = "Tab next  " if count > 1 else ""
        yield Text(f"{choose}a approve  r reject  Esc leave", "dim")

    def _started(self) -> Live:
        live = Live(console=self._console, auto_refresh=False, transient=True)
        live.start()
        return live

    def _finish(self) -> None:
        """The view gives way to lines that stay: all steps at the end, else what there was room for."""
        self._live.stop()
        picture = replace(self._picture, chosen="")
        lines = whole(picture, self._console) if self._has_ended else frame(picture, (), self._console, 1000)
        for line in lines:
            self._console.print(line, soft_wrap=True)


_KEYS: Final[Mapping[str, Callable[[LiveView], None]]] = {
    "a": LiveView._approve,
    "r": LiveView._reject,
    NEXT: lambda view: view._choose(1),
    PREVIOUS: lambda view: view._choose(-1),
    ESCAPE: LiveView._leave,
}
