"""Coefficients of vLLM's profiles from the measured records: ``python -m benchmarks.fit``.

Whole models are left out of the fit, and the error on them is printed beside.  The rows of
``sizing/catalog/engines/vllm.yaml`` hold what this prints; a test compares them.
"""
