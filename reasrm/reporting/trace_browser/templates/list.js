// The list: only the rows that can be seen are there, so a hundred thousand judgments scroll like ten.
const ROW = 80; // pixels; as in traces.css
const MARKS = ["✓", "✗", "?"];
let cursor = 0; // place in the selection
const rows = byId("list");
const runway = make("div", "runway");
runway.setAttribute("role", "presentation");

function verdictText(one) {
  const { verdict, cause } = index.judgments;
  const part = outcome(one);
  return part === 2 ? "unreadable: " + causeText(index.causes[cause[one]]) : `says ${"AB"[verdict[one]]}, ${PARTS[part]}`;
}

// A probability in percent; one that is not 1 is never shown as 100.
const certainty = (tenThousandth, digits) => (Math.floor(tenThousandth * 10 ** digits / 100) / 10 ** digits).toFixed(digits) + "\u00a0%";
const causeText = (cause) => cause.replaceAll("_", " ");

function flagTexts(one, briefly) {
  const names = FLAGS.filter(([, bit]) => index.judgments.flags[one] & bit).map(([name]) => name);
  const probes = index.changes[index.judgments.change[one]];
  if (!probes.length) return names;
  const briefs = probes.length > 1 ? `${probes.length} probes` : "a probe";
  return [...names, "changed by " + (briefly ? briefs : probes.map((probe) => index.probes[probe].label).join(", "))];
}

function swatch(model) {
  const made = make("span", "swatch");
  made.style.setProperty("--c", `var(--series-${model % 8})`);
  made.setAttribute("aria-hidden", "true");
  return made;
}

function row(place) {
  const one = selection[place];
  const { item, model, order, probability } = index.judgments;
  const part = outcome(one);
  const mark = make("span", "mark " + PARTS[part], MARKS[part]);
  mark.title = verdictText(one);
  const facts = make("span", "facts-line", swatch(model[one]), index.models[model[one]].label,
    ` · ${index.benchmarks[index.items.benchmark[item[one]]].label}`);
  if (index.families[index.items.family[item[one]]]) facts.append(" · " + index.families[index.items.family[item[one]]]);
  facts.append(` · better: ${"AB"[order[one]]}`);
  const chips = make("span", "chips", ...flagTexts(one, true).map((text) => make("span", "chip", text)));
  const certain = make("span", "certain", probability[one] < 0 ? "" : certainty(probability[one], 1));
  if (probability[one] >= 0) certain.title = "probability of the verdict’s letter";
  const made = make("div", "row",
    mark, make("span", "question", index.items.question[item[one]]), certain, make("span", "below", facts, chips));
  made.id = "row-" + one;
  made.setAttribute("role", "option");
  made.setAttribute("aria-selected", String(place === cursor));
  made.setAttribute("aria-posinset", String(place + 1));
  made.setAttribute("aria-setsize", String(selection.length));
  made.style.top = place * ROW + "px";
  made.addEventListener("click", () => { cursor = place; openTrace(one, true); });
  return made;
}

function drawList() {
  runway.style.height = selection.length * ROW + "px";
  const first = Math.max(0, Math.floor(rows.scrollTop / ROW) - 4);
  const last = Math.min(selection.length, Math.ceil((rows.scrollTop + rows.clientHeight) / ROW) + 4);
  const shown = [];
  for (let place = first; place < last; place += 1) shown.push(row(place));
  runway.replaceChildren(...shown);
  if (rows.firstChild !== runway) rows.replaceChildren(runway);
  const there = selection.length > 0 && cursor >= first && cursor < last;
  if (there) rows.setAttribute("aria-activedescendant", "row-" + selection[cursor]);
  else rows.removeAttribute("aria-activedescendant");
}

function reveal(centred) {
  const top = cursor * ROW;
  const seen = top >= rows.scrollTop && top + ROW <= rows.scrollTop + rows.clientHeight;
  if (centred && !seen) rows.scrollTop = top - (rows.clientHeight - ROW) / 2;
  if (top < rows.scrollTop) rows.scrollTop = top;
  if (top + ROW > rows.scrollTop + rows.clientHeight) rows.scrollTop = top + ROW - rows.clientHeight;
  drawList();
}

let drawing = 0;
rows.addEventListener("scroll", () => {
  cancelAnimationFrame(drawing);
  drawing = requestAnimationFrame(drawList);
});
window.addEventListener("resize", () => { if (index) drawList(); });
