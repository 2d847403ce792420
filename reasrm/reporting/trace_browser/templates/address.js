// The address behind the #: filters, words and the open trace, so that a link or a reload shows the same again.
let written = null; // the address that this page wrote last

function pairs(entries) {
  return entries.filter(([, value]) => value).map(([key, value]) => key + "=" + encodeURIComponent(value)).join("&");
}

function traceAddress(one) {
  const { item, model, order } = index.judgments;
  let rank = 1;
  for (let other = index.first[item[one]]; other < one; other += 1) {
    if (model[other] === model[one] && order[other] === order[one]) rank += 1;
  }
  return pairs([["m", index.models[model[one]].name], ["b", index.benchmarks[index.items.benchmark[item[one]]].name],
    ["i", index.items.id[item[one]]], ["o", "AB"[order[one]]], ["n", rank > 1 && rank]]);
}

function address() {
  const filters = pairs([...[...SELECTS, "sort", "words"].map((key) => [key, choice[key]]), ["flags", Array.from(choice.flags).join(",")]]);
  return [filters, current < 0 ? "" : traceAddress(current)].filter(Boolean).join("&");
}

function writeAddress(enters) {
  const wanted = "#" + address();
  if (wanted === written) return;
  written = wanted;
  if (enters) history.pushState(null, "", wanted); else history.replaceState(null, "", wanted);
}

// The judgment that an address names: -1 for none, null for one that is not here.
function named(given) {
  if (!given.has("i")) return -1;
  const { item, model, order } = index.judgments;
  let rank = Number(given.get("n") || 1);
  for (let at = 0; at < index.items.id.length; at += 1) {
    if (index.items.id[at] !== given.get("i")) continue;
    if (given.has("b") && index.benchmarks[index.items.benchmark[at]].name !== given.get("b")) continue;
    for (let one = index.first[at]; one < index.first[at + 1]; one += 1) {
      const fits = (!given.has("m") || index.models[model[one]].name === given.get("m")) && (!given.has("o") || "AB"[order[one]] === given.get("o"));
      if (fits && --rank === 0) return one;
    }
  }
  return null;
}

// What the address says: filters, words, the trace. Names that are not in this report are said and left out.
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const unknown = [];
  const value = (key) => {
    const one = given.get(key) || "";
    if (optionsOf(key).some(([known]) => known === one)) return one;
    unknown.push(`${key} “${one.slice(0, 80)}”`);
    return "";
  };
  const flags = (given.get("flags") || "").split(",").filter((flag) => FLAGS.some(([name]) => name === flag));
  const changes = { ...Object.fromEntries([...SELECTS, "sort"].map((key) => [key, value(key)])), words: given.get("words") || "", flags: new Set(flags) };
  const one = named(given);
  if (one === null) unknown.push(`the trace “${given.get("i").slice(0, 80)}”`);
  written = location.hash;
  say(unknown.length ? "Not in this report: " + unknown.join(", ") + "." : "");
  const wanted = one !== null && one >= 0;
  if (current >= 0 && !wanted) shut();
  apply(changes);
  if (wanted) openTrace(one, true);
}
