"""Languages and voices by the names that Twilio has for them.

Source: https://www.twilio.com/docs/voice/twiml/say/text-speech, …/twiml/connect/conversationrelay
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_REGIONS = {
    "ar": "ar-AE", "bn": "bn-IN", "cs": "cs-CZ", "da": "da-DK", "de": "de-DE", "el": "el-GR", "en": "en-US",
    "es": "es-ES", "fi": "fi-FI", "fr": "fr-FR", "gu": "gu-IN", "he": "he-IL", "hi": "hi-IN", "hu": "hu-HU",
    "id": "id-ID", "it": "it-IT", "ja": "ja-JP", "kn": "kn-IN", "ko": "ko-KR", "ml": "ml-IN", "mr": "mr-IN",
    "nb": "nb-NO", "nl": "nl-NL", "no": "nb-NO", "pa": "pa-IN", "pl": "pl-PL", "pt": "pt-PT", "ro": "ro-RO",
    "ru": "ru-RU", "sk": "sk-SK", "sv": "sv-SE", "ta": "ta-IN", "te": "te-IN", "th": "th-TH", "tr": "tr-TR",
    "uk": "uk-UA", "ur": "ur-IN", "vi": "vi-VN", "zh": "zh-CN",
}  # fmt: skip
_NOBODY_THERE = {
    "en": "I am sorry, nobody answers there right now. Please call again later. Goodbye.",
    "hi": "माफ़ कीजिए, अभी वहाँ कोई जवाब नहीं दे रहा है। कृपया बाद में फिर कॉल करें।",
    "es": "Lo siento, ahora no contesta nadie. Por favor, llame más tarde. Adiós.",
    "fr": "Désolé, personne ne répond pour le moment. Veuillez rappeler plus tard. Au revoir.",
    "de": "Es tut mir leid, dort nimmt gerade niemand ab. Bitte rufen Sie später wieder an. Auf Wiederhören.",
    "it": "Mi dispiace, al momento non risponde nessuno. La preghiamo di richiamare più tardi. Arrivederci.",
    "pt": "Desculpe, ninguém atende no momento. Por favor, ligue mais tarde. Até logo.",
    "nl": "Het spijt me, er neemt nu niemand op. Belt u later nog eens. Tot ziens.",
}
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_VOICE = re.compile(r"(Polly|Google|ElevenLabs)\.([A-Za-z0-9_-]{1,80})")
_RELAY_PROVIDERS = {"Polly": "Amazon", "Google": "Google", "ElevenLabs": "ElevenLabs"}


def twilio_language(tag: str) -> str:
    """With its region, which Twilio wants; "" for what is no language tag, so that Twilio's default holds."""
    if not _TAG.fullmatch(tag):
        return ""
    return _REGIONS.get(tag.lower(), "") if "-" not in tag else tag


@dataclass(frozen=True, slots=True)
class RelayVoice:
    provider: str
    voice: str


def say_voice(voice: str) -> str:
    """The voice of `<Say>`: `Polly.…` or `Google.…`; "" for any other, so that Twilio's default holds."""
    known = _VOICE.fullmatch(voice)
    return voice if known is not None and known[1] != "ElevenLabs" else ""


def relay_voice(voice: str) -> RelayVoice | None:
    """The voice of a relay, which names its provider apart: from `Polly.…`, `Google.…`, `ElevenLabs.…`."""
    known = _VOICE.fullmatch(voice)
    return None if known is None else RelayVoice(_RELAY_PROVIDERS[known[1]], known[2])


def nobody_there(language: str) -> tuple[str, str]:
    """What a caller is told who was put through in vain, and in which language that is."""
    code = language.partition("-")[0].lower()
    return (_NOBODY_THERE[code], language) if code in _NOBODY_THERE else (_NOBODY_THERE["en"], "en")
