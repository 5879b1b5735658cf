"""Whether a caller has said yes, by small tables of words: where that is not certain, they have not."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from shared.domain.language_switch import primary


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    NEITHER = "neither"


_YES = {
    "en": "yes|yeah|yea|yep|yup|ok|okay|sure|of course|absolutely|definitely|certainly|correct|exactly|confirmed"
    "|i confirm|confirm|go ahead|do it|please do|that's right|thats right|that is right|that's correct|right|fine"
    "|sounds good|agreed|i agree",
    "hi": "हाँ|हां|हा|जी|जी हाँ|जी हां|ठीक है|ठीक|बिल्कुल|सही|सही है|ज़रूर|जरूर|कर दो|कर दीजिए|कर दीजिये|पक्का"
    "|haan|han|haa|ji|theek hai|thik hai|theek|bilkul|sahi|sahi hai|zaroor|zarur|kar do|kar dijiye|pakka",
    "ta": "ஆமா|ஆமாம்|சரி|ஓகே|கண்டிப்பாக|aama|aamaam|sari|seri|kandippaga",
    "te": "అవును|సరే|ఓకే|తప్పకుండా|avunu|sare|tappakunda",
    "kn": "ಹೌದು|ಸರಿ|ಆಯ್ತು|ಓಕೆ|ಖಂಡಿತ|haudu|sari|aytu|khandita",
    "ml": "അതെ|ശരി|ഓക്കെ|തീർച്ചയായും|athe|sheri|theerchayayum",
    "mr": "हो|होय|बरं|ठीक आहे|ठीक|नक्की|चालेल|करा|ho|hoy|bara|thik ahe|nakki|chalel",
    "bn": "হ্যাঁ|হ্যা|আচ্ছা|ঠিক আছে|অবশ্যই|জি|haan|hya|accha|thik ache|oboshyoi",
    "gu": "હા|ઠીક છે|બરાબર|ચોક્કસ|haa|thik chhe|barabar|chokkas",
    "pa": "ਹਾਂ|ਹਾਂਜੀ|ਠੀਕ ਹੈ|ਜੀ|ਜ਼ਰੂਰ|haan|haanji|theek hai|zaroor",
    "es": "sí|si|vale|claro|correcto|de acuerdo|exacto|por supuesto|adelante|confirmo|está bien",
    "fr": "oui|ouais|d'accord|bien sûr|exactement|tout à fait|correct|je confirme|allez-y|c'est bon",
    "de": "ja|jawohl|genau|gerne|klar|natürlich|einverstanden|richtig|stimmt|in ordnung|sicher|bitte machen",
    "pt": "sim|claro|certo|correto|de acordo|pode|confirmo|com certeza|tá bom|está bem",
    "it": "sì|si|certo|va bene|d'accordo|esatto|confermo|giusto|proceda",
    "nl": "ja|jawel|prima|akkoord|klopt|zeker|oké|doe maar",
}
_NOT_YES = {
    "en": "no|nope|nah|not|never|don't|dont|do not|doesn't|isn't|wasn't|didn't|can't|cannot|won't|wouldn't|shouldn't"
    "|aren't|stop|wait|hold on|hang on|wrong|incorrect|nothing|neither|later|maybe|perhaps|unless|if|but|except"
    "|instead|rather|change|different|actually|first|before|what|why|how|when|which|who|where|unsure|think|guess"
    "|another|forget|leave it|nevermind|never mind|repeat|again|sorry|pardon|moment|second|yesterday|said",
    "hi": "नहीं|नही|ना|न|मत|रुको|रुकिए|रुकिये|गलत|ग़लत|बाद|शायद|अगर|लेकिन|मगर|पर|क्या|क्यों|कैसे|कब|कौन|बदल|पहले"
    "|nahi|nahin|nai|na|mat|ruko|rukiye|galat|baad|shayad|agar|lekin|magar|kya|kyon|kyun|kaise|kab|badal|pehle",
    "ta": "இல்லை|வேண்டாம்|நிறுத்து|தப்பு|ஆனால்|என்ன|ஏன்|illai|illa|vendam|venda|aanal|enna|yen",
    "te": "కాదు|వద్దు|లేదు|ఆగండి|తప్పు|కానీ|ఏమిటి|ఎందుకు|kadu|kaadu|vaddu|ledu|kani|enti",
    "kn": "ಇಲ್ಲ|ಬೇಡ|ನಿಲ್ಲಿ|ತಪ್ಪು|ಆದರೆ|ಏನು|ಯಾಕೆ|illa|beda|tappu|adare|enu",
    "ml": "അല്ല|വേണ്ട|ഇല്ല|നിർത്തൂ|തെറ്റ്|പക്ഷേ|എന്ത്|alla|venda|illa|pakshe|enthu",
    "mr": "नाही|नको|नाहीये|थांबा|चुकीचे|पण|काय|का|nahi|nako|thamba|pan|kay",
    "bn": "না|নয়|থামুন|ভুল|কিন্তু|কি|কেন|পরে|naa|noy|bhul|kintu|keno|pore",
    "gu": "ના|નહીં|નથી|રોકો|ખોટું|પણ|શું|કેમ|naa|nahi|nathi|pan|shu",
    "pa": "ਨਹੀਂ|ਨਾ|ਰੁਕੋ|ਗਲਤ|ਪਰ|ਕੀ|ਕਿਉਂ|nahi|nahin|ruko|galat|par|ki",
    "es": "no|nunca|pare|espere|espera|mal|incorrecto|pero|si no|quizás|tal vez|qué|cuándo|cómo|cambiar|otro|otra",
    "fr": "non|pas|jamais|arrêtez|attendez|attends|faux|mais|peut-être|sinon|quoi|pourquoi|comment|quand|autre",
    "de": "nein|nee|nicht|nie|kein|keine|stopp|halt|warten|moment|falsch|aber|vielleicht|wenn|was|warum|wie|wann"
    "|ändern|anders|doch|später|erst",
    "pt": "não|nunca|pare|espere|errado|mas|talvez|se|quê|como|quando|outro|outra|mudar",
    "it": "no|non|mai|aspetti|aspetta|sbagliato|ma|forse|se|cosa|perché|come|quando|altro|cambiare",
    "nl": "nee|niet|nooit|stop|wacht|fout|maar|misschien|als|wat|waarom|hoe|wanneer|anders",
}
_BESIDE = {
    "en": "uh|um|well|oh|so|please|thank|thanks|you|it|that|is|i|am|do|and|the|very|much|all|good|great|perfect|we"
    "|can|you can|this|my|sir|madam|ma'am|then|just|now|with|for|me|am sure|i'm|im",
    "hi": "है|हूँ|हूं|कृपया|धन्यवाद|शुक्रिया|मैं|आप|इसे|यह|ये|करें|कीजिए|hai|kripya|dhanyavaad|shukriya|main|aap|isko",
    "de": "bitte|danke|das|ist|so|machen|sie|es|gut|gern",
    "fr": "s'il|vous|plaît|merci|c'est|bien|très|parfait",
    "es": "por|favor|gracias|está|bien|muy|perfecto|eso|es",
    "pt": "por|favor|obrigado|obrigada|está|bem|muito|perfeito|isso|é",
    "it": "per|favore|grazie|bene|molto|perfetto|è|così",
    "nl": "graag|alstublieft|dank|u|goed|dat|is",
}
_INDIAN = frozenset({"hi", "ta", "te", "kn", "ml", "mr", "bn", "gu", "pa"})
_LONGEST_YES = 12
"""Words: who says more than that has said something else besides."""


def answer_in(words: str, language: str, about: str = "") -> Answer:
    """What a caller's words are as the answer to a question that can be answered by yes; `language`: a tag. `about`:
    words of the question itself, which a yes may repeat.

    Yes is one that begins or ends so, has nothing in it that could take it back, limit it or ask, and hardly any
    word besides. English, and on Indian calls Hindi, counts in every call.
    """
    spoken = _words(words)
    if not spoken:
        return Answer.NEITHER
    languages = _spoken_with(language, words)
    if "?" in words or any(_has(spoken, phrase) for phrase in _phrases(_NOT_YES, languages)):
        return Answer.NO if _says_no(spoken, languages) else Answer.NEITHER
    rest = spoken
    found = False
    for phrase in sorted(_phrases(_YES, languages), key=len, reverse=True):
        shorter = _without(rest, phrase)
        found = found or len(shorter) < len(rest)
        rest = shorter
    beside = {word for phrase in _phrases(_BESIDE, languages) for word in phrase} | set(_words(about))
    unknown = [word for word in rest if word not in beside]
    return Answer.YES if found and not unknown and len(spoken) <= _LONGEST_YES else Answer.NEITHER


def _says_no(spoken: list[str], languages: list[str]) -> bool:
    """The first words of a table are those that say no by themselves."""
    return any(_has(spoken, phrase) for name in languages for phrase in _split(_NOT_YES.get(name, ""))[:8])


def _spoken_with(language: str, words: str) -> list[str]:
    own = primary(language)
    is_indian = own in _INDIAN or language.upper().endswith("-IN") or _is_in_letters_of_india(words)
    return list(dict.fromkeys(["en", *([own] if own else []), *(["hi"] if is_indian else [])]))


def _is_in_letters_of_india(words: str) -> bool:
    return any("\u0900" <= letter <= "\u0d7f" for letter in words)


def _phrases(table: dict[str, str], languages: list[str]) -> list[tuple[str, ...]]:
    return [phrase for name in languages for phrase in _split(table.get(name, ""))]


def _split(entry: str) -> list[tuple[str, ...]]:
    return [tuple(_words(phrase)) for phrase in entry.split("|") if phrase]


def _words(text: str) -> list[str]:
    """Lower case, one spelling of each letter, no punctuation but the apostrophe within a word."""
    text = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    kept = "".join(each if _is_of_word(each) else " " for each in text)
    return [word for word in (each.strip("'") for each in kept.split()) if word]


def _is_of_word(letter: str) -> bool:
    return letter == "'" or unicodedata.category(letter)[0] in "LMN"


def _has(spoken: list[str], phrase: tuple[str, ...]) -> bool:
    return len(_without(spoken, phrase)) < len(spoken)


def _without(spoken: list[str], phrase: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    i = 0
    while i < len(spoken):
        if tuple(spoken[i : i + len(phrase)]) == phrase:
            i += len(phrase)
        else:
            kept.append(spoken[i])
            i += 1
    return kept
