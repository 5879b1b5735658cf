"""The part of composition that picks where things are kept: database, cache, files."""

from __future__ import annotations

from functools import cached_property

from shared.adapters.azure_blob.address import BlobAddress
from shared.adapters.azure_blob.file_store import AzureBlobFileStore
from shared.adapters.azure_blob.sound_cache import BlobSoundCache
from shared.adapters.postgres.agent_versions import PostgresAgentVersions
from shared.adapters.postgres.call_store import PostgresCallStore
from shared.adapters.postgres.directory import PostgresDirectory
from shared.adapters.postgres.entra import EntraPassword
from shared.adapters.postgres.outbound_calls import PostgresOutboundCalls
from shared.adapters.postgres.pool import PostgresPool
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.adapters.redis.circuit_breakers import RedisCircuitBreakers
from shared.adapters.redis.connection import RedisConnection, connect
from shared.adapters.redis.live_calls import RedisLiveCalls
from shared.adapters.redis.pace import Pace
from shared.adapters.redis.pipes import RedisPipes
from shared.adapters.redis.short_memory import RedisShortMemory
from shared.adapters.redis.sound_cache import RedisSoundCache
from shared.adapters.redis.stream_reader import BLOCK_S, StreamReader
from shared.settings import Settings


class Storage:
    """Each part is made when it is first used; parts of one store share its connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def pipes(self) -> RedisPipes:
        rest = StreamReader(self._connect_redis(BLOCK_S), self.redis)
        frames = StreamReader(self._connect_redis(BLOCK_S), self.redis, pace=Pace())
        return RedisPipes(self.redis, rest, frames)

    @cached_property
    def short_memory(self) -> RedisShortMemory:
        return RedisShortMemory(self.redis)

    @cached_property
    def breakers(self) -> RedisCircuitBreakers:
        return RedisCircuitBreakers(self.redis)

    @cached_property
    def shared_sounds(self) -> RedisSoundCache:
        return RedisSoundCache(self.redis)

    @cached_property
    def lasting_sounds(self) -> BlobSoundCache:
        return BlobSoundCache(AzureBlobFileStore(self._blob_address(self._settings.sounds_container)))

    @cached_property
    def files(self) -> AzureBlobFileStore:
        return AzureBlobFileStore(self._blob_address(self._settings.recordings_container))

    @cached_property
    def documents(self) -> AzureBlobFileStore:
        """Companies' documents, apart from what callers said."""
        return AzureBlobFileStore(self._blob_address(self._settings.documents_container))

    def _blob_address(self, container: str) -> BlobAddress:
        settings = self._settings
        return BlobAddress(
            container,
            connection_string=settings.blob_connection_string or None,
            account_url=settings.blob_account_url or None,
            client_id=settings.azure_client_id or None,
        )

    @cached_property
    def pool(self) -> PostgresPool:
        settings = self._settings
        entra = settings.database_auth == "entra"
        return PostgresPool(
            settings.database_url,
            max_connections=settings.database_connections,
            password=EntraPassword(client_id=settings.azure_client_id or None) if entra else None,
        )

    @cached_property
    def call_store(self) -> PostgresCallStore:
        return PostgresCallStore(self.pool)

    @cached_property
    def directory(self) -> PostgresDirectory:
        return PostgresDirectory(self.pool, self.agent_documents.read)

    @cached_property
    def agent_documents(self) -> PydanticAgentDocuments:
        return PydanticAgentDocuments()

    @cached_property
    def agent_versions(self) -> PostgresAgentVersions:
        return PostgresAgentVersions(self.pool)

    @cached_property
    def outbound_calls(self) -> PostgresOutboundCalls:
        return PostgresOutboundCalls(self.pool)

    @cached_property
    def live_calls(self) -> RedisLiveCalls:
        return RedisLiveCalls(self.redis)

    @cached_property
    def redis(self) -> RedisConnection:
        return self._connect_redis(0.0)

    def _connect_redis(self, block_s: float) -> RedisConnection:
        settings = self._settings
        return connect(
            settings.redis_url,
            entra=settings.redis_auth == "entra",
            client_id=settings.azure_client_id or None,
            block_s=block_s,
        )
