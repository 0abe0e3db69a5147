"""Asks a model's containers one after the other, each with what the one before has answered.

https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipeline-real-time.html
"""

import asyncio
from collections.abc import Mapping, Sequence

from passrole.runtimes.model_client import Answer, ModelClient


class Chain:
    """The containers of one instance, as one server."""

    def __init__(self, clients: Sequence[ModelClient]) -> None:
        self._clients = clients

    async def invoke(
        self, body: bytes, headers: Mapping[str, str], *, seconds_max: float, bytes_max: int
    ) -> Answer:
        """The answer of the last container, or of the first that refuses; all of them have `seconds_max`.

        Raises ServerGone, AnswerTooLarge, TimeoutError.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds_max
        first, *others = self._clients
        answer = await first.invoke(body, headers, seconds_max=seconds_max, bytes_max=bytes_max)
        for client in others:
            if not 200 <= answer.status < 300:
                return answer
            given = {**headers, "Content-Type": answer.content_type or "application/octet-stream"}
            left = max(until - loop.time(), 0.0)
            answer = await client.invoke(answer.body, given, seconds_max=left, bytes_max=bytes_max)
        return answer

    def close(self) -> None:
        """Close the connections that are not in use."""
        for client in self._clients:
            client.close()
