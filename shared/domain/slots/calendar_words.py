"""Words of days and months, in English and in Hindi, Devanagari and Latin letters."""

from __future__ import annotations

from shared.domain.slots.number_words import folded

_MONTHS = (
    "january jan जनवरी janvari janwari",
    "february feb फरवरी farvari farwari",
    "march mar मार्च",
    "april apr अप्रैल aprail",
    "may मई mai",
    "june jun जून joon",
    "july jul जुलाई julai",
    "august aug अगस्त agast",
    "september sep sept सितंबर सितम्बर sitambar",
    "october oct अक्टूबर अक्तूबर aktubar",
    "november nov नवंबर नवम्बर navambar",
    "december dec दिसंबर दिसम्बर disambar",
)
_WEEKDAYS = (
    "monday mon mondays सोमवार somvar somwar मंडे",
    "tuesday tue tues mangalvar mangalwar मंगलवार ट्यूसडे",
    "wednesday wed budhvar budhwar बुधवार वेडनेसडे",
    "thursday thu thur thurs guruvar guruwar brihaspativar गुरुवार गुरूवार बृहस्पतिवार वीरवार थर्सडे",
    "friday fri shukravar shukrawar शुक्रवार फ्राइडे",
    "saturday shanivar shaniwar शनिवार सैटरडे",
    "sunday sun ravivar raviwar itvar itwar रविवार इतवार संडे",
)
_SAME = {
    "today": "today tonight आज aaj",
    "yesterday": "yesterday",
    "tomorrow": "tomorrow tomorrow's tmrw",
    "kal": "कल kal",
    "parson": "परसों परसो parson parso parsoo",
    "day": "day days दिन दिनों din dino",
    "week": "week weeks हफ्ते हफ़्ते हफ्ता सप्ताह hafte hafta saptah",
    "month": "month months महीने महीना mahine mahina",
    "year": "year years साल वर्ष saal",
    "after": "later बाद baad",
    "ago": "ago पहले pehle pahle",
    "next": "next अगले अगली अगला agle agli agla",
    "last": "last previous पिछले पिछली पिछला pichle pichli pichla",
    "this": "this coming इस yah यह",
    "date": "tarikh tareekh तारीख तारीख़ dinank दिनांक",
    "was": "था थी थे tha thi gaya गया गई आया aaya",
    "weekend": "weekend वीकेंड",
}

MEANINGS: dict[str, str] = {}
"""Of a folded word: `<m5>` for a month, `<w0>` for a weekday (Monday is 0), else one word for all that mean it."""
for _number, _words in enumerate(_MONTHS, start=1):
    MEANINGS |= {folded(word): f"<m{_number}>" for word in _words.split()}
for _number, _words in enumerate(_WEEKDAYS):
    MEANINGS |= {folded(word): f"<w{_number}>" for word in _words.split()}
for _meaning, _words in _SAME.items():
    MEANINGS |= {folded(word): _meaning for word in _words.split()}
_HINDI_ONLY = frozenset(("mai", "tha", "thi", "din"))


def meaning(word: str, *, with_hindi: bool) -> str:
    return word if word in _HINDI_ONLY and not with_hindi else MEANINGS.get(word, word)
