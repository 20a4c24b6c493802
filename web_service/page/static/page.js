// Asks the service for the chosen ride and for a range of distances, in one call, and draws both.

const POINTS = 80;
const LEAST_MILES = 0.25;  // at 0, a taximeter measured nothing: a case of its own, not a distance
const SHORT_MILES = 20;
const PLOT = { left: 44, right: 628, top: 12, bottom: 286 };
const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);
const { name, unit } = document.querySelector("main").dataset;
const distance = byId("distance");
const slider = byId("slider");
let asking = new AbortController();

function ride(miles) {
  return {
    PULocationID: Number(byId("from").value),
    DOLocationID: Number(byId("to").value),
    trip_distance: miles,
  };
}

async function ask(rides, signal) {
  const response = await fetch("predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(rides),
    signal,
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function miles(most) {
  const step = (most - LEAST_MILES) / (POINTS - 1);
  return Array.from({ length: POINTS }, (_, place) => LEAST_MILES + step * place);
}

async function update() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  if (!distance.validity.valid) {
    complain("The distance must be a number of miles from 0 to 100.");
    return;
  }
  const chosen = distance.valueAsNumber;
  const range = miles(Math.max(SHORT_MILES, chosen));
  try {
    const [answer, ...answers] = await ask([chosen, ...range].map(ride), signal);
    show(answer, chosen, range, answers.map((one) => one[name]));
  } catch (error) {
    if (error.name !== "AbortError") complain(`There is no prediction: ${error.message}`);
  }
}

function complain(text) {
  const problem = byId("problem");
  problem.textContent = text;
  problem.hidden = false;
  byId("value").textContent = "–";
}

function show(answer, chosen, range, values) {
  byId("problem").hidden = true;
  byId("value").textContent = answer[name].toFixed(1);
  byId("version").textContent = answer.model_version;
  draw(chosen, answer[name], range, values);
  tabulate(range, values);
}

function draw(chosen, value, range, values) {
  const farthest = range.at(-1);
  const highest = ceiling(Math.max(...values, value));
  const lowest = Math.min(0, ...values, value);
  const x = (at) => PLOT.left + (at / farthest) * (PLOT.right - PLOT.left);
  const y = (at) => PLOT.bottom - ((at - lowest) / (highest - lowest)) * (PLOT.bottom - PLOT.top);
  byId("axes").replaceChildren(...marks(farthest, lowest, highest, x, y));
  const steps = range.map((at, place) => `${x(at).toFixed(1)},${y(values[place]).toFixed(1)}`);
  byId("line").setAttribute("d", `M${steps.join("L")}`);
  const [line, circle] = byId("chosen").children;
  set(line, { x1: x(chosen), x2: x(chosen), y1: PLOT.bottom, y2: y(value) });
  set(circle, { cx: x(chosen), cy: y(value) });
  const words = unit ? ` ${unit}` : "";
  byId("plot-title").textContent =
    `${name} by distance: ${values[0].toFixed(1)}${words} at ${range[0]} miles, ` +
    `${values.at(-1).toFixed(1)}${words} at ${farthest} miles`;
}

function marks(farthest, lowest, highest, x, y) {
  const across = ticks(0, farthest).map((at) =>
    element("text", { class: "miles", x: x(at), y: PLOT.bottom + 22 }, String(at)));
  const up = ticks(lowest, highest).flatMap((at) => [
    element("line", { x1: PLOT.left, x2: PLOT.right, y1: y(at), y2: y(at) }),
    element("text", { class: "value", x: PLOT.left - 8, y: y(at) }, String(at)),
  ]);
  return [...up, ...across];
}

// A round step that gives 4 to 9 ticks.
function step(span) {
  const power = 10 ** Math.floor(Math.log10(span));
  const part = span / power;
  return power * (part > 5 ? 1 : part > 2 ? 0.5 : 0.2) * (part > 8 ? 2 : 1);
}

function ticks(from, to) {
  const apart = step(to - from || 1);
  const first = Math.ceil(from / apart);
  const count = Math.floor(to / apart) - first + 1;
  return Array.from({ length: count }, (_, place) => Number(((first + place) * apart).toFixed(6)));
}

function ceiling(value) {
  const apart = step(value > 0 ? value : 1);
  return Math.max(apart, Math.ceil(value / apart) * apart);
}

function tabulate(range, values) {
  const rows = range.flatMap((at, place) => (place % 8 ? [] : [[at, values[place]]]));
  byId("numbers").replaceChildren(...rows.map((numbers) => {
    const row = document.createElement("tr");
    for (const number of numbers) row.insertCell().textContent = number.toFixed(1);
    return row;
  }));
}

function element(kind, attributes, text = "") {
  const made = document.createElementNS(SVG, kind);
  set(made, attributes);
  made.textContent = text;
  return made;
}

function set(target, attributes) {
  for (const [key, value] of Object.entries(attributes)) target.setAttribute(key, value);
}

slider.addEventListener("input", () => { distance.value = slider.value; });
distance.addEventListener("input", () => { slider.value = distance.value; });
byId("ride").addEventListener("input", update);
byId("ride").addEventListener("submit", (event) => event.preventDefault());
update();
