"""`passrole serve` beside others on its database, which the command itself does not do yet."""

import functools
import sys


def main() -> int:
    """passrole's command line."""
    from passrole.cli import main as passrole
    from passrole.store import postgres

    postgres.PostgresStore = functools.partial(postgres.PostgresStore, is_shared=True)  # type: ignore[assignment,misc]
    code: int = passrole()
    return code


if __name__ == "__main__":
    sys.exit(main())
