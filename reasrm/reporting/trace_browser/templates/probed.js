// What probes made of the item that is open: each query folded, with what was shown otherwise and what was said.
function probeTitle(name) {
  const known = index.probes.find((one) => one.name === name);
  return known ? known.label : name;
}

function probedBox(entry, probed) {
  const facts = [];
  if (probed.step !== undefined) facts.push(`step ${probed.step + 1}`);
  if (probed.draw !== undefined) facts.push(`seed ${probed.draw}`);
  if (probed.undefused) facts.push("imitated tags left as they are");
  const summary_ = make("summary", "", make("span", "variant", [causeText(probed.variant), ...facts].join(", ")),
    make("span", "fact", ` · better is ${"AB"[probed.order]} `));
  if (probed.margin !== undefined) summary_.append(make("span", "fact", `log-odds of A ${probed.margin.toFixed(2)} nats`));
  else if (probed.unknown_words) summary_.append(make("span", "fact", "not asked: words that the judge does not know"));
  else summary_.append(badge(probed.verdict, probed.order, probed.cause), make("span", "chip" + (probed.changed ? " strong" : " quiet"), probed.changed ? "verdict changed" : "not changed"));
  const made = make("details", "probed", summary_);
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
  return names.map((name) => make("div", "box probe", make("h3", "", probeTitle(name)),
    ...own.filter((probed) => probed.probe === name).sort((a, b) => first(a) - first(b)).map((probed) => probedBox(entry, probed))));
}
