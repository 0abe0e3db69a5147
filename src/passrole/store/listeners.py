"""Who hears which channel in this process."""

import logging
from collections import defaultdict
from collections.abc import Callable

from passrole.store.interface import Listener, Notice

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

    def tell(self, notice: Notice) -> None:
        """Tell every listener; one that raises keeps the news from nobody else."""
        channel, key = notice
        for listener in tuple(self._by_channel.get(channel, ())):
            try:
                listener(key)
            except Exception:
                log.exception("a listener on %s failed", channel)
