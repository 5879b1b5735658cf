"""The words of numbers, in English and in Hindi, Devanagari and Latin letters, as callers say and recognisers write
them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from shared.domain.spoken.numbers import cardinal
from shared.domain.spoken.roman_hindi import DEVANAGARI, DOUBTFUL


def words_of(written: str) -> frozenset[str]:
    return frozenset(written.split())


def _row(written: str) -> tuple[str, ...]:
    return tuple(written.split())


_ENGLISH_UNITS = _row(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ENGLISH_TENS = _row("twenty thirty forty fifty sixty seventy eighty ninety")
_ENGLISH_ORDINALS = _row(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_ENGLISH_MORE = {"fourty": 40, "nought": 0, "naught": 0, "nil": 0}

_LATIN_HINDI = """
0 shunya shoonya sifar zero
1 ek
2 do
3 teen tin
4 char chaar
5 panch paanch
6 chhah chhe chah chhai chhey cheh
7 saat sat
8 aath aat ath
9 nau
10 das dus
11 gyarah gyara
12 barah baarah bara
13 terah tera
14 chaudah chauda
15 pandrah pandra pandhra
16 solah sola
17 satrah satra
18 atharah athara attharah
19 unnis unees
20 bees bis
21 ikkis ikkees
22 bais baees baais
23 teis teees
24 chaubis chaubees
25 pachis pachees pachchis
26 chabbis chhabbis chhabbees
27 sattais sattaees
28 atthais athais
29 untis untees unatis
30 tees
31 iktis ikattis
32 battis
33 taintis
34 chauntis
35 paintis
36 chattis chhattis
37 saintis
38 adtis artis
39 untalis unchalis
40 chalis chaalis chalees
41 iktalis
42 bayalis
43 taintalis
44 chavalis chauvalis
45 paintalis
46 chhiyalis
47 saintalis
48 adtalis
49 unchas
50 pachas pachaas
51 ikyavan
52 bavan
53 tirpan
54 chauvan
55 pachpan
56 chappan chhappan
57 sattavan
58 atthavan
59 unsath
60 sath
61 iksath
62 basath
63 tirsath
64 chaunsath
65 painsath
66 chhiyasath
67 sarsath
68 adsath
69 unhattar
70 sattar
71 ikhattar
72 bahattar
73 tihattar
74 chauhattar
75 pachhattar pachattar
76 chhihattar
77 satattar
78 athattar
79 unnasi unyasi
80 assi
81 ikyasi
82 bayasi
83 tirasi
84 chaurasi
85 pachasi
86 chhiyasi
87 sattasi
88 atthasi
89 navasi
90 nabbe
91 ikyanve
92 banve
93 tiranve
94 chauranve
95 pachanve
96 chhiyanve
97 sattanve
98 atthanve
99 ninyanve
"""
_NOT_ONLY_HINDI = words_of(
    "zero do teen tin char das dus sat ath bis bees tees bara tera chah cheh sola sade pone"
    " hundred hundreds thousand thousands lakh lakhs lac lacs million millions crore crores billion billions"
)
"""Of the words of numbers those that English has, too, or another language."""
_DEVANAGARI_MORE = {
    "छह": 6,
    "छे": 6,
    "छै": 6,
    "पांच": 5,
    "जीरो": 0,
    "ज़ीरो": 0,
    "सिफर": 0,
    "अठारह": 18,
    "पन्द्रह": 15,
    "पंद्रा": 15,
    "इक्यावन": 51,
    "तिरसठ": 63,
    "उन्नासी": 79,
    "छियासठ": 66,
    "अट्ठासी": 88,
    "पच्चासी": 85,
    "उन्यासी": 79,
    "वन": 1,
    "टू": 2,
    "थ्री": 3,
    "फोर": 4,
    "फाइव": 5,
    "सिक्स": 6,
    "सेवन": 7,
    "एट": 8,
    "नाइन": 9,
    "टेन": 10,
}
_HINDI_ORDINALS = {
    1: "पहला पहली पहले pehla pehli pehle pahla pahli",
    2: "दूसरा दूसरी दूसरे dusra dusri doosra doosri",
    3: "तीसरा तीसरी तीसरे teesra teesri tisra tisri",
    4: "चौथा चौथी चौथे chautha chauthi",
    5: "पाँचवाँ पांचवां पाँचवीं पांचवीं paanchva panchva paanchvi",
    6: "छठा छठी छठे chhatha chhathi",
}

MULTIPLIERS = {
    100: "hundred hundreds सौ sau",
    1_000: "thousand thousands हज़ार हजार hazaar hazar hajar",
    100_000: "lakh lakhs lac lacs लाख lakhon",
    1_000_000: "million millions मिलियन",
    10_000_000: "crore crores करोड़ करोड karod karor",
    1_000_000_000: "billion billions",
}
FRACTIONS = {"साढ़े": "0.5", "साढे": "0.5", "saadhe": "0.5", "sadhe": "0.5", "sade": "0.5", "saade": "0.5"}
"""Words before a number that add to it."""
QUARTERS = {
    "सवा": "0.25",
    "sava": "0.25",
    "sawa": "0.25",
    "पौने": "-0.25",
    "पौन": "-0.25",
    "paun": "-0.25",
    "paune": "-0.25",
    "pone": "-0.25",
}
WHOLE_FRACTIONS = {
    "आधा": "0.5",
    "aadha": "0.5",
    "डेढ़": "1.5",
    "डेढ": "1.5",
    "dedh": "1.5",
    "derh": "1.5",
    "ढाई": "2.5",
    "अढ़ाई": "2.5",
    "dhai": "2.5",
    "dhaai": "2.5",
    "adhai": "2.5",
}
REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4, "डबल": 2, "ट्रिपल": 3, "dabal": 2}
VAGUE = words_of("few several some many kuch kai कुछ कई")
"""Words before "thousand" that make no number of it."""
POINTS = frozenset(("point", "पॉइंट", "प्वाइंट", "दशमलव", "dashamlav"))

_NUKTA = "\u093c"
_KEPT_JOINERS = re.compile("[\u200b-\u200d\ufeff]")


def folded(word: str) -> str:
    """As words are compared: lower case, one way to write Devanagari's dots and nasals."""
    word = unicodedata.normalize("NFD", _KEPT_JOINERS.sub("", word).casefold())
    word = "".join(letter for letter in word if letter == "\u094d" or unicodedata.combining(letter) == 0)
    return unicodedata.normalize("NFC", word.replace(_NUKTA, "").replace("\u0901", "\u0902"))


@lru_cache(maxsize=4)
def cardinals(*, with_hindi: bool) -> dict[str, int]:
    """Words below a hundred."""
    found = {word: number for number, word in enumerate(_ENGLISH_UNITS)}
    found |= {word: number for number, word in zip(range(20, 100, 10), _ENGLISH_TENS, strict=True)}
    found |= _ENGLISH_MORE
    if with_hindi:
        for line in _LATIN_HINDI.split("\n"):
            number, *words = line.split() or ["0"]
            found |= {word: int(number) for word in words}
        found |= {folded(cardinal(number, "hi")): number for number in range(100)}
        found |= {folded(word): number for word, number in _DEVANAGARI_MORE.items()}
    return found


@lru_cache(maxsize=1)
def telling_words() -> frozenset[str]:
    """Words in Latin letters, lower case, by which a text is known to be Hindi: of numbers, and of every day."""
    written = [
        _LATIN_HINDI,
        *_HINDI_ORDINALS.values(),
        *MULTIPLIERS.values(),
        *FRACTIONS,
        *QUARTERS,
        *WHOLE_FRACTIONS,
    ]
    numbers = {word for text in written for word in text.split() if word.isascii() and word.isalpha()}
    return frozenset(numbers | DEVANAGARI.keys()) - DOUBTFUL - _NOT_ONLY_HINDI


@lru_cache(maxsize=4)
def ordinals(*, with_hindi: bool) -> dict[str, int]:
    """Words of places in a row, below a hundred."""
    found = {word: number for number, word in enumerate(_ENGLISH_ORDINALS, start=1)}
    tens = zip(range(20, 100, 10), _ENGLISH_TENS, strict=True)
    found |= {f"{word[:-1]}ieth": number for number, word in tens}
    if with_hindi:
        found |= {folded(word): number for number, words in _HINDI_ORDINALS.items() for word in words.split()}
    return found


@lru_cache(maxsize=1)
def multipliers() -> dict[str, int]:
    return {folded(word): size for size, words in MULTIPLIERS.items() for word in words.split()}


@lru_cache(maxsize=1)
def fractions() -> tuple[dict[str, str], dict[str, str]]:
    """Words before a number that add to it, and words that are numbers themselves."""
    adding = {folded(word): size for word, size in (FRACTIONS | QUARTERS).items()}
    return adding, {folded(word): size for word, size in WHOLE_FRACTIONS.items()}
