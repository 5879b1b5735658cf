"""Words of days and months, in English, in Hindi, Devanagari and Latin letters, and in other languages of India."""

from __future__ import annotations

from shared.domain.slots.number_words import folded
from shared.domain.spoken.tongues import TONGUES

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
    "fortnight": "fortnight पखवाड़े pakhwade",
    "tarson": "tarson tarso narson नरसों तरसों",
}

_WEEKDAYS_OF_INDIA = (
    "சோமவாரம் திங்கள் திங்கட்கிழமை திங்கள்கிழமை సోమవారం ಸೋಮವಾರ തിങ്കൾ തിങ്കളാഴ്ച সোমবার સોમવાર",
    "செவ்வாய் செவ்வாய்க்கிழமை మంగళవారం ಮಂಗಳವಾರ ചൊവ്വ ചൊവ്വാഴ്ച মঙ্গলবার मंगळवार મંગળવાર",
    "புதன் புதன்கிழமை బుధవారం ಬುಧವಾರ ബുധൻ ബുധനാഴ്ച বুধবার બુધવાર",
    "வியாழன் வியாழக்கிழமை గురువారం ಗುರುವಾರ വ്യാഴം വ്യാഴാഴ്ച বৃহস্পতিবার ગુરુવાર",
    "வெள்ளி வெள்ளிக்கிழமை శుక్రవారం ಶುಕ್ರವಾರ വെള്ളി വെള്ളിയാഴ്ച শুক্রবার શુક્રવાર",
    "சனி சனிக்கிழமை శనివారం ಶನಿವಾರ ശനി ശനിയാഴ്ച শনিবার શનિવાર",
    "ஞாயிறு ஞாயிற்றுக்கிழமை ఆదివారం ಭಾನುವಾರ ഞായർ ഞായറാഴ്ച রবিবার રવિવાર",
)
_DAYS_OF_INDIA = {
    "today": "இன்று இன்னைக்கு ఈరోజు నేడు ಇಂದು ಇವತ್ತು ഇന്ന് আজ આજે",
    "yesterday": "நேற்று నిన్న ನಿನ್ನೆ ഇന്നലെ গতকাল ગઈકાલે काल",
    "tomorrow": "நாளை రేపు ನಾಳೆ നാളെ আগামীকাল આવતીકાલે उद्या",
    "kal": "কাল કાલે",
    "parson": "পরশু પરમદિવસે परवा",
    "overmorrow": "நாளைமறுநாள் ఎల్లుండి ನಾಡಿದ್ದು മറ്റന്നാൾ",
}

MEANINGS: dict[str, str] = {}
"""Of a folded word: `<m5>` for a month, `<w0>` for a weekday (Monday is 0), else one word for all that mean it."""
for _number, _words in enumerate(_MONTHS, start=1):
    MEANINGS |= {folded(word): f"<m{_number}>" for word in _words.split()}
for _tongue in TONGUES.values():
    MEANINGS |= {folded(word): f"<m{number}>" for number, word in enumerate(_tongue.months, start=1)}
for _number, _words in enumerate(map(" ".join, zip(_WEEKDAYS, _WEEKDAYS_OF_INDIA, strict=True))):
    MEANINGS |= {folded(word): f"<w{_number}>" for word in _words.split()}
for _meaning, _words in (*_SAME.items(), *_DAYS_OF_INDIA.items()):
    MEANINGS |= {folded(word): _meaning for word in _words.split()}
_ONLY_IN = {"mai": "hi", "tha": "hi", "thi": "hi", "din": "hi", "मे": "mr"}
"""Words that mean something else in other languages."""


def meaning(word: str, language: str) -> str:
    """`language`: the one that the words about it are in."""
    return MEANINGS.get(word, word) if _ONLY_IN.get(word, language) == language else word
