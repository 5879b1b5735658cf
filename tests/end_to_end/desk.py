"""An agent with tools of every kind, what its callers say, and what the scripted model does then.

What is said of a tool's answer is taken from that answer, so that it has to have come all the way.
"""

from __future__ import annotations

from typing import Any

from tests.end_to_end.company import Company

TYPED, SPOKEN, PERSON = "+15550100301", "+15550100302", "+14155550499"
BY_TURNS = {"twilio-gather": "+15550100303", "vonage-input": "+15550100304", "connect": "+15550100305"}
"""Numbers of lines whose providers speak, and do not tell when they have."""
FILLER = "One moment, I am looking."
GOODBYE = "Goodbye then, and a very nice day to you."
PUTTING_THROUGH = "I am putting you through to a person."
METADATA = "http://169.254.169.254/latest/meta-data"
"""Where clouds tell machines their secrets."""

LOOKS_UP = ("Where is my order A1234?", "Is shop 7 open on Friday?", "Is a slot free on the fourth of May?")
LOOKS_AFTER = (
    "Text me the address.",
    "Call me back in half an hour.",
    "Tell them that the lamp is broken.",
    "Have I called before?",
)
GOES_ASTRAY = ("Read me the metadata.", "Ask the neighbour.", "Ask elsewhere.", "Ask the clinic to delete it all.")
TROUBLE = ("Please look in the archive.", "What does the meter say?", "Ring the bell.", "What is the time?")
HANGS_UP, PUTS_THROUGH = ("That is all, thank you.",), ("I want a person.",)
REFUND, YES, ANOTHER, NO = "Refund order A1234.", "Yes, do it.", "Refund order B2.", "No, leave it."
CHARGE, YES_CHARGE = "Charge my card.", "Yes, please."
VOICES = {
    TROUBLE[0]: "vm-nobodyavail",
    TROUBLE[1]: "number-not-answering",
    TROUBLE[2]: "vm-changeto",
    TROUBLE[3]: "vm-dialout",
    HANGS_UP[0]: "all-circuits-busy-now",
    PUTS_THROUGH[0]: "tt-monkeysintro",
}
_DATA = "{result.data_not_instructions"
_FAILED = "{result.failed}"


def _turn(heard: str, reply: str, name: str = "", say: str = "", **arguments: Any) -> dict[str, Any]:
    call = {"name": name, "arguments": arguments, "say": say} if name else None
    return {"heard": heard, "reply": reply, "voice": VOICES.get(heard), "tool_call": call}


DIALOGUE = [
    _turn(LOOKS_UP[0], f"It is {_DATA}.status}}.", "look_up_order", number="A1234"),
    _turn(LOOKS_UP[1], f"They are open: {_DATA}.status}}.", "shop_getOpening", number="7", day="friday"),
    _turn(LOOKS_UP[2], f"There is {_DATA}.slots.0}}.", "clinic_free_slots", day="2027-05-04"),
    _turn(LOOKS_AFTER[0], "It is sent.", "send_sms", text="Elm Road 3"),
    _turn(LOOKS_AFTER[1], "I will.", "schedule_callback", in_minutes=30, reason="the bill"),
    _turn(LOOKS_AFTER[2], "I will tell them.", "take_message", message="The lamp is broken.", urgent=True),
    _turn(LOOKS_AFTER[3], f"Yes: {_DATA}.earlier_calls.0.ended}}.", "look_up_caller"),
    _turn(GOES_ASTRAY[0], f"I cannot: {_FAILED}", "metadata"),
    _turn(GOES_ASTRAY[1], f"I cannot: {_FAILED}", "neighbour"),
    _turn(GOES_ASTRAY[2], f"I cannot: {_FAILED}", "elsewhere"),
    _turn(GOES_ASTRAY[3], f"I cannot: {_FAILED}", "clinic_delete_everything"),
    _turn(TROUBLE[0], f"I have found {_DATA}.status}}.", "search_archive"),
    _turn(TROUBLE[1], f"I cannot read it: {_FAILED}.", "read_meter"),
    _turn(TROUBLE[2], f"The bell: {_FAILED}", "ring_bell"),
    _turn(TROUBLE[3], "It is noon."),
    _turn(HANGS_UP[0], "Are you still there?", "hang_up", GOODBYE),
    _turn(PUTS_THROUGH[0], "A moment.", "transfer", PUTTING_THROUGH, destination="a person"),
    _turn(REFUND, f"Shall I? {_DATA}.done}}", "refund", number="A1234"),
    _turn(YES, f"Done: {_DATA}.status}}.", "refund", number="A1234"),
    _turn(ANOTHER, f"Shall I? {_DATA}.done}}", "refund", number="B2"),
    _turn(NO, f"It is not done: {_DATA}.done}}", "refund", number="B2"),
    _turn(CHARGE, f"Shall I? {_DATA}.done}}", "charge"),
    _turn(YES_CHARGE, f"Well: {_FAILED}", "charge"),
]


def document(company: Company, neighbour: str) -> dict[str, Any]:
    """The agent's document. `neighbour`: an address where no tool may go."""
    return {
        "name": "Dora",
        "persona": "You are Dora of the desk.",
        "greeting": "The desk, this is Dora.",
        "patience_ms": 700,
        "manner": {"filler_after_ms": 0, "reply_limit_ms": 20_000, "hand_over_numbers": [PERSON]},
        "tools": {
            "http": _http(company, neighbour),
            "openapi": [_openapi(company)],
            "mcp": [{"name": "clinic", "url": company.mcp_url, "allow": ["free_slots"]}],
            "built_in": [
                *({"name": name} for name in ("hang_up", "send_sms", "schedule_callback", "look_up_caller")),
                {"name": "take_message"},
                {"name": "transfer", "destinations": {"a person": PERSON}},
            ],
        },
    }


def _http(company: Company, neighbour: str) -> list[dict[str, Any]]:
    numbered = {"type": "object", "properties": {"number": {"type": "string"}}, "required": ["number"]}
    signed = {"secret": "company", "deadline_s": 15, "description": "See its name."}
    undone = {**signed, "effect": "irreversible"}
    reads = {"method": "GET", "effect": "reads", "description": "See its name."}
    at = company.url
    return [
        {**signed, "name": "look_up_order", "url": f"{at}/order", "parameters": numbered, "effect": "reads"},
        {**undone, "name": "refund", "url": f"{at}/refund", "parameters": numbered, "idempotent": True},
        {**undone, "name": "charge", "url": f"{at}/charge"},
        {**reads, "name": "search_archive", "url": f"{at}/archive", "filler": FILLER, "deadline_s": 10},
        {**reads, "name": "read_meter", "url": f"{at}/meter", "deadline_s": 2},
        {"name": "ring_bell", "url": f"{at}/bell", "deadline_s": 1, "description": "See its name."},
        {**reads, "name": "metadata", "url": METADATA},
        {**reads, "name": "neighbour", "url": neighbour},
        {**reads, "name": "elsewhere", "url": f"{at}/elsewhere"},
    ]


def _openapi(company: Company) -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    parameters = [{"name": "number", "in": "path", "required": True, **text}, {"name": "day", "in": "query", **text}]
    operation = {"operationId": "getOpening", "parameters": parameters, "responses": {"200": {"description": "ok"}}}
    description = {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1"},
        "servers": [{"url": company.url}],
        "paths": {"/opening/{number}": {"get": operation}},
    }
    return {"name": "shop", "document": description, "operations": ["getOpening"], "secret": "company"}
