"""What the scripted model answers: three replies of one length that differ in where their first clause ends.

Each has 40 tokens in three sentences, of which the first has 12. The harness with which other frameworks were
measured answers in the same shape, and begins with "Sure,".
"""

from __future__ import annotations

from typing import Any

_HEARD = "Hello, could you please look up my order number {n} for me?"
_NEW_REST = (
    "It was packed as parcel {n} and is now on its way to your address. "
    "Would you like me to send you link {n} as a text message?"
)
_SAME_REST = (
    "It was packed this morning and is now on its way to your home address. "
    "Would you like me to send you the tracking link as a message?"
)
REPLIES = {
    "unique": f"{{n}}-Sure, I have found the order with the number {{n}} for you. {_NEW_REST}",
    "opener": f"Sure, I have found the order with the number {{n}} for you. {_SAME_REST}",
    "whole": f"I have just now found the order with number {{n}} for you. {_NEW_REST}",
}
"""`{n}` differs in every answer.

unique: the first clause is one token ("5a-Sure,"), and no sentence is ever the same, so that no kept sound helps.
opener: the same clause begins every answer, and two of its sentences are the same; kept sound may help. whole: no
clause ends before the first sentence does, and no sentence is ever the same.
"""
MEANINGS = {
    "unique": "begins with a clause of one token that no cache can know",
    "opener": "begins with the same short clause every time",
    "whole": "first sentence without a clause",
}


def script(reply: str, edition: str = "") -> dict[str, Any]:
    """The script with which the speech and language service gives this reply in every turn of every call.

    `edition`: letters that stand behind every number in the reply, since the service counts from 1 again with every
    script.
    """
    return {"dialogue": [{"heard": _HEARD, "reply": REPLIES[reply].replace("{n}", f"{{n}}{edition}")}]}
