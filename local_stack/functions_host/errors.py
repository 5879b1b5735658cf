"""The errors with which the host refuses to start or to act, each with one clear line."""

from __future__ import annotations


class HostConfigurationError(Exception):
    """The app, host.json or the settings cannot be used; the message says what and where."""


class FunctionAppImportError(Exception):
    """`function_app.py` could not be imported; the cause carries the app's own exception."""


class StateDirectoryInUseError(Exception):
    """Another running host owns the state directory."""


class AddressInUseError(Exception):
    """The port is taken or the address is not of this machine."""
