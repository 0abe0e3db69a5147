"""AWS's wire protocols: HTTP bytes to parameters and back, routing, signatures, constraints; no sockets.

botocore's service descriptions drive everything, the same files that clients use. Nothing here knows what an
operation does, who may call it, or what time it is.

    request -> sigv4.parse_authorization -> route -> sigv4.verify -> chunked.decoded_body   (or sigv2)
            -> parse -> constraints.fault
    result  -> render | fault -> render_fault
"""

from passrole.wire.codecs import parse, render, render_fault
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.routes import Route
from passrole.wire.routing import route

__all__ = ["HttpRequest", "HttpResponse", "Route", "parse", "render", "render_fault", "route"]
