extension NetworkPage {
  /// Moving, zooming, searching, walking and asking; the drawing is whole without it.
  static let script: Markup = #"""
    "use strict";
    const {boxes,edges}=JSON.parse(document.getElementById("data").textContent);
    const $=id=>document.getElementById(id),net=$("net"),view=$("view"),side=$("detail");
    const nodes=[...document.querySelectorAll(".b")],lines=new Map();
    for(const g of document.querySelectorAll(".edges>g"))lines.set(Number(g.dataset.s),g);
    const reads=boxes.map(()=>[]),read=boxes.map(()=>[]);
    for(const[a,b]of edges){reads[b].push(a);read[a].push(b)}
    const [,,W,H]=net.getAttribute("viewBox").split(" ").map(Number);
    let x=0,y=0,k=1,chosen=-1,moved=false;
    net.removeAttribute("viewBox");net.removeAttribute("preserveAspectRatio");
    const draw=()=>view.setAttribute("transform",`translate(${x} ${y}) scale(${k})`);
    const size=()=>net.getBoundingClientRect();
    const limit=v=>Math.min(4,Math.max(.02,v));
    function zoom(f,cx,cy){const r=size();cx=cx??r.width/2;cy=cy??r.height/2;const n=limit(k*f);
    x=cx-(cx-x)*n/k;y=cy-(cy-y)*n/k;k=n;draw()}
    function fit(){const r=size();k=limit(Math.min(r.width/W,r.height/H,1.4));
    x=(r.width-W*k)/2+30*k;y=Math.max(0,(r.height-H*k)/2)+30*k;draw()}
    function start(){fit();if(k<.55){const r=size(),first=boxes.findIndex(b=>b.k==="input");
    k=Math.max(k,Math.min(1,r.width/420*.9));const b=boxes[Math.max(first,0)]||{x:W/2,y:0};
    x=r.width/2-b.x*k;y=40-b.y*k+20*k;draw()}}
    function center(i,force){const r=size(),b=boxes[i];const px=b.x*k+x,py=b.y*k+y;
    const low=innerWidth<=760&&document.body.classList.contains("open")?r.height*.42:r.height;
    if(force||px<70||py<40||px>r.width-70||py>low-40){x+=r.width/2-px;y+=low/2-py;draw()}}
    net.addEventListener("wheel",e=>{e.preventDefault();const r=size();
    if(e.ctrlKey||!e.shiftKey)zoom(Math.exp(-e.deltaY*(e.ctrlKey?.01:.0016)),e.clientX-r.left,e.clientY-r.top);
    else{x-=e.deltaX+e.deltaY;draw()}},{passive:false});
    const fingers=new Map();
    net.addEventListener("pointerdown",e=>{fingers.set(e.pointerId,e);moved=false;net.setPointerCapture(e.pointerId)});
    net.addEventListener("pointermove",e=>{const old=fingers.get(e.pointerId);if(!old)return;
    const list=[...fingers.values()];if(list.length===1){const dx=e.clientX-old.clientX,dy=e.clientY-old.clientY;
    if(!moved&&Math.hypot(dx,dy)<4)return;moved=true;net.classList.add("drag");x+=dx;y+=dy;draw()}
    else if(list.length===2){const other=list.find(f=>f.pointerId!==e.pointerId),r=size();
    const was=Math.hypot(old.clientX-other.clientX,old.clientY-other.clientY),
    now=Math.hypot(e.clientX-other.clientX,e.clientY-other.clientY);moved=true;
    if(was>0)zoom(now/was,(e.clientX+other.clientX)/2-r.left,(e.clientY+other.clientY)/2-r.top)}
    fingers.set(e.pointerId,e)});
    const up=e=>{fingers.delete(e.pointerId);net.classList.remove("drag")};
    net.addEventListener("pointerup",e=>{up(e);if(moved)return;
    const hit=document.elementsFromPoint(e.clientX,e.clientY).map(t=>t.closest&&t.closest(".b")).find(Boolean);
    if(hit)choose(Number(hit.dataset.i));else close()});
    net.addEventListener("pointercancel",up);
    $("in").onclick=()=>zoom(1.35);$("out").onclick=()=>zoom(1/1.35);$("fit").onclick=fit;
    const short=(v,u)=>{if(!Number.isFinite(v))return"–";const s=["",u===1024?" kB":" k"," M"," G"," T"];
    let i=0;while(Math.abs(v)>=999.5&&i<4){v/=1000;i++}
    return(i||!Number.isInteger(v)?v.toPrecision(3):String(v))+(u===1024?[" B"," kB"," MB"," GB"," TB"][i]:s[i])};
    const time=n=>n>=1e6?(n/1e6).toPrecision(3)+" ms":n>=1e3?(n/1e3).toPrecision(3)+" µs":n.toPrecision(3)+" ns";
    const energy=j=>j>=.9995?j.toPrecision(3)+" J":j>=9.995e-4?(j*1e3).toPrecision(3)+" mJ":j>=9.995e-7?(j*1e6).toPrecision(3)+" µJ":(j*1e9).toPrecision(3)+" nJ";
    const num=v=>v===null?"–":Math.abs(v)>=1e5||v!==0&&Math.abs(v)<1e-3?v.toExponential(2):String(+v.toPrecision(4));
    function el(tag,text,cls){const e=document.createElement(tag);if(text!==undefined)e.textContent=text;
    if(cls)e.className=cls;return e}
    function list(rows){const dl=el("dl");for(const[a,b,c]of rows){dl.append(el("dt",a),el("dd",b,c))}return dl}
    function ports(title,items,targets){if(!items||!items.length)return[];const out=[el("h3",title)];
    for(const p of items){const d=el("div",undefined,"port");
    const makers=targets?targets(p):[];
    if(makers.length){for(const m of makers){const b=el("button",p.n);b.onclick=()=>{choose(m);center(m,true)};d.append(b," ")}}
    else d.append(el("b",p.n));
    d.append(el("small",(p.c?"constant ":"")+p.t));if(p.q)d.append(el("small",p.q));
    if(p.s){const s=p.s;d.append(el("small",`min ${num(s[0])}  max ${num(s[1])}  mean ${num(s[2])}  std ${num(s[3])}  zeros ${(s[4]*100).toPrecision(2)} %`))}
    if(p.h&&p.h.length>1){const NS="http://www.w3.org/2000/svg",g=document.createElementNS(NS,"svg");
    g.setAttribute("class","hist");g.setAttribute("viewBox",`0 0 ${p.h.length*10} 46`);g.setAttribute("preserveAspectRatio","none");
    g.setAttribute("role","img");g.setAttribute("aria-label","histogram");const top=Math.max(...p.h);
    p.h.forEach((v,i)=>{const r=document.createElementNS(NS,"rect"),h=v?Math.max(1,Math.sqrt(v/top)*46):0;
    r.setAttribute("x",i*10+1);r.setAttribute("width",8);r.setAttribute("y",46-h);r.setAttribute("height",h);g.append(r)});d.append(g)}
    out.push(d)}return out}
    const overview=[...side.childNodes];
    function close(){document.body.classList.remove("open");if(chosen>=0){nodes[chosen].classList.remove("sel")}
    for(const g of lines.values())g.classList.remove("on");chosen=-1;side.replaceChildren(...overview)}
    function choose(i){if(!(i>=0&&i<boxes.length))return;close();chosen=i;const b=boxes[i];
    nodes[i].classList.add("sel");document.body.classList.add("open");
    for(const s of[i,...reads[i]]){const g=lines.get(s);if(g)g.classList.add("on")}
    const rows=[];if(b.m)rows.push(["MACs",short(b.m)]);if(b.p)rows.push(["parameters",short(b.p)]);
    if(b.c)rows.push(["weights",short(b.c,1024)]);if(b.b)rows.push(["bytes moved",short(b.b,1024)]);
    if(b.t!==undefined)rows.push(["time",time(b.t)]);if(b.w)rows.push(["ran on",b.w]);
    if(b.j!==undefined)rows.push(["energy","≈"+energy(b.j)+" est."]);
    if(b.e!==undefined)rows.push(["own SNR",b.e>=200?"identical":b.e.toFixed(1)+" dB"]);
    if(b.f)rows.push(["certificate",b.f,nodes[i].classList.contains("suspect")?"bad":""]);
    const maker=p=>reads[i].filter(j=>(boxes[j].u||[]).some(o=>o.n===p.n));
    const reader=p=>read[i].filter(j=>(boxes[j].i||[]).some(o=>o.n===p.n));
    const parts=[el("h2",b.o)];if(b.n&&b.n!==b.o)parts.push(el("p",b.n,"path"));
    if(rows.length)parts.push(list(rows));
    if(b.a)parts.push(el("h3","Attributes"),list(b.a));
    parts.push(...ports("Reads",b.i,maker),...ports("Makes",b.u,()=>[]));
    const next=[...new Set(read[i])];if(next.length){parts.push(el("h3","Read by"));
    for(const j of next){const d=el("div",undefined,"port"),t=el("button",boxes[j].o+" "+(boxes[j].n!==boxes[j].o?boxes[j].n:""));
    t.onclick=()=>{choose(j);center(j,true)};d.append(t);parts.push(d)}}
    side.replaceChildren(...parts);side.parentElement.scrollTop=0;nodes[i].setAttribute("aria-current","true");
    history.replaceState(null,"","#"+encodeURIComponent(b.n))}
    $("close").onclick=()=>{close();net.focus()};
    let hits=[],at=0;
    function find(){const q=$("find").value.trim().toLowerCase();hits=[];nodes.forEach(n=>n.classList.remove("hit"));
    net.classList.toggle("finding",q!=="");if(q){boxes.forEach((b,i)=>{if((b.o+" "+b.n+" "+(b.a||[]).flat().join(" ")+" "+(b.i||[]).filter(p=>p.c).concat(b.u||[]).map(p=>p.n).join(" ")).toLowerCase().includes(q))hits.push(i)});
    for(const i of hits)nodes[i].classList.add("hit")}$("hits").textContent=q?hits.length+" found":"";at=0}
    $("find").addEventListener("input",()=>{find();if(hits.length)center(hits[0],true)});
    $("find").addEventListener("keydown",e=>{if(e.key==="Enter"&&hits.length){const i=hits[at%hits.length];at++;choose(i);center(i,true)}
    if(e.key==="Escape"){$("find").value="";find();net.focus()}});
    const heats={m:["Multiply-accumulates",b=>b.m||0,v=>short(v)],p:["Parameters",b=>b.p||0,v=>short(v)],
    b:["Bytes moved",b=>b.b||0,v=>short(v,1024)],t:["Measured time",b=>b.t,time],
    j:["Energy, shared out by time (estimated)",b=>b.j,energy],
    e:["Quantization error (own SNR)",b=>b.e===undefined?undefined:-Math.min(b.e,100),v=>(-v).toFixed(0)+" dB"]};
    const palette=["var(--convolution)","var(--recurrent)","var(--pooling)","var(--attention)","var(--merging)"];
    function rank(key){const box=overview.find(n=>n.id==="rank");if(!box||!(key in heats))return;
    const[name,value,words]=heats[key],all=boxes.map((b,i)=>[value(b),i]).filter(([v])=>v!==undefined&&(key==="e"||v>0));
    const sum=all.reduce((s,[v])=>s+v,0);all.sort((a,b)=>b[0]-a[0]);box.replaceChildren(el("h3",(key==="e"?"Least: ":"Most: ")+name.toLowerCase()));
    for(const[v,i]of all.slice(0,8)){const d=el("div",undefined,"port"),t=el("button",boxes[i].o+(boxes[i].n&&boxes[i].n!==boxes[i].o?" "+boxes[i].n:""));
    t.onclick=()=>{choose(i);center(i,true)};d.append(t,el("small",words(v)+(key==="e"||!sum?"":" · "+(v/sum*100).toFixed(1)+" %")));box.append(d)}}
    function heat(){const key=$("heat").value,legend=$("legend");net.classList.toggle("heat",key in heats);
    nodes.forEach(n=>{n.classList.remove("none");n.style.removeProperty("--h");n.firstElementChild.style.removeProperty("fill")});
    legend.hidden=!key;legend.replaceChildren();rank(key||"m");if(!key)return;
    if(key==="w"){const names=[...new Set(boxes.map(b=>b.w).filter(Boolean))];
    boxes.forEach((b,i)=>{nodes[i].firstElementChild.style.fill=b.w?palette[names.indexOf(b.w)%palette.length]:"var(--card)"});
    names.forEach((n,i)=>{const c=el("i");c.style.background=palette[i%palette.length];legend.append(c,n)});return}
    const[name,value,words]=heats[key],all=boxes.map(value);const known=all.filter(v=>v!==undefined&&Number.isFinite(v));
    const top=Math.max(...known),low=key==="e"?Math.min(...known):0;
    all.forEach((v,i)=>{if(v===undefined||boxes[i].k==="input"||boxes[i].k==="output"){nodes[i].classList.add("none");return}
    const h=top>low?(v-low)/(top-low):0;nodes[i].style.setProperty("--h",String(key==="e"?h:Math.sqrt(h)))});
    legend.append(el("span",name),el("span",undefined,"ramp"));const ends=el("span",undefined,"ends");
    ends.append(el("span",words(low)),el("span",words(top)));legend.append(ends)}
    $("heat").addEventListener("change",heat);
    function walk(to){if(chosen<0){choose(0);center(0);return}
    const b=boxes[chosen];let best=-1;if(to==="ArrowDown"||to==="ArrowUp"){const c=to==="ArrowDown"?read[chosen]:reads[chosen];
    best=c.length?c.reduce((p,q)=>Math.abs(boxes[q].x-b.x)+Math.abs(boxes[q].y-b.y)<Math.abs(boxes[p].x-b.x)+Math.abs(boxes[p].y-b.y)?q:p):-1}
    else{let d=1/0;boxes.forEach((o,i)=>{const dx=to==="ArrowRight"?o.x-b.x:b.x-o.x;
    if(i!==chosen&&dx>1&&o.l===b.l&&dx<d){d=dx;best=i}})}
    if(best>=0){choose(best);center(best)}}
    addEventListener("keydown",e=>{const typing=/INPUT|SELECT/.test(e.target.tagName);
    if(e.key==="/"&&!typing){e.preventDefault();$("find").focus();return}if(typing||e.ctrlKey||e.metaKey||e.altKey)return;
    if(e.key.startsWith("Arrow")&&(e.target===net||e.target===document.body)){e.preventDefault();walk(e.key)}
    else if(e.key==="+"||e.key==="=")zoom(1.35);else if(e.key==="-")zoom(1/1.35);else if(e.key==="0")fit();
    else if(e.key==="Escape"){close();net.focus()}});
    addEventListener("resize",()=>{if(chosen>=0)center(chosen)});
    rank(boxes.some(b=>b.t)?"t":"m");start();
    const asked=decodeURIComponent(location.hash.slice(1));
    if(asked){const i=boxes.findIndex(b=>b.n===asked);if(i>=0){choose(i);center(i,true)}}
    """#
}
