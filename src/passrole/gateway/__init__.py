"""HTTP in, HTTP out: bytes become a call, the door answers it, the answer becomes bytes.

- `Gateway`: the application, for any listener (asgi.py)
- `Certificates`: TLS under AWS's own names (tls.py)
- `Proxy`, `Target`: the HTTPS proxy for clients that insist on AWS's names (proxy.py)
"""

from passrole.gateway.asgi import Gateway
from passrole.gateway.proxy import Proxy, Target
from passrole.gateway.tls import Certificates

__all__ = ["Certificates", "Gateway", "Proxy", "Target"]
