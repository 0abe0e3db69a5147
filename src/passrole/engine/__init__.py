"""The engine: what happens in a pipeline execution, and what is to be done about it.

Pure: knows no clock, id, configuration, store or AWS client; time and randomness arrive inside facts.
`begin`, `fold` and `decide` are all a driver needs; `facts` and `commands` are the words it speaks.
"""

from passrole.engine.decide import decide
from passrole.engine.decision import Decision
from passrole.engine.state import State, StepState, begin, fold
from passrole.engine.step_rules import is_due

__all__ = ["Decision", "State", "StepState", "begin", "decide", "fold", "is_due"]
