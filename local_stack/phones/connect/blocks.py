"""Performs a flow block by block, as Amazon Connect does.

Source: https://docs.aws.amazon.com/connect/latest/APIReference/flow-language-actions.html
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from local_stack.phones.connect.bot import Bot, BotFailed
from local_stack.phones.connect.flow import Block, Flow
from local_stack.phones.connect.functions import FunctionError
from local_stack.phones.connect.misbehaviour import Misbehaviour
from local_stack.phones.connect.stage import ContactEnded, Stage, spoken_text
from local_stack.phones.connect.transfer import put_through
from local_stack.phones.floor import AGENT_SPEAKS_ON

LONGEST_ANSWER_BYTES: Final = 32 * 1024
_MOST_STEPS: Final = 2000
_MOST_TRIES: Final = 3
_LONGEST_INVOCATION_S: Final = 8


class BlockFailed(Exception):
    """The block takes a branch for errors of this kind."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


async def run_flow(flow: Flow, stage: Stage) -> None:
    """Returns never: raises ContactEnded, LineOver or LineCut."""
    name, loops = flow.start, dict[str, int]()
    for _ in range(_MOST_STEPS):
        block = flow.blocks[name]
        stage.log.add("block_entered", block=block.name, type=block.type)
        try:
            result = await _perform(block, stage, loops)
        except BlockFailed as failed:
            stage.log.add("block_failed", block=block.name, kind=failed.kind, message=str(failed))
            following = block.after_error(failed.kind)
        else:
            following = block.after(result)
        if not following:
            raise ContactEnded("CONTACT_FLOW_DISCONNECT", f"the flow ends at {block.name!r}")
        name = following
    raise ContactEnded("OTHER", "the flow goes round in circles")


async def _perform(block: Block, stage: Stage, loops: dict[str, int]) -> str:
    """The result by which its conditions are chosen. Raises: BlockFailed, ContactEnded, LineOver, LineCut."""
    perform = _BLOCKS.get(block.type)
    if perform is not None:
        return await perform(block, stage)
    if block.type == "Loop":
        return _loop(block, stage, loops)
    raise BlockFailed("NoMatchingError", f"{block.type} is not simulated")


async def _nothing(block: Block, stage: Stage) -> str:
    return ""


async def _stream(block: Block, stage: Stage) -> str:
    if block.parameters.get("MediaStreamingState") == "Enabled":
        stage.start_streaming()
    return ""


async def _invoke(block: Block, stage: Stage) -> str:
    parameters = block.parameters
    limit_s = int(parameters["InvocationTimeLimitSeconds"])
    if parameters.get("InvocationType", "SYNCHRONOUS") != "SYNCHRONOUS" or limit_s > _LONGEST_INVOCATION_S:
        raise BlockFailed("NoMatchingError", "only synchronous invocations of at most 8 s are simulated")
    given = parameters.get("LambdaInvocationAttributes", {})
    event = stage.contact.event({name: stage.contact.resolve(value) for name, value in given.items()})
    if Misbehaviour.ASKS_TWICE in stage.ways:
        stage.beside(_invoked_besides(stage, event, limit_s))
    began_ms = stage.line.now_ms()
    answer = await _tried(stage, event, limit_s, block.name)
    if parameters.get("ResponseValidation", {}).get("ResponseType") == "STRING_MAP" and not _is_string_map(answer):
        stage.complain(f"{block.name}: the answer is no flat object of texts of at most 32 KB")
        raise BlockFailed("NoMatchingError", "the answer does not pass its validation")
    stage.contact.external = dict(answer)
    if not stage.taken_up:
        stage.taken_up = True
        took_ms = round(stage.line.now_ms() - began_ms, 1)
        stage.log.add("webhook_answered", kind="voice", url=stage.app_url, status=200, took_ms=took_ms)
    stage.log.add("flow_told", block=block.name, **{key: answer.get(key, "") for key in ("action", "turn", "told")})
    return ""


async def _tried(stage: Stage, event: dict[str, Any], limit_s: float, what: str) -> Any:
    """A throttled invocation is tried again within the block's time. Raises: BlockFailed."""
    until_ms = stage.line.now_ms() + limit_s * 1000
    throttled = 1 if Misbehaviour.THROTTLED in stage.ways else 0
    for tries in range(1, _MOST_TRIES + 1):
        left_s = (until_ms - stage.line.now_ms()) / 1000
        if left_s <= 0:
            break
        if tries <= throttled:
            stage.log.add("function_throttled", what=what)
            await stage.line.pause(0.2)
            continue
        try:
            return await stage.invoke(event, left_s, what)
        except FunctionError as error:
            raise BlockFailed("NoMatchingError", str(error)) from error
    raise BlockFailed("NoMatchingError", "throttled for too long")


async def _invoked_besides(stage: Stage, event: dict[str, Any], limit_s: float) -> None:
    try:
        await stage.functions.invoke(event, limit_s)
    except FunctionError as error:
        stage.complain(f"the second invocation: {error}")


def _is_string_map(answer: Any) -> bool:
    return (
        isinstance(answer, dict)
        and all(isinstance(value, str) for value in answer.values())
        and len(json.dumps(answer, ensure_ascii=False).encode()) <= LONGEST_ANSWER_BYTES
    )


async def _voice(block: Block, stage: Stage) -> str:
    if not stage.contact.resolve(block.parameters["TextToSpeechVoice"]):
        raise BlockFailed("NoMatchingError", "there is no voice without a name")
    return ""


async def _data(block: Block, stage: Stage) -> str:
    language = stage.contact.resolve(block.parameters.get("LanguageCode", ""))
    if not language:
        raise BlockFailed("NoMatchingError", "there is no language without a name")
    stage.contact.language = language
    stage.log.add("language_chosen", language=language)
    return ""


async def _attributes(block: Block, stage: Stage) -> str:
    contact = stage.contact
    contact.attributes |= {name: contact.resolve(value) for name, value in block.parameters["Attributes"].items()}
    return ""


async def _compare(block: Block, stage: Stage) -> str:
    return stage.contact.resolve(block.parameters["ComparisonValue"])


async def _message(block: Block, stage: Stage) -> str:
    stage.line.floor = AGENT_SPEAKS_ON
    await stage.say(_prompt(block, stage))
    return ""


def _prompt(block: Block, stage: Stage) -> str:
    """Raises: BlockFailed for a prompt that cannot be played."""
    given = stage.contact.resolve(block.parameters.get("SSML") or block.parameters.get("Text", ""))
    if not given:
        raise BlockFailed("NoMatchingError", "there is nothing to play")
    try:
        return spoken_text(given)
    except ValueError as error:
        raise BlockFailed("NoMatchingError", str(error)) from error


async def _bot(block: Block, stage: Stage) -> str:
    try:
        return await Bot(stage, block).talk(_prompt(block, stage))
    except BotFailed as failed:
        raise BlockFailed("NoMatchingError", str(failed)) from failed


async def _transfer(block: Block, stage: Stage) -> str:
    parameters, resolve = block.parameters, stage.contact.resolve
    ring_s = resolve(parameters["ThirdPartyConnectionTimeLimitSeconds"])
    number, keys = resolve(parameters["ThirdPartyPhoneNumber"]), resolve(parameters.get("ThirdPartyDTMFDigits", ""))
    failure = await put_through(stage, number, int(ring_s) if ring_s.isdecimal() else 60, keys)
    if failure:
        raise BlockFailed(failure, f"{number} was not reached")
    return ""


async def _disconnect(block: Block, stage: Stage) -> str:
    raise ContactEnded("CONTACT_FLOW_DISCONNECT", "the flow hung up")


def _loop(block: Block, stage: Stage, loops: dict[str, int]) -> str:
    loops[block.name] = loops.get(block.name, 0) + 1
    if loops[block.name] <= int(stage.contact.resolve(block.parameters["LoopCount"])):
        return "ContinueLooping"
    loops[block.name] = 0
    return "DoneLooping"


_BLOCKS: Final[dict[str, Callable[[Block, Stage], Awaitable[str]]]] = {
    "UpdateFlowLoggingBehavior": _nothing,
    "UpdateContactRecordingBehavior": _nothing,
    "UpdateContactMediaStreamingBehavior": _stream,
    "InvokeLambdaFunction": _invoke,
    "UpdateContactTextToSpeechVoice": _voice,
    "UpdateContactData": _data,
    "UpdateContactAttributes": _attributes,
    "Compare": _compare,
    "MessageParticipant": _message,
    "ConnectParticipantWithLexBot": _bot,
    "TransferParticipantToThirdParty": _transfer,
    "DisconnectParticipant": _disconnect,
}
