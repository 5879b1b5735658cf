/** Draws the transcript: one entry per turn, changed in place, so that a screen reader hears only what is new. */

import type { TurnText } from "./transcript";

interface Drawn {
  item: HTMLLIElement;
  heard: HTMLElement | null;
  said: HTMLElement | null;
  sentences: number;
}

const CLOSE_TO_END_PX = 80;

function bubble(who: "caller" | "agent", speaker: string): HTMLElement {
  const element = document.createElement("p");
  element.className = `words ${who}`;
  const name = document.createElement("span");
  name.className = "who";
  name.textContent = speaker;
  const text = document.createElement("span");
  text.className = "text";
  element.append(name, " ", text);
  return element;
}

function textOf(element: HTMLElement): HTMLElement {
  return element.querySelector(".text") as HTMLElement;
}

export class TurnList {
  private drawn = new Map<number, Drawn>();

  constructor(
    private readonly list: HTMLOListElement,
    private readonly scroll: HTMLElement,
    private readonly empty: HTMLElement,
  ) {}

  reset(): void {
    this.drawn.clear();
    this.list.replaceChildren();
    this.empty.hidden = false;
  }

  draw(turn: TurnText): void {
    const following = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < CLOSE_TO_END_PX;
    this.empty.hidden = true;
    const drawn = this.drawn.get(turn.turn) ?? this.insert(turn.turn);
    if (turn.heard !== null) this.drawHeard(drawn, turn.heard);
    this.drawSaid(drawn, turn.said);
    drawn.said?.classList.toggle("interrupted", turn.interrupted);
    if (following) this.scroll.scrollTo({ top: this.scroll.scrollHeight });
  }

  private insert(number: number): Drawn {
    const item = document.createElement("li");
    item.dataset.turn = String(number);
    const later = [...this.list.children].find((other) => Number((other as HTMLElement).dataset.turn) > number);
    this.list.insertBefore(item, later ?? null);
    const drawn: Drawn = { item, heard: null, said: null, sentences: 0 };
    this.drawn.set(number, drawn);
    return drawn;
  }

  private drawHeard(drawn: Drawn, text: string): void {
    if (drawn.heard === null) {
      drawn.heard = bubble("caller", "You");
      drawn.item.prepend(drawn.heard);
    }
    const target = textOf(drawn.heard);
    if (target.textContent !== text) target.textContent = text;
  }

  private drawSaid(drawn: Drawn, sentences: string[]): void {
    if (sentences.length > 0 && drawn.said === null) {
      drawn.said = bubble("agent", "Agent");
      drawn.item.append(drawn.said);
    }
    for (const sentence of sentences.slice(drawn.sentences)) {
      const part = document.createElement("span");
      part.className = "sentence";
      part.textContent = drawn.sentences === 0 ? sentence : ` ${sentence}`;
      textOf(drawn.said as HTMLElement).append(part);
      drawn.sentences++;
    }
  }
}
