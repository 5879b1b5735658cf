/** Both sides' words, turn by turn, as they come in. */

export interface TurnText {
  turn: number;
  heard: string | null;
  said: string[];
  /** The caller began to speak before the agent had finished. */
  interrupted: boolean;
}

export class Transcript {
  private readonly byNumber = new Map<number, TurnText>();

  get turns(): TurnText[] {
    return [...this.byNumber.values()].sort((a, b) => a.turn - b.turn);
  }

  /** What the caller said in `turn`; a later, better transcript of the same turn replaces the earlier one. */
  hear(turn: number, text: string): TurnText {
    const entry = this.entry(turn);
    entry.heard = text;
    return entry;
  }

  /** One more sentence of the agent in `turn`. A repeat of the last one is a second delivery of it. */
  say(turn: number, text: string): TurnText {
    const entry = this.entry(turn);
    if (entry.said.at(-1) !== text) entry.said.push(text);
    return entry;
  }

  /** Marks the newest turn in which the agent spoke as cut short; null if it never spoke. */
  interrupt(): TurnText | null {
    const entry = this.turns.filter((turn) => turn.said.length > 0).at(-1);
    if (entry === undefined) return null;
    entry.interrupted = true;
    return entry;
  }

  private entry(turn: number): TurnText {
    let entry = this.byNumber.get(turn);
    if (entry === undefined) {
      entry = { turn, heard: null, said: [], interrupted: false };
      this.byNumber.set(turn, entry);
    }
    return entry;
  }
}
