"""Maps host.json's logging.logLevel to Python's loggers."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from local_stack.functions_host.errors import HostConfigurationError

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
_HOST_LOGGER = "local_stack.functions_host"


def configure_logging(levels: Mapping[str, str], *, verbose: bool) -> None:
    """Log to stderr. `Function` (or `default`) sets the app's level, `Host` (or `default`) the host's own.

    Raises: HostConfigurationError for a level that does not exist.
    """
    by_category = {category.casefold(): _level(category, name) for category, name in levels.items()}
    default = by_category.get("default", logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(by_category.get("function", default))
    host_level = logging.DEBUG if verbose else by_category.get("host", default)
    logging.getLogger(_HOST_LOGGER).setLevel(host_level)
    # Every request of every Azure SDK client would be a line.
    logging.getLogger("azure").setLevel(max(root.level, logging.WARNING))


def _level(category: str, name: str) -> int:
    level = _LEVELS.get(name.casefold())
    if level is None:
        raise HostConfigurationError(f"host.json: logging.logLevel.{category}: no level '{name}'")
    return level
