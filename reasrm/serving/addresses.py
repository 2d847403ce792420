"""What service and client both know of addresses and the token."""

import ipaddress

TOKEN = "REASRM_SERVE_TOKEN"  # noqa: S105  the variable's name
"""Environment variable with the token that a service asks for and a client sends."""


def is_loopback(host: str) -> bool:
    """Whether a name or address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
