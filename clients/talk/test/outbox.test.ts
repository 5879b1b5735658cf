/** The outbox keeps order, survives a lost connection, and drops only old audio. */

import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Outbox, type Outgoing } from "../src/outbox";

const audio = (number: number): Outgoing => ({
  event: "audio",
  dataType: "binary",
  content: Uint8Array.of(number).buffer,
});
const mark = (name: string): Outgoing => ({ event: "mark", dataType: "json", content: { name } });

function label(message: Outgoing): string {
  return message.dataType === "binary" ? `audio ${new Uint8Array(message.content)[0]}` : `mark ${message.content.name}`;
}

describe("outbox", () => {
  let up = true;
  let sent: string[] = [];
  let news: boolean[] = [];
  let outbox: Outbox;

  beforeEach(() => {
    [up, sent, news] = [true, [], []];
    const send = async (message: Outgoing): Promise<void> => {
      if (!up) throw new Error("down");
      sent.push(label(message));
    };
    outbox = new Outbox(send, 3, (reachable) => news.push(reachable));
  });

  test("sends at once and in order while the connection stands", async () => {
    await Promise.all([outbox.post(audio(1)), outbox.post(mark("a")), outbox.post(audio(2))]);
    await outbox.post(audio(3));
    assert.deepEqual(sent, ["audio 1", "mark a", "audio 2", "audio 3"]);
    assert.deepEqual(news, []);
  });

  test("the first message goes out before anything is awaited", () => {
    void outbox.post(mark("last words of a closing page"));
    assert.equal(sent.length, 1);
  });

  test("catches up after a loss with all marks and the newest audio, and tells of it once", async () => {
    up = false;
    await outbox.post(audio(1));
    await outbox.post(mark("a"));
    for (const number of [2, 3, 4, 5]) await outbox.post(audio(number));
    assert.equal(outbox.waiting, 4);
    assert.deepEqual(news, [false]);
    up = true;
    await outbox.post(audio(6));
    assert.deepEqual(sent, ["mark a", "audio 3", "audio 4", "audio 5", "audio 6"]);
    assert.deepEqual(news, [false, true]);
    assert.equal(outbox.waiting, 0);
  });

  test("what is posted while another is on its way follows it", async () => {
    let release: () => void = () => undefined;
    const order: string[] = [];
    const slow = new Outbox(
      async (message) => {
        if (order.length === 0) await new Promise<void>((resolve) => (release = resolve));
        order.push(label(message));
      },
      3,
      () => undefined,
    );
    const first = slow.post(audio(1));
    await slow.post(audio(2));
    assert.deepEqual(order, []);
    release();
    await first;
    assert.deepEqual(order, ["audio 1", "audio 2"]);
  });
});
