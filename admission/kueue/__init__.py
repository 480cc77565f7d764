"""Kueue asks by an AdmissionCheck: workloads that wait for it are weighed over the queue and answered."""
