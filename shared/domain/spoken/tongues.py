"""What each language needs for saying values: its currencies, months, marks and letters."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Money:
    """Names of a currency: one of it, several, and of its hundredth part."""

    one: str
    many: str
    part_one: str
    part_many: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """`months`: twelve. `moneys`: by ISO 4217. `letters`: names of A to Z, where the language writes none of them."""

    language: str
    point: str
    minus: str
    percent: str
    to: str
    plus: str
    at: str
    dot: str
    and_: str
    months: tuple[str, ...]
    moneys: dict[str, Money]
    letters: tuple[str, ...] = ()
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    abbreviations: dict[str, str] = field(default_factory=dict)
    scales: dict[str, str] = field(default_factory=dict)
    """Words for many, as they are written behind a number, and as they are said."""
    short_scales: dict[str, str] = field(default_factory=dict)
    """More of them, which are written behind amounts of money only."""

    @property
    def many_of_money(self) -> dict[str, str]:
        return self.scales | self.short_scales


def _row(written: str) -> tuple[str, ...]:
    return tuple(written.split())


def _moneys(*names: str) -> dict[str, Money]:
    """Names of INR, USD, EUR and GBP, each "one/many/part/parts"; where fewer are given they do not differ."""
    found = {}
    for code, written in zip(("INR", "USD", "EUR", "GBP"), names, strict=True):
        forms = written.split("/")
        one, many, part, parts = forms if len(forms) == 4 else (forms[0], forms[0], forms[1], forms[1])
        found[code] = Money(one, many, part, parts)
    return found


def _units(written: str) -> dict[str, tuple[str, str]]:
    """Lines of "sign one/many" or "sign both"."""
    found = {}
    for line in written.strip().splitlines():
        sign, _, names = line.strip().partition("=")
        one, _, many = names.partition("/")
        found[sign] = (one, many or one)
    return found


def _scales(written: str) -> dict[str, str]:
    """Of "said=written ways", one after another; each way with a small or a capital letter."""
    found: dict[str, str] = {}
    for entry in written.split("|"):
        said, _, ways = entry.partition("=")
        for way in ways.split():
            found |= {way: said, way.capitalize(): said}
    return found


ENGLISH = Tongue(
    language="en",
    point="point",
    minus="minus",
    percent="percent",
    to="to",
    plus="plus",
    at="at",
    dot="dot",
    and_="and",
    months=_row("January February March April May June July August September October November December"),
    moneys=_moneys(
        "rupee/rupees/paisa/paise", "dollar/dollars/cent/cents", "euro/euros/cent/cents", "pound/pounds/penny/pence"
    ),
    units=_units("""
        kg=kilogram/kilograms
        km=kilometre/kilometres
        cm=centimetre/centimetres
        mm=millimetre/millimetres
        ml=millilitre/millilitres
        m=metre/metres
        g=gram/grams
        mg=milligram/milligrams
        L=litre/litres
        lb=pound/pounds
        lbs=pound/pounds
        oz=ounce/ounces
        ft=foot/feet
        sq ft=square foot/square feet
        km/h=kilometre per hour/kilometres per hour
        kmph=kilometre per hour/kilometres per hour
        mph=mile per hour/miles per hour
        kWh=kilowatt hour/kilowatt hours
        KB=kilobyte/kilobytes
        MB=megabyte/megabytes
        GB=gigabyte/gigabytes
        TB=terabyte/terabytes
        Mbps=megabit per second/megabits per second
        hr=hour/hours
        hrs=hour/hours
        min=minute/minutes
        mins=minute/minutes
        sec=second/seconds
        secs=second/seconds
        ms=millisecond/milliseconds
        °C=degree Celsius/degrees Celsius
        °F=degree Fahrenheit/degrees Fahrenheit
        °=degree/degrees
    """),
    abbreviations={
        "Mr.": "Mister",
        "Mrs.": "Missus",
        "Ms.": "Miz",
        "Dr.": "Doctor",
        "Prof.": "Professor",
        "Sr.": "Senior",
        "Jr.": "Junior",
        "Ltd.": "Limited",
        "Pvt.": "Private",
        "vs.": "versus",
        "etc.": "et cetera",
        "e.g.": "for example",
        "i.e.": "that is",
        "approx.": "approximately",
        "dept.": "department",
        "Dept.": "Department",
    },
    scales=_scales(
        "lakh=lakh lakhs lac lacs|crore=crore crores cr|thousand=thousand k|million=million mn|billion=billion bn"
        "|trillion=trillion"
    ),
    short_scales={"L": "lakh", "M": "million", "B": "billion"},
)

HINDI = Tongue(
    language="hi",
    point="दशमलव",
    minus="माइनस",
    percent="प्रतिशत",
    to="से",
    plus="प्लस",
    at="ऐट",
    dot="डॉट",
    and_="और",
    months=_row("जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"),
    moneys=_moneys("रुपया/रुपये/पैसा/पैसे", "डॉलर/सेंट", "यूरो/सेंट", "पाउंड/पेंस"),
    letters=_row("ए बी सी डी ई एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड"),
    units=_units("""
        kg=किलोग्राम
        किग्रा=किलोग्राम
        km=किलोमीटर
        किमी=किलोमीटर
        cm=सेंटीमीटर
        mm=मिलीमीटर
        m=मीटर
        g=ग्राम
        mg=मिलीग्राम
        ml=मिलीलीटर
        L=लीटर
        ft=फ़ुट
        km/h=किलोमीटर प्रति घंटा
        kmph=किलोमीटर प्रति घंटा
        kWh=किलोवाट घंटा/किलोवाट घंटे
        MB=मेगाबाइट
        GB=गीगाबाइट
        hr=घंटा/घंटे
        hrs=घंटा/घंटे
        min=मिनट
        mins=मिनट
        sec=सेकंड
        °C=डिग्री सेल्सियस
        °=डिग्री
    """),
    abbreviations={"डॉ.": "डॉक्टर", "डा.": "डॉक्टर", "प्रो.": "प्रोफ़ेसर", "लि.": "लिमिटेड", "Dr.": "डॉक्टर"},
    scales=_scales(
        "लाख=lakh lakhs lac lacs लाख|करोड़=crore crores cr करोड़|हज़ार=thousand k हज़ार हजार|अरब=अरब"
        "|मिलियन=million mn|बिलियन=billion bn"
    ),
    short_scales={"L": "लाख", "M": "मिलियन", "B": "बिलियन"},
)


def _indic(language: str, words: str, months: str, *moneys: str) -> Tongue:
    """`words`: point, minus, percent, to, plus, at, dot, and."""
    point, minus, percent, to, plus, at, dot, and_ = words.split()
    return Tongue(language, point, minus, percent, to, plus, at, dot, and_, _row(months), _moneys(*moneys))


_OTHERS = (
    _indic(
        "ta",
        "புள்ளி மைனஸ் சதவீதம் முதல் பிளஸ் அட் டாட் மற்றும்",
        "ஜனவரி பிப்ரவரி மார்ச் ஏப்ரல் மே ஜூன் ஜூலை ஆகஸ்ட் செப்டம்பர் அக்டோபர் நவம்பர் டிசம்பர்",
        "ரூபாய்/பைசா",
        "டாலர்/சென்ட்",
        "யூரோ/சென்ட்",
        "பவுண்டு/பென்ஸ்",
    ),
    _indic(
        "te",
        "పాయింట్ మైనస్ శాతం నుండి ప్లస్ ఎట్ డాట్ మరియు",
        "జనవరి ఫిబ్రవరి మార్చి ఏప్రిల్ మే జూన్ జూలై ఆగస్టు సెప్టెంబర్ అక్టోబర్ నవంబర్ డిసెంబర్",
        "రూపాయి/రూపాయలు/పైసా/పైసలు",
        "డాలర్/డాలర్లు/సెంటు/సెంట్లు",
        "యూరో/యూరోలు/సెంటు/సెంట్లు",
        "పౌండ్/పౌండ్లు/పెన్నీ/పెన్స్",
    ),
    _indic(
        "kn",
        "ಪಾಯಿಂಟ್ ಮೈನಸ್ ಪ್ರತಿಶತ ರಿಂದ ಪ್ಲಸ್ ಅಟ್ ಡಾಟ್ ಮತ್ತು",
        "ಜನವರಿ ಫೆಬ್ರವರಿ ಮಾರ್ಚ್ ಏಪ್ರಿಲ್ ಮೇ ಜೂನ್ ಜುಲೈ ಆಗಸ್ಟ್ ಸೆಪ್ಟೆಂಬರ್ ಅಕ್ಟೋಬರ್ ನವೆಂಬರ್ ಡಿಸೆಂಬರ್",
        "ರೂಪಾಯಿ/ಪೈಸೆ",
        "ಡಾಲರ್/ಸೆಂಟ್",
        "ಯೂರೋ/ಸೆಂಟ್",
        "ಪೌಂಡ್/ಪೆನ್ಸ್",
    ),
    _indic(
        "ml",
        "പോയിന്റ് മൈനസ് ശതമാനം മുതൽ പ്ലസ് അറ്റ് ഡോട്ട് കൂടാതെ",
        "ജനുവരി ഫെബ്രുവരി മാർച്ച് ഏപ്രിൽ മേയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ് സെപ്റ്റംബർ ഒക്ടോബർ നവംബർ ഡിസംബർ",
        "രൂപ/പൈസ",
        "ഡോളർ/സെന്റ്",
        "യൂറോ/സെന്റ്",
        "പൗണ്ട്/പെൻസ്",
    ),
    _indic(
        "bn",
        "দশমিক মাইনাস শতাংশ থেকে প্লাস অ্যাট ডট এবং",
        "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর",
        "টাকা/পয়সা",
        "ডলার/সেন্ট",
        "ইউরো/সেন্ট",
        "পাউন্ড/পেন্স",
    ),
    _indic(
        "mr",
        "दशांश उणे टक्के ते प्लस ॲट डॉट आणि",
        "जानेवारी फेब्रुवारी मार्च एप्रिल मे जून जुलै ऑगस्ट सप्टेंबर ऑक्टोबर नोव्हेंबर डिसेंबर",
        "रुपया/रुपये/पैसा/पैसे",
        "डॉलर/सेंट",
        "युरो/सेंट",
        "पाउंड/पेन्स",
    ),
    _indic(
        "gu",
        "દશાંશ માઈનસ ટકા થી પ્લસ એટ ડોટ અને",
        "જાન્યુઆરી ફેબ્રુઆરી માર્ચ એપ્રિલ મે જૂન જુલાઈ ઓગસ્ટ સપ્ટેમ્બર ઓક્ટોબર નવેમ્બર ડિસેમ્બર",
        "રૂપિયો/રૂપિયા/પૈસો/પૈસા",
        "ડોલર/સેન્ટ",
        "યુરો/સેન્ટ",
        "પાઉન્ડ/પેન્સ",
    ),
)

TONGUES = {tongue.language: tongue for tongue in (ENGLISH, HINDI, *_OTHERS)}


def tongue_of(tag: str) -> Tongue | None:
    """The tongue of a language's tag ("hi", "en-IN"); None where it is not known here."""
    return TONGUES.get(tag.replace("_", "-").partition("-")[0].strip().lower())


def region_of(tag: str) -> str:
    """The region of a tag, "" where it names none; of English without one, the tag's default is the United States."""
    parts = tag.replace("_", "-").upper().split("-")[1:]
    return next((part for part in parts if len(part) == 2), "")
