// Where we are, kept in the address so that the browser's own back button works:
// #/ · #/c/<conversation> · #/c/<conversation>/side · #/c/<conversation>/t/<trace>

export function where() {
  const [, first, id, view, trace] = location.hash.split("/").map(decoded);
  if (first !== "c" || !id) return { id: "", view: "list", trace: "" };
  if (view === "t" && trace) return { id, view: "thread", trace };
  return { id, view: view === "side" ? "side" : "thread", trace: "" };
}

function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

const part = encodeURIComponent;
export const toList = () => "#/";
export const toConversation = (id) => `#/c/${part(id)}`;
export const toSide = (id) => `#/c/${part(id)}/side`;
export const toTrace = (id, trace) => `#/c/${part(id)}/t/${part(trace)}`;

export function go(address) {
  if (location.hash !== address) location.hash = address;
}
