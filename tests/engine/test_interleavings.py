"""Whatever the order in which a random pipeline's effects come back, and however often it crashes in
between, it ends the same; and its journal alone gives its state."""

from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from passrole.definition import Pipeline
from passrole.engine import State, begin, commands, decide, facts
from passrole.engine.commands import (
    AwaitRetry,
    CancelJob,
    Command,
    CreateResource,
    SearchCache,
    SendCallback,
    SubmitJob,
)
from passrole.engine.facts import Fact, InputFact
from passrole.engine.packed_state import pack, unpack

KINDS = ["l", "l", "l", "c", "c", "p", "p", "k", "m", "m", "q?yes{|}", "q?no{|}", "q?bad{|}"]


@st.composite
def pipelines(draw: st.DrawFn) -> str:
    """Up to eight steps, each waiting for some of those before it; some stand in a branch."""
    words: list[str] = []
    names: list[str] = []
    inside: dict[str, list[list[str]]] = {}
    for number in range(draw(st.integers(1, 8))):
        name, _, decision = draw(st.sampled_from(KINDS)).partition("?")
        name += str(number)
        needed = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
        stands_in_a_branch = draw(st.booleans())
        if inside and stands_in_a_branch:
            inside[draw(st.sampled_from(sorted(inside)))][draw(st.integers(0, 1))].append(name)
        words.append(
            f"{name}<{','.join(needed)}>" + (f"?{decision[: decision.index('{')]}" if decision else "")
        )
        names.append(name)
        if decision:
            inside[name] = [[], []]
    for at, name in enumerate(names):
        if name in inside:
            first, second = map(",".join, inside[name])
            words[at] += f"{{{first}|{second}}}"
    return " ".join(words)


def outcome(step: str, broken: set[int]) -> bool:
    """Whether a step succeeds is settled before the run, not by its order."""
    return int(step[1:]) not in broken


def loses_its_job(step: str, attempt: int) -> bool:
    """Every other job of every other step, so that the next one is not lost."""
    return int(step[1:]) % 2 == 1 and attempt % 2 == 1


class Driver:
    """A journal and an outbox, as a store keeps them: JSON texts only. Searches are answered at once."""

    def __init__(self, pipeline: Pipeline, started: facts.ExecutionStarted) -> None:
        self.pipeline = pipeline
        self.state = begin(pipeline)
        self.journal: list[Fact] = []
        self.outbox: dict[str, bytes] = {}
        self.asked: set[str] = set()
        self.open_callbacks: list[str] = []
        self.jobs: list[str] = []
        self.waits: list[str] = []
        self.tell(started)

    def tell(self, fact: InputFact) -> bool:
        decision = decide(self.state, fact)
        assert decide(self.state, fact) == decision, "deciding changed the state it was asked"
        self.journal += decision.facts
        self.state = decision.state
        for command in decision.commands:
            name = f"{type(command).__name__} {commands.key(command)}"
            assert name not in self.asked, "a command was asked for twice"
            self.asked.add(name)
            self._keep(command)
        return bool(decision.facts)

    def perform(self, key: str, broken: set[int]) -> InputFact:
        command = commands.from_json(orjson.loads(self.outbox.pop(key)))
        fact = self._effect(command, outcome(command.step, broken))
        step = self.state.steps[command.step]
        is_awaited = step.is_running and step.attempt == command.attempt
        assert self.tell(fact) or not (isinstance(command, SubmitJob) and is_awaited)
        return fact

    def answer(self, step: str, broken: set[int]) -> InputFact:
        self.open_callbacks.remove(step)
        name, _, attempt = step.partition("/")
        verdict: Any = "success" if outcome(name, broken) else "failure"
        fact = facts.CallbackAnswered(at=1, step=name, attempt=int(attempt), outcome=verdict)
        self.tell(fact)
        return fact

    def end_job(self, job: str, broken: set[int]) -> InputFact:
        self.jobs.remove(job)
        name, _, attempt = job.partition("/")
        of: Any = {"at": 1, "step": name, "attempt": int(attempt)}
        if loses_its_job(name, int(attempt)):
            fact = facts.JobEnded(**of, succeeded=False, error="SageMaker.JOB_INTERNAL_ERROR")
        else:
            fact = facts.JobEnded(**of, succeeded=outcome(name, broken))
        self.tell(fact)
        return fact

    def come_due(self, wait: str) -> InputFact:
        self.waits.remove(wait)
        name, _, attempt = wait.partition("/")
        fact = facts.RetryDue(at=1, step=name, attempt=int(attempt))
        self.tell(fact)
        return fact

    def finish(self, broken: set[int]) -> State:
        while self.outbox or self.open_callbacks or self.jobs or self.waits:
            if self.outbox:
                self.perform(next(iter(self.outbox)), broken)
            elif self.jobs:
                self.end_job(self.jobs[0], broken)
            elif self.waits:
                self.come_due(self.waits[0])
            else:
                self.answer(self.open_callbacks[0], broken)
        return self.state

    def _keep(self, command: Command) -> None:
        if isinstance(command, AwaitRetry):
            self.waits.append(commands.key(command))
        elif isinstance(command, SearchCache):
            source = "arn:earlier" if int(command.step[1:]) % 3 == 0 else None
            self.tell(facts.CacheSearched(at=1, step=command.step, attempt=command.attempt, source=source))
        else:
            self.outbox[commands.key(command)] = orjson.dumps(commands.to_json(command))

    def _effect(self, command: Command, works: bool) -> InputFact:
        of: Any = {"step": command.step, "attempt": command.attempt}
        if isinstance(command, SendCallback):
            if command.status == "Executing":
                self.open_callbacks.append(commands.key(command))
            return facts.CallbackSent(at=1, **of, status=command.status)
        if isinstance(command, SubmitJob):
            self.jobs.append(commands.key(command))
            return facts.JobSubmitted(at=1, **of, handle={"ProcessingJob": {"Arn": command.name}})
        if isinstance(command, CancelJob):
            return facts.JobCancelSent(at=1, **of)
        if isinstance(command, CreateResource) and loses_its_job(command.step, command.attempt):
            return facts.EffectFailed(at=1, **of, reason="full", error="SageMaker.RESOURCE_LIMIT")
        if isinstance(command, CreateResource) and works:
            return facts.ResourceCreated(at=1, **of)
        if works:
            return facts.LambdaReturned(at=1, **of, payload="null")
        return facts.EffectFailed(at=1, **of, reason="ClientError: broken")


def statuses(state: State) -> dict[str, str]:
    return {"the execution": state.status, **{name: step.status for name, step in state.steps.items()}}


def machine(
    pipeline_of: Callable[[str], Pipeline],
    started: Callable[..., facts.ExecutionStarted],
    replay: Callable[[Pipeline, list[Fact]], State],
) -> type[RuleBasedStateMachine]:
    """The state machine over these fixtures."""

    class Interleavings(RuleBasedStateMachine):
        @initialize(
            steps=pipelines(),
            broken=st.sets(st.integers(0, 7), max_size=2),
            slots=st.none() | st.integers(1, 3),
            may_stop=st.booleans(),
        )
        def start(self, steps: str, broken: set[int], slots: int | None, may_stop: bool) -> None:
            self.may_stop = may_stop
            self.pipeline, self.broken = pipeline_of(steps), broken
            self.driver = Driver(self.pipeline, started(max_parallel_steps=slots))
            self.past: list[InputFact] = []
            self.stopped_with: set[str] | None = None
            self.expected = statuses(Driver(self.pipeline, started()).finish(broken))

        @precondition(lambda self: self.driver.outbox)
        @rule(data=st.data())
        def an_effect_comes_back(self, data: st.DataObject) -> None:
            key = data.draw(st.sampled_from(sorted(self.driver.outbox)))
            self.past.append(self.driver.perform(key, self.broken))

        @precondition(lambda self: self.driver.open_callbacks)
        @rule(data=st.data())
        def a_callback_is_answered(self, data: st.DataObject) -> None:
            step = data.draw(st.sampled_from(self.driver.open_callbacks))
            self.past.append(self.driver.answer(step, self.broken))

        @precondition(lambda self: self.driver.jobs)
        @rule(data=st.data())
        def a_job_ends(self, data: st.DataObject) -> None:
            job = data.draw(st.sampled_from(self.driver.jobs))
            self.past.append(self.driver.end_job(job, self.broken))

        @precondition(lambda self: self.driver.waits)
        @rule(data=st.data())
        def another_job_is_due(self, data: st.DataObject) -> None:
            wait = data.draw(st.sampled_from(self.driver.waits))
            self.past.append(self.driver.come_due(wait))

        @precondition(lambda self: self.past)
        @rule(data=st.data())
        def a_fact_comes_again(self, data: st.DataObject) -> None:
            before = self.driver.state
            assert not self.driver.tell(data.draw(st.sampled_from(self.past)))
            assert self.driver.state is before

        @rule()
        def the_process_restarts(self) -> None:
            self.driver.state = replay(self.pipeline, self.driver.journal)

        @precondition(lambda self: self.driver.state.max_parallel_steps is not None)
        @rule()
        def a_slot_is_added(self) -> None:
            limit = (self.driver.state.max_parallel_steps or 0) + 1
            is_over = self.driver.state.is_over
            changed = facts.ParallelismChanged(at=1, max_parallel_steps=limit)
            assert self.driver.tell(changed) is not is_over

        @precondition(lambda self: self.may_stop)
        @rule()
        def it_is_stopped(self) -> None:
            if self.driver.tell(facts.StopRequested(at=1)):
                self.stopped_with = set(self.driver.state.steps)

        @precondition(lambda self: self.driver.state.is_over)
        @rule(mended=st.booleans())
        def it_is_retried(self, mended: bool) -> None:
            kept = {
                name: step for name, step in self.driver.state.steps.items() if step.status == "Succeeded"
            }
            succeeded = self.driver.state.status == "Succeeded"
            assert self.driver.tell(facts.ExecutionRetried(at=1)) is not succeeded
            assert self.driver.state.steps.items() >= kept.items()
            if mended and not succeeded:
                self.broken = set()
                self.expected = statuses(Driver(self.pipeline, started()).finish(self.broken))
            if not succeeded:
                self.stopped_with = None

        @invariant()
        def the_journal_gives_the_state(self) -> None:
            assert replay(self.pipeline, self.driver.journal) == self.driver.state

        @invariant()
        def a_packed_state_is_the_state(self) -> None:
            assert unpack(pack(self.driver.state), self.pipeline) == self.driver.state

        @invariant()
        def no_more_steps_run_than_there_are_slots(self) -> None:
            state = self.driver.state
            running = [name for name, step in state.steps.items() if step.is_running]
            assert len(running) == state.running
            assert len(running) <= (state.max_parallel_steps or len(running))

        @invariant()
        def an_execution_is_over_exactly_when_nothing_runs(self) -> None:
            assert self.driver.state.is_over == (self.driver.state.running == 0)

        def teardown(self) -> None:
            if not hasattr(self, "driver"):
                return
            end = self.driver.finish(self.broken)
            assert end.is_over
            if self.stopped_with is None:
                assert statuses(end) == self.expected
            else:
                assert (end.status, set(end.steps)) == ("Stopped", self.stopped_with)

    return Interleavings


def test_every_interleaving_ends_the_same(
    pipeline_of: Callable[[str], Pipeline],
    started: Callable[..., facts.ExecutionStarted],
    replay: Callable[[Pipeline, list[Fact]], State],
) -> None:
    run_state_machine_as_test(
        machine(pipeline_of, started, replay),
        settings=settings(max_examples=60, stateful_step_count=25, deadline=None),
    )
