"""What an agent says while an answer is late, and when none can be had, in the languages of its callers."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.call import Agent
from shared.domain.conversation import APOLOGY
from shared.domain.language_switch import primary

_FILLERS: Mapping[str, tuple[str, ...]] = {
    "en": ("One moment.", "Let me see.", "Just a second.", "Let me check.", "Hmm, let me think."),
    "hi": ("एक पल।", "ज़रा देखते हैं।", "ज़रा रुकिए।", "एक क्षण दीजिए।", "हम्म, सोचते हैं।"),
    "mr": ("एक क्षण.", "बघूया.", "जरा थांबा.", "एक मिनिट."),
    "bn": ("এক মুহূর্ত।", "একটু দেখছি।", "একটু অপেক্ষা করুন।"),
    "ta": ("ஒரு நிமிடம்.", "பார்க்கிறேன்.", "கொஞ்சம் பொறுங்கள்."),
    "te": ("ఒక్క నిమిషం.", "చూస్తాను.", "కొంచెం ఆగండి."),
    "es": ("Un momento.", "Déjeme ver.", "Un segundo.", "A ver."),
    "fr": ("Un instant.", "Je regarde.", "Une seconde.", "Voyons voir."),
    "de": ("Einen Moment.", "Ich schaue kurz nach.", "Einen Augenblick.", "Mal sehen."),
    "it": ("Un attimo.", "Vediamo.", "Un momento.", "Controllo subito."),
    "pt": ("Um momento.", "Deixe-me ver.", "Só um instante.", "Vamos ver."),
    "nl": ("Een ogenblikje.", "Even kijken.", "Momentje.", "Ik kijk even."),
}
_APOLOGIES: Mapping[str, str] = {
    "en": APOLOGY,
    "hi": "माफ़ कीजिए, मेरी तरफ़ कुछ गड़बड़ हो गई। क्या आप फिर से कह सकते हैं?",
    "mr": "माफ करा, माझ्याकडून काहीतरी चूक झाली. कृपया पुन्हा सांगाल का?",
    "bn": "দুঃখিত, আমার দিকে একটা সমস্যা হয়েছে। আপনি কি আবার বলবেন?",
    "ta": "மன்னிக்கவும், என் பக்கம் ஏதோ தவறு நடந்தது. மீண்டும் சொல்ல முடியுமா?",
    "te": "క్షమించండి, నా వైపు ఏదో పొరపాటు జరిగింది. మళ్ళీ చెప్పగలరా?",
    "es": "Lo siento, algo ha fallado por mi parte. ¿Podría repetirlo?",
    "fr": "Toutes mes excuses, un problème est survenu de mon côté. Pourriez-vous répéter ?",
    "de": "Es tut mir leid, bei mir ist etwas schiefgegangen. Könnten Sie das bitte noch einmal sagen?",
    "it": "Mi dispiace, qualcosa è andato storto da parte mia. Può ripetere?",
    "pt": "Desculpe, algo deu errado do meu lado. Pode repetir, por favor?",
    "nl": "Het spijt me, er ging iets mis aan mijn kant. Kunt u dat herhalen?",
}


def fillers_of(agent: Agent) -> tuple[str, ...]:
    """The agent's own phrases, else those of its language; none where nothing is known of the language."""
    return agent.manner.fillers or _FILLERS.get(_language(agent), ())


def apology_of(agent: Agent) -> str:
    """What to say when a turn cannot be saved: the agent's own, else that of its language, else an English one."""
    return agent.manner.apology or _APOLOGIES.get(_language(agent), APOLOGY)


def has_fillers(tag: str) -> bool:
    """Whether there are any in the language of a tag."""
    return primary(tag) in _FILLERS


def has_apology(tag: str) -> bool:
    return primary(tag) in _APOLOGIES


def without_fillers(agent: Agent, heard: str, answer: str) -> str:
    """What of `heard` is the answer's, where fillers were said before it."""
    while filler := next((text for text in fillers_of(agent) if heard.startswith(text)), ""):
        if answer.startswith(filler):
            break
        heard = heard.removeprefix(filler).lstrip()
    return heard


def _language(agent: Agent) -> str:
    """`pt` of `pt-BR`."""
    return agent.language.partition("-")[0].lower()
