"""The orders of a small shop."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


def _first_orders() -> dict[str, dict[str, Any]]:
    return {
        "A1234": {"status": "on its way", "items": ["a blue kettle"], "arrives": "tomorrow before noon"},
        "B5678": {"status": "being packed", "items": ["two reading lamps"], "arrives": "on Friday"},
        "C9012": {"status": "delivered", "items": ["a garden hose"], "arrives": "last Monday"},
    }


@dataclass
class OrderBook:
    """Answers as an HTTP service does: a status and a document."""

    orders: dict[str, dict[str, Any]] = field(default_factory=_first_orders)

    def look_up(self, number: str) -> tuple[int, Any]:
        """However the number is written: `a 1234`, `A-1234`."""
        plain = _plain(number)
        order = self.orders.get(plain)
        return (404, {"error": "there is no such order"}) if order is None else (200, {"number": plain, **order})

    def cancel(self, number: str) -> tuple[int, Any]:
        """Only what has not left the house; again is the same as once."""
        plain = _plain(number)
        order = self.orders.get(plain)
        if order is None:
            return 404, {"error": "there is no such order"}
        if order["status"] not in ("being packed", "cancelled"):
            return 409, {"error": f"the order is {order['status']}"}
        order["status"] = "cancelled"
        return 200, {"number": plain, **order}


def _plain(number: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", number.upper())
