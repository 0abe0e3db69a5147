"""EventBridge's event patterns: pure, and without a regular expression.

- `compile_pattern`: a text becomes a Pattern, or InvalidPattern says why not in AWS's words (pattern.py)
- `Pattern.matches`: whether an event matches (pattern.py, fields.py)
- `Rules`: an index of many patterns, which tests only those that may match (index.py)

Also here: json_paths.py, the JSON paths of EventBridge's targets and of JsonGet.

The operators are in matchers.py, numbers.py and wildcard.py.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html, and where the guide is silent
https://github.com/aws/event-ruler, the engine that AWS published.
"""

from passrole.patterns.index import Rules
from passrole.patterns.matchers import InvalidPattern
from passrole.patterns.pattern import Pattern, compile_pattern

__all__ = ["InvalidPattern", "Pattern", "Rules", "compile_pattern"]
