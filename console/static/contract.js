// The page /asyncapi: what travels where, in which shape. It shows /asyncapi.json and nothing else.
import { getContract } from "./api.js";
import { $, fill, h } from "./dom.js";
import * as header from "./header.js";
import { lang, refusal, t } from "./words.js";

const DAY_MS = 86_400_000;
const FLOWS = ["printer", "frigo", "dead"];

let known = null;
let failure = null;

const end = (reference) => reference.split("/").at(-1);
const link = (shape) => h("a", { href: `#${shape}` }, h("code", {}, shape));
const between = (parts, glue) => parts.flatMap((part, place) => (place ? [glue, part] : [part]));
/** Text with what stands between backquotes as code. */
const prose = (text) => (text ?? "").split("`").map((part, place) => (place % 2 ? h("code", {}, part) : part));
const row = (...cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell)));
const table = (heads, rows) => h("table", {},
  h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, t(head))))),
  h("tbody", {}, rows));

// ── shapes ──────────────────────────────────────────────────────────────────
function type(schema) {
  if (schema.$ref) return link(end(schema.$ref));
  if (schema.anyOf) return between(schema.anyOf.map(type), ` ${t("contract.or")} `);
  if (schema.enum) return between(schema.enum.map((value) => h("code", {}, value)), ", ");
  if (schema.type === "array") return [t("contract.list"), " ", type(schema.items ?? {})];
  return t(`contract.type.${schema.format ?? schema.type ?? "any"}`);
}

function limits(schema) {
  if (schema.anyOf) return schema.anyOf.map(limits).find(Boolean);
  const number = (n) => n.toLocaleString(lang());
  if (schema.maxLength) return t("contract.characters", { n: number(schema.maxLength) });
  if (schema.maxItems ?? schema.maxProperties) return t("contract.most", { n: number(schema.maxItems ?? schema.maxProperties) });
  if (schema.minimum !== undefined && schema.maximum !== undefined) return `${schema.minimum}–${schema.maximum}`;
  return null;
}

function fields(shape) {
  if (shape.enum) return h("p", {}, type(shape));
  return table(["contract.field", "contract.type", "contract.means"], Object.entries(shape.properties ?? {}).map(([name, schema]) =>
    row(
      [h("code", {}, name), shape.required?.includes(name) && h("span", { class: "must" }, t("contract.must"))],
      [type(schema), limits(schema) && h("span", { class: "faint" }, ` · ${limits(schema)}`)],
      prose(schema.description),
    )));
}

const headers = (shape) => table(["contract.header", "contract.means"],
  Object.entries(shape.properties).map(([name, schema]) => row(h("code", {}, name), prose(schema.description))));

// ── topics ──────────────────────────────────────────────────────────────────
function who(action, topic) {
  const found = Object.values(known.operations)
    .filter((operation) => operation.action === action && end(operation.channel.$ref) === topic)
    .map((operation) => operation.tags[0].name);
  return found.join(", ") || t("contract.nobody");
}

function kept(settings) {
  const days = (settings["retention.ms"] ?? 0) / DAY_MS;
  return days ? t("contract.days", { n: days }) : t("contract.newest");
}

const resolved = (schema) => (schema.$ref ? known.components.schemas[end(schema.$ref)] : schema);

function topic(channel) {
  const message = known.components.messages[Object.keys(channel.messages)[0]];
  const { partitions, topicConfiguration } = channel.bindings.kafka;
  const payload = message.payload.$ref && resolved(message.payload);
  const fact = (word, value) => [h("dt", {}, t(word)), h("dd", {}, value)];
  return h("section", { id: channel.address, dataset: { testid: "contract-topic" } },
    h("h2", {}, h("code", {}, channel.address), h("span", { class: "faint" }, message.title)),
    h("p", {}, prose(message.summary)),
    message.description !== message.summary && h("p", {}, prose(message.description)),
    h("dl", { class: "facts" },
      fact("contract.sent", who("send", channel.address)),
      fact("contract.read", who("receive", channel.address)),
      fact("contract.key", channel["x-key"]),
      fact("contract.partitions", t("contract.least", { n: partitions })),
      fact("contract.kept", kept(topicConfiguration))),
    payload && fields(payload),
    message.examples && h("details", {}, h("summary", {}, t("contract.example")),
      h("pre", {}, JSON.stringify(message.examples[0].payload, null, 2))),
    h("details", {}, h("summary", {}, t("contract.headers")), headers(resolved(message.headers))));
}

function shapes() {
  const events = new Set(Object.values(known.components.messages).map((message) => end(message.payload.$ref ?? "")));
  return Object.entries(known.components.schemas)
    .filter(([name]) => name !== "CloudEvent" && !events.has(name))
    .map(([name, shape]) => h("section", { id: name },
      h("h2", {}, h("code", {}, name)), h("p", {}, prose(shape.description)), fields(shape)));
}

// ── the page ────────────────────────────────────────────────────────────────
function render() {
  document.title = `Astreinte · ${t("contract")}`;
  if (!known) {
    fill($("#contract"), h("p", { class: "note" }, failure ? refusal(failure) : t("loading")));
    return;
  }
  const channels = Object.values(known.channels);
  const flow = (name) => channels.filter((channel) => channel.address.startsWith(`${name}.`));
  fill($("#topics"), FLOWS.map((name) => [
    h("h2", {}, t(`contract.flow.${name}`)),
    flow(name).map(({ address }) => h("a", { href: `#${address}` }, h("code", {}, address))),
  ]));
  fill($("#contract"),
    h("h1", {}, t("contract")),
    h("p", {}, t("contract.about")),
    h("p", {}, h("a", { href: "/asyncapi.json" }, t("contract.json")), ` · ${t("contract.version", { n: known.info.version })}`),
    channels.map(topic),
    h("section", {}, h("h2", {}, t("contract.shapes")), h("p", {}, t("contract.shapes.about"))),
    shapes());
}

header.start(render);
try {
  known = await getContract();
} catch (error) {
  failure = error;
}
render();
document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
