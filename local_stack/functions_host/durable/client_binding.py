"""The document from which the SDK builds its durable client: hub, URLs, address of the RPC side."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

_PLACEHOLDER = "INSTANCEID"


class ManagementLinks:
    """URLs of the durable webhooks. `key` is put into them as `code` if the host checks keys.

    Source: HttpApiHandler and BindingHelper of azure-functions-durable-extension.
    """

    def __init__(self, base_url: str, hub_name: str, key: str | None) -> None:
        self._webhook_url = f"{base_url}/runtime/webhooks/durabletask"
        self._hub_name = hub_name
        self._code = f"code={quote_plus(key)}" if key else ""
        self._query = f"taskHub={quote_plus(hub_name)}&connection=Storage" + (f"&{self._code}" if key else "")

    def for_instance(self, instance_id: str, origin: str | None = None) -> dict[str, str]:
        """The management payload of one instance; `origin` (scheme://host) replaces the configured one."""
        base = self._webhook_url
        if origin is not None:
            base = f"{origin}/runtime/webhooks/durabletask"
        prefix = f"{base}/instances/{quote_plus(instance_id)}"
        query = self._query
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{prefix}?{query}",
            "sendEventPostUri": f"{prefix}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{prefix}/terminate?reason={{text}}&{query}",
            "rewindPostUri": f"{prefix}/rewind?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{prefix}?{query}",
            "restartPostUri": f"{prefix}/restart?{query}",
            "suspendPostUri": f"{prefix}/suspend?reason={{text}}&{query}",
            "resumePostUri": f"{prefix}/resume?reason={{text}}&{query}",
        }

    def client_document(self, rpc_base_url: str) -> str:
        """What a `durableClient` binding receives, as JSON text."""
        creation = f"{self._webhook_url}/orchestrators/{{functionName}}[/{{instanceId}}]"
        waiting = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self._hub_name,
                "creationUrls": {
                    "createNewInstancePostUri": f"{creation}?{self._code}",
                    "createAndWaitOnNewInstancePostUri": f"{creation}?{waiting}&{self._code}",
                },
                "managementUrls": self.for_instance(_PLACEHOLDER),
                "baseUrl": self._webhook_url,
                "requiredQueryStringParameters": self._code,
                "rpcBaseUrl": rpc_base_url,
            }
        )
