"""The rules as scripts; the notation is explained in conftest.py."""

from collections.abc import Callable

import pytest

from passrole.definition import Pipeline
from passrole.engine import State, begin, decide
from passrole.engine.decide import STEP_FAILURE
from passrole.engine.facts import ExecutionStarted, LambdaReturned

Play = Callable[[str, str], State]

SCRIPTS = """
== a pipeline without steps succeeds at once
start           -> Succeeded
=

== a chain runs one after another: l1 l2<l1>
start           -> l1!
l1 ok           -> l2!
l2 ok           -> Succeeded
= l1 Succeeded, l2 Succeeded

== a join waits for all: l1 l2 l3<l1,l2>
start           -> l1! l2!
l2 ok           -> -
l1 ok           -> l3!
l3 ok           -> Succeeded
= l1 Succeeded, l2 Succeeded, l3 Succeeded

== at most as many steps run as there are slots: l1 c1 l2 l3<l1>
start 2         -> l1! c1!
l1 ok           -> l2!
c1 yes          -> l3!
l3 ok           -> -
l2 ok           -> Succeeded
= l1 Succeeded, c1 Succeeded, l2 Succeeded, l3 Succeeded

== more slots are filled at once, fewer are left as they fall free: l1 l2 l3 l4
start 1         -> l1!
limit 3         -> l2! l3!
limit 3         -> ignored
limit 1         -> -
l1 ok           -> -
l2 ok           -> -
l3 ok           -> l4!
l4 ok           -> Succeeded
= l1 Succeeded, l2 Succeeded, l3 Succeeded, l4 Succeeded

== slots that are added while stopping or later start nothing: l1 l2
start 1         -> l1!
stop            -> -
limit 2         -> -
l1 ok           -> Stopped
limit 3         -> ignored
= l1 Succeeded

== conditions take no slot: l1 q1?yes{l2|} q2?no{|} l2
start 1         -> l1!
l1 ok           -> l2!
l2 ok           -> Succeeded
= l1 Succeeded, q1 Succeeded, q2 Succeeded, l2 Succeeded

== the branch not taken and what is behind it are not listed: q1?no{l1|l2} l1 l2 l3<l1> l4<l2> l5<l3,l4>
start           -> l2!
l2 ok           -> l4!
l4 ok           -> Succeeded
= q1 Succeeded, l2 Succeeded, l4 Succeeded

== conditions nest: q1?yes{q2|l1} q2?no{l2|l3} l1 l2 l3
start           -> l3!
l3 ok           -> Succeeded
= q1 Succeeded, q2 Succeeded, l3 Succeeded

== a condition whose branches are empty succeeds: q1?yes{|}
start           -> Succeeded
= q1 Succeeded

== who waits for a condition does not wait for its branch: q1?yes{c1|} c1 l1<q1>
start           -> c1! l1!
l1 ok           -> -
c1 yes          -> Succeeded
= q1 Succeeded, c1 Succeeded, l1 Succeeded

== values that cannot be compared fail the condition: q1?bad{l1|l2} l1 l2
start           -> Failed
= q1 Failed

== a failed step's dependents never start, others run on: l1 l2<l1> l3 l4<l3> l5<l2,l4>
start           -> l1! l3!
l1 breaks       -> -
l3 ok           -> l4!
l4 ok           -> Failed
= l1 Failed, l3 Succeeded, l4 Succeeded

== a function that outlives its limit fails the step: l1 l2
start           -> l1! l2!
l1 times-out    -> -
l2 ok           -> Failed
= l1 Failed, l2 Succeeded

== a Fail step waits for what runs, and nothing new starts: l1 l2<l1> l3 f1<l3>
start           -> l1! l3!
l3 ok           -> -
l1 ok           -> Failed
= l1 Succeeded, l3 Succeeded, f1 Failed

== steps that are ready with a Fail step start beside it: q1?yes{f1,l1|} f1 l1
start           -> l1!
l1 ok           -> Failed
= q1 Succeeded, l1 Succeeded, f1 Failed

== a step that waits for a slot when a Fail step is reached does not start: l1 l2 f1
start 1         -> l1!
l1 ok           -> Failed
= l1 Succeeded, f1 Failed

== a function that had not begun when the execution was stopped is not invoked: l1 l2 l3<l1>
start           -> l1! l2!
stop            -> -
l2 withdrawn    -> -
l2 ok           -> ignored
l1 ok           -> Stopped
= l1 Succeeded, l2 Stopped

== nor one that waits when a Fail step is reached: l1 l2 f1<l1>
start           -> l1! l2!
l1 ok           -> -
l2 withdrawn    -> Failed
= l1 Succeeded, l2 Stopped, f1 Failed

== a callback waits for its answer: c1 l1<c1>
start           -> c1!
c1 sent         -> -
c1 yes          -> l1!
l1 ok           -> Succeeded
= c1 Succeeded, l1 Succeeded

== an answer may come before the driver knows that the message is out: c1
start           -> c1!
c1 yes          -> Succeeded
c1 sent         -> ignored
= c1 Succeeded

== a callback that is refused fails: c1 l1<c1>
start           -> c1!
c1 sent         -> -
c1 no           -> Failed
= c1 Failed

== a message that cannot be sent fails the step: c1
start           -> c1!
c1 breaks       -> Failed
= c1 Failed

== a message that was sent cannot fail any more: c1
start           -> c1!
c1 sent         -> -
c1 breaks       -> ignored
c1 mute         -> ignored
c1 told         -> ignored
c1 yes          -> Succeeded
= c1 Succeeded

== what comes twice, late or from another attempt is ignored: l1 l2<l1>
l1 ok           -> ignored
stop            -> ignored
start           -> l1!
start           -> ignored
l2 ok           -> ignored
l1/2 ok         -> ignored
l1 ok           -> l2!
l1 ok           -> ignored
l1 breaks       -> ignored
l1 times-out    -> ignored
c9 yes          -> ignored
l2 ok           -> Succeeded
l2 ok           -> ignored
stop            -> ignored
= l1 Succeeded, l2 Succeeded

== an answer of the wrong kind is ignored: l1 c1
start           -> l1! c1!
l1 yes          -> ignored
l1 sent         -> ignored
c1 ok           -> ignored
c1 times-out    -> ignored
= l1 Executing, c1 Executing

== stop waits for a function and starts nothing new: l1 l2<l1>
start           -> l1!
stop            -> -
stop            -> ignored
l1 ok           -> Stopped
= l1 Succeeded

== stop leaves what waits for a slot unlisted: l1 l2
start 1         -> l1!
stop            -> -
l1 ok           -> Stopped
= l1 Succeeded

== a function that breaks while stopping still ends as Stopped: l1
start           -> l1!
stop            -> -
l1 breaks       -> Stopped
= l1 Failed

== a function that outlives its limit while stopping ends as Failed: l1
start           -> l1!
stop            -> -
l1 times-out    -> Failed
= l1 Failed

== a limit that passed before the stop does not count: l1 l2
start           -> l1! l2!
l1 times-out    -> -
stop            -> -
l2 ok           -> Stopped
= l1 Failed, l2 Succeeded

== stop tells a callback and waits for its answer: c1 l1<c1>
start           -> c1!
c1 sent         -> -
stop            -> c1~
c1 told         -> -
c1 yes          -> Stopped
c1 yes          -> ignored
= c1 Stopped

== either answer lets a stopping callback go: c1
start           -> c1!
c1 sent         -> -
stop            -> c1~
c1 no           -> Stopped
= c1 Stopped

== stop before the first message is out tells only after it: c1
start           -> c1!
stop            -> -
c1 sent         -> c1~
c1 sent         -> ignored
c1 told         -> -
c1 yes          -> Stopped
= c1 Stopped

== a first message that fails while stopping ends the step: c1
start           -> c1!
stop            -> -
c1 mute         -> ignored
c1 breaks       -> Stopped
= c1 Failed

== a second message that fails ends the step, so that nothing is stuck: c1 c2
start           -> c1! c2!
c1 sent         -> -
c2 sent         -> -
stop            -> c1~ c2~
c1 mute         -> -
c2 told         -> -
c2 mute         -> ignored
c2 yes          -> Stopped
= c1 Failed, c2 Stopped

== stop tells callbacks only, and the last to end ends the execution: l1 c1 c2
start           -> l1! c1! c2!
c1 sent         -> -
c1 yes          -> -
c2 sent         -> -
stop            -> c2~
c2 yes          -> -
l1 ok           -> Stopped
= l1 Succeeded, c1 Succeeded, c2 Stopped

== a retry runs what failed and what waited for it, and keeps what succeeded: l1 l2<l1> l3 l4<l2,l3>
start           -> l1! l3!
l1 breaks       -> -
l3 ok           -> Failed
retry           -> l1/2!
l1 ok           -> ignored
l1/2 ok         -> l2!
l2 breaks       -> Failed
retry           -> l2/2!
l2/2 ok         -> l4!
l4 ok           -> Succeeded
retry           -> ignored
= l3 Succeeded, l1 Succeeded, l2 Succeeded, l4 Succeeded

== a step can be retried again and again: c1
start           -> c1!
c1 no           -> Failed
retry           -> c1/2!
c1 sent         -> ignored
c1 yes          -> ignored
c1/2 no         -> Failed
retry           -> c1/3!
c1/3 sent       -> -
c1/2 yes        -> ignored
stop            -> c1/3~
c1/3 yes        -> Stopped
= c1 Stopped

== a retry after a stop goes on where it was stopped: l1 c1 l2<l1> q1<l1>?yes{l3|} l3
start           -> l1! c1!
c1 sent         -> -
stop            -> c1~
l1 ok           -> -
c1 yes          -> Stopped
retry           -> l2! c1/2! l3!
l2 ok           -> -
l3 ok           -> -
c1/2 yes        -> Succeeded
= l1 Succeeded, l2 Succeeded, c1 Succeeded, q1 Succeeded, l3 Succeeded

== a retry of what was stopped when all was done succeeds at once: l1
start           -> l1!
stop            -> -
l1 ok           -> Stopped
retry           -> Succeeded
= l1 Succeeded

== a retry can change the number of slots: l1 l2 l3
start           -> l1! l2! l3!
l1 breaks       -> -
l2 breaks       -> -
l3 breaks       -> Failed
retry 2         -> l1/2! l2/2!
l1/2 ok         -> l3/2!
l2/2 breaks     -> -
l3/2 ok         -> Failed
retry           -> l2/3!
l2/3 ok         -> Succeeded
= l1 Succeeded, l3 Succeeded, l2 Succeeded

== a function that outlives its limit while stopping is retried like any other: l1
start           -> l1!
stop            -> -
l1 times-out    -> Failed
retry           -> l1/2!
stop            -> -
l1/2 ok         -> Stopped
= l1 Succeeded

== a condition that failed is decided anew: q1?bad{l1|} l1 l2
start           -> l2!
l2 ok           -> Failed
retry           -> Failed
= l2 Succeeded, q1 Failed

== what runs, is stopping, or ended by a Fail step is not retried: l1 f1<l1> c1
start           -> l1! c1!
retry           -> ignored
c1 sent         -> -
l1 ok           -> -
stop            -> c1~
retry           -> ignored
c1 yes          -> Stopped
retry           -> ignored
= l1 Succeeded, c1 Stopped, f1 Failed

== a step that waits for a failure runs after one, and the execution does not fail: l1 l2<l1:Failed> l3<l1>
start           -> l1!
l1 breaks       -> l2!
l2 ok           -> CompletedWithFailures
= l1 Failed, l2 Succeeded

== a step that waits for a failure does not run after a success: l1 l2<l1:Failed> l3<l2>
start           -> l1!
l1 ok           -> Succeeded
= l1 Succeeded

== a step that waits for any end runs after either: l1 l2 l3<l1:Any,l2:Any>
start           -> l1! l2!
l1 breaks       -> -
l2 ok           -> l3!
l3 ok           -> CompletedWithFailures
= l1 Failed, l2 Succeeded, l3 Succeeded

== a failure that nobody waited for fails the execution: l1 l2 l3<l1:Failed>
start           -> l1! l2!
l1 breaks       -> l3!
l3 ok           -> -
l2 breaks       -> Failed
= l1 Failed, l2 Failed, l3 Succeeded

== the failure of a step that ran on a failure is one more: l1 l2<l1:Failed>
start           -> l1!
l1 breaks       -> l2!
l2 breaks       -> Failed
= l1 Failed, l2 Failed

== other dependencies are waited for all the same: l1 l2 l3<l1:Any,l2>
start           -> l1! l2!
l1 breaks       -> -
l2 breaks       -> Failed
= l1 Failed, l2 Failed

== nothing runs on what a stop stopped: c1 l1<c1:Stopped> l2<c1:Any>
start           -> c1!
c1 sent         -> -
stop            -> c1~
c1 told         -> -
c1 yes          -> Stopped
= c1 Stopped

== a retry waits anew for what failed, and keeps what ran on it: l1 l2<l1:Failed> l3<l1:Failed> l4<l1>
start 2         -> l1!
l1 breaks       -> l2! l3!
l2 ok           -> -
l3 breaks       -> Failed
retry           -> l1/2!
l1/2 ok         -> l4!
l4 ok           -> Succeeded
= l2 Succeeded, l1 Succeeded, l4 Succeeded

== what completed with failures can be retried: l1 l2<l1:Any>
start           -> l1!
l1 breaks       -> l2!
l2 ok           -> CompletedWithFailures
retry           -> l1/2!
l1/2 ok         -> Succeeded
= l2 Succeeded, l1 Succeeded

== after a stop in between, the retry asks each step once: l1 c1 l2<l1:Any,c1>
start           -> l1! c1!
c1 sent         -> -
l1 breaks       -> -
stop            -> c1~
c1 told         -> -
c1 no           -> Stopped
retry           -> l1/2! c1/2!
c1/2 sent       -> -
l1/2 breaks     -> -
c1/2 yes        -> l2!
l2 ok           -> CompletedWithFailures
= l1 Failed, c1 Succeeded, l2 Succeeded
"""


def _cases() -> list[tuple[str, str, str, str]]:
    cases = []
    for block in SCRIPTS.split("== ")[1:]:
        title, *lines = block.strip().splitlines()
        holds, _, steps = title.partition(": ")
        cases.append((holds, steps, "\n".join(lines[:-1]), lines[-1].removeprefix("=").strip()))
    return cases


@pytest.mark.parametrize(("holds", "steps", "script", "listed"), _cases(), ids=[case[0] for case in _cases()])
def test_script(holds: str, steps: str, script: str, listed: str, play: Play) -> None:
    state = play(steps, script)
    assert ", ".join(f"{name} {progress.status}" for name, progress in state.steps.items()) == listed


def test_an_execution_that_failed_says_so_in_the_words_of_aws(play: Play) -> None:
    state = play("l1", "start -> l1!\nl1 breaks -> Failed")
    assert (state.status, state.failure_reason, state.ended_at) == ("Failed", STEP_FAILURE, 1.0)


def test_an_execution_that_did_not_fail_gives_no_reason(play: Play) -> None:
    assert play("l1", "start -> l1!\nl1 ok -> Succeeded").failure_reason is None
    assert play("l1", "start -> l1!\nl1 breaks -> Failed").failure_reason is not None
    assert play("l1", "start -> l1!\nstop -> -\nl1 breaks -> Stopped").failure_reason is None


def test_the_input_fact_comes_first_and_the_state_asked_is_untouched(
    pipeline_of: Callable[[str], Pipeline], started: Callable[..., ExecutionStarted]
) -> None:
    before = decide(begin(pipeline_of("l1 l2<l1>")), started()).state
    copy = before.copy()
    fact = LambdaReturned(at=1, step="l1", attempt=1, payload="{}")
    decision = decide(before, fact)
    assert decision.facts[0] is fact
    assert [type(each).__name__ for each in decision.facts[1:]] == ["StepSucceeded", "StepStarted"]
    assert before == copy
    assert decide(before, fact) == decision
    assert decide(decision.state, fact).state is decision.state
