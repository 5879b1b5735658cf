"""Hindi in Latin letters: its frequent words, by which it is told from English, and how they are written properly.

Names and English words within Hindi stay in Latin letters, which voices of India read well.
"""

from __future__ import annotations

_WORDS = """
main मैं|mujhe मुझे|mujhko मुझको|mera मेरा|meri मेरी|mere मेरे|hum हम|humein हमें|hame हमें|hamara हमारा
|hamari हमारी|aap आप|aapka आपका|aapki आपकी|aapke आपके|aapko आपको|aapne आपने|tum तुम|tumhara तुम्हारा
|yeh यह|yah यह|woh वह|voh वह|iska इसका|iski इसकी|uska उसका|uski उसकी|unka उनका|apna अपना|apni अपनी
|apne अपने|koi कोई|kuch कुछ|kuchh कुछ|sab सब|kya क्या|kyun क्यों|kyon क्यों|kyu क्यों|kaise कैसे
|kaisa कैसा|kab कब|kahan कहाँ|kahaan कहाँ|kaun कौन|kitna कितना|kitne कितने|kitni कितनी|kaunsa कौनसा
|kaunsi कौनसी|hai है|hain हैं|hoon हूँ|hun हूँ|tha था|thi थी|hoga होगा|hogi होगी|hota होता|hoti होती
|hona होना|raha रहा|rahi रही|rahe रहे|gaya गया|gayi गई|gaye गए|diya दिया|liya लिया|kiya किया|karo करो
|karna करना|karne करने|karta करता|karti करती|karke करके|karein करें|karenge करेंगे|karunga करूँगा
|karungi करूँगी|kijiye कीजिए|dijiye दीजिए|lijiye लीजिए|bataiye बताइए|batao बताओ|batayein बताएँ
|chahiye चाहिए|chahta चाहता|chahti चाहती|chahte चाहते|sakta सकता|sakti सकती|sakte सकते|milega मिलेगा
|milegi मिलेगी|milta मिलता|dena देना|lena लेना|jana जाना|aana आना|bolna बोलना|boliye बोलिए|rukiye रुकिए
|suniye सुनिए|dekhiye देखिए|pata पता|chal चल|liye लिए|saath साथ|baad बाद|pehle पहले|pahle पहले|andar अंदर
|bahar बाहर|upar ऊपर|neeche नीचे|ka का|ki की|ke के|ko को|mein में|aur और|lekin लेकिन|magar मगर|agar अगर
|toh तो|bhi भी|sirf सिर्फ़|phir फिर|fir फिर|kyunki क्योंकि|nahi नहीं|nahin नहीं|haan हाँ|ji जी|theek ठीक
|thik ठीक|accha अच्छा|acha अच्छा|achha अच्छा|bahut बहुत|thoda थोड़ा|thodi थोड़ी|zyada ज़्यादा
|jyada ज़्यादा|abhi अभी|aaj आज|kal कल|parson परसों|subah सुबह|dopahar दोपहर|shaam शाम|sham शाम|raat रात
|baje बजे|din दिन|hafte हफ़्ते|mahine महीने|saal साल|wala वाला|wali वाली|wale वाले|matlab मतलब
|zaroor ज़रूर|jaldi जल्दी|samajh समझ|samay समय|naam नाम|paisa पैसा|paise पैसे|rupaye रुपये|namaste नमस्ते
|namaskar नमस्कार|dhanyavaad धन्यवाद|dhanyavad धन्यवाद|shukriya शुक्रिया|kripya कृपया|maaf माफ़|madad मदद
|kaam काम|baat बात|ghar घर|paas पास|yahan यहाँ|wahan वहाँ|idhar इधर|udhar उधर
|aayega आएगा|aaega आएगा|aayegi आएगी|aayenge आएँगे|aata आता|aati आती|aate आते|aaya आया|aayi आई
|jaata जाता|jaati जाती|jaate जाते|jaayega जाएगा|jayega जाएगा|hua हुआ|hui हुई|hue हुए|ho हो
|milna मिलना|mila मिला|mili मिली|karwana करवाना|karvana करवाना|dijiyega दीजिएगा|kijiyega कीजिएगा
|batana बताना|bataana बताना|dekhna देखना|dekho देखो|suno सुनो|bolo बोलो|chalega चलेगा|lagta लगता|lagega लगेगा
|rehta रहता|rehti रहती|rehna रहना|rahna रहना|aapse आपसे|mujhse मुझसे|isko इसको|usko उसको|kisi किसी|kisne किसने
|jiska जिसका|jiski जिसकी|itna इतना|itni इतनी|utna उतना|wapas वापस|vapas वापस|kharab ख़राब|galat ग़लत|zarurat ज़रूरत
|jarurat ज़रूरत|dikkat दिक्कत|pareshani परेशानी|chalu चालू|paani पानी|bijli बिजली|bhai भाई|didi दीदी|tak तक|se से
|ek एक|chaar चार|paanch पाँच|chhah छह|saat सात|aath आठ|nau नौ|gyarah ग्यारह|barah बारह|pandrah पंद्रह|shunya शून्य
|sau सौ|hazaar हज़ार|hazar हज़ार|dhai ढाई|dedh डेढ़|sava सवा|sadhe साढ़े|saadhe साढ़े|paune पौने
|pehla पहला|pehli पहली|dusra दूसरा|dusri दूसरी|teesra तीसरा|teesri तीसरी
|tarikh तारीख|tareekh तारीख|agast अगस्त|somvar सोमवार|mangalvar मंगलवार|budhvar बुधवार|guruvar गुरुवार|shukravar शुक्रवार
|shanivar शनिवार|ravivar रविवार|itvar इतवार|agla अगला|agli अगली|agle अगले|pichla पिछला|pichli पिछली|pichle पिछले
|hafta हफ़्ता|mahina महीना|parso परसों
|ne ने|kyunke क्योंकि|arey अरे|mai मैं|humko हमको|tumko तुमको
"""

DEVANAGARI: dict[str, str] = dict(pair.split() for pair in _WORDS.replace("\n", "").split("|"))
"""Words in Latin letters, lower case, as they are written in Hindi."""

_NOT_ONLY_HINDI = "main hum din sham mere fir mai ho ka ki ke ko se ne mein tum pata chal hue sab"
DOUBTFUL = frozenset(_NOT_ONLY_HINDI.split())
"""Those that are words of other languages as well: alone they do not make a sentence Hindi."""
