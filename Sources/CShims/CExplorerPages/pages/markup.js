// Elements and numbers. Text always becomes text nodes, so a name can never be markup.

export const LETTERS = ["A", "B", "C", "D", "E", "N.A."];

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : String(child));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

export function field(label, control) {
  return h("label", { class: "field" }, label, control);
}

export function check(label, isOn, change) {
  const box = h("input", { type: "checkbox", onchange: () => change(box.checked) });
  box.checked = isOn;
  return h("label", { class: "check" }, box, " ", label);
}

export function select(options, value, change) {
  const list = h("select", { onchange: () => change(list.value) },
    options.map((option) => {
      const [word, name, isOff] = Array.isArray(option) ? option : [option, option];
      return h("option", { value: word, disabled: isOff }, name);
    }));
  if (value !== undefined) list.value = value;
  return list;
}

export function grade(letter) {
  return h("span", { class: `grade ${letter.replaceAll(".", "")}` }, letter);
}

export function table(caption, heads, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("caption", { class: "small soft", style: "text-align:left" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head) => head.numeric
        ? h("th", { scope: "col", class: "number" }, head.text)
        : h("th", { scope: "col" }, head.text ?? head)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, place) =>
        h("td", { class: heads[place].numeric ? "number" : heads[place].wraps ? "wrap" : null }, cell)))))));
}

// MARK: Numbers

function digits(value, count) {
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size >= count + 3 || size < -4) return value.toExponential(2);
  return value.toFixed(Math.max(0, count - 1 - size));
}

const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"]];

function prefixed(value, unit, count) {
  if (value === 0) return `0 ${unit}`;
  const size = Math.abs(value);
  const [factor, prefix] = PREFIXES.find(([factor]) => size >= factor * 0.9995) ?? PREFIXES.at(-1);
  return `${digits(value / factor, count)} ${prefix}${unit}`;
}

/// A value with its unit, in the prefix that reads best.
export function number(value, unit, count = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  switch (unit) {
    case "seconds": return prefixed(value, "s", count);
    case "wattseconds": return prefixed(value, "Ws", count);
    case "joules": return prefixed(value, "J", count);
    case "watts": return prefixed(value, "W", count);
    case "bytes": return prefixed(value, "B", count);
    // Published tables say percent and give fractions.
    case "percent": case "fraction": return `${digits(value * 100, count)} %`;
    case "decibel": return `${digits(value, count)} dB`;
    case "per second": return `${digits(value, count)} /s`;
    default: return digits(value, Math.max(count, 4));
  }
}

/// A value with the interval that it lies in.
export function figure(value, low, high, unit) {
  const text = number(value, unit);
  if (low === null || low === undefined || high === null || high === undefined) return text;
  return `${text} [${number(low, unit)}, ${number(high, unit)}]`;
}

export const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
