from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from local_stack.phones import g711, tones
from local_stack.phones.moods import Moods


async def test_each_request_fares_as_the_next_mood_says() -> None:
    done: list[str] = []
    moods = Moods(late_s=0.2)

    async def work(request: web.Request) -> web.Response:
        done.append(request.path)
        return web.Response(text="done")

    async def handler(request: web.Request) -> web.Response:
        return await moods.handle(request, work, lambda status: web.Response(status=status, text="refused"))

    app = web.Application()
    app.router.add_get("/work", handler)
    app.router.add_put("/moods", moods.set)
    async with TestClient(TestServer(app)) as client:

        async def ask(timeout_s: float = 5.0) -> tuple[int, int]:
            before = len(done)
            try:
                timeout = aiohttp.ClientTimeout(total=timeout_s)
                async with client.get("/work", timeout=timeout) as response:
                    return response.status, len(done) - before
            except (aiohttp.ClientError, TimeoutError):
                return 0, len(done) - before

        names = ["429", "503", "done_500", "done_late", "late", "done_drop", "drop", "well"]
        assert (await client.put("/moods", json=names)).status == 204
        assert [await ask() for _ in range(3)] == [(429, 0), (503, 0), (500, 1)]
        assert await ask(timeout_s=0.1) == (0, 1)
        assert await ask(timeout_s=0.1) == (0, 0)
        assert [await ask() for _ in range(4)] == [(0, 1), (0, 0), (200, 1), (200, 1)]
        for wrong in ('["sad"]', "{}", "x"):
            assert (await client.put("/moods", data=wrong)).status == 400


def test_keys_sound_and_pause() -> None:
    sound = tones.keys("1w2")
    assert len(sound) == 8 * (180 + 500 + 180)
    assert g711.is_audible(sound[:160])
    assert not g711.is_audible(sound[8 * 200 : 8 * 600])
    assert tones.are_keys("0123456789*#ABCDwW")
    assert not tones.are_keys("1,2")
    assert g711.is_audible(tones.beep())


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_each_key_sounds(digit: str) -> None:
    assert g711.rms(tones.keys(digit)[:960]) > 1000
