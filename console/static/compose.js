// "Écrire comme un client": a message through the public door, then its conversation by itself.
import { getTrace, postMessage } from "./api.js";
import { watch } from "./conversation.js";
import { $, fill, h, memory } from "./dom.js";
import { go, toConversation } from "./route.js";
import { name, refusal, t } from "./words.js";

// Numbers and domains kept free for examples (ARCEP, RFC 2606): nobody is rung up.
const DEFAULTS = {
  chat: "visiteur-1",
  email: "camille.durand@example.com",
  sms: "+33639980001",
  call: "+33199000001",
  telegram: "100000001",
};
const SLOW_MS = 4_000;
const OPEN_BY_ITSELF_MS = 20_000;

const box = $("#composer");
const channel = $("#compose-channel");
const from = $("#compose-from");
const subject = $("#compose-subject");
const text = $("#compose-text");
const said = $("#compose-said");
const send = $("#compose-send");

let sending = false;
let says = () => []; // what stands beside the box, in the language of the moment
let alarming = false;
let waiting = null; // {trace, since, hash}: sent, not yet seen in a conversation
const told = new Map(); // trace → conversation, as the stream told it: it may be quicker than the answer

export function render() {
  const chosen = channel.value || "chat";
  fill(channel, Object.keys(DEFAULTS).map((one) => h("option", { value: one, selected: one === chosen }, name("channel", one))));
  $("#compose-subject-row").hidden = channel.value !== "email";
  send.disabled = sending;
  send.textContent = t(sending ? "compose.sending" : "compose.send");
  fill(said, says());
  said.classList.toggle("alarm", alarming);
}

function say(words, alarm = false) {
  says = words;
  alarming = alarm;
  render();
}

/** The stream told of a stage: is it the message that was just sent? */
export function heard(change) {
  if (!change.trace_id || !change.conversation_id) return;
  told.set(change.trace_id, change.conversation_id);
  if (told.size > 200) told.delete(told.keys().next().value);
  if (waiting?.trace === change.trace_id) arrived(change.conversation_id);
}

function arrived(conversation) {
  const { since, hash, duplicate } = waiting;
  waiting = null;
  const quiet = () => (duplicate ? [t("compose.duplicate")] : []);
  // Whoever has gone on to something else meanwhile is not pulled away from it.
  if (Date.now() - since < OPEN_BY_ITSELF_MS && location.hash === hash) {
    say(quiet);
    go(toConversation(conversation));
  } else {
    say(() => [quiet(), " ", h("a", { href: toConversation(conversation) }, t("compose.open"))]);
  }
}

async function submit(event) {
  event.preventDefault();
  if (sending) return;
  if (!text.value.trim() && !(channel.value === "email" && subject.value.trim())) {
    say(() => [t("compose.empty")], true);
    text.focus();
    return;
  }
  sending = true;
  say(() => []);
  try {
    const answer = await postMessage({
      channel: channel.value,
      from: from.value.trim(),
      text: text.value,
      subject: channel.value === "email" ? subject.value.trim() : "",
    });
    text.value = "";
    subject.value = "";
    sending = false;
    accepted(answer);
  } catch (error) {
    sending = false;
    refused(error);
  }
}

function refused(error) {
  const unsure = error.status === -1;
  say(() => (unsure ? [t("error.unsure")] : [sentence(refusal(error)), " ", t("compose.kept")]), true);
}

const sentence = (words) => (/[.!?…]$/.test(words) ? words : `${words}.`);

function accepted({ trace_id: trace, duplicate }) {
  watch(trace);
  waiting = { trace, duplicate, since: Date.now(), hash: location.hash };
  say(() => [t("compose.accepted")]);
  if (told.has(trace)) arrived(told.get(trace));
  else setTimeout(() => ask(trace, SLOW_MS), duplicate ? 0 : SLOW_MS);
}

// The stream said nothing: ask, less and less often.
async function ask(trace, pause) {
  if (waiting?.trace !== trace) return;
  try {
    const { conversation_id: conversation } = await getTrace(trace);
    if (waiting?.trace !== trace) return;
    if (conversation) {
      arrived(conversation);
      return;
    }
  } catch { /* not there yet */ }
  if (waiting?.trace !== trace) return;
  say(() => [t("compose.slow")]);
  if (pause < 300_000) setTimeout(() => ask(trace, pause * 2), pause);
}

export function start() {
  const folded = memory.get("composer");
  box.open = folded ? folded === "open" : !matchMedia("(max-width: 800px)").matches;
  box.addEventListener("toggle", () => memory.set("composer", box.open ? "open" : "folded"));
  render();
  from.value = DEFAULTS[channel.value];
  channel.addEventListener("change", () => {
    if (!from.value.trim() || Object.values(DEFAULTS).includes(from.value)) from.value = DEFAULTS[channel.value];
    render();
  });
  $("#compose-form").addEventListener("submit", submit);
  $("#compose-form").addEventListener("input", () => { if (alarming) say(() => []); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
  });
}
