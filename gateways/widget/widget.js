/* Astreinte's chat for any site: <script src="https://desk.example/chat/widget.js" async></script>
   data-lang="fr|en" · data-title="…" · data-open="true". No cookies; the visitor's token and what
   was not yet confirmed are kept in this browser. */
(function () {
  "use strict";
  var script = document.currentScript;
  var base = new URL(script.src).origin;
  var lang = (script.dataset.lang || document.documentElement.lang || navigator.language || "fr").slice(0, 2);
  var T = {
    fr: { title: "Une question ?", send: "Envoyer", write: "Votre message", open: "Ouvrir le chat",
          close: "Fermer", off: "Connexion perdue, nouvel essai…", hello: "Bonjour, décrivez votre problème d’imprimante. Une machine répond d’abord ; écrivez HUMAIN pour parler à une personne.",
          waits: "en attente", refused: "n’a pas pu être envoyé", typing: "Réponse en cours…", you: "Vous", desk: "Assistance", many: "Trop de messages, patientez un instant." },
    en: { title: "A question?", send: "Send", write: "Your message", open: "Open the chat",
          close: "Close", off: "Connection lost, trying again…", hello: "Hello, tell us what is wrong with your printer. A machine answers first; write AGENT to talk to a person.",
          waits: "waiting", refused: "could not be sent", typing: "Answering…", you: "You", desk: "Support", many: "Too many messages, wait a moment." }
  }[lang === "en" ? "en" : "fr"];
  var KEY = "astreinte-chat", MAX = 4000, IDLE = 60000;
  var kept = load(), socket = null, tries = 0, seen = {}, timer = 0, typingTimer = 0;

  function load() {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch (e) { return {}; }
  }
  function save() {
    try { localStorage.setItem(KEY, JSON.stringify(kept)); } catch (e) { /* private window: this page only */ }
  }
  function el(name, attributes, text) {
    var node = document.createElement(name);
    for (var each in attributes) node.setAttribute(each, attributes[each]);
    if (text) node.textContent = text;
    return node;
  }

  var host = el("div", { lang: lang });
  var root = host.attachShadow({ mode: "open" });
  var style = el("style", {}, ":host{all:initial}*{box-sizing:border-box;font:15px/1.45 system-ui,sans-serif}" +
    "button{cursor:pointer;border:0;border-radius:8px;background:#0b5563;color:#fff;padding:.6em 1em}" +
    "button:focus-visible,textarea:focus-visible{outline:3px solid #f2a900;outline-offset:2px}" +
    ".bubble{position:fixed;right:16px;bottom:16px;border-radius:999px;box-shadow:0 2px 10px #0004;z-index:2147483000}" +
    ".box{position:fixed;right:16px;bottom:16px;width:min(380px,calc(100vw - 32px));height:min(560px,calc(100dvh - 32px));display:flex;flex-direction:column;background:#fff;color:#16202a;border-radius:14px;box-shadow:0 8px 32px #0005;overflow:hidden;z-index:2147483000}" +
    ".box[hidden],.bubble[hidden]{display:none}header{display:flex;justify-content:space-between;align-items:center;background:#0b5563;color:#fff;padding:.5em .5em .5em 1em}" +
    "header button{background:transparent;padding:.3em .6em}ol{flex:1;overflow:auto;margin:0;padding:12px;list-style:none}" +
    "li{margin:0 0 10px;max-width:88%;padding:.55em .8em;border-radius:12px;white-space:pre-wrap;overflow-wrap:anywhere;background:#eef2f4}" +
    "li.visitor{margin-left:auto;background:#0b5563;color:#fff}li small{display:block;opacity:.85;font-size:12px}" +
    ".state{min-height:1.5em;padding:0 12px;color:#4a5763;font-size:13px}form{display:flex;gap:8px;padding:10px;border-top:1px solid #d8dfe4}" +
    "textarea{flex:1;resize:none;height:3.2em;border:1px solid #80909c;border-radius:8px;padding:.5em;color:inherit;background:inherit}" +
    "@media(prefers-color-scheme:dark){.box{background:#151c22;color:#e8eef2}li{background:#26323b}li.visitor{background:#0e6f81}.state{color:#b3c0ca}form{border-color:#35424d}}");
  var bubble = el("button", { "class": "bubble", type: "button", "aria-haspopup": "dialog" }, T.open);
  var box = el("section", { "class": "box", role: "dialog", "aria-label": script.dataset.title || T.title });
  var head = el("header", {});
  head.append(el("strong", {}, script.dataset.title || T.title));
  var shut = el("button", { type: "button", "aria-label": T.close }, "×");
  head.append(shut);
  var list = el("ol", { "aria-live": "polite", tabindex: "0", "aria-label": T.desk });
  var state = el("div", { "class": "state", role: "status" });
  var form = el("form", {});
  var area = el("textarea", { maxlength: MAX, "aria-label": T.write, placeholder: T.write, required: "" });
  form.append(area, el("button", { type: "submit" }, T.send));
  box.append(head, list, state, form);
  root.append(style, bubble, box);

  function show(open) {
    box.hidden = !open; bubble.hidden = open;
    kept.open = open; save();
    if (open) { connect(); area.focus(); } else { bubble.focus(); }
  }
  bubble.onclick = function () { show(true); };
  shut.onclick = function () { show(false); };
  box.onkeydown = function (event) { if (event.key === "Escape") show(false); };
  area.onkeydown = function (event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
  };

  function line(id, who, text) {
    var node = seen[id];
    if (!node) {
      node = seen[id] = el("li", { "class": who });
      node.append(el("span", {}), el("small", {}));
      list.append(node);
    }
    node.firstChild.textContent = text;
    list.scrollTop = list.scrollHeight;
    return node;
  }
  function note(id, text) { if (seen[id]) seen[id].lastChild.textContent = text; }
  function waiting() { return kept.waiting || (kept.waiting = []); }
  function taken() { return kept.taken || (kept.taken = []); }  // accepted, maybe not in the history yet

  form.onsubmit = function (event) {
    event.preventDefault();
    var text = area.value.trim();
    if (!text) return;
    var id = (crypto.randomUUID ? crypto.randomUUID() : Date.now() + "-" + Math.random().toString(36).slice(2, 12)).replace(/[^A-Za-z0-9_-]/g, "");
    waiting().push({ id: id, text: text }); save();
    area.value = "";
    line(id, "visitor", text); note(id, T.waits);
    push();
  };
  function push() {
    if (!socket || socket.readyState !== 1 || !socket.welcomed) return connect();
    waiting().forEach(function (each) {
      socket.send(JSON.stringify({ type: "message", id: each.id, text: each.text, page: location.href.slice(0, 500) }));
    });
  }
  function drop(id, accepted) {
    function others(each) { return each.id !== id; }
    if (accepted) kept.taken = taken().concat(waiting().filter(function (each) { return each.id === id; })).slice(-20);
    else kept.taken = taken().filter(others);
    kept.waiting = waiting().filter(others); save();
  }
  function typing(on) {
    clearTimeout(typingTimer);
    state.textContent = on ? T.typing : "";
    if (on) typingTimer = setTimeout(function () { typing(false); }, IDLE);
  }

  function connect() {
    if (socket && socket.readyState < 2) return;
    clearTimeout(timer);
    var token = kept.token ? Promise.resolve(kept.token) :
      fetch(base + "/chat/session", { method: "POST" }).then(function (answer) {
        if (!answer.ok) throw new Error(answer.status);
        return answer.json();
      }).then(function (body) { kept.token = body.token; save(); return body.token; });
    token.then(open).catch(again);
  }
  function open(token) {
    socket = new WebSocket(base.replace(/^http/, "ws") + "/chat/socket");
    var mine = socket;
    mine.onopen = function () { mine.send(JSON.stringify({ type: "hello", token: token })); };
    mine.onmessage = function (event) { hear(JSON.parse(event.data)); };
    mine.onclose = function (event) {
      if (event.code === 1008 && !mine.welcomed) { delete kept.token; save(); }
      again();
    };
  }
  function again() {
    if (box.hidden) return;
    state.textContent = T.off;
    timer = setTimeout(connect, Math.min(30000, 500 * Math.pow(2, tries++)) * (0.5 + Math.random()));
  }
  function hear(said) {
    if (said.type === "welcome") {
      tries = 0; socket.welcomed = true; state.textContent = "";
      said.history.forEach(function (each) { line(each.id, each.who, each.text); note(each.id, ""); drop(each.id); });
      taken().forEach(function (each) { line(each.id, "visitor", each.text); });
      waiting().forEach(function (each) { line(each.id, "visitor", each.text); note(each.id, T.waits); });
      if (!list.children.length) line("hello", "desk", T.hello);
      push();
    } else if (said.type === "accepted") {
      drop(said.id, true); note(said.id, ""); typing(true);
    } else if (said.type === "later") {
      state.textContent = T.many; setTimeout(push, (said.retry_s || 5) * 1000);
    } else if (said.type === "refused" && said.id) {
      drop(said.id); note(said.id, T.refused);
    } else if (said.type === "answer") {
      typing(false);
      var node = seen[said.id];
      if (node && node.whole) return;
      var before = node && said.part > 1 ? node.firstChild.textContent : "";
      node = line(said.id, "desk", before + said.text);
      node.whole = said.done;
      list.scrollTop += node.getBoundingClientRect().top - list.getBoundingClientRect().top - 8; // its beginning
    }
  }

  function begin() {
    document.body.append(host);
    var asked = script.dataset.open === "true" || kept.open;
    box.hidden = !asked; bubble.hidden = asked;
    if (asked) connect();
  }
  if (document.body) begin(); else document.addEventListener("DOMContentLoaded", begin);
})();
