"""What one instance of a job or of a model's server runs, whatever asked for it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from passrole.runtimes.images import Chosen, Machine
from passrole.runtimes.ml.environment import Access


@dataclass(frozen=True)
class Workload:
    """An image, in the form that stands for it on this machine, and what its program gets.

    The image's own program is `called_with` these words. `form` finds the form, and raises CannotRun.
    `environment` makes the variables from a PATH, `given` are those that the user has named. `work` is where
    the program starts, from /opt/ml. `views` are paths from /opt/ml that it cannot change. One that `serves`
    answers SageMaker's requests until it is ended (serving.py). Its log begins with the `note`.
    """

    image: str | None
    form: Callable[[Machine], Chosen]
    environment: Callable[[str, Access], dict[str, str]]
    given: Collection[str] = ()
    entrypoint: Sequence[str] = ()
    arguments: Sequence[str] = ()
    called_with: Sequence[str] = ()
    work: str = ""
    views: Sequence[str] = ()
    is_isolated: bool = False
    serves: bool = False
    note: str | None = None
