// What probes made of the item that is open: each query folded, with what was shown otherwise and what was said.
function probeTitle(name) {
  const known = index.probes.find((one) => one.name === name);
  return known ? known.label : name;
}

// A log-odds as a bar from the middle: to the right for A, to the left for B; solid where that is the better answer.
function marginBar(probed, longest) {
  const made = make("span", "margin", make("span", (probed.margin > 0) === (probed.order === 0) ? "right" : "wrong"));
  const width = longest ? 50 * Math.abs(probed.margin) / longest : 0;
  made.firstChild.style.width = width + "%";
  made.firstChild.style.left = (probed.margin > 0 ? 50 : 50 - width) + "%";
  made.setAttribute("aria-hidden", "true");
  return made;
}

function probedFigures(probed, longest) {
  if (probed.margin !== undefined) {
    const odds = probed.margin.toFixed(2).replace("-", "−");
    return [marginBar(probed, longest), make("span", "fact odds", odds)];
  }
  if (probed.unknown_words) return [make("span", "fact", "not asked: words that the judge does not know")];
  const change = make("span", "chip" + (probed.changed ? " strong" : ""), probed.changed ? "verdict changed" : "not changed");
  return [badge(probed.verdict, probed.order, probed.cause), change];
}

function probedBox(entry, probed, order, longest) {
  const facts = [];
  if (probed.step !== undefined) facts.push(`step ${probed.step + 1}`);
  if (probed.draw !== undefined) facts.push(`seed ${probed.draw}`);
  if (probed.order !== order) facts.push("swapped");
  if (probed.undefused) facts.push("imitated tags left as they are");
  const line = make("summary", "", make("span", "variant", [causeText(probed.variant), ...facts].join(", ")),
    make("span", "figures", ...probedFigures(probed, longest)));
  const made = make("details", "probed", line);
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(...probedInside(entry, probed));
  });
  return made;
}

function probedInside(entry, probed) {
  const inside = [];
  if (probed.turns) inside.push(make("h4", "", "Question as it was shown"), ...turns(probed.turns));
  const shown = [["A", probed.answer_a], ["B", probed.answer_b]].filter(([, text]) => text !== undefined);
  for (const [letter, text] of shown) inside.push(make("h4", "", `Answer ${letter} as it was shown`), plainText(text));
  if (probed.begun) inside.push(make("h4", "", "The reply was made to begin with"), plainText(probed.begun));
  if (probed.verdict === undefined || probed.margin !== undefined || probed.unknown_words) return inside;
  return [...inside, make("h4", "", "Reply"), ...said(entry, probed, probed.verdict, probed.order, probed.cause, probed.probability)];
}

function probedSections(entry, one) {
  const { model, order } = index.judgments;
  const own = entry.probed.filter((probed) => probed.model === model[one]);
  const names = Array.from(new Set(own.map((probed) => probed.probe)));
  const first = (probed) => Math.abs(probed.order - order[one]); // this order's first
  return names.map((name) => {
    const rows = own.filter((probed) => probed.probe === name).sort((a, b) => first(a) - first(b));
    const longest = Math.max(...rows.map((probed) => Math.abs(probed.margin || 0)));
    const head = make("h3", "", probeTitle(name));
    if (longest) head.append(make("small", "", "log-odds of A in nats: B to the left, A to the right"));
    return make("div", "box probe", head, ...rows.map((probed) => probedBox(entry, probed, order[one], longest)));
  });
}
