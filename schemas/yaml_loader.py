"""The one way YAML is read: plain values alone, by the loader in C where there is one."""

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
