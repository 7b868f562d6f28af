// Everything that goes over the wire.

/** A refusal. `status` is 0 when nobody answered, -1 when the answer took too long. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

async function request(path, options = {}, patience = 10_000) {
  let response;
  let body;
  try {
    response = await fetch(path, {
      ...options,
      headers: { Accept: "application/json", ...options.headers },
      signal: AbortSignal.timeout(patience),
      cache: "no-store",
    });
    body = await response.text();
  } catch (error) {
    throw new ApiError(error.name === "TimeoutError" ? -1 : 0, "");
  }
  const parsed = parse(body);
  if (!response.ok) throw new ApiError(response.status, detailOf(parsed));
  if (parsed === undefined) throw new ApiError(response.status, "");
  return parsed;
}

function parse(body) {
  try { return JSON.parse(body); } catch { return undefined; }
}

// FastAPI's own validation says a list of {loc, msg}; our handlers say a sentence.
function detailOf(parsed) {
  const detail = parsed?.detail;
  if (typeof detail === "string") return detail;
  if (!Array.isArray(detail)) return "";
  return detail.map((one) => [one.loc?.slice(1).join("."), one.msg].filter(Boolean).join(" : ")).join(" · ");
}

const part = encodeURIComponent;

export const getConversations = (limit) => request(`/api/conversations?limit=${limit}`);
export const getConversation = (id) => request(`/api/conversations/${part(id)}`);
export const getTrace = (id) => request(`/api/traces/${part(id)}`);
export const getContract = () => request("/asyncapi.json");
export const getPipeline = () => request("/api/pipeline", {}, 4_000);
export const getColdRooms = () => request("/api/cold-rooms");
export const getColdRoom = (id) => request(`/api/cold-rooms/unit?unit_id=${part(id)}`);

const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const postMessage = (message) => post("/messages", message);
export const postFeedback = (feedback) => post("/api/cold-rooms/feedback", feedback);

const SILENCE_MS = 40_000; // the server pings every 15 s
const LONGEST_PAUSE_MS = 15_000;

/**
 * Follow /api/stream for ever. `up` is called at every (re)connection: what happened meanwhile was
 * missed and must be asked for; `down` when it is lost; `change` with each change.
 */
export function follow({ up, down, change }) {
  let source = null;
  let watchdog = 0;
  let retry = 0;
  let pause = 1_000;

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENCE_MS);
  }

  function lost() {
    source?.close();
    source = null;
    clearTimeout(watchdog);
    clearTimeout(retry);
    down();
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }

  function connect() {
    clearTimeout(retry);
    source?.close();
    const mine = new EventSource("/api/stream");
    source = mine;
    alive();
    mine.onopen = () => {
      pause = 1_000;
      alive();
      up();
    };
    mine.onerror = () => { if (source === mine) lost(); };
    mine.addEventListener("ping", alive);
    mine.addEventListener("change", (event) => {
      alive();
      const data = parse(event.data);
      if (data) change(data);
    });
  }

  addEventListener("offline", () => { if (source) lost(); });
  addEventListener("online", () => { if (!source) connect(); });
  // A laptop that slept: timers stood still, the connection may be dead without saying so.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !source) connect(); });
  connect();
}
