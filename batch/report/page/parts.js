// Pieces that the panel is put together of.

const part = (title, ...children) => make("section", {}, make("h3", {}, title), children);

const facts = (told) =>
  make(
    "dl",
    {},
    told.filter(([, value]) => value !== null).map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );

const labelled = (name) => say("panel.subject", { name: say(name) });
