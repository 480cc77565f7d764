// Signs that stand for a verdict beside its colour, and names of things in words.

const SYMBOLS = { fits: "✓", tight: "≈", does_not_fit: "✕", unsupported: "⊘", error: "!", not_asked: "·" };

const verdictMark = (verdict) =>
  make(
    "span",
    { className: "mark", data: { verdict } },
    make("span", { aria: { hidden: "true" } }, `${SYMBOLS[verdict]} `),
    say(`verdict.${verdict}`),
  );

const levelOf = (i) => table.head.levels[table.level[table.support[i]]] ?? null;

/** What a filter or an axis is called. */
function axisName(path) {
  if (has(`filter.${path}`)) return say(`filter.${path}`);
  return path === "verdict" ? say("list.verdict") : has(`axis.${path}`) ? say(`axis.${path}`) : path;
}

/** A value of an axis in words. */
function valueName(path, value) {
  if (value === null) return say(path === "weight_format" ? "value.as_published" : "value.default");
  if (typeof value === "boolean") return say(`value.${value}`);
  return typeof value === "object" ? JSON.stringify(value) : Number.isInteger(value) ? whole(value) : String(value);
}

const axisValueName = (axis, i) => valueName(axis.path, axis.values[axis.codes[i]]);

/** The format of a cell: what it is served in, or what was asked for where no answer says. */
function formatShown(i) {
  const named = formatName(table, i);
  if (named) return named;
  const axis = table.axes.find(({ path }) => path === "weight_format");
  const asked = axis ? axis.values[axis.codes[i]] : JSON.parse(table.head.fixed.weight_format ?? "null");
  return valueName("weight_format", asked);
}

function memoryName(column) {
  if (column.memory_bytes === null) return "";
  const size = gibTenths(column.memory_bytes);
  return column.count === 1 ? say("memory.each", { size }) : say("memory.several", { count: column.count, size });
}

const needFraction = (i) => (table.usable[i] > 0 ? Math.min(1, table.needed[i] / table.usable[i]) : 1);
