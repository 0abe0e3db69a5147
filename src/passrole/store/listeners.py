"""Who hears which channel in this process."""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from passrole.store.interface import Listener

log = logging.getLogger(__name__)


class Listeners:
    """Listeners by channel. Used on the event loop alone."""

    def __init__(self) -> None:
        self._by_channel: defaultdict[str, list[Listener]] = defaultdict(list)

    def add(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear the channel; call the result to stop."""
        self._by_channel[channel].append(listener)

        def stop() -> None:
            heard = self._by_channel.get(channel, [])
            if listener in heard:
                heard.remove(listener)
            if not heard:
                self._by_channel.pop(channel, None)

        return stop

    def tell(self, channel: str, payload: Any) -> None:
        """Tell every listener; one that raises keeps the news from nobody else."""
        for listener in tuple(self._by_channel.get(channel, ())):
            try:
                listener(payload)
            except Exception:
                log.exception("a listener on %s failed", channel)
