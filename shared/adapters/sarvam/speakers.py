"""Who speaks at Sarvam. Source: `types/configure_connection_data.py` of https://pypi.org/project/sarvamai/0.1.39"""

from __future__ import annotations

from shared.domain.voices import name_of

_V3_NAMES = (
    "shubh aditya ritu priya neha rahul pooja rohan simran kavya amit dev ishita shreya ratan varun manan sumit "
    "roopa kabir aayan ashutosh advait anand tanya tarun sunny mani gokul vijay shruti suhani mohit kavitha rehan "
    "soham rupali"
)
_V2_NAMES = "anushka manisha vidya arya abhilash karun hitesh"
_V3, _V2 = frozenset(_V3_NAMES.split()), frozenset(_V2_NAMES.split())
_FLASH_PARTS = 3
"""Of a name of `bulbul:v4-flash`: `simran_en_customer`."""

DEFAULT_MODEL = "bulbul:v3"
DEFAULT_SPEAKER = "shubh"


def speaker_of(voice: str, model: str, default: str) -> str:
    """The speaker of this name, or the default one where the model has none: another provider's, perhaps."""
    name = name_of(voice).lower()
    if model == "bulbul:v2":
        return name if name in _V2 else default
    if model == "bulbul:v3":
        return name if name in _V3 else default
    return name if name.count("_") >= _FLASH_PARTS - 1 else default
