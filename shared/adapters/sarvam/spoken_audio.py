"""Sound as Sarvam sends it: PCM16 mono 16 kHz, torn anywhere, and perhaps with the header of a WAV file before it."""

from __future__ import annotations

_RIFF = b"RIFF"
_DATA = b"data"
_SIZE_BYTES = 4
_LONGEST_HEADER_BYTES = 4096


class SpokenAudio:
    """Fed with bytes, gives whole samples. `linear16` is documented by its name alone, so a header is looked for."""

    def __init__(self) -> None:
        self._begin: bytes | None = b""
        self._torn = b""

    def push(self, data: bytes) -> bytes:
        """What of it is sound, as far as it is whole."""
        if self._begin is not None:
            self._begin += data
            if (unwrapped := _unwrapped(self._begin)) is None:
                return b""
            self._begin, data = None, unwrapped
        data = self._torn + data
        whole = len(data) & ~1
        self._torn = data[whole:]
        return data[:whole]


def _unwrapped(begin: bytes) -> bytes | None:
    """The sound in the first bytes of all; None where more must come to know."""
    if not begin.startswith(_RIFF[: len(begin)]):
        return begin
    at = begin.find(_DATA)
    if at >= 0 and len(begin) >= at + len(_DATA) + _SIZE_BYTES:
        return begin[at + len(_DATA) + _SIZE_BYTES :]
    return None if len(begin) < _LONGEST_HEADER_BYTES else begin
