"""A server on the same stack as passrole's, whose answers are constants: what HTTP alone costs.

    python -m bench.bare_server

It says its URL, and ends when it is told to.
"""

import hashlib
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn
import uvloop

MESSAGE = "x" * 200

_IDENTITY = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:iam::111122223333:user/bench</Arn><UserId>AIDAAAAAAAAAAAAAAAAAA</UserId>"
    b"<Account>111122223333</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>"
    b"00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
)
_QUEUE = b'{"QueueUrl": "http://127.0.0.1/111122223333/bench"}'
_SENT = json.dumps(
    {
        "MD5OfMessageBody": hashlib.md5(MESSAGE.encode(), usedforsecurity=False).hexdigest(),
        "MessageId": "00000000-0000-0000-0000-000000000000",
    }
).encode()
_XML, _JSON = b"text/xml", b"application/x-amz-json-1.0"
_ANSWERS: Mapping[bytes, tuple[bytes, bytes]] = {
    b"": (_XML, _IDENTITY),
    b"AmazonSQS.CreateQueue": (_JSON, _QUEUE),
    b"AmazonSQS.SendMessage": (_JSON, _SENT),
}

Message = dict[str, Any]


async def answer(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The whole body is read; the answer is that of the operation."""
    while (await receive()).get("more_body"):
        pass
    type_, body = _ANSWERS[dict(scope["headers"]).get(b"x-amz-target", b"")]
    headers = [(b"content-type", type_), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    settings = uvicorn.Config(
        answer, http="httptools", lifespan="off", ws="none", log_level="warning", access_log=False
    )
    uvloop.run(uvicorn.Server(settings).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
