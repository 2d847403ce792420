// The page as a whole: the address, the filters' controls, keys, and what stands in the pane.
const pane = byId("pane"), notice = byId("notice"), progress = byId("progress"), words = byId("words"), keys = byId("keys");
byId("count").textContent = "Loading the index …"; // not in the page itself, where it would stay without scripts

function say(text) {
  notice.textContent = text;
  notice.hidden = !text;
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

window.addEventListener("popstate", () => { if (index && location.hash !== written) readAddress(); });

loadIndex().then(() => {
  everFlagged = index.judgments.flags.reduce((all, flags) => all | flags, 0);
  makeControls();
  readAddress();
  document.querySelector('[aria-current="page"]').scrollIntoView({ inline: "end", block: "nearest" });
  document.body.dataset.ready = "true";
}).catch((error) => {
  byId("count").textContent = "";
  say(error.message);
});
