"""EventBridge's event patterns: pure, and without a regular expression.

- `compile_pattern`: a text becomes a Pattern, or InvalidPattern says why not in AWS's words (pattern.py)
- `Pattern.matches`: whether an event is wanted (pattern.py, fields.py)
- `Rules`: many patterns, of which only those that may match are asked (index.py)

Beside it: json_paths.py, the paths that EventBridge's targets and JsonGet have.

What it rests on: matchers.py, the operators; numbers.py and wildcard.py, two of them with a theory.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html, and event-ruler, the engine
that AWS has published, where the guide is silent.
"""

from passrole.patterns.index import Rules
from passrole.patterns.matchers import InvalidPattern
from passrole.patterns.pattern import Pattern, compile_pattern

__all__ = ["InvalidPattern", "Pattern", "Rules", "compile_pattern"]
