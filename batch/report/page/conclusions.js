// What was concluded about a cell: support, limits, findings.

function answerPart(i) {
  const deployment = told("deployment", i);
  const support = table.head.supports[table.support[i]];
  const fewest = detail("fewest_gpus", i);
  const longest = detail("longest_max_model_len", i);
  const names = { weights: say("term.weights"), kv_cache: say("term.kv_cache"), engine: say("subject.engine") };
  const levels = SUBJECTS.map((subject) =>
    make(
      "li",
      {},
      say("panel.subject", { name: capital(names[subject]) }),
      make("b", {}, levelText(support[subject])),
      " ",
      make("code", {}, support[subject].rule),
    ),
  );
  const settings = Object.entries(deployment).filter(
    ([name, value]) =>
      !["gpu", "gpu_count", "gpu_memory_bytes", "engine", "engine_version"].includes(name) && value !== null,
  );
  return part(
    say("panel.support"),
    make("ul", { className: "levels" }, levels),
    facts([
      [say("panel.fewest"), Number.isNaN(fewest) ? say("panel.none") : whole(fewest)],
      [say("panel.sequences"), Number.isNaN(table.concurrency[i]) ? null : sequences(table.concurrency[i])],
      [say("panel.longest"), Number.isNaN(longest) ? null : say("panel.tokens", { count: whole(longest) })],
      [say("panel.engine"), `${deployment.engine} ${deployment.engine_version}`],
    ]),
    make(
      "details",
      {},
      make("summary", {}, say("panel.settings")),
      make(
        "dl",
        { className: "settings" },
        settings.map(([name, value]) => [make("dt", {}, make("code", {}, name)), make("dd", {}, String(value))]),
      ),
    ),
  );
}

/** A level of support, and what is gained where that is something. */
function levelText({ level, effect }) {
  const named = say(`level.${level}`);
  if (level === "unsupported" || effect === "none") return named;
  return say("panel.level_and_effect", {
    level: named,
    effect: has(`effect.${effect}`) ? say(`effect.${effect}`) : effect,
  });
}

function findingsPart(i) {
  const found = findingsOf(i);
  const items = found.map(({ rule, level, prefers, source, lang, message }) =>
    make(
      "li",
      { data: { level } },
      make("b", { className: "level" }, capital(say(`finding.${level}`))),
      make("p", { className: "message", lang: TAGS[lang] }, message),
      make(
        "p",
        { className: "under" },
        labelled("panel.rule"),
        make("code", {}, rule),
        prefers.length ? [" · ", labelled("panel.prefers"), make("code", {}, prefers.join(", "))] : null,
        make("br"),
        labelled("panel.source"),
        make("span", { lang: "en" }, sourceMark(source)),
      ),
    ),
  );
  return part(
    say("panel.findings"),
    items.length ? make("ul", { className: "findings" }, items) : make("p", {}, say("panel.no_findings")),
  );
}
