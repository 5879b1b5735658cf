/** The pure parts that know what a call is: its states, its messages, its words, its failures. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { EVENTS, STATES, TRANSITIONS, inCall, nextState } from "../src/call_state";
import { clockText } from "../src/clock";
import { PageError, endingNotice, microphoneError, noticeOf, problemError } from "../src/notice";
import { parseServerMessage } from "../src/protocol";
import { Transcript } from "../src/transcript";

describe("call state", () => {
  const expected: Record<string, string> = {
    "signed_out signed_in": "ready",
    "ready signed_out": "signed_out",
    "ready dialled": "ringing",
    "ringing refused": "ready",
    "ringing heard": "thinking",
    "ringing agent_started": "speaking",
    "ringing ended": "ended",
    "listening heard": "thinking",
    "listening agent_started": "speaking",
    "listening ended": "ended",
    "thinking agent_started": "speaking",
    "thinking ended": "ended",
    "speaking agent_stopped": "listening",
    "speaking ended": "ended",
    "ended signed_out": "signed_out",
    "ended dialled": "ringing",
  };

  test("every pair of state and event goes where it should, and nowhere else", () => {
    for (const state of STATES) {
      for (const event of EVENTS) {
        assert.equal(nextState(state, event), expected[`${state} ${event}`] ?? state, `${state} ${event}`);
      }
    }
  });

  test("every call can end, and only a call", () => {
    for (const state of STATES) assert.equal("ended" in TRANSITIONS[state], inCall(state), state);
  });
});

describe("server messages", () => {
  test("those of the protocol are taken as they are", () => {
    for (const message of [
      { type: "audio", mark: "1-0-3", payload: "AAA=" },
      { type: "audio", mark: "", payload: "AAA=" },
      { type: "clear" },
      { type: "heard", turn: 1, text: "hello" },
      { type: "said", turn: 0, text: "Good day." },
      { type: "ended", reason: "silent" },
    ]) {
      assert.deepEqual(parseServerMessage({ ...message, later: "addition" }), message);
    }
  });

  test("anything else is left alone", () => {
    for (const data of [
      null,
      "text",
      7,
      [],
      {},
      { type: "unheard-of" },
      { type: "audio", mark: 1, payload: "" },
      { type: "audio", mark: "1" },
      { type: "said", turn: "1", text: "x" },
      { type: "heard", turn: 1.5, text: "x" },
      { type: "heard", turn: 1 },
    ]) {
      assert.equal(parseServerMessage(data), null, JSON.stringify(data));
    }
  });

  test("an end without a reason is still an end", () => {
    assert.deepEqual(parseServerMessage({ type: "ended" }), { type: "ended", reason: "error" });
  });
});

describe("transcript", () => {
  test("keeps turns in order, whatever the order in which they come", () => {
    const transcript = new Transcript();
    transcript.say(1, "It is noon.");
    transcript.hear(1, "What time");
    transcript.say(0, "Good day.");
    transcript.hear(1, "What time is it?");
    transcript.say(1, "Anything else?");
    assert.deepEqual(transcript.turns, [
      { turn: 0, heard: null, said: ["Good day."], interrupted: false },
      { turn: 1, heard: "What time is it?", said: ["It is noon.", "Anything else?"], interrupted: false },
    ]);
  });

  test("a sentence that is delivered twice stands there once", () => {
    const transcript = new Transcript();
    transcript.say(1, "Yes.");
    assert.deepEqual(transcript.say(1, "Yes.").said, ["Yes."]);
  });

  test("an interruption marks the newest turn in which the agent spoke", () => {
    const transcript = new Transcript();
    assert.equal(transcript.interrupt(), null);
    transcript.say(0, "Good day.");
    transcript.say(1, "Let me explain at length.");
    transcript.hear(2, "Stop.");
    assert.equal(transcript.interrupt()?.turn, 1);
    assert.deepEqual(
      transcript.turns.map((turn) => turn.interrupted),
      [false, true, false],
    );
  });
});

describe("notices", () => {
  test("a refusal shows the problem's own title and detail", () => {
    const error = problemError("Refused", 403, { title: "Not allowed", detail: "The role caller is missing." });
    assert.deepEqual(noticeOf(error), { tone: "error", title: "Not allowed", detail: "The role caller is missing." });
    assert.equal(error.signInAgain, false);
  });

  test("a refusal without a problem still says something", () => {
    for (const body of [null, "<html>", {}, { title: 7, detail: "" }]) {
      const error = problemError("The call was refused", 503, body);
      assert.equal(error.title, "The call was refused");
      assert.match(error.detail, /503/);
    }
  });

  test("a refused token asks for a new sign-in", () => {
    assert.equal(problemError("Refused", 401, null).signInAgain, true);
  });

  test("each failure of the microphone has its own advice", () => {
    const named = (name: string): Error => Object.assign(new Error("raw text"), { name });
    const titles = ["NotAllowedError", "NotFoundError", "NotReadableError"].map((name) => microphoneError(named(name)).title);
    assert.equal(new Set(titles).size, 3);
    assert.match(microphoneError(named("AbortError")).detail, /raw text/);
  });

  test("every reason for an end has words, also one that is not known", () => {
    const known = ["caller_hung_up", "operator_hung_up", "no_media", "silent", "too_long", "error", "connection_lost"];
    for (const reason of known) assert.doesNotMatch(endingNotice(reason).detail, /Reason:/);
    assert.match(endingNotice("moon_phase").detail, /moon phase/);
  });

  test("an unexpected failure is told, too", () => {
    assert.equal(noticeOf(new TypeError("broken")).detail, "broken");
    assert.equal(noticeOf("text").detail, "text");
    assert.ok(noticeOf(new PageError("a", "b")).title === "a");
  });
});

test("elapsed time reads as people write it", () => {
  assert.deepEqual([0, 999, 61_000, 3_725_000, -5].map(clockText), ["0:00", "0:00", "1:01", "1:02:05", "0:00"]);
});
