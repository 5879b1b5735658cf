"""A local stack of the tests' own: own ports, own state, models and voices of the checkout, or scripted services."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from azure.storage.blob.aio import ContainerClient

from benchmarks.measuring.ports import free_ports
from local_stack.phones import g711, utterance
from local_stack.phones.synthetic_voice import speak
from local_stack.supervisor.addresses import PORTS, Addresses
from local_stack.supervisor.app_settings import storage_connection_string
from shared.domain.sentences import SentenceSplitter

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN_S = 90
HIDDEN_WITHIN_S = 30
CALM = "+15550100010"
"""An agent that needs no fillers: a caller who takes one for the answer goes on too early."""
_LOCAL = ROOT / ".local"


@dataclass
class Stack:
    """The running stack as somebody outside sees it."""

    state_dir: Path
    ports: dict[str, int]
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        state_dir: Path,
        *,
        scripted: bool = False,
        settings: Mapping[str, str] | None = None,
        ports: dict[str, int] | None = None,
    ) -> Stack:
        """Start the whole stack and wait until all of it is up. `scripted`: speech and language by a script, with
        exact latencies, instead of the models. `settings`: the app's, in the place of the stack's own; `ports`: by
        name, where they must be known before. Raises: AssertionError with what it printed.
        """
        state_dir.mkdir(parents=True, exist_ok=True)
        (state_dir / "app_settings.json").write_text(json.dumps(dict(settings or {})))
        for shared in ("models", "voices"):
            (state_dir / shared).symlink_to(_LOCAL / shared)
        ports = ports or dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        variables = {PORTS[name][0]: str(port) for name, port in ports.items()}
        environment = {**os.environ, **variables, "LOCAL_STATE_DIR": str(state_dir), "PYTHONUNBUFFERED": "1"}
        stack = cls(state_dir, ports, environment)
        if scripted:
            speech = ("local_stack.speech", "--port", str(ports["speech"]), "--state-dir", str(state_dir))
            stack._launch("speech", *speech, "--mode", "scripted")
        stack._launch("up", "local_stack", "up", "--no-call", *(("--without", "speech") if scripted else ()))
        stack._wait_until_up()
        return stack

    def _launch(self, name: str, module: str, *arguments: str) -> None:
        with (self.state_dir / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)

    def _wait_until_up(self) -> None:
        output = self.state_dir / "up.log"
        deadline = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < deadline:
            if "the stack is up" in output.read_text() and self._is_ready():
                return
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.1)
        self.stop()
        raise AssertionError(f"the stack did not come up:\n{output.read_text()}")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.app_url}/api/health/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is not None:
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise

    @property
    def app_url(self) -> str:
        return f"http://localhost:{self.ports['app']}"

    @property
    def speech_url(self) -> str:
        return f"http://localhost:{self.ports['speech']}"

    @property
    def identity_url(self) -> str:
        return f"http://localhost:{self.ports['identity']}"

    @property
    def database_url(self) -> str:
        return f"postgresql://voice@127.0.0.1:{self.ports['postgres']}/voice"

    @property
    def voices(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads((_LOCAL / "voices" / "index.json").read_text())
        return [{**voice, "file": str(_LOCAL / "voices" / voice["file"])} for voice in listed]

    def voice(self, voice_id: str) -> dict[str, Any]:
        return next(voice for voice in self.voices if voice["id"] == voice_id)

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.state_dir / "secrets.json").read_text())
        return found

    def log_of(self, part: str) -> str:
        return (self.state_dir / "logs" / f"{part}.log").read_text()

    def command(self, *arguments: str) -> str:
        """Run `python -m local_stack …` against this stack; gives what it prints."""
        return self._module("local_stack", *arguments)

    def seed(self, path: Path) -> None:
        """Add tenants, agents and numbers to the database."""
        self._module("infra.database", "seed", str(path))

    def _module(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env={**self.environment, "DATABASE_URL": self.database_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def token(self, role: str, user: str = "") -> str:
        """Of the first person with the role, or of `user`."""
        return self.command("token", "--role", role, *(("--user", user) if user else ()))

    async def place_call(self, **request: Any) -> AsyncIterator[dict[str, Any]]:
        """Place a call by the phone simulator; gives its events as they happen, last `call_result`."""
        address = f"http://localhost:{self.ports['phones']}/_local/calls"
        timeout = aiohttp.ClientTimeout(total=180)
        async with (
            aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22) as session,
            session.post(address, json=request) as response,
        ):
            assert response.status == 200, await response.text()
            async for line in response.content:
                yield json.loads(line)

    async def call(self, **request: Any) -> dict[str, Any]:
        """Place a call and wait for its end; gives its result."""
        *_, event = [event async for event in self.place_call(**request)]
        assert event["event"] == "call_result", event
        result: dict[str, Any] = event["result"]
        return result

    async def get(self, path: str, token: str) -> dict[str, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.app_url + path, headers={"Authorization": f"Bearer {token}"}) as response,
        ):
            document: dict[str, Any] = await response.json(content_type=None)
            assert response.status == 200, document
            return document

    async def call_record(self, call_sid: str, token: str) -> dict[str, Any]:
        """What the app's API says of a carrier's call."""
        listed = await self.get(f"/api/calls?provider_call_id={call_sid}", token)
        assert len(listed["calls"]) == 1, listed
        return await self.get(f"/api/calls/{listed['calls'][0]['call_id']}", token)

    async def ended_call(self, call_sid: str, token: str, *, within_s: float = 30) -> dict[str, Any]:
        """The call's record once its records are kept."""
        async with asyncio.timeout(within_s):
            while True:
                record = await self.call_record(call_sid, token)
                if record["state"] in ("completed", "failed"):
                    return record
                await asyncio.sleep(0.2)

    async def transcript(self, call_id: str) -> str:
        """What the database keeps as the words of an ended call, once what is personal in them is hidden."""
        asked = (
            "select after_call_at is not null, coalesce(content, '') from calls c"
            " left join transcripts t using (tenant_id, call_id) where c.call_id = %s"
        )
        async with (
            asyncio.timeout(HIDDEN_WITHIN_S),
            await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection,
        ):
            while True:
                is_hidden, text = await (await connection.execute(asked, (call_id,))).fetchone() or (True, "")
                if is_hidden:
                    return str(text)
                await asyncio.sleep(0.2)

    async def file(self, container: str, name: str) -> bytes:
        """What the app's store of files holds under this name."""
        connection = storage_connection_string(Addresses(self.state_dir, self.ports))
        async with ContainerClient.from_connection_string(connection, container) as opened:
            content: bytes = await (await opened.download_blob(name)).readall()
            return content

    async def transcribe(self, wav: bytes) -> str:
        """What the local speech service hears in a WAV."""
        form = aiohttp.FormData()
        form.add_field("file", wav, filename="speech.wav", content_type="audio/wav")
        form.add_field("model", "local")
        address = f"{self.speech_url}/v1/audio/transcriptions"
        async with aiohttp.ClientSession() as session, session.post(address, data=form) as response:
            assert response.status == 200, await response.text()
            text: str = (await response.json())["text"]
            return text

    async def audible_ms(self, text: str) -> int:
        """How much sound the agent's voice makes of a text, sentence by sentence, on a telephone line."""
        splitter = SentenceSplitter()
        sentences = splitter.feed(text + " ") + splitter.flush()
        audible = 0
        async with aiohttp.ClientSession() as session:
            for sentence in sentences:
                wav = await speak(session, self.speech_url, sentence)
                audible += sum(map(g711.is_audible, utterance.from_wav(wav, "reference").frames))
        return audible * 20
