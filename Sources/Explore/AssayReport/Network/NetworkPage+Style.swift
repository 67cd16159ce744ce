extension NetworkPage {
  /// The page's style sheet.
  static let style: Markup = """
    :root{--bg:#f6f6f3;--card:#fff;--ink:#1b1d21;--soft:#5d636d;--line:#dcdcd5;--edge:#a7a9ad;\
    --accent:#0b6e4f;--bad:#b3261e;--hot:#d9480f;--cold:#fff6ec;\
    --input:#e4e5e8;--output:#e4e5e8;--convolution:#d5e3fb;--dense:#dcdcf9;--normalization:#e6efd8;\
    --activation:#f9ddda;--pooling:#d3efe2;--merging:#eddff7;--shape:#efe8d6;--quantization:#d3edf1;\
    --recurrent:#fbe3c8;--attention:#f7dcec;--other:#ebebe6}
    @media (prefers-color-scheme:dark){:root{--bg:#131519;--card:#1b1e24;--ink:#e9eaec;--soft:#9aa1ac;\
    --line:#2c313a;--edge:#5a616c;--accent:#58c99b;--bad:#ff8a80;--hot:#ff7a3d;--cold:#2a2320;\
    --input:#343943;--output:#343943;--convolution:#21395f;--dense:#30305f;--normalization:#33421f;\
    --activation:#56302c;--pooling:#1c4636;--merging:#432d57;--shape:#443c26;--quantization:#1d444b;\
    --recurrent:#553a1c;--attention:#502c43;--other:#33353a}}
    *{box-sizing:border-box}html,body{height:100%}html{-webkit-text-size-adjust:100%}
    body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",\
    Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;\
    display:flex;flex-direction:column;overflow:hidden}
    header{display:flex;gap:8px 20px;align-items:center;flex-wrap:wrap;padding:9px 16px;background:var(--card);\
    border-bottom:1px solid var(--line);flex:none}
    .name{flex:1 1 240px;min-width:0}
    h1{font-size:17px;margin:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .name p{margin:0;color:var(--soft);font-size:13px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .tools{display:flex;gap:8px;align-items:center}
    .sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    input,select,button{font:inherit;font-size:14px;color:var(--ink);background:var(--bg);\
    border:1px solid var(--line);border-radius:8px;padding:6px 10px;min-height:36px}
    select{max-width:210px}input{width:190px}button{cursor:pointer;min-width:36px}
    .zoom{display:flex}.zoom button{border-radius:0;margin-left:-1px}
    .zoom button:first-child{border-radius:8px 0 0 8px}.zoom button:last-child{border-radius:0 8px 8px 0}
    :focus-visible{outline:2px solid var(--accent);outline-offset:1px}
    #hits{color:var(--soft);font-size:13px;min-width:0}
    main{flex:1;position:relative;min-height:0;display:flex}
    #net{flex:1;min-width:0;height:100%;touch-action:none;cursor:grab;outline-offset:-3px}
    #net.drag{cursor:grabbing}
    #net text{text-anchor:middle;font-size:12.5px;font-weight:600;fill:var(--ink);pointer-events:none}
    #net text.d{font-size:10.5px;font-weight:400;fill:var(--ink);opacity:.78}
    .edges path{fill:none;stroke:var(--edge);stroke-width:1.2}.edges .h{fill:var(--edge);stroke:none}
    .edges .on path{stroke:var(--accent);stroke-width:2.4}.edges .on .h{fill:var(--accent);stroke:none}
    .b{cursor:pointer}.b rect{stroke:var(--ink);stroke-opacity:.22;fill:var(--other)}
    .input rect{fill:var(--input)}.output rect{fill:var(--output)}.convolution rect{fill:var(--convolution)}
    .dense rect{fill:var(--dense)}.normalization rect{fill:var(--normalization)}
    .activation rect{fill:var(--activation)}.pooling rect{fill:var(--pooling)}.merging rect{fill:var(--merging)}
    .shape rect{fill:var(--shape)}.quantization rect{fill:var(--quantization)}
    .recurrent rect{fill:var(--recurrent)}.attention rect{fill:var(--attention)}
    .suspect rect{stroke:var(--bad);stroke-width:3;stroke-opacity:1}
    .b:hover rect{stroke-opacity:.8}
    .b.sel rect{stroke:var(--accent);stroke-width:3;stroke-opacity:1}
    .finding .b:not(.hit){opacity:.22}.finding .edges{opacity:.3}
    .b.hit rect{stroke:var(--accent);stroke-width:2.4;stroke-opacity:1}
    .heat .b rect{fill:color-mix(in oklab,var(--hot) calc(var(--h,0)*100%),var(--cold))}
    .heat .b.none rect{fill:var(--card)}
    aside{width:360px;flex:none;background:var(--card);border-left:1px solid var(--line);overflow:auto;\
    padding:16px 18px;position:relative}
    aside h2{font-size:18px;margin:0 34px 2px 0;overflow-wrap:anywhere}
    aside h3{font-size:13px;color:var(--soft);font-weight:600;margin:16px 0 4px}
    aside .path{color:var(--soft);font-size:13px;overflow-wrap:anywhere;margin:0 0 8px}
    #close{position:absolute;right:12px;top:10px;border:0;background:none;font-size:22px;line-height:1;\
    padding:4px 8px;display:none}
    .open #close{display:block}
    dl{margin:0;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 14px;font-size:14px}
    dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
    dd small{color:var(--soft)}
    .port{border-top:1px solid var(--line);padding:7px 0;font-size:13.5px;overflow-wrap:anywhere}
    .port b{font-weight:600}.port small{color:var(--soft);display:block}
    .port button{all:unset;cursor:pointer;color:var(--accent);text-decoration:underline;\
    text-underline-offset:2px}
    .port button:focus-visible{outline:2px solid var(--accent);border-radius:3px}
    .hist{display:block;width:100%;height:46px;margin:5px 0 0}.hist rect{fill:var(--accent);opacity:.75}
    .hint{color:var(--soft);font-size:13px;margin:16px 0 0}
    kbd{font:inherit;font-size:12px;border:1px solid var(--line);border-radius:4px;padding:0 5px}
    .bad{color:var(--bad)}
    #legend{position:absolute;left:14px;bottom:14px;background:var(--card);border:1px solid var(--line);\
    border-radius:10px;padding:8px 12px;font-size:13px;pointer-events:none;max-width:calc(100% - 28px)}
    #legend[hidden]{display:none}
    #legend .ramp{display:block;width:180px;height:9px;border-radius:5px;margin:4px 0 2px;\
    background:linear-gradient(90deg in oklab,var(--cold),var(--hot))}
    #legend .ends{display:flex;justify-content:space-between;color:var(--soft)}
    #legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin:0 6px 0 12px;\
    border:1px solid var(--line);vertical-align:-1px}
    #legend i:first-child{margin-left:0}
    @media (max-width:760px){header{padding:8px 10px}.tools{width:100%}.find{flex:1}input{width:100%}\
    select{max-width:128px}
    aside{position:absolute;left:0;right:0;bottom:0;width:auto;max-height:56%;border-left:0;\
    border-top:1px solid var(--line);border-radius:14px 14px 0 0;display:none;\
    box-shadow:0 -6px 24px rgb(0 0 0/.18)}.open aside{display:block}#hits{position:absolute;right:12px;top:8px}}
    """
}
