"""Words of several languages that want another word after them, words that do not, and the digits."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HANGING: dict[str, frozenset[str]] = {
    "en": _words(
        "a an the my your his her our their its this these those some any every each another such and"
        " or but so because"
        " if when while although unless until than that which who whose where whether to of in on at by"
        " for from with"
        " without about into onto over under between through during since as like per via i im ive id"
        " ill youre youve"
        " theyre he she we they is are was am be been has have had do does did will would can could"
        " should may might"
        " must shall want need just very really quite basically lets um uh er erm mr mrs ms dr called named"
    ),
    "hi": _words(
        "और या लेकिन मगर पर कि क्योंकि अगर तो जब जो का की के को से में ने मेरा मेरी मेरे मुझे हमारा"
        " आपका उसका एक वह यह मतलब मैं हम"
        " उम अह aur ya lekin magar kyunki agar to jab jo ka ki ke ko se mein mera meri mere mujhe ek matlab main"
        " hum"
    ),
    "es": _words(
        "el la los las un una unos unas mi tu su y o pero porque si cuando que de en a con por para sin"
        " sobre quiero eh"
        " este pues muy"
    ),
    "fr": _words(
        "le la les un une des mon ma mes ton sa et ou mais parce si quand que de du dans à avec pour"
        " sans sur je euh"
        " très donc"
    ),
    "de": _words(
        "der die das den dem ein eine einen einem mein meine und oder aber weil wenn dass ob in an auf"
        " mit für von zu"
        " bei ohne über ich äh ähm also sehr"
    ),
    "pt": _words(
        "o a os as um uma meu minha e ou mas porque se quando que de em com por para sem eu hum então muito"
    ),
    "it": _words(
        "il lo la i gli le un uno una mio mia e o ma perché se quando che di in a con per senza io ehm allora molto"
    ),
    "nl": _words("de het een mijn en of maar omdat als dat in op met voor van naar bij zonder over ik eh dus heel"),
}

HANGING_OR_END: dict[str, frozenset[str]] = {
    "en": _words(
        "it that this these those do does did have has had will would can could should must is are am was be been so"
    ),
    "de": _words("das die"),
}
"""Of these, what also ends sentences: "I think it is.\""""

HANGING_OR_ASKING: dict[str, frozenset[str]] = {
    "en": _words("in on to for with about from at over of need want like"),
    "hi": _words("में से को पर तो"),
    "de": _words("an auf mit zu"),
}
"""Of these, what also ends questions: "Which one is it for?\""""

ENDING_VERBS: dict[str, frozenset[str]] = {
    "hi": _words(
        "है हैं था थी थे हूँ हूं चाहिए गया गई दो दीजिए सकता सकती करो कीजिए hai hain tha thi hoon"
        " chahiye gaya gayi dijiye kijiye"
    )
}
"""With these, sentences of a language end as a rule."""

DIGITS: dict[str, frozenset[str]] = {
    "en": _words("zero oh one two three four five six seven eight nine double triple"),
    "hi": _words("शून्य एक दो तीन चार पाँच पांच छह छः सात आठ नौ ek do teen char paanch chhah saat aath nau"),
    "es": _words("cero uno dos tres cuatro cinco seis siete ocho nueve"),
    "fr": _words("zéro un deux trois quatre cinq six sept huit neuf"),
    "de": _words("null eins zwei zwo drei vier fünf sechs sieben acht neun"),
}
