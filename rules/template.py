"""A new rule to be written: whole enough to load, and with a case that fails until its condition is."""

from .facts import PassName

_ADVICE = """\
title: Say in a few words what this finds
level: advice                   # info, advice, warning or error
# refuses: true                 # with level error: what it fires on is unsupported, whatever fits
when:                           # every line must hold; `weighbridge rules facts` lists what can be read
  gpu_count: 0                  # no deployment has none, so that the first case fails until you write yours
message:                        # {fact} or {fact:form}, such as {usable_bytes:GiB}; the same facts in both
  en: "Say what is found on {gpu_count} GPUs, and what to do about it."
  zh: "说明在 {gpu_count} 块 GPU 上发现了什么以及该怎么做。"
why: Say why it is so, for whoever reads the rule.
source: Name the document and revision where that can be checked
prefer: []                      # formats, or kv-cache:<dtype>, to weigh as alternatives
cases:                          # at least one that fires and one that does not
  - facts: {gpu_count: 1}
    fires: true
  - facts: {gpu_count: 2}
    fires: false
"""

_SUPPORT = """\
title: Say in a few words what is supported, or not
when:                           # every line must hold; `weighbridge rules facts` lists what can be read
  compute_capability_tens: -1   # no GPU has it, so that the first case fails until you write yours
conclude:
  subjects: [weights]           # any of weights, kv_cache, engine
  level: unsupported            # native, emulated or unsupported: the worst that fires holds
  effect: none                  # compute+memory, memory+decode bandwidth, memory only or none
message:                        # {fact} or {fact:form}; the same facts in both
  en: "Say what is supported or not about {weight_format}, and why."
  zh: "说明 {weight_format} 是否受支持以及原因。"
why: Say why it is so, for whoever reads the rule.
source: Name the document and revision where that can be checked
cases:                          # at least one that fires and one that does not
  - facts: {compute_capability_tens: 86}
    fires: true
  - facts: {compute_capability_tens: 90}
    fires: false
"""

TEMPLATES: dict[PassName, str] = {"advice": _ADVICE, "support": _SUPPORT}
"""The text of a new rule's file, by its pass."""
