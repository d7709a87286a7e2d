/** The page's only style sheet: readable in light and in dark, and on paper. Colours of lanes are told apart by all. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b1f27; --quiet: #626b7a; --rule: #e3e6eb;
  --critical: #c2410c; --normal: #1d6fd0; --bulk: #0e8a72; --backfill: #8a4fd3;
  --in: #b9c6da; --out: #1d6fd0; --soft: #9db4d3; --limit: #c2410c;
  --fault: rgba(220, 38, 38, .12); --fault-name: #b91c1c; --incident: #e0a030;
  --met: #15803d; --missed: #b91c1c; --met-ground: #e6f4ea; --missed-ground: #fde8e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12151b; --card: #1a1e26; --ink: #e8ebf0; --quiet: #98a2b3; --rule: #2b313c;
    --critical: #fb8b4c; --normal: #6bb0ff; --bulk: #3fcfae; --backfill: #c29bff;
    --in: #44546c; --out: #6bb0ff; --soft: #4a6284; --limit: #fb8b4c;
    --fault: rgba(248, 113, 113, .16); --fault-name: #fca5a5; --incident: #a87b1e;
    --met: #4ade80; --missed: #f87171; --met-ground: #14301f; --missed-ground: #3b1618;
  }
}
* { box-sizing: border-box }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1080px; margin: 0 auto; padding: 28px 24px 48px }
.pair main { max-width: 2000px; display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 28px }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; margin-bottom: 4px }
h1 { font-size: 24px; line-height: 1.2; margin: 0; letter-spacing: -.01em }
h2 { font-size: 15px; margin: 28px 0 8px }
.about { color: var(--quiet); margin: 0 0 18px; overflow-wrap: anywhere }
.verdict { padding: 3px 12px; border-radius: 99px; font-weight: 600; font-size: 13px }
.verdict.met { background: var(--met-ground); color: var(--met) }
.verdict.missed { background: var(--missed-ground); color: var(--missed) }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); gap: 10px; margin: 0 0 16px }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 14px }
.tile b { display: block; font-size: 20px; font-weight: 650; letter-spacing: -.01em; white-space: nowrap }
.tile span { color: var(--quiet); font-size: 12px }
section, figure { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; margin: 0 0 14px }
section { padding: 4px 16px 12px; overflow-x: auto }
section h2 { margin: 10px 0 4px }
table { border-collapse: collapse; width: 100% }
th { text-align: left; color: var(--quiet); font-weight: 500; font-size: 12px }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top }
tr:last-child td { border-bottom: 0 }
.r { text-align: right; white-space: nowrap }
.r:last-child { padding-right: 0 }
.one { white-space: nowrap }
td.lane { font-weight: 600 }
td.flow { padding-left: 16px; color: var(--quiet) }
td .met { color: var(--met) } td .missed { color: var(--missed); font-weight: 600 }
.wrong { color: var(--missed) }
.swatch { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 7px }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 10px; padding: 10px 16px 0; align-items: baseline }
figcaption span { color: var(--quiet); font-size: 12px }
.keys { margin-left: auto; display: flex; flex-wrap: wrap; gap: 2px 14px }
.key i { display: inline-block; width: 14px; height: 0; border-top: 2px solid; margin-right: 6px; vertical-align: 3px }
.key i.area { height: 9px; border: 0; vertical-align: -1px; border-radius: 2px; opacity: .8 }
.key i.dots { width: 5px; height: 5px; border: 0; border-radius: 5px; vertical-align: 1px }
.key i.dashed { border-top-style: dashed }
svg { display: block; width: 100%; height: auto; padding: 0 4px 6px }
.grid { stroke: var(--rule); stroke-width: 1 }
.mark { fill: var(--quiet); font-size: 11px }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }
.line.dashed { stroke-dasharray: 4 4; stroke-width: 1.3; opacity: .75 }
.area { opacity: .8; stroke: none }
.fault { fill: var(--fault) } .incident { fill: var(--incident) }
.name { fill: var(--fault-name); font-size: 11px }
.hit rect { fill: transparent } .hit line { stroke: var(--quiet); stroke-width: 1; opacity: 0 }
.hit:hover line { opacity: .7 }
.modes { display: grid; grid-template-columns: max-content 1fr; gap: 3px 10px; align-items: center; font-size: 12px }
.modes .strip { position: relative; height: 14px; background: var(--rule); border-radius: 3px; overflow: hidden }
.modes .strip i { position: absolute; top: 0; bottom: 0 }
.full { background: var(--met); opacity: .55 } .essential { background: var(--limit) }
.drafts { background: var(--normal) } .hold { background: var(--missed) }
footer { color: var(--quiet); font-size: 12px; margin-top: 18px }
${
  ["critical", "normal", "bulk", "backfill", "in", "out", "ink", "soft", "limit"].map((tone) =>
    `.line.${tone} { stroke: var(--${tone}) } .area.${tone}, .dot.${tone} { fill: var(--${tone}) } ` +
    `i.${tone} { border-color: var(--${tone}) } i.${tone}.area, i.${tone}.dots { background: var(--${tone}) } ` +
    `.swatch.${tone} { background: var(--${tone}) }`
  ).join("\n")
}
@media (max-width: 1100px) { .pair main { display: block } }
@media print { body { background: #fff } section, figure, .tile { break-inside: avoid } }
`
