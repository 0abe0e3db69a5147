"""`policy generate --fix`: the permissions that a pipeline lacks, added to the file of a policy."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from passrole import needs
from passrole.cli.documents import UnreadableDocument, read_document, read_limited
from passrole.cli.errors import Failed, Misuse
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.report import printable
from passrole.cli.permissions.subject import Choice, evaluate_subject, subject_of
from passrole.config import Config
from passrole.needs import Answer, Need, Place

_INDENT = 2


@dataclass(frozen=True)
class Fixed:
    """What was done with the file: how many statements were added, to a new file or to an old one."""

    added: int
    is_new: bool


def fix(file: Path, wanted: Sequence[Need], place: Place, config: Config) -> Fixed:
    """Write the needs that the policy in the file does not allow into it; a file that is not there is made.

    Raises Misuse where the file holds no policy document in JSON, Failed where a Deny is in the way.
    """
    if not file.exists():
        document = needs.least_privilege(wanted)
        _write(file, document, _INDENT)
        return Fixed(len(_statements(document)), is_new=True)
    text = read_limited(file)
    document = _document(file, text)
    choice = Choice(config, policies=(NamedFile(file),))
    answers, _ = evaluate_subject(wanted, subject_of(choice, place))
    missing = [answer for answer in answers if answer.counts_against]
    _refuse_denied(file, missing)
    if not missing:
        return Fixed(0, is_new=False)
    added = _statements(needs.least_privilege([answer.need for answer in missing]))
    there = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    document["Statement"] = [*there, *_with_own_sids(added, there)]
    _write(file, document, _indent_of(text))
    return Fixed(len(added), is_new=False)


def _document(file: Path, text: str) -> dict[str, Any]:
    try:
        found = read_document(text, file.name)
    except UnreadableDocument as error:
        raise Misuse(f"`{file}` cannot be changed: {error}") from error
    if not isinstance(found.value, dict) or "Statement" not in found.value or found.yaml_places is not None:
        raise Misuse(
            f"`{file}` is no policy document in JSON, which is all that --fix changes; `passrole policy diff`"
            " lists what any other file lacks"
        )
    return dict(found.value)


def _refuse_denied(file: Path, missing: Sequence[Answer]) -> None:
    denied = [answer for answer in missing if answer.decision.explicit]
    if denied:
        need = denied[0].need
        raise Failed(
            f"`{file}` denies {printable(need.action)} on {printable(need.resource)}, which no added"
            " statement can allow; change the Deny by hand"
        )


def _statements(document: Any) -> list[dict[str, Any]]:
    return list(document["Statement"])


def _with_own_sids(added: Sequence[dict[str, Any]], there: Sequence[Any]) -> list[dict[str, Any]]:
    """The new statements, numbered where a Sid is taken: it occurs once in a document."""
    taken = {each.get("Sid") for each in there if isinstance(each, dict)}
    found = []
    for each in added:
        sid, number = each.get("Sid"), 2
        while sid is not None and sid in taken:
            sid, number = f"{each['Sid']}{number}", number + 1
        taken.add(sid)
        found.append(each if sid is None else {**each, "Sid": sid})
    return found


def _indent_of(text: str) -> int | None:
    """The indentation that the file has; None where it stands on one line."""
    lines = [line for line in text.splitlines()[1:] if line.strip()]
    return (len(lines[0]) - len(lines[0].lstrip()) or _INDENT) if lines else None


def _write(file: Path, document: Any, indent: int | None) -> None:
    """The whole file or nothing of it."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(f"{json.dumps(document, indent=indent)}\n", encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Misuse(f"`{file}` cannot be written: {error.strerror}") from error
