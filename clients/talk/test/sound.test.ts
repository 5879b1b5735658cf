/** The pure parts that touch samples: conversion, resampling, framing, playing. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Framer } from "../src/framer";
import { floatFromBase64, loudness, pcm16FromFloat } from "../src/pcm";
import { PlaybackQueue } from "../src/playback_queue";
import { Resampler } from "../src/resampler";

function sine(frequency_hz: number, rate_hz: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency_hz * i) / rate_hz));
}

/** Amplitude of one frequency, by correlation, away from the edges. */
function amplitude(samples: Float32Array, frequency_hz: number, rate_hz: number): number {
  const body = samples.subarray(400, samples.length - 400);
  let [re, im] = [0, 0];
  body.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * frequency_hz * i) / rate_hz);
    im += sample * Math.sin((2 * Math.PI * frequency_hz * i) / rate_hz);
  });
  return (2 * Math.hypot(re, im)) / body.length;
}

function inBlocks(resampler: Resampler, samples: Float32Array, block: number): Float32Array {
  const output: number[] = [];
  for (let i = 0; i < samples.length; i += block) output.push(...resampler.process(samples.subarray(i, i + block)));
  return Float32Array.from(output);
}

describe("pcm", () => {
  test("floats survive the way to PCM16 and back within one step", () => {
    const samples = Float32Array.from([0, 0.25, -0.25, 0.999, -1]);
    const payload = Buffer.from(pcm16FromFloat(samples).buffer).toString("base64");
    floatFromBase64(payload).forEach((value, i) => {
      assert.ok(Math.abs(value - (samples[i] as number)) <= 1 / 32_768);
    });
  });

  test("what is too loud is clipped, not wrapped", () => {
    assert.deepEqual([...pcm16FromFloat(Float32Array.from([2, 1, -1, -3]))], [32_767, 32_767, -32_768, -32_768]);
  });

  test("an odd byte at the end is dropped, and text that is not base64 is refused", () => {
    assert.equal(floatFromBase64(Buffer.from([0, 64, 7]).toString("base64")).length, 1);
    assert.throws(() => floatFromBase64("*not base64*"));
  });

  test("loudness runs from silence to loud speech, in decibels", () => {
    assert.equal(loudness(new Float32Array(960)), 0);
    assert.equal(loudness(new Float32Array(0)), 0);
    assert.equal(loudness(new Float32Array(960).fill(1)), 1);
    const [quiet, louder] = [0.01, 0.1].map((value) => loudness(new Float32Array(960).fill(value))) as [number, number];
    assert.ok(0 < quiet && quiet < louder && louder < 1);
    assert.ok(Math.abs(louder - quiet - 20 / 45) < 1e-6);
  });
});

describe("resampler", () => {
  for (const [from, to] of [
    [48_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
    [16_000, 44_100],
    [96_000, 16_000],
    [8_000, 16_000],
  ] as const) {
    test(`${from} to ${to} keeps a tone's pitch and loudness`, () => {
      const output = new Resampler(from, to).process(sine(1000, from, from));
      assert.ok(Math.abs(output.length - to) < to / 100, `${output.length} samples`);
      assert.ok(Math.abs(amplitude(output, 1000, to) - 0.5) < 0.01);
    });
  }

  test("blocks of any size give the same stream as the whole", () => {
    const input = sine(700, 44_100, 20_000);
    const whole = new Resampler(44_100, 16_000).process(input);
    for (const block of [1, 7, 128, 1000]) {
      assert.deepEqual(inBlocks(new Resampler(44_100, 16_000), input, block), whole);
    }
  });

  test("what the lower rate cannot carry is removed, not folded back", () => {
    const output = new Resampler(48_000, 16_000).process(sine(11_000, 48_000, 48_000));
    assert.ok(amplitude(output, 5_000, 16_000) < 0.005);
  });

  test("equal rates change nothing", () => {
    const input = sine(440, 16_000, 128);
    assert.deepEqual(new Resampler(16_000, 16_000).process(input), input);
  });
});

describe("framer", () => {
  test("cuts any blocks into frames and loses nothing", () => {
    const input = Float32Array.from({ length: 1000 }, (_, i) => i);
    const framer = new Framer(96);
    const frames: Float32Array[] = [];
    for (let i = 0; i < input.length; i += 128) frames.push(...framer.push(input.subarray(i, i + 128)));
    assert.equal(frames.length, 10);
    assert.deepEqual(
      frames.flatMap((frame) => [...frame]),
      [...input.subarray(0, 960)],
    );
  });

  test("one large block gives several frames", () => {
    assert.equal(new Framer(96).push(new Float32Array(300)).length, 3);
  });
});

describe("playback queue", () => {
  const ones = (length: number): Float32Array => new Float32Array(length).fill(1);

  test("a piece is reported in the block, and at the sample, at which it ends", () => {
    const queue = new PlaybackQueue();
    queue.enqueue("a", ones(100));
    queue.enqueue("b", ones(60));
    const block = new Float32Array(128);
    assert.deepEqual(queue.pull(block), [{ mark: "a", offset: 100 }]);
    assert.ok(block.every((sample) => sample === 1));
    assert.equal(queue.queuedSamples, 32);
    assert.deepEqual(queue.pull(block), [{ mark: "b", offset: 32 }]);
    assert.ok(queue.empty);
  });

  test("several short pieces may end in one block, an empty one at once", () => {
    const queue = new PlaybackQueue();
    for (const [mark, length] of [["a", 10], ["b", 0], ["c", 20]] as const) queue.enqueue(mark, ones(length));
    assert.deepEqual(
      queue.pull(new Float32Array(128)).map(({ mark, offset }) => [mark, offset]),
      [["a", 10], ["b", 10], ["c", 30]],
    );
  });

  test("a piece that ends exactly with the block is reported then, not a block later", () => {
    const queue = new PlaybackQueue();
    queue.enqueue("a", ones(128));
    assert.deepEqual(queue.pull(new Float32Array(128)), [{ mark: "a", offset: 128 }]);
  });

  test("what is cleared is neither played nor reported", () => {
    const queue = new PlaybackQueue();
    queue.enqueue("a", ones(200));
    queue.enqueue("b", ones(200));
    queue.pull(new Float32Array(128));
    queue.clear();
    const block = new Float32Array(1280);
    assert.deepEqual(queue.pull(block), []);
    assert.equal(block.at(-1), 0);
    queue.enqueue("c", ones(10));
    assert.deepEqual(queue.pull(new Float32Array(128)), [{ mark: "c", offset: 10 }]);
  });

  test("sound that breaks off fades instead of clicking, and is silent within 20 ms at 16 kHz", () => {
    const queue = new PlaybackQueue();
    queue.enqueue("a", ones(64));
    const block = new Float32Array(64 + 320);
    queue.pull(block);
    for (let i = 64; i < block.length; i++) {
      const step = (block[i - 1] as number) - (block[i] as number);
      assert.ok(step >= 0 && step < 0.05);
    }
    assert.equal(block.at(-1), 0);
  });

  test("an idle queue gives silence", () => {
    const block = ones(128);
    assert.deepEqual(new PlaybackQueue().pull(block), []);
    assert.ok(block.every((sample) => sample === 0));
  });
});
