"""Folders of site rules for tests: what an operator would write."""

from pathlib import Path

NO_FP4 = """\
title: FP4 is not for production
level: error
refuses: true
when:
  metadata_stage: production
  weight_format_kind: fp4
message:
  en: "This site serves no FP4 in {metadata_stage}."
  zh: "本站点不在 {metadata_stage} 中使用 FP4。"
why: Evaluations lost two points.
source: site policy 12
prefer: [fp8]
cases:
  - {facts: {metadata_stage: production, weight_format_kind: fp4}, fires: true}
  - {facts: {weight_format_kind: fp4}, fires: false}
"""

HEADROOM = """\
title: Headroom is below eight percent
level: error
refuses: true
when:
  headroom_percent: {lt: 8}
message:
  en: "Headroom is {headroom_percent} %, and this site asks for 8 %."
  zh: "余量为 {headroom_percent}%、本站点要求 8%。"
why: Drivers grow.
source: site policy 3
cases:
  - {facts: {headroom_percent: 7}, fires: true}
  - {facts: {headroom_percent: 8}, fires: false}
"""

ONLY_H100 = """\
title: Namespace research has H100s alone
level: error
refuses: true
when:
  metadata_namespace: research
  gpu: {ne: H100 SXM5 80GB}
message:
  en: "Namespace {metadata_namespace} runs on H100, not on {gpu}."
  zh: "命名空间 {metadata_namespace} 只使用 H100、不使用 {gpu}。"
why: That is what it has.
source: site policy 7
cases:
  - {facts: {metadata_namespace: research}, fires: true}
  - {facts: {metadata_namespace: research, gpu: H100 SXM5 80GB}, fires: false}
"""

SITE = """\
facts:
  stage: {type: string, default: development, key: example.org/stage}
  namespace: {type: string, default: ""}
  replicas: {type: integer, default: 1}
  is_shared: {type: boolean, default: false}
"""


def site_folder(folder: Path, *, site: str = SITE, **advice: str) -> Path:
    """``folder`` with that ``site.yaml`` and those rules, named with hyphens where the argument has underscores."""
    (folder / "advice").mkdir(parents=True, exist_ok=True)
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    for name, text in advice.items():
        (folder / "advice" / f"{name.replace('_', '-')}.yaml").write_text(text, encoding="utf-8")
    return folder
