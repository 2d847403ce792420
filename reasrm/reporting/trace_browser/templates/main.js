// The page as a whole: the address, the filters' controls, keys, and what stands in the pane.
const pane = byId("pane"), notice = byId("notice"), progress = byId("progress"), words = byId("words"), keys = byId("keys");
let everFlagged = 0; // bits of the flags that any judgment has
let written = null; // the address that this page wrote last

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

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

function optionsOf(key) {
  const labels = (all) => all.map(({ name, label }) => [name, label]);
  const causes = index.causes.slice(1).map((cause) => ["unreadable:" + cause, "unreadable: " + causeText(cause)]);
  return {
    model: () => [["", "All models"], ...labels(index.models)],
    benchmark: () => [["", "All benchmarks"], ...labels(index.benchmarks)],
    family: () => [["", "All families"], ...index.families.filter(Boolean).map((name) => [name, name])],
    verdict: () => [["", "Right and wrong"], ["right", "right"], ["wrong", "wrong"], ...(causes.length ? [["unreadable", "unreadable"]] : []), ...causes],
    order: () => [["", "Both orders"], ["A", "better is A"], ["B", "better is B"]],
    changed: () => [["", "Probes: any"], ["*", "changed by a probe"], ...index.probes
      .filter((_, at) => index.changes.some((names) => names.includes(at))).map(({ name, label }) => [name, "changed by: " + label])],
    sort: () => SORTS,
  }[key]();
}

const NAMES = { model: "Model", benchmark: "Benchmark", family: "Family", verdict: "Verdict", order: "Order of the answers", changed: "Changed by a probe", sort: "Sort" };

function makeControls() {
  const place = byId("filters"), toggles = byId("toggles");
  for (const key of [...SELECTS, "sort"]) {
    const options = optionsOf(key);
    if (options.length < (key === "changed" ? 3 : 2)) continue;
    const made = make("select", "");
    made.id = "choose-" + key;
    made.setAttribute("aria-label", NAMES[key]);
    made.append(...options.map(([value, text]) => { const option = make("option", "", text); option.value = value; return option; }));
    made.addEventListener("change", () => choose({ [key]: made.value }));
    (key === "sort" ? toggles : place).append(made);
  }
  for (const [name, bit, label, what] of FLAGS.filter(([, bit]) => everFlagged & bit)) {
    const made = button(label, () => {
      const flags = new Set(choice.flags);
      if (!flags.delete(name)) flags.add(name);
      choose({ flags });
    }, "toggle");
    made.id = "flag-" + name;
    made.title = what;
    made.append(make("small", "", whole(index.judgments.flags.filter((flags) => flags & bit).length)));
    toggles.append(made);
  }
  const clear = button("Clear", () => choose({ ...Object.fromEntries([...SELECTS, "words"].map((key) => [key, ""])), flags: new Set() }));
  clear.id = "clear";
  toggles.append(clear);
}

function showControls() {
  for (const key of [...SELECTS, "sort"]) {
    const control = byId("choose-" + key);
    if (control) { control.value = choice[key]; control.classList.toggle("active", choice[key] !== "" && key !== "sort"); }
  }
  for (const [name] of FLAGS) if (byId("flag-" + name)) byId("flag-" + name).setAttribute("aria-pressed", String(choice.flags.has(name)));
  if (document.activeElement !== words) words.value = choice.words;
  const active = SELECTS.filter((key) => choice[key]).length + choice.flags.size;
  byId("clear").disabled = !active && !choice.words;
  byId("fold").textContent = active ? `Filters (${active})` : "Filters";
}

function refresh() {
  const counted = select();
  const { parts, all } = counted.total;
  byId("count").textContent = all === index.count ? `${whole(all)} judgments` : `${whole(all)} of ${whole(index.count)} judgments`;
  byId("count").textContent += all ? ` · ${percent(parts[0], all)} right · ${percent(parts[1], all)} wrong · ${percent(parts[2], all)} unreadable` : "";
  cursor = Math.max(0, current < 0 ? Math.min(cursor, selection.length - 1) : selection.indexOf(current));
  rows.hidden = !all;
  byId("nothing").hidden = Boolean(all);
  byId("nothing").textContent = progress.hidden ? "No judgment fits. Take a filter away, or clear them all." : "Nothing found yet …";
  showControls();
  drawList();
  if (current < 0) showOverview(counted);
}

// What had the focus keeps it: the same button of the new tables.
function showOverview(counted) {
  const key = pane.contains(document.activeElement) ? document.activeElement.dataset.key : "";
  pane.replaceChildren(overview(counted));
  const same = key && Array.from(pane.querySelectorAll("button")).find((one) => one.dataset.key === key);
  if (same) same.focus({ preventScroll: true });
}

function choose(changes) {
  apply(changes);
  writeAddress(false);
}

function apply(changes) {
  const searched = "words" in changes && changes.words !== choice.words;
  Object.assign(choice, changes);
  rows.scrollTop = 0;
  cursor = 0;
  if (searched) startSearch(); else refresh();
}

function startSearch() {
  search((done, of) => {
    progress.hidden = done === of;
    progress.max = of;
    progress.value = done;
    refresh();
  }).catch((error) => { progress.hidden = true; say(error.message); });
}

async function openTrace(one, enters) {
  const mine = (openings += 1);
  const fresh = current < 0;
  let entry;
  try { entry = await entryOf(index.judgments.item[one]); } catch (error) { say(error.message); return; }
  if (mine !== openings) return;
  const focused = pane.contains(document.activeElement);
  current = one;
  say("");
  document.body.classList.add("reading");
  pane.replaceChildren(traceView(entry, one));
  pane.scrollTop = 0;
  highlight(pane, entry, entry.judged[one - index.first[index.judgments.item[one]]]);
  if (enters || focused || document.activeElement === document.body) pane.querySelector("h2").focus({ preventScroll: true });
  if (selection.includes(one)) cursor = selection.indexOf(one);
  reveal(fresh || enters);
  writeAddress(fresh);
}

function shut() {
  openings += 1;
  current = -1;
  document.body.classList.remove("reading", "looking");
  showView();
}

function showView() {
  byId("overview-button").textContent = document.body.classList.contains("looking") ? "List" : "Overview";
}

function closeTrace() {
  shut();
  refresh();
  rows.focus({ preventScroll: true });
  reveal();
  writeAddress(false);
}

function move(by) {
  const next = Math.min(Math.max(cursor + by, 0), selection.length - 1);
  if (next < 0) return;
  cursor = next;
  reveal();
  if (current >= 0) openTrace(selection[cursor], false);
}

function flipOrder() {
  if (current >= 0 && swapped(current) >= 0) openTrace(swapped(current), false);
}

function copyLink() {
  const link = location.href.split("#")[0] + "#" + traceAddress(current);
  const done = () => { say("The link is copied."); setTimeout(() => say(""), 2500); };
  if (!navigator.clipboard) { say("Copy this link: " + link); return; }
  navigator.clipboard.writeText(link).then(done, () => say("Copy this link: " + link));
}

const KEYS = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1), f: flipOrder,
  c: () => { if (current >= 0) copyLink(); }, "/": () => { words.focus(); words.select(); }, "?": () => keys.showModal(),
  Escape: () => { if (current >= 0 || document.body.classList.contains("looking")) closeTrace(); },
  Home: () => move(-selection.length), End: () => move(selection.length), PageDown: () => move(10), PageUp: () => move(-10),
  Enter: () => { if (selection.length) openTrace(selection[cursor], true); },
};
const OF_LIST = ["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter"]; // elsewhere they are the browser's

document.addEventListener("keydown", (event) => {
  if (!index || event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.target.closest("input, select")) {
    if (event.target === words && ["Enter", "Escape", "ArrowDown"].includes(event.key)) { rows.focus(); event.preventDefault(); }
    return;
  }
  const inList = rows.contains(event.target) || event.target === document.body;
  if (!(event.key in KEYS) || (OF_LIST.includes(event.key) && !inList)) return;
  event.preventDefault();
  KEYS[event.key]();
});

let typing = 0;
words.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => choose({ words: words.value.trim() }), 250);
});
byId("help").addEventListener("click", () => keys.showModal());
byId("fold").addEventListener("click", () => {
  byId("fold").setAttribute("aria-expanded", String(document.body.classList.toggle("unfolded")));
  drawList();
});
byId("overview-button").addEventListener("click", () => {
  if (current >= 0) closeTrace();
  document.body.classList.toggle("looking");
  showView();
});
window.addEventListener("beforeprint", () => pane.querySelectorAll("button.more").forEach((one) => one.click()));

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

window.addEventListener("popstate", () => { if (index && location.hash !== written) readAddress(); });

loadIndex().then(() => {
  everFlagged = index.judgments.flags.reduce((all, flags) => all | flags, 0);
  makeControls();
  readAddress();
  document.body.dataset.ready = "true";
}).catch((error) => {
  byId("count").textContent = "";
  say(error.message);
});
