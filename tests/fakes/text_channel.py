"""The provider's end of a socket that carries words: what it was given to say."""

from __future__ import annotations

from shared.domain.errors import MediaError
from shared.ports.live_calls import LiveCall


class FakeTextChannel:
    """Fills the ports `TextChannels` and `TextChannel`. `said` holds (text, is_last) in order, `told` what else it
    was told; `errors` what the next sends raise, one each; `gone` the connections that are there no more.
    """

    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []
        self.told: list[tuple[str, str]] = []
        self.languages: list[str] = []
        self.errors: list[MediaError | None] = []
        self.opened: list[LiveCall] = []
        self.gone: set[str] = set()

    @property
    def words(self) -> list[str]:
        """What a caller hears who does not break in."""
        return [text for text, _ in self.said if text]

    def open_text(self, live: LiveCall) -> FakeTextChannel:
        self.opened.append(live)
        return self

    async def say(self, text: str, *, is_last: bool, language: str = "") -> None:
        self._fail()
        self.said.append((text, is_last))
        self.languages.append(language)

    async def send_keys(self, keys: str) -> None:
        self._tell("keys", keys)

    async def switch_language(self, language: str) -> None:
        self._tell("language", language)

    async def end(self, handoff: str = "") -> None:
        self._tell("end", handoff)

    def _tell(self, what: str, content: str) -> None:
        self._fail()
        self.told.append((what, content))

    def _fail(self) -> None:
        if self.opened and self.opened[-1].connection_id in self.gone:
            raise MediaError("connection_gone", "gone")
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
