"""What is written as it is spoken: values in words, all else untouched, whatever the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.spoken.scripts import script_shares
from shared.domain.spoken.spoken_form import spoken_form
from shared.domain.spoken.tongues import TONGUES

ENGLISH = [
    ("en", "It is 5.", "It is five."),
    (
        "en",
        "We have 1,250 of them, or 0.75?",
        "We have one thousand two hundred and fifty of them, or zero point seven five?",
    ),
    ("en-IN", "1,00,000 people", "one lakh people"),
    ("en", "the 3rd and the 21st", "the third and the twenty first"),
    ("en", "-5 degrees", "minus five degrees"),
    ("en", "007", "zero zero seven"),
    ("en", "version 2.10.3", "version two dot ten dot three"),
    ("en", "between 10-15", "between ten to fifteen"),
    ("en", "10-15%", "ten to fifteen percent"),
    ("en", "1/2 of it, 24/7", "half of it, twenty four seven"),
    ("en-US", "due 12/05/2026.", "due December fifth, twenty twenty six."),
    ("en-GB", "due 12/05/2026.", "due the twelfth of May twenty twenty six."),
    ("en-IN", "due on the 12/05/2026", "due on the twelfth of May twenty twenty six"),
    ("en-US", "due 25/05/2026", "due May twenty fifth, twenty twenty six"),
    ("en-GB", "31/02/2026", "three one, zero two, two zero two six"),
    ("en", "on 2026-05-12", "on May twelfth, twenty twenty six"),
    ("en-GB", "at 2026-05-12T10:30:00Z", "at the twelfth of May twenty twenty six, ten thirty"),
    ("en-GB", "On 5 May 2026 or the 6th of June.", "On the fifth of May twenty twenty six or the sixth of June."),
    ("en-US", "May 5, 2026 and Dec 1st", "May fifth, twenty twenty six and December first"),
    ("en", "in 2026, 2026 boxes", "in twenty twenty six, two thousand and twenty six boxes"),
    ("en", "at 10:30 am, 14:05, 5 pm and 7:00", "at ten thirty AM, two oh five PM, five PM and seven o’clock"),
    ("en", "Come at 5 p.m. We wait.", "Come at five PM. We wait."),
    ("en-IN", "₹1,25,000.50", "one lakh twenty five thousand rupees and fifty paise"),
    ("en-IN", "Rs. 500, Rs 1 and INR 20", "five hundred rupees, one rupee and twenty rupees"),
    ("en-IN", "₹1.5 lakh, ₹2 cr", "one point five lakh rupees, two crore rupees"),
    (
        "en",
        "$12.50, $1, €1.5 million, £0.50",
        "twelve dollars and fifty cents, one dollar, one point five million euros, fifty pence",
    ),
    ("en", "$10-$15", "ten to fifteen dollars"),
    ("en", "500 INR or 20€", "five hundred rupees or twenty euros"),
    ("en", "call +91 98440 00700.", "call plus nine one, nine eight four four zero, zero zero seven zero zero."),
    ("en", "call 9844000700", "call nine eight four four zero, zero zero seven zero zero"),
    ("en", "(415) 555-0132", "four one five, five five five, zero one three two"),
    ("en", "45% or 2.5 %", "forty five percent or two point five percent"),
    (
        "en",
        "12.5 kg, 1 km, 30°C, 5 GB",
        "twelve point five kilograms, one kilometre, thirty degrees Celsius, five gigabytes",
    ),
    ("en", "order AB-1234X", "order A B, one two three four, X"),
    ("en", "order number 482, #77", "order number four eight two, seven seven"),
    ("en", "Your OTP is 4821", "Your OTP is four eight two one"),
    ("en", "pin code 560001", "pin code five six zero, zero zero one"),
    ("en", "500000 people", "five hundred thousand people"),
    ("en", "Mail john.doe9@example.co.in!", "Mail john dot doe nine at example dot co dot in!"),
    ("en", "See https://www.example.com/a-b.", "See W W W dot example dot com slash a dash b."),
    ("en", "Dr. Rao, No. 5, e.g. Smith & Co. etc.", "Doctor Rao, number five, for example Smith and Co. et cetera."),
]
ENGLISH += [
    ("en-IN", "$1,000,000", "one million dollars"),
    ("en-US", "₹1,25,000 or ₹500000", "one lakh twenty five thousand rupees or five lakh rupees"),
    ("en-IN", "₹500/- only, $5/month", "five hundred rupees only, five dollars per month"),
    ("en", "10:30-11:30, 9am–5pm", "ten thirty to eleven thirty, nine AM to five PM"),
    ("en", "at 5.30 pm", "at five thirty PM"),
    ("en", "00:00 and 24:00", "twelve AM and twelve AM"),
    ("en-GB", "on 12/05 or 3/8", "on the twelfth of May or three over eight"),
    ("en", "4.5/5", "four point five out of five"),
    ("en", "the 1990s, 80C, MP3", "the nineteen nineties, eighty C, M P three"),
    ("en", "COVID-19", "COVID, one nine"),
    ("en", "+5%, 10,000+ people, 50-50", "plus five percent, ten thousand plus people, fifty fifty"),
    ("en", "+91-9844000700", "plus nine one, nine eight four four zero, zero zero seven zero zero"),
    ("en-IN", "pay abc@okbank", "pay abc at okbank"),
    ("en", "2/1/26 and 25/12/26", "February first, twenty twenty six and December twenty fifth, twenty twenty six"),
    ("en-IN", "2/1/26", "the second of January twenty twenty six"),
    ("en", "from 2019–2021", "from twenty nineteen to twenty twenty one"),
    ("en", "open 5-6 pm", "open five to six PM"),
    ("en-IN", "₹5L, ₹2Cr, ₹50K", "five lakh rupees, two crore rupees, fifty thousand rupees"),
    ("en-IN", "Rs 3.5 Lakhs or 2 lac", "three point five lakh rupees or two lakh"),
    ("en", "$1.2M, £2bn, 5 Million", "one point two million dollars, two billion pounds, five million"),
    ("en", "1,000,000th, .5, 16:9", "one millionth, point five, sixteen to nine"),
    (
        "en-IN",
        "98440 00700 or +919844000700",
        "nine eight four four zero, zero zero seven zero zero"
        " or plus nine one, nine eight four four zero, zero zero seven zero zero",
    ),
    ("en", "1-800-555-0199", "one, eight zero zero, five five five, zero one nine nine"),
    (
        "en",
        "card 4000 1234 5678 9010 ending 9010",
        "card four zero zero zero, one two three four, five six seven eight, nine zero one zero"
        " ending nine zero one zero",
    ),
    ("en", "Call 112. Call 112 people.", "Call one one two. Call one hundred and twelve people."),
    ("en", "dial 101 now, CVV 123", "dial one zero one now, CVV one two three"),
    ("en", "on example.com/faq.", "on example dot com slash faq."),
    ("en", "www.a.in/x?id=7&b=2?", "W W W dot a dot in slash x question mark id equals seven and b equals two?"),
    ("en", "200 300, 10,500 and Node.js", "two hundred three hundred, ten thousand five hundred and Node.js"),
]
HINDI = [
    ("hi", "आपका बिल ₹1,25,000.50 है।", "आपका बिल एक लाख पच्चीस हज़ार रुपये और पचास पैसे है।"),
    ("hi-IN", "12/05/2026 को", "बारह मई दो हज़ार छब्बीस को"),
    ("hi", "5 फरवरी 2026", "पाँच फ़रवरी दो हज़ार छब्बीस"),
    ("hi", "10:30 बजे, 1:30, 2:30 और 4:15", "साढ़े दस बजे, डेढ़ बजे, ढाई बजे और सवा चार बजे"),
    ("hi", "शाम 5:45 बजे, 10:20, 2:30 pm", "शाम पौने छः बजे, दस बजकर बीस मिनट, दोपहर ढाई बजे"),
    ("hi", "₹1.5 लाख, 3.5 crore", "डेढ़ लाख रुपये, साढ़े तीन करोड़"),
    ("hi", "45%, 2.5 kg, 5वीं, -3", "पैंतालीस प्रतिशत, दो दशमलव पाँच किलोग्राम, पाँचवीं, माइनस तीन"),
    ("hi", "१२ मई, ५०० रुपये, रु. 20", "बारह मई, पाँच सौ रुपये, बीस रुपये"),
    ("hi", "ऑर्डर AB12", "ऑर्डर ए बी, एक दो"),
    ("hi", "9844000700 पर", "नौ आठ चार चार शून्य, शून्य शून्य सात शून्य शून्य पर"),
    ("hi", "Aapka bill ₹500 hai.", "आपका bill पाँच सौ रुपये है."),
    ("hi", "डॉ. राव a@b.in", "डॉक्टर राव a ऐट b डॉट in"),
    ("hi", "3री मंज़िल, 1ला, 2रे", "तीसरी मंज़िल, पहला, दूसरे"),
    ("hi", "₹5L, ₹2Cr, 3 Lakh", "पाँच लाख रुपये, दो करोड़ रुपये, तीन लाख"),
    ("hi", "9-5 pm", "नौ से शाम पाँच बजे"),
    ("hi", "कॉल करें 112।", "कॉल करें एक एक दो।"),
]
OTHERS = [
    ("ta", "₹1,250 மற்றும் 45%", "ஆயிரத்து இருநூற்று ஐம்பது ரூபாய் மற்றும் நாற்பத்து ஐந்து சதவீதம்"),
    ("te", "12/05/2026", "పన్నెండు మే రెండు వేల ఇరవై ఆరు"),
    ("kn", "₹250", "ಇನ್ನೂರ ಐವತ್ತು ರೂಪಾಯಿ"),
    ("ml", "₹1,500", "ആയിരത്തി അഞ്ഞൂറ് രൂപ"),
    ("bn", "₹1,500.50", "এক হাজার পাঁচশো টাকা এবং পঞ্চাশ পয়সা"),
    ("mr", "2.5", "दोन दशांश पाच"),
    ("gu", "-3", "માઈનસ ત્રણ"),
]


@pytest.mark.parametrize(("language", "written", "said"), [*ENGLISH, *HINDI, *OTHERS])
def test_values_are_said_in_words(language: str, written: str, said: str) -> None:
    assert spoken_form(written, language) == said


@pytest.mark.parametrize(
    "text",
    ["", "Hello, how are you?", "I may come on the second; may I?", "Mr Smith's X-ray…", "नमस्ते, आप कैसे हैं?", "a&b"],
)
def test_words_stay_as_they_are(text: str) -> None:
    assert spoken_form(text, "en") == text


@pytest.mark.parametrize("language", ["de", "", "auto", "unknown", "x-klingon"])
def test_a_language_that_is_not_known_changes_nothing(language: str) -> None:
    text = "12,50 € am 12.05.2026, Dr. Braun & Co."
    assert spoken_form(text, language) == text


_TAGS = ["en", "en-IN", "en-GB", *sorted(TONGUES)]
_PARTS = [
    *(
        "₹",
        "Rs.",
        "$",
        "1,25,000",
        ".50",
        "12/05/2026",
        "2026-05-12",
        "T10:30:00Z",
        "5 May",
        "May 5",
        ", 2026",
        "10:30",
    ),
    *(" am", "p.m.", "+91 98440 00700", "AB", "-", "12", "%", " kg", "@", "a.b", "x@y.com", "https://a.co/1", "Dr."),
    *(
        "etc.",
        "No. 5",
        "th",
        " बजे",
        "शाम ",
        "&",
        " ",
        "lakh",
        "k",
        "१२",
        "#",
        "1/2",
        "°C",
        ".",
        ",",
        "A",
        "०",
        "फ़",
        "0",
    ),
    *("hai", "kya", "\n", "/", "/month", "/-", "+", "0s", "pm", "C", "@x", "×"),
    *("9-5 pm", "16:9", ".5", "L", "Cr", "M", "3री", "a.com", "?", "=1", "98440 00700", "1-800-555-0199", "call 112"),
]
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(_PARTS), max_size=14).map("".join),
    st.lists(st.sampled_from(_PARTS), max_size=10).map(" ".join),
)


@settings(max_examples=400, deadline=None)
@given(_TEXTS, st.sampled_from(_TAGS))
def test_any_text_can_be_said_and_what_is_said_is_said_so_again(text: str, language: str) -> None:
    said = spoken_form(text, language)
    assert spoken_form(said, language) == said
    assert not any(letter.isdecimal() for letter in said)
    if text.endswith(("?", "!")):
        assert said.endswith(text[-1])


VALUES = [
    "5",
    "1,25,000",
    "2.75",
    "3rd",
    "12/05/2026",
    "15 August 2026",
    "10:30 am",
    "₹1,25,000.50",
    "$3.5M",
    "₹2.5 crore",
    "98440 00700",
    "+91 98440 00700",
    "AB-1234X",
    "45%",
    "12.5 kg",
    "30°C",
    "jane.doe9@example.co.in",
    "www.example.com/a-b",
    "10-15",
    "1/2",
    "#4821",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("tag", _TAGS)
def test_words_around_a_value_stay_and_the_value_becomes_words(tag: str, value: str) -> None:
    alone, amid = spoken_form(value, tag), spoken_form(f"Noted, {value}, Priya", tag)
    assert amid == f"Noted, {alone}, Priya"
    letters = [letter for letter in alone if letter.isalpha()]
    assert letters
    assert not any(letter.isdecimal() for letter in alone)


@pytest.mark.parametrize("tag", sorted(TONGUES))
def test_values_are_said_in_the_letters_of_the_language(tag: str) -> None:
    for value in ("5", "1,25,000", "2.75", "10:30", "₹500", "45%", "12/05/2026", "9844000700", "10-15"):
        assert script_shares(spoken_form(value, tag)) == {_SCRIPTS[tag]: 1.0}, (tag, value)


_SCRIPTS = {"en": "Latn", "hi": "Deva", "mr": "Deva", "ta": "Taml", "te": "Telu", "kn": "Knda", "ml": "Mlym"}
_SCRIPTS |= {"bn": "Beng", "gu": "Gujr"}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["order", "Priya", "गुजरात", "நன்றி", "office,", "(floor)", "—"]), min_size=1), _TEXTS)
def test_no_word_is_lost_and_none_is_moved(words: list[str], text: str) -> None:
    """Words that are no part of a value stand in what is said, in their order."""
    written = f"{' '.join(words)} | {text} | {' '.join(reversed(words))}"
    said = spoken_form(written, "en-IN")
    assert said.startswith(f"{' '.join(words)} | ")
    assert said.endswith(f" | {' '.join(reversed(words))}")


@settings(max_examples=400, deadline=None)
@given(_TEXTS, st.sampled_from(_TAGS))
def test_what_is_said_is_no_longer_than_the_words_of_so_many_digits(text: str, language: str) -> None:
    assert len(spoken_form(text, language)) <= LONGEST_OF_A_SIGN * len(text)


LONGEST_OF_A_SIGN = 20
"""Characters: "ஒன்பது" and its pause for a digit, "square feet" for "sq ft", "डब्ल्यू" for a W."""


@pytest.mark.parametrize(
    "part",
    [
        "1",
        "a",
        "1,",
        "a.",
        "A1-",
        "1/",
        "a@",
        "1:",
        "₹",
        "May ",
        "१",
        "+1 ",
        "a.b@",
        "www.",
        "1-",
        "1 ",
        "a.com/",
        ".1",
        "₹1L",
        "1:1",
    ],
)
def test_long_texts_take_time_that_grows_with_their_length_alone(part: str) -> None:
    spoken_form(part * 10, "en-IN")
    began_s = time.process_time()
    spoken_form((part * 20_000)[:20_000], "en-IN")
    assert time.process_time() - began_s < 2.0  # a tenth of it is usual; what is squared takes minutes
