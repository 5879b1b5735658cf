"""`python -m benchmarks.conversations.diagram`: draws the table of turn-taking into `docs/turn-taking.md`."""

from __future__ import annotations

from pathlib import Path

from shared.domain.turn_taking import TRANSITIONS, Hearing, InputKind

DOCUMENT = Path(__file__).parents[2] / "docs" / "turn-taking.md"
_BEGIN, _END = "```mermaid\n", "```\n"


def diagram() -> str:
    """The machine as a Mermaid state diagram: where each input may lead besides staying."""
    lines = ["stateDiagram-v2", f"    [*] --> {Hearing.QUIET}"]
    for state in Hearing:
        for target in Hearing:
            inputs = [
                kind.value
                for kind in InputKind
                if target is not state
                and (rule := TRANSITIONS.get((state, kind))) is not None
                and target in rule.leads_to
            ]
            if inputs:
                lines.append(f"    {state} --> {target}: {', '.join(inputs)}")
    return "\n".join([*lines, f"    {Hearing.ENDED} --> [*]"]) + "\n"


def drawn_into(text: str) -> str:
    """The document with its diagram made anew. Raises: ValueError if it has none."""
    begin = text.index(_BEGIN) + len(_BEGIN)
    return text[:begin] + diagram() + text[text.index(_END, begin) :]


def main() -> int:
    DOCUMENT.write_text(drawn_into(DOCUMENT.read_text("utf-8")), encoding="utf-8")
    print(DOCUMENT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
