// One trace: the question, both answers, the reply with its quotations marked, and what else was said about the item.
const LONG = 4000; // characters; a longer text is folded
let current = -1; // the judgment that is open
let openings = 0;

// A text, or the pieces of a reply; what is beyond LONG characters comes when it is asked for.
function longText(pieces) {
  const made = make("div", "text");
  const size = pieces.reduce((sum, [text]) => sum + text.length, 0);
  const fill = (limit) => {
    let left = limit;
    for (const [text, [kind, label, breaks]] of pieces) {
      if (left <= 0) break;
      if (breaks) made.append(document.createElement("br"));
      made.append(make("span", "seg-" + kind, text.slice(0, left)));
      if (label) made.append(make("span", "seg-label " + kind, label));
      left -= text.length;
    }
  };
  fill(size > LONG ? LONG : size);
  if (size > LONG) {
    const all = button(`Show all ${whole(size)} characters`, () => { made.replaceChildren(); fill(size); all.remove(); }, "more");
    return make("div", "", made, all);
  }
  return made;
}

const plainText = (text) => longText([[text, ["text", "", false]]]);

function replyText(pieces) {
  const paired = [];
  for (let at = 0; at < pieces.length; at += 2) paired.push([pieces[at + 1], index.marks[pieces[at]]]);
  return longText(paired);
}

function turns(all) {
  return all.map(([role, text]) => make("div", "turn", make("p", "who", role), plainText(text)));
}

function answers(entry, order, verdict) {
  const boxes = ["A", "B"].map((letter, side) => {
    const better = side === order;
    const who = make("p", "who", `Answer ${letter}`, make("span", "tagged " + (better ? "good" : ""), better ? "the better answer" : "the worse answer"));
    if (verdict === side) who.append(make("span", "tagged named", "named by the verdict"));
    const box = make("div", "box" + (better ? " better" : ""), who, plainText(better ? entry.better : entry.worse));
    box.dataset.answer = letter;
    return box;
  });
  return make("div", "pair-columns", ...boxes);
}

function badge(verdict, order, cause) {
  const part = verdict === 2 ? 2 : verdict === order ? 0 : 1;
  const text = part === 2 ? "unreadable" + (cause ? ": " + causeText(cause) : "") : `says ${"AB"[verdict]}, ${PARTS[part]}`;
  return make("span", "badge " + PARTS[part], `${MARKS[part]} ${text}`);
}

function certaintyFacts(probability, verdict) {
  if (probability < 0 || verdict === 2) return [];
  const meter = make("span", "meter", make("span"));
  meter.firstChild.style.width = probability / 100 + "%";
  meter.setAttribute("aria-hidden", "true");
  return [make("span", "fact", `p(${"AB"[verdict]}) ${certainty(probability, 2)}`, meter)];
}

function quotationFacts(pieces) {
  const counts = {};
  for (let at = 0; at < pieces.length; at += 2) {
    const [kind, label] = index.marks[pieces[at]];
    if (label) counts[kind] = (counts[kind] || 0) + 1;
  }
  const names = { found: "found", "other-answer": "in the other answer", missing: "in neither answer" };
  const told = Object.keys(names).filter((kind) => counts[kind]).map((kind) => `${counts[kind]} ${names[kind]}`);
  return told.length ? [make("span", "fact", "quotations: " + told.join(", "))] : [];
}

function costFacts(judged) {
  const told = [];
  if (judged.completion_tokens !== undefined) {
    told.push(`${whole(judged.completion_tokens)} tokens written, ${whole(judged.prompt_tokens)} read`);
    if (judged.finish !== "stop") told.push("ended by: " + causeText(judged.finish));
  }
  if (judged.scores) told.push(`scores A ${judged.scores[0].toPrecision(4)}, B ${judged.scores[1].toPrecision(4)}`);
  if (judged.samples) told.push(`of ${judged.samples[2]} replies ${judged.samples[0]} say A, ${judged.samples[1]} say B`);
  return told.map((text) => make("span", "fact", text));
}

function said(entry, judged, verdict, order, cause, probability) {
  const pieces = judged.reply === undefined ? null : entry.replies[judged.reply];
  const facts = make("p", "verdict-line", badge(verdict, order, cause), ...certaintyFacts(probability, verdict),
    ...costFacts(judged), ...(pieces ? quotationFacts(pieces) : []));
  const empty = pieces && !spoken(pieces);
  return [facts, pieces && !empty ? replyText(pieces) : make("p", "note", empty ? "The reply is empty." : "Nothing was written.")];
}

function judgmentBox(entry, one, title) {
  const { item, verdict, order, cause, probability } = index.judgments;
  const chips = flagTexts(one, false).map((text) => make("span", "chip", text));
  return make("div", "box judgment", make("h3", "", title, ...chips),
    ...said(entry, entry.judged[one - index.first[item[one]]], verdict[one], order[one], index.causes[cause[one]], probability[one]));
}

// All judgments of the item: a row per model, a column per order; the open one is marked.
function matrix(one) {
  const { item, model, order } = index.judgments;
  const [start, end] = [index.first[item[one]], index.first[item[one] + 1]];
  const head = make("tr", "", make("th", "left", "Model"), make("th", "left", "better answer is A"), make("th", "left", "better answer is B"));
  Array.from(head.children).forEach((th) => { th.scope = "col"; });
  const lines = new Map();
  for (let other = start; other < end; other += 1) {
    if (!lines.has(model[other])) lines.set(model[other], [[], []]);
    lines.get(model[other])[order[other]].push(other);
  }
  const body = Array.from(lines, ([number, orders]) => {
    const header = make("th", "", swatch(number), index.models[number].label);
    header.scope = "row";
    const cells = orders.map((judged) => make("td", "left", ...(judged.length ? judged.map((other) => matrixLink(other, one)) : ["–"])));
    return make("tr", number === model[one] ? "chosen" : "", header, ...cells);
  });
  return make("table", "matrix", make("thead", "", head), make("tbody", "", ...body));
}

function matrixLink(other, one) {
  const { verdict, order, cause, probability } = index.judgments;
  const link = make("a", other === one ? "open" : "", badge(verdict[other], order[other], index.causes[cause[other]]));
  if (probability[other] >= 0) link.append(make("span", "fact", " " + certainty(probability[other], 1)));
  link.href = "#" + traceAddress(other);
  if (other === one) link.setAttribute("aria-current", "true");
  link.addEventListener("click", (event) => { event.preventDefault(); openTrace(other, true); });
  return link;
}

function traceHead(one) {
  const { item, model } = index.judgments;
  const place = selection.indexOf(one);
  const where = [index.benchmarks[index.items.benchmark[item[one]]].label, index.families[index.items.family[item[one]]], index.items.id[item[one]]];
  const title = make("h2", "", swatch(model[one]), index.models[model[one]].label + " ",
    badge(index.judgments.verdict[one], index.judgments.order[one], index.causes[index.judgments.cause[one]]));
  title.tabIndex = -1;
  const step = (by, name, sign) => {
    const made = button(sign, () => move(by));
    made.setAttribute("aria-label", name);
    made.title = name + (by > 0 ? " (j)" : " (k)");
    made.disabled = place < 0 || !selection[place + by] && selection[place + by] !== 0;
    return made;
  };
  const flip = button("Flip order", flipOrder);
  flip.disabled = swapped(one) < 0;
  flip.title = "the same model’s judgment with A and B swapped (f)";
  const copy = button("Copy link", copyLink);
  copy.title = "a link to this trace (c)";
  const close = button("Close", closeTrace);
  close.title = "Escape";
  return make("div", "trace-head", make("div", "", make("p", "eyebrow", where.filter(Boolean).join(" · ")), title),
    make("div", "acts", step(-1, "Previous", "↑"), step(1, "Next", "↓"), flip, copy, close));
}

function swapped(one) {
  const { item, model, order } = index.judgments;
  const same = (other, wanted) => model[other] === model[one] && order[other] === wanted;
  let rank = 0;
  for (let other = index.first[item[one]]; other < one; other += 1) if (same(other, order[one])) rank += 1;
  for (let other = index.first[item[one]]; other < index.first[item[one] + 1]; other += 1) {
    if (same(other, 1 - order[one]) && rank-- === 0) return other;
  }
  return -1;
}

function traceView(entry, one) {
  const { order, verdict, item } = index.judgments;
  const other = swapped(one);
  const both = make("div", "pair-columns", judgmentBox(entry, one, `This order: the better answer is ${"AB"[order[one]]}`));
  both.append(other < 0 ? make("p", "note", "This model did not judge the item in the other order.")
    : judgmentBox(entry, other, `Swapped: the better answer is ${"AB"[order[other]]}`));
  const probes = probedSections(entry, one);
  const made = make("article", "trace", traceHead(one), make("div", "box asked", ...turns(entry.turns)),
    answers(entry, order[one], verdict[one]), make("h3", "part", "Reply"), both);
  if (probes.length) made.append(make("h3", "part", "The same item under probes"), make("div", "pair-columns probes", ...probes));
  const region = make("div", "scroll", matrix(one));
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", "All judgments of this item");
  made.append(make("h3", "part", `All judgments of this item (${index.first[item[one] + 1] - index.first[item[one]]})`), make("div", "sheet", region));
  return made;
}
