/** The account of a turn's wait: what of it is believed, and how it is told. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { parseServerMessage } from "../src/protocol";
import { STAGES, msText, parseWait, stageName } from "../src/wait";

const LATENCY = {
  total_ms: 543.1,
  parts_ms: { decision: 540, transcript: 0, first_token: 0, first_frame_sent: 3.1 },
  prepared_ms: { transcript: 330, first_token: 130 },
  speculation: true,
};

describe("wait", () => {
  test("its parts come in the app's order, with what was ready earlier", () => {
    assert.deepEqual(parseWait(LATENCY, { takes: 2 }), {
      total_ms: 543.1,
      parts: [
        { stage: "decision", took_ms: 540, prepared_ms: null },
        { stage: "transcript", took_ms: 0, prepared_ms: 330 },
        { stage: "first_token", took_ms: 0, prepared_ms: 130 },
        { stage: "first_frame_sent", took_ms: 3.1, prepared_ms: null },
      ],
      speculation: true,
      filler_ms: null,
      notes: [],
    });
  });

  test("what it took besides is told in words", () => {
    const costs = { takes: 4, takes_withdrawn: 2, fillers: 1, false_interruptions: 0, tokens: 90 };
    const wait = parseWait({ ...LATENCY, filler_ms: 300 }, costs);
    assert.equal(wait?.filler_ms, 300);
    assert.deepEqual(wait?.notes, ["2 prepared answers were thrown away", "1 filler was spoken"]);
  });

  test("nobody waited, or it makes no sense: there is none", () => {
    for (const latency of [
      null,
      undefined,
      "540",
      [],
      {},
      { ...LATENCY, total_ms: "540" },
      { ...LATENCY, total_ms: -1 },
      { ...LATENCY, total_ms: Number.NaN },
      { ...LATENCY, parts_ms: null },
      { ...LATENCY, parts_ms: {} },
      { ...LATENCY, parts_ms: { decision: "540", transcript: -3 } },
    ]) {
      assert.equal(parseWait(latency, {}), null, JSON.stringify(latency));
    }
  });

  test("nonsense beside it does no harm", () => {
    const wait = parseWait({ ...LATENCY, prepared_ms: 7, speculation: "yes", filler_ms: -1 }, "costs");
    assert.deepEqual(wait?.parts.map((part) => part.prepared_ms), [null, null, null, null]);
    assert.deepEqual([wait?.speculation, wait?.filler_ms, wait?.notes], [false, null, []]);
  });

  test("stages have names, those of a newer app their own", () => {
    assert.equal(stageName("decision"), "Turn decided");
    assert.equal(stageName("tool_call"), "tool call");
    assert.equal(Object.keys(STAGES).length, 6);
    assert.equal(msText(543.6), "544 ms");
  });

  test("it comes as a message of its turn", () => {
    const message = { type: "turn", turn: 3, latency: LATENCY, costs: {} };
    assert.deepEqual(parseServerMessage(message), { type: "turn", turn: 3, wait: parseWait(LATENCY, {}) });
    assert.deepEqual(parseServerMessage({ type: "turn", turn: 0, latency: null }), { type: "turn", turn: 0, wait: null });
    assert.equal(parseServerMessage({ ...message, turn: "3" }), null);
  });
});
