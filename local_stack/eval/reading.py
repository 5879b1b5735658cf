"""Scenario files (YAML) made into scenarios; whatever is wrong is named by its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from local_stack.eval.fields import Fields, WrongField
from local_stack.eval.scenario import (
    LINES,
    MODELS,
    NEEDS,
    SCRIPTED,
    TEXT_LINE,
    Caller,
    CallerLine,
    Judged,
    OfCall,
    OfTurn,
    Persona,
    Scenario,
    ToolUse,
    Words,
    WrongScenario,
)
from local_stack.samples.catalogue import UnknownSample, sample_agent

_PHONE: Final = re.compile(r"\+[1-9]\d{6,14}")
_PERCENTILE: Final = re.compile(r"p(\d{1,2}|100)")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_MOST_TURNS: Final = 50
_LONGEST_MS: Final = 600_000


def read_scenario(file: Path) -> Scenario:
    """Raises: WrongScenario, one line that begins with the file and names the field."""
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
        return _scenario(value, file)
    except OSError as error:
        raise WrongScenario(f"{file}: {error.strerror or error}") from None
    except yaml.YAMLError as error:
        raise WrongScenario(f"{file}: is not YAML: {' '.join(str(error).split())}") from None
    except (WrongField, UnknownSample, UnicodeDecodeError) as error:
        raise WrongScenario(f"{file}: {error}") from None


def _scenario(value: object, file: Path) -> Scenario:
    known = "title agent line caller models needs documents tool_faults finds people expect longest_s"
    top = Fields(value, "", known)
    expect = Fields(top.object("expect"), "expect", "turns call")
    name = file.stem
    if not _NAME.fullmatch(name):
        raise WrongField("the file's name must be of a-z, 0-9, - and _, with at most 41 characters")
    agent_name, agent = _agent(top, name)
    scenario = Scenario(
        name=name,
        title=top.text("title"),
        file=file,
        agent=agent,
        agent_name=agent_name,
        line=top.one_of("line", LINES, TEXT_LINE),
        caller=_caller(top.raw("caller"), file.parent),
        models=top.texts("models", MODELS) or (SCRIPTED,),
        needs=top.texts("needs", NEEDS),
        documents=tuple(file.parent / each for each in top.texts("documents")),
        tool_faults=top.object("tool_faults"),
        finds=top.object("finds"),
        people=_people(top),
        turns=expect.each("turns", _of_turn),
        call=_of_call(expect.raw("call") or {}, "expect.call"),
        longest_s=top.whole("longest_s", 60, 5, 600) or 60,
    )
    _check(scenario)
    return scenario


def _agent(top: Fields, scenario: str) -> tuple[str, Mapping[str, Any]]:
    """A sample agent by its name, one with changes, or a whole document."""
    given = top.raw("agent")
    if isinstance(given, str):
        return f"eval-{given}", sample_agent(given)
    if isinstance(given, Mapping) and "sample" in given:
        change = Fields(given, "agent", "sample change")
        return f"eval-{scenario}", _changed(sample_agent(change.text("sample")), change.object("change"))
    if isinstance(given, Mapping) and given:
        return f"eval-{scenario}", dict(given)
    raise WrongField("agent: must be the name of a sample agent, {sample, change}, or an agent's document")


def _changed(document: Mapping[str, Any], change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Objects are changed within, all else is replaced, and what is null goes. Source: RFC 7386"""
    changed = {name: value for name, value in document.items() if change.get(name, value) is not None}
    for name, value in change.items():
        if isinstance(value, Mapping):
            before = document.get(name)
            changed[name] = _changed(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            changed[name] = value
    return changed


def _people(top: Fields) -> Mapping[str, Any]:
    people = top.object("people")
    for number in people:
        if not isinstance(number, str) or not _PHONE.fullmatch(number):
            raise WrongField(f"people: {number!r} is not a number in E.164 form")
    return people


def _caller(value: object, folder: Path) -> Caller:
    fields = Fields({} if value is None else value, "caller", "lines persona number waits handed")
    number = fields.text("number") if fields.has("number") else ""
    if number and not _PHONE.fullmatch(number):
        raise WrongField(f"caller.number: {number!r} is not a number in E.164 form")
    handed = fields.object("handed")
    if not all(isinstance(each, str) for each in handed.values()):
        raise WrongField("caller.handed: must be an object of texts")
    return Caller(
        lines=fields.each("lines", lambda one, where: _line(one, where, folder)),
        persona=_persona(fields.raw("persona")) if fields.has("persona") else None,
        number=number,
        waits=fields.flag("waits"),
        handed=handed,
    )


def _line(value: object, where: str, folder: Path) -> CallerLine:
    """A text alone, or an object."""
    if isinstance(value, str):
        value = {"say": value}
    fields = Fields(value, where, "say reply tool wav recording interrupts listens language finds faults")
    wav = folder / fields.text("wav") if fields.has("wav") else None
    if wav is not None and not wav.is_file():
        raise WrongField(f"{fields.place('wav')}: there is no file {wav}")
    tool: Mapping[str, Any] | None = None
    if fields.has("tool"):
        call = Fields(fields.raw("tool"), fields.place("tool"), "name arguments say")
        tool = {"name": call.text("name"), "arguments": dict(call.object("arguments"))}
        tool |= {"say": call.text("say")} if call.has("say") else {}
    return CallerLine(
        say=fields.text("say"),
        reply=fields.text("reply", "") if fields.has("reply") else "",
        tool=tool,
        wav=wav,
        interrupts=fields.flag("interrupts"),
        listens=fields.flag("listens"),
        recording=fields.text("recording") if fields.has("recording") else "",
        language=fields.text("language") if fields.has("language") else "",
        finds=fields.object("finds"),
        faults=fields.object("faults"),
    )


def _persona(value: object) -> Persona:
    fields = Fields(value, "caller.persona", "who goal turns")
    return Persona(fields.text("who"), fields.text("goal"), fields.whole("turns", 6, 1, _MOST_TURNS) or 6)


def _words(value: object, where: str) -> Words:
    fields = Fields(value, where, "contains without matches")
    return Words(fields.texts("contains"), fields.texts("without"), fields.patterns("matches"))


def _words_of(fields: Fields, name: str) -> Words:
    return _words(fields.raw(name), fields.place(name)) if fields.has(name) else Words()


def _of_turn(value: object, where: str) -> OfTurn:
    fields = Fields(value, where, "turn said heard outcome within_ms cites")
    turn = fields.whole("turn", None, 0, _MOST_TURNS)
    if turn is None:
        raise WrongField(f"{fields.place('turn')}: is missing")
    outcome = fields.text("outcome") if fields.has("outcome") else ""
    within_ms = fields.number("within_ms", None, 1, _LONGEST_MS)
    said, heard, cites = _words_of(fields, "said"), _words_of(fields, "heard"), fields.texts("cites")
    return OfTurn(turn, said, heard, outcome, within_ms, cites)


def _of_call(value: object, where: str) -> OfCall:
    known = "said shown instructions told tools no_tools language end_reason interrupted_turns intent slots"
    fields = Fields(value, where, f"{known} first_sound_ms result extracted judged")
    return OfCall(
        said=_words_of(fields, "said"),
        shown=_words_of(fields, "shown"),
        instructions=_words_of(fields, "instructions"),
        told=_words_of(fields, "told"),
        tools=fields.each("tools", _tool_use),
        no_tools=fields.texts("no_tools"),
        language=fields.text("language") if fields.has("language") else "",
        end_reason=fields.text("end_reason") if fields.has("end_reason") else "",
        interrupted_turns=fields.whole("interrupted_turns", None, 0, _MOST_TURNS),
        intent=fields.text("intent") if fields.has("intent") else "",
        slots=fields.object("slots"),
        first_sound_ms=_percentiles(fields),
        result=fields.text("result") if fields.has("result") else "",
        extracted=_extracted(fields),
        judged=fields.each("judged", _judged),
    )


def _extracted(fields: Fields) -> Mapping[str, Any]:
    """A value; or words, if an object has nothing but such."""
    found = dict(fields.object("extracted"))
    for name, value in found.items():
        if isinstance(value, Mapping) and value and not set(value) - {"contains", "without", "matches"}:
            found[name] = _words(value, f"{fields.place('extracted')}.{name}")
    return found


def _percentiles(fields: Fields) -> Mapping[str, float]:
    place = fields.place("first_sound_ms")
    limits = fields.object("first_sound_ms")
    for name, limit in limits.items():
        if not _PERCENTILE.fullmatch(name):
            raise WrongField(f"{place}.{name}: is no percentile, such as p50 or p95")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or limit <= 0:
            raise WrongField(f"{place}.{name}: must be a number of milliseconds")
    return {name: float(limit) for name, limit in limits.items()}


def _tool_use(value: object, where: str) -> ToolUse:
    fields = Fields(value, where, "name with times")
    return ToolUse(fields.text("name"), fields.object("with"), fields.whole("times", None, 0, _MOST_TURNS))


def _judged(value: object, where: str) -> Judged:
    fields = Fields(value, where, "rubric at_least")
    return Judged(fields.text("rubric"), fields.number("at_least", 0.7, 0, 1) or 0.0)


def _check(scenario: Scenario) -> None:
    """What fields must have together. Raises: WrongField."""
    caller = scenario.caller
    if caller.persona is not None and caller.lines:
        raise WrongField("caller: has lines and a persona; one of them speaks")
    if caller.persona is None and not caller.lines and not caller.waits:
        raise WrongField("caller.lines: is missing; a caller who says nothing has waits: true")
    if caller.persona is not None and scenario.line not in (TEXT_LINE, "twilio"):
        raise WrongField("caller.persona: whom a model plays calls on the lines text and twilio")
    if caller.persona is not None and SCRIPTED in scenario.models:
        raise WrongField("models: a persona needs a model that thinks; name local alone")
    if scenario.by_text and any(line.interrupts for line in caller.lines):
        raise WrongField("caller.lines: nobody can be interrupted on the line text")
    if caller.waits and caller.lines and not scenario.by_text:
        raise WrongField("caller.waits: who has lines to speak waits on the line text only")
    if caller.lines and caller.lines[0].interrupts:
        raise WrongField("caller.lines[0].interrupts: there is no answer before it")
    if caller.handed and scenario.line not in ("twilio", "vonage"):
        raise WrongField("caller.handed: callers are put through to the lines twilio and vonage")
    for document in scenario.documents:
        if not document.is_file():
            raise WrongField(f"documents: there is no file {document}")
