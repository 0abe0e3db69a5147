"""`passrole` whose roles are assumed for SECONDS, where AWS's shortest sessions last for 900.

    python tests/journeys/short_sessions.py serve --data DIR --port 0

So a program must have its credentials renewed, or is refused as on AWS after an hour.
"""

import sys
from dataclasses import replace
from typing import Any

from passrole.cli import main
from passrole.identities.sessions import Session
from passrole.services import sts

SECONDS = 15


def short(**given: Any) -> Session:
    """In place of Session."""
    session = Session(**given)
    return replace(session, expires=session.issued + SECONDS)


if __name__ == "__main__":
    setattr(sts, "Session", short)  # noqa: B010 (mypy knows it as another room's)
    sys.exit(main())
