"""Front doors for clusters: what a manifest asks for, one decision about it, and each cluster's own way to ask."""
