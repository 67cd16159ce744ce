extension Page {
  /// The page's style sheet.
  ///
  /// Colors of runtimes differ in lightness too, so that they are told apart
  /// without color vision.
  static let style: Markup = """
    :root{--bg:#f6f6f3;--card:#fff;--ink:#1b1d21;--soft:#5d636d;--line:#e2e2dc;--grid:#ecece7;\
    --accent:#0b6e4f;--accent-bg:#e7f4ee;--bad:#b3261e;--bad-bg:#fbeae9;--warn:#8a5a00;\
    --c0:#2f63c7;--c1:#d9771f;--c2:#0f8f86;--c3:#8250c4;--c4:#a8326b;--c5:#5c6b1f}
    @media (prefers-color-scheme:dark){:root{--bg:#131519;--card:#1b1e24;--ink:#e9eaec;--soft:#9aa1ac;\
    --line:#2c313a;--grid:#262a32;--accent:#58c99b;--accent-bg:#15302a;--bad:#ff8a80;--bad-bg:#3a1f1f;\
    --warn:#e0b050;--c0:#79a6ff;--c1:#ffab5c;--c2:#4fd1c5;--c3:#b794f6;--c4:#f687b3;--c5:#b7c95c}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",\
    Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
    header,main,footer{max-width:1180px;margin:0 auto;padding:0 24px}
    header{padding-top:28px}
    h1{font-size:30px;line-height:1.2;margin:2px 0 4px;overflow-wrap:anywhere}
    h2{font-size:21px;line-height:1.25;margin:0 0 4px}
    p{margin:0 0 12px}
    .brand{color:var(--soft);font-size:14px;display:flex;gap:8px;margin:0 0 12px}
    .brand b{color:var(--accent);letter-spacing:.02em}.brand span{margin-left:auto}
    .facts,.lead,footer{color:var(--soft);font-size:14.5px}
    .lead{max-width:72ch}
    section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:22px 24px;\
    margin:20px 0}
    .answer{border-left:6px solid var(--accent)}
    .answer.none{border-left-color:var(--bad)}
    .answer h2{font-size:clamp(22px,3.4vw,32px);margin:0 0 14px;overflow-wrap:anywhere}
    .eyebrow{color:var(--accent);font-size:13px;font-weight:600;letter-spacing:.06em;\
    text-transform:uppercase;margin:0 0 2px}
    .none .eyebrow{color:var(--bad)}
    .answer ul{margin:0;padding-left:20px;max-width:84ch}.answer li{margin:4px 0}
    .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:0 0 18px}
    .card{background:var(--accent-bg);border-radius:10px;padding:12px 14px;display:flex;\
    flex-direction:column}
    .card strong{font-size:26px;line-height:1.15}.card span{font-size:14px}
    .card small{color:var(--soft)}
    .scroll{overflow-x:auto;margin:0 -24px;padding:0 24px}
    table{border-collapse:collapse;font-size:14px;width:100%}
    th,td{padding:7px 8px;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
    th{color:var(--soft);font-weight:600;position:relative}
    th.n,td.n{text-align:right}
    th button{all:unset;cursor:pointer}th button:focus-visible{outline:2px solid var(--accent);\
    outline-offset:3px;border-radius:3px}
    th[aria-sort] button{color:var(--ink)}
    th[aria-sort=ascending] button::after{content:" ↑"}th[aria-sort=descending] button::after{content:" ↓"}
    td small{color:var(--soft)}
    .sortable td:first-child,.sortable th:first-child{position:sticky;left:0;background:var(--card);z-index:1}
    tr.pick td{background:var(--accent-bg)!important}
    tr.invalid td{color:var(--soft)}
    tbody tr:hover td{background:var(--grid)}
    .missing{color:var(--soft)}
    .pill{font-size:12px;font-weight:600;border-radius:99px;padding:2px 9px;background:var(--grid);\
    color:var(--soft)}
    .pill.ship{background:var(--accent);color:var(--card)}
    .pill.front{background:var(--accent-bg);color:var(--accent)}
    .pill.bad{background:var(--bad-bg);color:var(--bad)}
    .warn{font-size:12px;color:var(--warn)}
    .bar{width:64px;height:8px;border-radius:4px;background:var(--grid);\
    flex:none}.lat{display:flex;align-items:center;\
    justify-content:space-between;gap:10px}
    .bar i{display:block;height:8px;border-radius:4px;background:currentColor}
    .dot{display:inline-block;width:10px;height:10px;border-radius:50%;background:currentColor;\
    margin-right:7px}
    .legend{font-size:14px;display:flex;flex-wrap:wrap;gap:4px 18px;margin:4px 0 10px}
    .c0{color:var(--c0);fill:var(--c0)}.c1{color:var(--c1);fill:var(--c1)}.c2{color:var(--c2);fill:var(--c2)}
    .c3{color:var(--c3);fill:var(--c3)}.c4{color:var(--c4);fill:var(--c4)}.c5{color:var(--c5);fill:var(--c5)}
    .chart{display:block;overflow:visible}
    .chart text{font-size:13px;fill:var(--soft)}
    .chart .label{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:4px}
    .grid{stroke:var(--grid)}.front{stroke:var(--accent);stroke-width:1.5;stroke-dasharray:5 4}
    .whisker{stroke:var(--ink);stroke-width:1.5;opacity:.55}
    .point{fill-opacity:.35;stroke:currentColor;stroke-opacity:.7;cursor:default}
    .point.pareto{fill-opacity:.75;stroke-width:1.5}
    .point.pick{fill-opacity:1;stroke:var(--ink);stroke-width:3;stroke-opacity:1}
    .point:hover{stroke-width:3;stroke-opacity:1}
    .rows{display:flex;flex-direction:column}
    .row{display:grid;grid-template-columns:minmax(150px,290px) 1fr minmax(84px,auto);gap:14px;\
    align-items:center;padding:1px 8px;border-radius:8px;font-size:14px}
    .row.pick{background:var(--accent-bg)}.row.invalid{opacity:.45}
    .row .name{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .row .name span,.row .value small{color:var(--soft)}
    .row .value{text-align:right;white-space:nowrap}
    .row svg{width:100%;height:34px;display:block;overflow:visible}
    .row svg path{fill-opacity:.5}
    .mark{stroke:var(--ink);stroke-width:1.5;vector-effect:non-scaling-stroke;opacity:.85}
    .mark.p50{stroke-width:2.5}.mark.p99{stroke-dasharray:3 2}
    .scale>div{position:relative;height:20px;border-bottom:1px solid var(--line)}
    .scale>div span{position:absolute;transform:translateX(-50%);font-size:12px;color:var(--soft);\
    white-space:nowrap}
    .scale:last-child>div{border-bottom:0;border-top:1px solid var(--line)}
    .bars{display:flex;height:14px;border-radius:4px;overflow:hidden}
    .bars i{display:block;background:currentColor;min-width:1px}
    .read{color:var(--c2)}.compile{color:var(--c0)}.first{color:var(--c1)}
    #init .row,#operators .row{padding:4px 8px}
    details{border-top:1px solid var(--line);padding:8px 0}
    summary{cursor:pointer;font-weight:600;padding:2px 0}
    details.inner{border:0;padding-left:8px}details.inner summary{font-weight:400;color:var(--soft)}
    pre{background:var(--grid);border-radius:8px;padding:10px 14px;overflow-x:auto;font-size:13.5px;\
    margin:0 0 14px}
    dl{margin:0 0 12px}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
    .pairs{display:grid;grid-template-columns:max-content 1fr;gap:4px 18px;font-size:14.5px}
    .failed dt{color:var(--bad);font-weight:600;margin-top:8px}
    .hash{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px}
    a{color:var(--accent)}
    footer{padding-bottom:40px}
    #tip{position:fixed;z-index:9;max-width:300px;background:var(--ink);color:var(--bg);font-size:13px;\
    line-height:1.4;border-radius:8px;padding:8px 11px;pointer-events:none;display:none}
    @media (max-width:640px){header,main,footer{padding:0 12px}header{padding-top:16px}h1{font-size:24px}\
    section{padding:16px 14px;margin:12px 0;border-radius:12px}.scroll{margin:0 -14px;padding:0 14px}\
    .cards{grid-template-columns:1fr 1fr;gap:8px}.card strong{font-size:22px}\
    .row{grid-template-columns:1fr max-content;gap:0 10px}.row .name{grid-row:1}\
    .row .value{grid-row:1;grid-column:2}.row svg,.row .bars,.scale>div{grid-column:1/3;grid-row:2}\
    .row svg{height:28px}.scale .name,.scale .value{display:none}.row{padding:3px 4px}\
    .pairs{grid-template-columns:1fr;gap:0}.pairs dd{margin-bottom:6px}}
    @media print{body{background:#fff}section{break-inside:avoid;border-color:#ccc}}
    """

  /// Sorting by headings and words beside the pointer; the page is whole without it.
  static let script: Markup = """
    for(const table of document.querySelectorAll("table.sortable")){\
    table.querySelectorAll("th button").forEach((button,index)=>{button.addEventListener("click",()=>{\
    const head=button.parentElement,up=head.getAttribute("aria-sort")!=="ascending";\
    table.querySelectorAll("th").forEach(th=>th.removeAttribute("aria-sort"));\
    head.setAttribute("aria-sort",up?"ascending":"descending");\
    const body=table.tBodies[0],numeric=head.classList.contains("n");\
    const key=row=>{const cell=row.cells[index];if(!numeric)return cell.textContent;\
    return cell.dataset.v===undefined?null:Number(cell.dataset.v)};\
    [...body.rows].sort((a,b)=>{const x=key(a),y=key(b);if(x===null||y===null)return(x===null)-(y===null);\
    const order=numeric?x-y:x.localeCompare(y);return up?order:-order}).forEach(row=>body.append(row))})})}
    const tip=document.createElement("div");tip.id="tip";document.body.append(tip);\
    for(const point of document.querySelectorAll("[data-tip]")){\
    const title=point.querySelector("title");if(title)title.remove();\
    point.addEventListener("pointerenter",()=>{tip.textContent=point.dataset.tip;tip.style.display="block"});\
    point.addEventListener("pointermove",event=>{\
    tip.style.left=Math.max(8,Math.min(event.clientX+14,innerWidth-tip.offsetWidth-8))+"px";\
    tip.style.top=Math.max(8,event.clientY-tip.offsetHeight-12)+"px"});\
    point.addEventListener("pointerleave",()=>{tip.style.display="none"})}
    """
}
