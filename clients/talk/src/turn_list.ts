/** Draws the transcript: one entry per turn, changed in place, so that a screen reader hears only what is new. */

import type { TurnText } from "./transcript";
import type { Wait } from "./wait";
import { WaitBar, drawLegend } from "./wait_bar";

interface Drawn {
  item: HTMLLIElement;
  heard: HTMLElement | null;
  said: HTMLElement | null;
  wait: WaitBar | null;
  sentences: number;
}

const CLOSE_TO_END_PX = 80;
/** Bars are drawn to one scale, which is at least this long. */
const SHORTEST_SCALE_MS = 1000;

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
  private longest_ms = SHORTEST_SCALE_MS;

  constructor(
    private readonly list: HTMLOListElement,
    private readonly scroll: HTMLElement,
    private readonly empty: HTMLElement,
    private readonly legend: HTMLElement,
  ) {
    drawLegend(legend);
  }

  reset(): void {
    this.drawn.clear();
    this.list.replaceChildren();
    this.empty.hidden = false;
    this.legend.hidden = true;
    this.scaleTo(SHORTEST_SCALE_MS);
  }

  draw(turn: TurnText): void {
    this.following(() => {
      const drawn = this.entry(turn.turn);
      if (turn.heard !== null) this.drawHeard(drawn, turn.heard);
      this.drawSaid(drawn, turn.said);
      drawn.said?.classList.toggle("interrupted", turn.interrupted);
    });
  }

  /** The bar stands between the two speakers' words; a later, fuller account of the same turn replaces it. */
  drawWait(turn: number, wait: Wait): void {
    this.following(() => {
      const drawn = this.entry(turn);
      if (drawn.wait === null) {
        drawn.wait = new WaitBar();
        drawn.item.insertBefore(drawn.wait.element, drawn.said);
      }
      drawn.wait.draw(wait);
      this.legend.hidden = false;
      this.scaleTo(Math.max(this.longest_ms, wait.total_ms));
    });
  }

  private scaleTo(longest_ms: number): void {
    this.longest_ms = longest_ms;
    this.list.style.setProperty("--longest", String(longest_ms));
  }

  /** Runs `draw`; the end stays in sight if it was. */
  private following(draw: () => void): void {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    draw();
    if (scrollHeight - scrollTop - clientHeight < CLOSE_TO_END_PX) this.scroll.scrollTo({ top: this.scroll.scrollHeight });
  }

  private entry(number: number): Drawn {
    this.empty.hidden = true;
    return this.drawn.get(number) ?? this.insert(number);
  }

  private insert(number: number): Drawn {
    const item = document.createElement("li");
    item.dataset.turn = String(number);
    const later = [...this.list.children].find((other) => Number((other as HTMLElement).dataset.turn) > number);
    this.list.insertBefore(item, later ?? null);
    const drawn: Drawn = { item, heard: null, said: null, wait: null, sentences: 0 };
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
