// Right: the customer, what the message is about, what was found in it, the passages.
import { $, fill, h, keepFolds } from "./dom.js";
import { elementOf } from "./conversation.js";
import { toConversation, toList } from "./route.js";
import { light } from "./text.js";
import { timeTag } from "./time.js";
import { count, decimal, label, lang, name, t } from "./words.js";

const panel = $("#side");
let signature = "";
let lit = ""; // the article whose chip was clicked last

/** `answers` are the replies to `message`: they say which passages are quoted, and under which number. */
export function render(conversation, message = null, several = false, answers = []) {
  $("#side-back").href = conversation ? toConversation(conversation.id) : toList();
  const sources = [...new Set(answers.flatMap((one) => one.sources ?? []))];
  const passages = message?.passages?.length ? message.passages : answers.find((one) => one.passages?.length)?.passages ?? [];
  const mark = JSON.stringify([conversation?.customer, message, several, sources, passages, lang()]);
  if (mark === signature) return;
  signature = mark;
  if (!conversation) {
    fill(panel);
    return;
  }
  const made = h("div", {},
    several && message && h("p", { class: "faint about-line" }, ...around("about", "when", timeTag(message.at))),
    block("customer", customer(conversation)),
    message && block("classification", classification(message.classification)),
    message && block("findings", findings(message)),
    message && block("sources", articles(passages, sources, message)));
  keepFolds(panel, made);
  fill(panel, made);
  showLit();
}

const block = (key, ...children) => h("section", { class: "block", dataset: { testid: `side-${key}` } }, h("h2", {}, t(key)), children);

// A sentence with an element in the place of one of its {holes}.
function around(key, hole, element) {
  const [before, after] = t(key, { [hole]: "\u0000" }).split("\u0000");
  return [before, element, after];
}

function customer(conversation) {
  const { name: called, address, ...rest } = conversation.customer ?? {};
  return h("dl", { class: "facts" },
    called && h("dd", { class: "who" }, called),
    h("dd", { class: "address" }, address || t("unknown.customer")),
    h("dd", { class: "faint" }, name("channel", conversation.channel)),
    Object.values(rest).filter((value) => typeof value === "string" && value).map((value) => h("dd", { class: "faint" }, value)));
}

function classification(found) {
  if (!found) return h("p", { class: "faint" }, t("not.yet"));
  return h("div", { class: "judged" }, ["category", "intent", "priority", "language"].filter((what) => found[what]).map((what) => {
    const { value, label: words, confidence } = found[what];
    return h("div", { class: "judgement", dataset: { testid: `class-${what}`, value } },
      h("span", { class: "faint" }, t(`class.${what}`)),
      h("span", {}, label(words, value)),
      bar(confidence),
      h("span", { class: "number" }, decimal(confidence)));
  }));
}

function bar(share) {
  const inner = h("span", {});
  inner.style.inlineSize = `${Math.min(Math.max(share, 0), 1) * 100}%`;
  return h("span", { class: "bar", "aria-hidden": "true" }, inner);
}

function findings(message) {
  const found = message.findings ?? [];
  if (!message.classification && found.length === 0) return h("p", { class: "faint" }, t("not.yet"));
  if (found.length === 0) return h("p", { class: "faint" }, t("findings.none"));
  return h("ul", { class: "findings" }, found.map((one, index) => {
    const on = () => light(elementOf(message), index);
    const off = () => light(elementOf(message), -1);
    return h("li", { tabindex: "0", dataset: { testid: "finding", kind: one.kind }, onmouseenter: on, onmouseleave: off, onfocus: on, onblur: off },
      h("span", { class: "faint" }, name("kind", one.kind)),
      h("span", { class: "value" }, one.value),
      h("span", { class: "number faint" }, decimal(one.confidence)));
  }));
}

// The quoted ones first, under the numbers of their chips.
function articles(passages, sources, message) {
  if (passages.length === 0) {
    const open = message.state === "on_the_road";
    return h("p", { class: "faint" }, t(open ? "not.yet" : "sources.none"));
  }
  const rank = (one) => (sources.includes(one.article) ? sources.indexOf(one.article) : sources.length);
  return [...passages].sort((a, b) => rank(a) - rank(b) || b.score - a.score).map((one) => passage(one, sources.indexOf(one.article) + 1));
}

function passage(one, number) {
  const steps = one.steps ?? [];
  return h("article", { class: `passage${number ? "" : " unused"}`, dataset: { testid: "source", article: one.article }, tabindex: "-1" },
    h("h3", {}, number ? h("span", { class: "number" }, `[${number}] `) : null, one.title),
    h("p", { class: "score" }, bar(one.score), h("span", { class: "number" }, decimal(one.score)),
      one.brand && h("span", { class: "faint" }, one.brand), !number && h("span", { class: "faint" }, t("source.unused"))),
    one.heading && h("p", { class: "faint" }, one.heading),
    h("p", { class: "faint origin" }, origin(one.url || one.source)),
    h("details", { dataset: { fold: one.article, testid: "steps" } },
      h("summary", {}, one.text ? t("source.text") : count(steps.length, "steps")),
      one.text && h("p", { class: "text" }, one.text),
      one.cause && h("p", {}, h("strong", {}, t("cause")), one.cause),
      h("ol", {}, steps.map((step) => h("li", {}, step))),
      one.call_technician && h("p", {}, h("strong", {}, t("technician")), one.call_technician)));
}

function origin(source) {
  if (!/^https?:\/\//.test(source ?? "")) return source;
  return h("a", { href: source, target: "_blank", rel: "noopener noreferrer" }, source);
}

/** Another conversation: no passage is lit. */
export function forget() {
  lit = "";
}

/** Light the passage of a chip, and bring it into sight. */
export function lightPassage(article) {
  lit = article;
  showLit();
  const element = find(article);
  element?.scrollIntoView({ block: "nearest" });
  element?.focus({ preventScroll: true });
}

const find = (article) => [...panel.querySelectorAll(".passage")].find((one) => one.dataset.article === article);

function showLit() {
  for (const one of panel.querySelectorAll(".passage")) one.classList.toggle("lit", one.dataset.article === lit);
}
