"""What holds at the end, of what the clients were told. Pure: a check yields what is wrong, line by line."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tests.chaos.load import clusters, pipelines, stops
from tests.chaos.told import Noted, Told

_GIVEN_BY = {"Work": ("First",), "Then": ("First", "Ask"), "Last": ("Then",), stops.NEXT: (stops.SLOW[0],)}
"""Whose outputs a step is given; see load/pipelines.py."""

FULL_DISK = ("No space left on device", "is the disk with the data folder full?")
"""What a job or an EMR step may fail with where its node has a full disk."""

LOST = "The server that ran the step is gone"
"""What an EMR step may fail with, which nothing tries again."""

PROGRAMS = ("Work", clusters.STEP)
"""Those whose programs tell nothing but that they ran."""

RECORDED_SECONDS = 60.0
"""So long after its end the result of a function is recorded at the latest, while its node lives."""

SILENT_SECONDS_MAX = 360.0
"""Of the rule that runs every minute: a clock that steps ahead by 200 s skips these, and a node that others
take over from is late.
"""

_TAKEN_OVER_SECONDS = 3.0
"""Shards are lent to others 6 s after the last heartbeat, which may be half as old."""

_SECONDS_OF_A_RUN = 10.0


class Found(NamedTuple):
    """What the services have at the end, beside what was told."""

    notes: Sequence[Noted]
    listed: dict[str, str]
    """The executions that are listed, and their display names, which have the token."""
    audited: set[str]
    objects: dict[str, str]


def for_a_full_disk(status: str) -> bool:
    """Whether an execution's last status says so."""
    return any(words in status for words in FULL_DISK)


def every_execution_is_there_once(told: Told, found: Found) -> Iterator[str]:
    """However often it was asked for with its token."""
    listed = Counter(found.listed.values())
    for token, arns in told.started.items():
        if len(arns) > 1:
            yield f"the token {token} started {sorted(arns)}"
        if missing := arns - set(found.listed):
            yield f"{sorted(missing)} are not listed"
        if listed[f"x{token}"] != 1:
            yield f"{listed[f'x{token}']} executions are listed with the token {token}"


def every_execution_came_to_its_end(told: Told, _: Found) -> Iterator[str]:
    """None is stuck, none misses a step, none is stopped that nobody stopped, none failed but for a disk that
    was full under its job, or because its EMR step was lost with its node.
    """
    for arn in (arn for arns in told.started.values() for arn in arns):
        mine = {step for execution, step in told.succeeded if execution == _id(arn)}
        status = told.ended.get(arn, "never ended")
        wanted, may_be = _EXPECTED[arn.split("/")[-3]]
        if status != "Succeeded" and not may_be(status):
            yield f"{arn}: {status}"
        elif status == "Succeeded" and mine != wanted:
            yield f"{arn} succeeded without {sorted(wanted - mine)}"


def _may_be_lost(status: str) -> bool:
    return LOST in status or for_a_full_disk(status)


def _may_be_stopped(status: str) -> bool:
    return status == "Stopped: []"


_EXPECTED: dict[str, tuple[set[str], Callable[[str], bool]]] = {
    pipelines.PIPELINE: ({"First", "Work", "Ask", "Then", "Last"}, for_a_full_disk),
    clusters.PIPELINE: ({clusters.STEP}, _may_be_lost),
    stops.PIPELINE: ({*stops.SLOW, stops.NEXT}, _may_be_stopped),
}
"""The steps of a pipeline, and how its executions may end beside Succeeded."""


def every_result_of_a_stopped_execution_counts(told: Told, found: Found) -> Iterator[str]:
    """A function that runs when its execution is stopped is waited for, at whichever node it runs; but for
    one whose node died, or was silent for so long that others took over, before it could tell the result. One
    whose call could not be written to the audit trail has no answer, and is not invoked again.
    """
    stopped = {_id(arn) for arn, status in told.ended.items() if status.startswith("Stopped")}
    for each in found.notes:
        is_told = (each.execution, each.step) in told.succeeded
        if each.execution in stopped and each.what == "end" and not is_told and not _was_lost(told, each):
            yield f"{each.execution} {each.step} has no result, though {each.run} ended at {each.node}"


def _was_lost(told: Told, run: Noted) -> bool:
    return any(
        each.node == run.node
        and each.over > run.moment - _SECONDS_OF_A_RUN
        and each.began < run.moment + RECORDED_SECONDS
        and (each.kind in ("kill", "stop", "full disk") or each.over - each.began > _TAKEN_OVER_SECONDS)
        for each in told.befell
    )


def a_rule_runs_when_it_is_due_and_once(told: Told, _: Found) -> Iterator[str]:
    """Whichever node has its turn."""
    for planned, events in told.minutes.items():
        if len(events) > 1:
            yield f"the run of {planned:.0f} has the events {sorted(events)}"
    for before, after in itertools.pairwise(sorted(told.minutes)):
        if after - before > SILENT_SECONDS_MAX:
            yield f"after the run of {before:.0f} the next one was {after - before:.0f} s later"


def no_finished_step_ran_again(told: Told, found: Found) -> Iterator[str]:
    """No run of a step began after somebody had been told that it Succeeded."""
    for each in found.notes:
        seen = told.succeeded.get((each.execution, each.step))
        if each.what == "begin" and seen and each.moment > seen.moment:
            late = each.moment - seen.moment
            yield f"{each.execution} {each.step} began again {late:.2f} s after it was told to have Succeeded"


def no_program_of_a_job_began_twice(_: Told, found: Found) -> Iterator[str]:
    """A function may, as AWS invokes one again; a job's attempt is one program, and so is an EMR step."""
    began = Counter(
        (each.execution, each.run) for each in found.notes if each.step in PROGRAMS and each.what == "begin"
    )
    yield from (
        f"{run} of {execution} began {times} times" for (execution, run), times in began.items() if times > 1
    )


def every_step_had_the_result_that_counted(told: Told, found: Found) -> Iterator[str]:
    """A result is that of a run, and whoever was given it was given that one."""
    runs = defaultdict(set)
    for each in found.notes:
        runs[each.execution, each.step].add(each.run)
    for (execution, step), seen in told.succeeded.items():
        if step not in ("Ask", *PROGRAMS) and seen.outputs.get("n") not in runs[execution, step]:
            yield f"{execution} {step} has {seen.outputs}, which no run of it returned"
    for each in found.notes:
        before = [told.succeeded.get((each.execution, step)) for step in _GIVEN_BY.get(each.step, ())]
        wanted = ",".join(seen.outputs.get("n", "?") for seen in before if seen)
        if each.given != wanted:
            yield f"{each.execution} {each.step} was given {each.given}, not {wanted}"


def every_callback_was_answered_once(told: Told, _: Found) -> Iterator[str]:
    """The answer that was acknowledged counts, and no other one was acknowledged."""
    tokens = Counter(told.asked.values())
    yield from (f"{step} has {count} tokens" for step, count in tokens.items() if count > 1)
    succeeded = {_id(arn) for arn, status in told.ended.items() if status == "Succeeded"}
    for token, step in told.asked.items():
        if step[0] not in succeeded:
            continue
        seen, answers = told.succeeded.get(step), set(told.answered[token])
        counted = seen.outputs.get("n") if seen else None
        if len(answers) > 1:
            yield f"{step}: all of {sorted(answers)} were acknowledged"
        if counted not in told.tried[token] or answers - {counted}:
            yield f"{step} was answered by {sorted(answers)}, and has {counted}"


def no_message_was_lost(told: Told, _: Found) -> Iterator[str]:
    """Whether sent by a call, by a rule, or at the end of an execution."""
    ends = {arn for arn, status in told.ended.items() if status == "Succeeded"}
    for queue, sent in {**told.sent, "chaos-ends": ends}.items():
        if lost := sent - set(told.received[queue]):
            yield f"{queue} lost {len(lost)} of {len(sent)}: {sorted(lost)[:5]}"


def fifo_groups_are_in_order(told: Told, _: Found) -> Iterator[str]:
    """What is new in a group is the next one; others may come again."""
    for queue in (name for name in told.received if name.endswith(".fifo")):
        last: dict[str, int] = defaultdict(lambda: -1)
        for text in told.received[queue]:
            group, number = text.split("-")
            if int(number) > last[group] + 1:
                yield f"{queue}: {text} came after number {last[group]}"
            last[group] = max(last[group], int(number))


def every_object_is_there(told: Told, found: Found) -> Iterator[str]:
    """With the bytes that were acknowledged."""
    for key, text in told.objects.items():
        if found.objects.get(key) != text:
            yield f"the object {key} is {found.objects.get(key, '')[:20]!r}"


def every_call_is_in_the_audit_trail(told: Told, found: Found) -> Iterator[str]:
    """Each that was answered, by its request id."""
    if missing := [each for each in told.calls if each not in found.audited]:
        yield f"{len(missing)} of {len(told.calls)} calls have no line: {missing[:5]}"


def nothing_surprised_a_client(told: Told, _: Found) -> Iterator[str]:
    """No refusal, no session that is unknown, no node that ended, no answer that changed."""
    yield from told.refused
    yield from told.surprises()


CHECKS: tuple[Callable[[Told, Found], Iterator[str]], ...] = (
    every_execution_is_there_once,
    every_execution_came_to_its_end,
    no_finished_step_ran_again,
    no_program_of_a_job_began_twice,
    every_step_had_the_result_that_counted,
    every_callback_was_answered_once,
    every_result_of_a_stopped_execution_counts,
    a_rule_runs_when_it_is_due_and_once,
    no_message_was_lost,
    fifo_groups_are_in_order,
    every_object_is_there,
    every_call_is_in_the_audit_trail,
    nothing_surprised_a_client,
)


def violations(told: Told, found: Found) -> Iterator[tuple[str, str]]:
    """The name of a check, and what it found."""
    for check in CHECKS:
        yield from ((check.__name__.replace("_", " "), what) for what in check(told, found))


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
