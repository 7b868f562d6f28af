// Units: a line of the fleet, and the head of one unit's page with the course of its temperatures.
import { chart } from "./chart.js";
import { h } from "./dom.js";
import { timeTag } from "./time.js";
import { label, lang, name, t } from "./words.js";

const number = (value, digits = 1) =>
  Number(value).toLocaleString(lang(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
const celsius = (value) => (value === null || value === undefined ? "—" : `${number(value)}\u00a0°C`);

function states(one) {
  if (one.out_of_service_by) return ["off", t("cold.state.off", { who: one.out_of_service_by })];
  if (one.open) return [one.severity, label(one.fault, "?") + (one.open > 1 ? ` (+${one.open - 1})` : "")];
  if (!one.declared) return ["off", t("cold.state.undeclared")];
  return one.read_at ? ["fine", t("cold.state.fine")] : ["off", t("cold.state.unheard")];
}

const state = (one) => {
  const [kind, words] = states(one);
  return h("span", { class: `severity ${kind}`, dataset: { testid: "unit-state" } }, words);
};

export function fleetRow(one) {
  return h("li", { dataset: { testid: "unit-row" } },
    h("a", { class: "unit-row", href: `#/u/${encodeURIComponent(one.unit_id)}` },
      h("span", { class: "unit-name" }, h("b", {}, one.name), h("span", { class: "faint" }, one.site || one.unit_id)),
      h("span", { class: "number", dataset: { testid: "temperature" } }, celsius(one.temperature_c)),
      h("span", { class: "faint" }, one.read_at ? timeTag(one.read_at) : t("cold.never")),
      state(one)));
}

function facts(one) {
  const range = [one.low_c, one.high_c].map(celsius).join(" … ");
  const food = one.food_high_c !== null && [celsius(one.food_high_c), h("span", { class: "faint" }, ` ${one.food_source}`)];
  const pairs = [
    ["cold.kind", one.kind && name("cold.kind", one.kind)], ["cold.site", one.site], ["cold.refrigerant", one.refrigerant],
    ["cold.set", one.set_point_c !== null && celsius(one.set_point_c)],
    ["cold.range", (one.low_c !== null || one.high_c !== null) && range], ["cold.food", food],
    ["cold.read", one.read_at && timeTag(one.read_at)],
  ];
  return h("dl", { class: "unit-facts" }, pairs.filter(([, value]) => value).map(([word, value]) => [h("dt", {}, t(word)), h("dd", {}, value)]));
}

function sensor(one) {
  const value = one.value === null ? "—"
    : one.contact ? t(one.value > 0.5 ? "cold.on" : "cold.off")
      : `${number(one.value, Math.abs(one.value) < 100 ? 1 : 0)}\u00a0${one.unit}`;
  return h("div", {}, h("dt", {}, label(one.label)), h("dd", {}, value));
}

export function unitHead(one) {
  return [
    h("p", {}, h("a", { href: "#/", dataset: { testid: "to-fleet" } }, t("cold.back"))),
    h("div", { class: "line" }, h("h1", { dataset: { testid: "unit-name" } }, one.name), state(one)),
    h("p", { class: "faint" }, one.unit_id),
    !one.declared && h("p", { class: "note", dataset: { testid: "undeclared" } }, t("cold.undeclared"), h("code", {}, "astreinte units add")),
    h("div", { class: "unit-columns" }, facts(one),
      one.curves.length > 0 ? chart(one) : h("p", { class: "note" }, t("cold.curve.none"))),
    one.sensors.length > 0 && h("details", { open: true, dataset: { fold: "sensors" } }, h("summary", {}, t("cold.sensors")),
      h("dl", { class: "sensors" }, one.sensors.map(sensor))),
  ];
}
