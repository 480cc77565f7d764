// From the data to the first view, and from each change to the next.

let table = null;
let selection = null;

/** Puts `changes` into the state and draws what follows from them; then `focused` has the focus, if one is given. */
function change(changes, focused = null) {
  Object.assign(state, changes);
  draw(Object.keys(changes).every((name) => name === "open" || name === "pick"));
  focused?.focus();
}

function choose(filter, values) {
  if (values.length) state.chosen[filter] = values;
  else delete state.chosen[filter];
  draw();
}

function reset() {
  Object.assign(state, { query: "", chosen: {} });
  draw();
}

function changeLanguage(chosenLanguage) {
  speak(chosenLanguage);
  drawFrame();
  drawSelection();
  drawPanel();
  sayInAddress();
  document.querySelector(`button[data-language="${chosenLanguage}"]`).focus();
}

function draw(isPanelOnly = false) {
  if (isPanelOnly) markOpenCell();
  else {
    selection = select();
    drawSelection();
  }
  drawPanel();
  sayInAddress();
}

function drawSelection() {
  updateTools();
  drawView();
  updateHead();
}

function drawView() {
  if (state.view === "matrix") drawMatrix(byId("view"));
  else drawList(byId("view"));
}

function markOpenCell() {
  document.querySelector(".cell.open")?.classList.remove("open");
  if (!state.open || state.view !== "matrix") return;
  const place = [selection.rows.indexOf(state.open[0]), selection.columns.indexOf(state.open[1])];
  cellElement(place)?.classList.add("open");
}

/** What stays as it is while the state changes. */
function drawFrame() {
  openFilter = null;
  drawHead();
  drawTools();
}

/** Everything anew from what the address says. */
function start() {
  fromHash(location.hash);
  drawFrame();
  draw();
  showOpenCell();
}

function measureRoom() {
  matrix.width = byId("view").clientWidth;
  matrix.height = byId("view").clientHeight;
}

window.addEventListener("hashchange", start);
/** The address follows after a while: browsers refuse to have it written very often. */
function sayInAddress() {
  clearTimeout(sayInAddress.soon);
  sayInAddress.soon = setTimeout(() => history.replaceState(null, "", toHash()), 150);
}

/** The matrix follows the room that window and panel leave it. */
function followRoom([{ contentRect: room }]) {
  const isWider = room.width !== matrix.width;
  matrix.width = room.width;
  matrix.height = room.height;
  if (state.view !== "matrix" || !selection || !room.width) return;
  if (isWider) drawView();
  else drawInSight();
}

const firstBlock = await readBlock("matrix-data");
texts = firstBlock.head.texts;
table = readTable(firstBlock);
table.grades = gradesOf(table);
table.rowRank = ranksOf(table.rows);
table.columnRank = ranksOf(table.columns);
table.filters = filtersOf(table);
speak(language);
measureRoom();
start();
new ResizeObserver(followRoom).observe(byId("view"));
document.body.dataset.ready = "matrix";
// What is in sight is painted before the rest is read.
await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
await readDetails();
document.body.dataset.ready = "all";
