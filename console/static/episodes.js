// An alarm: what, since when, how bad, what speaks for it, what to do; and what people say of it.
import { postFeedback } from "./api.js";
import { h } from "./dom.js";
import { clock, exact, timeTag } from "./time.js";
import { label, lang, refusal, t } from "./words.js";

const ASK_AGAIN_MS = [300, 800, 1_500, 3_000, 6_000];
const DONE_MS = 15_000;
const pressed = new Map(); // episode → {action, at, error}: said, and not yet seen in the record

let page = { render() {}, refresh() {}, me: () => "" };

export function start(found) { page = found; }

/** 40 s · 12 min · 2 h 10 · 3 j 4 h */
export function lasting(ms) {
  const s = Math.max(0, Math.round(ms / 1_000));
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}\u00a0s`;
  if (s < 3_600) return `${Math.floor(s / 60)}\u00a0min`;
  if (s < 86_400) return `${Math.floor(s / 3_600)}\u00a0h\u00a0${two(Math.floor((s % 3_600) / 60))}`;
  return `${Math.floor(s / 86_400)}\u00a0${lang() === "en" ? "d" : "j"}\u00a0${Math.floor((s % 86_400) / 3_600)}\u00a0h`;
}

/** Times that run: data-since counts up, data-until counts down. */
export function tick(root) {
  const say = (element, words) => { if (element.textContent !== words) element.textContent = words; };
  for (const one of root.querySelectorAll("[data-since]")) say(one, lasting(Date.now() - Date.parse(one.dataset.since)));
  for (const one of root.querySelectorAll("[data-until]")) {
    const left = Date.parse(one.dataset.until) - Date.now();
    say(one, left > 0 ? t("cold.limit.in", { n: lasting(left) }) : t("cold.limit.now"));
  }
}

/** What was pressed and is not yet seen; part of what a card is drawn from. */
export function state(one) {
  const said = pressed.get(one.episode_id);
  if (!said) return "";
  if (!said.error && (seen(one, said) || Date.now() - said.at > DONE_MS)) {
    pressed.delete(one.episode_id);
    return "";
  }
  return `${said.action}:${said.error ? said.error.message : ""}`;
}

function seen(one, said) {
  if (said.action === "acknowledge") return one.acknowledged_by !== "";
  if (said.action === "shelve") return one.shelved_until !== null;
  if (said.action === "unshelve") return one.shelved_until === null;
  return one.was !== null || one.nothing;
}

async function say(one, action, more = {}) {
  pressed.set(one.episode_id, { action, at: Date.now() });
  page.render();
  try {
    await postFeedback({ episode_id: one.episode_id, action, by: page.me(), ...more });
    for (const wait of ASK_AGAIN_MS) setTimeout(page.refresh, wait);
  } catch (error) {
    pressed.set(one.episode_id, { action, at: Date.now(), error });
  }
  page.render();
}

// ── the card ────────────────────────────────────────────────────────────────
export function card(one, causes, alone) {
  const said = pressed.get(one.episode_id);
  const over = one.ended_at !== null;
  const facts = one.facts.map((fact) => h("li", {}, label(fact)));
  return h("li", {
    class: `episode ${over ? "over" : one.severity}`, dataset: { testid: "episode", severity: one.severity, open: String(!over) },
  },
    title(one, alone),
    one.limit && limit(one.limit),
    facts.length > 0 && one.found_at && h("p", { class: "faint" }, t("cold.found", { when: clock(new Date(one.found_at)).slice(0, 5) })),
    h("ul", { class: "facts", dataset: { testid: "facts" } }, facts),
    facts.length === 0 && one.text && h("p", { class: "prose" }, one.text),
    one.next_test && h("p", { dataset: { testid: "next-test" } }, h("b", {}, t("cold.test")), label(one.next_test)),
    taken(one),
    sent(one),
    buttons(one, causes, over, Boolean(said && !said.error)),
    h("p", { class: "said", role: "status", dataset: { testid: "said" } }, said && (said.error ? refusal(said.error) : t("cold.noted"))));
}

function title(one, alone) {
  const severity = h("span", { class: `severity ${one.severity}`, dataset: { testid: "severity" } }, label(one.severity_label));
  const when = one.ended_at
    ? [timeTag(one.began_at), t("cold.lasted", { n: lasting(Date.parse(one.ended_at) - Date.parse(one.began_at)) })]
    : [t("cold.since"), h("span", { class: "number", title: exact(one.began_at), dataset: { since: one.began_at, testid: "since" } }),
      ` (${clock(new Date(one.began_at)).slice(0, 5)})`];
  return h("div", { class: "episode-top" },
    severity,
    h("h3", { dataset: { testid: "fault" } }, label(one.label, one.fault)),
    !alone && h("a", { href: `#/u/${encodeURIComponent(one.unit_id)}`, dataset: { testid: "episode-unit" } }, one.unit),
    h("span", { class: "faint" }, when));
}

function limit({ at, earliest, latest }) {
  const left = (iso) => lasting(Date.parse(iso) - Date.now());
  const ahead = Date.parse(at) > Date.now();
  return h("p", { class: "limit", dataset: { testid: "limit" } },
    h("b", { dataset: { until: at } }),
    ahead && earliest && h("span", { class: "faint" },
      latest ? t("cold.limit.between", { a: left(earliest), b: left(latest) }) : t("cold.limit.from", { a: left(earliest) })));
}

function taken(one) {
  const parts = [];
  if (one.acknowledged_by) parts.push(t("cold.taken", { who: one.acknowledged_by }));
  if (one.shelved_until) parts.push(t("cold.shelved", { when: clock(new Date(one.shelved_until)).slice(0, 5) }));
  if (one.was) parts.push(t("cold.was.said", { who: one.was_by, what: label(one.was) }));
  if (one.nothing) parts.push(t("cold.nothing.said", { who: one.was_by }));
  if (one.follows) parts.push(t("cold.follows"));
  return parts.length > 0 && h("p", { class: "taken", dataset: { testid: "taken" } }, parts.join(" · "));
}

function sent(one) {
  if (one.messages.length === 0) return h("p", { class: "faint", dataset: { testid: "messages" } }, t("cold.unsent"));
  const said = one.messages.flatMap((message) => [
    h("span", { class: message.status === "failed" || message.status === "unknown" ? "alarm" : null },
      `${message.recipient} (${message.outbound}, ${t(`cold.kind.${message.kind}`)})${t("colon")}${label(message.label, message.status)} `),
    timeTag(message.at), " · "]).slice(0, -1);
  return h("p", { class: "faint", dataset: { testid: "messages" } }, said);
}

function buttons(one, causes, over, busy) {
  const press = (action, word, more) => h("button", {
    type: "button", class: action === "acknowledge" ? "main" : "second", disabled: busy, dataset: { testid: action },
    onclick: () => say(one, action, more),
  }, t(word));
  const choice = h("select", { "aria-label": t("cold.was"), disabled: busy, dataset: { testid: "was" },
    onchange: (event) => { event.target.nextElementSibling.disabled = busy || !event.target.value; } },
    h("option", { value: "" }, t("cold.was")),
    causes.map((cause) => h("option", { value: cause.value }, label(cause.label))));
  return h("div", { class: "presses" },
    !over && !one.acknowledged_by && press("acknowledge", "cold.ack"),
    !over && (one.shelved_until ? press("unshelve", "cold.unshelve") : press("shelve", "cold.shelve")),
    h("span", { class: "choice" }, choice,
      h("button", { type: "button", class: "second", disabled: true, dataset: { testid: "label" },
        onclick: () => choice.value && say(one, "label", { fault: choice.value }) }, t("cold.note"))));
}
