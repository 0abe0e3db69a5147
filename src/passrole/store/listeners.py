"""Who hears which channel in this process.

Tasks are announced by their shard: where there are several processes, those that have not borrowed it hear
nothing, and need not look at rows that are not theirs.
"""

import logging
from collections import defaultdict
from collections.abc import Callable

from passrole.store import tasks
from passrole.store.interface import Listener, Notice
from passrole.store.share import Share

log = logging.getLogger(__name__)


class Listeners:
    """Listeners by channel. Used on the event loop alone."""

    def __init__(self, share: Share) -> None:
        self._share = share
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
        if tasks.is_channel(channel) and not self._share.has_shard(tasks.announced_shard(key)):
            return
        for listener in tuple(self._by_channel.get(channel, ())):
            try:
                listener(key)
            except Exception:
                log.exception("a listener on %s failed", channel)
