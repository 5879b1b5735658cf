"""What clients with a screen are told of the call; a line that is gone need not be told."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shared.domain.errors import MediaError
from shared.ports.media_channel import MediaChannel

logger = logging.getLogger(__name__)


async def show(channel: MediaChannel, call_id: str, turn: int, message: Mapping[str, object]) -> None:
    """Send the message with the turn that it is about; should it not arrive, that is a line in the log."""
    try:
        await channel.show({**message, "turn": turn})
    except MediaError as error:
        logger.info("call %s turn %d: not shown: %s", call_id, turn, error.code)
