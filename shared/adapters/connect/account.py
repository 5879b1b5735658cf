"""One customer of Amazon Connect: what it is asked by, told by, and followed by."""

from __future__ import annotations

from functools import cached_property

from shared.adapters.connect.aws_api import AwsApi, read_instance
from shared.adapters.connect.call_control import ConnectCallControl
from shared.adapters.connect.desk import ConnectDesk
from shared.adapters.connect.live_sound import ConnectLiveSound
from shared.adapters.connect.sigv4 import AwsKeys
from shared.adapters.connect.webhooks import ConnectWebhooks
from shared.ports.clock import Clock
from shared.ports.once import Once


class ConnectAccount:
    """`instance_arns`: those that may ask, separated by commas; the first one is told what to do. `secrets`: of our
    function on AWS, now and before. `base_url`: empty for AWS's own endpoints. Raises: InvalidRequest.
    """

    def __init__(
        self,
        *,
        instance_arns: str,
        secrets: tuple[str, ...],
        keys: tuple[str, str],
        flow_id: str,
        base_url: str,
        once: Once,
        clock: Clock,
    ) -> None:
        self._instances = tuple(read_instance(arn) for arn in instance_arns.split(",") if arn.strip())
        self._secrets = secrets
        self._keys = AwsKeys(*keys)
        self._flow_id = flow_id
        self._base_url = base_url
        self._once = once
        self._clock = clock

    @cached_property
    def desk(self) -> ConnectDesk:
        webhooks = ConnectWebhooks(
            secrets=self._secrets,
            instance_arns=frozenset(instance.arn for instance in self._instances),
            once=self._once,
            now_s=lambda: self._clock.now_ms() / 1000,
        )
        return ConnectDesk(webhooks)

    @cached_property
    def control(self) -> ConnectCallControl:
        return ConnectCallControl(self._api, instance_id=self._instances[0].instance_id, flow_id=self._flow_id)

    @cached_property
    def live_sound(self) -> ConnectLiveSound:
        return ConnectLiveSound(self._api, instance_id=self._instances[0].instance_id)

    @cached_property
    def _api(self) -> AwsApi:
        return AwsApi(keys=self._keys, region=self._instances[0].region, now=self._clock.now, base_url=self._base_url)
