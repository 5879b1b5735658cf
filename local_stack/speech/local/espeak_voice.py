"""eSpeak NG for the languages of India: a formant voice that needs no model and makes a sentence in milliseconds."""

from __future__ import annotations

import ctypes
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from local_stack.speech.audio import Pcm, to_pcm16
from local_stack.speech.backend import SPEECH_RATE_HZ

LIBRARY = "libespeak-ng.so"
_BLOCK = 0x80
_LANGUAGES = {0x0900: "hi", 0x0980: "bn", 0x0A80: "gu", 0x0B80: "ta", 0x0C00: "te", 0x0C80: "kn", 0x0D00: "ml"}
"""By the block of Unicode in which their letters are; Marathi is read as Hindi, whose letters it has."""
_SENTENCE_END = re.compile(r"(?<=[.!?।॥])\s+")

# Source: https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_UTF8 = 1
_RATE = 1
_WORDS_PER_MINUTE = 150
_LEVEL = 0.45
"""So loud is the English voice beside it."""
_SPEEDS = (0.54, 3.0)
"""eSpeak takes 80 to 450 words per minute."""
_TAKES_SOUND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class EspeakVoice:
    """Speaks seven languages of India, and English words among theirs. The library has one state for the process:
    one text at a time, whoever asks.
    """

    def __init__(self, folder: Path) -> None:
        """`folder` holds the library and its data. Raises: OSError where it is not made for this machine."""
        self._library: Any = ctypes.CDLL(str(folder / LIBRARY))
        self._rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(folder).encode(), _DONT_EXIT))
        if self._rate_hz <= 0:
            raise OSError(f"{folder}: eSpeak NG finds no data there")
        self._made: list[bytes] = []
        self._take = _TAKES_SOUND(self._taken)  # the library keeps no reference of its own
        self._library.espeak_SetSynthCallback(self._take)
        self._turn = threading.Lock()

    def reads(self, text: str) -> bool:
        return bool(language_of(text))

    def pieces(self, text: str) -> list[str]:
        """Sentences, which are synthesised one after the other."""
        return _SENTENCE_END.split(text)

    def synthesize(self, piece: str, speed: float) -> bytes:
        """PCM16 little-endian mono at 24 kHz. Raises: RuntimeError where the library refuses."""
        said = piece.replace("\0", " ").encode()
        pace = round(_WORDS_PER_MINUTE * min(max(speed, _SPEEDS[0]), _SPEEDS[1]))
        with self._turn:
            self._made.clear()
            library, language = self._library, language_of(piece) or "en"
            refused = library.espeak_SetVoiceByName(language.encode()) or library.espeak_SetParameter(_RATE, pace, 0)
            if refused or library.espeak_Synth(said, len(said) + 1, 0, 1, 0, _UTF8, None, None):
                raise RuntimeError(f"eSpeak NG refuses to speak {language}")
            pcm = b"".join(self._made)
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(_LEVEL / 32768.0)
        return to_pcm16(Pcm(samples, self._rate_hz).at(SPEECH_RATE_HZ).samples)

    def _taken(self, samples: int | None, count: int, _: int | None) -> int:
        """Called by the library with sound of its own memory; 0: it is to go on."""
        if samples and count > 0:
            self._made.append(ctypes.string_at(samples, count * 2))
        return 0


def language_of(text: str) -> str:
    """The language in whose letters most of the text is; "" where none of them is of India."""
    found = Counter(_LANGUAGES.get(ord(letter) // _BLOCK * _BLOCK, "") for letter in text)
    del found[""]
    return found.most_common(1)[0][0] if found else ""
