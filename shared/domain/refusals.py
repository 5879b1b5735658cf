"""What an agent says where it may not answer: a filter refuses, or the money of the day is spent."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.language_switch import primary

_REFUSAL = "I am sorry, I cannot help with that. Is there anything else that I can do for you?"
_REFUSALS: Mapping[str, str] = {
    "en": _REFUSAL,
    "hi": "माफ़ कीजिए, इसमें मैं आपकी मदद नहीं कर सकती। क्या मैं कुछ और कर सकती हूँ?",
    "mr": "माफ करा, यात मी मदत करू शकत नाही. आणखी काही मदत हवी आहे का?",
    "bn": "দুঃখিত, এই বিষয়ে আমি সাহায্য করতে পারছি না। আর কিছু কি করতে পারি?",
    "ta": "மன்னிக்கவும், இதில் என்னால் உதவ முடியாது. வேறு ஏதாவது உதவி வேண்டுமா?",
    "te": "క్షమించండి, ఈ విషయంలో నేను సహాయం చేయలేను. ఇంకేమైనా సహాయం కావాలా?",
    "es": "Lo siento, con eso no puedo ayudarle. ¿Puedo hacer algo más por usted?",
    "fr": "Je suis désolée, je ne peux pas vous aider sur ce point. Puis-je faire autre chose pour vous ?",
    "de": "Es tut mir leid, dabei kann ich nicht helfen. Kann ich sonst noch etwas für Sie tun?",
    "it": "Mi dispiace, in questo non posso aiutarla. Posso fare altro per lei?",
    "pt": "Lamento, não posso ajudar com isso. Posso ajudar em mais alguma coisa?",
    "nl": "Het spijt me, daarbij kan ik niet helpen. Kan ik nog iets anders voor u doen?",
}


def refusal_in(tag: str, agents_own: str) -> str:
    """In the language of a tag, else in the agent's own, else in English."""
    return _REFUSALS.get(primary(tag)) or _REFUSALS.get(primary(agents_own)) or _REFUSAL


_FAREWELL = "I am sorry, I cannot go on with this call today. Please call again tomorrow. Goodbye."
_FAREWELLS: Mapping[str, str] = {
    "en": _FAREWELL,
    "hi": "माफ़ कीजिए, आज मैं बात जारी नहीं रख सकती। कृपया कल फिर फ़ोन करें। नमस्ते।",
    "mr": "माफ करा, आज मी हे संभाषण पुढे नेऊ शकत नाही. कृपया उद्या पुन्हा फोन करा. नमस्कार.",
    "bn": "দুঃখিত, আজ আর কথা চালিয়ে যেতে পারছি না। দয়া করে কাল আবার ফোন করুন। নমস্কার।",
    "ta": "மன்னிக்கவும், இன்று இந்த அழைப்பைத் தொடர முடியாது. நாளை மீண்டும் அழைக்கவும். நன்றி.",
    "te": "క్షమించండి, ఈ రోజు ఈ కాల్‌ను కొనసాగించలేను. దయచేసి రేపు మళ్ళీ కాల్ చేయండి. నమస్కారం.",
    "es": "Lo siento, hoy no puedo continuar esta llamada. Por favor, llame de nuevo mañana. Adiós.",
    "fr": "Je suis désolée, je ne peux pas poursuivre cet appel aujourd'hui. Veuillez rappeler demain. Au revoir.",
    "de": "Es tut mir leid, ich kann dieses Gespräch heute nicht fortsetzen. Bitte rufen Sie morgen wieder an.",
    "it": "Mi dispiace, oggi non posso continuare questa chiamata. La prego di richiamare domani. Arrivederci.",
    "pt": "Lamento, hoje não posso continuar esta chamada. Por favor, ligue novamente amanhã. Adeus.",
    "nl": "Het spijt me, ik kan dit gesprek vandaag niet voortzetten. Belt u morgen alstublieft terug.",
}


def farewell_in(tag: str, agents_own: str) -> str:
    """As `refusal_in`."""
    return _FAREWELLS.get(primary(tag)) or _FAREWELLS.get(primary(agents_own)) or _FAREWELL


def is_farewell(text: str) -> bool:
    return text in _FAREWELLS.values()
