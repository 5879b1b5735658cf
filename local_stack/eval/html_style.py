"""How the report looks: light and dark, wide and narrow, on paper."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{--page:#f4f6f8;--card:#fff;--ink:#17202c;--soft:#566273;--line:#dde3ea;--faint:#edf1f5;--link:#1d4ed8;
--good:#146c3f;--good-bg:#e3f5ea;--bad:#b42318;--bad-bg:#fdeceb;--none:#566273;--none-bg:#eceff3;
--caller:#eef1f5;--agent:#dfecfb;--shade:0 1px 2px rgb(23 32 44/.06),0 2px 8px rgb(23 32 44/.05)}
@media(prefers-color-scheme:dark){:root{--page:#10151c;--card:#19212b;--ink:#e8edf3;--soft:#a3b0c0;--line:#2c3744;
--faint:#232d39;--link:#8ab4ff;--good:#6fd39a;--good-bg:#163424;--bad:#ff9d94;--bad-bg:#421d1a;--none:#a3b0c0;
--none-bg:#2a3440;--caller:#263140;--agent:#1d3a5c;--shade:none}figure img{filter:invert(.9) hue-rotate(180deg)}}
*{box-sizing:border-box}html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:anywhere}
header,main{max-width:68rem;margin:0 auto;padding:0 1.25rem}header{padding-top:2rem}main{padding-bottom:4rem}
h1{margin:0;font-size:1.75rem;letter-spacing:-.02em}header p{margin:.15rem 0 0;color:var(--soft)}
h2{margin:0;font-size:1.1rem}h3{margin:1.25rem 0 .4rem;font-size:.95rem}a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:.25rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.4rem .8rem}
ul,ol{list-style:none;margin:0;padding:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:1.25rem 0}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:.7rem 1rem;
color:var(--soft);font-size:.9rem;box-shadow:var(--shade)}
.tiles b{display:block;font-size:1.7rem;line-height:1.2;color:var(--ink);font-variant-numeric:tabular-nums}
.tiles small{font-size:.9rem;font-weight:400;color:var(--soft)}
.tiles .passed.some b{color:var(--good)}.tiles .failed.some b{color:var(--bad)}.tiles .none b{color:var(--soft)}
.failures{background:var(--bad-bg);border-left:4px solid var(--bad);border-radius:.5rem;padding:.8rem 1rem;
margin:0 0 1.25rem}.failures h2{color:var(--bad);margin-bottom:.25rem}.failures a{color:inherit;font-weight:600}
.overview{background:var(--card);border:1px solid var(--line);border-radius:.75rem;box-shadow:var(--shade);
overflow-x:auto}
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.8rem 1rem .3rem;font-weight:600}
th,td{text-align:left;vertical-align:top;padding:.5rem 1rem;border-top:1px solid var(--line)}
thead th{border:0;white-space:nowrap;color:var(--soft);font-weight:500;font-size:.85rem}tbody th{font-weight:600}
td small,th small{display:block;font-weight:400;color:var(--soft);font-size:.85rem;line-height:1.35}
td:nth-child(n+3){white-space:nowrap}tbody tr:hover{background:var(--faint)}
.chip{display:inline-block;padding:.05rem .6rem;border-radius:1rem;font-size:.85rem;font-weight:600;
white-space:nowrap}
.chip.passed{color:var(--good);background:var(--good-bg)}.chip.failed{color:var(--bad);background:var(--bad-bg)}
.chip.skipped{color:var(--none);background:var(--none-bg)}
details{background:var(--card);border:1px solid var(--line);border-radius:.75rem;margin:1.25rem 0 0;
padding:0 1.25rem;box-shadow:var(--shade)}details[open]{padding-bottom:1.25rem}
details.failed{border-color:var(--bad)}
summary{display:grid;grid-template-columns:auto 1fr;align-items:baseline;gap:0 .75rem;cursor:pointer;padding:1rem 0;
list-style:none}summary::-webkit-details-marker{display:none}
summary p{grid-column:2;margin:0;color:var(--soft)}summary .chip{grid-row:1}
summary h2::after{content:"";display:inline-block;width:.4rem;height:.4rem;margin-left:.6rem;vertical-align:.2em;
border:solid var(--soft);border-width:0 2px 2px 0;rotate:-45deg}details[open] h2::after{rotate:45deg}
.why{color:var(--soft);margin:0 0 1rem}
.facts{display:flex;flex-wrap:wrap;gap:.35rem 1.75rem;margin:0;font-size:.9rem}.facts dt{color:var(--soft)}
.facts dd{margin:0;font-weight:600}
figure{margin:1rem 0 0}audio{display:block;width:100%}
figure div{margin-top:.5rem;overflow-x:auto;border:1px solid var(--line);border-radius:.5rem}
figure img{display:block;width:100%;min-width:46rem}
figcaption{color:var(--soft);font-size:.85rem;margin-top:.25rem}
.turns{margin-top:1rem}.turns>li{display:grid;grid-template-columns:7rem minmax(0,1fr);gap:0 1rem;padding:.9rem 0;
border-top:1px solid var(--line)}
.of h3{margin:0}.of span{color:var(--soft);font-size:.85rem}.of .interrupted,.of .failed{color:var(--bad)}
.caller,.agent{width:fit-content;max-width:min(100%,40rem);margin:0 0 .5rem;padding:.45rem .9rem .55rem;
border-radius:1rem}.caller{background:var(--caller);border-bottom-left-radius:.2rem}
.agent{background:var(--agent);margin-left:auto;border-bottom-right-radius:.2rem}
.caller b,.agent b{display:block;font-size:.75rem;font-weight:600;color:var(--soft)}
.cites{margin:0 0 .5rem;text-align:right;color:var(--soft);font-size:.85rem}
.bar{display:flex;height:.6rem;background:var(--faint);border-radius:.3rem;overflow:hidden}.bar i{height:100%}
.ledger p{margin:.3rem 0 .2rem;color:var(--soft);font-size:.85rem;font-variant-numeric:tabular-nums}
.ledger p b{color:var(--ink)}.ledger p span{margin-left:.8rem;white-space:nowrap}
.ledger p i{display:inline-block;width:.65rem;height:.65rem;margin-right:.3rem;border-radius:.15rem}
.decision{background:#7b8794}.transcript{background:#3f8ae0}.first_token{background:#7a5cc9}
.first_sentence{background:#d9822b}.first_audio_byte{background:#2a9d8f}.first_frame_sent{background:#e5a823}
.checks{margin-top:.5rem;font-size:.92rem}
.checks li{display:flex;gap:.55rem;padding:.15rem .5rem;border-radius:.35rem}
.checks small{display:block;color:var(--soft);font-size:.85rem}.checks .passed b{color:var(--good)}
.checks .failed{background:var(--bad-bg)}.checks .failed b{color:var(--bad)}.checks .failed small{color:var(--ink)}
.checks .failed small::before{content:"observed: "}.checks .skipped{color:var(--soft)}
.deeds li{padding:.1rem .5rem}code{font:.87rem/1.5 ui-monospace,Menlo,Consolas,monospace}
@media(max-width:44rem){body{font-size:15px}header{padding-top:1.25rem}header,main{padding-left:.9rem;padding-right:.9rem}
details{padding-left:.9rem;padding-right:.9rem}.tiles{grid-template-columns:repeat(3,1fr);gap:.5rem}
.tiles li{padding:.5rem .6rem;font-size:.8rem}.tiles b{font-size:1.35rem}
th,td{padding:.5rem .6rem}thead th:nth-child(n+5),td:nth-child(n+5),thead th:nth-child(3),td:nth-child(3),
th small{display:none}
summary{grid-template-columns:1fr}summary p{grid-column:1}summary .chip{justify-self:start}
.turns>li{grid-template-columns:1fr}.of{display:flex;gap:.6rem;align-items:baseline;margin-bottom:.4rem}
.ledger p span{margin:0 .8rem 0 0}.ledger p b{margin-right:.1rem}.facts{gap:.35rem 1.2rem}}
@media print{body{background:#fff}audio,.skip{display:none}details,.tiles li,.overview{box-shadow:none;
break-inside:avoid}}
"""
