"""A reader of a page: writes its files, types its commands, and compares what they print with the page."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.eventually import eventually
from tests.store import chosen

FILE = re.compile(r"`([\w/-]+\.\w+)`[^`]*?:\n\n```(?:python|json)\n(.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
WAITING = re.compile(r"waits for an answer to (\w+)$")
CHANGING = [
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UUID"),
    (re.compile(r"((?<=[/ -])|^)[a-z0-9]{12}(?=[-/ ,]|$)"), "ID"),
    (re.compile(r"ExecutionRole-\d{8}T\d{6}"), "ExecutionRole"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r" *\d+\.\d\d s\b"), " N s"),
    (re.compile(r"\b\d+s\b"), "Ns"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\d\.\d{6,}$"), "NUMBER"),
]
"""What differs from run to run: ids, times, ports, and the last digits of a measurement."""

PASSING = ("  Executing  ", "starting a server...")
"""Lines that a quick step or a server that runs already does not print."""


class Session(NamedTuple):
    """A command of the page, empty for the rest of one that was left waiting, and what it prints."""

    command: str
    prints: list[str]


class Reader:
    """Follows a page in a folder of its own; closed, it ends what it left running."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._names: dict[str, str] = {}  # the page's callback tokens, and ours
        self._shell: list[str] = []  # the variables that the page set with eval
        self._waiting = folder / "waiting.out"
        self._code = 0  # of the last command
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("AWS_", "PASSROLE_"))
            },
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "PASSROLE_PORT": "0",
            **chosen.variables(folder),
        }

    def read(self, page: str) -> int:
        """Follow the page to its end; how many commands it had."""
        for name, text in FILE.findall(page):
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_text(text)
        found = [session for block in CONSOLE.findall(page) for session in sessions(block)]
        for session in found:
            self._follow(session)
        return len(found)

    def close(self) -> None:
        """End what was left running, the newest first."""
        for process in reversed(self._running):
            process.terminate()
            process.wait(timeout=60)

    def _follow(self, session: Session) -> None:
        command, prints = (self._ours(session.command), [self._ours(line) for line in session.prints])
        if not command:
            assert self._running[-1].wait(timeout=60) == 0
            printed, prints = self._waiting.read_text(), ["...", *prints]
        elif command.startswith("eval "):
            self._shell.append(command)
            return
        elif command.startswith("passrole serve"):
            printed = self._left_running(command.removesuffix(" &"), self._folder / "serve.out", "ready at")
            prints = prints or ["..."]
        elif prints and WAITING.search(prints[-1]):
            printed = self._left_running(command, self._waiting, "waits for an answer")
            self._learn(prints[-1], printed)
            prints = [self._ours(line) for line in prints]
        else:
            self._code, printed = self._run(command)
            assert prints or self._code == 0, f"`{command}` ends with {self._code}: {printed}"
            prints = prints or ["..."]  # the page says nothing of it
        difference = unlike(prints, printed.splitlines())
        assert difference is None, f"`{command}`: {difference}\n{printed}"

    def _run(self, command: str) -> tuple[int, str]:
        """Its exit code, and what it prints: standard error after standard output."""
        script = "\n".join((*self._shell, f"(exit {self._code})", command))
        finished = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return finished.returncode, finished.stdout + finished.stderr

    def _left_running(self, command: str, output: Path, sign: str) -> str:
        with output.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", "\n".join((*self._shell, f"exec {command}"))],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
            )
        self._running.append(process)
        return eventually(
            lambda: text if sign in (text := output.read_text()) else None, seen=output.read_text
        )

    def _learn(self, line: str, printed: str) -> None:
        """The page's token is ours from here on."""
        (theirs,) = WAITING.findall(line)
        (ours,) = re.findall(WAITING.pattern, printed, re.MULTILINE)
        self._names[theirs] = ours

    def _ours(self, text: str) -> str:
        for theirs, ours in self._names.items():
            text = text.replace(theirs, ours)
        return text


def sessions(block: str) -> Iterator[Session]:
    """The commands of a block; lines that begin with `> ` or follow a backslash continue one."""
    session = Session("", [])
    for line in textwrap.dedent(block).rstrip().splitlines():
        if line.startswith("$ "):
            if session.command or session.prints:
                yield session
            session = Session(line.removeprefix("$ "), [])
        elif session.command.endswith("\\") or (line.startswith("> ") and not session.prints):
            session = Session(f"{session.command}\n{line.removeprefix('> ')}", [])
        else:
            session.prints.append(line)
    yield session


def unlike(page: Iterable[str], printed: Iterable[str]) -> str | None:
    """What of the page was not printed, or the reverse; `...` on the page stands for any lines."""
    rest, anywhere = [_steady(line) for line in printed if not _passes(line)], False
    for wanted in (line for line in page if not _passes(line)):
        if wanted == "...":
            anywhere = True
            continue
        line = _steady(wanted)
        place = rest.index(line) if line in rest else None
        if place is None or (place and not anywhere):
            return f"the page has {json.dumps(wanted)}, printed is {json.dumps(rest[:1])}"
        rest, anywhere = rest[place + 1 :], False
    return None if anywhere or not rest else f"not on the page: {json.dumps(rest[0])}"


def _passes(line: str) -> bool:
    return any(sign in line for sign in PASSING)


def _steady(line: str) -> str:
    for pattern, name in CHANGING:
        line = pattern.sub(name, line)
    return line
