// Every word of the page, French first. A line: key: [français, English].

const WORDS = {
  "title": ["Astreinte · conversations", "Astreinte · conversations"],
  "language": ["Langue", "Language"],
  "theme": ["Clair ou sombre", "Light or dark"],
  "list": ["Conversations", "Conversations"],
  "thread": ["Fil de la conversation", "Conversation thread"],
  "side": ["Client, classement, sources", "Customer, classification, sources"],
  "count.0": ["aucune conversation", "no conversations"],
  "count.1": ["1 conversation", "1 conversation"],
  "count.n": ["{n} conversations", "{n} conversations"],
  "waiting.0": ["personne n'attend", "nobody is waiting"],
  "waiting.1": ["1 attend une personne", "1 waits for a person"],
  "waiting.n": ["{n} attendent une personne", "{n} wait for a person"],
  "pipeline": ["Pipeline", "Pipeline"],
  "pipeline.ok": ["ok", "ok"],
  "pipeline.starting": ["démarrage…", "starting…"],
  "pipeline.unknown": ["état inconnu", "state unknown"],
  "pipeline.elsewhere": ["étapes dans d'autres processus", "stages in other processes"],
  "pipeline.waiting": ["en attente de {what}", "waiting for {what}"],
  "pipeline.stopped": ["arrêté ({what})", "stopped ({what})"],
  "pipeline.dead.1": ["1 lettre morte", "1 dead letter"],
  "pipeline.dead.n": ["{n} lettres mortes", "{n} dead letters"],
  "pipeline.show": ["Montrer ou cacher les six étapes", "Show or hide the six stages"],
  "stage.handled": ["traités", "handled"],
  "stage.in_hand": ["en main", "in hand"],
  "stage.dead": ["lettres mortes", "dead letters"],
  "stage.ingest": ["Réception", "Intake"],
  "stage.classify": ["Classement", "Classification"],
  "stage.extract": ["Extraction", "Extraction"],
  "stage.rag": ["Recherche", "Search"],
  "stage.respond": ["Rédaction", "Writing"],
  "stage.dispatch": ["Envoi", "Sending"],
  "done.ingest": ["reçu", "received"],
  "done.classify": ["classé", "classified"],
  "done.extract": ["extrait", "extracted"],
  "done.rag": ["passages", "passages"],
  "done.respond": ["rédigé", "written"],
  "done.dispatch": ["envoyé", "sent"],
  "search": ["Chercher dans la liste", "Search the list"],
  "filter": ["Filtrer par état", "Filter by state"],
  "filter.all": ["Toutes", "All"],
  "filter.person": ["Attend une personne", "Waits for a person"],
  "filter.answered": ["Répondu", "Answered"],
  "filter.ignored": ["Sans suite", "Ignored"],
  "state.on_the_road": ["en route…", "on its way…"],
  "state.on_the_road.at": ["en route : {what}…", "on its way: {what}…"],
  "state.answered": ["répondu", "answered"],
  "state.handed_over": ["transmis à une personne", "handed over to a person"],
  "state.ignored": ["sans suite", "ignored"],
  "state.closed": ["clos", "closed"],
  "state.failed": ["échec, une personne doit répondre", "failed, a person must answer"],
  "colon": ["\u00a0: ", ": "],
  "channel.email": ["e-mail", "e-mail"],
  "channel.sms": ["SMS", "text message"],
  "channel.call": ["appel", "call"],
  "channel.chat": ["chat", "chat"],
  "trial": ["essai", "trial"],
  "no.subject": ["(sans texte)", "(no text)"],
  "unknown.customer": ["client inconnu", "unknown customer"],
  "list.empty": ["Aucune conversation pour l'instant. Écrivez comme un client, ci-dessous, pour en ouvrir une.",
    "No conversations yet. Write as a customer, below, to open one."],
  "list.none": ["Rien ne correspond. ", "Nothing matches. "],
  "list.reset": ["Tout montrer", "Show everything"],
  "list.part": ["Les {n} plus récentes sur {total}. ", "The latest {n} of {total}. "],
  "list.more": ["En montrer plus", "Show more"],
  "loading": ["Chargement…", "Loading…"],
  "retry": ["Réessayer", "Try again"],
  "back": ["← Retour", "← Back"],
  "details": ["Client et sources →", "Customer and sources →"],
  "pick": ["Choisissez une conversation dans la liste : j et k pour se déplacer, Entrée pour ouvrir, ? pour l'aide.",
    "Choose a conversation in the list: j and k to move, Enter to open, ? for help."],
  "gone": ["Cette conversation n'existe pas, ou n'existe plus.", "This conversation does not exist, or no longer does."],
  "stale": ["Pas à jour. ", "Not up to date. "],
  "in.who": ["client", "customer"],
  "out.who": ["Astreinte", "Astreinte"],
  "how.arrived": ["comment est-ce arrivé là\u00a0?", "how did this get here?"],
  "how.template": ["modèle de réponse", "reply template"],
  "how.llm": ["rédigé par {what}", "written by {what}"],
  "confidence": ["sûr à {n}", "confidence {n}"],
  "nearest": ["article cité le plus proche\u00a0: {n}", "nearest quoted article: {n}"],
  "ack": ["Accusé de réception pour le client", "Acknowledgement for the customer"],
  "no.ack": ["Rien n'a été écrit au client.", "Nothing was written to the customer."],
  "status.sent": ["envoyé", "sent"],
  "status.queued": ["en attente d'envoi", "queued"],
  "status.sending": ["en cours d'envoi", "being sent"],
  "status.failed": ["l'envoi a échoué", "sending failed"],
  "status.held": ["retenu (essai)", "held (trial)"],
  "status.none": ["rien à envoyer", "nothing to send"],
  "show.all": ["Tout montrer", "Show all"],
  "customer": ["Client", "Customer"],
  "classification": ["Classement", "Classification"],
  "class.category": ["catégorie", "category"],
  "class.intent": ["intention", "intent"],
  "class.priority": ["priorité", "priority"],
  "class.language": ["langue", "language"],
  "not.yet": ["pas encore connu", "not known yet"],
  "findings": ["Extrait du message", "Found in the message"],
  "findings.none": ["rien de reconnu", "nothing recognised"],
  "kind.brand": ["marque", "brand"],
  "kind.model": ["modèle", "model"],
  "kind.error_code": ["code d'erreur", "error code"],
  "kind.serial_number": ["n° de série", "serial number"],
  "kind.order_number": ["n° de commande", "order number"],
  "kind.invoice_number": ["n° de facture", "invoice number"],
  "kind.contract_number": ["n° de contrat", "contract number"],
  "kind.customer_number": ["n° de client", "customer number"],
  "kind.phone": ["téléphone", "telephone"],
  "kind.email": ["e-mail", "e-mail"],
  "kind.date": ["date", "date"],
  "kind.amount": ["montant", "amount"],
  "sources": ["Sources", "Sources"],
  "sources.none": ["aucun article assez proche", "no article near enough"],
  "source.unused": ["trouvé, non cité", "found, not quoted"],
  "source.light": ["Montrer la source {n}", "Show source {n}"],
  "steps.1": ["1 étape", "1 step"],
  "steps.n": ["{n} étapes", "{n} steps"],
  "cause": ["Cause\u00a0: ", "Cause: "],
  "technician": ["Technicien\u00a0: ", "Technician: "],
  "about": ["À propos du message de {when}", "About the message of {when}"],
  "trace": ["Comment est-ce arrivé là\u00a0?", "How did this get here?"],
  "trace.close": ["Fermer", "Close"],
  "trace.total": ["{n} au total", "{n} in all"],
  "trace.took": ["en {n}", "in {n}"],
  "trace.took.long": ["cette étape a duré {n}", "this stage took {n}"],
  "trace.open": ["Cliquez un point pour lire l'événement tel qu'il est gardé.", "Click a dot to read the event as stored."],
  "trace.gone": ["Aucune trace gardée pour ce message.", "No trace is kept for this message."],
  "trace.coming": ["à venir", "to come"],
  "trace.not": ["pas atteint", "not reached"],
  "topic": ["sujet", "topic"],
  "compose": ["Écrire comme un client", "Write as a customer"],
  "compose.channel": ["Canal", "Channel"],
  "compose.from": ["Adresse", "Address"],
  "compose.subject": ["Objet", "Subject"],
  "compose.text": ["Message", "Message"],
  "compose.hint": ["Bonjour, mon imprimante affiche E-03…", "Hello, my printer shows E-03…"],
  "compose.send": ["Envoyer", "Send"],
  "compose.sending": ["Envoi…", "Sending…"],
  "compose.accepted": ["Reçu. La conversation s'ouvre dès la première étape…", "Received. The conversation opens at the first stage…"],
  "compose.slow": ["Reçu et gardé ; le pipeline ne l'a pas encore pris.", "Received and kept; the pipeline has not taken it yet."],
  "compose.open": ["Ouvrir la conversation", "Open the conversation"],
  "compose.duplicate": ["Déjà reçu : rien n'est parti deux fois.", "Already received: nothing was sent twice."],
  "compose.empty": ["Écrivez d'abord un message.", "Write a message first."],
  "compose.kept": ["Votre texte est gardé.", "Your text is kept."],
  "error.0": ["Le serveur ne répond pas.", "The server does not answer."],
  "error.unsure": ["Pas de réponse à temps : le message est peut-être parti. Regardez la liste avant de renvoyer.",
    "No answer in time: the message may have left. Look at the list before sending again."],
  "error.-1": ["Le serveur met trop longtemps à répondre.", "The server takes too long to answer."],
  "error.413": ["Le message est trop long.", "The message is too long."],
  "error.422": ["Le message n'a pas été accepté", "The message was not accepted"],
  "error.503": ["Le service n'est pas prêt", "The service is not ready"],
  "error.n": ["Le serveur a répondu par une erreur ({n})", "The server answered with an error ({n})"],
  "banner.lost": ["connexion perdue, nouvelle tentative… ", "connection lost, trying again… "],
  "banner.since": ["Ce qui est affiché date de {when}.", "What is shown is from {when}."],
  "help": ["Aide", "Help"],
  "help.title": ["Au clavier", "By keyboard"],
  "help.move": ["conversation suivante, précédente", "next, previous conversation"],
  "help.enter": ["ouvrir", "open"],
  "help.search": ["chercher", "search"],
  "help.trace": ["comment est-ce arrivé là ? (dernier message)", "how did this get here? (latest message)"],
  "help.escape": ["fermer, revenir", "close, go back"],
  "help.send": ["envoyer (dans la boîte d'écriture)", "send (in the writing box)"],
  "help.help": ["cette aide", "this help"],
  "key.enter": ["Entrée", "Enter"],
  "key.escape": ["Échap", "Esc"],
  "now": ["à l'instant", "just now"],
  "contract": ["Contrat des événements", "Contract of the events"],
  "contract.about": ["Ce qui voyage, dans quel sujet de Kafka, sous quelle forme. Chaque événement arrive au moins une fois ; celui qui revient garde son identifiant. L'ordre tient à l'intérieur d'une clé. Seuls des champs facultatifs s'ajoutent : ignorez ceux que vous ne connaissez pas. Les explications sont en anglais, comme le code.",
    "What travels, in which topic of Kafka, in which shape. Each event arrives at least once; one that comes again has the same id. Order holds within one key. Only optional fields are added: ignore those that you do not know."],
  "contract.json": ["Le document AsyncAPI 3.0", "The AsyncAPI 3.0 document"],
  "contract.version": ["version {n}", "version {n}"],
  "contract.topics": ["Sujets", "Topics"],
  "contract.flow.printer": ["Messages de clients", "Customers' messages"],
  "contract.flow.frigo": ["Chambres froides", "Cold rooms"],
  "contract.flow.dead": ["Lettres mortes", "Dead letters"],
  "contract.sent": ["Publié par", "Published by"],
  "contract.read": ["Lu par", "Read by"],
  "contract.nobody": ["personne encore", "nobody yet"],
  "contract.key": ["Clé", "Key"],
  "contract.partitions": ["Partitions", "Partitions"],
  "contract.least": ["{n} au moins", "{n} at least"],
  "contract.kept": ["Gardé", "Kept"],
  "contract.days": ["{n} jours", "{n} days"],
  "contract.newest": ["le plus récent de chaque clé", "the newest of each key"],
  "contract.field": ["champ", "field"],
  "contract.header": ["en-tête", "header"],
  "contract.type": ["type", "type"],
  "contract.means": ["sens", "meaning"],
  "contract.must": ["obligatoire", "required"],
  "contract.example": ["Exemple", "Example"],
  "contract.headers": ["En-têtes", "Headers"],
  "contract.shapes": ["Formes", "Shapes"],
  "contract.shapes.about": ["Ce qui fait partie de plusieurs événements.", "What is a part of several events."],
  "contract.or": ["ou", "or"],
  "contract.list": ["liste :", "list of"],
  "contract.characters": ["{n} caractères au plus", "{n} characters at most"],
  "contract.most": ["{n} au plus", "{n} at most"],
  "contract.type.string": ["texte", "text"],
  "contract.type.uuid": ["UUID", "UUID"],
  "contract.type.date-time": ["date et heure", "date and time"],
  "contract.type.number": ["nombre", "number"],
  "contract.type.integer": ["entier", "whole number"],
  "contract.type.boolean": ["vrai ou faux", "true or false"],
  "contract.type.object": ["objet", "object"],
  "contract.type.null": ["rien", "nothing"],
  "contract.type.any": ["n'importe quoi", "anything"],
};

export const lang = () => (document.documentElement.lang === "en" ? "en" : "fr");

/** The word for `key` in the page's language, with `{name}` filled in; the key itself when unknown. */
export function t(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) return key;
  return pair[lang() === "en" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The word for a kind that the server may have invented since: its own name when unknown. */
export function name(prefix, value) {
  return WORDS[`${prefix}.${value}`] ? t(`${prefix}.${value}`) : String(value ?? "").replaceAll("_", " ");
}

/** `count(3, "waiting")`: the form for 0 (when there is one), 1 or many. */
export function count(n, key) {
  const form = n === 0 && WORDS[`${key}.0`] ? "0" : n === 1 ? "1" : "n";
  return t(`${key}.${form}`, { n: n.toLocaleString(lang()) });
}

/** A label that came with the data: {"fr": …, "en": …}. */
export const label = (pair, otherwise = "") => pair?.[lang()] || pair?.fr || otherwise;

/** A refusal of the server, in words. */
export function refusal(error) {
  const known = WORDS[`error.${error.status}`];
  const words = known ? t(`error.${error.status}`) : t("error.n", { n: error.status ?? "?" });
  return error.detail ? words.replace(/\.$/, "") + t("colon") + error.detail : words;
}

/** Nobody answers, and the banner says so already: once is enough. */
export const saidAbove = (error) => error.status <= 0 && !document.getElementById("banner").hidden;

export const decimal = (n) => Number(n).toLocaleString(lang(), { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** 1,9 ms · 64 ms · 2,6 s */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(Number(ms))) return "—";
  const [value, unit] = Math.abs(ms) < 999.5 ? [ms, "ms"] : [ms / 1000, "s"];
  return `${value.toLocaleString(lang(), { maximumFractionDigits: Math.abs(value) < 9.95 ? 1 : 0 })}\u00a0${unit}`;
}

/** Put the words of the page's language into everything marked data-t, data-t-label, data-t-hint. */
export function wordsInto(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of root.querySelectorAll("[data-t-title]")) element.title = t(element.dataset.tTitle);
  for (const element of root.querySelectorAll("[data-t-hint]")) element.placeholder = t(element.dataset.tHint);
}
