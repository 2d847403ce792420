// The data files: scripts of one call each, loaded when they are needed. Texts enter the page through textContent alone.
"use strict";
const FILE = /^\.\.\/traces\/(?:index|\d{4,})\.js$/;
const KEPT = 64; // opened chunks; the others stay packed
const BESIDE = "The folder “traces” belongs beside the folder “pages” of the report; copy both, or write the report again.";

function checkedAddress(address) {
  if (!FILE.test(address)) throw new TypeError("no trace file: " + address);
  return address;
}
const addresses = window.trustedTypes
  ? window.trustedTypes.createPolicy("trace-files", { createScriptURL: checkedAddress })
  : { createScriptURL: checkedAddress };
const arrived = new Map(); // name → what takes the file's data
const packed = new Map(); // name → promise of { build, data }
const opened = new Map(); // number → promise of a chunk, the one used last at the end
let index = null;

Object.defineProperty(window, "reasrmTraces", {
  value: (name, build, data) => { if (arrived.has(name)) arrived.get(name)({ build, data }); },
});

function load(name) {
  if (!packed.has(name)) {
    packed.set(name, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const failed = (why) => { packed.delete(name); reject(new Error(`traces/${name}.js ${why}. ${BESIDE}`)); };
      arrived.set(name, resolve);
      script.addEventListener("error", () => failed("is not there or cannot be read"));
      script.addEventListener("load", () => { script.remove(); failed("holds no data"); }); // after resolve: no effect
      script.src = addresses.createScriptURL("../traces/" + name + ".js");
      document.head.append(script);
    }));
    packed.get(name).then((file) => packed.set(name, Promise.resolve(file)), () => {});
  }
  return packed.get(name);
}

async function unpacked(data) {
  if (!window.DecompressionStream) throw new Error("This browser is too old: it lacks DecompressionStream (2023).");
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function loadIndex() {
  const { build, data } = await load("index");
  index = await unpacked(data);
  index.build = build;
  index.count = index.judgments.item.length;
  index.first = new Int32Array(index.items.id.length + 1).fill(-1); // an item's first judgment
  index.judgments.item.forEach((item, one) => { if (index.first[item] < 0) index.first[item] = one; });
  index.first[index.items.id.length] = index.count;
}

function chunkOf(item) {
  let low = 0, high = index.chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (index.chunks[middle] <= item) low = middle; else high = middle - 1;
  }
  return low;
}

function chunk(number) {
  const kept = opened.get(number);
  opened.delete(number);
  const name = String(number).padStart(4, "0");
  const found = kept || load(name).then(({ build, data }) => {
    if (build !== index.build) throw new Error(`traces/${name}.js belongs to another report. ${BESIDE}`);
    return unpacked(data);
  });
  opened.set(number, found);
  found.catch(() => opened.delete(number));
  for (const oldest of opened.keys()) {
    if (opened.size <= KEPT) break;
    opened.delete(oldest);
  }
  return found;
}

async function entryOf(item) {
  const number = chunkOf(item);
  return (await chunk(number))[item - index.chunks[number]];
}

function make(tag, kind, ...inside) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...inside); // texts become text nodes
  return made;
}

function button(text, act, kind) {
  const made = make("button", kind || "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en").format;
const percent = (part, of) => (!of ? "–" : part && part < of / 2000 ? "<\u00a00.1\u00a0%" : (100 * part / of).toFixed(1) + "\u00a0%");
