"""Threads that do one thing again and again: those that produce end first, those that consume at the end."""

import threading
from collections.abc import Callable

from botocore.exceptions import ClientError
from tests.chaos.caller import UNANSWERED, NeverAnswered, code, is_for_now
from tests.chaos.told import Told


class Crew:
    """Works from `start` until `rest`."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._no_more, self._over = threading.Event(), threading.Event()
        self._producers: list[threading.Thread] = []
        self._consumers: list[threading.Thread] = []

    def produces(self, act: Callable[[], None], every_seconds: float) -> None:
        self._producers.append(self._thread(act, every_seconds, self._no_more))

    def consumes(self, act: Callable[[], None], every_seconds: float) -> None:
        self._consumers.append(self._thread(act, every_seconds, self._over))

    def start(self) -> None:
        for thread in (*self._consumers, *self._producers):
            thread.start()

    def produce_no_more(self) -> None:
        """What was begun is answered when it returns."""
        self._no_more.set()
        for thread in self._producers:
            thread.join()

    def rest(self) -> None:
        self._over.set()
        self.produce_no_more()
        for thread in self._consumers:
            thread.join()

    def _thread(
        self, act: Callable[[], None], every_seconds: float, end: threading.Event
    ) -> threading.Thread:
        def work() -> None:
            while not end.wait(every_seconds):
                try:
                    act()
                except UNANSWERED as error:
                    self._told.failure(type(error).__name__)
                except ClientError as error:
                    if not is_for_now(error):
                        self._told.wrong(f"{act.__qualname__}: {error}")
                    self._told.failure(code(error))
                except NeverAnswered as error:
                    self._told.wrong(str(error))
                except Exception as error:  # an answer that no client understands, for example
                    self._told.wrong(f"{act.__qualname__}: {error!r}")

        return threading.Thread(target=work, name=act.__qualname__, daemon=True)
