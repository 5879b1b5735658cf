"""Which addresses belong to the public internet, so that a request to them reaches nothing of ours.

Source: https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry; RFC 6052 (NAT64),
RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NOT_PUBLIC_4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local: the metadata of clouds, the identity endpoint of Functions
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # Looks public, and is the platform's own. Source: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "168.63.129.16/32",
        "100.100.100.200/32",
    )
)
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")  # Teredo and 6to4 carry any IPv4
)
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether this is an address of the public internet; what is no address is none."""
    parsed = _parsed(address)
    if parsed is None:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed in _NAT64:
            return _is_public_4(IPv4Address(int(parsed) & 0xFFFF_FFFF))
        return parsed in _PUBLIC_6 and not any(parsed in network for network in _NOT_PUBLIC_6)
    return _is_public_4(parsed)


def is_loopback(address: str) -> bool:
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in network for network in _NOT_PUBLIC_4)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that is written as IPv6 is taken for what it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
