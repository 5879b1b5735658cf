"""How the report looks."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{--ink:#1c2430;--soft:#5d6878;--line:#dfe4ea;--good:#1a7f4b;--bad:#c22f2f;--none:#8a94a3}
*{box-sizing:border-box}body{margin:0;background:#f5f7f9;color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{margin:0 0 .5rem;font-size:1.7rem}
h3{font-size:.95rem;margin:1rem 0 .3rem}a{color:inherit}code{font-size:.85rem;overflow-wrap:anywhere}
.counts{display:flex;gap:.6rem;align-items:center;flex-wrap:wrap}
.count{padding:.1rem .7rem;border-radius:1rem;color:#fff;font-weight:600}
.count.passed{background:var(--good)}.count.failed{background:var(--bad)}.count.skipped,.count.none{background:var(--none)}
.took{color:var(--soft)}table{width:100%;border-collapse:collapse;background:#fff;border:1px solid var(--line)}
th,td{text-align:left;padding:.35rem .7rem;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600;font-size:.85rem}
.sign.passed{color:var(--good)}.sign.failed{color:var(--bad)}.sign.skipped{color:var(--none)}
.legend{color:var(--soft);font-size:.85rem;display:flex;flex-wrap:wrap;gap:.2rem .9rem}
.legend i{display:inline-block;width:.75rem;height:.75rem;margin-right:.3rem;vertical-align:-1px}
details{background:#fff;border:1px solid var(--line);border-radius:.5rem;margin:.9rem 0;padding:.8rem 1rem}
summary{cursor:pointer}summary span{color:var(--soft)}.why{color:var(--soft)}
.facts{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;color:var(--soft);font-size:.88rem}.facts b{color:var(--ink)}
audio{width:100%;margin:.3rem 0}img{width:100%;border:1px solid var(--line);border-radius:.3rem}
section{display:grid;grid-template-columns:6rem 1fr;gap:.8rem;padding:.7rem 0;border-top:1px solid var(--line)}
section h4{margin:0;color:var(--soft)}section h4 small{display:block;font-weight:400}
small.interrupted,small.failed{color:var(--bad)}
.heard,.said{margin:0 0 .4rem;padding:.4rem .8rem;border-radius:.6rem;width:fit-content;max-width:90%}
.heard{background:#e9edf2}.said{background:#dcebf8;margin-left:auto}
.bar{display:flex;align-items:center;height:1.1rem;margin:.3rem 0;background:#f0f2f5;border-radius:.2rem}
.bar i{height:100%}.bar span{padding-left:.4rem;font-size:.8rem;color:var(--soft)}
.decision{background:#7b8794}.transcript{background:#3f8ae0}.first_token{background:#7a5cc9}
.first_sentence{background:#d9822b}.first_audio_byte{background:#2a9d8f}.first_frame_sent{background:#e5a823}
.checks{list-style:none;margin:.4rem 0 0;padding:0;font-size:.9rem}.checks small{display:block;color:var(--soft);
margin-left:1.2rem;overflow-wrap:anywhere}.checks .passed b{color:var(--good)}.checks .failed b{color:var(--bad)}
.checks .failed{background:#fdeeee;border-radius:.3rem;padding:.1rem .3rem}.checks .skipped b{color:var(--none)}
@media(max-width:40rem){section{grid-template-columns:1fr;gap:.2rem}}
"""
