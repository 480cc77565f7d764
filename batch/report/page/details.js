// What only the panel shows, read after the matrix is there.

let details = null; // head and arrays of what only the panel shows

async function readDetails() {
  const { head, arrays } = await readBlock("panel-data");
  head.offers = head.offers.map((text) => JSON.parse(text));
  details = { head, arrays, figures: Object.fromEntries(head.figures.map((name) => [name, figures(arrays, name)])) };
  if (state.open) drawPanel();
}

/** A figure of cell `i`. */
const detail = (name, i) => details.figures[name][i];

/** What is told of cell `i` under a name: evidence, deployment, error or offers. */
const told = (name, i) => details.head[name][details.arrays[name][i]];
