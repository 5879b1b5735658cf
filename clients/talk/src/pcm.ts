/** PCM16 little-endian mono as it travels, float samples (-1 … 1) as the browser plays them, and how loud they are. */

const FULL_SCALE = 32_768;

/** Rounds and clips floats to PCM16; the machine's byte order is little-endian wherever browsers run. */
export function pcm16FromFloat(samples: Float32Array): Int16Array<ArrayBuffer> {
  const pcm = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round((samples[i] as number) * FULL_SCALE);
    pcm[i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, value));
  }
  return pcm;
}

/** Floats of base64 PCM16 LE. A trailing odd byte is dropped. Raises: Error when it is not base64. */
export function floatFromBase64(payload: string): Float32Array<ArrayBuffer> {
  const bytes = atob(payload);
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    const word = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    samples[i] = ((word << 16) >> 16) / FULL_SCALE;
  }
  return samples;
}

const FLOOR_DB = -55;
const CEILING_DB = -10;

/** Loudness for a meter: 0 (silence) … 1 (loud speech), on a decibel scale as ears have it. */
export function loudness(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  const level_db = 10 * Math.log10(energy / samples.length + 1e-12);
  return Math.max(0, Math.min(1, (level_db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)));
}
