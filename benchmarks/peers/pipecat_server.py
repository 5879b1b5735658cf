"""A voice agent made with pipecat, as a Twilio Media Streams server; runs in pipecat's own environment.

Settings are environment variables: PEER_PORT, PEER_VARIANT (`default`: what its own starter template uses;
`lowlat`: the quickest that its options allow) and SPEECH_URL (a service with OpenAI's protocol).
"""

# mypy: disable-error-code="import-not-found, misc, untyped-decorator"
# pipecat is installed for itself, not beside the code that is checked.

from __future__ import annotations

import os
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3  # noqa: F401 - see warm_up
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

VARIANT = os.environ.get("PEER_VARIANT", "default")
SERVICES = {"api_key": "local", "base_url": os.environ.get("SPEECH_URL", "http://127.0.0.1:7081") + "/v1"}
TELEPHONE_HZ, SYNTHESIS_HZ = 8000, 24_000

app = FastAPI()


class PromptSynthesis(OpenAITTSService):
    """Hands on what it receives after 100 ms of sound."""

    @property
    def chunk_size(self) -> int:
        return SYNTHESIS_HZ // 10 * 2


def turn_taking() -> LLMUserAggregatorParams:
    """When the caller's turn begins and ends; by default as the framework does it, with its turn model."""
    if VARIANT == "default":
        return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    quick = VADParams(start_secs=0.1, stop_secs=0.1)
    at_once = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)])
    return LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer(params=quick), user_turn_strategies=at_once)


def services() -> tuple[Any, Any, Any]:
    """Hearing, thinking and speaking, all of them the scripted service."""
    llm = OpenAILLMService(**SERVICES, settings=OpenAILLMService.Settings(system_instruction="You look up orders."))
    if VARIANT == "default":
        return OpenAISTTService(**SERVICES), llm, OpenAITTSService(**SERVICES, sample_rate=SYNTHESIS_HZ)
    hearing = OpenAISTTService(**SERVICES, trailing_silence_secs=0.0)
    return hearing, llm, PromptSynthesis(**SERVICES, sample_rate=SYNTHESIS_HZ)


@app.websocket("/media")
async def media(websocket: WebSocket) -> None:
    """One call."""
    await websocket.accept()
    _provider, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        call_sid=call["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    chunks = {} if VARIANT == "default" else {"audio_out_10ms_chunks": 2}
    params = FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=serializer, **chunks)
    transport = FastAPIWebsocketTransport(websocket=websocket, params=params)
    hearing, thinking, speaking = services()
    heard, said = LLMContextAggregatorPair(LLMContext(), user_params=turn_taking())
    steps = [transport.input(), hearing, heard, thinking, speaking, transport.output(), said]
    measured = VARIANT == "default"
    worker = PipelineWorker(
        Pipeline(steps),
        params=PipelineParams(
            audio_in_sample_rate=TELEPHONE_HZ,
            audio_out_sample_rate=TELEPHONE_HZ,
            enable_metrics=measured,
            enable_usage_metrics=measured,
        ),
    )
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)

    @transport.event_handler("on_client_disconnected")
    async def hung_up(_transport: Any, _client: Any) -> None:
        await runner.cancel()

    await runner.run()


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), log_level="error", ws_ping_interval=None)
