"""From a Kubernetes object to sizing requests, or to why there is none."""
