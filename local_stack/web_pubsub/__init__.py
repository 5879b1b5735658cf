"""A local Azure Web PubSub endpoint: same sockets, same upstream events, same REST, no cloud account."""

from __future__ import annotations
