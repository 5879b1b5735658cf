// Drives the endpoint with the official JavaScript SDKs and prints what happened as one line of JSON.
// Usage: node compatibility.mjs CONNECTION_STRING ENDPOINT_URL ACCESS_KEY json|reliable

import { WebPubSubServiceClient } from "@azure/web-pubsub";
import { WebPubSubClient, WebPubSubJsonProtocol, WebPubSubJsonReliableProtocol } from "@azure/web-pubsub-client";

const [connectionString, endpointUrl, accessKey, kind] = process.argv.slice(2);
const service = new WebPubSubServiceClient(connectionString, "clients", { allowInsecureConnection: true });
const protocol = kind === "reliable" ? WebPubSubJsonReliableProtocol() : WebPubSubJsonProtocol();
const client = new WebPubSubClient(
  {
    getClientAccessUrl: async () =>
      (
        await service.getClientAccessToken({
          userId: "anna",
          roles: ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"],
        })
      ).url,
  },
  { protocol, messageRetryOptions: { maxRetries: 1, retryDelayInMs: 10 } },
);

const seen = [];
let connectionId;
let connections = 0;

function show(data) {
  return data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data;
}

async function until(condition, what) {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

client.on("connected", (e) => {
  connectionId = e.connectionId;
  connections += 1;
});
client.on("server-message", (e) => seen.push(["server", show(e.message.data)]));
client.on("group-message", (e) => seen.push(["group", e.message.group, show(e.message.data)]));

await client.start();
await until(() => connectionId, "connected");
await client.joinGroup("room");
await client.sendToGroup("room", "text", "text");
await client.sendToGroup("room", { a: 1 }, "json");
await client.sendToGroup("room", new Uint8Array([0, 255]).buffer, "binary");
await client.sendEvent("speak", "hello", "text");
await service.sendToUser("anna", "to user", { contentType: "text/plain" });
await service.sendToConnection(connectionId, new Uint8Array([1, 2]).buffer);
await service.group("room").sendToAll({ from: "service" });
await service.sendToAll("filtered", { contentType: "text/plain", filter: "userId eq 'nobody'" });
await until(() => seen.length >= 7, "seven messages");

const exists = await service.connectionExists(connectionId);
const inGroup = await service.groupExists("room");
const permitted = await service.hasPermission(connectionId, "joinLeaveGroup");

let recovered = null;
if (kind === "reliable") {
  const first = connectionId;
  await fetch(`${endpointUrl}/_local/connections/${first}/:drop`, {
    method: "POST",
    headers: { "X-Access-Key": accessKey },
  });
  await service.sendToConnection(first, "while away", { contentType: "text/plain" });
  await until(() => seen.length >= 8, "the message sent while away");
  recovered = connectionId === first && connections === 1;
}

let forbidden = null;
try {
  await service.revokePermission(connectionId, "sendToGroup");
  await client.sendToGroup("room", "x", "text", { ackId: 4711 });
} catch (error) {
  forbidden = error.errorDetail?.name;
}

let stopped = false;
client.on("stopped", () => (stopped = true));
client.stop();
await until(() => stopped, "stopped");
const report = JSON.stringify({ seen, exists, inGroup, permitted, recovered, forbidden });
// The client SDK leaves timers behind that would keep the process alive.
process.stdout.write(`${report}\n`, () => process.exit(0));
