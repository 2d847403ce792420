// Which judgments are shown: filters, words, order. All of it stands in the address behind the #.
const FLAGS = [
  ["ungrounded", 1, "Ungrounded", "a quotation is not in the answer that it is ascribed to"],
  ["flipped", 2, "Flipped", "names another answer when A and B are swapped"],
  ["contradicted", 4, "Contradicted", "the reason speaks against the verdict"],
];
const SORTS = [
  ["", "By model"], ["question", "By question"], ["sure", "Most certain first"], ["unsure", "Least certain first"], ["long", "Longest reply first"],
];
const SELECTS = ["model", "benchmark", "family", "verdict", "order", "changed"];
const PARTS = ["right", "wrong", "unreadable"]; // of a bar, and values of the filter `verdict`
const choice = { model: "", benchmark: "", family: "", verdict: "", order: "", changed: "", sort: "", words: "", flags: new Set() };
let selection = []; // numbers of judgments, as they are listed
let found = null; // of each judgment, whether the words occur; null without words
let searches = 0;

function outcome(one) {
  const { verdict, order } = index.judgments;
  return verdict[one] === 2 ? 2 : verdict[one] === order[one] ? 0 : 1;
}

// One test per filter; a judgment's failed filters are bits, so one pass counts every filter's own values too.
function tests() {
  const { judgments: columns, items } = index;
  const at = (names, name) => names.findIndex((one) => (one.name === undefined ? one : one.name) === name);
  const [verdict, cause] = [choice.verdict.split(":")[0], choice.verdict.split(":").slice(1).join(":")];
  const made = {
    model: choice.model && ((number) => (one) => columns.model[one] === number)(at(index.models, choice.model)),
    benchmark: choice.benchmark
      && ((number) => (one) => items.benchmark[columns.item[one]] === number)(at(index.benchmarks, choice.benchmark)),
    family: choice.family
      && ((number) => (one) => items.family[columns.item[one]] === number)(at(index.families, choice.family)),
    verdict: choice.verdict && ((part, why) => (one) => outcome(one) === part
      && (!cause || columns.cause[one] === why))(PARTS.indexOf(verdict), at(index.causes, cause)),
    order: choice.order && ((number) => (one) => columns.order[one] === number)("AB".indexOf(choice.order)),
    changed: choice.changed && ((number) => (one) => {
      const probes = index.changes[columns.change[one]];
      return choice.changed === "*" ? probes.length > 0 : probes.includes(number);
    })(at(index.probes, choice.changed)),
    words: found && ((one) => found[one] === 1),
  };
  for (const [name, bit] of FLAGS) made[name] = choice.flags.has(name) && ((one) => (columns.flags[one] & bit) !== 0);
  return Object.entries(made).filter(([, test]) => test);
}

// The selection, and for each value of each facet the judgments that pass all filters but the facet's own.
function select() {
  const active = tests();
  const { judgments: columns, items } = index;
  const tally = (size) => Array.from({ length: size }, () => ({ all: 0, parts: [0, 0, 0], flags: FLAGS.map(() => 0) }));
  const facets = {
    model: tally(index.models.length), benchmark: tally(index.benchmarks.length), family: tally(index.families.length),
  };
  const total = tally(1)[0];
  selection = [];
  const count = (into, one) => {
    into.all += 1;
    into.parts[outcome(one)] += 1;
    FLAGS.forEach(([, bit], at) => { if (columns.flags[one] & bit) into.flags[at] += 1; });
  };
  for (let one = 0; one < index.count; one += 1) {
    let failed = "", failures = 0;
    for (const [name, test] of active) if (!test(one)) { failed = name; failures += 1; if (failures > 1) break; }
    if (failures > 1) continue;
    if (!failures) { selection.push(one); count(total, one); }
    const value = { model: columns.model[one], benchmark: items.benchmark[columns.item[one]], family: items.family[columns.item[one]] };
    for (const facet of Object.keys(facets)) if (!failures || failed === facet) count(facets[facet][value[facet]], one);
  }
  sortSelection();
  return { facets, total };
}

function sortSelection() {
  const { probability, tokens, model } = index.judgments;
  const last = (column, sign) => (one, other) => {
    const [first, second] = [column[one], column[other]];
    if (first < 0 || second < 0) return (first < 0) - (second < 0) || one - other;
    return sign * (first - second) || one - other;
  };
  if (choice.sort === "") selection.sort((one, other) => model[one] - model[other] || one - other);
  if (choice.sort === "sure") selection.sort(last(probability, -1));
  if (choice.sort === "unsure") selection.sort(last(probability, 1));
  if (choice.sort === "long") selection.sort(last(tokens, -1));
}

function wantedWords(text) {
  return Array.from(text.toLowerCase().matchAll(/["“”]([^"“”]+)["“”]|([^\s"“”]+)/g), (match) => match[1] || match[2]);
}

const spoken = (pieces) => pieces.filter((_, at) => at % 2).join("").toLowerCase();

function searchEntry(entry, first, words) {
  const texts = [...entry.turns.map(([, text]) => text), entry.better, entry.worse].join("\n").toLowerCase();
  const missing = words.filter((word) => !texts.includes(word));
  const said = missing.length ? entry.replies.map((pieces) => {
    const text = spoken(pieces);
    return missing.every((word) => text.includes(word));
  }) : null;
  entry.judged.forEach((judged, at) => {
    if (!said || (judged.reply !== undefined && said[judged.reply])) found[first + at] = 1;
  });
}

// Chunk by chunk; a newer search ends an older one.
async function search(progressed) {
  const mine = (searches += 1);
  const words = wantedWords(choice.words);
  found = words.length ? new Uint8Array(index.count) : null;
  progressed(0, found ? index.chunks.length : 0);
  if (!found) return;
  let shown = performance.now();
  for (let number = 0; number < index.chunks.length; number += 1) {
    const entries = await chunk(number);
    if (mine !== searches) return;
    entries.forEach((entry, at) => searchEntry(entry, index.first[index.chunks[number] + at], words));
    if (performance.now() - shown > 150 || number + 1 === index.chunks.length) {
      progressed(number + 1, index.chunks.length);
      shown = performance.now();
    }
  }
}
