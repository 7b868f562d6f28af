// The course of a unit's temperatures as inline SVG; text goes in as text nodes.
import { h } from "./dom.js";
import { clock } from "./time.js";
import { label, lang, t } from "./words.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [640, 240, 52, 28, 12, 8];

function s(tag, attrs, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Pieces of a line: a step without a value breaks it. */
function path(values, x, y) {
  let pen = "M";
  return values.map((value, i) => {
    if (value === null) { pen = "M"; return ""; }
    const step = `${pen}${x(i).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
    return step;
  }).join("");
}

/** Round numbers between `low` and `high`, about four of them. */
function ticks(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((n) => n * power >= raw) * power;
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return found;
}

export function chart(unit) {
  const limits = [["high", unit.high_c], ["low", unit.low_c], ["food", unit.food_high_c]].filter(([, value]) => value !== null);
  const values = unit.curves.flatMap((curve) => curve.values).filter((value) => value !== null);
  if (values.length === 0) return h("p", { class: "note" }, t("cold.curve.none"));
  const near = limits.map(([, value]) => value).filter((value) => Math.abs(value - values.at(-1)) < 15);
  let [low, high] = [Math.min(...values, ...near), Math.max(...values, ...near)];
  [low, high] = [low - 0.5 - (high - low) * 0.05, high + 0.5 + (high - low) * 0.05];
  const count = unit.curves[0].values.length;
  const x = (i) => LEFT + (i / (count - 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const span = unit.curves[0].step_s * count * 1_000;
  const moment = (share) => clock(new Date(Date.parse(unit.curves[0].end) - span * (1 - share))).slice(0, 5);
  const within = (value) => value >= low && value <= high;
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("cold.curve"), "data-testid": "chart" },
    ...ticks(low, high).flatMap((at) => [
      s("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(at), y2: y(at) }),
      s("text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, at.toLocaleString(lang(), { maximumFractionDigits: 1 }))]),
    ...[0, 0.5, 1].map((share) => s("text", {
      x: LEFT + share * (WIDTH - LEFT - RIGHT), y: HEIGHT - 6, "text-anchor": ["start", "middle", "end"][share * 2],
    }, moment(share))),
    ...limits.filter(([, value]) => within(value)).map(([kind, value]) =>
      s("line", { class: `edge ${kind}`, x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }, s("title", {}, t(`cold.edge.${kind}`)))),
    ...unit.curves.map((curve) => s("path", { class: `curve ${curve.name === "product_c" ? "product" : "air"}`, d: path(curve.values, x, y) },
      s("title", {}, label(curve.label)))));
  const key = unit.curves.map((curve) => h("span", { class: `key ${curve.name === "product_c" ? "product" : "air"}` }, label(curve.label)));
  const edges = limits.filter(([, value]) => within(value)).map(([kind]) => h("span", { class: `key ${kind}` }, t(`cold.edge.${kind}`)));
  return h("figure", { class: "chart" }, svg, h("figcaption", { class: "faint" }, key, edges));
}
